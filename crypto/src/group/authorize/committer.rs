//! The member that commits.

use super::super::policy::PolicyContent;
use crate::credential::LeafCredential;
use proto::{Rights, Role};

/// The committer, as the policy before the commit sees it.
pub(super) struct Committer<'a> {
    pub(super) person: &'a LeafCredential,
    pub(super) role: Role,
    pub(super) rights: Rights,
}

impl<'a> Committer<'a> {
    pub(super) fn new(before: &PolicyContent, person: &'a LeafCredential) -> Self {
        let LeafCredential { device, participant, .. } = *person;
        Self { person, role: before.role_of(device, participant), rights: before.rights_of(device, participant) }
    }
}

//! Members, commits and received messages.

use super::policy::MeetingPolicy;
use crate::Leaf;
use crate::certificate::CertificateChain;
use crate::credential::LeafCredential;
use crate::identity::DeviceKey;
use crate::knock_request::KnockRequest;
use proto::{Epoch, ParticipantId, Rights, Role};

/// A member of the group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    /// Its leaf. After a removal another member may get the same leaf.
    pub leaf: Leaf,
    /// The id from the delivery service.
    pub participant: ParticipantId,
    /// The name that the member chose.
    pub name: String,
    /// The key of its device.
    pub device: DeviceKey,
    /// Certificates of that key by an organisation, not verified.
    pub certificate: Option<CertificateChain>,
    /// Its role.
    pub role: Role,
    /// Its effective rights.
    pub rights: Rights,
}

impl Member {
    /// Returns the member at `leaf` with the rights that `policy` gives it.
    pub(super) fn new(leaf: Leaf, credential: LeafCredential, policy: &MeetingPolicy) -> Self {
        let LeafCredential { participant, device, profile, organisation: certificate, .. } = credential;
        let (role, rights) = (policy.role_of(device, participant), policy.rights_of(device, participant));
        Self { leaf, participant, name: profile.name, device, certificate, role, rights }
    }
}

/// What one commit of ours does. Without any change, it only updates our own keys.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The joiners to add.
    pub add: Vec<KnockRequest>,
    /// The leaves to remove. A leaf may occur twice.
    pub remove: Vec<Leaf>,
    /// The new policy.
    pub policy: Option<MeetingPolicy>,
}

/// Our own staged commit, until [`crate::Group::merge_pending_commit`] or [`crate::Group::clear_pending_commit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingCommit {
    /// The commit, for all members.
    pub commit: Vec<u8>,
    /// The Welcome, for all added members.
    pub welcome: Option<Vec<u8>>,
    /// The sealed ratchet tree for all added members, who cannot enter without it.
    pub tree: Option<Vec<u8>>,
    /// The added participants.
    pub added: Vec<ParticipantId>,
    /// The removed participants.
    pub removed: Vec<ParticipantId>,
}

/// The effect of a merged commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedCommit {
    /// The new epoch.
    pub epoch: Epoch,
    /// The leaf of the committer.
    pub committer: Leaf,
    /// The new members.
    pub added: Vec<Member>,
    /// The removed members.
    pub removed: Vec<Member>,
    /// True if we were removed.
    pub removed_me: bool,
    /// True if the policy changed: role and rights of those who stay may differ, and the meeting's keys may have
    /// rotated.
    pub policy_changed: bool,
}

/// A processed message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A commit, already merged.
    Commit(MergedCommit),
    /// An application message.
    Message {
        /// The sender's leaf in the epoch of the message.
        from: Leaf,
        /// The sender. It is right even if the leaf has another owner now.
        participant: ParticipantId,
        /// The plaintext.
        bytes: Vec<u8>,
    },
}

//! What a policy says for everybody, its bounds, and the reasons why one is not made.

use crate::authority_chain;
use proto::{MeetingFlags, Rights, Role};

/// What holds for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) flags: MeetingFlags,
    /// The role of people who are not listed.
    pub(crate) everyone: Role,
    /// The rights of all roles below the organiser's. The organiser has every right.
    pub(crate) defaults: [Rights; 4],
}

impl Rules {
    pub(crate) fn default_rights(&self, role: Role) -> Rights {
        match role {
            Role::Organiser => Rights::ALL,
            Role::CoOrganiser => self.defaults[0],
            Role::Presenter => self.defaults[1],
            Role::Participant => self.defaults[2],
            Role::Guest => self.defaults[3],
        }
    }

    pub(super) fn is_valid(&self) -> bool {
        let are_possible =
            Role::ALL[1..].iter().all(|role| role.possible_rights().contains(self.default_rights(*role)));
        are_possible && !self.everyone.is_manager()
    }
}

/// The reason why a policy was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// There is no room for more barred devices or people.
    #[error("the policy is full")]
    Full,
    /// The edit would leave the meeting without an organiser, or with two.
    #[error("the policy needs one organiser")]
    Organiser,
    /// The person or the role cannot have these rights.
    #[error("the role cannot have these rights")]
    Impossible,
    /// No rotation is prepared.
    #[error("no rotation is prepared")]
    NoRotation,
    /// The keys are not those of the policy's authority.
    #[error("the keys do not belong to the meeting's authority")]
    NotAuthority,
    /// The rotation does not continue the chain.
    #[error(transparent)]
    Chain(#[from] authority_chain::Error),
}

/// Barred devices of a meeting. None is ever forgotten.
pub(crate) const MAX_BARRED: usize = 1_024;
/// People whom a policy lists.
pub(crate) const MAX_PEOPLE: usize = 256;

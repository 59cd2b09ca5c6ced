//! What goes into the group and comes out of it.

use super::Reject;
use crate::Leaf;
use crate::identity::DeviceKey;
use crate::provider::NoRandomness;
use proto::{Epoch, ParticipantId};

/// A member of the group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    /// Its place in the tree; another member may have it later.
    pub leaf: Leaf,
    /// What the delivery service calls it.
    pub participant: ParticipantId,
    /// What it calls itself.
    pub name: String,
    /// Its device.
    pub device: DeviceKey,
    /// True where it may add and remove others.
    pub organiser: bool,
}

/// A commit of ours that waits for the log's verdict: [`crate::Group::won`] or [`crate::Group::lost`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// For all members.
    pub commit: Vec<u8>,
    /// For those whom it adds: one for all of them.
    pub welcome: Option<Vec<u8>>,
    /// Whom it adds.
    pub added: Vec<ParticipantId>,
    /// Whom it removes.
    pub removed: Vec<ParticipantId>,
}

/// What a merged commit changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The epoch that it began.
    pub epoch: Epoch,
    /// Whose commit it was.
    pub committer: Leaf,
    /// Who is new.
    pub added: Vec<Member>,
    /// Who is no longer here.
    pub removed: Vec<Member>,
    /// True where we are among them: this group is of no more use.
    pub removed_me: bool,
}

/// What a message of the log turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A commit; it is merged.
    Commit(Change),
    /// Something that a member said.
    Message {
        /// The sender's leaf in the epoch in which it was sealed.
        from: Leaf,
        /// The sender. Ask for this one, not the leaf, who it was.
        participant: ParticipantId,
        /// What was said.
        bytes: Vec<u8>,
    },
}

/// Why the group did not do as asked. It is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are no message of this group, not authentic, or of an epoch that is not this one.
    #[error("not a message of this group")]
    Malformed,
    /// The message is our own, come back: [`crate::Group::won`] is for it.
    #[error("our own message came back")]
    Own,
    /// A member's certificate is missing or wrong.
    #[error("a device does not vouch for its leaf")]
    Credential,
    /// The policy does not allow it.
    #[error(transparent)]
    Rejected(#[from] Reject),
    /// A commit of ours still waits for its verdict.
    #[error("a commit of ours is pending")]
    Pending,
    /// No commit of ours waits.
    #[error("no commit of ours is pending")]
    NotPending,
    /// We were removed.
    #[error("this member was removed from the group")]
    Evicted,
    /// The system has no randomness to give.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// MLS failed where it should not; the text is for the log.
    #[error("MLS: {0}")]
    Mls(String),
}

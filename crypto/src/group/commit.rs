//! What goes into the group and comes out of it.

use crate::Leaf;
use crate::identity::DeviceKey;
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

/// A commit of ours that waits for the log's verdict: [`crate::Group::merge_pending_commit`] or [`crate::Group::clear_pending_commit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingCommit {
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
pub struct MergedCommit {
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
    Commit(MergedCommit),
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

//! Members, commits and received messages.

use crate::Leaf;
use crate::identity::DeviceKey;
use proto::{Epoch, ParticipantId};

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
    /// True if it may add and remove members.
    pub organiser: bool,
}

/// Our own staged commit, until [`crate::Group::merge_pending_commit`] or [`crate::Group::clear_pending_commit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingCommit {
    /// The commit, for all members.
    pub commit: Vec<u8>,
    /// The Welcome, for all added members.
    pub welcome: Option<Vec<u8>>,
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

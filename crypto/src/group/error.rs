//! Errors of the group, and the reasons to reject a commit.

use crate::provider::NoRandomness;

/// Why the group did not do as asked. It is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are no message of this group, not authentic, or of an epoch that is not this one.
    #[error("not a message of this group")]
    Malformed,
    /// The message is our own, come back: [`crate::Group::merge_pending_commit`] is for it.
    #[error("our own message came back")]
    OwnMessage,
    /// A member's certificate is missing or wrong.
    #[error("a device does not vouch for its leaf")]
    Credential,
    /// The policy does not allow it.
    #[error(transparent)]
    Rejected(#[from] Reject),
    /// A commit of ours still waits for its verdict.
    #[error("a commit of ours is pending")]
    CommitPending,
    /// No commit of ours waits.
    #[error("no commit of ours is pending")]
    NoPendingCommit,
    /// We were removed.
    #[error("this member was removed from the group")]
    Removed,
    /// The system has no randomness to give.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// MLS failed where it should not; the text is for the log.
    #[error("MLS: {0}")]
    Mls(String),
}

/// Why a commit is not merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Reject {
    /// The committer is not in the group.
    #[error("the committer is not a member")]
    NotAMember,
    /// Somebody lets people in, or puts somebody out who is still here, without being an organiser.
    #[error("only an organiser may do this")]
    NotOrganiser,
    /// The leaf to be removed is empty.
    #[error("there is nobody to remove")]
    EmptyLeaf,
    /// The participant to be added is here already.
    #[error("this participant is here already")]
    AlreadyMember,
    /// There is no room left.
    #[error("the group is full")]
    Full,
    /// A member gives itself another name, device or number.
    #[error("a member may not become somebody else")]
    IdentityChanged,
    /// The change is none that a meeting knows.
    #[error("a meeting does not know this change")]
    UnsupportedProposal,
}

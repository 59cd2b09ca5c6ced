//! Errors of the group, and the reasons to reject a commit.

use super::policy::PolicyError;
use crate::admission_key;
use crate::credential::BadCredential;
use crate::leaf_node::InvalidNode;
use crate::provider::NoRandomness;
use openmls::prelude::{ProcessMessageError, StageCommitError};
use openmls::treesync::errors::ApplyUpdatePathError;

/// The reason why an operation failed. The group is unchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a message of this group and epoch, or not authentic.
    #[error("not a message of this group")]
    Malformed,
    /// The message is our own. The caller must use [`crate::Group::merge_pending_commit`] for our commits.
    #[error("the message is our own")]
    OwnMessage,
    /// A leaf's credential is invalid, or not signed by its device.
    #[error("a leaf has no valid credential")]
    Credential,
    /// The authority that the link names did not sign the group's policy: it is not the group of this meeting.
    #[error("the group is not the one that the link leads to")]
    Forged,
    /// The tree is not the one that belongs to the Welcome.
    #[error("the tree is not the one that belongs to the Welcome")]
    Tree,
    /// The policy does not allow the commit.
    #[error(transparent)]
    Rejected(#[from] Reject),
    /// A new policy could not be made.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The next keys could not be made.
    #[error(transparent)]
    Keys(#[from] admission_key::Error),
    /// Our own commit is pending.
    #[error("our own commit is pending")]
    CommitPending,
    /// There is no pending commit.
    #[error("there is no pending commit")]
    NoPendingCommit,
    /// We were removed from the group.
    #[error("this member was removed from the group")]
    Removed,
    /// The system returned no random bytes.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// An MLS operation failed unexpectedly. The text is for the log.
    #[error("MLS: {0}")]
    Mls(String),
}

impl From<BadCredential> for Error {
    fn from(_: BadCredential) -> Self {
        Self::Credential
    }
}

impl From<InvalidNode> for Error {
    fn from(invalid: InvalidNode) -> Self {
        Self::Rejected(match invalid {
            InvalidNode::Key => Reject::BadKey,
            InvalidNode::Content => Reject::BadLeaf,
        })
    }
}

/// The reason why a commit is not merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Reject {
    /// The committer is not in the group.
    #[error("the committer is not a member")]
    NotAMember,
    /// The committer does not have the right.
    #[error("the committer does not have the right")]
    NotAllowed,
    /// The committer acts on a person who is not of a lower role, or gives somebody a role that is not lower than its own.
    #[error("the person is not below the committer")]
    NotBelow,
    /// A manager would stop being one, and the authority, which that person knows, does not change.
    #[error("the authority must change with this commit")]
    NoRotation,
    /// The leaf to remove is empty.
    #[error("the leaf to remove is empty")]
    EmptyLeaf,
    /// The participant to add is already a member.
    #[error("the participant is already a member")]
    AlreadyMember,
    /// The participant to add has been a member, or has given up: no id is used twice.
    #[error("the participant id was used before")]
    UsedId,
    /// The commit adds or keeps a device that the organiser removed.
    #[error("the device was removed from this meeting")]
    Barred,
    /// The authority did not sign the new policy, or it does not follow the one in force.
    #[error("the new policy is not valid")]
    InvalidPolicy,
    /// The group has the maximum number of members.
    #[error("the group is full")]
    Full,
    /// A member changes its name, device or participant id.
    #[error("a member may not change its identity")]
    IdentityChanged,
    /// The path secret for this member cannot be decrypted, or does not belong to the public keys of the path (RFC 9420, section
    /// 12.4.2). It is only about this member's own secret: others may have merged the commit. No honest client makes one.
    #[error("the path secret for this member is not valid")]
    UnreadablePath,
    /// A key of a new leaf, or of a node above it, cannot be encrypted to: nobody could commit any more.
    #[error("a key cannot be encrypted to")]
    BadKey,
    /// A new leaf has other capabilities than all leaves, or extensions.
    #[error("a leaf has other capabilities or extensions than all have")]
    BadLeaf,
    /// The commit contains a proposal that meetings do not allow.
    #[error("the proposal is not allowed in a meeting")]
    UnsupportedProposal,
}

/// Returns why a received message is not processed.
pub(super) fn refusal<S>(error: &ProcessMessageError<S>) -> Error {
    let is_unreadable = matches!(
        error,
        ProcessMessageError::InvalidCommit(StageCommitError::UpdatePathError(
            ApplyUpdatePathError::UnableToDecrypt
                | ApplyUpdatePathError::PathMismatch
                | ApplyUpdatePathError::MissingCiphertext
        ))
    );
    if is_unreadable { Reject::UnreadablePath.into() } else { Error::Malformed }
}

/// Converts an error of openmls, which has an error type for each call. The text is only logged.
pub(super) fn mls_error(error: impl std::error::Error) -> Error {
    Error::Mls(error.to_string())
}

//! A commit without a signature, and what a message changes for connections.

use super::super::authority::Authority;
use super::super::connection_id::ConnectionId;
use super::super::members::Member;
use super::super::tree::Welcomes;
use proto::{Blob, Epoch, NextAuthority, ParticipantId, Problem};

/// [`proto::Up::Commit`].
#[derive(Debug)]
pub struct Commit {
    /// The epoch that the commit ends.
    pub epoch: Epoch,
    /// The commit itself.
    pub blob: Blob,
    /// The participants that the commit removes.
    pub removed: Vec<ParticipantId>,
    /// The Welcomes for the participants that the commit adds.
    pub welcomes: Welcomes,
}

/// The connections that a message moves into or out of a meeting.
#[derive(Debug, Default)]
pub struct Changes {
    /// Connections that are about to be closed.
    pub closed: Vec<ConnectionId>,
    /// Connections that waited and belong to members now.
    pub admitted: Vec<ConnectionId>,
}

/// Replaces the authority. The member `by` has the new keys.
pub(super) fn rotate(authority: &mut Authority, by: Option<&mut Member>, next: NextAuthority) -> Result<(), Problem> {
    if !authority.rotate(&next.rotation, next.admission_key) {
        return Err(Problem::NotAuthorised);
    }
    if let Some(member) = by {
        member.prove(authority.rotations());
    }
    Ok(())
}

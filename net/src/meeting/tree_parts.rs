//! An admission whose tree is still on its way: the parts follow the Welcome.

use super::event::Violation;
use super::timing::{TREE_PART_TIMEOUT, TREE_TIMEOUT};
use crypto::Joiner;
use proto::{Blob, Epoch, GoneMember, MAX_TREE_PART, Position, Reason, ResumeToken};
use std::time::Instant;

/// What the server said when it admitted this client.
pub(super) struct Admission {
    pub welcome: Blob,
    /// The position of the next log entry.
    pub position: Position,
    /// The log's epoch at that position.
    pub epoch: Epoch,
    /// Departed members whose leaves are still in the group.
    pub gone: Vec<GoneMember>,
    pub resume: ResumeToken,
}

/// An admitted client until it has the whole tree.
pub(super) struct TreeParts {
    joiner: Joiner,
    admission: Admission,
    sealed: Vec<u8>,
    length: usize,
    /// When the next part must be here.
    due: Instant,
    /// When the last part must be here.
    end: Instant,
}

impl TreeParts {
    /// Returns the state before the first part of a tree of `length` bytes.
    pub(super) fn new(joiner: Joiner, admission: Admission, length: u32, now: Instant) -> Self {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (due, end) = (now + TREE_PART_TIMEOUT, now + TREE_TIMEOUT);
        Self { joiner, admission, sealed: Vec::new(), length, due, end }
    }

    /// Adds the next part. All but the last one are full.
    pub(super) fn add(&mut self, part: &Blob, now: Instant) -> Result<(), Violation> {
        if part.0.len() != (self.length - self.sealed.len()).min(MAX_TREE_PART) {
            return Err(Violation::Unexpected);
        }
        self.sealed.extend_from_slice(&part.0);
        self.due = (now + TREE_PART_TIMEOUT).min(self.end);
        Ok(())
    }

    /// Returns the state with which the client enters.
    pub(super) const fn joiner(&self) -> &Joiner {
        &self.joiner
    }

    /// Returns true if no part is missing.
    pub(super) fn is_complete(&self) -> bool {
        self.sealed.len() == self.length
    }

    /// Returns what the client enters with: the last one is the sealed tree.
    pub(super) fn into_inner(self) -> (Joiner, Admission, Vec<u8>) {
        (self.joiner, self.admission, self.sealed)
    }

    /// Returns when the next part must be here.
    pub(super) const fn deadline(&self) -> Instant {
        self.due
    }

    /// Ends the wait if the next part does not come.
    pub(super) fn handle_timeout(&self, now: Instant) -> Result<(), Reason> {
        if now < self.due { Ok(()) } else { Err(Violation::Withheld.into()) }
    }
}

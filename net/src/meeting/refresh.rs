//! The schedule by which each member updates its keys, so that a meeting without joins heals after a key was stolen.

use super::roster::Roster;
use super::timing::REFRESH_INTERVAL;
use std::time::Instant;

/// When this client updates its keys.
pub(super) struct Refresh {
    due: Instant,
}

impl Refresh {
    /// Returns the schedule of a new member. The members take turns, in the order of their rank.
    pub(super) fn new(roster: &Roster, now: Instant) -> Self {
        Self { due: now + REFRESH_INTERVAL * roster.rank().saturating_add(1) }
    }

    /// Requests an update now.
    pub(super) fn request(&mut self, now: Instant) {
        self.due = now;
    }

    /// Returns when the update is due.
    pub(super) const fn deadline(&self) -> Instant {
        self.due
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due <= now
    }

    /// Handles an update of this client's keys, or that none could be made: the next one comes after one of each other
    /// member.
    pub(super) fn restart(&mut self, roster: &Roster, now: Instant) {
        *self = Self { due: now + REFRESH_INTERVAL * roster.count().max(1) };
    }
}

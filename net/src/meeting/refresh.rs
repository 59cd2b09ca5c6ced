//! When this client updates its keys: in turn, so that a meeting without joins heals after a key was stolen, and when the tree of a
//! large group has nodes without keys, so that later commits are short.
//!
//! The members of an epoch find the same order of those who fill the tree ([`filling::fillers`]). The first one commits when the
//! group has not changed for a time that grows with the group, and each further one only if those before it do not. So at most one
//! such commit is made in that time, and none during a burst of joins.

use super::group_log::GroupLog;
use super::roster::Roster;
use super::timing::{FILL_INTERVAL, FILL_INTERVAL_PER_MEMBER, MIN_FILLED, REFRESH_INTERVAL, UPDATE_INTERVAL};
use crypto::Leaf;
use crypto::group::filling;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// When this client updates its keys.
pub(super) struct Refresh {
    due: Instant,
    fill: Fill,
    /// The server accepts no update before this time, unless a manager signs it.
    earliest: Instant,
}

/// Whether this client fills the tree in this epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fill {
    /// It does not.
    No,
    /// It decides at this time.
    Undecided(Instant),
    /// It does so at this time.
    At(Instant),
}

impl Refresh {
    /// Returns the schedule of a new member. The members take turns, in the order of their rank.
    pub(super) fn new(roster: &Roster, now: Instant) -> Self {
        let due = now + REFRESH_INTERVAL * roster.rank().saturating_add(1);
        Self { due, fill: first_fill(roster, now), earliest: now }
    }

    /// Requests an update now.
    pub(super) fn request(&mut self, now: Instant) {
        self.due = now;
    }

    /// Returns when [`Self::is_due`] has to be asked. `manager` is true if this client signs its commits.
    pub(super) fn deadline(&self, manager: bool) -> Instant {
        let due = match self.fill {
            Fill::No => self.due,
            Fill::Undecided(at) | Fill::At(at) => at.min(self.due),
        };
        if manager { due } else { due.max(self.earliest) }
    }

    /// Returns true if the server accepts an update of a member that is no manager.
    pub(super) fn may_update(&self, now: Instant) -> bool {
        self.earliest <= now
    }

    /// Returns true if an update is due.
    pub(super) fn is_due(&mut self, log: &GroupLog, roster: &Roster, now: Instant) -> bool {
        if matches!(self.fill, Fill::Undecided(at) if at <= now) {
            let connected: BTreeSet<Leaf> =
                roster.present().filter(|person| person.connected).map(|person| person.leaf).collect();
            let fillers = filling::fillers(log.group(), &|leaf| connected.contains(&leaf));
            let before = fillers.iter().position(|leaf| *leaf == log.group().me());
            let before = before.and_then(|before| u32::try_from(before).ok());
            self.fill = before.map_or(Fill::No, |before| Fill::At(now + interval(roster) * before));
        }
        self.due <= now || matches!(self.fill, Fill::At(at) if at <= now)
    }

    /// Handles a new epoch of the group.
    pub(super) fn handle_group_change(&mut self, roster: &Roster, now: Instant) {
        self.fill = first_fill(roster, now);
    }

    /// Handles an update of this client's keys, or that none could be made: the next one comes after one of each other
    /// member.
    pub(super) fn restart(&mut self, roster: &Roster, now: Instant) {
        let due = now + REFRESH_INTERVAL * roster.count().max(1);
        *self = Self { due, fill: Fill::No, earliest: now + UPDATE_INTERVAL };
    }
}

fn first_fill(roster: &Roster, now: Instant) -> Fill {
    if roster.count() < MIN_FILLED { Fill::No } else { Fill::Undecided(now + interval(roster)) }
}

fn interval(roster: &Roster) -> Duration {
    FILL_INTERVAL + FILL_INTERVAL_PER_MEMBER * roster.count()
}

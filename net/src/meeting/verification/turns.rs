//! How often a member may begin a comparison of pictures, or ask for a phrase.

use crate::meeting::roster::Roster;
use proto::ParticipantId;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// When each member last began. Holds members only.
#[derive(Default)]
pub(super) struct Turns(BTreeMap<ParticipantId, Instant>);

impl Turns {
    /// Returns true if the member may not begin again yet.
    pub(super) fn is_too_soon(&self, by: ParticipantId, now: Instant) -> bool {
        self.0.get(&by).is_some_and(|last| now < *last + MIN_INTERVAL)
    }

    /// Notes that a member begins, and forgets those who have left.
    pub(super) fn begin(&mut self, by: ParticipantId, roster: &Roster, now: Instant) {
        self.0.retain(|id, _| roster.contains(*id));
        self.0.insert(by, now);
    }
}

/// The shortest time between two beginnings of one member.
const MIN_INTERVAL: Duration = Duration::from_secs(5);

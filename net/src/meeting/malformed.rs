//! Counts messages that mean nothing to this client: malformed ones, and kinds of later versions.
//!
//! They are skipped. The count shows a faulty or hostile program. No line of the log and no event has their content.

use proto::{MAX_MEMBERS, ParticipantId};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How many such messages each sender has sent.
#[derive(Default)]
pub(super) struct Malformed {
    counts: BTreeMap<ParticipantId, u64>,
    /// Those that no line of the log has counted.
    unlogged: u64,
    logged: Option<Instant>,
}

impl Malformed {
    /// Counts a message of `from`. Returns how many it has sent; `None` if there are too many senders to count it: the server
    /// names the sender of some messages, and can make up names.
    pub(super) fn count(&mut self, from: ParticipantId, now: Instant) -> Option<u64> {
        self.unlogged = self.unlogged.saturating_add(1);
        let is_counted = self.counts.len() < MAX_SENDERS || self.counts.contains_key(&from);
        let count = is_counted.then(|| {
            let count = self.counts.entry(from).or_default();
            *count = count.saturating_add(1);
            *count
        });
        if let Some(messages) = self.take_due(now) {
            tracing::warn!(messages, senders = self.counts.len(), "messages of others cannot be read");
        }
        count
    }

    /// Returns how many messages the next line of the log counts, if it is time for one.
    fn take_due(&mut self, now: Instant) -> Option<u64> {
        if self.logged.is_some_and(|logged| now < logged + LOG_INTERVAL) {
            return None;
        }
        self.logged = Some(now);
        Some(std::mem::take(&mut self.unlogged))
    }
}

/// Senders that are counted.
const MAX_SENDERS: usize = MAX_MEMBERS;

/// The shortest time between two lines of the log.
const LOG_INTERVAL: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sender_has_its_count_and_no_more_senders_are_counted_than_a_meeting_has() {
        let (mut malformed, now) = (Malformed::default(), Instant::now());
        for sender in 0..MAX_SENDERS as u64 {
            assert_eq!(malformed.count(ParticipantId(sender), now), Some(1));
        }
        assert_eq!(malformed.count(ParticipantId(3), now), Some(2));
        assert_eq!(malformed.count(ParticipantId(u64::MAX), now), None);
        assert_eq!(malformed.counts.len(), MAX_SENDERS);
    }

    #[test]
    fn a_flood_is_logged_once_a_minute_with_its_number() {
        let (mut malformed, start) = (Malformed::default(), Instant::now());
        malformed.count(ParticipantId(1), start);
        assert_eq!(malformed.unlogged, 0, "the first one is logged at once");
        for second in 0..60 {
            malformed.count(ParticipantId(1), start + Duration::from_secs(second));
        }
        assert_eq!((malformed.unlogged, malformed.logged), (60, Some(start)));
        let later = start + LOG_INTERVAL;
        assert_eq!((malformed.take_due(later), malformed.take_due(later)), (Some(60), None));
    }
}

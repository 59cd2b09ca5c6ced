//! How fast messages of the chat are sent, and how many of each member are accepted.

use proto::ParticipantId;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A token bucket (as the generic cell rate algorithm of ITU-T I.371): each unit takes `interval`, and `burst` units may come
/// at once.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    interval: Duration,
    burst: u32,
    /// When the bucket is full again. `None` if it is.
    full: Option<Instant>,
}

impl Bucket {
    pub const fn new(interval: Duration, burst: u32) -> Self {
        Self { interval, burst, full: None }
    }

    /// Returns when `units` can be taken. `None` if they can be taken now. The bucket must be able to hold as many.
    pub fn ready_at(&self, units: u32, now: Instant) -> Option<Instant> {
        let full = self.full.filter(|full| *full > now)?;
        let room = self.interval * self.burst.saturating_sub(units);
        (full > now + room).then(|| full.checked_sub(room).unwrap_or(full))
    }

    /// Takes `units`. Returns false, and takes nothing, if there are not as many, or it can never hold as many.
    pub fn take(&mut self, units: u32, now: Instant) -> bool {
        if units > self.burst || self.ready_at(units, now).is_some() {
            return false;
        }
        let from = self.full.filter(|full| *full > now).unwrap_or(now);
        self.full = Some(from + self.interval * units);
        true
    }

    fn is_full(&self, now: Instant) -> bool {
        self.full.is_none_or(|full| full <= now)
    }
}

/// The pace of one member: its messages and their kibibytes.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    messages: Bucket,
    kibibytes: Bucket,
}

impl Pace {
    /// Returns how fast this client sends: well below what the others and the server accept.
    pub const fn sending() -> Self {
        let (messages, kibibytes) = (Duration::from_millis(250), Duration::from_micros(62_500));
        Self { messages: Bucket::new(messages, 16), kibibytes: Bucket::new(kibibytes, 128) }
    }

    /// Returns how fast a member may send. After 20 s without a connection, all that it sent in this time arrives at once.
    const fn receiving() -> Self {
        let (messages, kibibytes) = (Duration::from_millis(125), Duration::from_micros(31_250));
        Self { messages: Bucket::new(messages, 256), kibibytes: Bucket::new(kibibytes, 1_024) }
    }

    /// Returns when a message of `length` bytes may be sent. `None` if it may be sent now.
    pub fn ready_at(&self, length: usize, now: Instant) -> Option<Instant> {
        let bytes = self.kibibytes.ready_at(kibibytes(length), now);
        self.messages.ready_at(1, now).max(bytes)
    }

    /// Counts a message of `length` bytes. Returns false if it is too much.
    pub fn take(&mut self, length: usize, now: Instant) -> bool {
        self.ready_at(length, now).is_none()
            && self.messages.take(1, now)
            && self.kibibytes.take(kibibytes(length), now)
    }

    fn is_rested(&self, now: Instant) -> bool {
        self.messages.is_full(now) && self.kibibytes.is_full(now)
    }
}

fn kibibytes(length: usize) -> u32 {
    u32::try_from(length.div_ceil(1_024)).unwrap_or(u32::MAX)
}

/// The paces of the other members.
#[derive(Default)]
pub struct Limits(BTreeMap<ParticipantId, (Pace, bool)>);

/// Whether a message counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Accepted,
    /// It is dropped. `first` is true for the first one since the member has paused.
    Dropped {
        first: bool,
    },
}

impl Limits {
    /// Counts a message of a member.
    pub fn count(&mut self, from: ParticipantId, length: usize, now: Instant) -> Verdict {
        self.0.retain(|id, (pace, _)| *id == from || !pace.is_rested(now));
        let (pace, dropped) = self.0.entry(from).or_insert((Pace::receiving(), false));
        *dropped &= !pace.is_rested(now);
        if pace.take(length, now) {
            return Verdict::Accepted;
        }
        Verdict::Dropped { first: !std::mem::replace(dropped, true) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_then_one_in_each_interval() {
        let (start, mut bucket) = (Instant::now(), Bucket::new(Duration::from_secs(1), 3));
        assert_eq!((0..5).filter(|_| bucket.take(1, start)).count(), 3);
        assert_eq!(bucket.ready_at(1, start), Some(start + Duration::from_secs(1)));
        assert_eq!(bucket.ready_at(2, start), Some(start + Duration::from_secs(2)));
        assert!(bucket.take(1, start + Duration::from_secs(1)) && !bucket.take(1, start + Duration::from_secs(1)));
        assert_eq!((0..5).filter(|_| bucket.take(1, start + Duration::from_hours(1))).count(), 3);
        assert!(!bucket.take(4, start + Duration::from_hours(2)), "more than it can hold");
    }

    #[test]
    fn a_flood_is_bounded_per_member_and_reported_once_until_it_pauses() {
        let (start, mut limits) = (Instant::now(), Limits::default());
        let (flooder, other) = (ParticipantId(1), ParticipantId(2));
        let verdicts: Vec<_> = (0..1_000).map(|_| limits.count(flooder, 64, start)).collect();
        assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Accepted).count(), 256);
        assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Dropped { first: true }).count(), 1);
        assert_eq!(limits.count(other, 64, start), Verdict::Accepted, "the others are not affected");
        let later = start + Duration::from_mins(1);
        assert_eq!(limits.count(flooder, 64, later), Verdict::Accepted);
        let again = (0..1_000).filter(|_| limits.count(flooder, 64, later) == Verdict::Dropped { first: true });
        assert_eq!(again.count(), 1);
        let long = (0..1_000).filter(|_| limits.count(other, 16 << 10, later) == Verdict::Accepted).count();
        assert_eq!(long, 64, "1 MiB");
    }

    /// What this client sends without a pause is accepted by the others, although it may arrive all at once after 20 s.
    #[test]
    fn the_pace_of_sending_stays_below_that_of_receiving() {
        let (start, mut pace, mut limits) = (Instant::now(), Pace::sending(), Limits::default());
        for length in [64, 4_096, 16 << 10] {
            let sent = (0..20_000).filter(|step| pace.take(length, start + Duration::from_millis(*step))).count();
            let at = start + Duration::from_mins(length as u64);
            let accepted = (0..sent).filter(|_| limits.count(ParticipantId(1), length, at) == Verdict::Accepted);
            assert_eq!(accepted.count(), sent, "{length} bytes");
        }
    }
}

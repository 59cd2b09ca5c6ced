//! When this member says which state of the group it has. Pure: no clock, no signature.
//!
//! In a meeting of up to [`ALL_SEND`] members, each sends a beacon on each new epoch and every five seconds. In larger ones
//! the members share [`BEACONS_PER_SECOND`], and about [`ALL_SEND`] of them, whom the new state of the group chooses, send on
//! a new epoch: each fork chooses others. A member that hears a beacon of another fork answers
//! it.

use crate::meeting::timing::BEACON_INTERVAL;
use proto::ParticipantId;
use std::time::{Duration, Instant};

/// When the next beacon of this member is due, and its number.
pub(super) struct Beacons {
    me: ParticipantId,
    counter: u64,
    due: Instant,
    sent: Option<Instant>,
    /// An answer to a beacon of another fork, and how many of this fork were heard since.
    answer: Option<(Instant, u32)>,
}

impl Beacons {
    /// Returns the state of a new member, which sends its first beacon at once if few are in the meeting, and otherwise at some
    /// time in the first interval.
    pub(super) fn new(me: ParticipantId, members: u32, now: Instant) -> Self {
        let due = if members <= ALL_SEND { now } else { now + part(interval(members), mix(me.0)) };
        Self { me, counter: 0, due, sent: None, answer: None }
    }

    /// Handles a new epoch, whose state has this hash.
    pub(super) fn handle_epoch(&mut self, transcript: &[u8; 32], members: u32, now: Instant) {
        self.answer = None;
        let first = transcript.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        if members <= ALL_SEND || mix(first ^ self.me.0) < u64::MAX / u64::from(members) * u64::from(ALL_SEND) {
            self.due = self.due.min(self.not_before(now));
        }
    }

    /// Handles a beacon of another member. `differs` is true if it is of another fork.
    pub(super) fn handle_beacon(&mut self, differs: bool, members: u32, now: Instant) {
        if differs && self.answer.is_none() && self.sent.is_none_or(|sent| now >= sent + BEACON_INTERVAL) {
            // All of a fork hear it at the same time, so each waits for another moment.
            let spread = if members <= ALL_SEND { Duration::ZERO } else { ANSWER_SPREAD };
            let seed = mix(self.me.0 ^ self.counter.wrapping_add(1));
            self.answer = Some((self.not_before(now) + part(spread, seed), 0));
        } else if !differs && let Some((_, heard)) = &mut self.answer {
            *heard += 1;
            self.answer = self.answer.filter(|(_, heard)| *heard < ENOUGH_ANSWERS);
        }
    }

    /// Returns when the next beacon is due.
    pub(super) fn deadline(&self) -> Instant {
        self.answer.map_or(self.due, |(at, _)| at.min(self.due))
    }

    /// Returns the number of the beacon that is sent now; `None` if none is due.
    pub(super) fn take(&mut self, members: u32, now: Instant) -> Option<u64> {
        if now < self.deadline() {
            return None;
        }
        self.counter += 1;
        (self.sent, self.due, self.answer) = (Some(now), now + interval(members), None);
        Some(self.counter)
    }

    /// Sends the next beacon as soon as possible, because the connection was lost.
    pub(super) fn repeat(&mut self, now: Instant) {
        self.due = self.due.min(self.not_before(now));
    }

    fn not_before(&self, now: Instant) -> Instant {
        self.sent.map_or(now, |sent| now.max(sent + MIN_INTERVAL))
    }
}

/// Returns how often each of this number of members sends a beacon.
pub(super) fn interval(members: u32) -> Duration {
    BEACON_INTERVAL.max(Duration::from_secs(1) * members / BEACONS_PER_SECOND)
}

/// Returns a part of `whole`, from 0 to all of it.
fn part(whole: Duration, seed: u64) -> Duration {
    let part = u32::try_from(seed >> 48).unwrap_or(0);
    whole * part / (1 << 16)
}

/// Mixes the bits of a number: `SplitMix64` (Steele, Lea, Flood, 2014).
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Up to this number of members, all send on each epoch. In larger meetings about as many do.
pub(super) const ALL_SEND: u32 = 16;

/// How many beacons the members of a large meeting send in a second, besides those of new epochs.
const BEACONS_PER_SECOND: u32 = 5;

/// The minimum time between two beacons of one member. The server drops those that come more often for long.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// In this time the members of a large meeting answer a beacon of another fork.
const ANSWER_SPREAD: Duration = Duration::from_secs(2);

/// After this number of answers of others, a member does not answer.
const ENOUGH_ANSWERS: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_members_of_a_large_meeting_send_less_often() {
        for (members, seconds) in [(2, 5), (16, 5), (25, 5), (100, 20), (1_000, 200)] {
            assert_eq!(interval(members), Duration::from_secs(seconds), "{members}");
        }
    }

    #[test]
    fn in_small_meetings_all_send_on_an_epoch_and_in_large_ones_few() {
        let now = Instant::now();
        for (members, epochs) in [(16u32, 1), (200, 20), (1_000, 20)] {
            let mut all: Vec<_> =
                (0..members).map(|id| Beacons::new(ParticipantId(mix(u64::from(id))), members, now)).collect();
            for one in &mut all {
                let _ = one.take(members, now + interval(members));
            }
            for epoch in 0..epochs {
                let byte = u8::try_from(epoch).unwrap();
                let (before, transcript) = (now + interval(members) * (2 * epoch + 3), [byte; 32]);
                let at = before + MIN_INTERVAL;
                for one in &mut all {
                    let _ = one.take(members, before);
                }
                for one in &mut all {
                    one.handle_epoch(&transcript, members, at);
                }
                let sent = all.iter_mut().filter_map(|one| one.take(members, at)).count();
                let expected = if members <= ALL_SEND { 16..=16 } else { 3..=40 };
                assert!(expected.contains(&sent), "{sent} of {members}");
            }
        }
    }

    #[test]
    fn one_member_sends_at_most_one_beacon_a_second() {
        let start = Instant::now();
        let mut beacons = Beacons::new(ParticipantId(1), 2, start);
        let mut sent = Vec::new();
        for tick in 0..100u8 {
            let now = start + Duration::from_millis(100) * u32::from(tick);
            beacons.handle_epoch(&[tick; 32], 2, now);
            beacons.handle_beacon(true, 2, now);
            sent.extend(beacons.take(2, now));
        }
        assert_eq!(sent, (1..=10).collect::<Vec<_>>());
    }

    #[test]
    fn a_beacon_of_another_fork_is_answered_by_few_of_many() {
        let start = Instant::now();
        let mut all: Vec<_> = (0..500).map(|id| Beacons::new(ParticipantId(mix(id)), 500, start)).collect();
        let before = start + Duration::from_secs(1_000);
        let at = before + BEACON_INTERVAL;
        for one in &mut all {
            let _ = one.take(500, before);
        }
        for one in &mut all {
            one.handle_beacon(true, 500, at);
        }
        let mut answers = 0;
        for tick in 0..200 {
            let now = at + Duration::from_millis(10) * tick;
            let sent = all.iter_mut().filter_map(|one| one.take(500, now)).count();
            answers += sent;
            for one in &mut all {
                (0..sent).for_each(|_| one.handle_beacon(false, 500, now));
            }
        }
        assert!((8..60).contains(&answers), "{answers}");
    }

    #[test]
    fn a_small_meeting_answers_at_once() {
        let start = Instant::now();
        let mut beacons = Beacons::new(ParticipantId(1), 3, start);
        assert_eq!(beacons.take(3, start), Some(1));
        let later = start + BEACON_INTERVAL.saturating_sub(Duration::from_nanos(1));
        beacons.handle_beacon(true, 3, later);
        assert_eq!(beacons.take(3, later), None, "it has just sent one");
    }
}

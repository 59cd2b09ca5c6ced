//! How long nothing has been heard of a member, and how much of that time something else explains. Pure.
//!
//! The server says who is absent, and it can end connections. So an absence and an own reconnection stop the clock, but do not
//! start it anew, and all of them together explain a bounded time.

use super::beacons::{ALL_SEND, interval};
use crate::meeting::timing::RECOVERY_TIMEOUT;
use std::time::{Duration, Instant};

/// The silence of another member.
pub(super) struct Silence {
    /// When something new was heard of it, or since when it should be heard.
    heard: Instant,
    /// Since when the server reports it as absent.
    absent: Option<Instant>,
    /// The time that its absences explain.
    absences: Duration,
    /// The time that the own reconnections explain.
    reconnections: Duration,
    /// True once it was silent for too long. Only a beacon ends that.
    is_over: bool,
}

impl Silence {
    /// Returns the state of a member that is connected.
    pub(super) const fn new(now: Instant) -> Self {
        let (absences, reconnections) = (Duration::ZERO, Duration::ZERO);
        Self { heard: now, absent: None, absences, reconnections, is_over: false }
    }

    /// Handles something new of the member.
    pub(super) fn handle_heard(&mut self, now: Instant) {
        *self = Self { absent: self.absent.map(|_| now), ..Self::new(now) };
    }

    /// Handles that the server reports the member as connected or not.
    pub(super) fn set_connected(&mut self, connected: bool, members: u32, now: Instant) {
        self.check(members, now);
        if !connected {
            self.absent.get_or_insert(now);
        } else if let Some(since) = self.absent.take() {
            let absence = now.saturating_duration_since(since);
            self.absences = (self.absences + absence).min(MAX_ABSENCES);
            // It sends a beacon as soon as it is back.
            let missing = (now + RETURN_TIMEOUT).saturating_duration_since(self.due(members));
            self.absences = (self.absences + missing).min(MAX_ABSENCES);
        }
    }

    /// Handles a new own connection after a time `pause` without one. What was sent meanwhile is lost.
    pub(super) fn handle_resumed(&mut self, pause: Duration, members: u32, now: Instant) {
        self.absent = self.absent.map(|since| (since + pause).min(now));
        let max = max_reconnections(members);
        self.reconnections = (self.reconnections + pause).min(max);
        self.check(members, now);
        let missing = (now + beacon_interval(members) + RETURN_TIMEOUT).saturating_duration_since(self.due(members));
        self.reconnections = (self.reconnections + missing).min(max);
    }

    /// Handles a time in which this program did not run. The server cannot cause that.
    pub(super) fn handle_slept(&mut self, sleep: Duration, now: Instant) {
        self.heard = (self.heard + sleep).min(now);
        self.absent = self.absent.map(|since| (since + sleep).min(now));
    }

    /// Returns true if the member has been silent for too long.
    pub(super) fn check(&mut self, members: u32, now: Instant) -> bool {
        self.is_over |= now >= self.due(members);
        self.is_over
    }

    /// Returns when the member has been silent for too long.
    pub(super) fn due(&self, members: u32) -> Instant {
        let explained = self.heard + silence_timeout(members) + self.reconnections;
        match self.absent {
            Some(since) => (since + ABSENCE_TIMEOUT).min(explained + MAX_ABSENCES),
            None => explained + self.absences,
        }
    }
}

/// Returns how long a connected member may be silent: two of its intervals, and time for the server to notice that its
/// connection is lost.
fn silence_timeout(members: u32) -> Duration {
    2 * beacon_interval(members) + LOSS_TIMEOUT
}

/// Returns the time that own reconnections explain at most: the longest one, after which this client gives up, and the beacons that
/// are lost with each.
pub(super) fn max_reconnections(members: u32) -> Duration {
    RECOVERY_TIMEOUT + 2 * beacon_interval(members)
}

fn beacon_interval(members: u32) -> Duration {
    interval(members.max(ALL_SEND))
}

/// The server notices a lost connection after ten seconds. Some more for a slow network.
const LOSS_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a member may be absent. After 20 s, the server has to say that it is gone.
const ABSENCE_TIMEOUT: Duration = Duration::from_secs(30);

/// The time that absences explain at most.
const MAX_ABSENCES: Duration = Duration::from_mins(1);

/// How long a beacon may take after a connection was resumed.
const RETURN_TIMEOUT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBERS: u32 = 4;

    /// Returns after how many seconds a member is named of whom nothing is heard, if `lie` is called each second.
    fn named(mut lie: impl FnMut(&mut Silence, u64, Instant)) -> u64 {
        let start = Instant::now();
        let mut silence = Silence::new(start);
        for second in 1..1_000 {
            let now = start + Duration::from_secs(second);
            lie(&mut silence, second, now);
            if silence.check(MEMBERS, now) {
                return second;
            }
        }
        panic!("it is never named");
    }

    fn flicker(silence: &mut Silence, now: Instant) {
        silence.set_connected(false, MEMBERS, now);
        silence.set_connected(true, MEMBERS, now);
    }

    #[test]
    fn no_lie_about_absence_and_no_broken_connection_hides_a_silence_for_ever() {
        let second = Duration::from_secs(1);
        assert_eq!(named(|_, _, _| {}), 25);
        for every in 1..60 {
            let flickers = named(|silence, at, now| {
                if at % every == 0 {
                    flicker(silence, now);
                }
            });
            assert!(flickers <= 85, "absent for a moment every {every} s: {flickers}");
            let absences = named(|silence, at, now| silence.set_connected(at % every == 0, MEMBERS, now));
            assert!(absences <= 85, "connected for a second every {every} s: {absences}");
            let breaks = named(|silence, at, now| {
                if at % every == 0 {
                    silence.handle_resumed(second, MEMBERS, now);
                }
            });
            assert!(breaks <= 175, "a new connection every {every} s: {breaks}");
            let all = named(|silence, at, now| {
                if at % every == 0 {
                    silence.handle_resumed(second, MEMBERS, now);
                }
                flicker(silence, now);
            });
            assert!(all <= 235, "both every {every} s: {all}");
        }
    }

    #[test]
    fn the_tricks_of_every_twenty_seconds_delay_little() {
        let flickers = named(|silence, at, now| {
            if at % 20 == 0 {
                flicker(silence, now);
            }
        });
        let breaks = named(|silence, at, now| {
            if at % 20 == 0 {
                silence.handle_resumed(Duration::from_secs(1), MEMBERS, now);
            }
        });
        let absent = named(|silence, _, now| silence.set_connected(false, MEMBERS, now));
        assert_eq!((flickers, breaks, absent), (30, 35, 31));
    }

    #[test]
    fn only_a_beacon_ends_a_silence_that_was_too_long() {
        let start = Instant::now();
        let mut silence = Silence::new(start);
        let late = start + Duration::from_secs(26);
        flicker(&mut silence, late);
        silence.handle_resumed(Duration::ZERO, MEMBERS, late);
        assert!(silence.check(MEMBERS, late));
        silence.handle_heard(late);
        assert!(!silence.check(MEMBERS, late));
    }

    #[test]
    fn what_happens_with_an_honest_server_is_no_silence() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        // The member loses its connection after a beacon, is absent twice as long as a server keeps a place, and is heard again.
        let mut silence = Silence::new(start);
        silence.set_connected(false, MEMBERS, at(14));
        silence.set_connected(true, MEMBERS, at(34));
        silence.set_connected(false, MEMBERS, at(43));
        silence.set_connected(true, MEMBERS, at(63));
        assert!(!silence.check(MEMBERS, at(70)));
        // The server is away for as long as clients wait, and then waits for the member.
        let mut silence = Silence::new(start);
        silence.handle_resumed(RECOVERY_TIMEOUT, MEMBERS, at(145));
        silence.set_connected(false, MEMBERS, at(145));
        silence.set_connected(true, MEMBERS, at(165));
        assert!(!silence.check(MEMBERS, at(170)));
        // This computer sleeps for an hour.
        let mut silence = Silence::new(start);
        silence.handle_slept(Duration::from_hours(1), at(3_610));
        assert!(!silence.check(MEMBERS, at(3_624)) && silence.check(MEMBERS, at(3_625)));
        // Many members: each sends a beacon every 200 s. Two are lost with the own connection.
        let mut silence = Silence::new(start);
        silence.handle_resumed(Duration::from_secs(5), 1_000, at(202));
        silence.handle_resumed(Duration::from_secs(5), 1_000, at(402));
        assert!(!silence.check(1_000, at(601)));
    }
}

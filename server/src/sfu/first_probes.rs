//! Decides when the transport stack sends its first bandwidth probes to a participant, and at which bitrate. Pure: the caller
//! passes the time.
//!
//! The first probes are as large as the burst of a token bucket and a little more. Only if no packet waits in the queue of the
//! link, larger ones follow. On a narrow link, larger ones would fill the queue, and delay the sound and the first picture. Until
//! their results are known, the participant gets the smallest layer.

use std::time::{Duration, Instant};

/// The first probes of one transport.
#[derive(Debug, Default)]
pub struct FirstProbes {
    /// When DTLS completed, and when the participant was first subscribed to a track.
    connected: Option<Instant>,
    subscribed: Option<Instant>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// The small ones are next, or their result is not known.
    #[default]
    Small,
    /// The large ones were sent.
    Large(Instant),
    /// The results are known, or are not expected any more.
    Done,
}

impl FirstProbes {
    /// Records that DTLS is complete.
    pub fn connect(&mut self, now: Instant) {
        self.connected = Some(now);
    }

    /// Returns whether DTLS is complete.
    pub fn is_connected(&self) -> bool {
        self.connected.is_some()
    }

    /// Records that there is a track to send.
    pub fn subscribe(&mut self, now: Instant) {
        self.subscribed.get_or_insert(now);
    }

    /// Returns when the stack may send its first probes: as soon as DTLS is complete and there is a track to send. If DTLS was
    /// complete before, the participant must first apply the answer that names the track.
    fn start(&self) -> Option<Instant> {
        let (connected, subscribed) = self.connected.zip(self.subscribed)?;
        Some(if connected >= subscribed { connected } else { subscribed + ANSWER_TIME })
    }

    /// Returns the bits per second that the stack looks for if the participant wants `desired`. Returns `None` before the first
    /// probes may be sent.
    pub fn desired(&mut self, desired: u64, now: Instant) -> Option<u64> {
        let start = self.start().filter(|at| *at <= now)?;
        self.stage = match self.stage {
            Stage::Small if now >= start + SMALL_TIMEOUT => Stage::Done,
            Stage::Large(sent) if now >= sent + LARGE_TIMEOUT => Stage::Done,
            Stage::Small | Stage::Large(_) | Stage::Done => self.stage,
        };
        let joining = now < start + FAST_START_TIME;
        Some(match self.stage {
            Stage::Small => SMALL_RATE / MAX_OVER_DESIRED,
            // The first probes must find room for a large picture, before its tile is known.
            Stage::Large(_) | Stage::Done if joining => desired.max(FAST_START_DESIRED),
            Stage::Large(_) | Stage::Done => desired,
        })
    }

    /// Returns whether the results are not known yet.
    pub fn is_pending(&self) -> bool {
        self.stage != Stage::Done
    }

    /// Records that the capacity of the link is known.
    pub fn finish(&mut self) {
        self.stage = Stage::Done;
    }

    /// Handles the estimate of the stack, without headers, and whether packets are delayed. Returns true if the large probes must
    /// be sent now: the small ones have passed.
    pub fn handle_report(&mut self, estimate: u64, delayed: bool, now: Instant) -> bool {
        let passed = self.stage == Stage::Small && !delayed && estimate >= SMALL_RATE * PASSED_PERCENT / 100;
        if passed {
            self.stage = Stage::Large(now);
        }
        passed
    }
}

/// The rate of the two small probes in bits per second, without headers. Each takes 15 ms, so both have 6.3 kB with headers: 4 kB
/// for the burst of a token bucket, and the rest to measure the link. That fills a link of 300 kbit/s for 60 ms.
const SMALL_RATE: u64 = 1_300_000;

/// The stack probes at no more than this many times what it looks for.
const MAX_OVER_DESIRED: u64 = 2;

/// Percent of that rate at which the small probes have passed. Their packets are small and few, so the result is not exact.
const PASSED_PERCENT: u64 = 70;

/// How long the result of the small probes may take. It may be lost.
const SMALL_TIMEOUT: Duration = Duration::from_millis(400);

/// How long the result of the large probes may take.
const LARGE_TIMEOUT: Duration = Duration::from_millis(300);

/// The bits per second that the first probes look for: one large picture, sound, and some more.
const FAST_START_DESIRED: u64 = 2_500_000;

/// How long after the first probe the estimator looks for that much.
const FAST_START_TIME: Duration = Duration::from_secs(3);

/// How long a participant may take to apply an answer.
const ANSWER_TIME: Duration = Duration::from_millis(80);

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    /// Returns the probes of a participant that is connected and subscribed at `now`.
    fn started(now: Instant) -> FirstProbes {
        let mut probes = FirstProbes::default();
        assert_eq!(probes.desired(5_000_000, now), None, "not connected");
        probes.subscribe(now);
        probes.connect(now);
        probes
    }

    #[test]
    fn large_probes_follow_only_if_the_small_ones_have_passed_without_a_queue() {
        let now = Instant::now();
        let mut probes = started(now);
        assert_eq!(probes.desired(5_000_000, now), Some(650_000));
        assert!(!probes.handle_report(550_000, false, now), "no result yet");
        assert!(!probes.handle_report(1_300_000, true, now), "packets wait in a queue");
        assert!(probes.handle_report(1_290_000, false, now + ms(100)));
        assert_eq!(probes.desired(100_000, now + ms(100)), Some(FAST_START_DESIRED));
        assert!(!probes.handle_report(3_000_000, false, now + ms(200)), "only once");
        assert!(probes.desired(0, now + ms(399)).is_some() && probes.is_pending());
        assert!(probes.desired(0, now + ms(400)).is_some() && !probes.is_pending());
        assert_eq!(probes.desired(100_000, now + FAST_START_TIME), Some(100_000));
    }

    #[test]
    fn small_probes_without_a_result_do_not_hold_the_others_up() {
        let now = Instant::now();
        let mut probes = started(now);
        assert_eq!(probes.desired(5_000_000, now + ms(399)), Some(650_000));
        assert!(probes.is_pending());
        assert_eq!(probes.desired(5_000_000, now + ms(400)), Some(5_000_000));
        assert!(!probes.is_pending() && !probes.handle_report(1_300_000, false, now + ms(410)), "too late");
    }

    #[test]
    fn a_participant_that_was_connected_first_has_time_to_apply_the_answer() {
        let (now, mut probes) = (Instant::now(), FirstProbes::default());
        probes.connect(now);
        probes.subscribe(now + ms(10));
        probes.subscribe(now + ms(50));
        assert_eq!(probes.desired(0, now + ms(89)), None);
        assert_eq!(probes.desired(0, now + ms(90)), Some(650_000));
    }
}

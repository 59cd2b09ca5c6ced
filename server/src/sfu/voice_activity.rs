//! When one participant has spoken, from the voice-activity bits of its packets (RFC 6464). Pure: the caller passes the time.
//!
//! The SFU cannot hear. As in Volfin and Cohen, "Dominant speaker identification for multipoint videoconferencing" (Computer
//! Speech and Language 27, 2013), which Jitsi Videobridge uses, a participant is judged in three windows of different lengths: a
//! word, a sentence, and a turn. The paper compares likelihoods of speech that it computes from levels. The SFU has one bit
//! for each packet instead. Then the likelihood of a window rises with the number of its active intervals, so the numbers are compared.

use std::time::{Duration, Instant};

/// The voice activity of one participant. It takes a few words of memory, and no packet costs an allocation.
#[derive(Clone, Debug)]
pub struct VoiceActivity {
    /// One bit for each [`INTERVAL`], the newest one lowest. Set if the participant spoke when the interval began or later in it.
    intervals: u64,
    /// One bit for each block of [`BLOCK_INTERVALS`] intervals, the newest one lowest. Set if it spoke in half of the intervals.
    blocks: u64,
    /// The intervals of the newest block, and those of them with speech.
    block: (u32, u32),
    /// When the newest interval began. It is not in `intervals` yet.
    interval_start: Instant,
    /// Until when the speech lasts that the packets have announced.
    speaks_until: Instant,
    /// When the last packet arrived.
    last_packet: Instant,
    /// When it last began to speak, after a block in which it spoke less than half of the time.
    speaks_since: Instant,
}

/// How much of each window is speech.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scores {
    /// The intervals of 20 ms with speech in the last 320 ms, at most 16.
    pub short: u32,
    /// The eighths of the last 1.28 s that are speech, at most 8.
    pub medium: u32,
    /// The fifths of a second of the last 12.8 s that are speech, at most 64.
    pub long: u32,
}

impl VoiceActivity {
    /// Returns the activity of a participant that has not spoken.
    pub fn new(now: Instant) -> Self {
        let (interval_start, speaks_until, last_packet, speaks_since) = (now, now, now, now);
        Self { intervals: 0, blocks: 0, block: (0, 0), interval_start, speaks_until, last_packet, speaks_since }
    }

    /// Handles a packet of sound. `voice` is true if its sender says that it contains speech. How many packets a participant
    /// sends makes no difference.
    pub fn handle_packet(&mut self, voice: bool, now: Instant) {
        self.advance(now);
        self.last_packet = now;
        self.speaks_until = if voice { now + PACKET_LENGTH } else { self.speaks_until.min(now) };
    }

    /// Returns the scores at `now`.
    pub fn scores(&mut self, now: Instant) -> Scores {
        self.advance(now);
        let eighths = (0..8).filter(|eighth| (self.intervals >> (8 * eighth) & 0xff).count_ones() >= 4).count();
        Scores {
            short: (self.intervals & 0xffff).count_ones(),
            medium: u32::try_from(eighths).unwrap_or(0),
            long: self.blocks.count_ones(),
        }
    }

    /// Returns how long it has not spoken. Zero while it speaks.
    pub fn silence(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.speaks_until)
    }

    /// Returns how long it has sent nothing.
    pub fn pause(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last_packet)
    }

    /// Returns whether its bit has been set for longer than anybody speaks without a breath. Its detector
    /// takes noise for speech, or the client sets the bit falsely.
    pub fn is_endless(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.speaks_since) >= MAX_BREATH
    }

    /// Moves the windows to `now`.
    fn advance(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.interval_start).as_millis() / INTERVAL.as_millis();
        if elapsed > FORGOTTEN_INTERVALS {
            // Nothing of what it said is in a window any more.
            let Self { speaks_until, last_packet, .. } = *self;
            *self = Self { speaks_until, last_packet, ..Self::new(now) };
            return;
        }
        for _ in 0..elapsed {
            let speaks = self.interval_start < self.speaks_until;
            self.intervals = self.intervals << 1 | u64::from(speaks);
            self.interval_start += INTERVAL;
            self.block = (self.block.0 + 1, self.block.1 + u32::from(speaks));
            if self.block.0 == BLOCK_INTERVALS {
                let speech = self.block.1 * 2 >= BLOCK_INTERVALS;
                self.blocks = self.blocks << 1 | u64::from(speech);
                self.block = (0, 0);
                if !speech {
                    self.speaks_since = self.interval_start;
                }
            }
        }
    }
}

/// The length of an interval: that of a packet of Opus.
const INTERVAL: Duration = Duration::from_millis(20);

/// The intervals of a block.
const BLOCK_INTERVALS: u32 = 10;

/// How long a packet with the bit counts if no packet follows: as long as the longest packet of our clients, and some jitter.
const PACKET_LENGTH: Duration = Duration::from_millis(80);

/// After this number of intervals without a packet, nothing of the longest window is left.
const FORGOTTEN_INTERVALS: u128 = 64 * BLOCK_INTERVALS as u128 + 16;

/// Nobody speaks for this long without a pause of a fifth of a second.
const MAX_BREATH: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// Sends a packet each 20 ms of `length` milliseconds. Returns the time after them.
    fn speak(activity: &mut VoiceActivity, start: Instant, length: u64) -> Instant {
        (0..length / 20).for_each(|packet| activity.handle_packet(true, start + ms(packet * 20)));
        start + ms(length)
    }

    #[test]
    fn each_window_shows_how_much_of_it_is_speech() {
        let start = Instant::now();
        let mut activity = VoiceActivity::new(start);
        assert_eq!(activity.scores(start), Scores::default());
        let now = speak(&mut activity, start, 160);
        assert_eq!(activity.scores(now), Scores { short: 8, medium: 1, long: 0 });
        let now = speak(&mut activity, now, 1_840);
        assert_eq!(activity.scores(now), Scores { short: 16, medium: 8, long: 10 });
        activity.handle_packet(false, now);
        assert_eq!(activity.scores(now + ms(320)), Scores { short: 0, medium: 6, long: 10 });
        assert_eq!((activity.silence(now + ms(320)), activity.pause(now + ms(320))), (ms(320), ms(320)));
        assert_eq!(activity.scores(now + ms(14_000)), Scores::default());
    }

    #[test]
    fn speech_ends_soon_after_the_last_packet_and_lost_packets_do_not_end_it() {
        let start = Instant::now();
        let mut activity = VoiceActivity::new(start);
        for packet in (0..16).filter(|packet| packet % 4 != 1) {
            activity.handle_packet(true, start + ms(packet * 20));
        }
        assert_eq!(activity.scores(start + ms(320)).short, 16);
        assert_eq!(activity.silence(start + ms(320)), ms(0), "its packets may be long");
        assert_eq!(activity.silence(start + ms(480)), ms(100));
    }

    #[test]
    fn more_packets_are_not_more_speech() {
        let start = Instant::now();
        let (mut flooder, mut speaker) = (VoiceActivity::new(start), VoiceActivity::new(start));
        // With pauses, so that no window is full.
        for time in (0..2_000).step_by(200).map(|time| start + ms(time)) {
            (0..10).for_each(|_| flooder.handle_packet(true, time));
            speaker.handle_packet(true, time);
        }
        let now = start + ms(2_000);
        let scores = speaker.scores(now);
        assert!(scores.short > 0 && scores.short < 16 && scores.medium < 8, "{scores:?}");
        assert_eq!(flooder.scores(now), scores);
    }

    #[test]
    fn a_bit_that_is_always_set_is_found_and_a_breath_ends_the_suspicion() {
        let start = Instant::now();
        let mut activity = VoiceActivity::new(start);
        let now = speak(&mut activity, start, 59_000);
        assert!(!activity.is_endless(now));
        let now = speak(&mut activity, now, 2_000);
        assert!(activity.is_endless(now));
        activity.handle_packet(false, now);
        let now = speak(&mut activity, now + ms(400), 1_000);
        assert!(!activity.is_endless(now));
    }
}

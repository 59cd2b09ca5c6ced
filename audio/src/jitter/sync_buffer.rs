//! The decoded sound of a jitter buffer: what waits to be played, and a little of what was played. Pure.

use super::stretch;
use crate::{BLOCK, Block, PACKET};

/// Decoded samples in the order in which they are played.
pub struct SyncBuffer {
    /// Played samples, at most [`stretch::MAX_PERIOD`], then those that wait.
    samples: Vec<f32>,
    /// The number of played samples in `samples`.
    played: usize,
    /// The end of the last concealed sound in `samples`, or 0.
    concealed_until: usize,
    /// Samples to play before the sound may be stretched again.
    stretch_pause: usize,
}

/// How much slower or faster sound may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// By one period of at most 15 ms in each 60 ms.
    Slight,
    /// Twice as long or half as long at most.
    Urgent,
}

impl SyncBuffer {
    /// Returns an empty buffer.
    pub fn new() -> Self {
        Self { samples: Vec::with_capacity(CAPACITY), played: 0, concealed_until: 0, stretch_pause: 0 }
    }

    /// Returns the number of samples that wait.
    pub fn len(&self) -> usize {
        self.samples.len() - self.played
    }

    /// Adds samples. Those that are not finite become 0.
    pub fn append(&mut self, frame: &[f32]) {
        self.samples.extend(frame.iter().map(|sample| if sample.is_finite() { *sample } else { 0.0 }));
    }

    /// Adds samples that replace missing sound.
    pub fn append_concealed(&mut self, frame: &[f32]) {
        self.append(frame);
        self.concealed_until = self.samples.len();
    }

    /// Adds a frame that was late, after concealed sound. Of the concealed sound that waits, drops what is not needed to fade into the
    /// frame where both are most similar. Returns the number of dropped samples.
    pub fn merge(&mut self, frame: &[f32]) -> usize {
        let waiting = self.len();
        if self.concealed_until < self.samples.len() || !(OVERLAP..=BLOCK).contains(&waiting) {
            self.append(frame);
            return 0;
        }
        let (start, next) = (self.played, &frame[..OVERLAP]);
        let scored = (0..=waiting - OVERLAP).map(|at| {
            let concealed = &self.samples[start + at..start + at + OVERLAP];
            (at, stretch::correlation((concealed, next), 1))
        });
        let at = scored.rev().max_by(|(_, one), (_, other)| one.total_cmp(other)).map_or(0, |(at, _)| at);
        for (index, sample) in next.iter().enumerate() {
            let concealed = &mut self.samples[start + at + index];
            *concealed = stretch::fade(*concealed, *sample, index, OVERLAP);
        }
        self.samples.truncate(start + at + OVERLAP);
        // Most of the overlap is received.
        self.concealed_until = start + at;
        self.append(&frame[OVERLAP..]);
        waiting - at
    }

    /// Drops the samples that wait, and adds a block of silence.
    pub fn restart(&mut self) {
        self.samples.truncate(self.played);
        self.concealed_until = self.concealed_until.min(self.played);
        self.samples.resize(self.played + BLOCK, 0.0);
    }

    /// Takes the next block. The caller ensures that [`SyncBuffer::len`] is at least [`BLOCK`].
    pub fn take(&mut self, block: &mut Block) {
        block.copy_from_slice(&self.samples[self.played..self.played + BLOCK]);
        self.played += BLOCK;
        let old = self.played.saturating_sub(stretch::MAX_PERIOD);
        self.samples.drain(..old);
        self.played -= old;
        self.concealed_until = self.concealed_until.saturating_sub(old);
        self.stretch_pause = self.stretch_pause.saturating_sub(BLOCK);
    }

    /// Returns true if the sound may be stretched again.
    pub fn can_stretch(&self) -> bool {
        self.stretch_pause == 0
    }

    /// Removes one period of the sound that waits. Returns the number of removed samples, or `None` if no period was found.
    pub fn shorten(&mut self, pace: Pace, min_similarity: f32) -> Option<usize> {
        let period = stretch::shorten(&mut self.samples, self.played, min_similarity)?;
        self.stretch_pause = match pace {
            Pace::Slight => STRETCH_PAUSE,
            Pace::Urgent => 0,
        };
        Some(period)
    }

    /// Repeats one period of received sound, not of concealed sound. Returns the number of added samples, or `None` if no period was
    /// found.
    pub fn lengthen(&mut self, pace: Pace, min_similarity: f32) -> Option<usize> {
        let min_period = match pace {
            Pace::Slight => stretch::MIN_PERIOD,
            Pace::Urgent => URGENT_PERIOD,
        };
        // The period before `front` is repeated.
        let after_concealed = if self.concealed_until == 0 { 0 } else { self.concealed_until + BLOCK };
        let front = self.played.max(after_concealed).min(self.samples.len());
        let oldest = self.concealed_until;
        let period = stretch::lengthen(&mut self.samples, oldest..front, min_period, min_similarity)?;
        self.stretch_pause = match pace {
            Pace::Slight => STRETCH_PAUSE,
            // The added period and the one that it repeats.
            Pace::Urgent => 2 * period,
        };
        Some(period)
    }
}

/// Room for what was played, a block that is not complete, and three packets.
const CAPACITY: usize = stretch::MAX_PERIOD + 4 * PACKET;

/// The length in samples of the fade from concealed sound to the late packet: 2.5 ms.
const OVERLAP: usize = 120;

/// Samples from one slight stretch to the next: 60 ms.
const STRETCH_PAUSE: usize = 2_880;

/// The shortest repetition in samples if it is urgent: 7.5 ms. Blocks of 10 ms are stretched once, so shorter ones gain less time.
const URGENT_PERIOD: usize = 360;

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(from: usize, length: usize) -> Vec<f32> {
        (from..from + length).map(|index| (index as f32 * std::f32::consts::TAU / 240.0).sin() * 0.5).collect()
    }

    /// Returns what is played, block by block.
    fn drain(buffer: &mut SyncBuffer) -> Vec<f32> {
        let mut played = Vec::new();
        while buffer.len() >= BLOCK {
            let mut block = crate::SILENCE;
            buffer.take(&mut block);
            played.extend_from_slice(&block);
        }
        played
    }

    fn largest_step(sound: &[f32]) -> f32 {
        sound.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn a_late_frame_follows_concealed_sound_in_phase_and_the_rest_of_it_is_dropped() {
        for shift in [0, 60, 119, 200] {
            let mut buffer = SyncBuffer::new();
            buffer.append(&tone(0, 600));
            buffer.append_concealed(&tone(600, BLOCK));
            drain(&mut buffer);
            assert_eq!(buffer.len(), 120);
            buffer.append_concealed(&tone(1_080, 360));
            let dropped = buffer.merge(&tone(shift, PACKET));
            assert!((120..=480).contains(&dropped), "{dropped}");
            assert_eq!(buffer.len(), 480 + PACKET - dropped);
            let steps = largest_step(&drain(&mut buffer));
            assert!(steps < 0.5 * std::f32::consts::TAU / 240.0 * 1.1, "shift {shift}: a step of {steps}");
        }
    }

    #[test]
    fn only_received_sound_is_repeated() {
        let mut buffer = SyncBuffer::new();
        buffer.append_concealed(&tone(0, BLOCK));
        drain(&mut buffer);
        buffer.append_concealed(&tone(480, BLOCK));
        assert_eq!(buffer.lengthen(Pace::Urgent, stretch::ANY), None);
        buffer.append(&tone(960, PACKET));
        let added = buffer.lengthen(Pace::Urgent, stretch::SIMILAR).unwrap();
        assert_eq!((added % 240, buffer.len()), (0, BLOCK + PACKET + added));
        assert!(!buffer.can_stretch());
        assert!(largest_step(&drain(&mut buffer)) < 0.02);
    }

    #[test]
    fn urgent_sound_is_at_most_twice_as_long() {
        let mut buffer = SyncBuffer::new();
        let (mut received, mut played) = (0, 0);
        for _ in 0..200 {
            while buffer.len() < BLOCK {
                buffer.append(&tone(received, PACKET));
                received += PACKET;
            }
            if buffer.can_stretch() {
                buffer.lengthen(Pace::Urgent, stretch::SIMILAR);
            }
            buffer.take(&mut crate::SILENCE.clone());
            played += BLOCK;
        }
        let ratio = played as f32 / received as f32;
        assert!((1.5..=2.0).contains(&ratio), "{ratio}");
    }
}

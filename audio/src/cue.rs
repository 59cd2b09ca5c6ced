//! A short sound that says that somebody asks to join: two soft tones, one after the other. It is computed block by block, so it needs
//! no file and no memory.

use crate::{Block, SAMPLE_RATE};
use std::f32::consts::TAU;

/// The sound, and how much of it was played.
#[derive(Default)]
pub struct Cue {
    /// The next sample.
    position: u16,
}

impl Cue {
    /// Adds the next block of the sound to `mix`. Returns false after the last one.
    pub fn add(&mut self, mix: &mut Block) -> bool {
        for sample in mix {
            if self.position >= 2 * TONE {
                return false;
            }
            *sample += sample_at(self.position);
            self.position += 1;
        }
        true
    }
}

/// Returns a sample. Each tone begins and ends at zero, so that nothing clicks.
fn sample_at(position: u16) -> f32 {
    let (tone, within) = (usize::from(position / TONE), position % TONE);
    let frequency = FREQUENCIES[tone.min(1)];
    let edge = f32::from(within.min(TONE - 1 - within)) / f32::from(FADE);
    let gain = LEVEL * edge.min(1.0);
    let turns = frequency * f32::from(within) / f32::from(RATE);
    gain * (TAU * turns.fract()).sin()
}

/// The frequencies of the tones, in hertz.
const FREQUENCIES: [f32; 2] = [660.0, 880.0];

/// The amplitude: -20 dBFS, softer than speech.
const LEVEL: f32 = 0.1;

/// Samples of a tone: 100 ms.
const TONE: u16 = RATE / 10;

/// Samples in which a tone becomes louder, and softer: 10 ms.
const FADE: u16 = RATE / 100;

/// Samples per second.
const RATE: u16 = 48_000;

const _: () = assert!(RATE as u32 == SAMPLE_RATE, "the devices have this rate");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SILENCE;

    #[test]
    fn it_lasts_a_fifth_of_a_second_is_soft_and_does_not_click() {
        let (mut cue, mut samples) = (Cue::default(), Vec::new());
        let goes_on = (0..21).map(|_| {
            let mut block = SILENCE;
            let goes_on = cue.add(&mut block);
            samples.extend(block);
            goes_on
        });
        let goes_on: Vec<_> = goes_on.collect();
        assert_eq!(goes_on.iter().filter(|goes_on| **goes_on).count(), 20, "20 blocks of 10 ms");
        let loudest = samples.iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
        assert!((0.09..=0.1001).contains(&loudest), "{loudest}");
        let jump = samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        assert!(jump < 0.012, "a sine of 880 Hz has steps of at most 0.0116, not {jump}");
    }
}

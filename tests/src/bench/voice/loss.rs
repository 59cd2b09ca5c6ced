//! Which packets a simulated network loses.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fmt;

/// A pattern of losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossPattern {
    /// Each packet is lost with this probability in percent.
    Random(u8),
    /// Packets are lost in runs. All lengths from `min` to `max` have the same probability.
    Bursts {
        /// The lost share of all packets in percent.
        percent: u8,
        /// The shortest run.
        min: u8,
        /// The longest run.
        max: u8,
    },
}

impl fmt::Display for LossPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random(percent) => write!(f, "{percent} % loss"),
            Self::Bursts { percent, min, max } => write!(f, "{percent} % in runs of {min} to {max}"),
        }
    }
}

/// Decides which packets are lost, in the order in which they are sent.
pub struct Losses {
    pattern: LossPattern,
    random: ChaCha8Rng,
    /// The number of packets that the current run will still lose.
    left: u8,
}

impl Losses {
    /// Returns the losses of `pattern` that belong to `seed`.
    pub fn new(pattern: LossPattern, seed: u64) -> Self {
        Self { pattern, random: ChaCha8Rng::seed_from_u64(seed), left: 0 }
    }

    /// Returns true if the next packet is lost.
    pub fn next(&mut self) -> bool {
        match self.pattern {
            LossPattern::Random(percent) => self.random.random_bool(f64::from(percent) / 100.0),
            LossPattern::Bursts { percent, min, max } => {
                let (share, mean) = (f64::from(percent) / 100.0, f64::midpoint(min.into(), max.into()));
                if self.left == 0 && self.random.random_bool(share / (mean * (1.0 - share))) {
                    self.left = self.random.random_range(min..=max);
                }
                let lost = self.left > 0;
                self.left = self.left.saturating_sub(1);
                lost
            }
        }
    }

    /// Returns a number in 0.0..1.0.
    pub fn share(&mut self) -> f64 {
        self.random.random()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_packets_are_lost_as_the_pattern_says() {
        for (pattern, expected) in [
            (LossPattern::Random(10), 10.0),
            (LossPattern::Random(0), 0.0),
            (LossPattern::Bursts { percent: 5, min: 3, max: 8 }, 5.0),
        ] {
            let mut losses = Losses::new(pattern, 1);
            let lost = (0..100_000).filter(|_| losses.next()).count();
            let percent = f64::from(u32::try_from(lost).unwrap()) / 1_000.0;
            assert!((percent - expected).abs() < 0.5, "{pattern}: {percent} %");
        }
    }
}

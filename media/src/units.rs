//! Types for quantities, used instead of bare numbers in the interfaces of all crates.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// A bitrate in bits per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bitrate(u64);

impl Bitrate {
    /// 0 bit/s.
    pub const ZERO: Self = Self(0);

    /// Returns a bitrate from bits per second.
    #[must_use]
    pub const fn bps(bits: u64) -> Self {
        Self(bits)
    }

    /// Returns a bitrate from kilobits (1,000 bits) per second.
    #[must_use]
    pub const fn kbps(kilobits: u64) -> Self {
        Self(kilobits * 1_000)
    }

    /// Returns the bits per second.
    #[must_use]
    pub const fn as_bps(self) -> u64 {
        self.0
    }

    /// Subtracts `other`. The result is never below zero.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for Bitrate {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::iter::Sum for Bitrate {
    fn sum<I: Iterator<Item = Self>>(rates: I) -> Self {
        rates.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Bitrate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} kbit/s", self.0 / 1_000)
    }
}

/// A picture's width and height in luma samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size {
    /// Luma samples per row.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Size {
    /// Returns a size of `width` by `height` luma samples.
    #[must_use]
    pub const fn new(width: u16, height: u16) -> Self {
        Self { width, height }
    }

    /// Returns the number of luma samples in the picture.
    #[must_use]
    pub const fn area(self) -> u32 {
        self.width as u32 * self.height as u32
    }

    /// Returns the size of a 4:2:0 chroma plane: half, rounded up.
    #[must_use]
    pub const fn chroma(self) -> Self {
        Self::new(self.width.div_ceil(2), self.height.div_ceil(2))
    }

    /// Returns true if the width or the height is zero.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// Frames per second as a fraction, so that 30000/1001 stays exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameRate {
    numerator: u32,
    denominator: u32,
}

impl FrameRate {
    /// 30 frames per second.
    pub const THIRTY: Self = Self { numerator: 30, denominator: 1 };

    /// Returns a rate of `numerator / denominator` frames per second, or `None` if it is not in 1..=240.
    #[must_use]
    pub fn new(numerator: u32, denominator: u32) -> Option<Self> {
        let valid = denominator > 0 && numerator >= denominator && u64::from(numerator) <= 240 * u64::from(denominator);
        valid.then_some(Self { numerator, denominator })
    }

    /// Returns the numerator of the fraction.
    #[must_use]
    pub const fn numerator(self) -> u32 {
        self.numerator
    }

    /// Returns the denominator of the fraction.
    #[must_use]
    pub const fn denominator(self) -> u32 {
        self.denominator
    }

    /// Returns the frames per second.
    #[must_use]
    pub fn as_f32(self) -> f32 {
        #[expect(clippy::cast_possible_truncation, reason = "at most 240 by construction")]
        let rate = (f64::from(self.numerator) / f64::from(self.denominator)) as f32;
        rate
    }

    /// Returns the time from frame 0 to frame `number`. Rounding errors do not accumulate.
    #[must_use]
    pub fn due(self, number: u64) -> Duration {
        let nanos = u128::from(number) * u128::from(self.denominator) * 1_000_000_000 / u128::from(self.numerator);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// Microseconds of the system's monotonic clock. They can be compared only between processes of one machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Returns a timestamp from microseconds.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Returns the microseconds.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Returns the time since `earlier`, or zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, time: Duration) -> Self {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros))
    }
}

impl Sub for Timestamp {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

/// An audio level in -dBov (RFC 6464): 0 is the loudest, 127 is silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(u8);

impl Level {
    /// Digital silence.
    pub const SILENCE: Self = Self(127);

    /// Returns a level from -dBov. Values above 127 become 127.
    #[must_use]
    pub const fn new(minus_dbov: u8) -> Self {
        Self(if minus_dbov > 127 { 127 } else { minus_dbov })
    }

    /// Returns the root-mean-square level of samples in -1.0..=1.0, relative to full scale.
    #[must_use]
    pub fn of(samples: &[f32]) -> Self {
        let energy: f32 = samples.iter().map(|sample| sample * sample).sum();
        if samples.is_empty() || energy <= f32::MIN_POSITIVE {
            return Self::SILENCE;
        }
        #[expect(clippy::cast_precision_loss, reason = "a block of audio is short")]
        let mean = energy / samples.len() as f32;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=127")]
        let level = (-10.0 * mean.log10()).clamp(0.0, 127.0).round() as u8;
        Self(level)
    }

    /// Returns the level in -dBov, 0..=127.
    #[must_use]
    pub const fn minus_dbov(self) -> u8 {
        self.0
    }
}

impl Default for Level {
    fn default() -> Self {
        Self::SILENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ntsc_frame_rate_does_not_drift() {
        let rate = FrameRate::new(30_000, 1_001).unwrap();
        assert_eq!(rate.due(30_000), Duration::from_secs(1_001));
        assert_eq!(FrameRate::new(1, 0), None);
        assert_eq!(FrameRate::new(241, 1), None);
    }

    #[test]
    fn level_follows_rfc_6464() {
        assert_eq!(Level::of(&[1.0; 480]).minus_dbov(), 0);
        assert_eq!(Level::of(&[0.1; 480]).minus_dbov(), 20);
        assert_eq!(Level::of(&[0.0; 480]), Level::SILENCE);
        assert_eq!(Level::of(&[]), Level::SILENCE);
    }

    #[test]
    fn chroma_of_odd_sizes_is_rounded_up() {
        assert_eq!(Size::new(7, 9).chroma(), Size::new(4, 5));
    }
}

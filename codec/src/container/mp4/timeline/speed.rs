//! Converts between ticks of the movie, ticks of a track and time, at a speed.

use std::time::Duration;

/// A positive speed, as 16.16 fixed point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Speed(pub(super) u32);

/// Ticks per second.
#[derive(Clone, Copy, Debug)]
pub struct Scales {
    pub movie: u32,
    pub track: u32,
}

impl Speed {
    pub const NORMAL: Self = Self(1 << 16);

    /// Returns the speed as a fraction of two numbers.
    pub fn fraction(self) -> (u32, u32) {
        (self.0, Self::NORMAL.0)
    }

    /// Returns how long `ticks` of the media take at this speed, at `scale` ticks per second.
    pub(super) fn duration(self, ticks: i64, scale: u32) -> Duration {
        let ticks = u128::from(ticks.max(0).unsigned_abs()) * u128::from(Self::NORMAL.0);
        let micros = ticks * 1_000_000 / (u128::from(scale.max(1)) * u128::from(self.0.max(1)));
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// Returns the ticks of the media that are shown in `duration` ticks of the movie at this speed.
    pub(super) fn ticks(self, duration: u64, scales: Scales) -> i64 {
        let ticks = u128::from(duration) * u128::from(scales.track) * u128::from(self.0);
        let ticks = ticks / (u128::from(scales.movie.max(1)) * u128::from(Self::NORMAL.0));
        i64::try_from(ticks).unwrap_or(i64::MAX)
    }
}

//! The scale of level meters.

/// Maps a level to 0.0..=1.0, linear in decibels: -60 dBov and less is 0.0, 0 dBov is 1.0.
pub fn linear(level: media::Level) -> f32 {
    1.0 - f32::from(level.minus_dbov().min(60)) / 60.0
}

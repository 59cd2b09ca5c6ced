//! Computes when the samples of a track were captured, by the clock of its sender.

use media::Timestamp;

/// The capture time of a sample, by the clock of its sender.
#[derive(Clone, Copy, Debug)]
pub struct CaptureTime {
    /// The position of the sample.
    pub position: u64,
    /// When it was captured.
    pub captured: Timestamp,
}

impl CaptureTime {
    /// Returns when the sample at `position` was captured, or `None` if that is more than a second away.
    pub fn at(self, position: u64) -> Option<Timestamp> {
        let distance = position.wrapping_sub(self.position).cast_signed();
        let near = distance.unsigned_abs() < MAX_DISTANCE;
        near.then(|| {
            Timestamp::from_micros(self.captured.as_micros().wrapping_add_signed(distance * 1_000 / SAMPLES_PER_MS))
        })
    }
}

/// One second in samples.
const MAX_DISTANCE: u64 = 48_000;

/// Samples in a millisecond.
const SAMPLES_PER_MS: i64 = 48;

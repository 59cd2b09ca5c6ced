//! Conversions between samples at 48 kHz and time.

/// Returns the duration of `count` samples in microseconds.
pub fn samples_to_micros(count: u64) -> i64 {
    i64::try_from(count.saturating_mul(125) / 6).unwrap_or(i64::MAX)
}

/// Returns the number of samples in `micros`, or 0 if `micros` is negative.
pub fn micros_to_samples(micros: i64) -> u64 {
    u64::try_from(micros.max(0)).unwrap_or(0).saturating_mul(6) / 125
}

/// Returns the duration of `samples` in milliseconds.
pub fn samples_to_millis(samples: u64) -> u64 {
    samples / 48
}

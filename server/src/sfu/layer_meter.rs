//! Measures the bitrates of one spatial layer and of its temporal layers, with the headers of their packets. Pure: the
//! caller passes the time.

use super::allocator::LayerBitrates;
use super::bitrate_meter::BitrateMeter;
use std::time::Instant;

/// The measured bitrates of a spatial layer. Key frames are not measured, because they are rare and much larger than the
/// average.
#[derive(Debug)]
pub struct LayerMeter {
    temporal: [BitrateMeter; TEMPORAL_LAYERS],
    /// The part of the bitrate that each temporal layer takes together with those below it.
    shares: [f64; TEMPORAL_LAYERS],
    /// The measured bitrate, divided by the expected one. At least 1.
    excess: f64,
}

impl Default for LayerMeter {
    fn default() -> Self {
        Self { temporal: Default::default(), shares: USUAL_SHARES, excess: 1.0 }
    }
}

impl LayerMeter {
    /// Adds the payload of a packet that is not part of a key frame.
    pub fn add(&mut self, temporal: u8, bytes: usize, now: Instant) {
        if let Some(meter) = self.temporal.get_mut(usize::from(temporal)) {
            meter.add(bytes + HEADER_BYTES, now);
        }
    }

    /// Returns the bits per second of all temporal layers.
    pub fn rate(&self, now: Instant) -> u64 {
        self.temporal.iter().map(|meter| meter.rate(now)).sum()
    }

    /// Compares what arrives with `expected` bits per second, the limit that the sender has for `temporal_layers` temporal
    /// layers. Called every 100 ms.
    pub fn update(&mut self, expected: u64, temporal_layers: u8, now: Instant) {
        let rates = self.temporal.each_ref().map(|meter| meter.rate(now));
        let total: u64 = rates.iter().sum();
        if total == 0 || expected == 0 {
            return;
        }
        self.excess = approach(self.excess, (as_f64(total) / as_f64(expected)).clamp(1.0, MAX_EXCESS));
        if usize::from(temporal_layers) == TEMPORAL_LAYERS && rates.iter().all(|rate| *rate > 0) {
            let mut sum = 0;
            for (share, rate) in self.shares.iter_mut().zip(rates) {
                sum += rate;
                *share = approach(*share, as_f64(sum) / as_f64(total));
            }
        }
    }

    /// Returns the limit with which a sender sends `real` bits per second.
    pub fn limit_for(&self, real: u64) -> u64 {
        rounded(as_f64(real) / self.excess)
    }

    /// Returns the bitrates to expect of a sender whose limit is `min` or `max` bits per second.
    pub fn expect(&self, min: u64, max: u64) -> LayerBitrates {
        let real = |limit: u64| rounded(as_f64(limit) * self.excess);
        let [low, middle, _] = self.shares.map(|share| rounded(share * 100.0));
        LayerBitrates { min: real(min), max: real(max.max(min)), temporal_percent: [low, middle, 100] }
    }
}

/// Moves a value towards a new one, so that one half-second with an unusual picture changes little.
fn approach(value: f64, new: f64) -> f64 {
    value + (new - value) / 8.0
}

#[expect(clippy::cast_precision_loss, reason = "bitrates are far below 2^52")]
fn as_f64(rate: u64) -> f64 {
    rate as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive bitrate or percentage")]
fn rounded(value: f64) -> u64 {
    value.round() as u64
}

/// Bytes of the headers of IP, UDP and RTP with its extensions, and of the authentication tag.
pub const HEADER_BYTES: usize = 76;

const TEMPORAL_LAYERS: usize = 3;

/// The parts as encoders divide a bitrate, before any is measured.
const USUAL_SHARES: [f64; TEMPORAL_LAYERS] = [0.5, 0.7, 1.0];

/// The maximum of [`LayerMeter::excess`], for a sender that ignores its limit.
const MAX_EXCESS: f64 = 5.0;

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Returns a meter after ten seconds of these bytes in each tenth of a second.
    fn measured(bytes: [usize; 3], expected: u64, temporal_layers: u8) -> (LayerMeter, Instant) {
        let (mut meter, start) = (LayerMeter::default(), Instant::now());
        let mut now = start;
        for tenth in 0..100 {
            now = start + Duration::from_millis(100) * tenth;
            for (temporal, bytes) in (0_u8..).zip(bytes).take(usize::from(temporal_layers)) {
                meter.add(temporal, bytes - HEADER_BYTES, now);
            }
            meter.update(expected, temporal_layers, now);
        }
        (meter, now)
    }

    #[test]
    fn the_parts_of_the_temporal_layers_are_the_usual_ones_until_they_are_measured() {
        assert_eq!(LayerMeter::default().expect(100, 200).temporal_percent, [50, 70, 100]);
        let (meter, now) = measured([1_000, 2_000, 1_000], 320_000, 3);
        assert_eq!(meter.expect(100, 200), LayerBitrates { min: 100, max: 200, temporal_percent: [25, 75, 100] });
        assert_eq!(meter.rate(now), 320_000);
        let (meter, _) = measured([1_000, 2_000, HEADER_BYTES], 240_000, 2);
        assert_eq!(meter.expect(100, 200).temporal_percent, [50, 70, 100], "one was not asked for");
    }

    #[test]
    fn a_sender_that_ignores_a_limit_is_expected_to_ignore_the_next_one() {
        let (meter, _) = measured([1_000, 2_000, 1_000], 160_000, 3);
        assert_eq!((meter.expect(100, 200).min, meter.expect(100, 200).max), (200, 400));
        let (meter, _) = measured([1_000, 2_000, 1_000], 640_000, 3);
        assert_eq!(meter.expect(100, 200).min, 100, "a still picture may move the next moment");
        let (meter, _) = measured([1_000, 2_000, 1_000], 1_000, 3);
        assert_eq!((meter.expect(100, 200).min, meter.limit_for(500)), (500, 100));
    }
}

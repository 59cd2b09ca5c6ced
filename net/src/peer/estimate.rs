//! The stack's bandwidth estimator, with a window to look in.

use media::Bitrate;
use rtc::interceptor::{BandwidthEstimator, Gcc, PacketReport};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// What the path is thought to carry.
#[derive(Clone, Debug)]
pub struct Estimate {
    bits: Arc<AtomicU64>,
}

impl Estimate {
    /// Bits a second.
    pub fn bitrate(&self) -> Bitrate {
        Bitrate::bps(self.bits.load(Ordering::Relaxed))
    }
}

/// Google's congestion control, as the stack implements it. It starts at the rate of a full-size camera, because it grows slowly.
pub struct Estimator {
    inner: Gcc,
    seen: Estimate,
}

impl Estimator {
    /// An estimator, and where its estimate can be read.
    pub fn new() -> (Self, Estimate) {
        let seen = Estimate { bits: Arc::new(AtomicU64::new(FIRST.as_bps())) };
        #[expect(clippy::cast_precision_loss, reason = "bit rates are far below 2^52")]
        let bits = |rate: Bitrate| rate.as_bps() as f64;
        (Self { inner: Gcc::new(bits(FIRST), bits(MIN_ESTIMATE), bits(MAX_ESTIMATE)), seen: seen.clone() }, seen)
    }

    fn publish(&self) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "kept between MIN_ESTIMATE and MAX_ESTIMATE"
        )]
        let bits = self.inner.target_bitrate() as u64;
        self.seen.bits.store(bits, Ordering::Relaxed);
    }
}

impl BandwidthEstimator for Estimator {
    fn on_reports(&mut self, now: Instant, reports: &[PacketReport]) {
        self.inner.on_reports(now, reports);
        self.publish();
    }

    fn target_bitrate(&self) -> f64 {
        self.inner.target_bitrate()
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.inner.handle_timeout(now);
        self.publish();
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.inner.poll_timeout()
    }
}

/// Where it begins: three layers of a camera and a voice.
const FIRST: Bitrate = Bitrate::kbps(4_000);

/// Below this there is no picture at all.
const MIN_ESTIMATE: Bitrate = Bitrate::kbps(100);

/// Camera and screen at their best.
const MAX_ESTIMATE: Bitrate = Bitrate::kbps(20_000);

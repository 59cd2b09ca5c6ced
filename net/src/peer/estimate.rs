//! The stack's bandwidth estimator, whose estimate can be read from other threads.

use media::Bitrate;
use rtc::interceptor::{BandwidthEstimator, Gcc, PacketReport};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// The estimated capacity of the path. Clones share it.
#[derive(Clone, Debug)]
pub struct Estimate {
    bits: Arc<AtomicU64>,
}

impl Estimate {
    /// Returns the estimate.
    pub fn bitrate(&self) -> Bitrate {
        Bitrate::bps(self.bits.load(Ordering::Relaxed))
    }
}

/// Google congestion control (GCC), as the stack implements it. It starts at the bitrate of a full-size camera, because
/// it grows slowly.
pub struct Estimator {
    inner: Gcc,
    published: Estimate,
}

impl Estimator {
    /// Returns an estimator, and its estimate.
    pub fn new() -> (Self, Estimate) {
        let published = Estimate { bits: Arc::new(AtomicU64::new(INITIAL_ESTIMATE.as_bps())) };
        #[expect(clippy::cast_precision_loss, reason = "bit rates are far below 2^52")]
        let bits = |rate: Bitrate| rate.as_bps() as f64;
        (
            Self {
                inner: Gcc::new(bits(INITIAL_ESTIMATE), bits(MIN_ESTIMATE), bits(MAX_ESTIMATE)),
                published: published.clone(),
            },
            published,
        )
    }

    fn publish(&self) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "kept between MIN_ESTIMATE and MAX_ESTIMATE"
        )]
        let bits = self.inner.target_bitrate() as u64;
        self.published.bits.store(bits, Ordering::Relaxed);
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

/// The first estimate: three layers of a camera, and audio.
const INITIAL_ESTIMATE: Bitrate = Bitrate::kbps(4_000);

/// The lowest estimate. Less does not carry video.
const MIN_ESTIMATE: Bitrate = Bitrate::kbps(100);

/// The highest estimate: camera and screen at their highest bitrates.
const MAX_ESTIMATE: Bitrate = Bitrate::kbps(20_000);

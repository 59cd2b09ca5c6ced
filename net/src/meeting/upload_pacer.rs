//! The pace of the trees and Welcomes that this client sends: each admission sends the whole tree, and a server disconnects a client
//! that sends more bytes than it may.

use std::time::{Duration, Instant};

/// How many bytes this client has sent for admissions, as the time for which they last at [`RATE`].
#[derive(Clone, Copy, Default)]
pub(super) struct UploadPacer {
    /// When all bytes so far would have been sent at that rate. `None` before the first ones.
    end: Option<Instant>,
}

impl UploadPacer {
    /// Counts bytes that are sent now.
    pub(super) fn count(&mut self, bytes: usize, now: Instant) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.end = Some(self.end.map_or(now, |end| end.max(now)) + Duration::from_secs(1) * bytes / RATE);
    }

    /// Returns when the next admission may be sent. `None` if that is at any time.
    pub(super) fn free(self) -> Option<Instant> {
        self.end?.checked_sub(BURST)
    }
}

/// Bytes a second, on average. A server accepts 1 MiB a second of long messages from one address, after a burst of 16 MiB, and 8 MiB at
/// once from one connection. The rest is for other clients at the address, and for other messages.
const RATE: u32 = 896 << 10;

/// For how long the bytes that are sent at once may last at this rate: 7 MiB.
const BURST: Duration = Duration::from_secs(8);

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `count` admissions of `bytes` as soon as each may be sent. Returns when the last one is sent, in seconds.
    fn last_of(count: usize, bytes: usize) -> f64 {
        let (start, mut upload) = (Instant::now(), UploadPacer::default());
        let mut now = start;
        for _ in 0..count {
            now = upload.free().map_or(now, |free| free.max(now));
            upload.count(bytes, now);
        }
        (now - start).as_secs_f64()
    }

    #[test]
    fn a_burst_is_sent_at_once_and_then_the_rate_holds() {
        assert!(last_of(30, 100_000) < 0.001, "3 MB");
        // Ten commits of a hundred joiners each, with trees of up to 1.6 MB.
        let thousand = last_of(10, 1_400_000);
        assert!((4.0..12.0).contains(&thousand), "{thousand} s");
        let steady = last_of(101, 917_504) - last_of(51, 917_504);
        assert!((steady - 50.0).abs() < 0.01, "{steady} s for 50 s");
    }
}

//! The result of a path test.

use crate::MediaPath;
use media::Bitrate;
use std::time::Duration;

/// The result of a path test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathReport {
    /// The path by which media would go. [`MediaPath::Relay`] is never tested.
    pub path: MediaPath,
    /// The measurements of that path.
    pub figures: PathFigures,
}

/// The measurements of a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathFigures {
    /// The median round trip while little is sent.
    pub round_trip: Duration,
    /// The mean difference of the round trips of two datagrams in a row.
    pub jitter: Duration,
    /// Loss on the way to the server while the path is not full, in percent.
    pub lost_up: f32,
    /// Loss on the way back, in percent.
    pub lost_down: f32,
    /// The bitrate that arrives at the server.
    pub up: Bitrate,
    /// The bitrate that comes back. The server returns no more than arrives, so the downlink may carry more.
    pub down: Bitrate,
    /// True if the path carries no more than these bitrates. Otherwise it carries at least these.
    pub is_full: bool,
}

impl PathFigures {
    /// Returns whether the downlink is known to be narrower than the uplink. The server returns no more than arrives, so
    /// the downlink is narrower only if clearly less comes back.
    #[must_use]
    pub fn is_downlink_narrower(&self) -> bool {
        self.down.as_bps() * 100 < self.up.as_bps() * NARROWER_PERCENT
    }
}

/// A downlink that returns less than this share of what arrives is the narrower one, in percent.
const NARROWER_PERCENT: u64 = 85;

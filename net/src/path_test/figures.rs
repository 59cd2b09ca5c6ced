//! What a path test has found.

use crate::MediaPath;
use media::Bitrate;
use std::time::Duration;

/// What a test has found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathReport {
    /// The path by which media would go. [`MediaPath::Relay`] is never tested.
    pub path: MediaPath,
    /// What was measured on it.
    pub figures: PathFigures,
}

/// What was measured on a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathFigures {
    /// The median round trip while little is sent.
    pub round_trip: Duration,
    /// The mean difference of the round trips of two datagrams in a row.
    pub jitter: Duration,
    /// What is lost on the way to the server while the path is not full, in percent.
    pub lost_up: f32,
    /// What is lost on the way back, in percent.
    pub lost_down: f32,
    /// What arrives at the server.
    pub up: Bitrate,
    /// What comes back. At most as much comes back as arrives, so the downlink may carry more.
    pub down: Bitrate,
    /// True if the path carries no more. Otherwise it carries at least these rates.
    pub is_full: bool,
}

impl PathFigures {
    /// Returns whether the downlink is known to be narrower than the uplink. The server returns no more than arrives, so it is if
    /// clearly less comes back.
    #[must_use]
    pub fn is_downlink_narrower(&self) -> bool {
        self.down.as_bps() * 100 < self.up.as_bps() * NARROWER_PERCENT
    }
}

/// A downlink that returns less than this share of what arrives is the narrower one, in percent.
const NARROWER_PERCENT: u64 = 85;

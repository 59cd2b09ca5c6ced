//! The feedback on sent packets.

use std::time::{Duration, Instant};

/// The number of a probe cluster: the packets of one probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterId(pub(crate) u32);

/// The feedback on one packet (draft-holmer-rmcat-transport-wide-cc-extensions-01, RFC 8888).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketFeedback {
    /// When the packet was sent, on the sender's clock.
    pub sent: Instant,
    /// Its size in bytes.
    pub size: usize,
    /// When it arrived, on the receiver's clock, whose origin is unknown but fixed. `None` if it was lost.
    pub arrived: Option<Duration>,
    /// The probe in which it was sent, if any.
    pub cluster: Option<ClusterId>,
}

impl PacketFeedback {
    /// Returns the size in bits. A size that no packet can have is lowered.
    pub(crate) fn bits(&self) -> f64 {
        bits(self.size)
    }
}

/// Returns the bits of a packet of `size` bytes, at most those of the largest UDP datagram.
pub fn bits(size: usize) -> f64 {
    f64::from(u16::try_from(size).unwrap_or(u16::MAX)) * 8.0
}

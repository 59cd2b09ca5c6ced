//! Counts the packets that a participant requests again (RTCP NACK), and those that are sent again to it. Pure.

use std::collections::{HashMap, HashSet};
use str0m::media::Mid;
use str0m::rtp::Ssrc;

/// How often packets were requested and sent again.
#[derive(Debug, Default)]
pub struct Repairs {
    /// The streams of media. Packets of other streams are retransmissions. There are at most as many as media descriptions.
    media: HashSet<Ssrc>,
    /// The requests of each outgoing stream so far. There are at most as many as media descriptions.
    requested: HashMap<Mid, u64>,
    counts: RepairCounts,
}

/// What was requested and sent again since the last call of [`Repairs::take`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RepairCounts {
    /// Requests to send packets again (RTCP NACK).
    pub nacks: u64,
    /// Packets of retransmission streams: retransmissions and padding.
    pub packets: u64,
}

impl Repairs {
    /// Handles the number of all requests for a stream so far.
    pub fn handle_requests(&mut self, mid: Mid, all: u64) {
        let before = self.requested.insert(mid, all).unwrap_or(0);
        self.counts.nacks += all.saturating_sub(before);
    }

    /// Adds a stream of media. Returns false if it is known.
    pub fn add_stream(&mut self, ssrc: Ssrc) -> bool {
        self.media.insert(ssrc)
    }

    /// Returns whether there is a stream.
    pub fn has_streams(&self) -> bool {
        !self.media.is_empty()
    }

    /// Counts a packet that is sent, if it is of a retransmission stream. Returns whether it is.
    pub fn handle_sent(&mut self, ssrc: Ssrc) -> bool {
        let repairs = !self.media.contains(&ssrc);
        self.counts.packets += u64::from(repairs);
        repairs
    }

    /// Returns what was counted since the last call.
    pub fn take(&mut self) -> RepairCounts {
        std::mem::take(&mut self.counts)
    }
}

/// Returns the source of an RTP packet, or `None` for another datagram (RFC 7983, section 7; RFC 5761, section 4).
pub fn rtp_source(datagram: &[u8]) -> Option<u32> {
    let rtp = matches!(datagram, [128..=191, kind, ..] if !(192..=223).contains(kind));
    let bytes = datagram.get(8..12).filter(|_| rtp)?.first_chunk::<4>()?;
    Some(u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_all_streams_are_counted_once() {
        let (mut repairs, [a, b]) = (Repairs::default(), ["a", "b"].map(Mid::from));
        for (mid, all) in [(a, 2), (b, 1), (a, 2), (a, 5)] {
            repairs.handle_requests(mid, all);
        }
        assert!(!repairs.has_streams() && repairs.add_stream(7.into()) && !repairs.add_stream(7.into()));
        assert!(!repairs.handle_sent(7.into()) && repairs.handle_sent(8.into()));
        assert_eq!(repairs.take(), RepairCounts { nacks: 6, packets: 1 });
        repairs.handle_requests(b, 2);
        assert_eq!(repairs.take(), RepairCounts { nacks: 1, packets: 0 });
        assert_eq!(repairs.take(), RepairCounts::default());
    }
}

//! Counts what a participant requests and gets again. Pure.

use std::collections::HashMap;
use str0m::media::Mid;

/// How often packets were requested and sent again.
#[derive(Debug, Default)]
pub struct Repairs {
    /// The requests of each outgoing stream so far. There are at most as many as media descriptions.
    requested: HashMap<Mid, u64>,
    counts: Counts,
}

/// What was requested and sent again since the last call of [`Repairs::take`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
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

    /// Counts a packet of a retransmission stream that is sent.
    pub fn count_packet(&mut self) {
        self.counts.packets += 1;
    }

    /// Returns what was counted since the last call.
    pub fn take(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }
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
        repairs.count_packet();
        assert_eq!(repairs.take(), Counts { nacks: 6, packets: 1 });
        repairs.handle_requests(b, 2);
        assert_eq!(repairs.take(), Counts { nacks: 1, packets: 0 });
        assert_eq!(repairs.take(), Counts::default());
    }
}

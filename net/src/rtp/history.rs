//! Recently sent packets, kept for retransmission (RFC 4588).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The recently sent packets of one stream. `P` is the part of a packet that a retransmission needs.
#[derive(Debug)]
pub struct RtpPacketHistory<P> {
    sent: VecDeque<StoredPacket<P>>,
}

#[derive(Debug)]
struct StoredPacket<P> {
    sequence: u16,
    /// When it may be retransmitted: at first the time of sending, later 20 ms after the last retransmission.
    resendable_at: Instant,
    packet: P,
}

impl<P> RtpPacketHistory<P> {
    /// Adds a packet. Drops those that are older than 1.5 s or beyond 1,024.
    pub fn add(&mut self, sequence: u16, packet: P, now: Instant) {
        self.sent.push_back(StoredPacket { sequence, resendable_at: now, packet });
        let stale = |sent: &StoredPacket<P>| now.saturating_duration_since(sent.resendable_at) > MAX_AGE;
        while self.sent.len() > MAX_PACKETS || self.sent.front().is_some_and(stale) {
            self.sent.pop_front();
        }
    }

    /// Returns the packet with this sequence number, at most once in 20 ms. A second request within that time was sent
    /// before the retransmission arrived.
    pub fn resend(&mut self, sequence: u16, now: Instant) -> Option<&P> {
        let sent = self.sent.iter_mut().rev().find(|sent| sent.sequence == sequence)?;
        if now < sent.resendable_at {
            return None;
        }
        sent.resendable_at = now + RESEND_INTERVAL;
        Some(&sent.packet)
    }

    /// Returns the packet with the lowest `cost` among the last 64, with its sequence number.
    pub fn recent(&self, cost: impl Fn(&P) -> usize) -> Option<(u16, &P)> {
        let cheapest = self.sent.iter().rev().take(RECENT).min_by_key(|sent| cost(&sent.packet))?;
        Some((cheapest.sequence, &cheapest.packet))
    }
}

impl<P> Default for RtpPacketHistory<P> {
    fn default() -> Self {
        Self { sent: VecDeque::new() }
    }
}

/// How long a packet is kept. A later retransmission arrives too late to be shown.
const MAX_AGE: Duration = Duration::from_millis(1_500);

/// The maximum number of packets that are kept of one stream.
const MAX_PACKETS: usize = 1_024;

/// The number of packets among which one for a probe is chosen.
const RECENT: usize = 64;

/// The minimum interval between two retransmissions of the same packet.
const RESEND_INTERVAL: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_sent_again_but_not_twice_within_20_ms() {
        let (mut history, start) = (RtpPacketHistory::default(), Instant::now());
        history.add(7, "seven", start);
        assert_eq!(history.resend(7, start), Some(&"seven"));
        assert_eq!(history.resend(7, start + Duration::from_millis(5)), None);
        assert_eq!(history.resend(7, start + Duration::from_millis(25)), Some(&"seven"));
        assert_eq!(history.resend(8, start), None);
    }

    #[test]
    fn packets_are_dropped_by_age_and_by_count() {
        let (mut history, start) = (RtpPacketHistory::default(), Instant::now());
        history.add(1, (), start);
        history.add(2, (), start + Duration::from_secs(2));
        assert_eq!(history.sent.len(), 1);
        for sequence in 0..3_000 {
            history.add(sequence, (), start + Duration::from_secs(2));
        }
        assert_eq!(history.sent.len(), MAX_PACKETS);
    }
}

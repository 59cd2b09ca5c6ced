//! What was sent lately, to be sent again when a receiver misses it (RFC 4588).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The last packets of one stream. `P` is the packet, as its owner keeps it.
#[derive(Debug)]
pub struct History<P> {
    sent: VecDeque<Sent<P>>,
}

#[derive(Debug)]
struct Sent<P> {
    sequence: u16,
    at: Instant,
    packet: P,
}

impl<P> History<P> {
    /// Remembers a packet; forgets what is too old or too much.
    pub fn add(&mut self, sequence: u16, packet: P, now: Instant) {
        self.sent.push_back(Sent { sequence, at: now, packet });
        let stale = |sent: &Sent<P>| now.saturating_duration_since(sent.at) > KEPT;
        while self.sent.len() > MAX_KEPT || self.sent.front().is_some_and(stale) {
            self.sent.pop_front();
        }
    }

    /// The packet with this number, once in a while: a second request right behind the first one has crossed its answer.
    pub fn resend(&mut self, sequence: u16, now: Instant) -> Option<&P> {
        let sent = self.sent.iter_mut().rev().find(|sent| sent.sequence == sequence)?;
        if now < sent.at {
            return None;
        }
        // From now on it counts as sent at the end of the pause.
        sent.at = now + PAUSE;
        Some(&sent.packet)
    }
}

impl<P> Default for History<P> {
    fn default() -> Self {
        Self { sent: VecDeque::new() }
    }
}

/// How long a packet is kept: later it would be of no use.
const KEPT: Duration = Duration::from_millis(1_500);

/// Packets kept of one stream.
const MAX_KEPT: usize = 1_024;

/// How soon the same packet may go out again.
const PAUSE: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_sent_again_but_not_at_once_twice() {
        let (mut history, start) = (History::default(), Instant::now());
        history.add(7, "seven", start);
        assert_eq!(history.resend(7, start), Some(&"seven"));
        assert_eq!(history.resend(7, start + Duration::from_millis(5)), None);
        assert_eq!(history.resend(7, start + Duration::from_millis(25)), Some(&"seven"));
        assert_eq!(history.resend(8, start), None);
    }

    #[test]
    fn it_forgets_by_age_and_by_count() {
        let (mut history, start) = (History::default(), Instant::now());
        history.add(1, (), start);
        history.add(2, (), start + Duration::from_secs(2));
        assert_eq!(history.sent.len(), 1);
        for sequence in 0..3_000 {
            history.add(sequence, (), start + Duration::from_secs(2));
        }
        assert_eq!(history.sent.len(), MAX_KEPT);
    }
}

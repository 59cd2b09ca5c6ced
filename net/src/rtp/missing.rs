//! Which packets of a stream have not arrived, and when to ask for them again (RFC 4585, section 6.2.1).
//!
//! Pure. It is told of repaired packets under their own number, so that nothing is asked for twice in vain.

use super::unwrap::{Unwrapper, low16};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The gaps of one stream.
#[derive(Debug, Default)]
pub struct Missing {
    counter: Unwrapper,
    gaps: BTreeMap<u64, Gap>,
}

#[derive(Clone, Copy, Debug)]
struct Gap {
    due: Instant,
    asked: u32,
}

impl Missing {
    /// A packet arrived, first hand or again.
    pub fn handle_packet(&mut self, sequence: u16, now: Instant) {
        let before = self.counter.newest();
        let whole = self.counter.peek(sequence);
        if let Some(newest) = before
            && whole.abs_diff(newest) > MAX_STEP
        {
            // A leap: the stream began anew, there is nothing to repair.
            self.gaps.clear();
            self.counter = Unwrapper::default();
            self.counter.unwrap(sequence);
            return;
        }
        self.counter.unwrap(sequence);
        self.gaps.remove(&whole);
        for number in before.map_or(whole, |newest| newest + 1)..whole {
            self.gaps.insert(number, Gap { due: now + PATIENCE, asked: 0 });
        }
        while self.gaps.len() > MAX_GAPS {
            self.gaps.pop_first();
        }
    }

    /// The packets to ask for now, oldest first.
    pub fn poll_request(&mut self, now: Instant) -> Vec<u16> {
        self.gaps.retain(|_, gap| gap.asked < MAX_ASKED || gap.due > now);
        let mut wanted = Vec::new();
        for (number, gap) in &mut self.gaps {
            if gap.due <= now {
                gap.due = now + AGAIN * (1 << gap.asked.min(3));
                gap.asked += 1;
                wanted.push(low16(*number));
            }
        }
        wanted
    }

    /// When something is to be asked for; `None` while nothing is missing.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.gaps.values().map(|gap| gap.due).min()
    }
}

/// How long a packet may be late before it counts as lost: networks re-order a little.
const PATIENCE: Duration = Duration::from_millis(8);

/// How long an answer may take before we ask again; doubles each time.
const AGAIN: Duration = Duration::from_millis(50);

/// How often we ask. The last answer comes too late to be shown, the frame is given up before.
const MAX_ASKED: u32 = 5;

/// Gaps of one stream that are followed at once; beyond it a key frame is cheaper.
const MAX_GAPS: usize = 256;

/// A step beyond this is no loss.
const MAX_STEP: u64 = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_gap_is_asked_for_with_growing_patience_and_then_forgotten() {
        let (mut missing, start) = (Missing::default(), Instant::now());
        for sequence in [65_534, 65_535, 2] {
            missing.handle_packet(sequence, start);
        }
        assert!(missing.poll_request(start).is_empty());
        assert_eq!(missing.poll_timeout(), Some(start + PATIENCE));
        let mut asked = 0;
        let mut now = start;
        while let Some(due) = missing.poll_timeout() {
            assert!(due >= now);
            now = due;
            let wanted = missing.poll_request(now);
            assert!(wanted.is_empty() || wanted == [0, 1]);
            asked += usize::from(!wanted.is_empty());
        }
        assert_eq!(asked, 5);
        assert!(now < start + ms(2_000));
    }

    #[test]
    fn what_arrives_late_or_again_is_not_asked_for() {
        let (mut missing, start) = (Missing::default(), Instant::now());
        for sequence in [1, 4, 2] {
            missing.handle_packet(sequence, start);
        }
        assert_eq!(missing.poll_request(start + ms(10)), [3]);
        missing.handle_packet(3, start + ms(20));
        assert_eq!(missing.poll_timeout(), None);
    }

    #[test]
    fn a_leap_is_a_new_beginning() {
        let (mut missing, start) = (Missing::default(), Instant::now());
        missing.handle_packet(1, start);
        missing.handle_packet(30_000, start);
        assert_eq!(missing.poll_timeout(), None);
        missing.handle_packet(30_002, start);
        assert_eq!(missing.poll_request(start + ms(10)), [30_001]);
    }

    #[test]
    fn a_flood_of_gaps_is_bounded() {
        let (mut missing, start) = (Missing::default(), Instant::now());
        for step in 0..2_000u16 {
            missing.handle_packet(step.wrapping_mul(900), start);
        }
        assert!(missing.gaps.len() <= MAX_GAPS);
    }
}

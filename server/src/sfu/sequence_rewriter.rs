//! Gives the packets of changing sources one row of sequence numbers, without a gap where a packet was left out on purpose.
//! Pure arithmetic over extended (64-bit) sequence numbers.

use std::collections::VecDeque;

/// The row of one outgoing stream.
#[derive(Debug)]
pub struct SequenceRewriter {
    /// Where the current source began.
    first: u64,
    /// The highest number of the source so far.
    newest: u64,
    /// What to subtract, wrapping, from a number of the source at its newest end.
    shift: u64,
    /// The next number to go out.
    next: u64,
    /// Left out on purpose, ascending.
    skipped: VecDeque<u64>,
}

impl SequenceRewriter {
    /// A row that begins at `next`. It must be below 65536: a receiver takes the rollover counter to be 0 (RFC 3711, section 3.3.1).
    pub fn new(next: u16) -> Self {
        Self { first: 0, newest: 0, shift: 0, next: next.into(), skipped: VecDeque::new() }
    }

    /// Goes on with another source, whose first packet has the number `first`.
    pub fn begin(&mut self, first: u64) {
        self.first = first;
        self.newest = first.wrapping_sub(1);
        self.shift = first.wrapping_sub(self.next);
        self.skipped.clear();
    }

    /// The outgoing number of the source's packet `number`. None for one before the source's first, one that was left
    /// out, or one so late that its place is forgotten.
    pub fn keep(&mut self, number: u64) -> Option<u64> {
        if self.is_new(number) {
            self.newest = number;
            let outgoing = number.wrapping_sub(self.shift);
            self.next = outgoing.wrapping_add(1);
            return Some(outgoing);
        }
        let forgotten =
            self.skipped.len() == MAX_SKIPPED && self.skipped.front().is_some_and(|oldest| number < *oldest);
        if number < self.first || forgotten || self.skipped.binary_search(&number).is_ok() {
            return None;
        }
        let later = self.skipped.iter().rev().take_while(|skipped| **skipped > number).count() as u64;
        Some(number.wrapping_sub(self.shift.wrapping_sub(later)))
    }

    /// Leaves the source's packet `number` out: the numbers behind it close up. A late one keeps its gap.
    pub fn skip(&mut self, number: u64) {
        if !self.is_new(number) {
            return;
        }
        // Packets that are missing before this one keep their places.
        self.next = number.wrapping_sub(self.shift);
        self.newest = number;
        self.shift = self.shift.wrapping_add(1);
        if self.skipped.len() == MAX_SKIPPED {
            self.skipped.pop_front();
        }
        self.skipped.push_back(number);
    }

    fn is_new(&self, number: u64) -> bool {
        number > self.newest || self.newest == u64::MAX && number == 0
    }
}

/// How many left-out packets are remembered: some seconds of a stream's upper temporal layers.
const MAX_SKIPPED: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn left_out_packets_leave_no_gap_and_lost_ones_do() {
        let mut row = SequenceRewriter::new(100);
        row.begin(70_000);
        assert_eq!(row.keep(70_000), Some(100));
        row.skip(70_001);
        assert_eq!(row.keep(70_002), Some(101));
        // 70003 is lost on the way in: its place stays free.
        assert_eq!(row.keep(70_004), Some(103));
        row.skip(70_005);
        assert_eq!(row.keep(70_006), Some(104));
        assert_eq!(row.keep(70_003), Some(102), "comes late, to its place");
        assert_eq!(row.keep(70_001), None, "was left out");
    }

    #[test]
    fn a_gap_before_a_left_out_packet_keeps_its_places() {
        let mut row = SequenceRewriter::new(0);
        row.begin(10);
        assert_eq!(row.keep(10), Some(0));
        row.skip(13);
        assert_eq!(row.keep(14), Some(3));
        assert_eq!((row.keep(11), row.keep(12)), (Some(1), Some(2)));
    }

    #[test]
    fn another_source_goes_on_where_the_last_one_stopped() {
        let mut row = SequenceRewriter::new(7);
        row.begin(500);
        assert_eq!((row.keep(500), row.keep(501)), (Some(7), Some(8)));
        row.skip(502);
        row.begin(3);
        assert_eq!((row.keep(3), row.keep(4)), (Some(9), Some(10)));
        assert_eq!(row.keep(2), None, "before the switch");
        row.begin(0);
        assert_eq!((row.keep(0), row.keep(1)), (Some(11), Some(12)));
    }

    #[test]
    fn a_late_packet_beyond_memory_is_dropped() {
        let mut row = SequenceRewriter::new(0);
        row.begin(0);
        assert_eq!(row.keep(0), Some(0));
        (2..2_000).for_each(|number| row.skip(number));
        assert_eq!(row.keep(1), None);
    }
}

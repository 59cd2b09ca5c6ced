//! Rewrites the sequence numbers of changing sources into one continuous sequence, without a gap for packets that are
//! dropped on purpose. Pure arithmetic on extended (64-bit) sequence numbers.

use std::collections::VecDeque;

/// Rewrites the sequence numbers of one outgoing stream.
#[derive(Debug)]
pub struct SequenceRewriter {
    /// The first number of the current source.
    first: u64,
    /// The highest number of the source so far.
    newest: u64,
    /// The wrapping difference between the source's newest number and its outgoing number.
    offset: u64,
    /// The next outgoing number.
    next: u64,
    /// The numbers that were dropped on purpose, ascending.
    skipped: VecDeque<u64>,
}

impl SequenceRewriter {
    /// Returns a rewriter whose first outgoing number is `next`. A receiver assumes that
    /// the rollover counter is 0 at first (RFC 3711, section 3.3.1), so the sequence must not wrap early.
    pub fn new(next: u16) -> Self {
        Self { first: 0, newest: 0, offset: 0, next: next.into(), skipped: VecDeque::new() }
    }

    /// Continues with another source, whose first packet has the number `first`.
    pub fn start_source(&mut self, first: u64) {
        self.first = first;
        self.newest = first.wrapping_sub(1);
        self.offset = first.wrapping_sub(self.next);
        self.skipped.clear();
    }

    /// Makes `next` the next outgoing number, because the packets with that number and later ones were not sent. The caller
    /// starts a source before it rewrites another number.
    pub fn rewind(&mut self, next: u64) {
        self.next = self.next.min(next);
    }

    /// Returns the outgoing number of the source's packet `number`. Returns `None` if it is before the source's first,
    /// was skipped, or is so late that its outgoing number is not known any more.
    pub fn rewrite(&mut self, number: u64) -> Option<u64> {
        if self.is_new(number) {
            self.newest = number;
            let outgoing = number.wrapping_sub(self.offset);
            self.next = outgoing.wrapping_add(1);
            return Some(outgoing);
        }
        let too_late = self.skipped.len() == MAX_SKIPPED && self.skipped.front().is_some_and(|oldest| number < *oldest);
        if number < self.first || too_late || self.skipped.binary_search(&number).is_ok() {
            return None;
        }
        let skipped_after = self.skipped.iter().rev().take_while(|skipped| **skipped > number).count() as u64;
        Some(number.wrapping_sub(self.offset.wrapping_sub(skipped_after)))
    }

    /// Drops the source's packet `number` on purpose: the numbers after it close the gap. If the packet arrives late,
    /// the gap stays.
    pub fn skip(&mut self, number: u64) {
        if !self.is_new(number) {
            return;
        }
        // Packets that are missing before this one keep their outgoing numbers.
        self.next = number.wrapping_sub(self.offset);
        self.newest = number;
        self.offset = self.offset.wrapping_add(1);
        if self.skipped.len() == MAX_SKIPPED {
            self.skipped.pop_front();
        }
        self.skipped.push_back(number);
    }

    fn is_new(&self, number: u64) -> bool {
        // `start_source(0)` wraps `newest` to the maximum.
        number > self.newest || self.newest == u64::MAX && number == 0
    }
}

/// The number of skipped numbers that are kept: some seconds of a stream's upper temporal layers.
const MAX_SKIPPED: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_packets_leave_no_gap_and_lost_ones_do() {
        let mut rewriter = SequenceRewriter::new(100);
        rewriter.start_source(70_000);
        assert_eq!(rewriter.rewrite(70_000), Some(100));
        rewriter.skip(70_001);
        assert_eq!(rewriter.rewrite(70_002), Some(101));
        // 70003 is lost on its way to the server: its number stays free.
        assert_eq!(rewriter.rewrite(70_004), Some(103));
        rewriter.skip(70_005);
        assert_eq!(rewriter.rewrite(70_006), Some(104));
        assert_eq!(rewriter.rewrite(70_003), Some(102), "arrives late");
        assert_eq!(rewriter.rewrite(70_001), None, "was skipped");
    }

    #[test]
    fn lost_packets_before_a_skipped_one_keep_their_numbers() {
        let mut rewriter = SequenceRewriter::new(0);
        rewriter.start_source(10);
        assert_eq!(rewriter.rewrite(10), Some(0));
        rewriter.skip(13);
        assert_eq!(rewriter.rewrite(14), Some(3));
        assert_eq!((rewriter.rewrite(11), rewriter.rewrite(12)), (Some(1), Some(2)));
    }

    #[test]
    fn the_numbers_of_packets_that_were_not_sent_are_used_by_the_next_source() {
        let mut rewriter = SequenceRewriter::new(7);
        rewriter.start_source(500);
        (500..510).for_each(|number| assert_eq!(rewriter.rewrite(number), Some(number - 493)));
        rewriter.rewind(12);
        rewriter.start_source(90);
        assert_eq!(rewriter.rewrite(90), Some(12));
        rewriter.rewind(40);
        rewriter.start_source(3);
        assert_eq!(rewriter.rewrite(3), Some(13), "a number is never skipped");
    }

    #[test]
    fn another_source_continues_the_numbers() {
        let mut rewriter = SequenceRewriter::new(7);
        rewriter.start_source(500);
        assert_eq!((rewriter.rewrite(500), rewriter.rewrite(501)), (Some(7), Some(8)));
        rewriter.skip(502);
        rewriter.start_source(3);
        assert_eq!((rewriter.rewrite(3), rewriter.rewrite(4)), (Some(9), Some(10)));
        assert_eq!(rewriter.rewrite(2), None, "before the switch");
        rewriter.start_source(0);
        assert_eq!((rewriter.rewrite(0), rewriter.rewrite(1)), (Some(11), Some(12)));
    }

    #[test]
    fn a_packet_later_than_all_remembered_numbers_is_dropped() {
        let mut rewriter = SequenceRewriter::new(0);
        rewriter.start_source(0);
        assert_eq!(rewriter.rewrite(0), Some(0));
        (2..2_000).for_each(|number| rewriter.skip(number));
        assert_eq!(rewriter.rewrite(1), None);
    }
}

//! Replay protection: the counters that were seen for one key id.

/// Stores which of the last [`SPAN`] counters were seen. Older counters count as seen.
#[derive(Default)]
pub(crate) struct ReplayWindow {
    /// The counter after the highest one recorded.
    next: u64,
    seen: [u64; WORDS],
}

impl ReplayWindow {
    /// Returns true if `counter` is inside the window or newer, and was not recorded.
    pub(crate) fn is_fresh(&self, counter: u64) -> bool {
        if counter >= self.next {
            return true;
        }
        let (word, bit) = slot(counter);
        self.next - counter <= SPAN && self.seen[word] & bit == 0
    }

    /// Records `counter` after its frame was authenticated. Returns false if it was recorded before.
    pub(crate) fn record(&mut self, counter: u64) -> bool {
        if !self.is_fresh(counter) {
            return false;
        }
        if counter >= self.next {
            self.clear_up_to(counter);
            self.next = counter.saturating_add(1);
        }
        let (word, bit) = slot(counter);
        self.seen[word] |= bit;
        true
    }

    /// Clears the bits for the counters from `next` to `counter`.
    fn clear_up_to(&mut self, counter: u64) {
        if counter - self.next >= SPAN {
            self.seen = [0; WORDS];
            return;
        }
        for passed in self.next..=counter {
            let (word, bit) = slot(passed);
            self.seen[word] &= !bit;
        }
    }
}

fn slot(counter: u64) -> (usize, u64) {
    let at = counter % SPAN;
    ((at / 64) as usize, 1 << (at % 64))
}

/// The number of counters in the window.
const SPAN: u64 = 1_024;
const WORDS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_window_agrees_with_a_set_of_counters() {
        let (mut window, mut seen, mut highest) = (ReplayWindow::default(), HashSet::new(), 0u64);
        // A fixed walk with jumps ahead, steps back and repeats.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        for _ in 0..200_000 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let back = state % 1_100;
            let counter = if state >> 60 == 0 { highest + back } else { (highest + 3).saturating_sub(back) };
            let fresh = !seen.contains(&counter) && (counter > highest || highest + 1 - counter <= SPAN);
            assert_eq!(window.is_fresh(counter), fresh);
            assert_eq!(window.record(counter), fresh);
            if fresh {
                seen.insert(counter);
                highest = highest.max(counter);
            }
        }
    }

    #[test]
    fn the_window_is_1024_wide() {
        let mut window = ReplayWindow::default();
        assert!(window.record(1_024));
        assert!(!window.is_fresh(0));
        assert!(window.is_fresh(1));
        assert!(!window.record(1_024));
        assert!(window.record(u64::MAX));
        assert!(!window.is_fresh(1));
    }
}

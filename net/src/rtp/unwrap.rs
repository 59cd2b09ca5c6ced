//! Extends 16-bit sequence numbers to 64 bits.

/// Extends the numbers of one counter: each becomes the 64-bit number nearest to the newest one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwrapper {
    newest: Option<u64>,
}

impl Unwrapper {
    /// Returns the extended number of `low`, and stores it if it is the newest.
    pub fn unwrap(&mut self, low: u16) -> u64 {
        let whole = self.peek(low);
        self.newest = Some(self.newest.map_or(whole, |newest| newest.max(whole)));
        whole
    }

    /// Returns the extended number of `low` without storing it.
    pub fn peek(&self, low: u16) -> u64 {
        // The first number is in the second cycle, so that numbers before it can be extended, too.
        let Some(newest) = self.newest else { return u64::from(low) + CYCLE };
        let ahead = u64::from(low.wrapping_sub(low16(newest)));
        if ahead < CYCLE / 2 { newest + ahead } else { (newest + ahead).saturating_sub(CYCLE) }
    }

    /// Returns the newest number, or `None` before the first one.
    pub fn newest(&self) -> Option<u64> {
        self.newest
    }
}

/// Returns the 16 bits that go on the wire.
#[expect(clippy::cast_possible_truncation, reason = "the function returns the low bits")]
pub const fn low16(whole: u64) -> u16 {
    whole as u16
}

const CYCLE: u64 = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_extended_across_the_wrap_in_both_directions() {
        let mut counter = Unwrapper::default();
        let first = counter.unwrap(65_534);
        assert_eq!(counter.unwrap(1), first + 3);
        assert_eq!(counter.unwrap(65_535), first + 1);
        assert_eq!(counter.newest(), Some(first + 3));
        assert_eq!(counter.peek(0x7fff), first + 3 + 0x7ffe);
    }

    #[test]
    fn a_number_before_the_first_one_is_extended_too() {
        let mut counter = Unwrapper::default();
        let first = counter.unwrap(0);
        assert_eq!(counter.unwrap(0xffff), first - 1);
    }
}

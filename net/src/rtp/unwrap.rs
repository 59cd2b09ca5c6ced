//! Counters of sixteen bits that never seem to wrap.

/// Follows one counter: each number becomes the nearest to the one before it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwrapper {
    newest: Option<u64>,
}

impl Unwrapper {
    /// The whole number that `low` is the end of. Moves forward with the newest one seen.
    pub fn unwrap(&mut self, low: u16) -> u64 {
        let whole = self.peek(low);
        self.newest = Some(self.newest.map_or(whole, |newest| newest.max(whole)));
        whole
    }

    /// The whole number that `low` would become, without moving.
    pub fn peek(&self, low: u16) -> u64 {
        // One turn of headroom, so that what is older than the first number has a number too.
        let Some(newest) = self.newest else { return u64::from(low) + TURN };
        let ahead = u64::from(low.wrapping_sub(low16(newest)));
        if ahead < TURN / 2 { newest + ahead } else { (newest + ahead).saturating_sub(TURN) }
    }

    /// The newest number seen.
    pub fn newest(&self) -> Option<u64> {
        self.newest
    }
}

/// The end of a whole number that goes on the wire.
#[expect(clippy::cast_possible_truncation, reason = "the low bits are what is asked for")]
pub const fn low16(whole: u64) -> u16 {
    whole as u16
}

const TURN: u64 = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_over_the_edge_and_back() {
        let mut counter = Unwrapper::default();
        let first = counter.unwrap(65_534);
        assert_eq!(counter.unwrap(1), first + 3);
        assert_eq!(counter.unwrap(65_535), first + 1);
        assert_eq!(counter.newest(), Some(first + 3));
        assert_eq!(counter.peek(0x7fff), first + 3 + 0x7ffe);
    }

    #[test]
    fn what_is_older_than_the_first_has_a_number_too() {
        let mut counter = Unwrapper::default();
        let first = counter.unwrap(0);
        assert_eq!(counter.unwrap(0xffff), first - 1);
    }
}

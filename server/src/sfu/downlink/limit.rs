//! The limit that a viewer sets for its downlink. All bitrates are in bits per second with the headers of the packets.

/// What the viewer allows at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(u64);

impl Limit {
    /// No limit.
    pub const NONE: Self = Self(u64::MAX);

    /// Returns the limit of a viewer. A lower one than [`MIN_LIMIT`] counts as that, because sound needs as much.
    pub fn new(bitrate: Option<u64>) -> Self {
        bitrate.map_or(Self::NONE, |bitrate| Self(bitrate.max(MIN_LIMIT)))
    }

    /// Returns whether there is a limit.
    pub fn is_set(self) -> bool {
        self != Self::NONE
    }

    /// Returns what sound and pictures may have: the rest is for retransmissions, for the frames that are larger than the average, and
    /// for the `extra` bytes that the path adds to each packet.
    pub fn budget(self, extra: usize) -> u64 {
        let percent = BUDGET_PERCENT.saturating_sub((extra as u64).div_ceil(BYTES_IN_PERCENT));
        if self.is_set() { self.0.saturating_mul(percent) / 100 } else { u64::MAX }
    }

    /// Returns the highest rate at which packets leave.
    pub fn pace(self) -> u64 {
        if self.is_set() { self.0.saturating_mul(PACE_PERCENT) / 100 } else { u64::MAX }
    }

    /// Returns whether the least padding of the stack and sound may exceed the limit, if the path adds `extra` bytes to each packet.
    pub fn is_below_padding(self, extra: usize) -> bool {
        self.0 < PADDING_PACKETS * 8 * (PADDING_BYTES + extra as u64)
    }

    /// Returns the highest rate for which the stack may probe: it probes at up to twice as much, without headers.
    pub fn probe(self) -> u64 {
        if self.is_set() { self.0.saturating_mul(PROBE_PERCENT) / 100 } else { u64::MAX }
    }
}

/// The lowest limit: sound alone.
const MIN_LIMIT: u64 = 50_000;

/// The parts of the limit, in percent.
const BUDGET_PERCENT: u64 = 88;
const PACE_PERCENT: u64 = 96;
const PROBE_PERCENT: u64 = 40;

/// The least padding of the stack: it fills 50 kbit/s of payload together with sound, every 5 ms, in packets of so many bytes with headers.
const PADDING_PACKETS: u64 = 200;
const PADDING_BYTES: u64 = 100;

/// So many more bytes in each packet are another percent of a large one.
const BYTES_IN_PERCENT: u64 = 11;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_limit_are_below_it_and_without_one_nothing_is_limited() {
        let limit = Limit::new(Some(1_000_000));
        assert_eq!((limit.budget(0), limit.pace(), limit.probe()), (880_000, 960_000, 400_000));
        assert_eq!([20, 72].map(|extra| limit.budget(extra)), [860_000, 810_000], "longer headers");
        assert_eq!(Limit::new(Some(0)).budget(0), 44_000, "sound always has a share");
        assert!([Limit::NONE.budget(9), Limit::NONE.pace(), Limit::NONE.probe()].iter().all(|rate| *rate == u64::MAX));
        let below = |limit, extra| Limit::new(limit).is_below_padding(extra);
        assert!(below(Some(0), 0) && below(Some(159_999), 0) && !below(Some(160_000), 0), "by UDP");
        assert!(below(Some(240_000), 52) && !below(Some(244_000), 52) && !below(None, 72), "through the tunnel");
        assert_eq!(Limit::new(Some(u64::MAX - 1)).probe(), u64::MAX / 100, "no overflow");
    }
}

//! The bitrate that the stack probes for. Pure.
//!
//! The stack probes when this value rises. So small changes of the wanted bitrate do not change it, and each further probe
//! raises it a little.

/// The bitrate that a participant wants, and how often the stack has probed for it again.
#[derive(Debug, Default)]
pub struct ProbeGoal {
    /// Bits per second.
    desired: u64,
    probes: u64,
}

impl ProbeGoal {
    /// Sets the bits per second that the participant wants. Ignores small changes. Returns the value that is used.
    pub fn set_desired(&mut self, desired: u64) -> u64 {
        if desired.abs_diff(self.desired) > self.desired / 10 {
            *self = Self { desired, probes: 0 };
        }
        self.desired
    }

    /// Makes the stack probe again.
    pub fn probe_again(&mut self) {
        self.probes += 1;
    }

    /// Returns the bits per second for the stack, at most `max`. A lower `max` does not change later results.
    pub fn bitrate(&self, max: u64) -> u64 {
        (self.desired + self.probes).min(max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_narrow_link_the_stack_looks_for_as_much_as_before() {
        let mut goal = ProbeGoal::default();
        assert_eq!((goal.set_desired(2_000_000), goal.bitrate(u64::MAX)), (2_000_000, 2_000_000));
        assert_eq!((goal.set_desired(2_100_000), goal.bitrate(200_000)), (2_000_000, 200_000), "a small change");
        assert_eq!(goal.bitrate(u64::MAX), 2_000_000, "the stack probes, because the value rises");
        goal.probe_again();
        assert_eq!(goal.bitrate(u64::MAX), 2_000_001);
        assert_eq!((goal.set_desired(600_000), goal.bitrate(u64::MAX)), (600_000, 600_000));
    }
}

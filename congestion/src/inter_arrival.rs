//! Groups packets that were sent in one burst, and compares the times between groups at the sender and at the receiver
//! (`goog_cc`: `InterArrivalDelta`).

use std::time::Duration;

/// The times between two groups of packets, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Delta {
    /// From the departure of the last packet of one group to that of the next.
    pub sent: f64,
    /// From the arrival of the last packet of one group to that of the next.
    pub arrived: f64,
    /// When the later group had arrived, on the receiver's clock.
    pub at: f64,
}

/// Inter-arrival grouping (draft-ietf-rmcat-gcc-02, sections 5.1 and 5.2): packets that were sent within 5 ms are one
/// group, because they left as one burst. So are packets that arrive in one burst after a pause of the path.
#[derive(Clone, Debug, Default)]
pub struct InterArrival {
    current: Option<Group>,
    previous: Option<Group>,
    reordered: u8,
}

#[derive(Clone, Copy, Debug)]
struct Group {
    first_sent: f64,
    last_sent: f64,
    first_arrived: f64,
    last_arrived: f64,
}

impl InterArrival {
    /// Adds a packet. If it starts a new group, returns the times between the last two complete ones.
    pub fn add(&mut self, sent: Duration, arrived: Duration) -> Option<Delta> {
        let (sent, arrived) = (sent.as_secs_f64(), arrived.as_secs_f64());
        let Some(current) = &mut self.current else {
            self.current = Some(Group::new(sent, arrived));
            return None;
        };
        if sent < current.first_sent {
            return None;
        }
        if current.includes(sent, arrived) {
            current.last_sent = current.last_sent.max(sent);
            current.last_arrived = current.last_arrived.max(arrived);
            return None;
        }
        let (complete, previous) = (*current, self.previous);
        let delta = previous.and_then(|previous| self.delta(&previous, &complete));
        self.previous = Some(complete);
        self.current = Some(Group::new(sent, arrived));
        delta
    }

    /// Forgets all groups, so that nothing that happened before counts.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    fn delta(&mut self, previous: &Group, complete: &Group) -> Option<Delta> {
        let sent = complete.last_sent - previous.last_sent;
        let arrived = complete.last_arrived - previous.last_arrived;
        if arrived < 0.0 || arrived - sent > MAX_GAP {
            // Reordered groups do not show the delay. Many of them mean that the receiver's clock has jumped.
            self.reordered = self.reordered.saturating_add(1);
            if self.reordered > MAX_REORDERED || arrived.abs() > MAX_GAP {
                self.reset();
            }
            return None;
        }
        self.reordered = 0;
        Some(Delta { sent, arrived, at: complete.last_arrived })
    }
}

impl Group {
    fn new(sent: f64, arrived: f64) -> Self {
        Self { first_sent: sent, last_sent: sent, first_arrived: arrived, last_arrived: arrived }
    }

    fn includes(&self, sent: f64, arrived: f64) -> bool {
        if sent - self.first_sent <= BURST {
            return true;
        }
        let later = arrived - self.last_arrived;
        let burst = later <= BURST && later - (sent - self.last_sent) < 0.0;
        burst && arrived - self.first_arrived < MAX_BURST && later >= 0.0
    }
}

/// Seconds: packets within this time are one burst.
const BURST: f64 = 0.005;

/// Seconds: the maximum duration of an arrival burst.
const MAX_BURST: f64 = 0.1;

/// Seconds: a longer delay between groups is a jump of a clock, not a queue.
const MAX_GAP: f64 = 3.0;

/// The number of reordered groups in succession after which the groups are forgotten.
const MAX_REORDERED: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    #[test]
    fn packets_of_one_burst_are_one_group() {
        let mut groups = InterArrival::default();
        for (sent, arrived) in [(0, 50), (1, 60), (2, 70), (33, 83), (34, 93)] {
            assert_eq!(groups.add(millis(sent), millis(arrived)), None);
        }
        let delta = groups.add(millis(66), millis(116)).unwrap();
        assert!((delta.sent - 0.032).abs() < 1e-9 && (delta.arrived - 0.023).abs() < 1e-9);
    }

    #[test]
    fn a_jump_of_the_receivers_clock_gives_no_delta() {
        let mut groups = InterArrival::default();
        for (sent, arrived) in [(0, 0), (30, 30), (60, 900_000), (90, 10), (120, 40), (150, 9_000_000)] {
            let delta = groups.add(millis(sent), millis(arrived));
            assert!(delta.is_none_or(|delta| delta.arrived < 3.1), "{delta:?}");
        }
    }
}

//! Decides whether to wait for in-band FEC: the copies of lost packets in their successors.

/// Estimates the loss rate, and how often the next packet has a copy of a lost one.
pub struct LossEstimator {
    /// The smoothed share of lost packets.
    share: f32,
    /// The weight of the next packet.
    weight: f32,
    /// True if the share of lost packets was high at the last check.
    many: bool,
    /// The smoothed share of gaps for which the next packet had a copy.
    copies: f32,
}

impl LossEstimator {
    /// Records a received packet and the packets that were lost before it.
    pub fn count(&mut self, missing: u64) {
        for lost in std::iter::repeat_n(1.0, usize::try_from(missing).unwrap_or(0).min(10)).chain([0.0]) {
            self.share += (lost - self.share) * self.weight;
            self.weight = (self.weight / (1.0 + self.weight)).max(LOSS_WEIGHT);
        }
    }

    /// Records whether the next packet had a copy of a lost one.
    pub fn looked_for_copy(&mut self, found: bool) {
        self.copies += (if found { 1.0 } else { 0.0 } - self.copies) * COPY_WEIGHT;
    }

    /// Returns whether to wait for copies. The loss rate has a hysteresis. If no copies were found, returns true again
    /// after a while.
    pub fn is_waiting_worthwhile(&mut self) -> bool {
        self.copies = (self.copies + COPY_RECOVERY).min(1.0);
        self.many = self.share > if self.many { FEW_LOSSES } else { MANY_LOSSES };
        self.many && self.copies > ENOUGH_COPIES
    }
}

impl Default for LossEstimator {
    fn default() -> Self {
        Self { share: 0.0, weight: FIRST_WEIGHT, many: false, copies: 1.0 }
    }
}

/// The share of losses above which waiting starts, and below which it stops.
const MANY_LOSSES: f32 = 0.02;
const FEW_LOSSES: f32 = 0.01;

/// The weight of one packet: the average covers about two seconds. The first packets weigh more, so that losses are
/// detected within half a second.
const LOSS_WEIGHT: f32 = 0.01;
const FIRST_WEIGHT: f32 = 0.04;

/// The weight of one gap, and the increase per packet, after which a failed attempt is repeated after half a minute.
const COPY_WEIGHT: f32 = 0.1;
const COPY_RECOVERY: f32 = 0.0005;

/// The share of gaps with a copy above which waiting helps. Packets of noise and pauses have no copies.
const ENOUGH_COPIES: f32 = 0.25;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_for_copies_only_if_packets_are_lost_and_copies_exist() {
        let mut losses = LossEstimator::default();
        (0..200).for_each(|_| losses.count(0));
        assert!(!losses.is_waiting_worthwhile(), "nothing is lost");
        (0..200).for_each(|packet| losses.count(u64::from(packet % 10 == 0)));
        assert!(losses.is_waiting_worthwhile());
        (0..20).for_each(|_| losses.looked_for_copy(false));
        assert!(!losses.is_waiting_worthwhile(), "there are no copies");
        let again = (0..2_000).position(|_| losses.is_waiting_worthwhile());
        assert!(again.is_some_and(|packets| packets > 100), "tried again after {again:?} packets");
    }
}

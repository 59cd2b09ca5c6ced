//! The positions of the packets of a track that arrived last, so that a copy of one of them is recognised.

/// The last 64 positions. A track has at most 50 packets a second, and a copy is less than 320 ms older than its frame.
#[derive(Clone, Debug)]
pub struct RecentPackets {
    positions: [Option<u64>; WINDOW],
    next: usize,
}

impl RecentPackets {
    /// Returns an empty list.
    #[must_use]
    pub fn new() -> Self {
        Self { positions: [None; WINDOW], next: 0 }
    }

    /// Returns true if the packet at `position` is among the last ones.
    #[must_use]
    pub fn contains(&self, position: u64) -> bool {
        self.positions.contains(&Some(position))
    }

    /// Returns the samples from `position` to the next one among the last ones. `None` if no later packet is.
    pub(crate) fn gap_after(&self, position: u64) -> Option<u64> {
        let later = self.positions.iter().flatten().copied().filter(|other| *other > position).min();
        later.map(|later| later - position)
    }

    /// Adds a packet. Returns false if it is among the last ones already.
    pub fn add(&mut self, position: u64) -> bool {
        if self.contains(position) {
            return false;
        }
        self.positions[self.next] = Some(position);
        self.next = (self.next + 1) % WINDOW;
        true
    }
}

impl Default for RecentPackets {
    fn default() -> Self {
        Self::new()
    }
}

/// The number of positions.
const WINDOW: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_known_until_64_others_have_arrived() {
        let mut recent = RecentPackets::new();
        assert!(!recent.contains(0) && recent.add(0) && !recent.add(0));
        assert!((1..64).all(|packet| recent.add(packet * 960)));
        assert!(!recent.add(0), "63 others have arrived");
        assert!(recent.add(64 * 960));
        assert!(!recent.contains(0) && recent.contains(960));
    }
}

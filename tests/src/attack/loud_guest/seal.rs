//! The keys with which a changed program seals: its own, or those of another member.

use crypto::group::hostile;
use crypto::{KeyRing, Leaf, Sealer};
use proto::{Epoch, Slot};

/// The keys with which it seals.
pub struct Seal {
    ring: KeyRing,
    slot: Slot,
    /// The leaf of the member as which it seals; `None` for its own.
    pub as_member: Option<Leaf>,
    /// The epoch of the sealer's keys; `None` while they follow the group.
    epoch: Option<Epoch>,
    pub sealer: Sealer,
}

impl Seal {
    pub fn new(ring: &KeyRing, slot: Slot) -> Self {
        Self { ring: ring.clone(), slot, as_member: None, epoch: None, sealer: Sealer::new(ring.clone(), slot) }
    }

    /// Takes the keys of the other member in a new epoch.
    pub fn take_keys(&mut self) {
        let Some(leaf) = self.as_member.filter(|_| self.epoch != self.ring.epoch()) else { return };
        if let Some(ring) = hostile::ring_of_another(&self.ring, leaf) {
            self.epoch = ring.epoch();
            self.sealer = Sealer::new(ring, self.slot);
        }
    }
}

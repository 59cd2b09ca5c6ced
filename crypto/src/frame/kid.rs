//! Key ids: `stream kind 3 bits | spatial layer 3 | leaf 10 | epoch 8`.

use crate::Leaf;
use proto::{Epoch, Slot};

/// The key id of one layer of one member's stream in one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Kid(u64);

impl Kid {
    /// Returns the key id of a layer, or `None` if the layer or the leaf is too large.
    pub(crate) fn new(slot: Slot, spatial: u8, leaf: Leaf, epoch: Epoch) -> Option<Self> {
        if usize::from(spatial) >= MAX_SPATIAL || leaf.0 >= MAX_LEAVES {
            return None;
        }
        let context = context(slot, spatial) as u64;
        Some(Self(context << 18 | u64::from(leaf.0) << 8 | u64::from(low_bits(epoch))))
    }

    pub(crate) const fn of_number(number: u64) -> Self {
        Self(number)
    }

    pub(crate) const fn number(self) -> u64 {
        self.0
    }

    /// Returns the low 8 bits of the epoch.
    pub(crate) const fn epoch(self) -> u8 {
        (self.0 & 0xff) as u8
    }

    /// Returns the key id of the same layer in an epoch with these low bits.
    pub(crate) const fn in_epoch(self, low_bits: u8) -> Self {
        Self(self.0 & !0xff | low_bits as u64)
    }

    /// Returns the spatial layer if this key id belongs to `slot` of `leaf`.
    pub(crate) fn spatial_of(self, slot: Slot, leaf: Leaf) -> Option<u8> {
        let spatial = (self.0 >> 18 & 7) as u8;
        let expected = Self::new(slot, spatial, leaf, Epoch(u64::from(self.epoch())));
        (expected == Some(self)).then_some(spatial)
    }
}

/// Returns stream kind and spatial layer as one number below 64. `spatial` is below [`MAX_SPATIAL`].
pub(crate) const fn context(slot: Slot, spatial: u8) -> usize {
    let kind = match slot {
        Slot::Microphone => 0,
        Slot::Camera => 1,
        Slot::Screen => 2,
    };
    kind << 3 | spatial as usize & 7
}

/// Returns the low 8 bits of an epoch.
pub(crate) const fn low_bits(epoch: Epoch) -> u8 {
    (epoch.0 & 0xff) as u8
}

/// The number of leaves that a key id can address.
pub(crate) const MAX_LEAVES: u32 = 1 << 10;

/// The number of spatial layers that a key id can address.
pub(crate) const MAX_SPATIAL: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bit_layout_matches_the_format() {
        let kid = Kid::new(Slot::Screen, 3, Leaf(0x2a5), Epoch(0x1_07)).unwrap();
        // 010 011 1010100101 00000111
        assert_eq!(kid.number(), 0b0100_1110_1010_0101_0000_0111);
        assert_eq!(kid.spatial_of(Slot::Screen, Leaf(0x2a5)), Some(3));
        assert_eq!(kid.spatial_of(Slot::Camera, Leaf(0x2a5)), None);
        assert_eq!(kid.spatial_of(Slot::Screen, Leaf(0x2a4)), None);
        assert_eq!(Kid::of_number(kid.number() | 1 << 24).spatial_of(Slot::Screen, Leaf(0x2a5)), None);
    }

    #[test]
    fn layers_and_leaves_out_of_range_have_no_key_id() {
        assert_eq!(Kid::new(Slot::Camera, 8, Leaf(0), Epoch(0)), None);
        assert_eq!(Kid::new(Slot::Camera, 0, Leaf(1024), Epoch(0)), None);
    }
}

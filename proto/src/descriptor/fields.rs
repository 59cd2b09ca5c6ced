//! The fields that the reader and the writer share.

use super::array_vec::ArrayVec;
use super::bits::{BitReader, BitWriter};
use super::structure::MAX_FRAME_DIFFS;

/// The number of bytes of the mandatory fields.
pub const MANDATORY_BYTES: usize = 3;

/// The number of template ids of one spatial layer.
pub(super) const IDS_PER_LAYER: u8 = 8;

/// The frames that a frame depends on. Each entry is how many frames before it such a frame was sent: 1..=4096.
pub type FrameDiffs = ArrayVec<u16, MAX_FRAME_DIFFS>;

/// The three bytes that every packet carries: `mandatory_descriptor_fields()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mandatory {
    /// True on the first packet of a frame.
    pub start: bool,
    /// True on the last packet of a frame.
    pub end: bool,
    /// The template that the frame follows.
    pub template: u8,
    /// The frame's number in its stream, modulo 65 536.
    pub number: u16,
}

impl Mandatory {
    /// Reads the mandatory fields. Returns `None` if there are fewer than three bytes.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        Self::from_bits(&mut BitReader::new(bytes))
    }

    /// Returns the spatial layer of the simulcast stream, by our convention for template ids.
    pub const fn spatial(self) -> u8 {
        self.template / IDS_PER_LAYER
    }

    pub(super) fn from_bits(from: &mut BitReader<'_>) -> Option<Self> {
        let (start, end) = (from.flag()?, from.flag()?);
        let template = from.byte(6)?;
        let number = u16::try_from(from.bits(16)?).ok()?;
        Some(Self { start, end, template, number })
    }

    pub(super) fn write(self, to: &mut BitWriter) {
        to.flag(self.start);
        to.flag(self.end);
        to.bits(u32::from(self.template), 6);
        to.bits(u32::from(self.number), 16);
    }
}

/// The flags of `extended_descriptor_fields()`, which say which optional parts follow.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "five flags of the wire format")]
pub(super) struct Flags {
    pub structure: bool,
    pub active_targets: bool,
    pub indications: bool,
    pub frame_diffs: bool,
    pub chain_diffs: bool,
}

impl Flags {
    pub fn read(from: &mut BitReader<'_>) -> Option<Self> {
        Some(Self {
            structure: from.flag()?,
            active_targets: from.flag()?,
            indications: from.flag()?,
            frame_diffs: from.flag()?,
            chain_diffs: from.flag()?,
        })
    }

    pub fn write(self, to: &mut BitWriter) {
        for flag in [self.structure, self.active_targets, self.indications, self.frame_diffs, self.chain_diffs] {
            to.flag(flag);
        }
    }
}

/// Reads `frame_fdiffs()`.
pub(super) fn read_frame_diffs(from: &mut BitReader<'_>) -> Option<FrameDiffs> {
    let mut diffs = FrameDiffs::new();
    loop {
        let nibbles = from.bits(2)?;
        if nibbles == 0 {
            return Some(diffs);
        }
        diffs.push(u16::try_from(from.bits(4 * nibbles)?).ok()? + 1)?;
    }
}

/// Writes `frame_fdiffs()`.
pub(super) fn write_frame_diffs(to: &mut BitWriter, diffs: FrameDiffs) {
    for diff in diffs.iter() {
        let value = u32::from(diff.saturating_sub(1));
        let nibbles = match value {
            0..0x10 => 1,
            0x10..0x100 => 2,
            0x100.. => 3,
        };
        to.bits(nibbles, 2);
        to.bits(value, 4 * nibbles);
    }
    to.bits(0, 2);
}

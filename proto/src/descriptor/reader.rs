//! Reads the descriptor of one packet.

use super::bits::BitReader;
use super::fields::{Flags, FrameDiffs, MANDATORY_BYTES, Mandatory, read_frame_diffs};
use super::structure::{Indication, Structure, Template};

/// The reason why bytes cannot be read as a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes end early, name a template that does not exist, or contain a value out of range.
    #[error("not a dependency descriptor")]
    Malformed,
    /// The packet that carried the structure has not arrived.
    #[error("the template structure is unknown")]
    NoStructure,
}

/// The descriptor of one packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// The mandatory fields.
    pub packet: Mandatory,
    /// The temporal layer of the frame.
    pub temporal: u8,
    /// True if no other frame depends on this one.
    pub discardable: bool,
    /// The frames that this one depends on. Empty for a frame that depends on none.
    pub frame_diffs: FrameDiffs,
    /// The structure, if the packet carries one. It is valid for this packet and the later ones.
    pub structure: Option<Structure>,
}

impl Descriptor {
    /// Reads a descriptor. `known` is the latest structure of the stream.
    ///
    /// # Errors
    /// Returns [`Error::Malformed`] if the bytes are not a descriptor, and [`Error::NoStructure`] if the packet carries
    /// no structure and `known` is `None`.
    pub fn read(bytes: &[u8], known: Option<&Structure>) -> Result<Self, Error> {
        let mut from = BitReader::new(bytes);
        let packet = Mandatory::from_bits(&mut from).ok_or(Error::Malformed)?;
        let extended = bytes.len() > MANDATORY_BYTES;
        let flags = if extended { Flags::read(&mut from).ok_or(Error::Malformed)? } else { Flags::default() };
        let structure = if flags.structure { Some(Structure::read(&mut from).ok_or(Error::Malformed)?) } else { None };
        let current = structure.as_ref().or(known).ok_or(Error::NoStructure)?;
        let (temporal, discardable, frame_diffs) =
            read_frame(&mut from, flags, current, packet.template).ok_or(Error::Malformed)?;
        Ok(Self { packet, temporal, discardable, frame_diffs, structure })
    }
}

/// Reads `active_decode_targets_bitmask` and `frame_dependency_definition()`. Returns the temporal layer, whether the
/// frame is discardable, and the frames that it depends on.
fn read_frame(
    from: &mut BitReader<'_>,
    flags: Flags,
    structure: &Structure,
    template: u8,
) -> Option<(u8, bool, FrameDiffs)> {
    if flags.active_targets {
        from.skip(structure.targets().into())?;
    }
    let template = structure.template(template)?;
    let discardable =
        if flags.indications { read_discardable(from, structure.targets())? } else { is_discardable(template) };
    let frame_diffs = if flags.frame_diffs { read_frame_diffs(from)? } else { template_diffs(template)? };
    if flags.chain_diffs {
        from.skip(8 * usize::from(structure.chains()))?;
    }
    Some((template.temporal, discardable, frame_diffs))
}

/// Reads `frame_dtis()`.
fn read_discardable(from: &mut BitReader<'_>, targets: u8) -> Option<bool> {
    let mut discardable = true;
    for _ in 0..targets {
        discardable &= from.bits(2)? < Indication::Switch as u32;
    }
    Some(discardable)
}

fn is_discardable(template: &Template) -> bool {
    let is_reference = |indication: &Indication| matches!(indication, Indication::Switch | Indication::Required);
    !template.indications.iter().any(is_reference)
}

fn template_diffs(template: &Template) -> Option<FrameDiffs> {
    let mut diffs = FrameDiffs::new();
    template.frame_diffs.iter().try_for_each(|diff| diffs.push((*diff).into()))?;
    Some(diffs)
}

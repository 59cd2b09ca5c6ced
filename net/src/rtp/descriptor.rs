//! The Dependency Descriptor: an RTP header extension that tells an SFU, in clear, how frames build on each other
//! (AV1 RTP specification, appendix A). Nothing else about a sealed frame is visible.
//!
//! Our dialect, within the specification: every simulcast stream has a structure of its own, whose template ids begin
//! at eight times its spatial layer, so that each packet alone names its layer.

use super::bits;
use super::structure::{Indication, MAX_REFERENCES, Structure};
use media::{Layer, Size};

/// The extension's name in a session description.
pub const URI: &str = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

/// Template ids of one spatial layer.
const IDS_A_LAYER: u8 = 8;

/// How many temporal layers a stream has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Every frame builds on the one before it.
    L1T1,
    /// Three temporal layers.
    L1T3,
}

/// The three bytes that every packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mandatory {
    /// True on the first packet of a frame.
    pub start: bool,
    /// True on the last packet of a frame.
    pub end: bool,
    /// Which template the frame follows.
    pub template: u8,
    /// The frame's number in its stream, modulo 65 536.
    pub number: u16,
}

impl Mandatory {
    /// Reads the mandatory fields; `None` where there are fewer than three bytes.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        Self::from_bits(&mut bits::Reader::new(bytes))
    }

    /// The simulcast stream's spatial layer.
    pub const fn spatial(self) -> u8 {
        self.template / IDS_A_LAYER
    }

    fn from_bits(from: &mut bits::Reader<'_>) -> Option<Self> {
        let (start, end) = (from.flag()?, from.flag()?);
        let template = from.byte(6)?;
        let number = u16::try_from(from.bits(16)?).ok()?;
        Some(Self { start, end, template, number })
    }

    fn write(self, to: &mut bits::Writer) {
        to.flag(self.start);
        to.flag(self.end);
        to.bits(u32::from(self.template), 6);
        to.bits(u32::from(self.number), 16);
    }
}

/// Bytes that are no descriptor, or one whose structure we never saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes end early or name a template that does not exist.
    #[error("not a dependency descriptor")]
    Malformed,
    /// The packet that carried the structure has not arrived.
    #[error("the template structure is unknown")]
    NoStructure,
}

/// What a descriptor says of its frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// The mandatory fields.
    pub packet: Mandatory,
    /// Temporal layer of the frame.
    pub temporal: u8,
    /// True where no other frame builds on it.
    pub discardable: bool,
    /// How many frames back lie those that this one builds on; none for a key frame.
    pub references: References,
    /// The structure that came with it: a key frame.
    pub structure: Option<Structure>,
}

/// Distances to the frames that one frame builds on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct References {
    back: [u16; MAX_REFERENCES],
    count: usize,
}

impl References {
    /// The distances.
    pub fn as_slice(&self) -> &[u16] {
        &self.back[..self.count]
    }

    fn push(&mut self, back: u16) -> Option<()> {
        *self.back.get_mut(self.count)? = back;
        self.count += 1;
        Some(())
    }
}

impl FromIterator<u16> for References {
    /// Takes the first [`MAX_REFERENCES`].
    fn from_iter<I: IntoIterator<Item = u16>>(distances: I) -> Self {
        let mut references = Self::default();
        for back in distances.into_iter().take(MAX_REFERENCES) {
            let _ = references.push(back);
        }
        references
    }
}

impl Descriptor {
    /// Reads a descriptor. `known` is the structure that came last in its stream.
    ///
    /// # Errors
    /// [`Error`], for any bytes whatever; this function is total.
    pub fn read(bytes: &[u8], known: Option<&Structure>) -> Result<Self, Error> {
        let mut from = bits::Reader::new(bytes);
        let packet = Mandatory::from_bits(&mut from).ok_or(Error::Malformed)?;
        let extended = bytes.len() > MANDATORY_BYTES;
        let flags = if extended { Flags::read(&mut from).ok_or(Error::Malformed)? } else { Flags::default() };
        let structure = if flags.structure { Some(Structure::read(&mut from).ok_or(Error::Malformed)?) } else { None };
        let used = structure.as_ref().or(known).ok_or(Error::NoStructure)?;
        if flags.active {
            from.bits(u32::from(used.targets)).ok_or(Error::Malformed)?;
        }
        let (temporal, references, discardable) = definition(&mut from, flags, used, packet).ok_or(Error::Malformed)?;
        Ok(Self { packet, temporal, discardable, references, structure })
    }
}

/// `frame_dependency_definition()`: temporal layer, references, whether it is discardable.
fn definition(
    from: &mut bits::Reader<'_>,
    flags: Flags,
    structure: &Structure,
    packet: Mandatory,
) -> Option<(u8, References, bool)> {
    let template = structure.template(packet.template)?;
    let discardable = if flags.indications {
        let mut discardable = true;
        for _ in 0..structure.targets {
            discardable &= from.bits(2)? < Indication::Switch as u32;
        }
        discardable
    } else {
        let kept = |indication: &Indication| matches!(indication, Indication::Switch | Indication::Required);
        !template.indications.iter().any(kept)
    };
    let references =
        if flags.references { read_custom_references(from)? } else { template.references.iter().copied().collect() };
    Some((template.temporal, references, discardable))
}

fn read_custom_references(from: &mut bits::Reader<'_>) -> Option<References> {
    let mut references = References::default();
    loop {
        let size = from.bits(2)?;
        if size == 0 {
            return Some(references);
        }
        references.push(u16::try_from(from.bits(4 * size)?).ok()? + 1)?;
    }
}

#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "five flags of the wire format")]
struct Flags {
    structure: bool,
    active: bool,
    indications: bool,
    references: bool,
    chains: bool,
}

impl Flags {
    fn read(from: &mut bits::Reader<'_>) -> Option<Self> {
        Some(Self {
            structure: from.flag()?,
            active: from.flag()?,
            indications: from.flag()?,
            references: from.flag()?,
            chains: from.flag()?,
        })
    }

    fn write(self, to: &mut bits::Writer) {
        for flag in [self.structure, self.active, self.indications, self.references, self.chains] {
            to.flag(flag);
        }
    }
}

/// Which packet of a frame a descriptor is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The frame's first packet.
    pub first: bool,
    /// The frame's last packet.
    pub last: bool,
}

/// Describes the frames of one simulcast stream.
#[derive(Debug)]
pub struct Describer {
    structure: Structure,
    /// The number of the next frame.
    next: u16,
    /// The numbers of the last frames of temporal layers 0 and 1.
    base: Option<u16>,
    middle: Option<u16>,
}

/// A frame that has a number and a template, ready to be put on packets.
#[derive(Clone, Copy, Debug)]
pub struct Described {
    template: u8,
    number: u16,
    references: References,
    chain: u8,
    flags: Flags,
}

impl Describer {
    /// Describes the stream of one spatial layer, 0..=7.
    pub fn new(spatial: u8, shape: Shape) -> Self {
        let offset = spatial.min(7) * IDS_A_LAYER;
        let structure = match shape {
            Shape::L1T1 => Structure::l1t1(offset),
            Shape::L1T3 => Structure::l1t3(offset),
        };
        Self { structure, next: 0, base: None, middle: None }
    }

    /// Gives the next frame of the stream its number and template. A frame that is not key needs a key frame before it
    /// and comes back `None` without one: nobody could decode it.
    pub fn describe(&mut self, layer: Layer, key: bool, size: Size) -> Option<Described> {
        let number = self.next;
        let chain = self.base.map_or(0, |base| number.wrapping_sub(base));
        let described = if key {
            self.structure.sizes = vec![size];
            (self.base, self.middle) = (Some(number), None);
            let flags = Flags { structure: true, ..Flags::default() };
            Described { template: self.structure.offset, number, references: References::default(), chain: 0, flags }
        } else {
            let back = number.wrapping_sub(self.parent(layer.temporal)?);
            // A stream of one temporal layer has no other template than the first two.
            let temporal = if self.structure.targets == 1 { 0 } else { layer.temporal.min(2) };
            match temporal {
                0 => self.base = Some(number),
                1 => self.middle = Some(number),
                _ => {}
            }
            self.follow(number, temporal, back, u8::try_from(chain).unwrap_or(u8::MAX))
        };
        self.next = number.wrapping_add(1);
        Some(described)
    }

    /// The bytes for one packet of `frame`.
    pub fn bytes(&self, frame: &Described, part: Part) -> Vec<u8> {
        let mut to = bits::Writer::with_capacity(24);
        self.write(frame, part, &mut to);
        to.finish()
    }

    /// Writes the bytes for one packet of `frame`.
    pub fn write(&self, frame: &Described, part: Part, to: &mut bits::Writer) {
        let mandatory = Mandatory { start: part.first, end: part.last, template: frame.template, number: frame.number };
        mandatory.write(to);
        let flags = frame.flags;
        if part.first && (flags.structure || flags.references || flags.chains) {
            flags.write(to);
            if flags.structure {
                self.structure.write(to);
            }
            if flags.references {
                write_custom_references(to, frame.references);
            }
            if flags.chains {
                to.bits(u32::from(frame.chain), 8);
            }
        }
    }

    /// What a frame of `temporal` builds on: the last frame of a lower layer, or of the lowest one for itself.
    fn parent(&self, temporal: u8) -> Option<u16> {
        let base = self.base?;
        let middle = self.middle.filter(|middle| middle.wrapping_sub(base) < 0x8000);
        Some(if temporal >= 2 && self.structure.targets > 1 { middle.unwrap_or(base) } else { base })
    }

    /// The template that fits best, with what differs from it.
    fn follow(&self, number: u16, temporal: u8, back: u16, chain: u8) -> Described {
        let fits = |index: usize| {
            let template = &self.structure.templates[index];
            template.references == [back] && template.chains == [chain]
        };
        let mut candidates =
            (1..self.structure.templates.len()).filter(|index| self.structure.templates[*index].temporal == temporal);
        let first = candidates.clone().next().unwrap_or(1);
        let index = candidates.find(|index| fits(*index)).unwrap_or(first);
        let template = &self.structure.templates[index];
        let flags =
            Flags { references: template.references != [back], chains: template.chains != [chain], ..Flags::default() };
        let id = self.structure.offset + u8::try_from(index).unwrap_or(0);
        Described { template: id, number, references: [back].into_iter().collect(), chain, flags }
    }
}

fn write_custom_references(to: &mut bits::Writer, references: References) {
    for back in references.as_slice() {
        let value = u32::from(*back) - 1;
        let size = if value < 1 << 4 {
            1
        } else if value < 1 << 8 {
            2
        } else {
            3
        };
        to.bits(size, 2);
        to.bits(value.min(0xfff), 4 * size);
    }
    to.bits(0, 2);
}

/// Bytes of the mandatory fields.
const MANDATORY_BYTES: usize = 3;

#[cfg(test)]
#[path = "descriptor_tests.rs"]
mod tests;

//! Reads the Dependency Descriptor (AV1 RTP payload format, appendix A): all that the SFU needs to know of a frame.
//!
//! Total over untrusted bytes: anything that is not a descriptor is an error, never a panic, and allocates at most one
//! structure of 64 templates.

/// What a packet's descriptor says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// The packet is the first of its frame.
    pub start: bool,
    /// The packet is the last of its frame.
    pub end: bool,
    /// The frame's number, which wraps.
    pub frame_number: u16,
    /// The spatial layer within the stream.
    pub spatial: u8,
    /// The temporal layer.
    pub temporal: u8,
    /// The frame refers to no other one.
    pub independent: bool,
    /// The templates that this and later packets refer to, where the packet carries them.
    pub structure: Option<Structure>,
}

/// The template dependency structure of a stream. It holds until the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Structure {
    offset: u8,
    targets: u8,
    templates: Vec<Template>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Template {
    spatial: u8,
    temporal: u8,
    references: u8,
}

/// Bytes that are no descriptor, or one whose structure has not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a dependency descriptor")]
pub struct Malformed;

impl Descriptor {
    /// Reads one. `known` is the stream's last structure, which a descriptor without one refers to.
    ///
    /// # Errors
    /// [`Malformed`] where the bytes end early or name a template that there is not.
    pub fn read(bytes: &[u8], known: Option<&Structure>) -> Result<Self, Malformed> {
        read(&mut Bits::new(bytes), known).ok_or(Malformed)
    }
}

fn read(bits: &mut Bits<'_>, known: Option<&Structure>) -> Option<Descriptor> {
    let (start, end) = (bits.flag()?, bits.flag()?);
    let template_id = bits.small(6)?;
    let frame_number = u16::from(bits.small(8)?) << 8 | u16::from(bits.small(8)?);
    let mut structure = None;
    let (mut custom_targets, mut custom_references) = (false, false);
    if bits.left() > 0 {
        let (has_structure, has_active) = (bits.flag()?, bits.flag()?);
        (custom_targets, custom_references) = (bits.flag()?, bits.flag()?);
        // Whether chains are custom: they come last and are of no use here.
        bits.flag()?;
        if has_structure {
            structure = Some(read_structure(bits)?);
        }
        if has_active {
            bits.skip(usize::from(structure.as_ref().or(known)?.targets))?;
        }
    }
    let current = structure.as_ref().or(known)?;
    let index = (template_id + 64 - current.offset) % 64;
    let template = current.templates.get(usize::from(index))?;
    if custom_targets {
        bits.skip(2 * usize::from(current.targets))?;
    }
    let references = if custom_references { read_references(bits)? } else { template.references };
    let (spatial, temporal) = (template.spatial, template.temporal);
    Some(Descriptor { start, end, frame_number, spatial, temporal, independent: references == 0, structure })
}

fn read_structure(bits: &mut Bits<'_>) -> Option<Structure> {
    let offset = bits.small(6)?;
    let targets = bits.small(5)? + 1;
    let mut templates = read_layers(bits)?;
    bits.skip(2 * usize::from(targets) * templates.len())?;
    for template in &mut templates {
        while bits.flag()? {
            bits.skip(4)?;
            template.references = template.references.saturating_add(1);
        }
    }
    let chains = bits.take_below(u32::from(targets) + 1)?;
    if chains > 0 {
        for _ in 0..targets {
            bits.take_below(chains)?;
        }
        (0..chains).try_for_each(|_| bits.skip(4 * templates.len()))?;
    }
    if bits.flag()? {
        let spatial_layers = usize::from(templates.iter().map(|template| template.spatial).max()?) + 1;
        bits.skip(32 * spatial_layers)?;
    }
    Some(Structure { offset, targets, templates })
}

fn read_layers(bits: &mut Bits<'_>) -> Option<Vec<Template>> {
    let (mut spatial, mut temporal) = (0, 0);
    let mut templates = Vec::new();
    loop {
        if templates.len() == MAX_TEMPLATES {
            return None;
        }
        templates.push(Template { spatial, temporal, references: 0 });
        match bits.small(2)? {
            0 => {}
            1 => temporal += 1,
            2 => (spatial, temporal) = (spatial + 1, 0),
            _ => break,
        }
        if spatial > MAX_LAYER || temporal > MAX_LAYER {
            return None;
        }
    }
    Some(templates)
}

/// Frame differences that replace the template's; how many there are.
fn read_references(bits: &mut Bits<'_>) -> Option<u8> {
    let mut references = 0_u8;
    loop {
        let nibbles = usize::from(bits.small(2)?);
        if nibbles == 0 {
            return Some(references);
        }
        bits.skip(4 * nibbles)?;
        references = references.saturating_add(1);
    }
}

/// Bits of a byte string, the most significant first.
struct Bits<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Bits<'b> {
    fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn left(&self) -> usize {
        self.bytes.len() * 8 - self.at
    }

    /// The next `count` bits, 32 at most.
    fn take(&mut self, count: u32) -> Option<u32> {
        if self.left() < count as usize {
            return None;
        }
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    /// The next `count` bits, 8 at most.
    fn small(&mut self, count: u32) -> Option<u8> {
        u8::try_from(self.take(count)?).ok()
    }

    fn flag(&mut self) -> Option<bool> {
        Some(self.take(1)? == 1)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        let enough = self.left() >= count;
        enough.then(|| self.at += count)
    }

    /// A number below `count`, in as few bits as its value needs: `ns(n)` of the AV1 specification, section 4.10.7.
    fn take_below(&mut self, count: u32) -> Option<u32> {
        let width = u32::BITS - count.leading_zeros();
        let shorter = (1 << width) - count;
        let value = self.take(width - 1)?;
        if value < shorter { Some(value) } else { Some((value << 1) - shorter + self.take(1)?) }
    }
}

/// The template number has six bits.
const MAX_TEMPLATES: usize = 64;

/// Spatial layers end at 3, temporal ones at 7 (appendix A.8.2).
const MAX_LAYER: u8 = 7;

#[cfg(test)]
mod tests;

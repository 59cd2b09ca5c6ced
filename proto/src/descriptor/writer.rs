//! Writes the descriptors of one simulcast stream: numbers its frames and chooses their templates.

use super::bits::BitWriter;
use super::fields::{Flags, FrameDiffs, IDS_PER_LAYER, Mandatory, write_frame_diffs};
use super::structure::{Resolution, Structure};

/// The number of temporal layers of a stream, by its name in the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalabilityMode {
    /// One temporal layer: each frame depends on the one before it.
    L1T1,
    /// Three temporal layers.
    L1T3,
}

/// The position of a packet in its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketPosition {
    /// True for the frame's first packet.
    pub first: bool,
    /// True for the frame's last packet.
    pub last: bool,
}

/// Writes the descriptors of one simulcast stream. Frames are described in the order in which they are sent.
#[derive(Debug)]
pub struct DescriptorWriter {
    structure: Structure,
    /// The number of the next frame.
    next: u16,
    /// The numbers of the last frames of temporal layers 0 and 1.
    last_t0: Option<u16>,
    last_t1: Option<u16>,
}

/// A frame with its number and template.
#[derive(Clone, Copy, Debug)]
pub struct FrameDescriptor {
    template: u8,
    number: u16,
    frame_diffs: FrameDiffs,
    chain_diff: u8,
    flags: Flags,
}

impl DescriptorWriter {
    /// Returns a writer for the stream of one spatial layer, 0..=7.
    pub fn new(spatial: u8, mode: ScalabilityMode) -> Self {
        let template_offset = spatial.min(7) * IDS_PER_LAYER;
        let structure = match mode {
            ScalabilityMode::L1T1 => Structure::l1t1(template_offset),
            ScalabilityMode::L1T3 => Structure::l1t3(template_offset),
        };
        Self { structure, next: 0, last_t0: None, last_t1: None }
    }

    /// Describes the next frame of the stream, which depends on no other one.
    pub fn key_frame(&mut self, resolution: Resolution) -> FrameDescriptor {
        let number = self.number();
        self.structure = self.structure.clone().with_resolution(resolution);
        (self.last_t0, self.last_t1) = (Some(number), None);
        let flags = Flags { structure: true, ..Flags::default() };
        let template = self.structure.template_offset();
        FrameDescriptor { template, number, frame_diffs: FrameDiffs::new(), chain_diff: 0, flags }
    }

    /// Describes the next frame of the stream, of the temporal layer `temporal`. Returns `None` if no receiver could
    /// decode it: there was no key frame, or the frame that it depends on is more than 4096 frames back.
    pub fn delta_frame(&mut self, temporal: u8) -> Option<FrameDescriptor> {
        // A stream of one temporal layer has no other template than the first two.
        let temporal = if self.structure.targets() == 1 { 0 } else { temporal.min(2) };
        let diff = self.next.wrapping_sub(self.dependency(temporal)?);
        if !(1..=MAX_DIFF).contains(&diff) {
            return None;
        }
        let number = self.number();
        let chain_diff = self.last_t0.map_or(0, |last| number.wrapping_sub(last));
        match temporal {
            0 => self.last_t0 = Some(number),
            1 => self.last_t1 = Some(number),
            _ => {}
        }
        Some(self.choose_template(number, temporal, diff, u8::try_from(chain_diff).unwrap_or(u8::MAX)))
    }

    /// Returns the descriptor of one packet of `frame`.
    pub fn bytes(&self, frame: &FrameDescriptor, position: PacketPosition) -> Vec<u8> {
        let mut to = BitWriter::default();
        self.write(frame, position, &mut to);
        to.into_bytes()
    }

    /// Writes the descriptor of one packet of `frame`.
    pub fn write(&self, frame: &FrameDescriptor, position: PacketPosition, to: &mut BitWriter) {
        let PacketPosition { first, last } = position;
        Mandatory { start: first, end: last, template: frame.template, number: frame.number }.write(to);
        let flags = frame.flags;
        if !first || !(flags.structure || flags.frame_diffs || flags.chain_diffs) {
            return;
        }
        flags.write(to);
        if flags.structure {
            self.structure.write(to);
        }
        if flags.frame_diffs {
            write_frame_diffs(to, frame.frame_diffs);
        }
        if flags.chain_diffs {
            to.bits(u32::from(frame.chain_diff), 8);
        }
    }

    fn number(&mut self) -> u16 {
        let number = self.next;
        self.next = number.wrapping_add(1);
        number
    }

    /// Returns the number of the frame that the next frame of `temporal` depends on: the last one of a lower temporal
    /// layer, or of layer 0 itself.
    fn dependency(&self, temporal: u8) -> Option<u16> {
        let base = self.last_t0?;
        let newer = self.last_t1.filter(|last| last.wrapping_sub(base) < 0x8000);
        Some(if temporal == 2 { newer.unwrap_or(base) } else { base })
    }

    /// Chooses a template of the layer that has the same differences. If there is none, chooses the layer's first
    /// template, and sets the flags for the differences that it lacks.
    fn choose_template(&self, number: u16, temporal: u8, diff: u16, chain_diff: u8) -> FrameDescriptor {
        let mut chosen = None;
        // The first template is for key frames.
        for (id, template) in (self.structure.template_offset()..).zip(self.structure.templates()).skip(1) {
            if template.temporal != temporal {
                continue;
            }
            let frame_diffs = !template.frame_diffs.iter().map(|diff| u16::from(*diff)).eq([diff]);
            let chain_diffs = *template.chain_diffs != [chain_diff];
            let flags = Flags { frame_diffs, chain_diffs, ..Flags::default() };
            if !frame_diffs && !chain_diffs {
                chosen = Some((id, flags));
                break;
            }
            chosen.get_or_insert((id, flags));
        }
        // Each temporal layer of both modes has a template.
        let (template, flags) = chosen.unwrap_or_default();
        FrameDescriptor { template, number, frame_diffs: FrameDiffs::of([diff]), chain_diff, flags }
    }
}

/// The largest frame difference in a descriptor: it has twelve bits, and zero is not used.
const MAX_DIFF: u16 = 4_096;

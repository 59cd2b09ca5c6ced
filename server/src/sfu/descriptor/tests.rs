//! Descriptors as our senders write them, and as nobody should.

use super::*;

/// Writes bits, the most significant first.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
    used: usize,
}

impl Writer {
    fn put(mut self, value: u32, count: u32) -> Self {
        for bit in (0..count).rev() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let last = self.bytes.len() - 1;
            self.bytes[last] |= ((value >> bit & 1) as u8) << (7 - self.used % 8);
            self.used += 1;
        }
        self
    }
}

/// The descriptor of a packet of an L1T3 stream: template 0 is the key frame, 1..=3 the temporal layers 0, 1 and 2.
/// With `structure`, as on key frames.
pub fn l1t3(start: bool, end: bool, template: u8, number: u16, structure: bool) -> Vec<u8> {
    let writer = Writer::default().put(start.into(), 1).put(end.into(), 1);
    let writer = writer.put(template.into(), 6).put(number.into(), 16);
    if !structure {
        return writer.bytes;
    }
    let writer = writer.put(0b1_0000, 5).put(0, 6).put(2, 5);
    // Layers: T0 (key), T0, T1, T2, end.
    let writer = writer.put(0, 2).put(1, 2).put(1, 2).put(3, 2);
    let writer = (0..12).fold(writer, |writer, _| writer.put(2, 2));
    // References: none; 4; 2; 1.
    let writer =
        writer.put(0, 1).put(1, 1).put(3, 4).put(0, 1).put(1, 1).put(1, 4).put(0, 1).put(1, 1).put(0, 4).put(0, 1);
    // One chain protects all three targets: ns(4) = 1, ns(1) three times takes no bits.
    let writer = writer.put(0b01, 2);
    let writer = (0..4).fold(writer, |writer, _| writer.put(0, 4));
    // Resolutions: 320x180.
    writer.put(1, 1).put(319, 16).put(179, 16).bytes
}

#[test]
fn a_key_frame_brings_the_structure_that_later_packets_refer_to() {
    let key = Descriptor::read(&l1t3(true, false, 0, 7, true), None).expect("a descriptor");
    assert!(key.start && !key.end && key.independent);
    assert_eq!((key.frame_number, key.spatial, key.temporal), (7, 0, 0));
    let structure = key.structure.expect("on key frames");
    assert_eq!((structure.targets, structure.templates.len()), (3, 4));
    for (template, temporal) in [(1, 0), (2, 1), (3, 2)] {
        let delta = Descriptor::read(&l1t3(true, true, template, 65_535, false), Some(&structure)).expect("known");
        assert_eq!((delta.temporal, delta.independent, delta.frame_number), (temporal, false, 65_535));
        assert_eq!(delta.structure, None);
    }
}

#[test]
fn a_template_offset_wraps() {
    let structure = Descriptor::read(&l1t3(true, true, 0, 0, true), None).expect("one").structure.expect("there");
    let shifted = Structure { offset: 62, ..structure };
    let read = |template| Descriptor::read(&l1t3(true, true, template, 0, false), Some(&shifted));
    assert_eq!(read(62).map(|read| (read.temporal, read.independent)), Ok((0, true)));
    assert_eq!(read(1).map(|read| read.temporal), Ok(2));
    assert_eq!(read(2), Err(Malformed));
}

#[test]
fn custom_references_replace_the_template() {
    let structure = Descriptor::read(&l1t3(true, true, 0, 0, true), None).expect("one").structure.expect("there");
    let custom = |references: &[(u32, u32)]| {
        let writer = Writer::default().put(3, 2).put(2, 6).put(9, 16).put(0b0_0010, 5);
        let writer = references.iter().fold(writer, |writer, (size, value)| writer.put(*size, 2).put(*value, 4 * size));
        Descriptor::read(&writer.put(0, 2).bytes, Some(&structure)).map(|read| read.independent)
    };
    assert_eq!(custom(&[]), Ok(true));
    assert_eq!(custom(&[(1, 3), (3, 4_000)]), Ok(false));
}

#[test]
fn every_truncation_is_refused_or_read_without_the_structure() {
    let whole = l1t3(true, false, 0, 7, true);
    let structure = Descriptor::read(&whole, None).expect("one").structure;
    for length in 0..whole.len() {
        assert_eq!(Descriptor::read(&whole[..length], None), Err(Malformed), "{length}");
        let known = Descriptor::read(&whole[..length], structure.as_ref());
        // Three bytes are a descriptor of their own; anything between them and the whole is neither.
        assert_eq!(known.is_ok(), length == 3, "{length}");
    }
}

#[test]
fn any_bytes_are_read_or_refused() {
    let structure = Descriptor::read(&l1t3(true, true, 0, 0, true), None).expect("one").structure;
    let mut state = 0x9e37_79b9_u32;
    for _ in 0..50_000 {
        let mut bytes = [0_u8; 40];
        for byte in &mut bytes {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            *byte = state as u8;
        }
        let length = state as usize % 41;
        let _ = Descriptor::read(&bytes[..length], structure.as_ref());
        let _ = Descriptor::read(&bytes[..length], None);
    }
}

#[test]
fn numbers_in_as_few_bits_as_they_need() {
    // ns(5): 0..=2 in two bits, 3 and 4 in three.
    for (value, bits, width) in [(0, 0b00, 2), (2, 0b10, 2), (3, 0b110, 3), (4, 0b111, 3)] {
        let written = Writer::default().put(bits, width).put(0, 8);
        let mut read = Bits::new(&written.bytes);
        assert_eq!((read.take_below(5), read.at as u32), (Some(value), width));
    }
    assert_eq!(Bits::new(&[]).take_below(1), Some(0));
}

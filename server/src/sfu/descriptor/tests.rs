//! Descriptors as our senders write them, and as nobody should.

use super::*;
use crate::bench::{Bits as Writer, l1t3};

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
        let mut writer = Writer::default();
        writer.put(3, 2).put(2, 6).put(9, 16).put(0b0_0010, 5);
        for (size, value) in references {
            writer.put(*size, 2).put(*value, 4 * size);
        }
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
            *byte = state.to_be_bytes()[0];
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
        let mut written = Writer::default();
        written.put(bits, width).put(0, 8);
        let mut read = Bits::new(&written.bytes);
        assert_eq!((read.take_below(5), read.at), (Some(value), width as usize));
    }
    assert_eq!(Bits::new(&[]).take_below(1), Some(0));
}

//! Tests with the bytes of another implementation, our own bytes, and damaged ones.

use super::*;

/// L1T3 from Chromium (issues.webrtc.org/42225660): frame 303, first packet of a key frame.
const L1T3: [u8; 16] = [0x80, 0x01, 0x2f, 0x80, 0x02, 0x14, 0xea, 0xa8, 0x60, 0x41, 0x4d, 0x14, 0x10, 0x20, 0x84, 0x26];

/// L3T3 from Chromium with sizes: frame 370.
const L3T3: &str = "c1017280081485214eafffaaaa863cf0430c10c302afc0aaa0063c00430010c002a000a80006000040001d954926e082b04a0941b\
                    820ac1282503157f974000ca864330e222222eca8655304224230eca877530077004200ef008601df010d";

const WHOLE: PacketPosition = PacketPosition { first: true, last: true };

fn hex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| u8::try_from((byte as char).to_digit(16).unwrap()).unwrap();
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// Returns the structure in [`L1T3`] with another template offset.
fn l1t3_at(offset: u8) -> Structure {
    let mut bits = BitWriter::default();
    Structure::l1t3(offset).write(&mut bits);
    Structure::read(&mut BitReader::new(bits.as_bytes())).unwrap()
}

/// Returns the descriptor of a frame in one packet, with `fields` after the mandatory ones.
fn extended(template: u32, fields: &[(u32, u32)]) -> Vec<u8> {
    let mut bits = BitWriter::default();
    [(3, 2), (template, 6), (9, 16)].iter().chain(fields).for_each(|(value, count)| bits.bits(*value, *count));
    bits.into_bytes()
}

/// Returns the temporal layer of a frame in an L1T3 stream that skips no frame.
fn temporal(number: u16) -> u8 {
    [0, 2, 1, 2][usize::from(number % 4)]
}

#[test]
fn the_structure_is_written_as_chromium_writes_it() {
    let mut bits = BitWriter::default();
    Mandatory { start: true, end: false, template: 0, number: 303 }.write(&mut bits);
    fields::Flags { structure: true, ..fields::Flags::default() }.write(&mut bits);
    Structure::l1t3(0).write(&mut bits);
    assert_eq!(bits.as_bytes(), L1T3);
}

#[test]
fn a_structure_of_chromium_is_read() {
    let read = Descriptor::read(&L1T3, None).unwrap();
    assert_eq!(read.packet, Mandatory { start: true, end: false, template: 0, number: 303 });
    assert_eq!(read.structure, Some(Structure::l1t3(0)));
    assert!(read.frame_diffs.is_empty() && !read.discardable && read.temporal == 0);
}

#[test]
fn a_stream_with_three_spatial_layers_is_read() {
    let first = Descriptor::read(&hex(L3T3), None).unwrap();
    let structure = first.structure.unwrap();
    assert_eq!((structure.targets(), structure.chains()), (9, 3));
    let sizes = [(120, 67), (240, 135), (480, 270)].map(|(width, height)| Resolution { width, height });
    assert_eq!(structure.resolutions(), sizes);
    // (descriptor, start, end, frame) of the packets that followed it in the capture.
    let followers =
        [("86017340fc", true, false, 371), ("46017340fc", false, true, 371), ("c3017540fc", true, true, 373)];
    for (text, start, end, number) in followers {
        let read = Descriptor::read(&hex(text), Some(&structure)).unwrap();
        assert_eq!((read.packet.start, read.packet.end, read.packet.number), (start, end, number));
    }
    assert_eq!(Descriptor::read(&hex("860173"), None), Err(Error::NoStructure));
}

#[test]
fn every_structure_that_is_read_is_written_the_same() {
    for bytes in [L1T3.to_vec(), hex(L3T3)] {
        let structure = Descriptor::read(&bytes, None).unwrap().structure.unwrap();
        let mut bits = BitWriter::default();
        structure.write(&mut bits);
        assert_eq!(Structure::read(&mut BitReader::new(bits.as_bytes())), Some(structure));
    }
}

#[test]
fn a_truncated_descriptor_is_refused_unless_three_bytes_are_left() {
    for whole in [L1T3.to_vec(), hex(L3T3)] {
        for length in 0..whole.len() {
            let read = Descriptor::read(&whole[..length], Some(&Structure::l1t3(0)));
            assert_eq!(read.is_ok(), length == MANDATORY_BYTES, "{length} of {} bytes: {read:?}", whole.len());
            assert!(Descriptor::read(&whole[..length], None).is_err());
        }
    }
}

#[test]
fn no_flipped_bit_panics() {
    for whole in [L1T3.to_vec(), hex(L3T3)] {
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 0x80 >> (bit % 8);
            let _ = Descriptor::read(&bytes, None);
            let _ = Descriptor::read(&bytes, Some(&Structure::l1t1(9)));
        }
    }
}

#[test]
fn a_template_offset_wraps() {
    let structure = l1t3_at(62);
    let read = |template: u32| Descriptor::read(&extended(template, &[]), Some(&structure));
    assert_eq!(read(62).map(|read| (read.temporal, read.frame_diffs.len())), Ok((0, 0)));
    assert_eq!(read(1).map(|read| read.temporal), Ok(2));
    assert_eq!(read(3), Err(Error::Malformed));
}

#[test]
fn custom_frame_diffs_replace_the_templates() {
    let structure = Structure::l1t3(0);
    let read = |diffs: &[(u32, u32)]| {
        let mut fields = vec![(0b0_0010, 5)];
        fields.extend(diffs.iter().flat_map(|(nibbles, value)| [(*nibbles, 2), (*value, 4 * nibbles)]));
        fields.push((0, 2));
        Descriptor::read(&extended(2, &fields), Some(&structure)).map(|read| read.frame_diffs.to_vec())
    };
    assert_eq!(read(&[]), Ok(vec![]));
    assert_eq!(read(&[(1, 3), (3, 4_000)]), Ok(vec![4, 4_001]));
    assert_eq!(read(&[(1, 0); MAX_FRAME_DIFFS]).map(|diffs| diffs.len()), Ok(MAX_FRAME_DIFFS));
    assert_eq!(read(&[(1, 0); MAX_FRAME_DIFFS + 1]), Err(Error::Malformed));
}

#[test]
fn custom_indications_decide_what_is_discardable() {
    let structure = Structure::l1t3(0);
    let read = |indications: u32| {
        let bytes = extended(2, &[(0b0_0100, 5), (indications, 6)]);
        Descriptor::read(&bytes, Some(&structure)).map(|read| read.discardable)
    };
    assert_eq!(read(0b00_01_01), Ok(true));
    assert_eq!(read(0b00_01_10), Ok(false));
    assert_eq!(read(0b11_00_00), Ok(false));
}

#[test]
fn truncated_custom_chain_diffs_are_refused() {
    let structure = Structure::l1t3(0);
    let read = |bits: u32| Descriptor::read(&extended(2, &[(0b0_0001, 5), (0, bits)]), Some(&structure));
    assert!(read(8).is_ok());
    assert_eq!(read(3), Err(Error::Malformed));
}

#[test]
fn too_many_layers_or_templates_are_refused() {
    let layers = |steps: &[u32]| {
        let mut bits = BitWriter::default();
        // Template offset 0, one decode target.
        bits.bits(0, 11);
        for step in steps {
            bits.bits(*step, 2);
        }
        // Indications, no frame diffs, no chains, no sizes.
        (0..100).for_each(|_| bits.bits(0, 8));
        Structure::read(&mut BitReader::new(bits.as_bytes())).map(|structure| structure.templates().len())
    };
    assert_eq!(layers(&[2, 2, 2, 3]), Some(4));
    assert_eq!(layers(&[2, 2, 2, 2, 3]), None);
    assert_eq!(layers(&[1, 1, 1, 1, 1, 1, 1, 3]), Some(8));
    assert_eq!(layers(&[1, 1, 1, 1, 1, 1, 1, 1, 3]), None);
    assert_eq!(layers(&[[0; 63].as_slice(), &[3]].concat()), Some(64));
    assert_eq!(layers(&[[0; 64].as_slice(), &[3]].concat()), None);
}

#[test]
fn a_stream_without_skipped_frames_needs_three_bytes_per_packet() {
    let mut writer = DescriptorWriter::new(2, ScalabilityMode::L1T3);
    let resolution = Resolution { width: 1_280, height: 720 };
    let mut known = None;
    for number in 0..64_u16 {
        let frame = match number {
            0 => writer.key_frame(resolution),
            _ => writer.delta_frame(temporal(number)).unwrap(),
        };
        let bytes = writer.bytes(&frame, WHOLE);
        assert_eq!(bytes.len(), if number == 0 { 20 } else { 3 });
        let read = Descriptor::read(&bytes, known.as_ref()).unwrap();
        assert_eq!((read.packet.number, read.temporal, read.packet.spatial()), (number, temporal(number), 2));
        assert_eq!(read.discardable, temporal(number) == 2);
        if let Some(structure) = read.structure {
            assert_eq!(structure.resolutions(), [resolution]);
            known = Some(structure);
        }
    }
}

#[test]
fn frames_that_were_skipped_become_custom_frame_diffs() {
    let mut writer = DescriptorWriter::new(0, ScalabilityMode::L1T3);
    let key = writer.key_frame(Resolution::default());
    let known = Descriptor::read(&writer.bytes(&key, WHOLE), None).unwrap().structure;
    // The encoder skips the two discardable frames: T0, T1, T0.
    for (temporal, back) in [(1, 1), (0, 2), (2, 1), (0, 2)] {
        let frame = writer.delta_frame(temporal).unwrap();
        let bytes = writer.bytes(&frame, WHOLE);
        let read = Descriptor::read(&bytes, known.as_ref()).unwrap();
        assert_eq!((read.temporal, &*read.frame_diffs), (temporal, &[back][..]));
        assert!(bytes.len() <= 6);
    }
}

#[test]
fn no_frame_is_described_before_a_key_frame_or_too_far_behind_one() {
    let mut writer = DescriptorWriter::new(0, ScalabilityMode::L1T1);
    assert!(writer.delta_frame(0).is_none());
    writer.key_frame(Resolution::default());
    let frame = writer.delta_frame(2).unwrap();
    assert_eq!(writer.bytes(&frame, PacketPosition { first: false, last: true }), [0x41, 0, 1]);
    let mut layered = DescriptorWriter::new(0, ScalabilityMode::L1T3);
    layered.key_frame(Resolution::default());
    assert_eq!((0..5_000).take_while(|_| layered.delta_frame(2).is_some()).count(), usize::from(4_096_u16));
}

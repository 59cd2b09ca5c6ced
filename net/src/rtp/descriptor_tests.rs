//! Oracles: bytes that other implementations put on the wire.

use super::*;

/// L1T3 from Chromium (issues.webrtc.org/42225660): frame 303, first packet of a key frame.
const L1T3: [u8; 16] = [0x80, 0x01, 0x2f, 0x80, 0x02, 0x14, 0xea, 0xa8, 0x60, 0x41, 0x4d, 0x14, 0x10, 0x20, 0x84, 0x26];

/// L3T3 from Chromium with sizes: frame 370.
const L3T3: &str = "c1017280081485214eafffaaaa863cf0430c10c302afc0aaa0063c00430010c002a000a80006000040001d954926e082b04a0941b\
                    820ac1282503157f974000ca864330e222222eca8655304224230eca877530077004200ef008601df010d";

fn hex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| u8::try_from((byte as char).to_digit(16).unwrap()).unwrap();
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn layer(temporal: u8) -> Layer {
    Layer { spatial: 0, temporal }
}

/// The numbers 0.. of frames with the temporal layers of an L1T3 stream that skips none.
fn dyadic(number: u16) -> u8 {
    [0, 2, 1, 2][usize::from(number % 4)]
}

#[test]
fn the_first_packet_of_a_key_frame_is_chromiums_to_the_bit() {
    let mut describer = Describer::new(0, Shape::L1T3);
    describer.next = 303;
    let frame = describer.describe(layer(0), true, Size::default()).unwrap();
    describer.structure.sizes.clear();
    assert_eq!(describer.bytes(&frame, Part { first: true, last: false }), L1T3);
}

#[test]
fn chromiums_bytes_are_understood() {
    let read = Descriptor::read(&L1T3, None).unwrap();
    assert_eq!(read.packet, Mandatory { start: true, end: false, template: 0, number: 303 });
    assert_eq!(read.structure, Some(Structure::l1t3(0)));
    assert!(read.references.as_slice().is_empty() && !read.discardable && read.temporal == 0);
}

#[test]
fn a_stream_with_three_spatial_layers_is_understood() {
    let first = Descriptor::read(&hex(L3T3), None).unwrap();
    let structure = first.structure.unwrap();
    assert_eq!((structure.targets, structure.chains()), (9, 3));
    assert_eq!(structure.sizes, [Size::new(120, 67), Size::new(240, 135), Size::new(480, 270)]);
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
fn every_truncation_is_an_error_or_a_descriptor_and_never_a_panic() {
    for whole in [L1T3.to_vec(), hex(L3T3)] {
        for length in 0..whole.len() {
            let read = Descriptor::read(&whole[..length], Some(&Structure::l1t3(0)));
            assert!(length == MANDATORY_BYTES || read.is_err(), "{length} of {} bytes: {read:?}", whole.len());
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
fn a_full_stream_needs_three_bytes_a_packet() {
    let mut describer = Describer::new(2, Shape::L1T3);
    let mut known = None;
    for number in 0..64u16 {
        let key = number == 0;
        let frame = describer.describe(layer(dyadic(number)), key, Size::new(1280, 720)).unwrap();
        let bytes = describer.bytes(&frame, Part { first: true, last: true });
        assert_eq!(bytes.len(), if key { 20 } else { 3 });
        let read = Descriptor::read(&bytes, known.as_ref()).unwrap();
        assert_eq!((read.packet.number, read.temporal, read.packet.spatial()), (number, dyadic(number), 2));
        assert_eq!(read.discardable, dyadic(number) == 2);
        if let Some(structure) = read.structure {
            assert_eq!(structure.sizes, [Size::new(1280, 720)]);
            known = Some(structure);
        }
    }
}

#[test]
fn frames_that_were_skipped_are_told_as_custom_references() {
    let mut describer = Describer::new(0, Shape::L1T3);
    let key = describer.describe(layer(0), true, Size::default()).unwrap();
    let known = Descriptor::read(&describer.bytes(&key, Part { first: true, last: true }), None).unwrap().structure;
    // The encoder skips the two discardable frames: T0, T1, T0.
    let expect = [(1, 1), (0, 2), (2, 1), (0, 2)];
    for (temporal, back) in expect {
        let frame = describer.describe(layer(temporal), false, Size::default()).unwrap();
        let bytes = describer.bytes(&frame, Part { first: true, last: true });
        let read = Descriptor::read(&bytes, known.as_ref()).unwrap();
        assert_eq!((read.temporal, read.references.as_slice()), (temporal, &[back][..]));
        assert!(bytes.len() <= 6);
    }
}

#[test]
fn nothing_is_described_before_a_key_frame() {
    let mut describer = Describer::new(0, Shape::L1T1);
    assert!(describer.describe(layer(0), false, Size::default()).is_none());
    assert!(describer.describe(layer(0), true, Size::default()).is_some());
    let frame = describer.describe(layer(2), false, Size::default()).unwrap();
    assert_eq!(describer.bytes(&frame, Part { first: false, last: true }), [0x41, 0, 1]);
}

//! The test vectors of RFC 9605, and interoperability with the `sframe` crate in both directions.

use super::{base_key, picture, ring, sound};
use crate::frame::{Aad, Class, Key, Prefix, SframeHeader};
use crate::{Leaf, Opener, ReceivedFrame, Sealer};
use media::{Buffer, Clock};
use proto::Slot;
use serde_json::Value;
use sframe::CipherSuite;
use sframe::frame::{EncryptedFrameView, MediaFrameView, MonotonicCounter};
use sframe::key::{DecryptionKey, EncryptionKey};

const VECTORS: &str = include_str!("../../tests/vectors/rfc9605.json");

#[test]
fn headers_match_the_vectors_of_rfc_9605() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let cases = vectors["header"].as_array().unwrap();
    assert_eq!(cases.len(), 289);
    for case in cases {
        let header = SframeHeader { kid: case["kid"].as_u64().unwrap(), counter: case["ctr"].as_u64().unwrap() };
        let expected = hex(&case["encoded"]);
        let (bytes, length) = header.encode();
        assert_eq!(bytes[..length], expected);
        assert_eq!(SframeHeader::decode(&expected), Some((header, length)));
    }
}

#[test]
fn frames_match_the_vectors_of_rfc_9605() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    for case in vectors["sframe"].as_array().unwrap() {
        let (kid, counter) = (case["kid"].as_u64().unwrap(), case["ctr"].as_u64().unwrap());
        let key = Key::derive(&hex(&case["base_key"]), kid).unwrap();
        let (bytes, length) = SframeHeader { kid, counter }.encode();
        let mut frame = bytes[..length].to_vec();
        let aad = hex(&case["aad"]);
        assert_eq!(aad, [&frame, &*hex(&case["metadata"])].concat());
        let mut sealed = hex(&case["pt"]);
        let tag = key.seal(counter, &aad, &mut sealed).unwrap();
        sealed.extend_from_slice(tag.as_ref());
        frame.extend_from_slice(&sealed);
        assert_eq!(frame, hex(&case["ct"]));
        let plain = key.open(counter, &aad, &mut sealed).unwrap();
        assert_eq!(sealed[..plain], hex(&case["pt"]));
    }
}

#[test]
fn the_sframe_crate_opens_what_we_seal() {
    let mut camera = Sealer::new(ring(300, 2), Slot::Camera);
    let mut microphone = Sealer::new(ring(300, 2), Slot::Microphone);
    let suite = CipherSuite::AesGcm256Sha512;
    for number in 0..300 {
        let key = number % 30 == 0;
        let sealed = camera.seal(picture(number, key)).unwrap();
        let prefix = if key { Prefix::Key } else { Prefix::Delta }.bytes();
        let frame = sealed.bytes().strip_prefix(prefix).unwrap();
        let metadata = [b"VSF1\x01".as_slice(), &[u8::try_from(prefix.len()).unwrap()], prefix].concat();
        let view = EncryptedFrameView::try_with_meta_data(frame, &metadata).unwrap();
        let their_key = DecryptionKey::derive_from(suite, view.header().key_id(), base_key(300)).unwrap();
        let opened = view.decrypt(&their_key).unwrap();
        assert!(opened.payload()[8..].starts_with(format!("picture {number}").as_bytes()));
        assert_eq!(view.header().counter(), number);

        let sealed = microphone.seal_audio(sound(number * 960, b"opus")).unwrap();
        let view = EncryptedFrameView::try_with_meta_data(sealed.bytes(), b"VSF1\x00\x00").unwrap();
        let their_key = DecryptionKey::derive_from(suite, view.header().key_id(), base_key(300)).unwrap();
        assert_eq!(&view.decrypt(&their_key).unwrap().payload()[12..16], b"opus");
    }
}

#[test]
fn we_open_what_the_sframe_crate_seals() {
    // Take the inner header from our own frame and seal it with the `sframe` crate.
    let mut sealer = Sealer::new(ring(7, 1), Slot::Camera);
    let mut opener = Opener::new(ring(7, 3), Slot::Camera, Leaf(1), Clock::default());
    let mut counter = MonotonicCounter::with_start_value(1_000, u64::MAX);
    let suite = CipherSuite::AesGcm256Sha512;
    // Few enough that the digests, which are of other frames, do not matter.
    for number in 0..30 {
        let frame = sealer.seal(picture(number, false)).unwrap();
        let prefix = Prefix::Delta.bytes();
        let (cipher, length) = SframeHeader::decode(&frame.bytes()[prefix.len()..]).unwrap();
        let mut inner = frame.bytes()[prefix.len() + length..].to_vec();
        let aad = Aad::new(&frame.bytes()[prefix.len()..prefix.len() + length], Class::Video, prefix);
        let plain = Key::derive(&base_key(7), cipher.kid).unwrap().open(cipher.counter, aad.as_slice(), &mut inner);
        inner.truncate(plain.unwrap());

        let metadata = [b"VSF1\x01\x01".as_slice(), prefix].concat();
        let key = EncryptionKey::derive_from(suite, cipher.kid, base_key(7)).unwrap();
        let theirs =
            MediaFrameView::try_with_meta_data(&mut counter, &inner, &metadata).unwrap().encrypt(&key).unwrap();
        let bytes = Buffer::unpooled(&[prefix, theirs.sframe_cipher_text()].concat());
        let shown = opener
            .open(ReceivedFrame {
                header: *frame.header(),
                bytes,
                sequence: number,
                received: std::time::Instant::now(),
            })
            .unwrap();
        assert_eq!(&*shown.payload, format!("picture {number}").as_bytes());
    }
}

pub(super) fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

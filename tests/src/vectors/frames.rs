//! Sealed frames of pictures and of sound, over two epochs, with copies and signed digests.

use super::{hex, public};
use anyhow::{Context, Result};
use crypto::vectors::media_keys;
use crypto::{KeyRing, Leaf, Sealer, SoundCopy};
use media::{AudioCodec, Buffer, Encoded, EncodedAudio, Layer, Level, Size, Timestamp, VideoCodec};
use proto::{Epoch, Slot};
use serde_json::{Value, json};
use std::time::Instant;

/// The epochs in which the frames are sealed, with their base keys. The low 8 bits of the second one are 0.
const EPOCHS: [(Epoch, [u8; 32]); 2] = [(Epoch(0x1_02ff), [0xf1; 32]), (Epoch(0x1_0300), [0xf2; 32])];
const LEAF: Leaf = Leaf(0x2a5);
/// The seed of the leaf's signature key.
const LEAF_SEED: [u8; 32] = [0xe1; 32];
/// Frames in each epoch.
const FRAMES: u64 = 30;

/// Returns one sequence of frames for each slot.
pub(super) fn all() -> Result<Vec<Value>> {
    let mut vectors = Vec::new();
    for slot in [Slot::Camera, Slot::Screen] {
        vectors.push(sequence(slot, |sealer, number| picture(sealer, number, slot))?);
    }
    vectors.push(sequence(Slot::Microphone, sound)?);
    Ok(vectors)
}

/// A sequence of frames of one sender's slot. The second epoch begins in its middle.
fn sequence(slot: Slot, mut seal: impl FnMut(&mut Sealer, u64) -> Result<Value>) -> Result<Value> {
    let ring = KeyRing::new();
    let mut sealer = Sealer::new(ring.clone(), slot);
    let mut frames = Vec::new();
    for (number, (epoch, base)) in (0..).zip(EPOCHS) {
        let keys = media_keys(epoch, LEAF, &base, &LEAF_SEED).context("32 bytes are a seed")?;
        ring.install(keys, &[LEAF], &[], Instant::now());
        for frame in number * FRAMES..(number + 1) * FRAMES {
            frames.push(seal(&mut sealer, frame)?);
        }
    }
    let epochs = EPOCHS.map(|(epoch, base)| json!({"epoch": epoch.0, "base_key": hex(base)}));
    Ok(json!({
        "slot": slot_name(slot), "leaf": LEAF.0, "leaf_key": hex(public(LEAF_SEED)?), "epochs": epochs, "frames": frames,
    }))
}

/// A picture: a key frame every 20th, and the layers of a camera with two sizes. Its time does not fit into 32 bits.
fn picture(sealer: &mut Sealer, number: u64, slot: Slot) -> Result<Value> {
    let (key, temporal) = (number.is_multiple_of(20), [0, 2, 1, 2][usize::try_from(number % 4)?]);
    let spatial = u8::from(slot == Slot::Camera && number % 2 == 1);
    let temporal = if spatial == 1 { 0 } else { temporal };
    let captured = (1 << 32) - 200_000 + number * 33_333;
    let nal = format!("picture {number}").into_bytes();
    let payload = [&u32::try_from(nal.len())?.to_be_bytes()[..], &nal].concat();
    let frame = sealer.seal(Encoded {
        codec: VideoCodec::H264,
        layer: Layer { spatial, temporal },
        size: Size::new(640, 360),
        key,
        discardable: temporal == 2,
        number: 65_530 + number,
        captured: Timestamp::from_micros(captured),
        payload: Buffer::unpooled(&payload),
    })?;
    Ok(json!({
        "bytes": hex(frame.bytes()), "spatial": spatial, "temporal": temporal, "key": key,
        "discardable": temporal == 2, "number": (65_530 + number) % 65_536, "captured": captured % (1 << 32),
        "bitstream": hex(payload),
    }))
}

/// A packet of sound with copies of up to three packets before it, of the same epoch.
fn sound(sealer: &mut Sealer, number: u64) -> Result<Value> {
    let position = (1 << 32) - 4_800 + number * 960;
    let captured = 5_000_000 + number * 20_000;
    let packet = |number: u64| {
        vec![0xa0 | u8::try_from(number % 16).unwrap_or(0); 10 + usize::try_from(number % 50).unwrap_or(0)]
    };
    let before = (number % FRAMES).min(number % 4);
    let earlier: Vec<(u64, Vec<u8>)> = (1..=before).map(|back| (back, packet(number - back))).collect();
    let copies = earlier.iter().map(|(back, payload)| SoundCopy {
        position: position - back * 960,
        voice: back % 2 == 1,
        payload,
    });
    let frame = sealer.seal_sound(
        EncodedAudio {
            codec: AudioCodec::Opus,
            position,
            samples: 960,
            captured: Timestamp::from_micros(captured),
            voice: number.is_multiple_of(3),
            level: Level::new(u8::try_from(number)?),
            payload: Buffer::unpooled(&packet(number)),
        },
        copies,
    )?;
    let copies: Vec<_> = earlier
        .iter()
        .map(|(back, payload)| json!({"distance": back * 8, "voice": back % 2 == 1, "bitstream": hex(payload)}))
        .collect();
    Ok(json!({
        "bytes": hex(frame.bytes()), "voice": number.is_multiple_of(3), "level": number, "length": 8,
        "captured": captured % (1 << 32), "position": position % (1 << 32), "bitstream": hex(packet(number)),
        "copies": copies,
    }))
}

fn slot_name(slot: Slot) -> &'static str {
    match slot {
        Slot::Microphone => "Microphone",
        Slot::Camera => "Camera",
        Slot::Screen => "Screen",
    }
}

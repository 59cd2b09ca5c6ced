//! The cost of sealing frames, compared with AES-256-GCM alone of the same library.

use super::row::{Row, compare, cpu_ms};
use anyhow::Result;
use crypto::{Group, Identity, KeyRing, ManagerKeys, Profile, Sealer};
use media::{AudioCodec, BufferPool, Encoded, EncodedAudio, Layer, Level, Size, Timestamp, VideoCodec};
use proto::{ParticipantId, Slot};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use std::time::{Instant, SystemTime};

/// Measures all rows of the group `crypto`.
///
/// # Errors
/// Returns an error if no keys can be made.
pub fn rows() -> Result<Vec<Row>> {
    let ring = keys()?;
    let mut rows = vec![sound(&ring)?];
    for bytes in [1_200, 12_000] {
        rows.push(picture(&ring, bytes)?);
    }
    Ok(rows)
}

fn picture(ring: &KeyRing, bytes: usize) -> Result<Row> {
    let (pool, payload) = (BufferPool::new(4), vec![7; bytes]);
    let mut sealer = Sealer::new(ring.clone(), Slot::Camera);
    let mut number = 0;
    let subject = || {
        cpu_ms(|| {
            for _ in 0..ROUNDS {
                number += 1;
                let picture = Encoded {
                    codec: VideoCodec::H264,
                    layer: Layer::default(),
                    size: Size::new(640, 360),
                    key: false,
                    discardable: false,
                    number,
                    captured: Timestamp::from_micros(number * 33_333),
                    payload: pool.copy(&payload),
                };
                std::hint::black_box(sealer.seal(picture).expect("keys are installed"));
            }
        }) * PER_ROUND_US
    };
    let comparison = compare(RUNS, subject, bare(&payload)?);
    Ok(Row::at_most(&format!("seal a picture of {bytes} B"), "us", "ring AES-256-GCM, same bytes", comparison, 1.5))
}

fn sound(ring: &KeyRing) -> Result<Row> {
    let (pool, payload) = (BufferPool::new(4), vec![7; 80]);
    let mut sealer = Sealer::new(ring.clone(), Slot::Microphone);
    let mut position = 0;
    let subject = || {
        cpu_ms(|| {
            for _ in 0..ROUNDS {
                position += 960;
                let packet = EncodedAudio {
                    codec: AudioCodec::Opus,
                    position,
                    samples: 960,
                    captured: Timestamp::from_micros(position * 20),
                    voice: true,
                    level: Level::new(30),
                    payload: pool.copy(&payload),
                };
                std::hint::black_box(sealer.seal_audio(packet).expect("keys are installed"));
            }
        }) * PER_ROUND_US
    };
    let comparison = compare(RUNS, subject, bare(&payload)?);
    Ok(Row::at_most("seal 20 ms of sound, 80 B", "us", "ring AES-256-GCM, same bytes", comparison, 3.0))
}

/// One copy and one encryption in place for each round: the minimum cost of a sealed frame.
fn bare(payload: &[u8]) -> Result<impl FnMut() -> f64> {
    let key = UnboundKey::new(&AES_256_GCM, &[3; 32]).map_err(|_| anyhow::anyhow!("the key was refused"))?;
    let (key, pool, payload) = (LessSafeKey::new(key), BufferPool::new(4), payload.to_vec());
    let mut counter = 0_u64;
    Ok(move || {
        cpu_ms(|| {
            for _ in 0..ROUNDS {
                counter += 1;
                let mut nonce = [0; 12];
                nonce[4..].copy_from_slice(&counter.to_be_bytes());
                let mut buffer = pool.copy(&payload);
                let tag = key
                    .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&[0; 16]), &mut buffer)
                    .expect("short enough");
                buffer.append(tag.as_ref());
                std::hint::black_box(buffer);
            }
        }) * PER_ROUND_US
    })
}

/// Returns the key ring of a meeting with one member.
fn keys() -> Result<KeyRing> {
    let identity = Identity::generate()?;
    let (keys, profile) = (ManagerKeys::new()?, Profile::new("Bench")?);
    let group = Group::create(&identity, profile, ParticipantId(1), &keys, SystemTime::now())?;
    let ring = KeyRing::new();
    let leaves: Vec<_> = group.members().iter().map(|member| member.leaf).collect();
    ring.install(group.media_keys()?, &leaves, &[], Instant::now());
    Ok(ring)
}

const RUNS: usize = 7;
const ROUNDS: u32 = 2_000;
/// Converts milliseconds of all rounds to microseconds of one round.
const PER_ROUND_US: f64 = 1_000.0 / 2_000.0;

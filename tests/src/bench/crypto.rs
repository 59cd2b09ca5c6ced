//! The cost of sealing frames and of the group's commits.
//!
//! Frames are compared with the encryption, hashes and signatures alone of the same library.

#[cfg(target_os = "linux")]
mod crowd;
mod group;

use super::row::{Row, compare, cpu_ms};
use anyhow::Result;
use crypto::{Group, Identity, KeyRing, ManagerKeys, Profile, Sealer};
use media::{AudioCodec, BufferPool, Encoded, EncodedAudio, Layer, Level, Size, Timestamp, VideoCodec};
use proto::{ParticipantId, Slot};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::signature::Ed25519KeyPair;
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
    rows.extend(group::rows(&SIZES)?);
    #[cfg(target_os = "linux")]
    rows.extend(crowd::rows(LARGEST)?);
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
    let comparison = compare(RUNS, subject, bare(&payload, PICTURES_PER_SIGNATURE)?);
    Ok(Row::at_most(
        &format!("seal a picture of {bytes} B"),
        "us",
        "ring AES-256-GCM, SHA-256 and Ed25519, same bytes",
        comparison,
        MAX_RATIO,
    ))
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
                    captured: Timestamp::from_micros(position * 1_000 / 48),
                    voice: true,
                    level: Level::new(30),
                    payload: pool.copy(&payload),
                };
                std::hint::black_box(sealer.seal_audio(packet).expect("keys are installed"));
            }
        }) * PER_ROUND_US
    };
    let comparison = compare(RUNS, subject, bare(&payload, SOUNDS_PER_SIGNATURE)?);
    Ok(Row::at_most(
        "seal 20 ms of sound, 80 B",
        "us",
        "ring AES-256-GCM, SHA-256 and Ed25519, same bytes",
        comparison,
        MAX_RATIO,
    ))
}

/// The minimum cost of a sealed frame: one copy, one encryption in place and one hash for each round, and one signature for
/// each `digests` frames.
fn bare(payload: &[u8], digests: u64) -> Result<impl FnMut() -> f64> {
    let key = UnboundKey::new(&AES_256_GCM, &[3; 32]).map_err(|_| anyhow::anyhow!("the key was refused"))?;
    let (key, pool, payload) = (LessSafeKey::new(key), BufferPool::new(4), payload.to_vec());
    let pair = Ed25519KeyPair::from_seed_unchecked(&[5; 32]).map_err(|_| anyhow::anyhow!("the seed was refused"))?;
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
                std::hint::black_box(digest(&SHA256, &buffer));
                if counter.is_multiple_of(digests) {
                    std::hint::black_box(pair.sign(&payload[..80]));
                }
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

/// The sizes of the measured groups.
const SIZES: [usize; 4] = [2, 10, 100, LARGEST];
const LARGEST: usize = 1_000;

/// A key pair is made from its seed for each signature, because ring does not wipe its own: a signature costs twice as much.
const MAX_RATIO: f64 = 2.0;

/// Digests are signed every 250 ms: at 50 packets of sound and 30 pictures per second.
const SOUNDS_PER_SIGNATURE: u64 = 13;
const PICTURES_PER_SIGNATURE: u64 = 8;

const RUNS: usize = 7;
const ROUNDS: u32 = 2_000;
/// Converts milliseconds of all rounds to microseconds of one round.
const PER_ROUND_US: f64 = 1_000.0 / 2_000.0;

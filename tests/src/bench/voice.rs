//! Sound over lossy networks, on virtual time: how intelligible it stays, and which protection helps.
//!
//! The sender is the product's ([`audio::Uplink`]). There are two kinds of measurements. The first is of one protection
//! alone: its packets are played at a fixed delay, so that the played sound can be compared with the original sample by sample.
//! The second is a *call* with the product's choice of the protection, its jitter buffer and its retransmission.

mod call;
mod loss;
mod protection;

use super::row::{Comparison, Row};
use anyhow::{Context, Result};
use audio::device::read_wav;
use audio::{BLOCK, Block, PACKET, Protection, Uplink};
use call::{Call, Outcome};
use loss::LossPattern;
use media::{Bitrate, BufferPool, EncodedAudio, Timestamp};
use protection::{Played, play};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Measures all rows of the group `voice`.
///
/// # Errors
/// Returns an error if the voices of the demo cannot be read.
pub fn rows() -> Result<Vec<Row>> {
    let voices = voices()?;
    let sent = PROTECTIONS.map(|named| -> Result<Vec<Vec<EncodedAudio>>> {
        voices.iter().map(|voice| encode(voice, named.protection)).collect()
    });
    let sent: Vec<Vec<Vec<EncodedAudio>>> = sent.into_iter().collect::<Result<_>>()?;
    let mut rows = Vec::new();
    for pattern in PATTERNS {
        let mut alone = None;
        for (named, sent) in PROTECTIONS.iter().zip(&sent) {
            rows.push(compare_protection(&voices, sent, named, pattern, &mut alone)?);
        }
    }
    for call in CALLS {
        rows.extend(calls(&voices, call)?);
    }
    Ok(rows)
}

/// Returns the intelligibility with a protection, compared with the first one at the same loss, which is stored in `alone`.
fn compare_protection(
    voices: &[Vec<f32>],
    sent: &[Vec<EncodedAudio>],
    named: &NamedProtection,
    pattern: LossPattern,
    alone: &mut Option<f64>,
) -> Result<Row> {
    let played = voices.iter().zip(sent).map(|(voice, sent)| play(voice, sent, named.protection.copies, pattern));
    let played: Vec<Played> = played.collect::<Result<_>>()?;
    let mean = |value: fn(&Played) -> f64| average(played.iter().map(value));
    let subject = mean(|played| played.intelligibility.estoi);
    let name = format!(
        "{pattern}, {}: STOI {:.3}, {:.1} % concealed, {:.0} kbit/s",
        named.name,
        mean(|played| played.intelligibility.stoi),
        mean(|played| played.concealed_percent),
        mean(|played| played.kbps),
    );
    let comparison = Comparison { subject, peer: *alone.get_or_insert(subject), runs: voices.len() };
    Ok(Row::at_least(&name, "ESTOI", "Opus alone at this loss", comparison, 0.95))
}

/// Returns how much of the speech of a call was concealed, and how intelligible it was.
fn calls(voices: &[Vec<f32>], call: Call) -> Result<[Row; 2]> {
    let outcomes: Vec<Outcome> = (1..).zip(voices).map(|(seed, voice)| call.run(voice, seed)).collect::<Result<_>>()?;
    let delay = average(outcomes.iter().map(|outcome| outcome.delay.as_secs_f64() * 1_000.0));
    let name = format!("call, {call}, delay {delay:.0} ms");
    let sum = |value: fn(&Outcome) -> u64| -> u64 { outcomes.iter().map(value).sum() };
    let (concealed, talk) = (sum(|call| call.statistics.concealed_ms), sum(|call| call.statistics.talk_ms));
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of minutes")]
    let percent = concealed as f64 * 100.0 / talk.max(1) as f64;
    let concealed = Comparison { subject: percent, peer: call.max_concealed_percent, runs: voices.len() };
    let stoi = average(outcomes.iter().map(|outcome| outcome.intelligibility.stoi));
    let intelligible = Comparison { subject: stoi, peer: MIN_STOI, runs: voices.len() };
    Ok([
        Row::at_most(&name, "% concealed", "limit", concealed, 1.0),
        Row::at_least(&name, "STOI", "limit", intelligible, 1.0),
    ])
}

fn average(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

/// A protection, for a comparison.
#[derive(Clone, Copy)]
struct NamedProtection {
    name: &'static str,
    protection: Protection,
}

impl NamedProtection {
    const fn new(name: &'static str, copies: u8, kbps: u64, fec: u8) -> Self {
        Self { name, protection: Protection { copies, packets_per_frame: 1, bitrate: Bitrate::kbps(kbps), fec } }
    }
}

/// Encodes a voice with the product's sender. Returns its packets.
fn encode(voice: &[f32], protection: Protection) -> Result<Vec<EncodedAudio>> {
    let packets = Arc::new(Mutex::new(Vec::new()));
    let outbox = Arc::clone(&packets);
    let send = move |packet| outbox.lock().unwrap_or_else(PoisonError::into_inner).push(packet);
    let mut uplink = Uplink::new(BufferPool::new(16), Box::new(send))?;
    uplink.set_protection(protection);
    for (number, samples) in (0_u64..).zip(voice.chunks_exact(BLOCK)) {
        let block: &Block = samples.try_into().context("a block")?;
        uplink.record(block, Timestamp::from_micros(number * 10_000));
    }
    drop(uplink);
    Ok(std::mem::take(&mut *packets.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// Returns the samples of the demo's voices, each repeated to [`SECONDS`].
fn voices() -> Result<Vec<Vec<f32>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/assets/demo/voices");
    let read = |name: &str| -> Result<Vec<f32>> {
        let voice = read_wav(&folder.join(name)).with_context(|| format!("{name} cannot be read"))?;
        Ok(voice.iter().copied().cycle().take(SECONDS * 100 * BLOCK / PACKET * PACKET).collect())
    };
    ["anne.wav", "bob.wav"].into_iter().map(read).collect()
}

const PROTECTIONS: [NamedProtection; 8] = [
    NamedProtection::new("Opus alone", 0, 32, 0),
    NamedProtection::new("FEC", 0, 32, 10),
    NamedProtection::new("1 copy", 1, 28, 0),
    NamedProtection::new("1 copy and FEC", 1, 28, 10),
    NamedProtection::new("2 copies", 2, 24, 0),
    NamedProtection::new("2 copies and FEC", 2, 24, 10),
    NamedProtection::new("3 copies", 3, 20, 0),
    NamedProtection::new("3 copies and FEC", 3, 20, 10),
];

const PATTERNS: [LossPattern; 6] = [
    LossPattern::Random(2),
    LossPattern::Random(5),
    LossPattern::Random(10),
    LossPattern::Random(20),
    LossPattern::Random(30),
    LossPattern::Bursts { percent: 5, min: 3, max: 8 },
];

const CALLS: [Call; 10] = [
    Call::over(LossPattern::Random(2), 2, 0.1),
    Call::over(LossPattern::Random(5), 2, 0.3),
    Call::over(LossPattern::Random(10), 2, 1.0),
    Call::over(LossPattern::Random(30), 2, 4.0),
    Call::over(LossPattern::Random(2), 80, 0.1),
    Call::over(LossPattern::Random(5), 80, 0.3),
    Call::over(LossPattern::Random(10), 80, 1.0),
    Call::over(LossPattern::Random(30), 80, 4.0),
    Call::over(LossPattern::Bursts { percent: 5, min: 3, max: 8 }, 80, 1.0),
    Call { jitter: Duration::from_millis(30), ..Call::over(LossPattern::Random(0), 80, 0.1) },
];

/// The length of each run.
const SECONDS: usize = 30;

/// The lowest STOI at which nearly all words are understood.
const MIN_STOI: f64 = 0.85;

//! Sound with one protection alone, played at a fixed delay.

use super::loss::{LossPattern, Losses};
use crate::stoi::{self, Intelligibility};
use anyhow::{Context, Result};
use audio::PACKET;
use codec::opus::Decoder;
use media::EncodedAudio;

/// What a listener gets of a voice.
pub struct Played {
    /// The intelligibility of the played sound.
    pub intelligibility: Intelligibility,
    /// The concealed share of the packets with speech.
    pub concealed_percent: f64,
    /// The bitrate of the packets and their copies while somebody speaks, without headers.
    pub kbps: f64,
}

/// Sends the packets of a voice, each with copies, over a network that loses some, and plays what arrives.
pub fn play(voice: &[f32], packets: &[EncodedAudio], copies: u8, pattern: LossPattern) -> Result<Played> {
    let arrived = arrived(packets, copies.into(), &mut Losses::new(pattern, 7));
    let at = |position: u64| packets.binary_search_by_key(&position, |packet| packet.position).ok();
    let (mut decoder, mut frame, mut played) = (Decoder::new()?, [0.0; PACKET], Vec::with_capacity(voice.len()));
    let (mut concealed, mut speech) = (0.0, 0.0);
    for start in (0..voice.len() as u64).step_by(PACKET) {
        let packet = |position| at(position).filter(|index| arrived[*index]).map(|index| &packets[index].payload);
        let sent = at(start);
        let voiced = sent.is_some_and(|index| packets[index].voice);
        speech += f64::from(u8::from(voiced));
        if let Some(payload) = packet(start) {
            decoder.decode(Some(payload), &mut frame)?;
        } else if let (Some(_), Some(next)) = (sent, packet(start + PACKET as u64).filter(|next| has_fec(next))) {
            decoder.decode_fec(next, &mut frame)?;
        } else {
            decoder.conceal(&mut frame)?;
            concealed += f64::from(u8::from(voiced));
        }
        played.extend_from_slice(&frame);
    }
    let intelligibility = stoi::measure(voice, &played[CODEC_DELAY..]).context("the voice is too short")?;
    Ok(Played { intelligibility, concealed_percent: 100.0 * concealed / speech, kbps: kbps(packets, copies) })
}

/// Returns which packets arrive, in their own frame or as a copy.
fn arrived(packets: &[EncodedAudio], copies: usize, losses: &mut Losses) -> Vec<bool> {
    let kept: Vec<bool> = packets.iter().map(|_| !losses.next()).collect();
    (0..packets.len()).map(|index| kept[index..].iter().take(1 + copies).any(|kept| *kept)).collect()
}

/// Returns whether a packet of 20 ms has in-band FEC: the LBRR flag of its SILK layer (RFC 6716, section 4.2.3).
fn has_fec(packet: &[u8]) -> bool {
    matches!(packet, [header, first, _, ..] if [1, 5, 9, 13, 15].contains(&(header >> 3)) && first & 0x40 != 0)
}

fn kbps(packets: &[EncodedAudio], copies: u8) -> f64 {
    let lengths = || packets.iter().filter(|packet| packet.voice).map(|packet| packet.payload.len());
    let bytes = lengths().sum::<usize>() * usize::from(1 + copies);
    let milliseconds = lengths().count().max(1) * 20;
    #[expect(clippy::cast_precision_loss, reason = "bytes of a minute")]
    let kbps = bytes as f64 * 8.0 / milliseconds as f64;
    kbps
}

/// The samples by which Opus delays a voice: 6.5 ms (`OPUS_GET_LOOKAHEAD`).
const CODEC_DELAY: usize = 312;

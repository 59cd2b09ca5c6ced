//! One direction of a call: the product's sender, a network on virtual time, and the product's jitter buffer.

use super::encode;
use super::loss::{LossPattern, Losses};
use crate::stoi::{self, Intelligibility};
use anyhow::{Context, Result};
use audio::{BLOCK, Origin, Protection, RecentPackets, Remote, Statistics};
use media::{Buffer, Clock, EncodedAudio, Timestamp};
use std::f64::consts::TAU;
use std::fmt;
use std::time::{Duration, Instant};

/// A call over one network.
#[derive(Clone, Copy)]
pub struct Call {
    pub pattern: LossPattern,
    pub round_trip: Duration,
    /// The standard deviation of the delay of a packet. No packet arrives before it is sent.
    pub jitter: Duration,
    /// The goal: the largest share of the speech that is concealed.
    pub max_concealed_percent: f64,
}

/// The result of a call.
pub struct Outcome {
    pub statistics: Statistics,
    pub intelligibility: Intelligibility,
    /// The delay of the jitter buffer, on average.
    pub delay: Duration,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, round trip {} ms", self.pattern, self.round_trip.as_millis())?;
        if self.jitter.is_zero() { Ok(()) } else { write!(f, ", jitter {} ms", self.jitter.as_millis()) }
    }
}

impl Call {
    /// Returns a call without jitter.
    pub const fn over(pattern: LossPattern, round_trip_ms: u64, max_concealed_percent: f64) -> Self {
        let round_trip = Duration::from_millis(round_trip_ms);
        Self { pattern, round_trip, jitter: Duration::ZERO, max_concealed_percent }
    }

    /// Sends a voice over the network, and plays what arrives.
    pub fn run(self, voice: &[f32], seed: u64) -> Result<Outcome> {
        let percent = match self.pattern {
            LossPattern::Random(percent) | LossPattern::Bursts { percent, .. } => percent,
        };
        let protection = Protection::for_loss(percent);
        let packets = encode(voice, protection)?;
        let mut frames = self.arrivals(&packets, &mut Losses::new(self.pattern, seed));
        frames.sort_unstable();
        let (remote, mut playback) = audio::connect(audio::PlayoutTime::default())?;
        let (start, mut recent, mut next) = (Instant::now(), RecentPackets::new(), 0);
        let clock = Clock::new(start, Timestamp::default());
        let (mut played, mut delays, mut count) = (Vec::with_capacity(voice.len()), Duration::ZERO, 0);
        for block in 1..=voice.len() / BLOCK {
            let now = start + Duration::from_millis(10) * u32::try_from(block)?;
            while let Some((at, index)) = frames.get(next).copied().filter(|(at, _)| start + *at <= now) {
                deliver(&packets[..=index], protection.copies, &remote, &mut recent, start + at);
                next += 1;
            }
            playback.collect(clock);
            played.extend_from_slice(&playback.pull(now, Duration::ZERO, clock));
            (delays, count) = (delays + playback.statistics().delay, count + 1);
        }
        let intelligibility = stoi::measure(voice, &align(voice, &played)).context("the voice is too short")?;
        Ok(Outcome { statistics: playback.statistics(), intelligibility, delay: delays / count })
    }

    /// Returns when each frame arrives, and its index. A lost frame is retransmitted as the product does: it is requested
    /// 8 ms after the next one has arrived, and again until it would come too late.
    fn arrivals(self, packets: &[EncodedAudio], losses: &mut Losses) -> Vec<(Duration, usize)> {
        let mut arrivals = Vec::new();
        for (index, packet) in packets.iter().enumerate() {
            let sent = Duration::from_micros((packet.position / 48 + 20) * 1_000);
            let arrival = sent + self.round_trip / 2 + self.late(losses);
            if !losses.next() {
                arrivals.push((arrival, index));
                continue;
            }
            let detected = sent + Duration::from_millis(28) + self.round_trip / 2;
            let retry = (self.round_trip * 3 / 2).max(Duration::from_millis(15));
            let tries = (0..).map(|attempt| retry * attempt).take_while(|wait| *wait < RETRY_TIMEOUT);
            let request = tries.map(|wait| detected + wait).find(|_| !losses.next() && !losses.next());
            arrivals.extend(request.map(|request| (request + self.round_trip, index)));
        }
        arrivals
    }

    /// Returns how late a packet is, normally distributed (Box and Muller).
    fn late(self, losses: &mut Losses) -> Duration {
        let normal = (-2.0 * (1.0 - losses.share()).ln()).sqrt() * (TAU * losses.share()).cos();
        self.jitter.mul_f64((normal + 3.0).max(0.0))
    }
}

/// Passes the last of `packets` to the jitter buffer, and copies of the packets before it that have not arrived.
fn deliver(packets: &[EncodedAudio], copies: u8, remote: &Remote, recent: &mut RecentPackets, at: Instant) {
    let Some((packet, before)) = packets.split_last() else { return };
    for copied in before.iter().rev().take(copies.into()).filter(|copied| recent.add(copied.position)) {
        remote.push_at(copy(copied), Origin::Copy, at);
    }
    recent.add(packet.position);
    remote.push_at(copy(packet), Origin::Frame, at);
}

fn copy(packet: &EncodedAudio) -> EncodedAudio {
    EncodedAudio { payload: Buffer::unpooled(&packet.payload), ..*packet }
}

/// Returns the played sound, aligned with the original, because the jitter buffer changes its delay. Searches each 100 ms near
/// the place of the previous ones.
fn align(said: &[f32], played: &[f32]) -> Vec<f32> {
    let mut lag = best_lag(&said[..48_000 * 4], &played[..48_000 * 5], (0..12_000).step_by(8));
    let mut aligned = Vec::with_capacity(said.len());
    for (number, segment) in said.chunks_exact(SEGMENT).enumerate() {
        let start = number * SEGMENT;
        // The search covers the sound around the segment, so that a concealed part does not lead it away.
        let (from, to) = (start.saturating_sub(SEGMENT), (start + 2 * SEGMENT).min(said.len()));
        let near = (lag.saturating_sub(1_000)..lag + 1_000).step_by(4);
        let loud = said[from..to].iter().any(|sample| sample.abs() > 0.02);
        if loud && played.len() > to + lag + 1_000 {
            lag = best_lag(&said[from..to], &played[from..], near);
        }
        let Some(found) = played.get(start + lag..start + lag + segment.len()) else { break };
        aligned.extend_from_slice(found);
    }
    aligned
}

/// Returns the number of samples by which `played` is later than `said`.
fn best_lag(said: &[f32], played: &[f32], lags: impl Iterator<Item = usize>) -> usize {
    let fit = |lag: usize| -> f32 {
        let later = played.get(lag..).unwrap_or_default();
        let pairs = || said.iter().zip(later).step_by(4);
        let energy: f32 = pairs().map(|(_, played)| played * played).sum();
        pairs().map(|(said, played)| said * played).sum::<f32>() / (energy + 1e-6).sqrt()
    };
    lags.map(|lag| (lag, fit(lag))).max_by(|(_, one), (_, other)| one.total_cmp(other)).map_or(0, |best| best.0)
}

/// How long a lost packet is requested.
const RETRY_TIMEOUT: Duration = Duration::from_millis(120);

/// Samples that are aligned together: 100 ms.
const SEGMENT: usize = 4_800;

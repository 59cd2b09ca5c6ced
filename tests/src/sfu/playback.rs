//! Plays the sound that a client has received, in the product's jitter buffer and decoder, on virtual time.

use super::client::Client;
use anyhow::Result;
use audio::{BLOCK, Origin, PACKET, Playback, RecentPackets, Remote};
use codec::opus::Encoder;
use media::{AudioCodec, Buffer, BufferPool, Clock, EncodedAudio, Level, Timestamp};
use std::f32::consts::TAU;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// A frame of sound that a client received.
#[derive(Clone, Debug)]
pub struct SoundFrame {
    /// Its RTP sequence number, which does not wrap.
    pub sequence: u64,
    /// The numbers of its packets of 20 ms, copies of earlier ones included.
    pub packets: RangeInclusive<u32>,
    /// When it arrived.
    pub at: Instant,
}

/// What a listener heard in one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeardSecond {
    /// Milliseconds of speech that the decoder concealed.
    pub concealed_ms: u64,
    /// Milliseconds of speech, with those that were concealed.
    pub talk_ms: u64,
    /// The longest delay of the jitter buffer, counted from the packet that was fastest.
    pub delay: Duration,
}

/// Plays what `listener` received of `speaker` in the seconds since `start`, until `end`.
///
/// # Errors
/// Returns an error if memory is exhausted.
pub fn play(speaker: &Client, listener: &Client, start: Instant, end: Instant) -> Result<Vec<HeardSecond>> {
    let packets = encode(speaker.spoken(), start)?;
    let (remote, mut playback) = audio::connect(audio::PlayoutTime::default())?;
    let clock = Clock::new(start, Timestamp::from_micros(CLOCK_START));
    let mut input = JitterBufferInput { packets: &packets, remote, recent: RecentPackets::new(), last: None };
    let mut frames = listener.frames_heard.iter().filter(|frame| frame.at >= start).peekable();
    let (mut seconds, mut now) = (Vec::new(), start);
    while now + Duration::from_secs(1) <= end {
        let before = playback.statistics();
        let mut second = HeardSecond::default();
        for _ in 0..100 {
            now += Duration::from_millis(10);
            while let Some(frame) = frames.next_if(|frame| frame.at <= now) {
                input.add(frame);
            }
            pull(&mut playback, now, clock);
            second.delay = second.delay.max(playback.statistics().delay);
        }
        let after = playback.statistics();
        second.concealed_ms = after.concealed_ms - before.concealed_ms;
        second.talk_ms = after.talk_ms - before.talk_ms;
        seconds.push(second);
    }
    Ok(seconds)
}

fn pull(playback: &mut Playback, now: Instant, clock: Clock) {
    playback.collect(clock);
    let _ = playback.pull(now, Duration::ZERO, clock);
}

/// Passes frames to the jitter buffer, as the engine does.
struct JitterBufferInput<'a> {
    packets: &'a [EncodedAudio],
    remote: Remote,
    recent: RecentPackets,
    /// The sequence number and the last packet of the frame before.
    last: Option<(u64, u32)>,
}

impl JitterBufferInput<'_> {
    fn add(&mut self, frame: &SoundFrame) {
        let last_packet = *frame.packets.end();
        let before = self.last.filter(|(sequence, _)| frame.sequence == sequence + 1).map(|(_, packet)| packet);
        self.last = Some((frame.sequence, last_packet));
        for number in frame.packets.clone() {
            let Some(packet) = usize::try_from(number).ok().and_then(|number| self.packets.get(number)) else {
                continue;
            };
            let is_new = self.recent.add(packet.position);
            // An earlier packet in a frame is not a copy if no other frame has it.
            let sent_once = number == last_packet || before.is_some_and(|before| number > before);
            if is_new || number == last_packet {
                let packet = EncodedAudio { payload: Buffer::unpooled(&packet.payload), ..*packet };
                self.remote.push_at(packet, if sent_once { Origin::Frame } else { Origin::Copy }, frame.at);
            }
        }
    }
}

/// Encodes a vowel, 20 ms for each of these times. The last packet before a pause says that the speech has ended.
fn encode(spoken: &[Instant], start: Instant) -> Result<Vec<EncodedAudio>> {
    let (mut encoder, pool) = (Encoder::new()?, BufferPool::new(spoken.len()));
    let mut packets = Vec::with_capacity(spoken.len());
    for (number, at) in spoken.iter().enumerate() {
        let ends = spoken.get(number + 1).is_some_and(|next| *next - *at > MIN_PAUSE);
        // Nothing is rounded: the simulated clock moves in milliseconds.
        let captured = at.saturating_duration_since(start) + Duration::from_micros(CLOCK_START);
        let position = u64::try_from(captured.as_millis())? * SAMPLES_PER_MS;
        let payload = encoder.encode(&vowel(position), &pool)?.unwrap_or_else(|| Buffer::unpooled(&[]));
        packets.push(EncodedAudio {
            codec: AudioCodec::Opus,
            position,
            samples: u16::try_from(PACKET)?,
            captured: Timestamp::from_micros(u64::try_from(captured.as_micros())?),
            voice: !ends,
            level: Level::new(20),
            payload,
        });
    }
    Ok(packets)
}

/// Returns 20 ms of a voice of 125 Hz with four harmonics.
#[expect(clippy::cast_precision_loss, reason = "a phase")]
fn vowel(position: u64) -> [f32; PACKET] {
    let sample = |index: u64| {
        let phase = ((position + index) % PERIOD) as f32 / PERIOD as f32 * TAU;
        [0.2, 0.1, 0.08, 0.05]
            .iter()
            .zip(1_u8..)
            .map(|(level, harmonic)| level * (phase * f32::from(harmonic)).sin())
            .sum()
    };
    std::array::from_fn(|index| sample(index as u64))
}

/// The time of the clock at the start, in microseconds. It is not zero, because there was speech before the start.
const CLOCK_START: u64 = 60_000_000;

/// A longer time between two packets is a pause.
const MIN_PAUSE: Duration = Duration::from_millis(100);

const SAMPLES_PER_MS: u64 = (BLOCK / 10) as u64;

/// The samples of one period.
const PERIOD: u64 = 384;

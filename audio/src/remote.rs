//! One remote: a queue filled by the network, and a jitter buffer and decoder for the audio thread.

use crate::jitter::{Buffer, Origin, Statistics};
use crate::opus::Voice;
use crate::playout_time::PlayoutTime;
use crate::synchronizer::Synchronizer;
use crate::{Block, SILENCE};
use codec::opus::Error;
use media::{ByteSize, Clock, EncodedAudio, Level, Receiver, Sender};
use std::time::{Duration, Instant};

/// The queue of one remote. Dropping it does not remove the remote.
pub struct Remote {
    inbox: Sender<ArrivedPacket>,
}

impl Remote {
    /// Returns a remote that drops all packets. It is used if no decoder can be created.
    pub(crate) fn disconnected() -> Self {
        Self { inbox: media::bounded(0).0 }
    }

    /// Queues a decrypted packet, on any thread. Never blocks: if the queue holds three seconds, the packet is dropped
    /// and later counts as lost.
    pub fn push(&self, packet: EncodedAudio) {
        self.push_at(packet, Origin::Frame, Instant::now());
    }

    /// Queues a packet that arrived at `arrived`, as [`Remote::push`] does.
    pub fn push_at(&self, packet: EncodedAudio, origin: Origin, arrived: Instant) {
        if self.inbox.try_send(ArrivedPacket { packet, origin, arrived }).is_err() {
            tracing::trace!("inbox of a remote is full");
        }
    }
}

/// A packet, its origin and its arrival time.
struct ArrivedPacket {
    packet: EncodedAudio,
    origin: Origin,
    arrived: Instant,
}

impl ByteSize for ArrivedPacket {
    fn byte_size(&self) -> usize {
        self.packet.payload.len() + OVERHEAD
    }
}

/// Returns both ends of a new remote, for a program that plays on its own thread. `playout` gets the times at which its sound is
/// heard.
///
/// # Errors
/// Returns an error if memory is exhausted.
pub fn connect(playout: PlayoutTime) -> Result<(Remote, Playback), Error> {
    let (inbox, arrivals) = media::bounded(MAX_WAITING);
    let playback = Playback {
        arrivals,
        buffer: Buffer::new(),
        voice: Voice::new()?,
        playout,
        synchronizer: Synchronizer::default(),
        level: Level::SILENCE,
        speaking_blocks: 0,
    };
    Ok((Remote { inbox }, playback))
}

/// The receiving side of one remote, on the thread that plays: its jitter buffer and its decoder.
pub struct Playback {
    arrivals: Receiver<ArrivedPacket>,
    buffer: Buffer,
    voice: Voice,
    playout: PlayoutTime,
    synchronizer: Synchronizer,
    level: Level,
    /// The number of blocks for which the remote still counts as speaking.
    speaking_blocks: u32,
}

impl Playback {
    /// Moves queued packets into the jitter buffer. `clock` converts their arrival times.
    pub fn collect(&mut self, clock: Clock) {
        while let Some(arrival) = self.arrivals.try_recv() {
            self.buffer.insert(arrival.packet, clock.at(arrival.arrived), arrival.origin);
        }
    }

    /// Returns the next 10 ms, due at `now`, which are heard after `latency`. The caller has called [`Playback::collect`] with the
    /// same clock.
    pub fn pull(&mut self, now: Instant, latency: Duration, clock: Clock) -> Block {
        let mut block = SILENCE;
        if let Some(captured) = self.buffer.pull(clock.at(now), &mut self.voice, &mut block) {
            let heard = clock.at(now) + latency;
            self.playout.update(captured, heard);
            self.synchronizer.update(captured, heard, self.buffer.current_delay());
        }
        self.buffer.synchronize(self.synchronizer.delay(self.playout.picture_offset(clock.at(now))));
        self.level = smooth(self.level, Level::of(&block));
        self.speaking_blocks = if self.buffer.in_talk() { HOLD_BLOCKS } else { self.speaking_blocks.saturating_sub(1) };
        block
    }

    /// Returns the level for a meter, which rises immediately and falls slowly.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// Returns true if the remote speaks or spoke in the last 300 ms.
    #[must_use]
    pub fn speaking(&self) -> bool {
        self.speaking_blocks > 0
    }

    /// Returns the statistics so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.buffer.statistics()
    }
}

/// Returns the next level of a meter, which rises immediately and falls by 1 dB per block.
pub fn smooth(shown: Level, heard: Level) -> Level {
    heard.min(Level::new(shown.minus_dbov().saturating_add(1)))
}

/// The maximum of queued bytes: about three seconds.
const MAX_WAITING: usize = 24 * 1_024;

/// Bytes that each packet counts in addition to its payload, so that the number of empty packets is bounded, too.
const OVERHEAD: usize = 64;

/// Blocks for which a remote counts as speaking after its last speech: 300 ms.
const HOLD_BLOCKS: u32 = 30;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PACKET;
    use codec::opus::Encoder;
    use media::{AudioCodec, BufferPool, Timestamp};

    /// Returns how many microseconds after its picture the sound of the same moment is heard, after eight seconds. Pictures can be
    /// shown `late` after the arrival of that sound.
    fn skew(late: Duration) -> i64 {
        let (pool, mut encoder, playout) = (BufferPool::new(4), Encoder::new().unwrap(), PlayoutTime::default());
        let (remote, mut playback) = connect(playout.clone()).unwrap();
        let start = Instant::now();
        let clock = Clock::new(start, Timestamp::from_micros(5_000_000));
        let tone: Vec<f32> =
            (0..PACKET).map(|index| (index as f32 * std::f32::consts::TAU / 240.0).sin() * 0.3).collect();
        let mut skew = None;
        for number in 0..400_u32 {
            let arrived = start + Duration::from_millis(20) * number;
            let captured = Timestamp::from_micros(u64::from(number) * 20_000);
            let packet = EncodedAudio {
                codec: AudioCodec::Opus,
                position: u64::from(number) * PACKET as u64,
                samples: 960,
                captured,
                voice: true,
                level: Level::default(),
                payload: encoder.encode(&tone, &pool).unwrap().unwrap(),
            };
            remote.push_at(packet, Origin::Frame, arrived);
            playback.collect(clock);
            for block in 0..2 {
                playback.pull(arrived + Duration::from_millis(10) * block, Duration::ZERO, clock);
            }
            let due = clock.at(arrived + late);
            playout.update_pictures(captured, due);
            skew = playout.heard_after(captured, due);
        }
        let statistics = playback.statistics();
        assert_eq!(statistics.concealed_ms, 0, "{statistics:?}");
        skew.unwrap()
    }

    #[test]
    fn sound_is_heard_when_its_late_pictures_are_shown() {
        for late in [60, 120, 200] {
            let skew = skew(Duration::from_millis(late));
            assert!((-45_000..=20_000).contains(&skew), "pictures {late} ms late: {skew} µs");
        }
    }

    #[test]
    fn sound_does_not_wait_for_early_pictures_nor_for_pictures_of_a_second_later() {
        let early = skew(Duration::ZERO);
        assert!((10_000..60_000).contains(&early), "{early}");
        let late = skew(Duration::from_secs(1));
        assert!((-850_000..-700_000).contains(&late), "{late}");
    }
}

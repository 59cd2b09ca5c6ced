//! One remote: a queue filled by the network, and a jitter buffer and decoder for the audio thread.

use crate::jitter::{Buffer, Origin, Statistics};
use crate::opus::Voice;
use crate::playout_time::PlayoutTime;
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
        self.buffer.pull(clock.at(now), &mut self.voice, &mut block);
        if let Some(captured) = self.buffer.captured() {
            self.playout.update(captured, clock.at(now) + latency);
        }
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

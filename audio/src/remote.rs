//! One remote: a queue filled by the network, and a jitter buffer and decoder for the audio thread.

use crate::jitter::{Buffer, Statistics};
use crate::opus::Voice;
use crate::{Block, SILENCE};
use codec::opus::Error;
use media::{ByteSize, Clock, EncodedAudio, Level, Receiver, Sender};
use std::time::Instant;

/// The queue of one remote. Dropping it does not remove the remote.
pub struct Remote {
    inbox: Sender<Arrival>,
}

impl Remote {
    /// A remote that drops all packets, used if no decoder can be created.
    pub(crate) fn disconnected() -> Self {
        Self { inbox: media::bounded(0).0 }
    }

    /// Queues a decrypted packet, from any thread. Never blocks: if the queue holds three seconds, the packet is dropped
    /// and later counts as lost.
    pub fn push(&self, packet: EncodedAudio) {
        if self.inbox.try_send(Arrival { packet, at: Instant::now() }).is_err() {
            tracing::trace!("inbox of a remote is full");
        }
    }
}

/// A packet and its arrival time.
pub struct Arrival {
    packet: EncodedAudio,
    at: Instant,
}

impl ByteSize for Arrival {
    fn byte_size(&self) -> usize {
        self.packet.payload.len() + OVERHEAD
    }
}

/// Both ends of a new remote.
///
/// # Errors
/// Returns the errors of [`Voice::new`].
pub fn connect() -> Result<(Remote, Playback), Error> {
    let (inbox, arrivals) = media::bounded(MAX_WAITING);
    let playback =
        Playback { arrivals, buffer: Buffer::new(), voice: Voice::new()?, level: Level::SILENCE, speaking: 0 };
    Ok((Remote { inbox }, playback))
}

/// The receiving side, on the audio thread.
pub struct Playback {
    arrivals: Receiver<Arrival>,
    buffer: Buffer,
    voice: Voice,
    level: Level,
    /// Blocks for which the remote still counts as speaking.
    speaking: u32,
}

impl Playback {
    /// Moves queued packets into the jitter buffer.
    pub fn collect(&mut self, clock: Clock) {
        while let Some(arrival) = self.arrivals.try_recv() {
            self.buffer.insert(arrival.packet, clock.at(arrival.at));
        }
    }

    /// The next 10 ms, due at `now`.
    pub fn pull(&mut self, now: Instant, clock: Clock) -> Block {
        let mut block = SILENCE;
        self.buffer.pull(clock.at(now), &mut self.voice, &mut block);
        self.level = smooth(self.level, Level::of(&block));
        self.speaking = if self.buffer.in_talk() { HOLD } else { self.speaking.saturating_sub(1) };
        block
    }

    /// The level for a meter: rises immediately, falls slowly.
    pub fn level(&self) -> Level {
        self.level
    }

    /// True if the remote speaks or spoke in the last 300 ms.
    pub fn speaking(&self) -> bool {
        self.speaking > 0
    }

    /// The statistics so far.
    pub fn statistics(&self) -> Statistics {
        self.buffer.statistics()
    }
}

/// The next level of a meter: rises immediately, falls by 1 dB per block.
pub fn smooth(shown: Level, heard: Level) -> Level {
    heard.min(Level::new(shown.minus_dbov().saturating_add(1)))
}

/// Maximum queued bytes: about three seconds.
const MAX_WAITING: usize = 24 * 1_024;

/// The size of a packet without its payload, so that empty packets are bounded, too.
const OVERHEAD: usize = 64;

/// Blocks after the last voice: 300 ms.
const HOLD: u32 = 30;

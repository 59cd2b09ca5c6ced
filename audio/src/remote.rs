//! One remote's sound: an inbox for the network's thread, a jitter buffer and a decoder for the engine's.

use crate::jitter::{Buffer, Statistics};
use crate::opus::Voice;
use crate::{Block, SILENCE};
use codec::opus::Error;
use media::{ByteSize, Clock, EncodedAudio, Level, Receiver, Sender};
use std::time::Instant;

/// Where one remote's packets go in. Dropping it does not remove the remote.
pub struct Remote {
    inbox: Sender<Arrival>,
}

impl Remote {
    /// One whose packets go nowhere, for a system that has no memory left for a decoder.
    pub(crate) fn disconnected() -> Self {
        Self { inbox: media::bounded(0).0 }
    }

    /// Hands over an opened packet, from any thread. Never waits: where three seconds already lie there unread, the
    /// packet is dropped, which later counts as lost.
    pub fn push(&self, packet: EncodedAudio) {
        if self.inbox.try_send(Arrival { packet, at: Instant::now() }).is_err() {
            tracing::trace!("inbox of a remote is full");
        }
    }
}

/// A packet and when it came.
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
/// As [`Voice::new`].
pub fn connect() -> Result<(Remote, Playback), Error> {
    let (inbox, arrivals) = media::bounded(MAX_WAITING);
    let playback =
        Playback { arrivals, buffer: Buffer::new(), voice: Voice::new()?, level: Level::SILENCE, speaking: 0 };
    Ok((Remote { inbox }, playback))
}

/// The engine's end.
pub struct Playback {
    arrivals: Receiver<Arrival>,
    buffer: Buffer,
    voice: Voice,
    level: Level,
    /// Blocks for which the remote still counts as speaking.
    speaking: u32,
}

impl Playback {
    /// Takes in what has come.
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

    /// How loud it is, for a meter: up at once, down slowly.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Whether the remote speaks; goes out a while after the last word.
    pub fn speaking(&self) -> bool {
        self.speaking > 0
    }

    /// What happened so far.
    pub fn statistics(&self) -> Statistics {
        self.buffer.statistics()
    }
}

/// A meter's needle: jumps up, falls by a decibel a block.
pub fn smooth(shown: Level, heard: Level) -> Level {
    heard.min(Level::new(shown.minus_dbov().saturating_add(1)))
}

/// Bytes that may wait unread: about three seconds.
const MAX_WAITING: usize = 24 * 1_024;

/// What a packet weighs besides its payload, so that empty ones are bounded too.
const OVERHEAD: usize = 64;

/// Blocks after the last voice: 300 ms.
const HOLD: u32 = 30;

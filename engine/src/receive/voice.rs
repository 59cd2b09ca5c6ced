//! Opens the packets of one remote voice and passes them to the jitter buffer, with copies of those that were lost.

use super::report::Report;
use super::waiting_frames::WaitingFrames;
use crate::stats::track_stats::Received;
use crate::worker::{Job, Progress};
use audio::{RecentPackets, SAMPLE_RATE};
use crypto::{OpenedSound, Opener, ReceivedFrame};
use media::{BufferPool, EncodedAudio, Notify, Panicked, Receiver, Timestamp};
use proto::TrackId;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Receives one voice, on the thread of all voices.
pub struct VoiceReceiver {
    /// The track.
    pub track: TrackId,
    /// Sealed frames from the network.
    pub frames: Receiver<ReceivedFrame>,
    /// Opens and authenticates them.
    pub opener: Opener,
    /// The jitter buffer that plays them.
    pub remote: audio::Remote,
    /// Holds the copies of lost packets.
    pub pool: BufferPool,
    /// The packets that arrived last.
    pub recent: RecentPackets,
    /// Frames that arrived before their key.
    pub waiting: WaitingFrames,
    /// The counters.
    pub stats: Arc<Mutex<Received>>,
    /// Takes reports. Must not wait.
    pub report: Box<dyn Fn(Report) + Send>,
}

impl Job for VoiceReceiver {
    fn notify_on(&mut self, notify: Notify) {
        self.frames.notify_on(notify);
    }

    fn step(&mut self) -> Progress {
        let next = self.frames.try_recv();
        let progress = match &next {
            Some(_) => Progress::Worked,
            None if self.frames.is_ended() => return Progress::Ended,
            None => Progress::Idle,
        };
        if let Some(received) = next {
            self.waiting.push(received);
        }
        while let Some(received) = self.waiting.next(&self.opener, Instant::now()) {
            self.take(received);
        }
        progress
    }

    fn failed(&mut self, panicked: &Panicked) {
        (self.report)(Report::TrackFailed(panicked.to_string()));
    }
}

impl VoiceReceiver {
    fn take(&mut self, received: ReceivedFrame) {
        let (sequence, bytes) = (received.sequence, received.bytes.len());
        let opened = self.opener.open_sound(received);
        let mut stats = self.stats.lock().unwrap_or_else(PoisonError::into_inner);
        stats.judged(0, sequence, bytes, opened.as_ref().err().copied());
        drop(stats);
        match opened {
            Ok(sound) => self.play(sound),
            Err(why) => tracing::debug!(track = ?self.track, sequence, %why, "frame not opened"),
        }
    }

    /// Passes copies of packets that have not arrived to the jitter buffer, and then the packet.
    fn play(&mut self, sound: OpenedSound) {
        let packet = sound.audio();
        for copy in sound.copies().filter(|copy| self.recent.add(copy.position)) {
            let before = (packet.position - copy.position) * MICROS_PER_SECOND / u64::from(SAMPLE_RATE);
            self.remote.push_copy(EncodedAudio {
                codec: packet.codec,
                position: copy.position,
                samples: packet.samples,
                captured: Timestamp::from_micros(packet.captured.as_micros().saturating_sub(before)),
                voice: copy.voice,
                level: packet.level,
                payload: self.pool.copy(copy.payload),
            });
        }
        self.recent.add(packet.position);
        self.remote.push(sound.into_packet());
    }
}

const MICROS_PER_SECOND: u64 = 1_000_000;

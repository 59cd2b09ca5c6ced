//! Opens the packets of one remote voice and passes them to the jitter buffer, with copies of those that were lost.

use super::report::Report;
use super::waiting_frames::WaitingFrames;
use crate::stats::track_stats::ReceiveStats;
use crate::worker::{Job, Progress};
use audio::{Origin, RecentPackets, SAMPLE_RATE};
use crypto::{MAX_COPIES, OpenedSound, Opener, ReceivedFrame, SoundCopy};
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
    /// The number of the last frame that was opened, and the position of its packet.
    pub last: Option<(u64, u64)>,
    /// Frames that arrived before their key.
    pub waiting: WaitingFrames,
    /// The counters.
    pub stats: Arc<Mutex<ReceiveStats>>,
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
        let (sequence, bytes, arrival) = (received.sequence, received.bytes.len(), received.received);
        let opened = self.opener.open_sound(received);
        let mut stats = self.stats.lock().unwrap_or_else(PoisonError::into_inner);
        stats.judged(0, sequence, bytes, opened.as_ref().err().copied());
        stats.set_authorship(self.opener.authorship(), arrival);
        stats.open_failures.prove_not_allowed(self.opener.take_outside_rights());
        drop(stats);
        match opened {
            Ok(sound) => {
                let follows = self.last.is_some_and(|(last, _)| sequence == last + 1);
                let before = self.last.map(|(_, position)| position).filter(|_| follows);
                self.last = Some((sequence, sound.audio().position));
                self.play(sound, before);
            }
            Err(why) => tracing::debug!(track = ?self.track, sequence, %why, "frame not opened"),
        }
    }

    /// Passes copies of packets that have not arrived to the jitter buffer, oldest first, and then the packet. `last` is the
    /// position of the frame before it, if no frame between them is missing. Then later copies are not repairs: their packets
    /// were sent in this frame only.
    fn play(&mut self, sound: OpenedSound, last: Option<u64>) {
        let packet = sound.audio();
        let mut copies: [Option<SoundCopy<'_>>; MAX_COPIES] = Default::default();
        copies.iter_mut().zip(sound.copies()).for_each(|(place, copy)| *place = Some(copy));
        copies.sort_unstable_by_key(|copy| copy.map(|copy| copy.position));
        for copy in copies.into_iter().flatten().filter(|copy| self.recent.add(copy.position)) {
            let origin = if last.is_some_and(|last| copy.position > last) { Origin::Frame } else { Origin::Copy };
            let before = (packet.position - copy.position) * MICROS_PER_SECOND / u64::from(SAMPLE_RATE);
            let packet = EncodedAudio {
                codec: packet.codec,
                position: copy.position,
                samples: packet.samples,
                captured: Timestamp::from_micros(packet.captured.as_micros().saturating_sub(before)),
                voice: copy.voice,
                level: packet.level,
                payload: self.pool.copy(copy.payload),
            };
            self.remote.push_at(packet, origin, Instant::now());
        }
        self.recent.add(packet.position);
        self.remote.push(sound.into_packet());
    }
}

const MICROS_PER_SECOND: u64 = 1_000_000;

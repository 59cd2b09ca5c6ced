//! One remote voice: open, then hand over to the jitter buffer.

use super::early::Early;
use crate::track_stats::Received;
use crate::worker::{Job, Progress};
use crypto::{Opener, ReceivedFrame};
use media::{Notify, Receiver};
use proto::TrackId;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What one voice needs on its thread.
pub struct VoiceJob {
    /// Whose voice.
    pub track: TrackId,
    /// What arrives.
    pub frames: Receiver<ReceivedFrame>,
    /// Opens and judges it.
    pub opener: Opener,
    /// The jitter buffer it is played from.
    pub remote: audio::Remote,
    /// What came before its key.
    pub early: Early,
    /// What is counted.
    pub stats: Arc<Mutex<Received>>,
}

impl Job for VoiceJob {
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
            self.early.push(received);
        }
        while let Some(received) = self.early.next(&self.opener, Instant::now()) {
            self.take(received);
        }
        progress
    }
}

impl VoiceJob {
    fn take(&mut self, received: ReceivedFrame) {
        let sequence = received.sequence;
        let opened = self.opener.open_audio(received);
        let mut stats = self.stats.lock().unwrap_or_else(PoisonError::into_inner);
        stats.judged(0, sequence, opened.as_ref().err().copied());
        drop(stats);
        match opened {
            Ok(sound) => self.remote.push(sound),
            Err(why) => tracing::debug!(track = ?self.track, sequence, %why, "frame not opened"),
        }
    }
}

//! One remote voice: open, then hand over to the jitter buffer.

use super::early::Early;
use crate::tally::Received;
use crate::worker::{Job, Progress};
use crypto::{Arrived, Opener};
use media::{Bell, Receiver};
use proto::TrackId;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What one voice needs on its thread.
pub struct VoiceJob {
    /// Whose voice.
    pub track: TrackId,
    /// What arrives.
    pub inlet: Receiver<Arrived>,
    /// Opens and judges it.
    pub opener: Opener,
    /// The jitter buffer it is played from.
    pub remote: audio::Remote,
    /// What came before its key.
    pub early: Early,
    /// What is counted.
    pub tally: Arc<Mutex<Received>>,
}

impl Job for VoiceJob {
    fn ring(&mut self, bell: Bell) {
        self.inlet.ring(bell);
    }

    fn step(&mut self) -> Progress {
        let next = self.inlet.try_recv();
        let progress = match &next {
            Some(_) => Progress::Worked,
            None if self.inlet.is_ended() => return Progress::Ended,
            None => Progress::Idle,
        };
        if let Some(arrived) = next {
            self.early.push(arrived);
        }
        while let Some(arrived) = self.early.next(&self.opener, Instant::now()) {
            self.take(arrived);
        }
        progress
    }
}

impl VoiceJob {
    fn take(&mut self, arrived: Arrived) {
        let sequence = arrived.sequence;
        let opened = self.opener.open_audio(arrived);
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.judged(0, sequence, opened.as_ref().err().copied());
        drop(tally);
        match opened {
            Ok(sound) => self.remote.push(sound),
            Err(why) => tracing::debug!(track = ?self.track, sequence, %why, "frame not opened"),
        }
    }
}

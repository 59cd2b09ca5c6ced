//! One remote voice: open, then hand over to the jitter buffer.

use super::early::Early;
use crate::tally::Received;
use crate::worker::{Job, Progress};
use crypto::{Arrived, Opener, open};
use media::{Bell, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What one voice needs on its thread.
pub struct VoiceJob {
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
        self.early.push(next);
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
        tally.arrived(0, sequence);
        match &opened {
            Ok(_) => tally.opened += 1,
            Err(open::Error::Replayed) => tally.replayed += 1,
            Err(open::Error::UnknownKey) => tally.keyless(),
            Err(_) => tally.failed += 1,
        }
        drop(tally);
        if let Ok(sound) = opened {
            self.remote.push(sound);
        }
    }
}

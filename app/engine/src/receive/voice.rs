//! One remote voice: open, then hand over to the jitter buffer.

use crate::tally::Received;
use crate::worker::{Job, Progress};
use crypto::{Arrived, Opener, open};
use media::{Bell, Receiver};
use std::sync::{Arc, Mutex, PoisonError};

/// What one voice needs on its thread.
pub struct VoiceJob {
    /// What arrives.
    pub inlet: Receiver<Arrived>,
    /// Opens and judges it.
    pub opener: Opener,
    /// The jitter buffer it is played from.
    pub remote: audio::Remote,
    /// What is counted.
    pub tally: Arc<Mutex<Received>>,
}

impl Job for VoiceJob {
    fn ring(&mut self, bell: Bell) {
        self.inlet.ring(bell);
    }

    fn step(&mut self) -> Progress {
        match self.inlet.try_recv() {
            Some(arrived) => {
                self.take(arrived);
                Progress::Worked
            }
            None if self.inlet.is_ended() => Progress::Ended,
            None => Progress::Idle,
        }
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
            Err(_) => tally.failed += 1,
        }
        drop(tally);
        if let Ok(sound) = opened {
            self.remote.push(sound);
        }
    }
}

//! Threads on which everything that arrives is opened and decoded: a track stays on one thread.

mod early;
mod picture;
mod ready;
mod voice;

pub use early::Early;
pub use picture::PictureJob;
pub use ready::Ready;
pub use voice::VoiceJob;

use crate::worker::{Job, Worker};
use std::io;

/// The threads: one for all voices, which must never wait for a picture, and a few for pictures.
pub struct Receivers {
    voices: Worker,
    pictures: Vec<Worker>,
}

impl Receivers {
    /// Starts one thread for voices and one for pictures on each core but one, at most eight.
    ///
    /// # Errors
    /// Where the system has no thread left.
    pub fn start() -> io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let pictures = (0..cores.saturating_sub(1).clamp(1, 8)).map(|n| Worker::start(&format!("decode-{n}")));
        Ok(Self { voices: Worker::start("voices")?, pictures: pictures.collect::<io::Result<_>>()? })
    }

    /// Takes over a voice.
    pub fn add_voice(&mut self, job: VoiceJob) {
        self.voices.add(Box::new(job));
    }

    /// Gives a picture track to the thread with the fewest.
    pub fn add_picture(&mut self, job: PictureJob) {
        let job: Box<dyn Job> = Box::new(job);
        if let Some(worker) = self.pictures.iter_mut().min_by_key(|worker| worker.load()) {
            worker.add(job);
        }
    }
}

//! The threads that open and decode received tracks. A track stays on one thread.

mod decode_queue;
mod picture;
mod playout;
mod report;
#[cfg(test)]
mod tests;
mod voice;
#[cfg(test)]
mod voice_tests;
mod waiting_frames;

pub use decode_queue::DecodeQueue;
pub use picture::PictureReceiver;
pub use playout::PlayoutQueue;
pub use report::Report;
pub use voice::VoiceReceiver;
pub use waiting_frames::WaitingFrames;

use crate::worker::{Job, Worker};
use std::io;

/// The threads: one for all voices, which must never wait for a picture, and several for pictures.
pub struct Receivers {
    voices: Worker,
    pictures: Vec<Worker>,
}

impl Receivers {
    /// Starts one thread for voices, and one for pictures on each core but one, at most eight.
    ///
    /// # Errors
    /// Returns the system's error if a thread cannot be started.
    pub fn start() -> io::Result<Self> {
        let pictures = (0..picture_threads()).map(|number| Worker::start(&format!("decode-{number}")));
        Ok(Self { voices: Worker::start("voices")?, pictures: pictures.collect::<io::Result<_>>()? })
    }

    /// Adds a voice to the thread of the voices.
    pub fn add_voice(&mut self, job: VoiceReceiver) {
        self.voices.add(Box::new(job));
    }

    /// Adds a picture track to the thread that has the fewest.
    pub fn add_picture(&mut self, job: PictureReceiver) {
        let job: Box<dyn Job> = Box::new(job);
        if let Some(worker) = self.pictures.iter_mut().min_by_key(|worker| worker.load()) {
            worker.add(job);
        }
    }
}

/// Returns the number of threads for pictures. It asks the system.
pub fn picture_threads() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores.saturating_sub(1).clamp(1, MAX_DECODE_THREADS)
}

const MAX_DECODE_THREADS: usize = 8;

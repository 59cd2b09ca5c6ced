//! The trait of all sound devices.

use super::error::Error;
use crate::Block;
use std::time::{Duration, Instant};

/// One direction of a sound device. No method blocks. Used on the audio thread.
pub trait Device: Send {
    /// The name shown to users.
    fn name(&self) -> &str;

    /// The number of blocks that can be passed at `now`: recorded by a microphone, or free in a speaker.
    ///
    /// # Errors
    /// Returns [`Error::Lost`] if the device is lost.
    fn ready(&mut self, now: Instant) -> Result<usize, Error>;

    /// Moves one block: a microphone fills it, a speaker plays it. Call it at most [`Device::ready`] times.
    ///
    /// # Errors
    /// Returns [`Error::Lost`] if the device is lost, [`Error::Write`] if a file cannot be written.
    fn pass(&mut self, block: &mut Block) -> Result<(), Error>;

    /// The delay between the sound in the room and the next block: of a microphone, since it was recorded; of a speaker,
    /// until it is played.
    fn latency(&self) -> Duration;

    /// The number of overruns of a microphone, or underruns of a speaker.
    fn xruns(&self) -> u64;
}

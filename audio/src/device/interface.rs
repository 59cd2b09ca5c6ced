//! The trait of all sound devices.

use super::error::Error;
use crate::Block;
use std::time::{Duration, Instant};

/// One direction of a sound device. Everything returns at once; only the engine's thread calls it.
pub trait Device: Send {
    /// What the user would call it.
    fn name(&self) -> &str;

    /// How many blocks may be passed at `now`: those a microphone has filled, those a speaker has room for.
    ///
    /// # Errors
    /// [`Error::Lost`] once the device is gone.
    fn ready(&mut self, now: Instant) -> Result<usize, Error>;

    /// Moves one block: a microphone fills it, a speaker plays it. Call it at most [`Device::ready`] times.
    ///
    /// # Errors
    /// [`Error::Lost`] once the device is gone, [`Error::Write`] where a file cannot grow.
    fn pass(&mut self, block: &mut Block) -> Result<(), Error>;

    /// The time between the air and the next block passed.
    fn latency(&self) -> Duration;

    /// How often sound was lost between the device and the engine: over-runs of a microphone, under-runs of a speaker.
    fn xruns(&self) -> u64;
}

//! The trait of all sound devices.

use super::error::Error;
use crate::Block;
use std::time::{Duration, Instant};

/// One direction of a sound device. It is used on the audio thread, where no method blocks, and changed on the device
/// thread.
pub trait Device: Send {
    /// Returns the name shown to users.
    fn name(&self) -> &str;

    /// Returns the number of blocks that can be passed at `now`: the blocks that a microphone has recorded, or that a
    /// speaker has room for.
    ///
    /// # Errors
    /// Returns [`Error::Lost`] if the device is lost.
    fn ready(&mut self, now: Instant) -> Result<usize, Error>;

    /// Moves one block: a microphone fills it, a speaker plays it. The caller calls it at most as often as
    /// [`Device::ready`] returned.
    ///
    /// # Errors
    /// Returns [`Error::Lost`] if the device is lost, [`Error::Write`] if a file cannot be written.
    fn pass(&mut self, block: &mut Block) -> Result<(), Error>;

    /// Returns the delay between the sound in the room and the next block: for a microphone the time since it was
    /// recorded, for a speaker the time until it is played.
    fn latency(&self) -> Duration;

    /// Returns the number of overruns of a microphone, or of underruns of a speaker.
    fn xruns(&self) -> u64;

    /// Says whether nobody else is in the meeting. Then a speaker may stop, and a microphone may deliver its blocks less
    /// often, because they are only metered. A new device is as if somebody else were there. Called on the device thread;
    /// may block.
    ///
    /// # Errors
    /// Returns an error if the device cannot be used any more.
    fn set_alone(&mut self, alone: bool) -> Result<(), Error>;
}

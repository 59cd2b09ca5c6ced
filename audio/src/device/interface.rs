//! The trait of all sound devices.

use super::error::Error;
use crate::Block;
use std::time::{Duration, Instant};

/// One direction of a sound device. The audio thread uses it; of its methods only [`Device::set_alone`] may block, and the
/// device thread calls it.
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

    /// Sets whether nobody else is in the meeting. Then a speaker may pause, and a microphone may deliver its blocks less
    /// often, because they are only metered. False for a new device. Called on the device thread; may block.
    ///
    /// # Errors
    /// Returns an error if the device cannot be used any more.
    fn set_alone(&mut self, alone: bool) -> Result<(), Error>;
}

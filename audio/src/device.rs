//! Sound devices behind one trait: hardware, WAV files, and the null device.

mod direction;
mod error;
mod file;
mod hardware;
mod interface;
mod null;
mod pacer;
mod stand_in;
mod wav;

pub use direction::Direction;
pub use error::Error;
pub use file::read_wav;
pub use hardware::{Info, Lister, microphones, speakers};
pub use interface::Device;
pub use null::Null;
pub(crate) use stand_in::StandIn;
pub use wav::Error as WavError;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// The selected microphone or speaker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// No device: the microphone sends nothing, the speaker's sound is discarded.
    Off,
    /// The system's default device.
    #[default]
    Default,
    /// The device with this identifier or name, as [`microphones`] and [`speakers`] list them.
    Device(String),
    /// A WAV file. A microphone repeats it in real time; a speaker writes its sound to it, at 48 kHz, mono.
    File(PathBuf),
}

/// Opens the devices of an engine. The default opens those of this system. Clones share one function.
#[derive(Clone)]
pub struct Provider {
    open: Arc<OpenDevice>,
}

type OpenDevice = dyn Fn(Direction, &Choice, Instant) -> Result<Box<dyn Device>, Error> + Send + Sync;

impl Provider {
    /// Returns a provider that calls `open` on the engine's device thread. `open` may block.
    #[must_use]
    pub fn new(
        open: impl Fn(Direction, &Choice, Instant) -> Result<Box<dyn Device>, Error> + Send + Sync + 'static,
    ) -> Self {
        Self { open: Arc::new(open) }
    }

    /// Opens what `choice` names. May take seconds.
    ///
    /// # Errors
    /// Returns [`Error`] if there is no such device, or it cannot be used.
    pub fn open(&self, direction: Direction, choice: &Choice, now: Instant) -> Result<Box<dyn Device>, Error> {
        (self.open)(direction, choice, now)
    }
}

impl Default for Provider {
    fn default() -> Self {
        Self::new(open)
    }
}

/// Opens the device of `choice`. Contacts the sound server, which may take up to about five seconds.
///
/// # Errors
/// Returns [`Error`] if there is no such device, or it cannot be used.
pub fn open(direction: Direction, choice: &Choice, now: Instant) -> Result<Box<dyn Device>, Error> {
    match (direction, choice) {
        (_, Choice::Off) => Ok(Box::new(Null::new(direction, now))),
        (_, Choice::Default) => hardware::open(direction, None),
        (_, Choice::Device(name)) => hardware::open(direction, Some(name)),
        (Direction::Microphone, Choice::File(path)) => Ok(Box::new(file::Microphone::open(path, now)?)),
        (Direction::Speaker, Choice::File(path)) => Ok(Box::new(file::Speaker::create(path, now)?)),
    }
}

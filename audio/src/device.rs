//! Sound devices behind one trait: hardware, WAV files, and the null device.

pub(crate) mod file;
mod hardware;
mod null;
mod pacer;

pub use hardware::{Info, microphones, speakers};
pub use null::Null;

use crate::Block;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Which way sound goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the room to us.
    Microphone,
    /// From us to the room.
    Speaker,
}

/// What the user wants to speak into, or listen to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// Nothing: a microphone sends nothing, a speaker's sound goes nowhere.
    Off,
    /// What the system would take.
    #[default]
    Default,
    /// The device with this identifier or name, as [`microphones`] and [`speakers`] list them.
    Device(String),
    /// A microphone repeats this WAV file in real time; a speaker writes what is played there, at 48 kHz, mono.
    File(PathBuf),
}

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
    fn slips(&self) -> u64;
}

/// Where an engine gets its devices: from this system, unless the caller provides others. Clones share one function.
#[derive(Clone)]
pub struct Provider {
    open: Arc<OpenDevice>,
}

type OpenDevice = dyn Fn(Direction, &Choice, Instant) -> Result<Box<dyn Device>, Error> + Send + Sync;

impl Provider {
    /// Devices that `open` opens, on the engine's thread for opening devices. `open` may block.
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

/// Why there is no device, or no longer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system knows no such device at all.
    #[error("no {0} on this system")]
    Missing(Direction),
    /// The named device is not there.
    #[error("no {direction} called {name:?}")]
    Unknown {
        /// What was asked for.
        direction: Direction,
        /// Its name.
        name: String,
    },
    /// The device is there and cannot be used.
    #[error("{name} cannot be used")]
    Refused {
        /// The device.
        name: String,
        /// What the system says.
        #[source]
        source: cpal::Error,
    },
    /// The device speaks a sample format, rate or channel count that cannot be converted.
    #[error("{name} offers no format that can be converted")]
    Format {
        /// The device or file.
        name: String,
    },
    /// The device was unplugged, or its sound server stopped.
    #[error("{name} is gone")]
    Lost {
        /// The device.
        name: String,
    },
    /// The sound system does not answer.
    #[error("the sound system does not answer")]
    Silent,
    /// The WAV file cannot be read: absent, forbidden, or no WAV file.
    #[error("{} cannot be read as a WAV file", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: hound::Error,
    },
    /// The WAV file holds no sound.
    #[error("{} holds no sound", .0.display())]
    Empty(PathBuf),
    /// The WAV file cannot be written.
    #[error("{} cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: hound::Error,
    },
}

/// Opens what `choice` names. Talks to the sound server: may take seconds, never more than about five.
///
/// # Errors
/// [`Error`] says what is absent or wrong.
pub fn open(direction: Direction, choice: &Choice, now: Instant) -> Result<Box<dyn Device>, Error> {
    match (direction, choice) {
        (_, Choice::Off) => Ok(Box::new(Null::new(direction, now))),
        (_, Choice::Default) => hardware::open(direction, None),
        (_, Choice::Device(name)) => hardware::open(direction, Some(name)),
        (Direction::Microphone, Choice::File(path)) => Ok(Box::new(file::Microphone::open(path, now)?)),
        (Direction::Speaker, Choice::File(path)) => Ok(Box::new(file::Speaker::create(path, now)?)),
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Microphone => "microphone",
            Self::Speaker => "speaker",
        })
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

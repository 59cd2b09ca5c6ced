//! Errors of sound devices.

use super::direction::Direction;
use std::path::PathBuf;

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

//! Errors of sound devices.

use super::direction::Direction;
use std::path::PathBuf;

/// The reason why a device cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system has no device for this direction.
    #[error("no {0} on this system")]
    Missing(Direction),
    /// There is no device with this name.
    #[error("no {direction} named {name:?}")]
    Unknown {
        /// The direction.
        direction: Direction,
        /// The requested name.
        name: String,
    },
    /// The system refuses the device.
    #[error("{name} cannot be used")]
    Refused {
        /// The device.
        name: String,
        /// The error of the system.
        #[source]
        source: cpal::Error,
    },
    /// The sample format, rate or channel count cannot be converted.
    #[error("{name} offers no format that can be converted")]
    Format {
        /// The device or file.
        name: String,
    },
    /// The device was unplugged, or its sound server stopped.
    #[error("{name} was lost")]
    Lost {
        /// The device.
        name: String,
    },
    /// The sound system does not respond.
    #[error("the sound system does not respond")]
    Silent,
    /// The WAV file cannot be read: it is absent, its permissions forbid it, or it is not a WAV file.
    #[error("{} cannot be read as a WAV file", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: hound::Error,
    },
    /// The WAV file has no samples.
    #[error("{} has no samples", .0.display())]
    Empty(PathBuf),
    /// The WAV file cannot be written.
    #[error("{} cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        #[source]
        source: hound::Error,
    },
}

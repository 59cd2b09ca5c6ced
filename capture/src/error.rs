//! Why there are no pictures.

use std::path::PathBuf;

/// Any error of a library below.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a source cannot be opened, or has stopped for good.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such device, or none at all.
    #[error("no camera{}", .0.as_ref().map(|name| format!(" called {name:?}")).unwrap_or_default())]
    NotFound(Option<String>),
    /// Another program holds the device.
    #[error("{name} is in use by another program")]
    Taken {
        /// What people call the device.
        name: String,
    },
    /// The system does not let this program use the device.
    #[error("the system denies access to {name}")]
    Denied {
        /// What people call the device.
        name: String,
    },
    /// The device was there, and is gone.
    #[error("{name} was unplugged or stopped")]
    Lost {
        /// What people call the device.
        name: String,
    },
    /// The device offers nothing that can be used here.
    #[error("{name} offers no format that is known here")]
    Format {
        /// What people call the device.
        name: String,
    },
    /// A media file cannot be read, or is damaged.
    #[error("{} cannot be played: {source}", path.display())]
    BadFile {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: BoxError,
    },
    /// A media file is of a kind that is not played here.
    #[error("{}: {format} is not played here, but MP4 with H.264 (8 bit, 4:2:0, progressive) and Y4M are", path.display())]
    FileFormat {
        /// Which.
        path: PathBuf,
        /// What it is, by the name that people know.
        format: String,
    },
    /// There is no screen that can be captured.
    #[error("the screen cannot be captured: {0}")]
    NoScreen(BoxError),
    /// Something else below failed.
    #[error("{name} failed: {source}")]
    Failed {
        /// What people call the device.
        name: String,
        /// What it said.
        source: BoxError,
    },
}

//! Errors of sources.

use std::path::PathBuf;

/// An error of an underlying library.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a source cannot be opened, or why it ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The named device does not exist, or there is no device (`None`).
    #[error("no camera{}", .0.as_ref().map(|name| format!(" called {name:?}")).unwrap_or_default())]
    NotFound(Option<String>),
    /// Another program uses the device.
    #[error("{name} is in use by another program")]
    Taken {
        /// The device name shown to users.
        name: String,
    },
    /// The operating system denies access to the device.
    #[error("the system denies access to {name}")]
    Denied {
        /// The device name shown to users.
        name: String,
    },
    /// The device was unplugged, or it stopped.
    #[error("{name} was unplugged or stopped")]
    Lost {
        /// The device name shown to users.
        name: String,
    },
    /// The device offers no supported pixel format.
    #[error("{name} offers no supported format")]
    Format {
        /// The device name shown to users.
        name: String,
    },
    /// The media file cannot be read or is damaged.
    #[error("{} cannot be played: {source}", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: BoxError,
    },
    /// The media file has an unsupported format.
    #[error("{}: {format} is not supported; supported are MP4 with H.264 (8 bit, 4:2:0, progressive) and Y4M", path.display())]
    FileFormat {
        /// The file.
        path: PathBuf,
        /// The common name of its format.
        format: String,
    },
    /// No screen can be captured.
    #[error("the screen cannot be captured: {0}")]
    NoScreen(BoxError),
    /// The screen has a pixel format that is not supported.
    #[error("the screen cannot be captured: {0}")]
    ScreenFormat(BoxError),
    /// Any other failure of the device or its driver.
    #[error("{name} failed: {source}")]
    Failed {
        /// The device name shown to users.
        name: String,
        /// The cause.
        source: BoxError,
    },
}

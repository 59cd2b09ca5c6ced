//! Media files: MP4 with H.264, and Y4M.
//!
//! Readers return an error for any invalid input and never panic. They allocate no more bytes than the file has.

pub mod mp4;
pub mod y4m;

use media::Size;

/// The reason why a file cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An I/O error.
    #[error("the file cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The file has another format.
    #[error("not a {0} file")]
    Kind(&'static str),
    /// The file is damaged or truncated.
    #[error("the file is damaged: {0}")]
    Damaged(&'static str),
    /// The container or codec is not supported. Contains its common name.
    #[error("{0} is not supported; use MP4 with H.264 (8 bit, 4:2:0, progressive) or Y4M (8 bit, 4:2:0)")]
    Format(String),
    /// The format is supported, but the file uses an unsupported feature.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// The file contains no frames.
    #[error("the file contains no frames")]
    Empty,
}

/// Returns an error for an empty size, or one that would need gigabytes of memory.
fn check_size(size: Size) -> Result<Size, Error> {
    if size.is_empty() {
        return Err(Error::Damaged("the frame size is zero"));
    }
    if size.area() > MAX_SAMPLES {
        return Err(Error::Unsupported(format!("frames of {size}")));
    }
    Ok(size)
}

/// The largest frame: 8192 x 4320 samples.
const MAX_SAMPLES: u32 = 8_192 * 4_320;

//! Files that hold pictures: MP4 with H.264, and Y4M.
//!
//! Readers take whatever bytes they are given and answer with an error that says what is wrong; they allocate no more
//! than the file is long.

pub mod mp4;
pub mod y4m;

use media::Size;

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system did not let us.
    #[error("the file cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// Another kind of file.
    #[error("not a {0} file")]
    Kind(&'static str),
    /// The right kind, but damaged or cut off.
    #[error("the file is damaged: {0}")]
    Damaged(&'static str),
    /// A kind of file or of compression that is not read here, by the name that people know.
    #[error("{0} is not played here, but MP4 with H.264 (8 bit, 4:2:0, progressive) and Y4M (8 bit, 4:2:0) are")]
    Format(String),
    /// The right kind of file, with something in it that is not read here.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// There are no pictures in it.
    #[error("the file holds no pictures")]
    Empty,
}

/// Keeps a file's header from asking for gigabytes.
fn sane(size: Size) -> Result<Size, Error> {
    if size.is_empty() {
        return Err(Error::Damaged("its pictures have no samples"));
    }
    if size.area() > MAX_SAMPLES {
        return Err(Error::Unsupported(format!("pictures of {size}")));
    }
    Ok(size)
}

/// 8192 x 4320.
const MAX_SAMPLES: u32 = 8_192 * 4_320;

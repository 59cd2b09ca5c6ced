//! Files on systems without modes. There, other users cannot read or write the user's folder.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// Opens a file to read it.
pub fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Opens a file that serves as a lock. Creates it.
pub fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// Accepts each file.
#[expect(clippy::unnecessary_wraps, reason = "other systems refuse some")]
pub fn check_writers(_metadata: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Accepts each file.
#[expect(clippy::unnecessary_wraps, reason = "other systems refuse some")]
pub fn check_readers(_metadata: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Writes a file.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::write(path, bytes)
}

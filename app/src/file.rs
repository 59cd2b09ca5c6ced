//! Small files of this program: reading is bounded, and what is written can be read by this user only.

use std::path::Path;
use std::{fs, io};

/// Reads a file of at most `max` bytes.
///
/// # Errors
/// Returns an error if the file cannot be read or is larger.
pub fn read_bounded(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.len() > max {
        return Err(io::Error::other("the file is too large"));
    }
    fs::read(path)
}

/// Writes a file that only this user can read, atomically: a second file then replaces the first. Creates its folder.
///
/// # Errors
/// Returns an error if the folder or the file cannot be written.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension("new");
    private::write(&draft, bytes)?;
    fs::rename(draft, path)
}

#[cfg(unix)]
mod private {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    /// Writes a file that only this user can read.
    pub fn write(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(bytes)
    }
}

#[cfg(not(unix))]
mod private {
    /// Writes a file. On these systems, other users cannot read the user's folder.
    pub fn write(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
        std::fs::write(path, bytes)
    }
}

//! Small files of this program: reading is bounded, and what is written can be read by this user only.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

/// Reads a file of at most `max` bytes.
///
/// # Errors
/// Returns an error if the file cannot be read or is larger.
pub fn read_bounded(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let file = fs::File::open(path)?;
    // Enough memory at once, so that no part of a link stays behind in a smaller block.
    let length = usize::try_from(file.metadata()?.len().min(max)).unwrap_or(0);
    let mut bytes = Vec::with_capacity(length.saturating_add(1));
    // The length of a device is not known, and a file may grow meanwhile.
    file.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max { Err(io::Error::other("the file is too large")) } else { Ok(bytes) }
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

    /// Writes a file that only this user can read. One that is left from before may have another mode, so it is removed.
    pub fn write(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(bytes)
    }
}

#[cfg(not(unix))]
mod private {
    /// Writes a file. On these systems, other users cannot read the user's folder.
    pub fn write(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
        std::fs::write(path, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_or_device_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, [7; 100]).unwrap();
        assert_eq!(read_bounded(&path, 100).unwrap(), [7; 100]);
        assert!(read_bounded(&path, 99).is_err());
        #[cfg(unix)]
        assert!(read_bounded(Path::new("/dev/zero"), 1_000).is_err(), "it has no end, and its length is 0");
    }

    #[cfg(unix)]
    #[test]
    fn a_draft_that_everybody_could_read_is_replaced() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("networks.json");
        let draft = path.with_extension("new");
        fs::write(&draft, "old").unwrap();
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o644)).unwrap();
        write_private(&path, b"new").unwrap();
        assert_eq!((fs::read(&path).unwrap(), draft.exists()), (b"new".to_vec(), false));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

//! Files on Unix, with owners and modes.

use rustix::fs::OFlags;
use rustix::process::geteuid;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Opens a file to read it. A pipe that nobody writes to does not block, and a terminal does not become that of this program.
pub fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(no_side_effects()).open(path)
}

/// Opens a file that serves as a lock, which this user alone can open. Creates it.
pub fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(no_side_effects()).open(path)
}

fn no_side_effects() -> i32 {
    (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed()
}

/// Returns an error if somebody else than root and this user could have written the file.
pub fn check_writers(metadata: &Metadata) -> io::Result<()> {
    if !may_own(metadata.uid()) {
        return Err(io::Error::other("it belongs to another user"));
    }
    if metadata.mode() & WRITABLE_BY_OTHERS != 0 {
        return Err(io::Error::other("other users may write it"));
    }
    Ok(())
}

/// Returns an error if others than the owner can read the file.
pub fn check_readers(metadata: &Metadata) -> io::Result<()> {
    let is_private = metadata.mode() & ACCESSIBLE_TO_OTHERS == 0;
    if is_private { Ok(()) } else { Err(io::Error::other("other users can read it: chmod 600 makes it private")) }
}

/// Returns whether a file of this user is trusted. The owner can always change the mode.
pub fn may_own(user: u32) -> bool {
    user == 0 || user == geteuid().as_raw()
}

/// Writes a file that only this user can read. One that is left from before may have another mode, so it is removed.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(bytes)
}

/// The bits of the mode that let the group or everybody write.
const WRITABLE_BY_OTHERS: u32 = 0o022;
/// The bits of the mode that give the group or everybody any access.
const ACCESSIBLE_TO_OTHERS: u32 = 0o077;

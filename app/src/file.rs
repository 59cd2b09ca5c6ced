//! Small files of this program: reading is bounded and never blocks, what others could have written is not read, what is written can
//! be read by this user only, and a change is made by one program at a time.

use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
use other as system;
#[cfg(unix)]
use unix as system;

/// Reads a regular file of at most `max` bytes. On Unix, its owner is this user or root, and nobody else may write it. Does not block,
/// whatever is at the path.
///
/// # Errors
/// Returns an error if the file cannot be read, is larger, or is not such a file.
pub fn read_bounded(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let file = system::open(path)?;
    let metadata = file.metadata()?;
    check_regular(&metadata)?;
    system::check_writers(&metadata)?;
    // Enough memory at once, so that no part of a link stays behind in a smaller block.
    let length = usize::try_from(metadata.len().min(max)).unwrap_or(0);
    let mut bytes = Vec::with_capacity(length.saturating_add(1));
    // A file may grow meanwhile.
    file.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max { Err(io::Error::other("the file is too large")) } else { Ok(bytes) }
}

/// Like [`read_bounded`], for a secret. On Unix, nobody but the owner may read the file.
///
/// # Errors
/// Returns an error if the file cannot be read, is larger, or is not such a file.
pub fn read_secret(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    system::check_readers(&system::open(path)?.metadata()?)?;
    read_bounded(path, max)
}

/// Returns an error if a file is a pipe, a device or a folder.
fn check_regular(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() { Ok(()) } else { Err(io::Error::other("it is no regular file")) }
}

/// The right to change a file. No other program and no other thread has it until this is dropped.
#[derive(Debug)]
pub struct ChangeLock {
    /// The system releases the lock when the file is closed.
    _file: File,
}

impl ChangeLock {
    /// Waits at most five seconds for the right to change the file at `path`, whose folder is created. The lock is on a second file beside
    /// it, because [`write_private`] replaces the first.
    ///
    /// # Errors
    /// Returns an error if the second file cannot be opened, or if another program, such as a stopped one, does not release it. If the
    /// file system has no locks, there is no error.
    pub fn take(path: &Path) -> io::Result<Self> {
        Self::take_within(LOCK_TIMEOUT, path)
    }

    /// Like [`ChangeLock::take`], with another limit of the time.
    #[expect(
        clippy::disallowed_methods,
        reason = "the system reports no end of a lock; its call that waits has no deadline"
    )]
    pub(crate) fn take_within(limit: Duration, path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = system::open_lock(&path.with_extension("lock"))?;
        check_regular(&file.metadata()?)?;
        let end = Instant::now() + limit;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if Instant::now() < end => std::thread::sleep(LOCK_INTERVAL),
                Err(TryLockError::WouldBlock) => {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "another program changes the file"));
                }
                Err(TryLockError::Error(error)) => {
                    // Some file systems have no locks, such as old network folders. A change without one is better than none.
                    tracing::debug!(%error, "a file is changed without a lock");
                    return Ok(Self { _file: file });
                }
            }
        }
    }
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
    system::write(&draft, bytes)?;
    fs::rename(draft, path)
}

/// How long a change waits for that of another program. Each takes a few milliseconds.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// The interval at which it looks whether that has ended. The system's call that waits has no timeout.
const LOCK_INTERVAL: Duration = Duration::from_millis(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_private(&path, &[7; 100]).unwrap();
        assert_eq!(read_bounded(&path, 100).unwrap(), [7; 100]);
        assert!(read_bounded(&path, 99).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_refused_and_does_not_block() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        // Nobody writes to the pipe, so opening it in the usual way never returns.
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let read = move || sender.send(read_bounded(&pipe, 100).map_err(|error| error.to_string())).unwrap();
        std::thread::Builder::new().name("read".into()).spawn(read).unwrap();
        let result = receiver.recv_timeout(Duration::from_secs(20)).expect("it does not block");
        assert_eq!(result, Err("it is no regular file".into()));
        for path in [folder.path(), Path::new("/dev/zero")] {
            assert!(read_bounded(path, 100).is_err(), "{}", path.display());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_write_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.json");
        for (mode, is_read) in [(0o600, true), (0o644, true), (0o440, true), (0o664, false), (0o646, false)] {
            write_private(&path, b"{}").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read_bounded(&path, 100).is_ok(), is_read, "{mode:o}");
        }
        write_private(&path, b"{}").unwrap();
        // Only root can give a file away, so otherwise the rule is tried alone.
        let stranger = rustix::process::geteuid().as_raw() + 1;
        assert!(system::may_own(0) && system::may_own(stranger - 1) && !system::may_own(stranger));
        if std::os::unix::fs::chown(&path, Some(stranger), None).is_ok() {
            assert!(read_bounded(&path, 100).is_err(), "it belongs to somebody else");
        }
    }

    #[test]
    fn one_program_at_a_time_changes_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("recent.json");
        let lock = ChangeLock::take(&path).unwrap();
        // Each opens the lock file anew, as another program does.
        let busy = ChangeLock::take_within(Duration::ZERO, &path).unwrap_err();
        assert_eq!(busy.kind(), io::ErrorKind::TimedOut);
        assert!(ChangeLock::take_within(Duration::ZERO, &path.with_file_name("networks.json")).is_ok(), "another file");
        drop(lock);
        ChangeLock::take_within(Duration::ZERO, &path).unwrap();
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

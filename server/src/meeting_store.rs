//! The files of the meetings that run. Each meeting has one, which is removed when the meeting ends. If the server was killed,
//! the next server in the same folder continues the meetings.
//!
//! A file is a sequence of records. A record is the length of its bytes (four bytes, big-endian), the first eight bytes of
//! their SHA-256, and the bytes. Records are written, but not flushed to the disk: they survive a crash of the program, but
//! not always one of the system. After such a crash, the last records may be missing, and members that know more than the
//! server join again.

use crate::delivery::Change;
use proto::MeetingId;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The files of a server's meetings.
#[derive(Debug)]
pub struct MeetingStore {
    folder: PathBuf,
    /// Locked as long as this server uses the folder.
    _lock: File,
}

/// The result of [`MeetingStore::open`].
pub struct OpenedStore {
    /// The store.
    pub store: MeetingStore,
    /// The key of the resume tokens: the same as that of the last server in this folder.
    pub secret: [u8; 32],
    /// The records of each meeting, in the order in which they were stored. Empty if the file is damaged.
    pub stored: Vec<(MeetingId, Vec<Vec<u8>>)>,
}

impl MeetingStore {
    /// Opens the store in `folder`, which is created if it does not exist. Returns `None` if another server uses it.
    ///
    /// # Errors
    /// Returns the system's error if a file cannot be read or written.
    pub fn open(folder: &Path) -> io::Result<Option<OpenedStore>> {
        create_folder(folder)?;
        let lock = private().write(true).create(true).truncate(false).open(folder.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let secret = secret(&folder.join("token-key"))?;
        let stored = read_all(folder)?;
        Ok(Some(OpenedStore { store: Self { folder: folder.to_owned(), _lock: lock }, secret, stored }))
    }

    /// Writes a change. If this fails, the meeting continues, but is not stored until the next [`Change::Replace`].
    pub fn apply(&self, meeting: MeetingId, change: &Change) {
        let path = self.folder.join(format!("{meeting}{EXTENSION}"));
        let result = match change {
            // Fails with `NotFound` if an earlier change failed: this one is of no use without it.
            Change::Append(bytes) => {
                OpenOptions::new().append(true).open(&path).and_then(|mut file| file.write_all(&record(bytes)))
            }
            Change::Replace(bytes) => replace(&path, &record(bytes)),
            Change::Remove => fs::remove_file(&path),
        };
        if let Err(error) = result
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::error!(%error, folder = %self.folder.display(), "a meeting cannot be stored: it ends if the server is killed");
            // An incomplete file is of no use. It may not exist.
            let _ = fs::remove_file(&path);
        }
    }
}

/// Returns the key in a file, or a new one that is written to it.
fn secret(path: &Path) -> io::Result<[u8; 32]> {
    if let Some(secret) = fs::read(path).ok().and_then(|bytes| bytes.try_into().ok()) {
        return Ok(secret);
    }
    let mut secret = [0; 32];
    SystemRandom::new().fill(&mut secret).map_err(|_| io::Error::other("the system has no random bytes"))?;
    replace(path, &secret)?;
    Ok(secret)
}

/// Returns the records of each meeting. Removes files that [`replace`] did not complete.
fn read_all(folder: &Path) -> io::Result<Vec<(MeetingId, Vec<Vec<u8>>)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if Path::new(&name).extension().is_some_and(|extension| extension == INCOMPLETE) {
            fs::remove_file(folder.join(&name))?;
        }
        let id = name.to_str().and_then(|name| name.strip_suffix(EXTENSION)).and_then(|id| id.parse().ok());
        if let Some(id) = id {
            all.push((id, records(&fs::read(folder.join(name))?)));
        }
    }
    Ok(all)
}

fn record(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&length, &digest(&SHA256, bytes).as_ref()[..CHECKSUM], bytes].concat()
}

/// Returns the bytes of the complete records.
fn records(mut file: &[u8]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    while let Some((length, rest)) = file.split_first_chunk::<4>()
        && let Some((checksum, rest)) = rest.split_first_chunk::<CHECKSUM>()
        && let Some((bytes, rest)) =
            usize::try_from(u32::from_be_bytes(*length)).ok().and_then(|at| rest.split_at_checked(at))
        && digest(&SHA256, bytes).as_ref().starts_with(checksum)
    {
        records.push(bytes.to_vec());
        file = rest;
    }
    records
}

/// Writes another file, and then renames it to `path`, so that `path` is never incomplete.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension(INCOMPLETE);
    private().write(true).create(true).truncate(true).open(&new)?.write_all(bytes)?;
    fs::rename(new, path)
}

/// Returns options for a file that only its owner may read.
#[cfg(unix)]
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Returns options for a file. The access control list of the user's folder protects it.
#[cfg(not(unix))]
fn private() -> OpenOptions {
    OpenOptions::new()
}

/// Creates a folder that only its owner may read.
#[cfg(unix)]
fn create_folder(path: &Path) -> io::Result<()> {
    std::os::unix::fs::DirBuilderExt::mode(fs::DirBuilder::new().recursive(true), 0o700).create(path)
}

/// Creates a folder. The access control list of the user's folder protects it.
#[cfg(not(unix))]
fn create_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// The end of the names of the meetings' files.
const EXTENSION: &str = ".meeting";

/// The extension of a file that is not complete yet.
const INCOMPLETE: &str = "new";

/// Bytes of a record's checksum. It detects a record that was not written to its end.
const CHECKSUM: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    const MEETING: MeetingId = MeetingId([0xab; 16]);

    /// A data folder that does not exist at first. Drop removes it.
    struct Folder {
        path: PathBuf,
        _parent: TempDir,
    }

    impl Folder {
        fn new() -> Self {
            let parent = tempfile::tempdir().expect("a folder");
            Self { path: parent.path().join("data"), _parent: parent }
        }

        fn open(&self) -> OpenedStore {
            MeetingStore::open(&self.path).expect("it can be used").expect("no other server uses it")
        }
    }

    #[test]
    fn changes_are_found_again_with_the_same_key_and_one_server_at_a_time() {
        let folder = Folder::new();
        let OpenedStore { store, secret, stored } = folder.open();
        assert!(stored.is_empty());
        for change in [Change::Replace(vec![1]), Change::Replace(vec![2]), Change::Append(vec![3; 70_000])] {
            store.apply(MEETING, &change);
        }
        assert!(MeetingStore::open(&folder.path).expect("it can be used").is_none(), "another server uses it");
        drop(store);
        let again = folder.open();
        assert_eq!((again.secret, again.stored), (secret, vec![(MEETING, vec![vec![2], vec![3; 70_000]])]));
        again.store.apply(MEETING, &Change::Remove);
        drop(again.store);
        assert!(folder.open().stored.is_empty());
    }

    #[test]
    fn a_file_that_was_not_completed_is_removed() {
        let folder = Folder::new();
        drop(folder.open());
        let incomplete = folder.path.join(format!("{MEETING}.new"));
        fs::write(&incomplete, [1]).expect("it can be written");
        assert!(folder.open().stored.is_empty() && !incomplete.exists());
    }

    #[test]
    fn a_record_that_was_not_written_to_its_end_is_left_out() {
        let file = [record(b"first"), record(b"second")].concat();
        for length in 0..file.len() {
            let expected: &[&[u8]] = if length < record(b"first").len() { &[] } else { &[b"first"] };
            assert_eq!(records(&file[..length]), expected, "{length}");
        }
        let mut damaged = file.clone();
        damaged[14] ^= 1;
        assert!(records(&damaged).is_empty());
        assert_eq!(records(&file).len(), 2);
    }

    #[test]
    fn a_change_after_one_that_failed_is_not_stored() {
        let folder = Folder::new();
        let OpenedStore { store, .. } = folder.open();
        store.apply(MEETING, &Change::Append(vec![3]));
        drop(store);
        assert!(folder.open().stored.is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_files() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new();
        let OpenedStore { store, .. } = folder.open();
        store.apply(MEETING, &Change::Replace(vec![1]));
        let mode = |path: &Path| fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
        assert_eq!(mode(&folder.path), 0o700);
        for entry in fs::read_dir(&folder.path).expect("a folder") {
            assert_eq!(mode(&entry.expect("a file").path()), 0o600);
        }
    }
}

//! The recent meetings, the last name, and the chosen language and theme, in a small file. Links contain secrets, so only
//! this user may read the file.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs, io};

use serde::{Deserialize, Serialize};

/// What is remembered from earlier runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// The name that was used last.
    pub name: String,
    /// The chosen language, as a BCP 47 tag.
    pub language: Option<String>,
    /// The name of the chosen theme.
    pub theme: Option<String>,
    /// The recent meetings, newest first.
    pub meetings: Vec<Meeting>,
}

/// A meeting that was entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    /// Its link.
    pub link: String,
    /// Its server.
    pub host: String,
    /// When it was entered, in seconds since 1970.
    pub entered: u64,
}

/// The maximum number of meetings. If there are more, the oldest is removed.
const MAX_MEETINGS: usize = 8;
/// The maximum size of the file. This program does not write a larger one.
const MAX_FILE_BYTES: u64 = 256 * 1024;

impl Memory {
    /// Adds a meeting that was just entered.
    pub fn add(&mut self, link: String, host: String) {
        self.forget(&link);
        self.meetings.insert(0, Meeting { link, host, entered: now() });
        self.meetings.truncate(MAX_MEETINGS);
    }

    /// Removes a meeting.
    pub fn forget(&mut self, link: &str) {
        self.meetings.retain(|meeting| meeting.link != link);
    }

    /// Reads the file. Returns the default if there is no file; if it is damaged, also logs a warning.
    pub fn load(path: &Path) -> Self {
        let text = match fs::metadata(path).and_then(|found| {
            if found.len() > MAX_FILE_BYTES {
                Err(io::Error::other("the file is too large"))
            } else {
                fs::read_to_string(path)
            }
        }) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::default(),
            Err(error) => {
                tracing::warn!(%error, "cannot read the file of preferences and recent meetings");
                return Self::default();
            }
        };
        serde_json::from_str(&text).unwrap_or_else(|error| {
            tracing::warn!(%error, "the file of preferences and recent meetings is damaged");
            Self::default()
        })
    }

    /// Writes the file atomically: to a second file, which then replaces the first.
    ///
    /// # Errors
    /// Returns an error if the folder or the file cannot be written.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let draft = path.with_extension("new");
        private::write(&draft, &serde_json::to_vec_pretty(self)?)?;
        fs::rename(draft, path)
    }
}

/// The path of the file, in the system's folder for program state; `None` if the environment names no folder.
pub fn path() -> Option<PathBuf> {
    let folder = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = folder("XDG_STATE_HOME")
        .or_else(|| folder("LOCALAPPDATA"))
        .or_else(|| folder("HOME").map(|home| home.join(".local/state")))?;
    Some(base.join("conclave").join("recent.json"))
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        env::temp_dir().join(format!("conclave-{name}-{}", std::process::id()))
    }

    #[test]
    fn a_saved_memory_is_loaded_again() {
        let folder = folder("recent");
        let path = folder.join("deep").join("recent.json");
        let mut memory = Memory { name: "Anne".into(), ..Memory::default() };
        for number in 0..10 {
            memory.add(format!("conclave://h/{number}"), "h".into());
        }
        memory.add("conclave://h/9".into(), "h".into());
        assert_eq!(memory.meetings.len(), MAX_MEETINGS);
        assert_eq!(memory.meetings.iter().filter(|meeting| meeting.link.ends_with("/9")).count(), 1);
        memory.save(&path).unwrap();
        assert_eq!(Memory::load(&path), memory);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_damaged_file_loads_as_the_default() {
        let folder = folder("damaged");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("recent.json");
        for bytes in [&b"{\"name\": 7}"[..], b"\xff\xfe", b"", b"[]"] {
            fs::write(&path, bytes).unwrap();
            assert_eq!(Memory::load(&path), Memory::default());
        }
        assert_eq!(Memory::load(&folder.join("absent.json")), Memory::default());
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn only_this_user_can_read_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder("private");
        let path = folder.join("recent.json");
        Memory::default().save(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
        fs::remove_dir_all(folder).unwrap();
    }
}

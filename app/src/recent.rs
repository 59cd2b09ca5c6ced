//! The recent meetings, the last name, the chosen language and theme, and the content hints of the pictures that we send, in a small
//! file. Links contain secrets, so only this user may read the file.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, io};

use engine::{Reason, SecretLink, Zeroizing};
use serde::{Deserialize, Serialize};

use crate::file;
use crate::model::bandwidth::Choices;

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
    /// The camera shows sign language.
    pub sign_language: bool,
    /// The shared screen shows a video clip.
    pub video_clip: bool,
    /// No sound is played when somebody asks to join.
    pub silent_knocks: bool,
    /// How much of the network may be used.
    pub bandwidth: Choices,
    /// The recent meetings, newest first.
    pub meetings: Vec<Meeting>,
}

/// A meeting that was entered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Meeting {
    /// Its link.
    pub link: SecretLink,
    /// Its server.
    pub host: String,
    /// When it was entered, in seconds since 1970.
    pub entered: u64,
    /// The names of the other participants, in the order in which they were met.
    pub people: Vec<String>,
    /// This device created the meeting.
    pub organised: bool,
    /// The server runs in the program that created the meeting, and stops with it.
    pub hosted: bool,
    /// The meeting cannot be joined again.
    pub over: bool,
}

impl Meeting {
    /// A meeting that this device enters now. `None` if it is not listed.
    pub fn entered_now(link: &SecretLink, organised: bool, listing: Listing) -> Option<Self> {
        let hosted = match listing {
            Listing::Unlisted => return None,
            Listing::Listed => false,
            Listing::WhileHosted => true,
        };
        let host = link.invitation().map(|invitation| invitation.host).unwrap_or_default();
        let (link, entered) = (link.clone(), now());
        Some(Self { link, host, entered, organised, hosted, ..Self::default() })
    }
}

/// Whether a meeting that ended for this reason cannot be joined again.
pub const fn is_over(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::NoMeeting
            | Reason::Removed
            | Reason::RemovedBy(_)
            | Reason::Barred
            | Reason::Ended
            | Reason::HostStopped
    )
}

/// Whether a meeting is added to the recent meetings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// It is not added.
    Unlisted,
    /// It is added.
    Listed,
    /// It is added, and removed when the engine is closed, because its server then stops.
    WhileHosted,
}

/// The maximum number of meetings. If there are more, the oldest is removed.
const MAX_MEETINGS: usize = 8;
/// The maximum number of names of a meeting.
pub const MAX_PEOPLE: usize = 8;
/// The maximum size of the file. This program does not write a larger one.
const MAX_FILE_BYTES: u64 = 256 * 1024;
/// More than what eight meetings with eight names of 64 letters need.
const USUAL_FILE_BYTES: usize = 64 * 1024;

impl Memory {
    /// Adds a meeting that was just entered. It replaces the last meeting on the same server.
    pub fn enter(&mut self, meeting: Meeting) {
        let known = self.meetings.iter().find(|known| known.link == meeting.link);
        let people = known.map_or_else(|| meeting.people.clone(), |known| known.people.clone());
        self.meetings.retain(|known| known.host != meeting.host && known.link != meeting.link);
        self.meetings.insert(0, Meeting { people, ..meeting });
        self.meetings.truncate(MAX_MEETINGS);
    }

    /// Adds names of participants to a meeting. Returns whether the list of its names changed.
    pub fn meet(&mut self, link: &SecretLink, people: &[String]) -> bool {
        let Some(meeting) = self.meetings.iter_mut().find(|meeting| meeting.link == *link) else { return false };
        let before = meeting.people.len();
        for name in people {
            if meeting.people.len() < MAX_PEOPLE && !meeting.people.contains(name) {
                meeting.people.push(name.clone());
            }
        }
        meeting.people.len() != before
    }

    /// Replaces the link of a meeting, because the organiser removed somebody.
    pub fn relink(&mut self, before: &SecretLink, link: &SecretLink) {
        for meeting in self.meetings.iter_mut().filter(|meeting| meeting.link == *before) {
            meeting.link = link.clone();
        }
    }

    /// Marks a meeting that cannot be joined again.
    pub fn end(&mut self, link: &SecretLink) {
        // Without the text around it, if it was pasted with some.
        let found = engine::find_link(link.expose());
        let link = found.as_ref().map_or(link.expose(), |found| found.as_str());
        for meeting in self.meetings.iter_mut().filter(|meeting| meeting.link.expose() == link) {
            meeting.over = true;
        }
    }

    /// Removes a meeting.
    pub fn forget(&mut self, link: &SecretLink) {
        self.meetings.retain(|meeting| meeting.link != *link);
    }

    /// Removes what an earlier run left: meetings whose server stopped with its program, and older meetings on the same
    /// server.
    pub fn tidy(&mut self) {
        self.meetings.retain(|meeting| !meeting.hosted);
        let mut hosts = HashSet::new();
        self.meetings.retain(|meeting| hosts.insert(meeting.host.clone()));
    }

    /// Reads the file. Returns the default if there is no file; if it is damaged, also logs a warning.
    pub fn load(path: &Path) -> Self {
        let text = match file::read_bounded(path, MAX_FILE_BYTES) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::default(),
            Err(error) => {
                tracing::warn!(%error, "cannot read the file of preferences and recent meetings");
                return Self::default();
            }
        };
        serde_json::from_slice(&text).unwrap_or_else(|error| {
            tracing::warn!(%error, "the file of preferences and recent meetings is damaged");
            Self::default()
        })
    }

    /// Reads the user's file.
    pub fn of_user() -> Self {
        path().map(|path| Self::load(&path)).unwrap_or_default()
    }

    /// Writes the file atomically: to a second file, which then replaces the first.
    ///
    /// # Errors
    /// Returns an error if the folder or the file cannot be written.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        // The capacity is rarely exceeded: growing would leave copies of the links behind.
        let mut text = Zeroizing::new(Vec::with_capacity(USUAL_FILE_BYTES));
        serde_json::to_writer_pretty(&mut *text, self)?;
        file::write_private(path, &text)
    }
}

/// Changes the file: reads it, calls `change`, and writes it. Until it is written, no other thread and no other program changes it.
///
/// # Errors
/// Returns an error if the folder or the file cannot be written.
pub fn update(path: &Path, change: impl FnOnce(&mut Memory)) -> io::Result<()> {
    let _lock = file::ChangeLock::take(path)?;
    let mut memory = Memory::load(path);
    change(&mut memory);
    memory.save(path)
}

/// Changes the user's file, if the environment names its folder. A failure is logged.
pub fn change(change: impl FnOnce(&mut Memory)) {
    let Some(path) = path() else { return };
    if let Err(error) = update(&path, change) {
        tracing::warn!(%error, "cannot write the file of preferences and recent meetings");
    }
}

/// The path of the file, in the system's folder for program state; `None` if the environment names no folder.
pub fn path() -> Option<PathBuf> {
    path_in(|name| env::var_os(name))
}

/// Returns the path of the file if `variable` returns the environment.
fn path_in(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = folder("XDG_STATE_HOME")
        .or_else(|| folder("LOCALAPPDATA"))
        .or_else(|| folder("HOME").map(|home| home.join(".local/state")))?;
    Some(base.join("conclave").join("recent.json"))
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::Duration;
    use tempfile::TempDir;

    fn folder() -> TempDir {
        tempfile::tempdir().unwrap()
    }

    fn meeting(host: &str, number: u64) -> Meeting {
        Meeting { link: format!("conclave://{host}/{number}").into(), host: host.into(), ..Meeting::default() }
    }

    #[test]
    fn each_server_is_listed_once() {
        let mut memory = Memory::default();
        for (host, number) in [("a", 1), ("b", 1), ("a", 2), ("a", 3)] {
            memory.enter(meeting(host, number));
        }
        let links: Vec<_> = memory.meetings.iter().map(|meeting| meeting.link.expose()).collect();
        assert_eq!(links, ["conclave://a/3", "conclave://b/1"]);
        // A file of an earlier version.
        memory.meetings.push(meeting("b", 0));
        memory.tidy();
        assert_eq!(memory.meetings.len(), 2);
    }

    #[test]
    fn a_meeting_whose_server_stopped_is_not_listed_after_a_restart() {
        let mut memory = Memory::default();
        memory.enter(Meeting { hosted: true, ..meeting("192.168.1.20", 1) });
        memory.enter(meeting("visio.example.fr", 1));
        memory.tidy();
        assert_eq!(memory.meetings, [meeting("visio.example.fr", 1)]);
    }

    #[test]
    fn the_choices_about_pictures_are_stored_and_off_in_a_file_of_an_earlier_version() {
        let folder = folder();
        let path = folder.path().join("recent.json");
        file::write_private(&path, br#"{"name": "Anne", "theme": "dark"}"#).unwrap();
        let memory = Memory::load(&path);
        assert_eq!((memory.sign_language, memory.video_clip, memory.name.as_str()), (false, false, "Anne"));
        update(&path, |memory| memory.sign_language = true).unwrap();
        update(&path, |memory| memory.video_clip = true).unwrap();
        let memory = Memory::load(&path);
        assert!(memory.sign_language && memory.video_clip && memory.theme.as_deref() == Some("dark"));
    }

    #[test]
    fn names_are_kept_once_and_at_most_eight() {
        let mut memory = Memory::default();
        memory.enter(meeting("a", 1));
        let link = memory.meetings[0].link.clone();
        assert!(memory.meet(&link, &["Bob".into(), "Carol".into()]));
        assert!(!memory.meet(&link, &["Bob".into()]), "nothing new");
        assert!(!memory.meet(&"conclave://other".into(), &["Dave".into()]));
        let many: Vec<_> = (0..90).map(|number| format!("Guest {number}")).collect();
        assert!(memory.meet(&link, &many));
        assert_eq!(memory.meetings[0].people.len(), MAX_PEOPLE);
        memory.enter(meeting("a", 1));
        assert_eq!(memory.meetings[0].people[..2], ["Bob", "Carol"], "also after joining again");
    }

    #[test]
    fn changes_of_two_programs_are_both_kept() {
        let folder = folder();
        let path = folder.path().join("recent.json");
        update(&path, |memory| memory.enter(meeting("a", 1))).unwrap();
        update(&path, |memory| memory.name = "Anne".into()).unwrap();
        update(&path, |memory| memory.end(&"conclave://a/1".into())).unwrap();
        let memory = Memory::load(&path);
        assert_eq!((memory.name.as_str(), memory.meetings.len(), memory.meetings[0].over), ("Anne", 1, true));
    }

    #[test]
    fn no_other_program_changes_the_file_between_reading_and_writing() {
        let folder = folder();
        let path = folder.path().join("recent.json");
        update(&path, |_| {
            let other = file::ChangeLock::take_within(Duration::ZERO, &path);
            assert_eq!(other.unwrap_err().kind(), io::ErrorKind::TimedOut);
        })
        .unwrap();
    }

    #[test]
    fn a_saved_memory_is_loaded_again() {
        let folder = folder();
        let path = folder.path().join("deep").join("recent.json");
        let mut memory = Memory { name: "Anne".into(), ..Memory::default() };
        for number in 0..10 {
            memory.enter(meeting(&format!("h{number}"), 0));
        }
        assert_eq!(memory.meetings.len(), MAX_MEETINGS);
        assert_eq!(memory.meetings[0].host, "h9", "the newest is the first");
        memory.save(&path).unwrap();
        assert_eq!(Memory::load(&path), memory);
    }

    #[test]
    fn debug_shows_no_link_and_the_file_has_it() {
        let folder = folder();
        let path = folder.path().join("recent.json");
        let mut memory = Memory::default();
        memory.enter(Meeting { link: "conclave://a:1/#c2VjcmV0".into(), ..meeting("a", 1) });
        assert!(!format!("{memory:?}").contains("c2VjcmV0"), "{memory:?}");
        memory.save(&path).unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains(r#""link": "conclave://a:1/#c2VjcmV0""#));
    }

    /// docs/privacy.md says where the file is.
    #[test]
    fn the_file_is_where_the_document_about_privacy_says() {
        let document = include_str!("../../docs/privacy.md");
        let folders = "`conclave/recent.json` in the user's state folder: `$XDG_STATE_HOME`, else `%LOCALAPPDATA%`, else `~/.local/state`";
        assert!(document.contains(folders));
        let path = |set: &'static [(&str, &str)]| {
            path_in(|wanted| set.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.into()))
        };
        let expected = |folder: &str| Some(Path::new(folder).join("conclave").join("recent.json"));
        let all = &[("HOME", "/home/anne"), ("LOCALAPPDATA", "/local"), ("XDG_STATE_HOME", "/state")];
        assert_eq!(path(all), expected("/state"));
        assert_eq!(path(&all[..2]), expected("/local"));
        assert_eq!(path(&[("HOME", "/home/anne"), ("XDG_STATE_HOME", "")]), expected("/home/anne/.local/state"));
        assert_eq!(path(&[]), None);
    }

    #[test]
    fn a_damaged_file_loads_as_the_default() {
        let folder = folder();
        let path = folder.path().join("recent.json");
        for bytes in [&b"{\"name\": 7}"[..], b"\xff\xfe", b"", b"[]"] {
            file::write_private(&path, bytes).unwrap();
            assert_eq!(Memory::load(&path), Memory::default());
        }
        assert_eq!(Memory::load(&folder.path().join("absent.json")), Memory::default());
    }

    #[cfg(unix)]
    #[test]
    fn only_this_user_can_read_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder();
        let path = folder.path().join("recent.json");
        Memory::default().save(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
    }
}

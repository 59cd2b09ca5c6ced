//! Writes the history of the statistics, or the chat, to a file.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use engine::{Engine, Stats, Zeroizing};
use iced::Task;

use super::message::Message;
use crate::background;
use crate::model::{Notice, NoticeKind};

/// Writes the history of a meeting as CSV into the user's folder for downloads, on another thread. The message is the notice
/// to show.
pub fn statistics(engine: Option<&Engine>) -> Task<Message> {
    let Some(stats) = engine.map(Engine::stats) else { return Task::none() };
    background::run(move || export(&stats)).map(Message::Notify)
}

/// Writes the text of the chat into the user's folder for downloads, on another thread. The message is the notice to show.
pub fn chat(text: Zeroizing<String>) -> Task<Message> {
    background::run(move || save(&CHAT, text.as_bytes())).map(Message::Notify)
}

fn export(stats: &Stats) -> Notice {
    save(&STATISTICS, stats.history().csv().as_bytes())
}

/// A kind of file.
struct File {
    /// The beginning of the name.
    name: &'static str,
    extension: &'static str,
    /// The notice that it was written.
    saved: NoticeKind,
}

fn save(file: &File, bytes: &[u8]) -> Notice {
    let Some(folder) = downloads() else { return failed(file, "the environment names no home folder") };
    match write(&folder, file, bytes) {
        Ok(path) => Notice {
            kind: file.saved,
            file: path.file_name().map(|name| name.to_string_lossy().into_owned()),
            detail: path.display().to_string(),
        },
        Err(error) => failed(file, &error.to_string()),
    }
}

fn failed(file: &File, cause: &str) -> Notice {
    let name = format!("{}.{}", file.name, file.extension);
    Notice { kind: engine::NoticeKind::NotWritten.into(), file: Some(name), detail: cause.to_owned() }
}

/// Writes a new file. Its name has a number, so that no file is replaced.
fn write(folder: &Path, file: &File, bytes: &[u8]) -> io::Result<PathBuf> {
    let File { name, extension, .. } = file;
    for number in 1..=MAX_FILES {
        let path = folder.join(format!("{name}-{number}.{extension}"));
        match fs::OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => return file.write_all(bytes).map(|()| path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// The user's folder for downloads; the home folder if there is none.
fn downloads() -> Option<PathBuf> {
    let folder = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = folder("HOME").or_else(|| folder("USERPROFILE"))?;
    let settings = folder("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")).join("user-dirs.dirs");
    let named = fs::read_to_string(settings).ok().and_then(|text| named_folder(&text, &home));
    Some(named.into_iter().chain([home.join("Downloads")]).find(|folder| folder.is_dir()).unwrap_or(home))
}

/// The folder for downloads that a file of xdg-user-dirs names.
fn named_folder(text: &str, home: &Path) -> Option<PathBuf> {
    let value = text.lines().find_map(|line| line.trim().strip_prefix("XDG_DOWNLOAD_DIR="))?.trim_matches('"');
    let inside = value.strip_prefix("$HOME/").map(|rest| home.join(rest));
    inside.or_else(|| Some(PathBuf::from(value)).filter(|path| path.is_absolute()))
}

const STATISTICS: File = File { name: "conclave-statistics", extension: "csv", saved: NoticeKind::StatisticsSaved };
const CHAT: File = File { name: "conclave-chat", extension: "txt", saved: NoticeKind::ChatSaved };

/// The highest number of a file.
const MAX_FILES: u32 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<_> = (0..2).map(|_| write(folder.path(), &STATISTICS, b"second\r\n").unwrap()).collect();
        let expected = [1, 2].map(|number| folder.path().join(format!("conclave-statistics-{number}.csv")));
        assert_eq!(names, expected);
        let missing = folder.path().join("missing");
        assert!(write(&missing, &CHAT, b"").is_err(), "a folder that does not exist");
    }

    #[test]
    fn the_folder_for_downloads_has_the_name_of_the_system() {
        let home = Path::new("/home/anne");
        let text = "# comment\nXDG_DESKTOP_DIR=\"$HOME/Bureau\"\nXDG_DOWNLOAD_DIR=\"$HOME/Téléchargements\"\n";
        assert_eq!(named_folder(text, home), Some(home.join("Téléchargements")));
        assert_eq!(named_folder("XDG_DOWNLOAD_DIR=\"/data\"", home), Some("/data".into()));
        assert_eq!(named_folder("XDG_DOWNLOAD_DIR=\"relative\"", home), None);
        assert_eq!(named_folder("", home), None);
    }
}

//! One client of a meeting, from its options: name, devices, dump, report.

use super::options::Client;
use super::output;
use anyhow::{Context, Result};
use engine::dump::Dump;
use engine::report::Report;
use engine::{AudioChoice, Bandwidth, MeetingFlags, SecretLink, Setup, VideoOutput};
use std::fs::{self, OpenOptions};
use std::path::Path;
use std::sync::Arc;

/// The name and the devices, without limits of the bandwidth: the caller sets them. With a dump folder, the speaker
/// is the file `speaker.wav` in it, unless the speaker is another file. Checks first that the files that the meeting
/// writes can be written, because a failure at the end would lose them.
///
/// # Errors
/// Returns an error if the dump folder cannot be created, or if a file cannot be written. The error names the path.
pub fn setup(client: &Client) -> Result<Setup> {
    let mut speaker = client.speaker.clone();
    if let Some(folder) = &client.dump {
        fs::create_dir_all(folder).with_context(|| format!("cannot create the folder {}", folder.display()))?;
        let file = folder.join("speaker.wav");
        check_writable(&file)?;
        if !matches!(speaker, AudioChoice::File(_)) {
            speaker = AudioChoice::File(file);
        }
    }
    if let AudioChoice::File(file) = &speaker {
        check_writable(file)?;
    }
    for file in client.report.iter().chain(&client.picture) {
        check_writable(file)?;
    }
    Ok(Setup {
        name: name(client),
        camera: client.camera.clone(),
        microphone: client.microphone.clone(),
        speaker,
        screen: client.screen,
        muted: false,
        chat_first: client.chat,
        // Found when the meeting starts, on a thread that may block.
        proxy: engine::ProxySettings::default(),
        bandwidth: Bandwidth::default(),
        flags: MeetingFlags::NONE,
    })
}

/// Returns an output that shows pictures on `output` and also writes them into the folder `dump`. Returns `output` if
/// there is no folder.
pub fn with_dump(output: Arc<dyn VideoOutput>, dump: Option<&Path>) -> Arc<dyn VideoOutput> {
    match dump {
        Some(folder) => Arc::new(Dump::new(output, folder.to_owned(), engine::clock::system())),
        None => output,
    }
}

/// The name that the others see: from the option, else the system's user name, else "Guest". The option is used as it is.
pub fn name(client: &Client) -> String {
    client.name.clone().unwrap_or_else(system_name)
}

/// The system's user name, as [`name`] uses it.
pub fn system_name() -> String {
    user_name(|variable| std::env::var(variable).ok())
}

/// The system's user name from the environment, cut if it is too long for a meeting. "Guest" if there is none with a
/// visible character. The name of the computer is not used: the others need not know it.
fn user_name(variable: impl Fn(&str) -> Option<String>) -> String {
    let mut names = ["USER", "LOGNAME", "USERNAME"].into_iter().filter_map(variable);
    names.find_map(|name| engine::name::fitted(&name)).unwrap_or_else(|| "Guest".into())
}

/// Returns an error that names the path if a file at `path` cannot be written. Changes nothing.
fn check_writable(path: &Path) -> Result<()> {
    let cannot_write = || format!("cannot write {}", path.display());
    if fs::metadata(path).is_ok() {
        OpenOptions::new().append(true).open(path).with_context(cannot_write)?;
    } else {
        OpenOptions::new().write(true).create_new(true).open(path).with_context(cannot_write)?;
        fs::remove_file(path).with_context(cannot_write)?;
    }
    Ok(())
}

/// Prints the link of the meeting.
pub fn print_link(link: &SecretLink) {
    output::line(link.expose());
}

/// Writes `report` if there is a path.
///
/// # Errors
/// Returns an error if the file cannot be written.
pub fn write_report(path: Option<&Path>, report: &Report) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    let json = serde_json::to_vec_pretty(report)?;
    fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::options::{Command, Options};
    use clap::Parser;

    fn client(folder: &Path, arguments: &[&str]) -> Client {
        let arguments = arguments.iter().map(|argument| argument.replace("DIR", &folder.to_string_lossy()));
        let all = ["conclave", "meet", "--headless"].map(str::to_owned).into_iter().chain(arguments);
        match Options::parse_from(all).command {
            Some(Command::Meet(meet)) => meet.client,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_user_name_that_is_no_name_of_a_participant_blocks_no_meeting() {
        let named = |variables: &'static [(&str, &str)]| {
            user_name(|wanted| variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(named(&[("USER", "anne")]), "anne");
        assert_eq!(named(&[("USER", ""), ("LOGNAME", "anne")]), "anne");
        assert_eq!(named(&[("USER", "\u{200b}"), ("USERNAME", "Anne")]), "Anne");
        assert_eq!(named(&[("USER", " ")]), "Guest");
        assert_eq!(named(&[]), "Guest");
        let long = "abcdefghij".repeat(8);
        let cut = user_name(|_| Some(long.clone()));
        assert_eq!(cut, long[..64]);
        assert_eq!(named(&[("USER", "an\u{7}ne\u{202e}")]), "anne");
    }

    #[test]
    fn a_speaker_file_is_written_with_and_without_a_dump() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path();
        let speaker = |arguments: &[&str]| setup(&client(folder, arguments)).unwrap().speaker;
        let (own, dump) = (folder.join("own.wav"), folder.join("dump/speaker.wav"));
        assert_eq!(speaker(&["--speaker", "file:DIR/own.wav", "--dump", "DIR/dump"]), AudioChoice::File(own.clone()));
        assert_eq!(speaker(&["--speaker", "file:DIR/own.wav"]), AudioChoice::File(own));
        assert_eq!(speaker(&["--dump", "DIR/dump"]), AudioChoice::File(dump.clone()));
        assert_eq!(speaker(&["--speaker", "off", "--dump", "DIR/dump"]), AudioChoice::File(dump.clone()));
        assert!(!dump.exists(), "the check leaves no file");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named_at_the_start() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path();
        fs::write(folder.join("file"), b"kept").unwrap();
        for arguments in [
            &["--report", "DIR/missing/report.json"][..],
            &["--picture", "DIR/missing/picture.png"],
            &["--speaker", "file:DIR/missing/heard.wav"],
            &["--dump", "DIR/file/dump"],
            &["--report", "DIR"],
        ] {
            let error = format!("{:#}", setup(&client(folder, arguments)).map(drop).unwrap_err());
            let path = arguments[1].trim_start_matches("file:").replace("DIR", &folder.to_string_lossy());
            assert!(error.contains(&path), "{error}");
        }
        setup(&client(folder, &["--report", "DIR/file"])).unwrap();
        assert_eq!(fs::read(folder.join("file")).unwrap(), b"kept");
    }
}

//! One client of a meeting, from its options: name, devices, dump, report.

use super::options::Client;
use anyhow::{Context, Result};
use engine::dump::Dump;
use engine::report::Report;
use engine::{AudioChoice, Setup, VideoOutput};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// The name and the devices. With a dump folder, the speaker is the file `speaker.wav` in it.
///
/// # Errors
/// Returns an error if the dump folder cannot be created.
pub fn setup(client: &Client) -> Result<Setup> {
    let speaker = match &client.dump {
        Some(folder) => {
            fs::create_dir_all(folder).with_context(|| format!("cannot create the folder {}", folder.display()))?;
            AudioChoice::File(folder.join("speaker.wav"))
        }
        None => client.speaker.clone(),
    };
    Ok(Setup {
        name: name(client),
        camera: client.camera.clone(),
        microphone: client.microphone.clone(),
        speaker,
        screen: client.screen,
        muted: false,
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

/// The name that the others see: from the option, else the system's user name, else "Guest".
pub fn name(client: &Client) -> String {
    let system = || std::env::var("USER").or_else(|_| std::env::var("USERNAME")).ok();
    client.name.clone().or_else(system).unwrap_or_else(|| "Guest".into())
}

/// Prints the link of the meeting and flushes it, because a program may wait for it at the other end of a pipe.
pub fn print_link(link: &str) {
    println!("{link}");
    let _ = std::io::stdout().flush();
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

//! Who plays in the demo: names, footage, voices.

use crate::command::options::Demo;
use anyhow::{Result, ensure};
use std::path::PathBuf;
use std::process::Command;

/// One participant.
pub struct Role {
    /// The name that the others see.
    pub name: String,
    /// What its camera plays; none where it is you.
    pub footage: Option<PathBuf>,
    /// What its microphone plays; none where it is you.
    pub voice: Option<PathBuf>,
}

impl Role {
    /// Adds its devices to a command line.
    pub fn devices(&self, command: &mut Command) {
        match &self.footage {
            Some(path) => command.arg("--camera").arg(format!("file:{}", path.display())),
            None => command.args(["--camera", "device"]),
        };
        match &self.voice {
            Some(path) => {
                command.args(["--speaker", "off"]).arg("--microphone").arg(format!("file:{}", path.display()))
            }
            None => command.args(["--microphone", "device", "--speaker", "device"]),
        };
    }
}

/// The participants. With a camera and a microphone on this machine, the first one is you.
///
/// # Errors
/// Where footage or voices are missing.
pub fn of(demo: &Demo) -> Result<Vec<Role>> {
    let you = !demo.headless && !engine::devices::cameras().is_empty() && !engine::devices::microphones().is_empty();
    (0..usize::from(demo.participants)).map(|index| role(demo, index, you && index == 0)).collect()
}

fn role(demo: &Demo, index: usize, you: bool) -> Result<Role> {
    let round = index / NAMES.len();
    let name = match (you, round) {
        (true, _) => "You".to_owned(),
        (false, 0) => NAMES[index].to_owned(),
        (false, _) => format!("{} {}", NAMES[index % NAMES.len()], round + 1),
    };
    if you {
        return Ok(Role { name, footage: None, voice: None });
    }
    let footage = demo.assets.join("footage").join(FOOTAGE[index % FOOTAGE.len()]);
    let voice = demo.assets.join("voices").join(VOICES[index % VOICES.len()]);
    for path in [&footage, &voice] {
        ensure!(path.is_file(), "the demo's file {} is missing: run it from the repository", path.display());
    }
    Ok(Role { name, footage: Some(footage), voice: Some(voice) })
}

const NAMES: &[&str] = &["Anne", "Bob", "Carol", "David", "Élise", "Farid", "Greta", "Hugo"];
const FOOTAGE: &[&str] = &["portrait.mp4", "bunny.mp4", "desktop.mp4", "meadow.mp4"];
const VOICES: &[&str] = &["anne.wav", "bob.wav", "carol.wav", "david.wav"];

//! The participants of the demo: names, footage, voices.

use crate::command::options::Demo;
use anyhow::{Result, ensure};
use std::path::PathBuf;
use std::process::Command;

/// One participant.
pub struct Participant {
    /// The name that the others see.
    pub name: String,
    /// The file that its camera plays; `None` for the real camera.
    pub footage: Option<PathBuf>,
    /// The file that its microphone plays; `None` for the real microphone.
    pub voice: Option<PathBuf>,
}

impl Participant {
    /// Adds the options for its devices to a command line.
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

/// The participants. The first one uses the camera and the microphone of this machine if it has both, unless the option
/// `--headless` is given. The others play files.
///
/// # Errors
/// Returns an error if footage or voices are missing.
pub fn of(demo: &Demo) -> Result<Vec<Participant>> {
    let has_devices =
        !demo.headless && !engine::device_list::cameras().is_empty() && !engine::device_list::microphones().is_empty();
    (0..usize::from(demo.participants)).map(|index| participant(demo, index, has_devices && index == 0)).collect()
}

fn participant(demo: &Demo, index: usize, uses_devices: bool) -> Result<Participant> {
    let round = index / NAMES.len();
    let name = match (uses_devices, round) {
        (true, _) => "You".to_owned(),
        (false, 0) => NAMES[index].to_owned(),
        (false, _) => format!("{} {}", NAMES[index % NAMES.len()], round + 1),
    };
    if uses_devices {
        return Ok(Participant { name, footage: None, voice: None });
    }
    let footage = demo.assets.join("footage").join(FOOTAGE[index % FOOTAGE.len()]);
    let voice = demo.assets.join("voices").join(VOICES[index % VOICES.len()]);
    for path in [&footage, &voice] {
        ensure!(
            path.is_file(),
            "the demo's file {} is missing. Run the demo in the folder of the repository",
            path.display()
        );
    }
    Ok(Participant { name, footage: Some(footage), voice: Some(voice) })
}

const NAMES: &[&str] = &["Anne", "Bob", "Carol", "David", "Élise", "Farid", "Greta", "Hugo"];
const FOOTAGE: &[&str] = &["portrait.mp4", "bunny.mp4", "desktop.mp4", "meadow.mp4"];
const VOICES: &[&str] = &["anne.wav", "bob.wav", "carol.wav", "david.wav"];

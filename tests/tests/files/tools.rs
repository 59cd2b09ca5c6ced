//! ffmpeg, its files, and signal-to-noise ratios.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tests::temp_folder::TempFolder;

/// A temporary folder for the files of one test.
pub struct Folder(TempFolder);

impl Folder {
    pub fn new(name: &str) -> Self {
        Self(TempFolder::new(&format!("files-{name}")))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file and returns its path.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        self.0.write(name, bytes).into()
    }

    /// Makes a file with ffmpeg and returns its path.
    pub fn make(&self, name: &str, arguments: &str) -> PathBuf {
        let path = self.path(name);
        ffmpeg(&format!("{arguments} {}", path.display()));
        path
    }
}

/// Runs ffmpeg with arguments that are separated by spaces. Returns its standard output.
pub fn ffmpeg(arguments: &str) -> Vec<u8> {
    run("ffmpeg", &format!("-nostdin -y {arguments}"))
}

/// Returns a value of each frame of a clip, as ffprobe prints it.
pub fn probe(path: &Path, entries: &str) -> Vec<String> {
    let arguments = format!("-select_streams v:0 -show_entries {entries} -of csv=p=0 {}", path.display());
    let text = String::from_utf8(run("ffprobe", &arguments)).expect("text");
    text.lines().map(|line| line.trim_end_matches(',').to_owned()).filter(|line| !line.is_empty()).collect()
}

fn run(program: &str, arguments: &str) -> Vec<u8> {
    let mut command = Command::new(program);
    command.args(["-v", "error"]).args(arguments.split_whitespace()).stdin(Stdio::null());
    let output =
        command.output().unwrap_or_else(|error| panic!("{program} cannot be started, install ffmpeg: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments}: {errors}");
    output.stdout
}

/// Returns the ratio of `peak` squared to the mean squared difference, in decibels; infinite for equal values.
pub fn ratio(peak: f64, pairs: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (count, sum) = pairs.fold((0.0, 0.0), |(count, sum), (one, other)| (count + 1.0, sum + (one - other).powi(2)));
    assert!(count > 0.0, "nothing was compared");
    10.0 * (peak * peak * count / sum).log10()
}

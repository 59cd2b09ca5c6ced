//! A program of a call, and the folder for its report and log.

use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// A running program. Drop kills it.
pub struct RunningProgram {
    name: String,
    child: Child,
    /// The first line of its standard output.
    first_line: Receiver<String>,
    log: PathBuf,
}

impl RunningProgram {
    /// Starts `command`. Its log is the file `NAME.log` in `folder`.
    ///
    /// # Errors
    /// Returns an error if it does not start.
    pub fn start(name: &str, mut command: Command, folder: &OutputFolder) -> Result<Self> {
        let log = folder.path.join(format!("{name}.log"));
        command.env("LANG", "en_GB.UTF-8").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log)?);
        for name in ["DISPLAY", "WAYLAND_DISPLAY", "LC_ALL", "LC_MESSAGES", "LANGUAGE"] {
            command.env_remove(name);
        }
        let mut child = command.spawn().with_context(|| format!("cannot start the {name}"))?;
        let output = child.stdout.take().context("it is piped")?;
        let (lines, first_line) = sync_channel(1);
        // The thread ends with the program.
        thread::Builder::new().name(format!("{name} output")).spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Only the first line has a reader.
                let _ = lines.try_send(line);
            }
        })?;
        Ok(Self { name: name.to_owned(), child, first_line, log })
    }

    /// Waits for the first line of the standard output.
    ///
    /// # Errors
    /// Returns an error if there is none in time.
    pub fn first_line(&self) -> Result<String> {
        self.first_line.recv_timeout(START_TIMEOUT).map_err(|_| self.failed("printed nothing"))
    }

    /// Returns the number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the program to end, as Ctrl+C does.
    pub fn interrupt(&self) {
        // The standard library can only send SIGKILL. This fails if the program has ended, which `end` reports.
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).stderr(Stdio::null()).status();
    }

    /// Waits until the program ends.
    ///
    /// # Errors
    /// Returns an error if it does not end in time, or fails.
    pub fn end(mut self, limit: Duration) -> Result<()> {
        let start = Instant::now();
        loop {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(self.failed(&format!("ended with {status}"))),
                None if start.elapsed() > limit => return Err(self.failed("did not end in time")),
                None => thread::park_timeout(POLL_INTERVAL),
            }
        }
    }

    fn failed(&self, what: &str) -> anyhow::Error {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(MAX_LOG_LINES)..].join("\n");
        anyhow::anyhow!("the {} {what}. The end of its log:\n{end}", self.name)
    }
}

impl Drop for RunningProgram {
    fn drop(&mut self) {
        // Fails if the program has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder for reports and logs.
pub struct OutputFolder {
    path: PathBuf,
    kept: bool,
}

impl OutputFolder {
    /// Creates the folder `kept`, or without it a temporary one that drop removes.
    ///
    /// # Errors
    /// Returns an error if it cannot be created, or if the folder to keep exists.
    pub fn new(kept: Option<&Path>) -> Result<Self> {
        let path = match kept {
            Some(path) => path.to_owned(),
            None => std::env::temp_dir().join(format!("conclave-bench-net-{}", std::process::id())),
        };
        if path.exists() {
            bail!("{} exists", path.display());
        }
        fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        // The programs run in another folder.
        Ok(Self { path: path.canonicalize()?, kept: kept.is_some() })
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of a file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for OutputFolder {
    fn drop(&mut self) {
        if !self.kept {
            // If this fails, the folder stays among the system's temporary files.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// How long a program may take to print its first line.
const START_TIMEOUT: Duration = Duration::from_secs(30);

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// How much of a log an error shows.
const MAX_LOG_LINES: usize = 20;

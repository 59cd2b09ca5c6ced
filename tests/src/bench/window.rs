//! Measures the processor time of the client's window on a virtual screen, without a graphics card, and how often it is
//! drawn. Linux only.

use super::process::processor_time;
use super::row::{Comparison, Row};
use super::wait;
use crate::temp_folder::TempFolder;
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Measures all rows of the group `window`: one client with a microphone and a speaker of a sound server.
///
/// # Errors
/// Returns an error if the client is not built, or if a program is missing or ends.
pub fn rows() -> Result<Vec<Row>> {
    let desktop = Desktop::start()?;
    let clip = desktop.home.join("camera.y4m");
    write_clip(&clip).context("cannot write the clip of the camera")?;
    let camera = format!("file:{}", clip.display());
    let silent = ["--microphone", "off", "--speaker", "off"];
    let meet = |camera: &str, sound: &[&str]| {
        desktop.measure(&[&["meet", "--no-recent", "--name", "Anne", "--camera", camera], sound].concat())
    };
    let row = |name: &str, unit: &'static str, value: f64, limit: f64| {
        let comparison = Comparison { subject: value, peer: limit, runs: 1 };
        Row::at_most(name, unit, &format!("limit: {limit}"), comparison, 1.0)
    };
    let load = |name: &str, usage: &Usage, limit: f64| row(name, "% of a core", usage.load, limit);
    let (alone, preview) = (meet("off", &[])?, desktop.measure(&[LINK])?);
    Ok(vec![
        load("a meeting alone, no camera", &alone, 3.0),
        row("how often its window is drawn", "a second", alone.draws, 1.1),
        load("the same without sound devices", &meet("off", &silent)?, 3.0),
        load("a meeting alone with a camera of 1280x720", &meet(&camera, &[])?, 20.0),
        load("the same without sound devices", &meet(&camera, &silent)?, 20.0),
        load("the preview of a meeting, no camera", &preview, 5.0),
        row("how often its window is drawn", "a second", preview.draws, 0.1),
    ])
}

/// What a client needs.
struct Usage {
    /// Processor time, in percent of a core.
    load: f64,
    /// How many times a second its window is drawn.
    draws: f64,
}

/// A virtual screen and a sound server. Drop ends both and removes their files.
struct Desktop {
    home: TempFolder,
    display: String,
    /// The sound server first, because drop ends them in this order.
    running: Vec<Running>,
}

/// A program that drop ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Fails if the program has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Desktop {
    fn start() -> Result<Self> {
        let home = TempFolder::create("bench-window")?;
        let mut desktop = Self { home, display: String::new(), running: Vec::new() };
        let mut screen = desktop.command("Xvfb");
        screen.args(["-displayfd", "1", "-nolisten", "tcp", "-noreset", "-screen", "0", "1400x900x24"]);
        screen.stdout(Stdio::piped());
        let mut screen = screen.spawn().context("cannot start Xvfb")?;
        let mut number = String::new();
        BufReader::new(screen.stdout.take().context("it is piped")?).read_line(&mut number)?;
        desktop.running.push(Running(screen));
        desktop.display = format!(":{}", number.trim());
        let mut sound = desktop.command("pulseaudio");
        sound.args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--load=module-null-sink"]);
        // The microphone is silent. It is not the monitor of the sink: the server then asks the client for the sound of the
        // speaker thousands of times a second.
        sound.args(["--load=module-null-source", "--load=module-native-protocol-unix"]);
        desktop.running.insert(0, Running(sound.spawn().context("cannot start pulseaudio")?));
        let socket = desktop.home.join("pulse/native");
        let start = Instant::now();
        while !socket.exists() {
            if start.elapsed() > START_TIMEOUT {
                bail!("the sound server did not start");
            }
            thread::park_timeout(POLL_INTERVAL);
        }
        Ok(desktop)
    }

    /// A command whose environment is this desktop only.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("LANG", "en_GB.UTF-8").env("HOME", &*self.home).env("XDG_RUNTIME_DIR", &*self.home);
        for kept in ["PATH", "LD_LIBRARY_PATH", "TMPDIR"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        if !self.display.is_empty() {
            command.env("DISPLAY", &self.display);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Starts the client with `arguments`, and measures it.
    fn measure(&self, arguments: &[&str]) -> Result<Usage> {
        let here = std::env::current_exe()?;
        let client = here.with_file_name(format!("conclave{}", std::env::consts::EXE_SUFFIX));
        if !client.is_file() {
            bail!("{} is not built", client.display());
        }
        let log = self.home.join("log");
        let mut command = self.command(client);
        command.args(arguments).env("CONCLAVE_LOG", "warn,app::surface=trace").stderr(File::create(&log)?);
        let mut client = Running(command.spawn()?);
        let drawn_so_far = || fs::read_to_string(&log).map(|text| text.matches("window drawn").count());
        wait(SETTLING_TIME);
        let (time_before, drawn_before, start) = (processor_time(client.0.id())?, drawn_so_far()?, Instant::now());
        wait(MEASURING_TIME);
        let used = processor_time(client.0.id())?.saturating_sub(time_before);
        let drawn = u32::try_from(drawn_so_far()?.saturating_sub(drawn_before))?;
        let seconds = start.elapsed().as_secs_f64();
        if client.0.try_wait()?.is_some() {
            bail!("the client ended");
        }
        Ok(Usage { load: 100.0 * used.as_secs_f64() / seconds, draws: f64::from(drawn) / seconds })
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        // Before the folder with their files is removed.
        self.running.clear();
    }
}

/// Writes a clip of 1280x720 with a moving gradient. A file of raw pictures costs less to read than one with H.264, so that
/// the reading hardly counts.
fn write_clip(path: &Path) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    out.write_all(b"YUV4MPEG2 W1280 H720 F30:1 Ip A1:1 C420jpeg\n")?;
    for number in 0_usize..30 {
        out.write_all(b"FRAME\n")?;
        let ramp = |length: usize, step: usize| {
            (0..length).map(|at| u8::try_from((at / step + 4 * number) % 220 + 16).unwrap_or(0)).collect::<Vec<u8>>()
        };
        (0..720).try_for_each(|_| out.write_all(&ramp(1_280, 6)))?;
        (0..720).try_for_each(|_| out.write_all(&ramp(640, 3)))?;
    }
    out.flush()
}

/// A link to a meeting that does not exist. Its preview needs no server.
const LINK: &str = "conclave://127.0.0.1:1/#EgcHBwcHBwcHBwcHBwcHBwcJCQkJCQkJCQkJCQkJCQkJAwMDAwMDAwMDAwMDAwMDAw";

/// How long the sound server may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// After this time the notices of the start have disappeared, and the bars are hidden.
const SETTLING_TIME: Duration = Duration::from_secs(12);

/// The time over which the load is measured.
const MEASURING_TIME: Duration = Duration::from_secs(10);

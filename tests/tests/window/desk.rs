//! A desktop of one test's own: an X server without a monitor, a window manager, a keyboard, and a home folder.

use crate::picture::{Area, Picture, Rgb};
use crate::program::{Program, run, until};
use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Everything of it ends with it.
pub struct Desk {
    name: &'static str,
    home: PathBuf,
    display: String,
    bus: Option<String>,
    // In the order in which they end: what shows itself before what it is shown on.
    running: Vec<Program>,
    _turn: MutexGuard<'static, ()>,
}

/// Where the focus is, by the ring that is drawn around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ring {
    /// In pixels of the screen.
    pub area: Area,
    /// The colour that the control is filled with.
    pub inside: Rgb,
}

/// The dark theme's accent: the focus ring and the one thing to press.
pub const ACCENT: Rgb = [0x5B, 0xB0, 0xFF];
/// The dark theme's colour of what cannot be undone.
pub const DANGER: Rgb = [0xFF, 0x6B, 0x66];

/// For anything that happens at once on a machine with nothing else to do.
pub const SOON: Duration = Duration::from_secs(20);

impl Desk {
    /// A screen with a window manager; on a session bus of its own where the machine has one to give. `None`, and a
    /// line that says so, where a tool is missing.
    pub fn with_windows(name: &'static str) -> Option<Self> {
        let mut desk = Self::bare(name, "1400x900x24", &["Xvfb", "openbox", "xdotool"])?;
        desk.running.insert(0, Program::start("openbox", desk.command("openbox")));
        // A window that is there before its manager gets no focus.
        until("the window manager is there", SOON, || run("xdotool", desk.xdo(&["get_num_desktops"])));
        if is_there(BUS) {
            let mut command = desk.command(BUS);
            command.args(["--session", "--nofork", "--print-address=1"]);
            let daemon = Program::start(BUS, command);
            desk.bus = Some(daemon.first_line(SOON));
            desk.running.insert(0, daemon);
        }
        Some(desk)
    }

    /// A screen, and nobody who puts anything on it.
    pub fn bare(name: &'static str, screen: &str, tools: &[&str]) -> Option<Self> {
        if let Some(missing) = tools.iter().find(|tool| !is_there(tool)) {
            println!("skipped {name}: {missing} is not installed");
            return None;
        }
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let home = std::env::temp_dir().join(format!("conclave-window-{}-{name}", std::process::id()));
        // One that an ended run with this process number left.
        let _ = fs::remove_dir_all(&home);
        // Sockets below it are nobody else's business.
        DirBuilder::new().mode(0o700).create(&home).expect("a folder can be made");
        let mut desk = Self { name, home, display: String::new(), bus: None, running: Vec::new(), _turn: turn };
        let mut command = desk.command("Xvfb");
        command.args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0", screen, "-fbdir"]).arg(&desk.home);
        let server = Program::start("Xvfb", command);
        desk.display = format!(":{}", server.first_line(SOON).trim());
        desk.running.push(server);
        Some(desk)
    }

    /// A path in the home folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// A command whose whole surroundings are this desk: no user's files, devices of sound, screens or buses.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("LANG", "en_GB.UTF-8").env("HOME", &self.home).env("XDG_RUNTIME_DIR", &self.home);
        for (name, folder) in [("CONFIG", "config"), ("STATE", "state"), ("DATA", "data"), ("CACHE", "cache")] {
            command.env(format!("XDG_{name}_HOME"), self.path(folder));
        }
        command.env("PULSE_SERVER", format!("unix:{}", self.path("no-sound").display()));
        for kept in ["PATH", "LD_LIBRARY_PATH", "TMPDIR", "VK_DRIVER_FILES", "VK_ICD_FILENAMES"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        if !self.display.is_empty() {
            command.env("DISPLAY", &self.display);
        }
        if let Some(bus) = &self.bus {
            command.env("DBUS_SESSION_BUS_ADDRESS", bus.trim());
        }
        command
    }

    /// Starts a client. `name` is for messages.
    pub fn client(&self, name: &str, arguments: &[&str]) -> Program {
        self.client_where(name, arguments, &[])
    }

    /// Starts a client in `surroundings`: variables and what they say.
    pub fn client_where(&self, name: &str, arguments: &[&str], surroundings: &[(&str, &str)]) -> Program {
        let test = std::env::current_exe().expect("the test knows its own file");
        let folder = test.parent().and_then(Path::parent).expect("tests are built into a folder of a folder");
        let program = folder.join("conclave");
        assert!(program.is_file(), "{} is not built: run cargo build --workspace first", program.display());
        let mut command = self.command(program);
        command.args(arguments).envs(surroundings.iter().copied());
        Program::start(name, command)
    }

    /// The screen as it is now.
    pub fn screen(&self) -> Picture {
        until("the screen can be read", SOON, || Picture::of_screen(&self.path(SCREEN)))
    }

    /// Waits until the screen is as it should be, and keeps a picture of it where one was asked for.
    pub fn shows(&self, what: &str, is_so: impl Fn(&Picture) -> bool) {
        until(what, SOON, || is_so(&self.screen()).then_some(()));
        if let Some(folder) = std::env::var_os("CONCLAVE_TEST_PICTURES") {
            let file = format!("{}-{}.ppm", self.name, what.replace(' ', "-"));
            self.screen().save(&PathBuf::from(folder).join(file));
        }
    }

    /// Presses keys, one after the other, in the window that has the focus.
    pub fn press(&self, keys: &[&str]) {
        self.xdotool(&[&["key", "--delay", "30"], keys].concat());
    }

    /// Types a text.
    pub fn type_text(&self, text: &str) {
        self.xdotool(&["type", "--delay", "30", text]);
    }

    /// Waits until the window that has the focus has a title that `is_it`.
    pub fn until_title(&self, what: &str, is_it: impl Fn(&str) -> bool) {
        let title = || run("xdotool", self.xdo(&["getwindowfocus", "getwindowname"]));
        until(&format!("a window called {what}"), SOON, || title().filter(|title| is_it(title.trim())));
    }

    /// Presses Tab until the focus is on what `is_it`, as one sees it. Each step must be seen.
    pub fn tab_to(&self, what: &str, is_it: impl Fn(&Ring) -> bool) {
        let mut seen = Vec::new();
        let mut before = self.at_rest();
        for _ in 0..MAX_TABS {
            self.press(&["Tab"]);
            if let Some(ring) = self.ring(&before) {
                if is_it(&ring) {
                    return;
                }
                seen.push(ring);
            }
            before = self.screen();
        }
        panic!("Tab does not lead to {what}, but to {seen:#?}");
    }

    /// The screen, once nothing of the ring's colour comes or goes any more: what fades in is no ring.
    fn at_rest(&self) -> Picture {
        let mut last = self.screen();
        let mut calm = 0;
        until("the screen rests", SOON, || {
            let now = self.screen();
            let rests = now.gained(&last, ACCENT).is_none() && last.gained(&now, ACCENT).is_none();
            calm = if rests { calm + 1 } else { 0 };
            last = now;
            (calm == CALM).then_some(())
        });
        last
    }

    /// The focus ring that has appeared since `before`, once it moves no more; `None` where there is none.
    fn ring(&self, before: &Picture) -> Option<Ring> {
        let find = || {
            let now = self.screen();
            let area = now.gained(before, ACCENT).filter(|area| area.width() > 16 && area.height() > 16)?;
            let inside = now.at(area.left + INSIDE, area.top.midpoint(area.bottom));
            Some(Ring { area, inside })
        };
        let mut last = None;
        let mut looks = 0;
        until("the focus rests", SOON, || {
            looks += 1;
            let found = find();
            let rests = found.is_some() && found == last;
            last = found;
            (rests || (found.is_none() && looks > PATIENCE)).then_some(found)
        })
    }

    fn xdotool(&self, arguments: &[&str]) {
        assert!(run("xdotool", self.xdo(arguments)).is_some(), "xdotool {arguments:?}");
    }

    fn xdo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command("xdotool");
        command.args(arguments);
        command
    }

    /// Whether the window's tree can be asked for here; a line that says so where not.
    pub fn has_tree(&self) -> bool {
        let import = "import gi; gi.require_version('Atspi', '2.0'); from gi.repository import Atspi";
        let mut command = self.command(PYTHON);
        command.args(["-c", import]);
        let has = self.bus.is_some() && Path::new(PYTHON).exists() && run("python3", command).is_some();
        if !has {
            println!("skipped the accessible tree in {}: no session bus, or no AT-SPI for Python", self.name);
        }
        has
    }

    /// The tree that assistive tools get of the window now; `None` where it changed while it was read.
    pub fn tree(&self) -> Option<Vec<Node>> {
        let mut command = self.command(PYTHON);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/window/accessible.py"));
        let out = run("accessible.py", command)?;
        Some(out.lines().map(Node::read).collect())
    }
}

/// A node of the tree of assistive tools.
#[derive(Debug)]
pub struct Node {
    pub role: String,
    pub focusable: bool,
    pub name: String,
}

impl Node {
    fn read(line: &str) -> Self {
        let mut words = line.split('\t').map(str::to_owned);
        let mut word = || words.next().unwrap_or_default();
        Self { role: word(), focusable: word() == "focusable", name: word() }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(screen) = Picture::of_screen(&self.path(SCREEN))
        {
            let path = std::env::temp_dir().join(format!("conclave-window-{}.ppm", self.name));
            screen.save(&path);
            println!("the screen at the end: {}", path.display());
        }
        self.running.clear();
        // What stays is removed by the system with its other temporary files.
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// One desk at a time: two cores are not to be shared by three meetings.
static TURN: Mutex<()> = Mutex::new(());
/// The file in which the server keeps the screen.
pub const SCREEN: &str = "Xvfb_screen0";
const BUS: &str = "dbus-daemon";
/// The system's own, for which its package of AT-SPI is made.
const PYTHON: &str = "/usr/bin/python3";
/// More controls than any screen has.
const MAX_TABS: usize = 30;
/// From the outer edge of a focus ring to where its control is filled.
const INSIDE: usize = 8;
/// Looks in a row that see no change, which take longer than a screen takes to begin to fade in.
const CALM: usize = 6;
/// Looks until a ring that has not appeared is none.
const PATIENCE: usize = 20;

fn is_there(tool: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(tool).is_file())
}

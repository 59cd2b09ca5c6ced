//! A desktop for one test: a virtual X server, a window manager, a keyboard, and a home folder.

use crate::picture::{Area, Picture, Rgb};
use crate::program::{Program, run, until};
use crate::words::Language;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tests::temp_folder::TempFolder;

/// A desktop. Drop ends its programs and removes its files.
pub struct Desktop {
    name: String,
    home: TempFolder,
    display: String,
    bus: Option<String>,
    locale: &'static str,
    sound_server: PathBuf,
    // The programs in the order in which drop ends them: those with windows before the X server.
    running: Vec<Program>,
    _lock: MutexGuard<'static, ()>,
}

/// The focus ring of a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ring {
    /// Its area on the screen, in pixels.
    pub area: Area,
    /// The fill colour of the control.
    pub inside: Rgb,
}

/// The accent colour of the dark theme: the focus ring and the main button.
pub const ACCENT: Rgb = [0x5B, 0xB0, 0xFF];
/// The colour of dangerous actions in the dark theme.
pub const DANGER: Rgb = [0xFF, 0x6B, 0x66];

/// The limit for steps that are immediate on an idle machine.
pub const STEP_TIMEOUT: Duration = Duration::from_mins(1);

impl Desktop {
    /// Starts a screen with a window manager, and a session bus if `dbus-daemon` is installed. If another tool is missing,
    /// prints that and returns `None`.
    pub fn with_windows(name: &str) -> Option<Self> {
        Self::with_screen(name, "1400x900x24", Language::English)
    }

    /// Starts a screen of this size and depth with a window manager, as [`Desktop::with_windows`] does. Programs run in
    /// `language`.
    pub fn with_screen(name: &str, screen: &str, language: Language) -> Option<Self> {
        let mut desktop = Self::bare(name, screen, &["Xvfb", "openbox", "xdotool"])?;
        desktop.locale = language.locale();
        desktop.running.insert(0, Program::start("openbox", desktop.command("openbox")));
        // A window that opens before the window manager gets no focus.
        until("the window manager runs", STEP_TIMEOUT, || run("xdotool", desktop.xdo(&["get_num_desktops"])));
        if is_installed(BUS) {
            let mut command = desktop.command(BUS);
            command.args(["--session", "--nofork", "--print-address=1"]);
            let daemon = Program::start(BUS, command);
            desktop.bus = Some(daemon.first_line(STEP_TIMEOUT));
            desktop.running.insert(0, daemon);
        }
        Some(desktop)
    }

    /// Starts an empty screen without a window manager.
    pub fn bare(name: &str, screen: &str, tools: &[&str]) -> Option<Self> {
        if let Some(missing) = tools.iter().find(|tool| !is_installed(tool)) {
            println!("skipped {name}: {missing} is not installed");
            return None;
        }
        let lock = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let home = TempFolder::new(&format!("window-{name}"));
        let mut desktop = Self {
            name: name.to_owned(),
            display: String::new(),
            bus: None,
            locale: Language::English.locale(),
            sound_server: home.join("sound"),
            running: Vec::new(),
            home,
            _lock: lock,
        };
        let mut command = desktop.command("Xvfb");
        command.args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0", screen, "-fbdir"]).arg(&*desktop.home);
        let server = Program::start("Xvfb", command);
        desktop.display = format!(":{}", server.first_line(STEP_TIMEOUT).trim());
        desktop.running.push(server);
        Some(desktop)
    }

    /// Starts a sound server without devices. Returns false if its tools are missing.
    pub fn start_sound_server(&mut self) -> bool {
        if let Some(missing) = ["pulseaudio", "pactl"].iter().find(|tool| !is_installed(tool)) {
            println!("skipped sound devices in {}: {missing} is not installed", self.name);
            return false;
        }
        let mut command = self.command("pulseaudio");
        let socket = format!("module-native-protocol-unix socket={}", self.sound_server.display());
        command.args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "-L", &socket]);
        command.env_remove("PULSE_SERVER");
        self.running.insert(0, Program::start("pulseaudio", command));
        until("the sound server runs", STEP_TIMEOUT, || self.ask("pactl", &["info"]));
        true
    }

    /// Runs a tool to its end. Returns its standard output if it succeeded.
    pub fn ask(&self, tool: &str, arguments: &[&str]) -> Option<String> {
        let mut command = self.command(tool);
        command.args(arguments);
        run(tool, command)
    }

    /// Returns the name of the display.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// Returns a path in the home folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// Returns a command whose environment is this desktop only: no files, sound devices, screens or buses of the user.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("LANG", self.locale).env("HOME", &*self.home).env("XDG_RUNTIME_DIR", &*self.home);
        for (name, folder) in [("CONFIG", "config"), ("STATE", "state"), ("DATA", "data"), ("CACHE", "cache")] {
            command.env(format!("XDG_{name}_HOME"), self.path(folder));
        }
        command.env("PULSE_SERVER", format!("unix:{}", self.sound_server.display()));
        // The PulseAudio library and the client look for the cookie in different folders. This is one file for both.
        command.env("PULSE_COOKIE", self.path("cookie"));
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

    /// Starts a client. Messages of failed tests contain `name`.
    pub fn client(&self, name: &str, arguments: &[&str]) -> Program {
        self.client_with(name, arguments, &[])
    }

    /// Starts a client with additional environment variables.
    pub fn client_with(&self, name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Program {
        let mut command = self.command(built("conclave"));
        command.args(arguments).envs(environment.iter().copied());
        Program::start(name, command)
    }

    /// Starts a server on a port of this machine. Returns the arguments of a client that creates a meeting on it.
    pub fn server(&self) -> (Program, [String; 4]) {
        let mut command = self.command(built("conclave-server"));
        command.args(["--listen", "127.0.0.1:0", "--data"]).arg(self.path("server"));
        let server = Program::start("the server", command);
        let line = server.first_line(STEP_TIMEOUT);
        let words: Vec<&str> = line.trim().split(' ').collect();
        let ["listening", "on", address, "fingerprint", fingerprint] = words[..] else { panic!("{line}") };
        let arguments = ["--server", address, "--fingerprint", fingerprint].map(str::to_owned);
        (server, arguments)
    }

    /// Returns the current content of the screen.
    pub fn screen(&self) -> Picture {
        until("the screen can be read", STEP_TIMEOUT, || Picture::of_screen(&self.path(SCREEN)))
    }

    /// Waits until `matches` returns true for the screen, and saves a picture of it if `CONCLAVE_TEST_PICTURES` is set.
    pub fn shows(&self, what: &str, matches: impl Fn(&Picture) -> bool) {
        until(what, STEP_TIMEOUT, || matches(&self.screen()).then_some(()));
        self.save(what);
    }

    /// Saves a picture of the screen if `CONCLAVE_TEST_PICTURES` is set.
    pub fn save(&self, what: &str) {
        if let Some(folder) = std::env::var_os("CONCLAVE_TEST_PICTURES") {
            let file = format!("{}-{}.ppm", self.name, what.replace(' ', "-"));
            self.screen().save(&PathBuf::from(folder).join(file));
        }
    }

    /// Presses keys, one after the other, in the window that has the focus.
    pub fn press(&self, keys: &[&str]) {
        self.xdotool(&[&["key", "--delay", "30"], keys].concat());
    }

    /// Clicks at a point of the window that has the focus. `button` is 1 for the left one and 3 for the right one.
    pub fn click(&self, x: i32, y: i32, button: u8) {
        let [x, y, button] = [x.to_string(), y.to_string(), button.to_string()];
        self.xdotool(&["getwindowfocus", "mousemove", "--window", "%1", &x, &y, "click", &button]);
    }

    /// Moves the pointer to the corner of the screen.
    pub fn move_away(&self) {
        self.xdotool(&["mousemove", "0", "0"]);
    }

    /// Presses a key and does not release it.
    pub fn hold(&self, key: &str) {
        self.xdotool(&["keydown", key]);
    }

    /// Releases a key.
    pub fn release(&self, key: &str) {
        self.xdotool(&["keyup", key]);
    }

    /// Types a text.
    pub fn type_text(&self, text: &str) {
        self.xdotool(&["type", "--delay", "30", text]);
    }

    /// Waits until `matches` returns true for the title of the window that has the focus.
    pub fn until_title(&self, what: &str, matches: impl Fn(&str) -> bool) {
        let title = || run("xdotool", self.xdo(&["getwindowfocus", "getwindowname"]));
        until(&format!("a window called {what}"), STEP_TIMEOUT, || title().filter(|title| matches(title.trim())));
    }

    /// Presses Tab until `matches` returns true for the focus ring.
    pub fn tab_to(&self, what: &str, matches: impl Fn(&Ring) -> bool) {
        let mut seen = Vec::new();
        let mut before = self.screen_without_fading();
        for _ in 0..MAX_TABS {
            self.press(&["Tab"]);
            if let Some(ring) = self.ring(&before) {
                if matches(&ring) {
                    return;
                }
                seen.push(ring);
            }
            before = self.screen();
        }
        panic!("Tab does not lead to {what}, but to {seen:#?}");
    }

    /// Returns the screen after the accent colour has stopped changing. Content that is fading must not be taken for a focus
    /// ring.
    fn screen_without_fading(&self) -> Picture {
        let mut last = self.screen();
        let mut unchanged = 0;
        until("the screen stops changing", STEP_TIMEOUT, || {
            let now = self.screen();
            let same = now.area_that_became(ACCENT, &last).is_none() && last.area_that_became(ACCENT, &now).is_none();
            unchanged = if same { unchanged + 1 } else { 0 };
            last = now;
            (unchanged == EQUAL_SCREENS).then_some(())
        });
        last
    }

    /// Returns the focus ring that has appeared since `before`, after it stops moving. Returns `None` if there is none.
    fn ring(&self, before: &Picture) -> Option<Ring> {
        let find = || {
            let now = self.screen();
            let area = now.area_that_became(ACCENT, before).filter(|area| area.width() > 16 && area.height() > 16)?;
            let inside = now.at(area.left + INSIDE, area.top.midpoint(area.bottom));
            Some(Ring { area, inside })
        };
        let mut last = None;
        let mut screens = 0;
        until("the focus ring stops moving", STEP_TIMEOUT, || {
            screens += 1;
            let found = find();
            let same = found.is_some() && found == last;
            last = found;
            (same || (found.is_none() && screens > MAX_SCREENS)).then_some(found)
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

    /// Saves the screen if the test has failed.
    pub fn save_failure(&self) {
        let screen = Picture::of_screen(&self.path(SCREEN)).filter(|_| std::thread::panicking());
        let Some(screen) = screen else { return };
        let path = std::env::temp_dir().join(format!("conclave-window-{}.ppm", self.name));
        screen.save(&path);
        println!("the screen at the end: {}", path.display());
    }

    /// Returns whether there is a session bus.
    pub fn has_bus(&self) -> bool {
        self.bus.is_some()
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        self.save_failure();
        // Before the folder with their files is removed.
        self.running.clear();
    }
}

/// Only one desktop runs at a time, because two cores cannot run three meetings.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
/// The file in which the X server stores the screen.
pub const SCREEN: &str = "Xvfb_screen0";
const BUS: &str = "dbus-daemon";
/// More than the number of controls on any screen.
const MAX_TABS: usize = 40;
/// The distance from the outer edge of a focus ring to the fill of its control, in pixels.
const INSIDE: usize = 8;
/// The number of equal screens in a row after which fading has ended. They take longer than the delay before fading starts.
const EQUAL_SCREENS: usize = 6;
/// The number of screens without a ring after which the search ends.
const MAX_SCREENS: usize = 20;

/// Returns the path of a program of this workspace.
fn built(program: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test knows its own file");
    let folder = test.parent().and_then(Path::parent).expect("the folder of tests has a parent");
    let path = folder.join(program);
    assert!(path.is_file(), "{} is not built: run cargo build --workspace first", path.display());
    path
}

pub fn is_installed(tool: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(tool).is_file())
}

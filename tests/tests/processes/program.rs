//! A program that runs: what it prints, line by line, and how it ends. Everything waits with a deadline.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Arguments of a client without camera, microphone and loudspeaker.
pub const BARE: [&str; 7] = ["--headless", "--camera", "off", "--microphone", "off", "--speaker", "off"];

/// How long anything may take that is not waited for by a promise of its own.
pub const LIMIT: Duration = Duration::from_secs(15);

/// A running program. Dropping it kills it.
pub struct Program {
    name: String,
    child: Child,
    out: Lines,
    err: Lines,
}

/// How a program ended.
#[derive(Debug)]
pub struct Outcome {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// All of its standard output.
    pub out: String,
    /// All of its standard error.
    pub err: String,
}

/// A command line of the client: English, no display, no logs beyond the usual, whatever the tests' own surroundings.
pub fn client(arguments: &[&str]) -> Command {
    command("conclave", arguments)
}

/// A command line of the server.
pub fn server(arguments: &[&str]) -> Command {
    command("conclave-server", arguments)
}

fn command(program: &str, arguments: &[&str]) -> Command {
    let path = binary(program);
    assert!(path.is_file(), "{} is not built: run cargo build --workspace first", path.display());
    let mut command = Command::new(path);
    command.args(arguments).env("LANG", "en_GB.UTF-8").stdin(Stdio::null());
    for name in ["LC_ALL", "LC_MESSAGES", "LANGUAGE", "DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
        command.env_remove(name);
    }
    for name in ["CONCLAVE_LOG", "RUST_LOG", "RUST_BACKTRACE", "RUST_LIB_BACKTRACE"] {
        command.env_remove(name);
    }
    command
}

/// Beside the folder that this test itself was built into.
fn binary(program: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test knows its own file");
    let folder = test.parent().and_then(Path::parent).expect("tests are built into a folder of a folder");
    folder.join(format!("{program}{}", std::env::consts::EXE_SUFFIX))
}

/// Only one test at a time holds a meeting: two cores are not to be shared by ten clients.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks again and again whether `done` holds, for at most `limit`.
pub fn until(limit: Duration, what: &str, done: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < limit, "not within {limit:?}: {what}");
        // Files ring no bell.
        thread::park_timeout(Duration::from_millis(20));
    }
    begun.elapsed()
}

impl Program {
    /// Starts `command`; `name` is for messages.
    pub fn start(name: &str, mut command: Command) -> Self {
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let out = Lines::read(&format!("{name} out"), child.stdout.take().expect("piped"));
        let err = Lines::read(&format!("{name} err"), child.stderr.take().expect("piped"));
        Self { name: name.into(), child, out, err }
    }

    /// The first line of standard output, such as the link that `conclave meet` prints.
    pub fn first_line(&self) -> String {
        let line = self.out.find(0, LIMIT, |_| true);
        line.unwrap_or_else(|| panic!("{} printed nothing; its errors:\n{}", self.name, self.err.text()))
    }

    /// How many lines stand on standard error by now: for [`Program::says_after`].
    pub fn mark(&self) -> usize {
        self.err.lock().lines.len()
    }

    /// Waits for a line on standard error, after the first `mark` ones, that holds `part`; gives the time since this call.
    pub fn says_after(&self, mark: usize, part: &str, limit: Duration) -> Duration {
        let begun = Instant::now();
        let found = self.err.find(mark, limit, |line| line.contains(part));
        assert!(found.is_some(), "{} did not say {part:?} within {limit:?}, but:\n{}", self.name, self.err.text());
        begun.elapsed()
    }

    /// Sends a signal by its name, such as `TERM`.
    pub fn signal(&self, signal: &str) {
        // The shell has `kill` built in; the standard library knows only SIGKILL.
        let script = format!("kill -{signal} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &script]).status().expect("there is a shell");
        assert!(status.success(), "{script}: {status}");
    }

    /// Waits until it ends by itself.
    pub fn end(mut self, limit: Duration) -> Outcome {
        let begun = Instant::now();
        // Whoever ends closes both pipes; nobody else holds their other ends.
        let closed = self.out.closed(limit) && self.err.closed(limit.saturating_sub(begun.elapsed()));
        assert!(closed, "{} does not end within {limit:?}; its errors:\n{}", self.name, self.err.text());
        let status: ExitStatus = self.child.wait().expect("a child can be waited for");
        Outcome { code: status.code(), out: self.out.text(), err: self.err.text() }
    }

    /// Tells a client to leave, as Ctrl+C does, and waits for it.
    pub fn leave(self) -> Outcome {
        self.signal("INT");
        self.end(LIMIT)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has ended needs no ending.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Outcome {
    /// Ended well, and said so little that nothing was wrong.
    pub fn is_well(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        assert!(!self.err.contains("panicked") && !self.err.contains("ERROR"), "{}", self.err);
        self
    }

    /// Ended with `code` and a message that holds all `parts`: what, whose fault, what to do.
    pub fn complains(&self, code: i32, parts: &[&str]) -> &Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        for part in parts {
            assert!(self.err.contains(part), "no {part:?} in: {}", self.err);
        }
        assert!(!self.err.contains("panicked") && !self.err.contains("stack backtrace"), "{}", self.err);
        self
    }
}

/// Lines that came so far. A thread reads them; whoever waits is woken by each.
#[derive(Clone, Default)]
struct Lines(Arc<(Mutex<Heard>, Condvar)>);

#[derive(Default)]
struct Heard {
    lines: Vec<String>,
    closed: bool,
}

impl Lines {
    fn read(thread: &str, pipe: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let told = lines.clone();
        let read = move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                told.tell(|heard| heard.lines.push(String::from_utf8_lossy(&line).into_owned()));
            }
            told.tell(|heard| heard.closed = true);
        };
        // It ends with the pipe, which ends with the program.
        drop(thread::Builder::new().name(thread.into()).spawn(read).expect("a thread"));
        lines
    }

    fn tell(&self, change: impl FnOnce(&mut Heard)) {
        change(&mut self.lock());
        self.0.1.notify_all();
    }

    fn find(&self, mark: usize, limit: Duration, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let search = |heard: &Heard| heard.lines.iter().skip(mark).find(|line| wanted(line)).cloned();
        let heard = self.wait(limit, |heard| heard.closed || search(heard).is_some());
        search(&heard)
    }

    fn closed(&self, limit: Duration) -> bool {
        self.wait(limit, |heard| heard.closed).closed
    }

    fn wait(&self, limit: Duration, done: impl Fn(&Heard) -> bool) -> MutexGuard<'_, Heard> {
        let waited = self.0.1.wait_timeout_while(self.lock(), limit, |heard| !done(heard));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn text(&self) -> String {
        self.lock().lines.join("\n")
    }

    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

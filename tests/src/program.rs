//! A running program: what it prints, line by line, and how it ends. Every wait has a deadline.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Arguments of a client without camera, microphone and loudspeaker.
pub const NO_DEVICES: [&str; 7] = ["--headless", "--camera", "off", "--microphone", "off", "--speaker", "off"];

/// The limit of each step for which the test sets no other limit.
pub const TIMEOUT: Duration = Duration::from_mins(1);

/// A running program. Drop kills it.
pub struct Program {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    out: Lines,
    err: Lines,
}

/// How a program ended.
#[derive(Debug)]
pub struct Outcome {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// All of its standard output.
    pub out: String,
    /// All of its standard error.
    pub err: String,
}

/// Returns a command of the client in English, without a display and with the default log level, independent of the
/// environment of the tests.
pub fn client(arguments: &[&str]) -> Command {
    command("conclave", arguments)
}

/// Returns a command of the server.
pub fn server(arguments: &[&str]) -> Command {
    command("conclave-server", arguments)
}

/// Returns a command of a program of this workspace, as for [`client`].
///
/// # Panics
/// Panics if it is not built.
pub fn command(program: &str, arguments: &[&str]) -> Command {
    let path = binary(program);
    assert!(path.is_file(), "{} is not built: run cargo build --workspace first", path.display());
    let mut command = Command::new(path);
    command.args(arguments).env("LANG", "en_GB.UTF-8").stdin(Stdio::null());
    // Meetings of tests are not added to the user's recent meetings.
    command.env("XDG_STATE_HOME", std::env::temp_dir().join(format!("conclave-state-{}", std::process::id())));
    for name in ["LC_ALL", "LC_MESSAGES", "LANGUAGE", "DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
        command.env_remove(name);
    }
    for name in ["CONCLAVE_LOG", "RUST_LOG", "RUST_BACKTRACE", "RUST_LIB_BACKTRACE"] {
        command.env_remove(name);
    }
    command
}

/// Returns the path of a program: cargo builds it into the folder of this program, or above that of the tests.
fn binary(program: &str) -> PathBuf {
    let this = std::env::current_exe().expect("a program knows its own file");
    let folder = this.parent().expect("a file is in a folder");
    let folder = folder.parent().filter(|_| folder.ends_with("deps")).unwrap_or(folder);
    folder.join(format!("{program}{}", std::env::consts::EXE_SUFFIX))
}

/// Waits until no other test runs a meeting. No other test starts one until the guard is dropped, because two cores cannot
/// run ten clients.
pub fn lock_meetings() -> MutexGuard<'static, ()> {
    static MEETINGS: Mutex<()> = Mutex::new(());
    MEETINGS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Polls until `done` returns true, for at most `limit`. Returns how long that took.
///
/// # Panics
/// Panics with `what` if it does not in time.
pub fn until(limit: Duration, what: &str, done: impl Fn() -> bool) -> Duration {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < limit, "not within {limit:?}: {what}");
        // Nothing notifies about changes of files.
        thread::park_timeout(Duration::from_millis(20));
    }
    start.elapsed()
}

impl Program {
    /// Starts `command`. Messages of failed tests contain `name`.
    ///
    /// # Panics
    /// Panics if the program does not start.
    pub fn start(name: &str, mut command: Command) -> Self {
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let input = child.stdin.take();
        let out = Lines::read(&format!("{name} out"), child.stdout.take().expect("piped"));
        let err = Lines::read(&format!("{name} err"), child.stderr.take().expect("piped"));
        Self { name: name.into(), child, input, out, err }
    }

    /// Returns the first line of standard output, such as the link that `conclave meet` prints.
    ///
    /// # Panics
    /// Panics if it does not print one in time.
    pub fn first_line(&self) -> String {
        let line = self.out.find(0, TIMEOUT, |_| true);
        line.unwrap_or_else(|| panic!("{} printed nothing; its errors:\n{}", self.name, self.err.text()))
    }

    /// Returns the number of lines on standard error so far, for [`Program::wait_for_line`].
    pub fn mark(&self) -> usize {
        self.err.lock().lines.len()
    }

    /// Returns the lines on standard error after the first `mark` ones.
    pub fn errors(&self, mark: usize) -> Vec<String> {
        self.err.lock().lines.iter().skip(mark).cloned().collect()
    }

    /// Returns the lines on standard output.
    pub fn output(&self) -> Vec<String> {
        self.out.lock().lines.clone()
    }

    /// Returns true until the program has closed its standard error, which it does when it ends.
    pub fn is_running(&self) -> bool {
        !self.err.lock().closed
    }

    /// Writes a line to standard input, which the command must have piped. Does nothing if the program has ended.
    pub fn send_line(&mut self, line: &str) {
        if let Some(input) = &mut self.input {
            // The caller notices the end of the program by other means.
            let _ = writeln!(input, "{line}");
        }
    }

    /// Closes standard input.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Returns the number of its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the memory that the program uses, in bytes. Returns 0 on other systems than Linux, and if it has ended.
    pub fn resident_bytes(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1_024
    }

    /// Waits for a line on standard error, after the first `mark` ones, that contains `part`. Returns how long that took.
    ///
    /// # Panics
    /// Panics if there is none in time.
    pub fn wait_for_line(&self, mark: usize, part: &str, limit: Duration) -> Duration {
        let start = Instant::now();
        let found = self.err.find(mark, limit, |line| line.contains(part));
        assert!(found.is_some(), "{} did not print {part:?} within {limit:?}, but:\n{}", self.name, self.err.text());
        start.elapsed()
    }

    /// Sends a signal by its name, such as `TERM`.
    ///
    /// # Panics
    /// Panics if the program has ended.
    pub fn signal(&self, signal: &str) {
        // The standard library can only send SIGKILL.
        let script = format!("kill -{signal} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &script]).status().expect("there is a shell");
        assert!(status.success(), "{script}: {status}");
    }

    /// Returns the arguments that other processes see, separated by spaces.
    ///
    /// # Panics
    /// Panics if the program has ended.
    #[cfg(target_os = "linux")]
    pub fn arguments(&self) -> String {
        let path = format!("/proc/{}/cmdline", self.child.id());
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    }

    /// Waits until the program ends.
    ///
    /// # Panics
    /// Panics if it does not end in time.
    pub fn end(mut self, limit: Duration) -> Outcome {
        let start = Instant::now();
        // Both pipes close at the end of the process, because no other process has them open.
        let closed = self.out.closed(limit) && self.err.closed(limit.saturating_sub(start.elapsed()));
        assert!(closed, "{} does not end within {limit:?}; its errors:\n{}", self.name, self.err.text());
        let status: ExitStatus = self.child.wait().expect("a child can be waited for");
        Outcome { code: status.code(), out: self.out.text(), err: self.err.text() }
    }

    /// Interrupts a client, as Ctrl+C does, and waits until it ends.
    pub fn leave(self) -> Outcome {
        self.signal("INT");
        self.end(TIMEOUT)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Fails if the program has ended, which is no error here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Outcome {
    /// Asserts that the exit code is 0, and that it printed no error.
    ///
    /// # Panics
    /// Panics if it is not so.
    pub fn assert_success(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        assert!(!self.err.contains("panicked") && !self.err.contains("ERROR"), "{}", self.err);
        self
    }

    /// Asserts that the exit code is `code`, and that the message contains all `parts`: what failed, why, and what to do.
    ///
    /// # Panics
    /// Panics if it is not so.
    pub fn assert_failure(&self, code: i32, parts: &[&str]) -> &Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        for part in parts {
            assert!(self.err.contains(part), "no {part:?} in: {}", self.err);
        }
        assert!(!self.err.contains("panicked") && !self.err.contains("stack backtrace"), "{}", self.err);
        self
    }
}

/// The lines of a pipe so far. A thread reads them and notifies waiting threads of each.
#[derive(Clone, Default)]
struct Lines(Arc<(Mutex<Received>, Condvar)>);

#[derive(Default)]
struct Received {
    lines: Vec<String>,
    closed: bool,
}

impl Lines {
    fn read(thread: &str, pipe: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let writer = lines.clone();
        let read = move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                writer.update(|received| received.lines.push(String::from_utf8_lossy(&line).into_owned()));
            }
            writer.update(|received| received.closed = true);
        };
        // The thread ends with the pipe, and the pipe with the program.
        drop(thread::Builder::new().name(thread.into()).spawn(read).expect("a thread"));
        lines
    }

    fn update(&self, change: impl FnOnce(&mut Received)) {
        change(&mut self.lock());
        self.0.1.notify_all();
    }

    fn find(&self, mark: usize, limit: Duration, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let search = |received: &Received| received.lines.iter().skip(mark).find(|line| wanted(line)).cloned();
        let received = self.wait(limit, |received| received.closed || search(received).is_some());
        search(&received)
    }

    fn closed(&self, limit: Duration) -> bool {
        self.wait(limit, |received| received.closed).closed
    }

    fn wait(&self, limit: Duration, done: impl Fn(&Received) -> bool) -> MutexGuard<'_, Received> {
        let waited = self.0.1.wait_timeout_while(self.lock(), limit, |received| !done(received));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn text(&self) -> String {
        self.lock().lines.join("\n")
    }

    fn lock(&self) -> MutexGuard<'_, Received> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

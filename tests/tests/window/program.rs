//! A running program and its output. Every wait has a deadline.

use std::io::Read;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A running program. Drop kills it.
pub struct Program {
    name: String,
    child: Child,
    out: Output,
    err: Output,
}

impl Program {
    /// Starts `command`. Messages of failed tests contain `name`.
    pub fn start(name: &str, mut command: Command) -> Self {
        command.stdin(Stdio::null());
        Self::spawn(name, command)
    }

    /// Starts `command`, and returns its standard input.
    pub fn start_with_input(name: &str, mut command: Command) -> (Self, ChildStdin) {
        command.stdin(Stdio::piped());
        let mut started = Self::spawn(name, command);
        let input = started.child.stdin.take().expect("piped");
        (started, input)
    }

    fn spawn(name: &str, mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let out = Output::read(name, child.stdout.take().expect("piped"));
        let err = Output::read(name, child.stderr.take().expect("piped"));
        Self { name: name.to_owned(), child, out, err }
    }

    /// Returns the first line of its standard output.
    pub fn first_line(&self, limit: Duration) -> String {
        let line = self.out.wait(limit, |text, _| text.split_once('\n').map(|(line, _)| line.to_owned()));
        line.unwrap_or_else(|| panic!("{} printed nothing within {limit:?}:\n{}", self.name, self.errors()))
    }

    /// Returns the first line of its standard output that was not returned yet.
    pub fn next_line(&self, limit: Duration) -> String {
        let line = self.out.take_line(limit);
        line.unwrap_or_else(|| panic!("{} printed nothing within {limit:?}:\n{}", self.name, self.errors()))
    }

    /// Returns what it has written to standard error so far.
    pub fn errors(&self) -> String {
        self.err.wait(Duration::ZERO, |text, _| Some(text.to_owned())).unwrap_or_default()
    }

    /// Asks the program to stop, as a service manager does.
    pub fn terminate(&self) {
        let status = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status();
        assert!(status.expect("there is a shell").success());
    }

    /// Waits until the program ends. Returns its status, its standard output and its standard error.
    pub fn end(mut self, limit: Duration) -> (ExitStatus, String, String) {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the child process can be waited for") {
                break status;
            }
            assert!(start.elapsed() < limit, "{} has not ended within {limit:?}:\n{}", self.name, self.errors());
            thread::park_timeout(POLL_INTERVAL);
        };
        // A grandchild may keep the pipe open after the child has ended.
        let all = |output: &Output| output.wait(PIPE_TIMEOUT, |text, over| over.then(|| text.to_owned()));
        (status, all(&self.out).unwrap_or_default(), all(&self.err).unwrap_or_default())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if thread::panicking() {
            println!("{} wrote: {}", self.name, self.errors());
        }
        // Fails if the program has ended, which is no error here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `command` to its end. Returns its standard output if it succeeded.
pub fn run(name: &str, command: Command) -> Option<String> {
    let (status, out, _) = Program::start(name, command).end(TOOL_TIMEOUT);
    status.success().then_some(out)
}

/// Polls until `look` returns a value, for at most `limit`.
pub fn until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < limit, "not within {limit:?}: {what}");
        // Nothing notifies about changes of files and screens.
        thread::park_timeout(POLL_INTERVAL);
    }
}

/// The interval of polling.
pub const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// The limit for a small tool on a loaded machine.
const TOOL_TIMEOUT: Duration = Duration::from_secs(20);
/// The limit for reading the rest of a pipe after the program has ended.
const PIPE_TIMEOUT: Duration = Duration::from_secs(1);

/// The output of a pipe so far, and whether the pipe is closed.
struct Output(Arc<(Mutex<(String, bool)>, Condvar)>);

impl Output {
    fn read(name: &str, mut pipe: impl Read + Send + 'static) -> Self {
        let shared = Arc::new((Mutex::new((String::new(), false)), Condvar::new()));
        let writer = Arc::clone(&shared);
        let read = move || {
            let mut bytes = [0; 4096];
            loop {
                let count = pipe.read(&mut bytes).unwrap_or(0);
                let mut text = writer.0.lock().unwrap_or_else(PoisonError::into_inner);
                text.0.push_str(&String::from_utf8_lossy(&bytes[..count]));
                text.1 = count == 0;
                writer.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        };
        thread::Builder::new().name(format!("read {name}")).spawn(read).expect("a thread");
        Self(shared)
    }

    /// Waits for a complete line and removes it.
    fn take_line(&self, limit: Duration) -> Option<String> {
        self.wait(limit, |text, _| text.contains('\n').then_some(()))?;
        let mut text = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (line, rest) = text.0.split_once('\n').map(|(line, rest)| (line.to_owned(), rest.to_owned()))?;
        text.0 = rest;
        Some(line)
    }

    /// Waits until `find` returns a value. Its second argument is true if the pipe is closed.
    fn wait<T>(&self, limit: Duration, find: impl Fn(&str, bool) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + limit;
        let mut text = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if let Some(found) = find(&text.0, text.1) {
                return Some(found);
            }
            if left.is_zero() || text.1 {
                return None;
            }
            text = self.0.1.wait_timeout(text, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

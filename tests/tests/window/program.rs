//! A program that runs, and what it says; nothing waits without a deadline.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A running program. Dropping it kills it.
pub struct Program {
    name: String,
    child: Child,
    out: Heard,
    err: Heard,
}

impl Program {
    /// Starts `command`; `name` is for messages.
    pub fn start(name: &str, mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let out = Heard::listen(name, child.stdout.take().expect("piped"));
        let err = Heard::listen(name, child.stderr.take().expect("piped"));
        Self { name: name.to_owned(), child, out, err }
    }

    /// The first line of its standard output.
    pub fn first_line(&self, limit: Duration) -> String {
        let line = self.out.wait(limit, |text, _| text.split_once('\n').map(|(line, _)| line.to_owned()));
        line.unwrap_or_else(|| panic!("{} printed nothing within {limit:?}:\n{}", self.name, self.errors()))
    }

    /// What it has written on standard error so far.
    pub fn errors(&self) -> String {
        self.err.wait(Duration::ZERO, |text, _| Some(text.to_owned())).unwrap_or_default()
    }

    /// Waits until it ends by itself; its status, all of its standard output and of its standard error.
    pub fn end(mut self, limit: Duration) -> (ExitStatus, String, String) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                break status;
            }
            assert!(begun.elapsed() < limit, "{} has not ended within {limit:?}:\n{}", self.name, self.errors());
            thread::park_timeout(LOOK);
        };
        // A child of the child may hold the pipe for longer than the child lived.
        let all = |heard: &Heard| heard.wait(LAST_WORDS, |text, over| over.then(|| text.to_owned()));
        (status, all(&self.out).unwrap_or_default(), all(&self.err).unwrap_or_default())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `command` to its end; its standard output, where it succeeded.
pub fn run(name: &str, command: Command) -> Option<String> {
    let (status, out, _) = Program::start(name, command).end(SHORT);
    status.success().then_some(out)
}

/// Asks `look` again and again until it finds something.
pub fn until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < limit, "not within {limit:?}: {what}");
        // Neither files nor screens ring a bell.
        thread::park_timeout(LOOK);
    }
}

/// How often files, screens and children are looked at.
pub const LOOK: Duration = Duration::from_millis(50);
/// How long a small tool may take on a loaded machine.
const SHORT: Duration = Duration::from_secs(20);
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What came out of a pipe.
struct Heard(Arc<(Mutex<(String, bool)>, Condvar)>);

impl Heard {
    fn listen(name: &str, mut pipe: impl Read + Send + 'static) -> Self {
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
        thread::Builder::new().name(format!("hear {name}")).spawn(read).expect("a thread");
        Self(shared)
    }

    /// Waits until `find` finds something in what was heard; it is told whether more can come.
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

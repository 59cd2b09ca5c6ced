//! The meeting that the window is in or enters: starts its engine, also a second time, and closes it.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use engine::usage::{self, Usage};
use engine::{Command, Engine, Events, Setup, Stats, VideoOutput};

use crate::embedded::Embedded;
use crate::model::Notice;

/// Starts the engine of one meeting. The button "Try again" leads to another start.
pub trait Starter: Send + Sync {
    /// Starts an engine whose pictures go to `output`. May block for seconds.
    ///
    /// # Errors
    /// Returns the cause if the engine cannot start, for the details line.
    fn start(&self, setup: Setup, output: Arc<dyn VideoOutput>) -> Result<Started, String>;

    /// Whether the meeting is added to the list of recent meetings.
    fn is_remembered(&self) -> bool;
}

/// What a [`Starter`] started.
pub struct Started {
    /// The engine.
    pub engine: Engine,
    /// Its events.
    pub events: Events,
    /// The server of the meeting if it runs in this process.
    pub server: Option<Embedded>,
    /// Where this device's key is stored.
    pub key: Key,
    /// Called when the engine is closed, on the thread that closes it.
    pub after_close: Option<AfterClose>,
}

/// Called when an engine is closed, with its statistics and the resources that the process had used just before. May block.
pub type AfterClose = Box<dyn FnOnce(&Stats, Option<Usage>) + Send>;

/// Where this device's key is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// In the system's keychain.
    Stored,
    /// In memory only, because the command line stores no key.
    Temporary,
    /// In memory only, because the keychain failed: the cause.
    NotStored(String),
}

/// A running engine, its server, and the callback for its end.
pub struct Running {
    engine: Engine,
    server: Option<Embedded>,
    after_close: Option<AfterClose>,
}

impl Running {
    /// Closes the engine, then its server. Blocks for some seconds at most.
    fn close(self) {
        let (stats, usage) = (self.engine.stats(), usage::now());
        close(self.engine);
        drop(self.server);
        if let Some(after_close) = self.after_close {
            after_close(&stats, usage);
        }
    }
}

impl From<Started> for Running {
    fn from(started: Started) -> Self {
        let Started { engine, server, after_close, events: _, key: _ } = started;
        Self { engine, server, after_close }
    }
}

/// Closes an engine: leaves the meeting and closes the devices. Blocks for some seconds at most. The window and the command
/// line close engines only with this function.
pub fn close(engine: Engine) {
    engine.close();
}

/// The number of an attempt to enter a meeting. Each report of an attempt has its number, so that a late report is not
/// taken for one of the next attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempt(u32);

/// The meeting that the window is in, or enters.
#[derive(Default)]
pub struct MeetingSession {
    destination: Option<Destination>,
    running: Option<Running>,
    keychain: Keychain,
    /// The current attempt, or the next one if there is none.
    attempt: Attempt,
    /// The number of attempts that have not returned an engine or an error yet.
    starting: usize,
    /// The threads that close engines.
    closing: Vec<JoinHandle<()>>,
}

/// The meeting to enter, with which name and devices.
struct Destination {
    starter: Arc<dyn Starter>,
    setup: Setup,
}

/// Whether the keychain works. A failure is reported once, when the user is inside a meeting.
#[derive(Debug, Default)]
enum Keychain {
    #[default]
    NotFailed,
    Failed(String),
    Reported,
}

impl MeetingSession {
    /// Sets what [`MeetingSession::starting`] starts.
    pub fn set_destination(&mut self, starter: Arc<dyn Starter>, setup: Setup) {
        self.destination = Some(Destination { starter, setup });
    }

    /// The name and the devices of the last destination.
    pub fn setup(&self) -> Option<&Setup> {
        self.destination.as_ref().map(|destination| &destination.setup)
    }

    /// Whether the meeting is added to the list of recent meetings.
    pub fn is_remembered(&self) -> bool {
        self.destination.as_ref().is_some_and(|destination| destination.starter.is_remembered())
    }

    /// Begins an attempt. Returns its number, and a function that starts the engine, for a thread that may block.
    /// Returns `None` if there is no destination. When the function has returned, the caller calls
    /// [`MeetingSession::start_returned`].
    pub fn starting(
        &mut self,
        output: Arc<dyn VideoOutput>,
    ) -> Option<(Attempt, impl FnOnce() -> Result<Started, String> + Send + use<>)> {
        self.release();
        let destination = self.destination.as_ref()?;
        let (starter, setup) = (Arc::clone(&destination.starter), destination.setup.clone());
        self.starting += 1;
        Some((self.attempt, move || starter.start(setup, output)))
    }

    /// Records that an attempt has returned an engine or an error.
    pub fn start_returned(&mut self) {
        self.starting = self.starting.saturating_sub(1);
    }

    /// Whether an engine is being started.
    pub fn is_starting(&self) -> bool {
        self.starting > 0
    }

    /// The number of the current attempt.
    #[cfg(test)]
    pub fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// Whether `attempt` is the current one: not cancelled, not over.
    pub fn is_current(&self, attempt: Attempt) -> bool {
        self.attempt == attempt
    }

    /// Takes ownership of what was started. Returns the engine's events.
    pub fn run(&mut self, started: Started) -> Events {
        let Started { engine, events, server, key, after_close } = started;
        if let (Key::NotStored(cause), Keychain::NotFailed) = (key, &self.keychain) {
            self.keychain = Keychain::Failed(cause);
        }
        self.running = Some(Running { engine, server, after_close });
        events
    }

    /// The engine, if one runs.
    pub fn engine(&self) -> Option<&Engine> {
        self.running.as_ref().map(|running| &running.engine)
    }

    /// Sends a command to the engine, if one runs. Returns the notice to show if the engine refuses the command.
    pub fn send(&self, command: Command) -> Option<Notice> {
        let refused = self.engine()?.send(command).err()?;
        Some(Notice { kind: engine::NoticeKind::Refused.into(), detail: refused.to_string() })
    }

    /// Ends the current attempt, and closes its engine if one runs. Does not wait.
    pub fn release(&mut self) {
        self.attempt.0 = self.attempt.0.wrapping_add(1);
        if let Some(running) = self.running.take() {
            self.close(running);
        }
    }

    /// Closes an engine and its server on a new thread. Does not wait.
    pub fn close(&mut self, running: Running) {
        self.closing.retain(|thread| !thread.is_finished());
        match thread::Builder::new().name("close".into()).spawn(move || running.close()) {
            Ok(thread) => self.closing.push(thread),
            Err(error) => {
                tracing::error!(%error, "cannot start the thread that closes the engine; the server notices later that we left")
            }
        }
    }

    /// Returns a function that waits until every engine is closed, for a thread that may block.
    pub fn wait_for_closing(&mut self) -> impl FnOnce() + Send + use<> {
        let threads = std::mem::take(&mut self.closing);
        move || {
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a thread that closes an engine panicked");
                }
            }
        }
    }

    /// Why the keychain does not work. Returns `None` if it works, and from the second call on.
    pub fn take_keychain_failure(&mut self) -> Option<String> {
        match std::mem::replace(&mut self.keychain, Keychain::Reported) {
            Keychain::Failed(cause) => Some(cause),
            other @ (Keychain::NotFailed | Keychain::Reported) => {
                self.keychain = other;
                None
            }
        }
    }
}

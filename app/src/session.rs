//! The meeting that the window is in: how its engine is started, again if need be, and the one place that ends it.

use std::sync::Arc;

use engine::{Command, Engine, Events, Setup, VideoOutput};

use crate::embedded::Embedded;
use crate::model::Notice;

/// Starts the engine of one meeting. "Try again" starts it a second time.
pub trait Starter: Send + Sync {
    /// Starts an engine whose pictures go to `output`. May block for seconds.
    ///
    /// # Errors
    /// Returns the cause if the engine cannot start, for the details line.
    fn start(&self, setup: Setup, output: Arc<dyn VideoOutput>) -> Result<Started, String>;

    /// Whether the meeting is added to the list of recent meetings.
    fn is_remembered(&self) -> bool;
}

/// What a [`Starter`] has started.
pub struct Started {
    /// The engine.
    pub engine: Engine,
    /// Its events.
    pub events: Events,
    /// The server of the meeting if it runs in this process.
    pub server: Option<Embedded>,
    /// Where this device's key is stored.
    pub key: Key,
    /// Called just before the engine is closed, on the thread that closes it.
    pub before_close: Option<BeforeClose>,
}

/// Called just before an engine is closed. May block.
pub type BeforeClose = Box<dyn FnOnce(&Engine) + Send>;

/// Where this device's key is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// In the system's keychain.
    Stored,
    /// In memory only, by intention.
    Temporary,
    /// In memory only, because the keychain failed: the cause.
    NotStored(String),
}

/// An engine with what belongs to it.
pub struct Running {
    engine: Engine,
    server: Option<Embedded>,
    before_close: Option<BeforeClose>,
}

impl Running {
    /// Ends the engine, then its server. Blocks for up to two seconds.
    pub fn close(self) {
        if let Some(before_close) = self.before_close {
            before_close(&self.engine);
        }
        close(self.engine);
        drop(self.server);
    }
}

impl From<Started> for Running {
    fn from(started: Started) -> Self {
        let Started { engine, server, before_close, events: _, key: _ } = started;
        Self { engine, server, before_close }
    }
}

/// Ends an engine: leaves the meeting and closes the devices. Blocks for up to a second. Everything that ends an engine
/// calls this function.
pub fn close(engine: Engine) {
    drop(engine);
}

/// The meeting that the window is in, or enters.
#[derive(Default)]
pub struct MeetingSession {
    target: Option<Target>,
    running: Option<Running>,
    keychain: Keychain,
}

/// What is entered, and with which name and devices.
struct Target {
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
    pub fn set_target(&mut self, starter: Arc<dyn Starter>, setup: Setup) {
        self.target = Some(Target { starter, setup });
    }

    /// The name and the devices of the last target.
    pub fn setup(&self) -> Option<&Setup> {
        self.target.as_ref().map(|target| &target.setup)
    }

    /// Whether the meeting is added to the list of recent meetings.
    pub fn is_remembered(&self) -> bool {
        self.target.as_ref().is_some_and(|target| target.starter.is_remembered())
    }

    /// The work that starts the engine, for a thread that may block. `None` without a target.
    pub fn starting(
        &self,
        output: Arc<dyn VideoOutput>,
    ) -> Option<impl FnOnce() -> Result<Started, String> + Send + use<>> {
        let target = self.target.as_ref()?;
        let (starter, setup) = (Arc::clone(&target.starter), target.setup.clone());
        Some(move || starter.start(setup, output))
    }

    /// Takes over what was started. Returns the engine's events.
    pub fn run(&mut self, started: Started) -> Events {
        let Started { engine, events, server, key, before_close } = started;
        if let (Key::NotStored(cause), Keychain::NotFailed) = (key, &self.keychain) {
            self.keychain = Keychain::Failed(cause);
        }
        self.running = Some(Running { engine, server, before_close });
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

    /// Takes out what runs. The caller closes it.
    pub fn take_running(&mut self) -> Option<Running> {
        self.running.take()
    }

    /// Why the keychain does not work, once.
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

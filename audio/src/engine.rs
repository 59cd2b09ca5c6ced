//! The engine: starts the threads, takes commands, reports levels and statistics.

mod message;
mod opener;
mod shared;
mod worker;

pub use shared::{Devices, Levels, Warning};

use crate::device::{self, Choice, Direction};
use crate::jitter::Statistics;
use crate::process::{self, Process};
use crate::remote::{self, Remote};
use crate::uplink;
use media::{BufferPool, Clock, Mailbox};
use message::{CloseOnDrop, Command};
use opener::Opener;
use shared::{Shared, lock};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};
use worker::AudioThread;

/// What an engine starts with.
pub struct Config {
    /// What to speak into.
    pub microphone: Choice,
    /// What to listen to.
    pub speaker: Choice,
    /// Where devices come from.
    pub provider: device::Provider,
    /// The clock that packets are stamped with.
    pub clock: Clock,
    /// Where packets are written.
    pub pool: BufferPool,
    /// Takes each packet as it is made, on the thread "audio". It must not wait, and must not call the engine.
    pub uplink: uplink::Send,
}

/// The sound of one meeting. Dropping it closes the devices and joins the threads. A driver that does not answer within
/// two seconds is left behind with its thread, which ends when the driver answers.
pub struct Engine {
    shared: Arc<Shared>,
    commands: SyncSender<Command>,
    worker: Option<JoinHandle<()>>,
    opener: Option<Opener>,
    /// Closed when the devices of the configuration are open, or have failed.
    opened: Mailbox<()>,
}

impl Engine {
    /// Starts with echo cancellation, noise suppression and automatic gain. Returns at once: the devices open on a
    /// thread of their own, and every method can be called before they are open. A failure becomes a warning, and the
    /// engine runs without what failed.
    #[must_use]
    pub fn start(config: Config) -> Self {
        Self::start_with(config, Box::new(process::Voice::new()))
    }

    /// Starts with the caller's processing; otherwise as [`Engine::start`].
    #[must_use]
    pub fn start_with(config: Config, process: Box<dyn Process>) -> Self {
        let shared =
            Arc::new(Shared { status: Mutex::default(), warnings: Mutex::default(), muted: Mutex::new(false) });
        let (commands, inbox) = sync_channel(MAX_COMMANDS);
        let mut engine = Self { shared, commands, worker: None, opener: None, opened: Mailbox::new() };
        if let Err(warning) = engine.run(config, process, inbox) {
            engine.shared.warn(warning);
            engine.opened.close();
        }
        engine
    }

    /// True once the devices of the configuration are open, or have failed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.opened.is_closed()
    }

    /// Waits until [`Engine::is_open`], at most for `timeout`; returns [`Engine::is_open`].
    pub fn wait_until_open(&self, timeout: Duration) -> bool {
        // Nothing is ever put in.
        let _ = self.opened.take_until(Instant::now() + timeout);
        self.is_open()
    }

    fn run(&mut self, config: Config, process: Box<dyn Process>, inbox: Receiver<Command>) -> Result<(), Warning> {
        let uplink =
            uplink::Uplink::new(config.pool, config.uplink).map_err(|error| self.shared.warn(error.into())).ok();
        let opener = Opener::start(Arc::clone(&self.shared), config.provider, self.commands.clone())?;
        let device_requests = opener.requests();
        let shared = Arc::clone(&self.shared);
        let worker = AudioThread::new(shared, config.clock, process, uplink, device_requests, Instant::now());
        self.worker = Some(Builder::new().name("audio".to_owned()).spawn(move || worker.run(&inbox))?);
        let opening = Arc::new(CloseOnDrop(self.opened.clone()));
        for (direction, choice) in [(Direction::Microphone, config.microphone), (Direction::Speaker, config.speaker)] {
            opener.open(direction, choice, Some(Arc::clone(&opening)));
        }
        self.opener = Some(opener);
        Ok(())
    }

    /// Mutes or unmutes. Once this has returned with `true`, nothing leaves until it is called with `false`, and nothing
    /// that was recorded in between ever does.
    pub fn set_muted(&self, muted: bool) {
        *lock(&self.shared.muted) = muted;
    }

    /// Speaks into another device from now on. Returns at once; a failure becomes a warning.
    pub fn set_microphone(&self, choice: Choice) {
        self.open(Direction::Microphone, choice);
    }

    /// Listens to another device from now on; as [`Engine::set_microphone`].
    pub fn set_speaker(&self, choice: Choice) {
        self.open(Direction::Speaker, choice);
    }

    fn open(&self, direction: Direction, choice: Choice) {
        if let Some(opener) = &self.opener
            && !opener.open(direction, choice, None)
        {
            self.shared.warn(Warning::Unavailable { direction, error: device::Error::Silent });
        }
    }

    /// Lets a remote be heard under a key of the caller's choice; one that had the same key is replaced.
    pub fn add_remote(&self, key: u64) -> Remote {
        match remote::connect() {
            Ok((remote, playback)) => {
                self.command(Command::Add(key, Box::new(playback)));
                remote
            }
            Err(error) => {
                self.shared.warn(error.into());
                Remote::disconnected()
            }
        }
    }

    /// Forgets a remote, with its statistics.
    pub fn remove_remote(&self, key: u64) {
        self.command(Command::Remove(key));
    }

    /// Loudness now; at most 10 ms old.
    pub fn levels(&self) -> Levels {
        lock(&self.shared.status).levels.clone()
    }

    /// The devices in use and their gaps; at most 10 ms old.
    pub fn devices(&self) -> Devices {
        lock(&self.shared.status).devices.clone()
    }

    /// What happened to a remote's sound so far; `None` for a key that is not there.
    pub fn statistics(&self, key: u64) -> Option<Statistics> {
        lock(&self.shared.status).statistics.get(&key).copied()
    }

    /// What went wrong since the last call; at most 32 are kept.
    pub fn take_warnings(&self) -> Vec<Warning> {
        std::mem::take(&mut *lock(&self.shared.warnings))
    }

    // Waits for the worker's next beat where sixty-four commands lie there unread; fails only where there is no worker.
    fn command(&self, command: Command) {
        if self.worker.is_some() && self.commands.send(command).is_err() {
            tracing::debug!("the audio thread has ended");
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.command(Command::Stop);
        if let Some(worker) = self.worker.take()
            && worker.join().is_err()
        {
            tracing::error!("the audio thread had panicked");
        }
    }
}

/// Orders that may wait for the next tick.
const MAX_COMMANDS: usize = 64;

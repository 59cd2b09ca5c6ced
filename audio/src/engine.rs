//! The engine: starts the audio threads, sends commands to them, and reports levels and statistics.

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

/// The configuration of an engine.
pub struct Config {
    /// The microphone.
    pub microphone: Choice,
    /// The speaker.
    pub speaker: Choice,
    /// Opens devices.
    pub provider: device::Provider,
    /// The clock for capture times.
    pub clock: Clock,
    /// The buffers for packets.
    pub pool: BufferPool,
    /// Called with each packet on the thread "audio". It must not block or call the engine.
    pub uplink: uplink::Send,
}

/// The audio of one meeting. Dropping it closes the devices and joins the threads. If a driver does not return within
/// two seconds, its thread is detached and ends when the driver returns.
pub struct Engine {
    shared: Arc<Shared>,
    commands: SyncSender<Command>,
    worker: Option<JoinHandle<()>>,
    opener: Option<Opener>,
    /// Closed when the devices of the configuration are open or have failed.
    opened: Mailbox<()>,
}

impl Engine {
    /// Starts an engine with echo cancellation, noise suppression and automatic gain. Returns at once: the devices open
    /// on another thread, and every method can be called before they are open. If something fails, the engine reports a
    /// warning and runs without it.
    #[must_use]
    pub fn start(config: Config) -> Self {
        Self::start_with(config, Box::new(process::Voice::new()))
    }

    /// Starts an engine with the caller's processing; see [`Engine::start`].
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

    /// Returns true if the devices of the configuration are open or have failed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.opened.is_closed()
    }

    /// Waits until [`Engine::is_open`] returns true, at most for `timeout`. Returns the last value.
    pub fn wait_until_open(&self, timeout: Duration) -> bool {
        // The mailbox is never filled, only closed.
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

    /// Mutes or unmutes the microphone. After a call with `true` has returned, no packet is sent until a call with
    /// `false`. Audio recorded in between is never sent.
    pub fn set_muted(&self, muted: bool) {
        *lock(&self.shared.muted) = muted;
    }

    /// Changes the microphone. Returns at once. A failure becomes a warning.
    pub fn set_microphone(&self, choice: Choice) {
        self.open(Direction::Microphone, choice);
    }

    /// Changes the speaker; see [`Engine::set_microphone`].
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

    /// Adds a remote under `key`. An existing remote with this key is replaced.
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

    /// Removes a remote and its statistics.
    pub fn remove_remote(&self, key: u64) {
        self.command(Command::Remove(key));
    }

    /// Returns the current levels, at most 10 ms old.
    pub fn levels(&self) -> Levels {
        lock(&self.shared.status).levels.clone()
    }

    /// Returns the devices in use, at most 10 ms old.
    pub fn devices(&self) -> Devices {
        lock(&self.shared.status).devices.clone()
    }

    /// Returns the statistics of a remote, or `None` if no remote has this key.
    pub fn statistics(&self, key: u64) -> Option<Statistics> {
        lock(&self.shared.status).statistics.get(&key).copied()
    }

    /// Returns and clears the warnings since the last call, at most 32.
    pub fn take_warnings(&self) -> Vec<Warning> {
        std::mem::take(&mut *lock(&self.shared.warnings))
    }

    /// Queues a command. Blocks until the next tick if [`MAX_COMMANDS`] are queued. Sending fails only if the thread
    /// has ended.
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
            tracing::error!("the audio thread panicked");
        }
    }
}

/// The maximum number of commands that wait for the next tick.
const MAX_COMMANDS: usize = 64;

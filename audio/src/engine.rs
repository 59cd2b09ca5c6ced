//! The engine: starts the threads, takes orders, reports levels and statistics.

mod opener;
mod worker;

use crate::device::{self, Choice, Direction};
use crate::jitter::Statistics;
use crate::process::{self, Process};
use crate::remote::{self, Remote};
use crate::uplink;
use media::{BufferPool, Clock, Level, Mailbox};
use opener::{Opener, Opening};
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};
use worker::{Order, Worker};

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

/// Something works worse than asked for; the engine goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// No device: nothing is sent, or nothing is heard, until another is chosen.
    #[error("no {direction}")]
    Unavailable {
        /// Which way.
        direction: Direction,
        /// Why.
        #[source]
        error: device::Error,
    },
    /// The device that was in use has gone. The engine looks for it, or another, and tells [`Warning::Replaced`].
    #[error("{direction} {device} was lost")]
    Lost {
        /// Which way.
        direction: Direction,
        /// Its name.
        device: String,
    },
    /// After a loss: sound goes on with this device.
    #[error("{direction} is now {device}")]
    Replaced {
        /// Which way.
        direction: Direction,
        /// Its name.
        device: String,
    },
    /// The codec could not be set up: nothing is sent.
    #[error("nothing can be sent")]
    Codec(#[from] codec::opus::Error),
    /// A thread could not be started: there is no sound at all.
    #[error("no thread for sound")]
    Thread(#[from] std::io::Error),
}

/// Loudness for meters, and who speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// Our microphone after processing; also while muted, so that the user can be told.
    pub microphone: Level,
    /// Whether somebody speaks into it; also while muted.
    pub speaking: bool,
    /// Each remote's key, loudness, and whether it speaks.
    pub remotes: Vec<(u64, Level, bool)>,
}

/// The sound of one meeting. Dropping it closes the devices and joins the threads. A driver that does not answer within
/// two seconds is left behind with its thread, which ends when the driver answers.
pub struct Engine {
    shared: Arc<Shared>,
    orders: SyncSender<Order>,
    worker: Option<JoinHandle<()>>,
    opener: Option<Opener>,
    /// Closed when the devices of the configuration are open, or have failed.
    opened: Mailbox<()>,
}

/// What the threads and the handle share. Each lock is held for a few copies only, but that of `muted`.
struct Shared {
    board: Mutex<Board>,
    warnings: Mutex<Vec<Warning>>,
    /// Held while a packet leaves: once [`Engine::set_muted`] has returned, none does.
    muted: Mutex<bool>,
}

/// The devices in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// Name of the microphone; "null" where there is none.
    pub microphone: String,
    /// Name of the speaker; "null" where there is none.
    pub speaker: String,
    /// How often the microphone's sound came faster than it was taken, since it was opened.
    pub microphone_slips: u64,
    /// How often the speaker had nothing to play, since it was opened.
    pub speaker_slips: u64,
}

#[derive(Default)]
struct Board {
    levels: Levels,
    devices: Devices,
    statistics: HashMap<u64, Statistics>,
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
        let shared = Arc::new(Shared { board: Mutex::default(), warnings: Mutex::default(), muted: Mutex::new(false) });
        let (orders, inbox) = sync_channel(MAX_ORDERS);
        let mut engine = Self { shared, orders, worker: None, opener: None, opened: Mailbox::new() };
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

    fn run(&mut self, config: Config, process: Box<dyn Process>, inbox: Receiver<Order>) -> Result<(), Warning> {
        let uplink =
            uplink::Uplink::new(config.pool, config.uplink).map_err(|error| self.shared.warn(error.into())).ok();
        let opener = Opener::start(Arc::clone(&self.shared), config.provider, self.orders.clone())?;
        let retire = opener.requests();
        let shared = Arc::clone(&self.shared);
        let worker = Worker::new(shared, config.clock, process, uplink, retire, Instant::now());
        self.worker = Some(Builder::new().name("audio".to_owned()).spawn(move || worker.run(&inbox))?);
        let opening = Arc::new(Opening(self.opened.clone()));
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
                self.order(Order::Add(key, Box::new(playback)));
                remote
            }
            Err(error) => {
                self.shared.warn(error.into());
                Remote::deaf()
            }
        }
    }

    /// Forgets a remote, with its statistics.
    pub fn remove_remote(&self, key: u64) {
        self.order(Order::Remove(key));
    }

    /// Loudness now; at most 10 ms old.
    pub fn levels(&self) -> Levels {
        lock(&self.shared.board).levels.clone()
    }

    /// The devices in use and their gaps; at most 10 ms old.
    pub fn devices(&self) -> Devices {
        lock(&self.shared.board).devices.clone()
    }

    /// What happened to a remote's sound so far; `None` for a key that is not there.
    pub fn statistics(&self, key: u64) -> Option<Statistics> {
        lock(&self.shared.board).statistics.get(&key).copied()
    }

    /// What went wrong since the last call; at most 32 are kept.
    pub fn take_warnings(&self) -> Vec<Warning> {
        std::mem::take(&mut *lock(&self.shared.warnings))
    }

    // Waits for the worker's next beat where sixty-four orders lie there unread; fails only where there is no worker.
    fn order(&self, order: Order) {
        if self.worker.is_some() && self.orders.send(order).is_err() {
            tracing::debug!("the audio thread has ended");
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.order(Order::Stop);
        if let Some(worker) = self.worker.take()
            && worker.join().is_err()
        {
            tracing::error!("the audio thread had panicked");
        }
    }
}

impl Shared {
    fn warn(&self, warning: Warning) {
        tracing::debug!(%warning, "sound");
        let mut warnings = lock(&self.warnings);
        if warnings.len() < MAX_WARNINGS {
            warnings.push(warning);
        }
    }
}

// Each value is whole whenever its lock is free, so a thread that panicked poisons nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Orders that may wait for the next beat.
const MAX_ORDERS: usize = 64;

/// Warnings that are kept for a caller who does not ask.
const MAX_WARNINGS: usize = 32;

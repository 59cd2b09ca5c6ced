//! The engine: starts the audio threads, sends commands to them, and reports levels and statistics.

mod message;
mod opener;
mod shared;
mod worker;

pub use shared::{Devices, Levels, Warning};

use crate::device::{self, Choice, Direction};
use crate::jitter::Statistics;
use crate::playout_time::PlayoutTime;
use crate::process::{self, Process};
use crate::protection::Protection;
use crate::remote::{self, Remote};
use crate::uplink;
use media::{BufferPool, Clock, Mailbox};
use message::{CloseOnDrop, Command};
use opener::Opener;
use shared::{Shared, lock};
use std::sync::atomic::{AtomicBool, Ordering};
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
        let shared = Arc::new(Shared {
            status: Mutex::default(),
            warnings: Mutex::default(),
            muted: Mutex::new(false),
            alone: AtomicBool::new(false),
            protection: Mutex::default(),
        });
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

    /// Sets whether nobody else is in the meeting. Then the microphone is only metered: nothing is processed, encoded or
    /// sent, and hardware does less: see [`device::Device::set_alone`]. It is false at the start.
    pub fn set_alone(&self, alone: bool) {
        self.shared.alone.store(alone, Ordering::Release);
    }

    /// Sets how the microphone's packets are encoded. The caller adds the copies.
    pub fn set_protection(&self, protection: Protection) {
        *lock(&self.shared.protection) = protection;
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

    /// Adds a remote under `key`, and records in `playout` when its sound is heard. An existing remote with this key is replaced.
    pub fn add_remote(&self, key: u64, playout: PlayoutTime) -> Remote {
        match remote::connect(playout) {
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

    /// Plays the sound that says that somebody asks to join, in the mix of the voices. The microphone does not send it: the echo
    /// canceller knows it. Does nothing while it is played already.
    pub fn play_cue(&self) {
        self.command(Command::PlayCue);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BLOCK, Block};
    use device::{Device, Provider};

    /// A microphone that records a tone, one block at each tick. It reports each block.
    struct Tone(SyncSender<()>);

    impl Device for Tone {
        fn name(&self) -> &'static str {
            "tone"
        }

        fn ready(&mut self, _: Instant) -> Result<usize, device::Error> {
            Ok(1)
        }

        fn pass(&mut self, block: &mut Block) -> Result<(), device::Error> {
            *block = std::array::from_fn(|index| 0.5 * (0.1 * (index % BLOCK) as f32).sin());
            let _ = self.0.try_send(());
            Ok(())
        }

        fn latency(&self) -> Duration {
            Duration::ZERO
        }

        fn xruns(&self) -> u64 {
            0
        }

        fn set_alone(&mut self, _: bool) -> Result<(), device::Error> {
            Ok(())
        }
    }

    /// A process that reports each block that it is given.
    struct Reporting(SyncSender<()>);

    impl Process for Reporting {
        fn name(&self) -> &'static str {
            "reporting"
        }

        fn played(&mut self, _: &Block) {
            let _ = self.0.try_send(());
        }

        fn recorded(&mut self, _: &mut Block, _: Duration) {
            let _ = self.0.try_send(());
        }

        fn listen_for_echo(&mut self, _: bool) {}
    }

    #[test]
    fn nothing_is_processed_or_encoded_while_nobody_listens() {
        let (blocks, recorded) = sync_channel(1);
        let (calls, processed) = sync_channel(256);
        let (packets, sent) = sync_channel(256);
        let provider = Provider::new(move |direction, _, now| match direction {
            Direction::Microphone => Ok(Box::new(Tone(blocks.clone()))),
            Direction::Speaker => device::open(direction, &Choice::Off, now),
        });
        let config = Config {
            microphone: Choice::Default,
            speaker: Choice::Off,
            provider,
            clock: Clock::default(),
            pool: BufferPool::new(4),
            uplink: Box::new(move |packet| {
                let _ = packets.try_send(packet.position);
            }),
        };
        let engine = Engine::start_with(config, Box::new(Reporting(calls)));
        let next_block = || recorded.recv_timeout(TIMEOUT).expect("the microphone records");
        engine.set_alone(true);
        // The block in progress, which may still be processed, and the one after it.
        (0..3).for_each(|_| next_block());
        processed.try_iter().for_each(drop);
        sent.try_iter().for_each(drop);
        (0..20).for_each(|_| next_block());
        assert_eq!((processed.try_iter().count(), sent.try_iter().count()), (0, 0));
        assert!(engine.levels().microphone.minus_dbov() < 20, "the meter shows the level");
        engine.set_alone(false);
        let position = sent.recv_timeout(TIMEOUT).expect("it is sent again");
        assert!(position >= 20 * BLOCK as u64, "the position counts the time without listeners: {position}");
        assert!(processed.try_recv().is_ok());
    }

    /// The maximum time of a step of a test.
    const TIMEOUT: Duration = Duration::from_secs(20);
}

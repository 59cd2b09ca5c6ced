//! The thread "audio devices". Opening or closing a device may take seconds, and the audio thread must not wait for
//! that.

use super::message::{CloseOnDrop, Command, DeviceRequest, Open};
use super::shared::{Shared, Warning};
use crate::device::{Choice, Device, Direction, Error, Null, Provider};
use media::Mailbox;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// The handle of the device thread. Dropping it joins the thread. If a driver does not return within two seconds, the
/// thread is detached and ends when the driver returns.
pub struct Opener {
    requests: Option<SyncSender<DeviceRequest>>,
    /// Closed when the thread has ended.
    ended: Mailbox<()>,
    thread: Option<JoinHandle<()>>,
}

impl Opener {
    /// Starts the thread. It sends opened devices to `commands`. Failures become warnings.
    ///
    /// # Errors
    /// Returns the system's error if it cannot start a thread.
    pub fn start(shared: Arc<Shared>, provider: Provider, commands: SyncSender<Command>) -> std::io::Result<Self> {
        let (requests, inbox) = sync_channel(MAX_REQUESTS);
        let thread = DeviceThread {
            shared,
            provider,
            commands,
            inbox,
            waiting: VecDeque::new(),
            choices: [Choice::Off, Choice::Off],
            missing: [false; 2],
            retry_delay: MIN_RETRY_DELAY,
        };
        let ended = Mailbox::new();
        let end = CloseOnDrop(ended.clone());
        let thread = Builder::new().name("audio devices".to_owned()).spawn(move || {
            let _end = end;
            thread.run();
        })?;
        Ok(Self { requests: Some(requests), ended, thread: Some(thread) })
    }

    /// Returns a sender of requests, or `None` while the handle is being dropped. The thread ends when all senders are
    /// dropped.
    pub fn requests(&self) -> Option<SyncSender<DeviceRequest>> {
        self.requests.clone()
    }

    /// Requests a device. Returns false if [`MAX_REQUESTS`] wait already, because a sound server does not answer.
    /// `opening` is dropped when the request is done.
    pub fn open(&self, direction: Direction, choice: Choice, opening: Option<Arc<CloseOnDrop>>) -> bool {
        let open = Open { direction, choice, _opening: opening };
        self.requests.as_ref().is_some_and(|requests| requests.try_send(DeviceRequest::Open(open)).is_ok())
    }
}

impl Drop for Opener {
    fn drop(&mut self) {
        self.requests = None;
        let Some(thread) = self.thread.take() else { return };
        let _ = self.ended.take_until(Instant::now() + DRIVER_TIMEOUT);
        if !self.ended.is_closed() {
            tracing::warn!("a sound driver does not return, its thread is detached");
        } else if thread.join().is_err() {
            tracing::error!("the thread of the audio devices panicked");
        }
    }
}

struct DeviceThread {
    shared: Arc<Shared>,
    provider: Provider,
    commands: SyncSender<Command>,
    inbox: Receiver<DeviceRequest>,
    /// Requests taken from `inbox` and not done yet, at most [`MAX_REQUESTS`].
    waiting: VecDeque<DeviceRequest>,
    /// The selected devices, by [`index`].
    choices: [Choice; 2],
    /// True for a lost device that is being replaced.
    missing: [bool; 2],
    /// The time until the next attempt to replace a device.
    retry_delay: Duration,
}

impl DeviceThread {
    fn run(mut self) {
        loop {
            match self.next() {
                Ok(DeviceRequest::Open(open)) => self.choose(&open),
                Ok(DeviceRequest::Lost(direction, device)) => self.lost(direction, device),
                Ok(DeviceRequest::Close(device)) => drop(device),
                Err(RecvTimeoutError::Timeout) => {
                    self.retry_delay = (self.retry_delay * 2).min(MAX_RETRY_DELAY);
                    self.retry();
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Waits for the next request. Times out when it is time to retry a lost device.
    fn next(&mut self) -> Result<DeviceRequest, RecvTimeoutError> {
        if let Some(request) = self.waiting.pop_front() {
            return Ok(request);
        }
        self.inbox.recv_timeout(if self.missing.contains(&true) { self.retry_delay } else { IDLE_TIMEOUT })
    }

    /// Opens the selected device, unless a newer selection for this direction is queued. A slow driver may return after
    /// the user selected another device. Then the result is ignored.
    fn choose(&mut self, open: &Open) {
        let direction = open.direction;
        if self.is_outdated(direction) {
            return;
        }
        self.missing[index(direction)] = false;
        self.choices[index(direction)].clone_from(&open.choice);
        let opened = self.provider.open(direction, &open.choice, Instant::now());
        if self.is_outdated(direction) {
            return;
        }
        match opened {
            Ok(device) => self.install(direction, device, open.choice == Choice::Off),
            Err(error) => {
                self.install_null(direction);
                self.shared.warn(Warning::Unavailable { direction, error });
            }
        }
    }

    /// Returns true if a newer selection for this direction is queued.
    fn is_outdated(&mut self, direction: Direction) -> bool {
        let room = MAX_REQUESTS.saturating_sub(self.waiting.len());
        self.waiting.extend(self.inbox.try_iter().take(room));
        self.waiting.iter().any(|request| matches!(request, DeviceRequest::Open(open) if open.direction == direction))
    }

    fn lost(&mut self, direction: Direction, device: Box<dyn Device>) {
        self.shared.warn(Warning::Lost { direction, device: device.name().to_owned() });
        drop(device);
        // Do not retry a file that cannot be read or written any more.
        self.missing[index(direction)] = matches!(self.choices[index(direction)], Choice::Default | Choice::Device(_));
        self.retry_delay = MIN_RETRY_DELAY;
        self.retry();
    }

    /// Tries to replace each lost device by the selected device, or else by the system's default.
    fn retry(&mut self) {
        for direction in [Direction::Microphone, Direction::Speaker] {
            if !self.missing[index(direction)] {
                continue;
            }
            let chosen = self.provider.open(direction, &self.choices[index(direction)], Instant::now());
            let found = chosen.or_else(|_: Error| self.provider.open(direction, &Choice::Default, Instant::now()));
            if let Ok(device) = found {
                self.missing[index(direction)] = false;
                self.shared.warn(Warning::Replaced { direction, device: device.name().to_owned() });
                self.install(direction, device, false);
            }
        }
    }

    fn install_null(&self, direction: Direction) {
        self.install(direction, Box::new(Null::new(direction, Instant::now())), true);
    }

    fn install(&self, direction: Direction, device: Box<dyn Device>, null: bool) {
        tracing::info!(%direction, null, "sound device opened");
        let echo = !null && !matches!(self.choices[index(direction)], Choice::File(_));
        drop(self.commands.send(Command::Install { direction, device, echo }));
    }
}

fn index(direction: Direction) -> usize {
    match direction {
        Direction::Microphone => 0,
        Direction::Speaker => 1,
    }
}

/// How long dropping the handle waits for the thread.
const DRIVER_TIMEOUT: Duration = Duration::from_secs(2);

/// The maximum number of queued requests.
const MAX_REQUESTS: usize = 16;

/// The first delay before a lost device is retried. Doubles with each attempt.
const MIN_RETRY_DELAY: Duration = Duration::from_secs(1);
/// The longest delay between two attempts.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(8);

/// The timeout while no device is lost. Nothing is retried then, so only a request matters.
const IDLE_TIMEOUT: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Engine, device};
    use media::{BufferPool, Clock};

    /// Returns an engine whose default microphone hangs until the sender is dropped, and then fails to open. Each
    /// attempt to open a microphone is reported to the receiver first.
    fn engine_with_a_hanging_microphone() -> (Engine, SyncSender<()>, Receiver<Choice>) {
        let (release, hang) = sync_channel::<()>(1);
        let (attempts, seen) = sync_channel(8);
        let hang = std::sync::Mutex::new(hang);
        let provider = Provider::new(move |direction, choice, now| {
            if direction == Direction::Microphone {
                attempts.send(choice.clone()).unwrap();
            }
            if *choice == Choice::Default {
                assert!(hang.lock().unwrap().recv().is_err(), "released by a drop");
                return Err(Error::Missing(direction));
            }
            device::open(direction, &Choice::Off, now)
        });
        let engine = Engine::start(Config {
            microphone: Choice::Default,
            speaker: Choice::Off,
            provider,
            clock: Clock::default(),
            pool: BufferPool::new(1),
            uplink: Box::new(drop),
        });
        (engine, release, seen)
    }

    #[test]
    fn a_microphone_selected_while_another_hangs_is_opened_and_the_old_failure_is_ignored() {
        let (engine, release, attempts) = engine_with_a_hanging_microphone();
        assert_eq!(attempts.recv().unwrap(), Choice::Default);
        assert!(!engine.is_open());
        engine.set_microphone(Choice::Device("skipped".into()));
        engine.set_microphone(Choice::Device("newest".into()));
        drop(release);
        assert_eq!(attempts.recv().unwrap(), Choice::Device("newest".into()));
        assert!(engine.wait_until_open(Duration::from_secs(10)));
        assert!(engine.take_warnings().is_empty());
    }

    #[test]
    fn a_hanging_driver_does_not_delay_the_drop() {
        let (engine, release, attempts) = engine_with_a_hanging_microphone();
        assert_eq!(attempts.recv().unwrap(), Choice::Default);
        let (dropped, done) = sync_channel(1);
        let drop_engine = move || {
            drop(engine);
            dropped.send(()).unwrap();
        };
        let thread = Builder::new().name("dropper".to_owned()).spawn(drop_engine).unwrap();
        assert!(done.recv_timeout(10 * DRIVER_TIMEOUT).is_ok());
        thread.join().unwrap();
        drop(release);
        assert!(attempts.recv().is_err(), "the thread ends with its provider when the driver answers");
    }
}

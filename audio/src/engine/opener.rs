//! The thread "audio devices". Opening or closing a device may take seconds, and the audio thread must not wait for
//! that.

use super::message::{CloseOnDrop, Command, DeviceRequest, Open, SetAlone};
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
            missing: [Missing::No; 2],
            replaced: [None; 2],
            installed: [0; 2],
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
    /// The devices that are looked for.
    missing: [Missing; 2],
    /// When a lost device was replaced. `None` until then, and after a selection.
    replaced: [Option<Instant>; 2],
    /// The number of the last installed device.
    installed: [u64; 2],
    /// The time until the next attempt to replace a device.
    retry_delay: Duration,
}

/// Whether a device is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    /// It is open, or it is a file or off.
    No,
    /// It was lost. The selected device or the system's default replaces it.
    Lost,
    /// It could not be opened when it was selected. Only the selected device replaces it.
    Unavailable,
}

impl DeviceThread {
    fn run(mut self) {
        loop {
            match self.next() {
                Ok(DeviceRequest::Open(open)) => self.choose(&open),
                Ok(DeviceRequest::Lost(direction, device, error)) => self.lost(direction, device, error),
                Ok(DeviceRequest::SetAlone(request)) => self.set_alone(request),
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
        self.inbox.recv_timeout(if self.missing == [Missing::No; 2] { IDLE_TIMEOUT } else { self.retry_delay })
    }

    /// Opens the selected device, unless a newer selection for this direction is queued. A slow driver may return after
    /// the user selected another device. Then the result is ignored.
    fn choose(&mut self, open: &Open) {
        let direction = open.direction;
        if self.is_outdated(direction) {
            return;
        }
        self.missing[index(direction)] = Missing::No;
        self.replaced[index(direction)] = None;
        self.choices[index(direction)].clone_from(&open.choice);
        let opened = self.provider.open(direction, &open.choice, Instant::now());
        if self.is_outdated(direction) {
            return;
        }
        match opened {
            Ok(device) => self.install(direction, device, open.choice == Choice::Off),
            Err(error) => {
                self.install_null(direction);
                if self.is_hardware(direction) {
                    self.missing[index(direction)] = Missing::Unavailable;
                    self.retry_delay = MIN_RETRY_DELAY;
                }
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

    fn lost(&mut self, direction: Direction, device: Box<dyn Device>, error: Error) {
        let hardware = self.is_hardware(direction);
        if !hardware {
            self.shared.warn(Warning::File { direction, error });
        } else if self.is_unstable(direction) {
            tracing::debug!(%direction, device = device.name(), "a replaced device was lost again");
        } else {
            self.shared.warn(Warning::Lost { direction, device: device.name().to_owned() });
            self.retry_delay = MIN_RETRY_DELAY;
        }
        drop(device);
        // Do not retry a file that cannot be read or written any more.
        if hardware {
            self.missing[index(direction)] = Missing::Lost;
        }
        // A device that fails again and again must not be opened again and again without a pause.
        if !self.is_unstable(direction) {
            self.retry();
        }
    }

    /// Calls [`Device::set_alone`] and returns the device to the audio thread. Closes it if another device was installed
    /// meanwhile, and replaces it if the call fails.
    fn set_alone(&mut self, request: SetAlone) {
        let SetAlone { direction, mut device, number, alone } = request;
        if number != self.installed[index(direction)] {
            return;
        }
        match device.set_alone(alone) {
            Ok(()) => drop(self.commands.send(Command::Return { direction, device })),
            Err(error) => {
                tracing::debug!(%direction, %error, alone, "sound device cannot pause or resume");
                self.install_null(direction);
                self.lost(direction, device, error);
            }
        }
    }

    /// Returns true if a lost device was replaced less than [`STABLE_TIME`] ago. The user was told of its loss and of its
    /// return, and is not told again.
    fn is_unstable(&self, direction: Direction) -> bool {
        self.replaced[index(direction)].is_some_and(|at| at.elapsed() < STABLE_TIME)
    }

    /// Returns true if the selection is a device that can be plugged in.
    fn is_hardware(&self, direction: Direction) -> bool {
        matches!(self.choices[index(direction)], Choice::Default | Choice::Device(_))
    }

    /// Tries to replace each missing device by the selected device, and each lost one else by the system's default.
    fn retry(&mut self) {
        for direction in [Direction::Microphone, Direction::Speaker] {
            let missing = self.missing[index(direction)];
            if missing == Missing::No {
                continue;
            }
            let open = |choice: &Choice| self.provider.open(direction, choice, Instant::now());
            let chosen = open(&self.choices[index(direction)]);
            let found = match missing {
                Missing::Lost => chosen.or_else(|_: Error| open(&Choice::Default)),
                Missing::No | Missing::Unavailable => chosen,
            };
            if let Ok(device) = found {
                if !self.is_unstable(direction) {
                    self.shared.warn(Warning::Replaced { direction, device: device.name().to_owned() });
                }
                self.missing[index(direction)] = Missing::No;
                self.replaced[index(direction)] = Some(Instant::now());
                self.install(direction, device, false);
            }
        }
    }

    fn install_null(&mut self, direction: Direction) {
        self.install(direction, Box::new(Null::new(direction, Instant::now())), true);
    }

    fn install(&mut self, direction: Direction, device: Box<dyn Device>, null: bool) {
        tracing::info!(%direction, null, "sound device opened");
        let number = &mut self.installed[index(direction)];
        *number += 1;
        let number = *number;
        let hardware = !null && !matches!(self.choices[index(direction)], Choice::File(_));
        drop(self.commands.send(Command::Install { direction, device, hardware, number }));
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

/// A device that is lost sooner after its replacement is one that fails again and again.
const STABLE_TIME: Duration = Duration::from_secs(30);

/// The timeout while no device is missing. Nothing is retried then, so only a request matters.
const IDLE_TIMEOUT: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Engine, device};
    use media::{BufferPool, Clock};

    /// The maximum time of a step of a test.
    const TIMEOUT: Duration = Duration::from_secs(20);

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
        assert_eq!(attempts.recv_timeout(TIMEOUT).unwrap(), Choice::Default);
        assert!(!engine.is_open());
        engine.set_microphone(Choice::Device("skipped".into()));
        engine.set_microphone(Choice::Device("newest".into()));
        drop(release);
        assert_eq!(attempts.recv_timeout(TIMEOUT).unwrap(), Choice::Device("newest".into()));
        assert!(engine.wait_until_open(TIMEOUT));
        assert!(engine.take_warnings().is_empty());
    }

    /// A speaker on a full disk.
    struct Full;

    impl Device for Full {
        fn name(&self) -> &'static str {
            "full.wav"
        }

        fn ready(&mut self, _: Instant) -> Result<usize, Error> {
            Ok(1)
        }

        fn pass(&mut self, _: &mut crate::Block) -> Result<(), Error> {
            Err(Error::Write { path: "full.wav".into(), source: std::io::ErrorKind::StorageFull.into() })
        }

        fn latency(&self) -> Duration {
            Duration::ZERO
        }

        fn xruns(&self) -> u64 {
            0
        }

        fn set_alone(&mut self, _: bool) -> Result<(), Error> {
            Ok(())
        }
    }

    #[test]
    fn a_speaker_file_on_a_full_disk_is_not_an_unplugged_device() {
        let provider = Provider::new(|direction, choice, now| match (direction, choice) {
            (Direction::Speaker, Choice::File(_)) => Ok(Box::new(Full)),
            _ => device::open(direction, choice, now),
        });
        let (packets, sent) = sync_channel(1);
        let engine = Engine::start(Config {
            // The packets of this microphone are the clock of the test.
            microphone: Choice::File(concat!(env!("CARGO_MANIFEST_DIR"), "/../app/assets/demo/voices/anne.wav").into()),
            speaker: Choice::File("full.wav".into()),
            provider,
            clock: Clock::default(),
            pool: BufferPool::new(4),
            uplink: Box::new(move |_| {
                let _ = packets.try_send(());
            }),
        });
        let mut warnings = Vec::new();
        while warnings.is_empty() {
            sent.recv_timeout(Duration::from_secs(10)).unwrap();
            warnings = engine.take_warnings();
        }
        let full = |warning: &Warning| {
            let Warning::File { direction: Direction::Speaker, error: Error::Write { source, .. } } = warning else {
                return false;
            };
            source.kind() == std::io::ErrorKind::StorageFull
        };
        assert!(warnings.len() == 1 && full(&warnings[0]), "{warnings:?}");
    }

    /// A microphone that fails at its first use.
    struct Failing;

    impl Device for Failing {
        fn name(&self) -> &'static str {
            "failing"
        }

        fn ready(&mut self, _: Instant) -> Result<usize, Error> {
            Err(Error::Lost { name: "failing".to_owned() })
        }

        fn pass(&mut self, _: &mut crate::Block) -> Result<(), Error> {
            Ok(())
        }

        fn latency(&self) -> Duration {
            Duration::ZERO
        }

        fn xruns(&self) -> u64 {
            0
        }

        fn set_alone(&mut self, _: bool) -> Result<(), Error> {
            Ok(())
        }
    }

    /// Returns an engine that opens its microphone with `open`. `open` gets the number of the attempt, from 0. Each attempt
    /// is reported to the receiver after its end.
    fn engine_with_microphone(
        open: impl Fn(u32, Instant) -> Result<Box<dyn Device>, Error> + Send + Sync + 'static,
    ) -> (Engine, Receiver<u32>) {
        let (attempts, seen) = sync_channel(64);
        let count = std::sync::atomic::AtomicU32::new(0);
        let provider = Provider::new(move |direction, choice, now| {
            if direction == Direction::Speaker {
                return device::open(direction, choice, now);
            }
            let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let opened = open(number, now);
            let _ = attempts.try_send(number);
            opened
        });
        let engine = Engine::start(Config {
            microphone: Choice::Default,
            speaker: Choice::Off,
            provider,
            clock: Clock::default(),
            pool: BufferPool::new(1),
            uplink: Box::new(drop),
        });
        (engine, seen)
    }

    #[test]
    fn a_device_that_fails_again_and_again_is_reported_once_and_tried_with_pauses() {
        let (engine, attempts) = engine_with_microphone(|_, _| Ok(Box::new(Failing)));
        let start = Instant::now();
        for number in 0..4 {
            assert_eq!(attempts.recv_timeout(TIMEOUT), Ok(number));
        }
        assert!(start.elapsed() > 2 * MIN_RETRY_DELAY, "it was opened without pauses");
        let warnings = engine.take_warnings();
        let [Warning::Lost { .. }, Warning::Replaced { .. }] = &warnings[..] else { panic!("{warnings:?}") };
    }

    #[test]
    fn a_device_that_was_missing_is_used_and_announced_when_it_is_there() {
        let (engine, attempts) = engine_with_microphone(|number, now| match number {
            0 | 1 => Err(Error::Missing(Direction::Microphone)),
            _ => device::open(Direction::Microphone, &Choice::Off, now),
        });
        for number in 0..3 {
            assert_eq!(attempts.recv_timeout(TIMEOUT), Ok(number));
        }
        // The thread has ended its work when its engine is dropped, so no warning is missing.
        let shared = Arc::clone(&engine.shared);
        drop(engine);
        let warnings = super::super::shared::lock(&shared.warnings);
        let [Warning::Unavailable { .. }, Warning::Replaced { .. }] = &warnings[..] else { panic!("{warnings:?}") };
    }

    #[test]
    fn a_hanging_driver_does_not_delay_the_drop() {
        let (engine, release, attempts) = engine_with_a_hanging_microphone();
        assert_eq!(attempts.recv_timeout(TIMEOUT).unwrap(), Choice::Default);
        let (dropped, done) = sync_channel(1);
        let drop_engine = move || {
            drop(engine);
            dropped.send(()).unwrap();
        };
        let thread = Builder::new().name("dropper".to_owned()).spawn(drop_engine).unwrap();
        assert!(done.recv_timeout(TIMEOUT).is_ok());
        thread.join().unwrap();
        drop(release);
        let end = attempts.recv_timeout(TIMEOUT);
        assert_eq!(
            end,
            Err(RecvTimeoutError::Disconnected),
            "the thread ends with its provider when the driver answers"
        );
    }
}

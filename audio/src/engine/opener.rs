//! The thread "audio devices": opening and closing a device may take seconds, which the audio thread does not have.

use super::worker::Order;
use super::{Shared, Warning};
use crate::device::{self, Choice, Device, Direction, Error, Null};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// What the thread is asked for.
pub enum Request {
    /// Open what the user chose; the sender, if any, learns that it is done.
    Open(Direction, Choice, Option<SyncSender<()>>),
    /// This device is gone: find another.
    Lost(Direction, Box<dyn Device>),
    /// This device is not needed any more.
    Retire(Box<dyn Device>),
}

/// The handle: ends the thread when dropped.
pub struct Opener {
    requests: Option<SyncSender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Opener {
    /// Starts the thread; devices go to `orders`, failures to the warnings.
    ///
    /// # Errors
    /// Where the system has no thread left.
    pub fn start(shared: Arc<Shared>, orders: SyncSender<Order>) -> std::io::Result<Self> {
        let (requests, inbox) = sync_channel(MAX_REQUESTS);
        let desk =
            Desk { shared, orders, choices: [Choice::Off, Choice::Off], missing: [false; 2], patience: LOOK_FIRST };
        let thread = Builder::new().name("audio devices".to_owned()).spawn(move || desk.run(&inbox))?;
        Ok(Self { requests: Some(requests), thread: Some(thread) })
    }

    /// A way to ask that does not keep the thread alive longer than its holder lives.
    pub fn requests(&self) -> Option<SyncSender<Request>> {
        self.requests.clone()
    }

    /// Asks for a device. False where too many requests already wait for a sound server that does not answer.
    pub fn open(&self, direction: Direction, choice: Choice) -> bool {
        self.ask(Request::Open(direction, choice, None))
    }

    /// Asks for devices and waits until they are there or have failed, at most `patience` in all.
    pub fn open_and_wait(&self, choices: [(Direction, Choice); 2], patience: Duration) {
        let (done, wait) = sync_channel(choices.len());
        let deadline = Instant::now() + patience;
        for (direction, choice) in choices {
            self.ask(Request::Open(direction, choice, Some(done.clone())));
        }
        drop(done);
        // Ends early once both are told, or the thread has died with the senders.
        while wait.recv_timeout(deadline.saturating_duration_since(Instant::now())).is_ok() {}
    }

    fn ask(&self, request: Request) -> bool {
        self.requests.as_ref().is_some_and(|requests| requests.try_send(request).is_ok())
    }
}

impl Drop for Opener {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the audio devices had panicked");
        }
    }
}

struct Desk {
    shared: Arc<Shared>,
    orders: SyncSender<Order>,
    /// What the user wants, by [`index`].
    choices: [Choice; 2],
    /// Which of it was lost and is looked for.
    missing: [bool; 2],
    /// How long until it is looked for again.
    patience: Duration,
}

impl Desk {
    fn run(mut self, inbox: &Receiver<Request>) {
        loop {
            let patience = if self.missing.contains(&true) { self.patience } else { A_LONG_TIME };
            match inbox.recv_timeout(patience) {
                Ok(Request::Open(direction, choice, done)) => {
                    self.choose(direction, choice);
                    // Whoever waits may have lost patience.
                    done.map(|done| done.try_send(()));
                }
                Ok(Request::Lost(direction, device)) => self.lost(direction, device),
                Ok(Request::Retire(device)) => drop(device),
                Err(RecvTimeoutError::Timeout) => {
                    self.patience = (self.patience * 2).min(MAX_RETRY_DELAY);
                    self.look();
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn choose(&mut self, direction: Direction, choice: Choice) {
        self.missing[index(direction)] = false;
        self.choices[index(direction)] = choice;
        let choice = &self.choices[index(direction)];
        match device::open(direction, choice, Instant::now()) {
            Ok(device) => self.install(direction, device, *choice == Choice::Off),
            Err(error) => {
                self.install_null(direction);
                self.shared.warn(Warning::Unavailable { direction, error });
            }
        }
    }

    fn lost(&mut self, direction: Direction, device: Box<dyn Device>) {
        self.shared.warn(Warning::Lost { direction, device: device.name().to_owned() });
        drop(device);
        // A file that cannot be read or written any more will not come back.
        self.missing[index(direction)] = matches!(self.choices[index(direction)], Choice::Default | Choice::Device(_));
        self.patience = LOOK_FIRST;
        self.look();
    }

    /// Looks for what is missing: the chosen device, else the system's choice.
    fn look(&mut self) {
        for direction in [Direction::Microphone, Direction::Speaker] {
            if !self.missing[index(direction)] {
                continue;
            }
            let chosen = device::open(direction, &self.choices[index(direction)], Instant::now());
            let found = chosen.or_else(|_: Error| device::open(direction, &Choice::Default, Instant::now()));
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
        drop(self.orders.send(Order::Install { direction, device, echo }));
    }
}

fn index(direction: Direction) -> usize {
    match direction {
        Direction::Microphone => 0,
        Direction::Speaker => 1,
    }
}

/// Requests that may wait.
const MAX_REQUESTS: usize = 16;

/// A lost device is looked for after this time, then ever more seldom, but
const LOOK_FIRST: Duration = Duration::from_secs(1);
/// at least this often.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(8);

/// A wait that only a request ends.
const A_LONG_TIME: Duration = Duration::from_hours(1);

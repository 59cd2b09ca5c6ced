//! The thread that owns the meeting's state machine: MLS, HPKE and signatures are computed here, never on the tasks that
//! move media.
//!
//! The thread reads two bounded queues, the user's commands and the server's messages, and writes one bounded queue of
//! messages to send and events. It waits if that queue is full, so the driver stops reading the socket once the inbox is
//! full, too. New media keys go into the key ring before anything else of the same commit leaves the thread.

use crate::error::Error;
use crate::event::Event;
use crate::meeting::{self, Command, Entry, Meeting};
use crypto::KeyRing;
use proto::{Down, Up};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// The driver's end of the thread.
pub struct KeysThread {
    /// The server's messages for the meeting.
    pub inbox: Inbox,
    /// What the driver does next. It ends after [`meeting::Event::Ended`], or without it if the thread panicked.
    pub outputs: mpsc::Receiver<Output>,
    thread: Option<JoinHandle<()>>,
}

/// A bounded queue to the thread.
pub struct Inbox(Option<mpsc::Sender<Input>>);

/// A fact about the connection to the server.
pub enum Input {
    /// A message arrived.
    Message(Down),
    /// Bytes arrived that are not a message.
    Malformed,
    /// The connection is closed.
    Disconnected,
}

/// What the driver does.
pub enum Output {
    /// Sends a message to the server.
    Send(Up),
    /// Passes an event to the program. Keys are never in it: they are in the key ring already.
    Event(Event),
}

/// What the thread works with.
pub struct Setup {
    /// The user's commands. If all senders are dropped, the machine leaves the meeting.
    pub commands: mpsc::Receiver<Command>,
    /// Where new keys are installed. It is cleared at the end.
    pub ring: KeyRing,
    /// The server as the invitation names it.
    pub address: Address,
    /// Set to the invitation link when this client becomes a member.
    pub link: Arc<OnceLock<String>>,
}

/// The server's address.
pub struct Address {
    pub host: String,
    pub port: u16,
    pub fingerprint: Option<crypto::Fingerprint>,
}

impl KeysThread {
    /// Starts the thread; the machine enters the meeting by `entry`.
    ///
    /// # Errors
    /// Returns [`Error::NoThread`] if the system has no thread left.
    pub fn spawn(entry: Entry, setup: Setup) -> Result<Self, Error> {
        Self::spawn_with(setup, || Meeting::new(entry, Instant::now()))
    }

    fn spawn_with(setup: Setup, create: impl FnOnce() -> Meeting + Send + 'static) -> Result<Self, Error> {
        let (inbox, inputs) = mpsc::channel(MAX_INPUTS);
        let (sender, outputs) = mpsc::channel(MAX_OUTPUTS);
        let Setup { commands, ring, address, link } = setup;
        let work = move || {
            let commands = Some(commands);
            Worker { meeting: create(), commands, inputs, ring, address, link, outputs: sender }.run();
        };
        let thread = thread::Builder::new().name("keys".into()).spawn(work).map_err(Error::NoThread)?;
        Ok(Self { inbox: Inbox(Some(inbox)), outputs, thread: Some(thread) })
    }

    /// Tells the thread to leave the meeting unless it has ended, passes the last messages to `send`, and joins the thread.
    ///
    /// # Errors
    /// Returns [`Error::KeysThread`] if the thread panicked.
    pub async fn close(mut self, mut send: impl FnMut(Up)) -> Result<(), Error> {
        self.inbox = Inbox(None);
        while let Some(output) = self.outputs.recv().await {
            match output {
                Output::Send(message) => send(message),
                Output::Event(_) => {}
            }
        }
        // The queue has ended, so the thread is about to end.
        self.thread.take().map_or(Ok(()), |thread| thread.join().map_err(|_| Error::KeysThread))
    }
}

impl Drop for KeysThread {
    /// The fallback for a driver that is dropped while it runs: waits for at most one operation of MLS.
    fn drop(&mut self) {
        self.inbox = Inbox(None);
        self.outputs.close();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the keys thread panicked");
        }
    }
}

impl Inbox {
    /// Resolves if there is room for an input. The driver is the only sender, so the room stays.
    pub async fn room(&self) {
        if let Some(inbox) = &self.0 {
            // If the thread has ended, that is seen at its outputs.
            let _ = inbox.reserve().await;
        }
    }

    /// Queues an input, for which [`Inbox::room`] has found room.
    pub fn send(&self, input: Input) {
        let sent = self.0.as_ref().map(|inbox| inbox.try_send(input));
        if let Some(Err(mpsc::error::TrySendError::Full(_))) = sent {
            tracing::error!("the keys thread's inbox overflowed");
        }
    }
}

/// The thread's state. The machine is dropped before `outputs`: the driver sees the end when all keys are gone.
struct Worker {
    meeting: Meeting,
    /// `None` once all senders are dropped.
    commands: Option<mpsc::Receiver<Command>>,
    inputs: mpsc::Receiver<Input>,
    ring: KeyRing,
    address: Address,
    link: Arc<OnceLock<String>>,
    outputs: mpsc::Sender<Output>,
}

/// What the thread does next.
enum Next {
    Command(Command),
    Input(Input),
    Timeout,
    /// The driver closes.
    Closed,
}

/// The driver does not take outputs any more.
struct DriverGone;

impl Worker {
    fn run(mut self) {
        // Without a driver, there is nothing left to do.
        let _ = self.work();
        self.ring.clear();
    }

    fn work(&mut self) -> Result<(), DriverGone> {
        self.flush()?;
        while !self.meeting.is_over() {
            match self.next() {
                Next::Command(command) => self.meeting.handle_command(command, Instant::now()),
                Next::Input(Input::Message(message)) => self.meeting.handle_message(message, Instant::now()),
                Next::Input(Input::Malformed) => self.meeting.handle_malformed(),
                Next::Input(Input::Disconnected) => self.meeting.handle_disconnected(),
                Next::Closed => self.meeting.handle_command(Command::Leave, Instant::now()),
                Next::Timeout => {}
            }
            // Also after an input: a flood of messages must not delay what is due.
            let now = Instant::now();
            if self.meeting.poll_timeout().is_some_and(|deadline| deadline <= now) {
                self.meeting.handle_timeout(now);
            }
            self.flush()?;
        }
        Ok(())
    }

    /// Waits for the next thing to do. Commands come first: `Leave` does not wait behind the server's messages.
    fn next(&mut self) -> Next {
        let Self { meeting, commands, inputs, .. } = self;
        let ready = wait_until(meeting.poll_timeout(), |context| {
            if let Some(Poll::Ready(command)) = commands.as_mut().map(|commands| commands.poll_recv(context)) {
                return Poll::Ready(command.map_or_else(
                    || {
                        *commands = None;
                        Next::Command(Command::Leave)
                    },
                    Next::Command,
                ));
            }
            if inputs.is_closed() {
                return Poll::Ready(Next::Closed);
            }
            inputs.poll_recv(context).map(|input| input.map_or(Next::Closed, Next::Input))
        });
        ready.unwrap_or(Next::Timeout)
    }

    /// Forwards all outputs of the machine, events first.
    fn flush(&mut self) -> Result<(), DriverGone> {
        while let Some(event) = self.meeting.poll_event() {
            let event = self.handle_event(event);
            self.output(Output::Event(event))?;
        }
        while let Some(message) = self.meeting.poll_transmit() {
            self.output(Output::Send(message))?;
        }
        Ok(())
    }

    fn handle_event(&self, event: meeting::Event) -> Event {
        match event {
            meeting::Event::Keys { keys, removed, leaves, epoch } => {
                self.ring.install(keys, &leaves, &removed, Instant::now());
                Event::Rekeyed(epoch)
            }
            meeting::Event::Entered { me } => {
                let Address { host, port, fingerprint } = &self.address;
                if let Some(invitation) = self.meeting.invitation(host, *port, *fingerprint) {
                    // A session enters once.
                    let _ = self.link.set(invitation.to_text().to_string());
                }
                Event::Meeting(meeting::Event::Entered { me })
            }
            meeting::Event::Ended(reason) => {
                // A client that is out seals and opens nothing from now on.
                self.ring.clear();
                Event::Meeting(meeting::Event::Ended(reason))
            }
            event @ (meeting::Event::Approaching
            | meeting::Event::Knocking
            | meeting::Event::Members(_)
            | meeting::Event::Joined(_)
            | meeting::Event::Left { .. }
            | meeting::Event::Words(_)
            | meeting::Event::Notice(_)) => Event::Meeting(event),
        }
    }

    /// Waits for room.
    fn output(&self, output: Output) -> Result<(), DriverGone> {
        self.outputs.blocking_send(output).map_err(|_| DriverGone)
    }
}

/// Polls until a value is ready or `deadline` has passed, and parks the thread in between.
fn wait_until<T>(deadline: Option<Instant>, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Option<T> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(value) = poll(&mut context) {
            return Some(value);
        }
        match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
            None => thread::park(),
            Some(Duration::ZERO) => return None,
            Some(left) => thread::park_timeout(left),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Messages of the server that may wait. A message has up to 4 MiB.
const MAX_INPUTS: usize = 16;

/// Outputs that may wait for the driver.
const MAX_OUTPUTS: usize = 64;

#[cfg(test)]
#[path = "keys_thread_tests.rs"]
mod tests;

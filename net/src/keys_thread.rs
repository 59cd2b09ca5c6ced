//! The thread that owns the meeting's state machine. MLS, HPKE and signatures are computed here, never on the tasks
//! that move media.
//!
//! The thread reads two bounded queues, the user's commands and the server's messages, and writes one bounded queue of
//! messages to send and events. It waits if that queue is full. Then the inbox fills, and the driver stops reading the
//! socket. New media keys are in the key ring before any other output of the same commit.

use crate::error::Error;
use crate::event::Event;
use crate::meeting::{self, Command, Entry, LobbyEvent, Meeting};
use crypto::KeyRing;
use proto::{Down, Up};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::mpsc;

/// The driver's end of the thread.
pub struct KeysThread {
    /// The server's messages for the meeting.
    pub inbox: Inbox,
    /// The outputs for the driver to execute. The queue ends after [`meeting::Event::Ended`], or without it if the
    /// thread panicked.
    pub outputs: mpsc::Receiver<Output>,
    thread: Option<JoinHandle<()>>,
}

/// A bounded queue to the thread.
pub struct Inbox(Option<mpsc::Sender<Input>>);

/// An input from the connection to the server.
pub enum Input {
    /// A message arrived.
    Message(Down),
    /// Bytes arrived that are not a message.
    Malformed,
    /// The connection that [`Output::Reconnect`] asked for is established.
    Connected,
    /// The connection is closed, or could not be established.
    Disconnected,
    /// The network path to the server has changed, or the computer was asleep.
    NetworkChanged,
}

/// An output for the driver to execute.
pub enum Output {
    /// Sends a message to the server.
    Send(Up),
    /// Closes the connection, and opens another one.
    Reconnect,
    /// Passes an event to the program. It never contains keys, which are in the key ring already.
    Event(Event),
}

/// The parts that the thread starts with.
pub struct Setup {
    /// The user's commands. If all senders are dropped, the client leaves the meeting.
    pub commands: mpsc::Receiver<Command>,
    /// The key ring for new keys. It is cleared at the end.
    pub ring: KeyRing,
    /// The server as the invitation names it.
    pub address: Address,
    /// What the program reads.
    pub shared: Shared,
}

/// What the program reads of a meeting. Clones share it.
#[derive(Clone, Default)]
pub struct Shared(Arc<Mutex<SharedState>>);

#[derive(Default)]
struct SharedState {
    link: Option<crypto::SecretLink>,
    return_entry: Option<Entry>,
}

impl Shared {
    /// Returns the invitation link, or `None` before this client is a member.
    pub fn link(&self) -> Option<crypto::SecretLink> {
        self.with(|state| state.link.clone())
    }

    /// Takes the entry by which the organiser comes back, after the meeting has ended.
    pub fn take_return_entry(&self) -> Option<Entry> {
        self.with(|state| state.return_entry.take())
    }

    fn with<T>(&self, change: impl FnOnce(&mut SharedState) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The server's address.
pub struct Address {
    pub host: String,
    pub port: u16,
    pub fingerprint: Option<crypto::Fingerprint>,
}

impl KeysThread {
    /// Starts the thread, which enters the meeting by `entry`.
    ///
    /// # Errors
    /// Returns [`Error::NoThread`] if the system cannot start a thread.
    pub fn spawn(entry: Entry, setup: Setup) -> Result<Self, Error> {
        Self::spawn_with(setup, || Meeting::new(entry, Box::new(|_| SystemTime::now()), Instant::now()))
    }

    fn spawn_with(setup: Setup, create: impl FnOnce() -> Meeting + Send + 'static) -> Result<Self, Error> {
        let (inbox, inputs) = mpsc::channel(MAX_INPUTS);
        let (sender, outputs) = mpsc::channel(MAX_OUTPUTS);
        let Setup { commands, ring, address, shared } = setup;
        let work = move || {
            let commands = Some(commands);
            Worker { meeting: create(), commands, inputs, ring, address, shared, outputs: sender }.run();
        };
        let thread = thread::Builder::new().name("keys".into()).spawn(work).map_err(Error::NoThread)?;
        Ok(Self { inbox: Inbox(Some(inbox)), outputs, thread: Some(thread) })
    }

    /// Tells the thread to leave the meeting unless it has ended, passes the last messages to `send`, and joins the
    /// thread.
    ///
    /// # Errors
    /// Returns [`Error::KeysThread`] if the thread panicked.
    pub async fn close(mut self, mut send: impl FnMut(Up)) -> Result<(), Error> {
        self.inbox = Inbox(None);
        while let Some(output) = self.outputs.recv().await {
            match output {
                Output::Send(message) => send(message),
                Output::Event(_) | Output::Reconnect => {}
            }
        }
        // The queue has ended, so joining does not wait long.
        self.thread.take().map_or(Ok(()), |thread| thread.join().map_err(|_| Error::KeysThread))
    }
}

impl Drop for KeysThread {
    /// The fallback if the driver is dropped while it runs. Waits for at most one MLS operation.
    fn drop(&mut self) {
        self.inbox = Inbox(None);
        self.outputs.close();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the keys thread panicked");
        }
    }
}

impl Inbox {
    /// Resolves when there is room for an input. The driver is the only sender, so the room remains.
    pub async fn room(&self) {
        if let Some(inbox) = &self.0 {
            // If the thread has ended, the driver learns that from the outputs.
            let _ = inbox.reserve().await;
        }
    }

    /// Queues an input if there is room. Returns false if there is none.
    pub fn try_send(&self, input: Input) -> bool {
        self.0.as_ref().is_none_or(|inbox| inbox.try_send(input).is_ok())
    }

    /// Queues an input. [`Inbox::room`] must have resolved before.
    pub fn send(&self, input: Input) {
        let Some(inbox) = &self.0 else { return };
        if let Err(mpsc::error::TrySendError::Full(_)) = inbox.try_send(input) {
            tracing::error!("the keys thread's inbox overflowed");
        }
    }
}

/// The thread's state.
struct Worker {
    meeting: Meeting,
    /// `None` after all senders were dropped.
    commands: Option<mpsc::Receiver<Command>>,
    inputs: mpsc::Receiver<Input>,
    ring: KeyRing,
    address: Address,
    shared: Shared,
    outputs: mpsc::Sender<Output>,
}

/// The next thing to handle.
enum Next {
    Command(Command),
    Input(Input),
    Timeout,
    /// The driver closes the session.
    Closed,
}

/// The error that the driver does not read outputs any more.
struct DriverClosed;

impl Worker {
    fn run(mut self) {
        // An error means that the driver is gone. Then nothing is left to do.
        let _ = self.work();
        let Self { meeting, ring, shared, outputs, .. } = self;
        ring.clear();
        let return_entry = meeting.into_return_entry();
        shared.with(|state| state.return_entry = return_entry);
        // The outputs end after all keys of the group are deleted and the keys of the organiser are stored.
        drop(outputs);
    }

    fn work(&mut self) -> Result<(), DriverClosed> {
        self.flush()?;
        while !self.meeting.is_over() {
            match self.next() {
                Next::Command(command) => self.meeting.handle_command(command, Instant::now()),
                Next::Input(Input::Message(message)) => self.meeting.handle_message(message, Instant::now()),
                Next::Input(Input::Malformed) => self.meeting.handle_malformed(),
                Next::Input(Input::Connected) => self.meeting.handle_connected(Instant::now()),
                Next::Input(Input::Disconnected) => self.meeting.handle_disconnected(Instant::now()),
                Next::Input(Input::NetworkChanged) => self.meeting.handle_network_change(Instant::now()),
                Next::Closed => self.meeting.handle_command(Command::Leave, Instant::now()),
                Next::Timeout => {}
            }
            // Also check after an input, so that a flood of messages cannot delay what is due.
            let now = Instant::now();
            if self.meeting.poll_timeout().is_some_and(|deadline| deadline <= now) {
                self.meeting.handle_timeout(now);
            }
            self.flush()?;
        }
        Ok(())
    }

    /// Waits for the next thing to handle. Commands come first, so that `Leave` does not wait behind the server's
    /// messages.
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

    /// Forwards all outputs of the machine: events, messages, then the wish to connect again.
    fn flush(&mut self) -> Result<(), DriverClosed> {
        while let Some(event) = self.meeting.poll_event() {
            let event = self.handle_event(event);
            self.output(Output::Event(event))?;
        }
        while let Some(message) = self.meeting.poll_transmit() {
            self.output(Output::Send(message))?;
        }
        if self.meeting.poll_reconnect() { self.output(Output::Reconnect) } else { Ok(()) }
    }

    fn handle_event(&self, event: meeting::Event) -> Event {
        match event {
            meeting::Event::Keys { keys, removed, leaves, epoch, rejoined } => {
                // The rights come with the keys: until the members are listed, nobody may send more than before.
                if rejoined {
                    self.ring.install_again(keys, leaves, &removed);
                } else {
                    let owned: Vec<_> = leaves.iter().map(|(leaf, _)| *leaf).collect();
                    self.ring.set_rights(leaves);
                    self.ring.install(keys, &owned, &removed, Instant::now());
                }
                Event::Rekeyed(epoch)
            }
            event @ (meeting::Event::Entered { .. } | meeting::Event::LinkChanged) => {
                let Address { host, port, fingerprint } = &self.address;
                let link = self.meeting.invitation(host, *port, *fingerprint);
                let link = link.as_ref().map(crypto::SecretLink::from);
                self.shared.with(|state| state.link = link);
                Event::Meeting(event)
            }
            meeting::Event::Ended(reason) => {
                // A client that is no longer a member must not seal or open any frame.
                self.ring.clear();
                Event::Meeting(meeting::Event::Ended(reason))
            }
            event @ meeting::Event::Lobby(LobbyEvent::SentBack) => {
                // It is no member any more, but may be one again.
                self.ring.restart();
                Event::Meeting(event)
            }
            meeting::Event::Members(members) => {
                self.ring.set_rights(members.iter().map(|member| (member.leaf, member.rights)).collect());
                Event::Meeting(meeting::Event::Members(members))
            }
            event @ (meeting::Event::Approaching
            | meeting::Event::Knocking
            | meeting::Event::Joined(_)
            | meeting::Event::Left { .. }
            | meeting::Event::Policy(_)
            | meeting::Event::OwnRightsChanged { .. }
            | meeting::Event::Hands(_)
            | meeting::Event::HandLowered { .. }
            | meeting::Event::Malformed { .. }
            | meeting::Event::Words(_)
            | meeting::Event::Reconnecting
            | meeting::Event::Reconnected { .. }
            | meeting::Event::AsksToJoin { .. }
            | meeting::Event::StoppedAsking(_)
            | meeting::Event::Lobby(_)
            | meeting::Event::Chat(_)
            | meeting::Event::Verification(_)
            | meeting::Event::Notice(_)) => Event::Meeting(event),
        }
    }

    /// Queues an output. Waits until there is room.
    fn output(&self, output: Output) -> Result<(), DriverClosed> {
        self.outputs.blocking_send(output).map_err(|_| DriverClosed)
    }
}

/// Polls until a value is ready or `deadline` has passed, and parks the thread between polls.
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

/// The maximum number of the server's messages that wait. A message has up to 4 MiB.
const MAX_INPUTS: usize = 16;

/// The maximum number of outputs that wait for the driver.
const MAX_OUTPUTS: usize = 64;

#[cfg(test)]
#[path = "keys_thread_tests.rs"]
mod tests;

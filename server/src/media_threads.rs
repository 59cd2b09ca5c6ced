//! The threads that forward media. A meeting belongs to one of them.

use crate::media_access::MediaAccess;
use crate::media_sockets::MediaSockets;
use crate::media_thread::{DatagramSource, Message, SfuThread};
use crate::outbox::Outbox;
use crate::path_test::PathTests;
use crate::receive_queue::{ReceiveQueue, ReceivedDatagrams};
use crate::receive_thread::{ReceiveThread, Router};
use crate::sfu::{AddressTable, Command, Context, MAX_THREADS, Metrics, Sfu, ThreadAddresses};
use crate::{Error, Limits, tunnel};
use proto::{MeetingId, ParticipantId, Totals};
use std::collections::HashMap;
use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{mpsc, oneshot};

/// The parameters of [`start`].
pub struct Setup<'s> {
    /// The address and port of the sockets.
    pub listen: SocketAddr,
    /// Addresses of other machines that forward to the sockets.
    pub public: Vec<IpAddr>,
    pub limits: &'s Limits,
    /// The tunnel tokens and TURN credentials that answers contain.
    pub access: MediaAccess,
    /// The tests whose datagrams are answered.
    pub path_tests: Arc<PathTests>,
    /// The number of threads that forward media, 1 to [`MAX_THREADS`]. If there are several, one more thread receives.
    pub count: usize,
}

/// The media threads after [`start`]. They end when all clones of `media` are dropped.
pub struct StartedThreads {
    pub media: MediaThreads,
    /// One for each thread. It is closed when the thread ends, also by a panic.
    pub ended: Vec<oneshot::Receiver<Infallible>>,
    pub handles: Vec<JoinHandle<()>>,
}

/// A handle to the media threads. Clones share the same threads.
#[derive(Clone, Debug)]
pub struct MediaThreads {
    channels: Arc<[Channels]>,
    /// Chooses the thread of a meeting. Its key is random, so that clients cannot choose numbers of meetings for one thread.
    hasher: RandomState,
    /// The thread of each member.
    members: Arc<Mutex<HashMap<ParticipantId, usize>>>,
    /// The counters of the thread that receives.
    received: Arc<Mutex<Metrics>>,
}

/// The channels to one thread.
#[derive(Clone, Debug)]
struct Channels {
    messages: mpsc::Sender<Message>,
    tunnels: mpsc::Sender<tunnel::Event>,
}

/// Starts the threads.
///
/// # Errors
/// Returns [`Error::Listen`] if no socket can be bound, and [`Error::Media`] if a thread or the stack does not start.
pub fn start(setup: Setup<'_>) -> Result<StartedThreads, Error> {
    let Setup { listen, public, limits, access, path_tests, count } = setup;
    let first = ThreadRuntime::new()?;
    let sockets = MediaSockets::bind(listen, first.handle()?);
    let sockets = sockets.map_err(|error| Error::Listen { address: listen, source: error })?;
    tracing::info!(sockets = sockets.known().len(), threads = count, "media sockets bound");
    tracing::debug!(addresses = ?sockets.addresses(), "media addresses");
    path_tests.set_sockets(sockets.addresses());
    let (table, received) = (Arc::new(AddressTable::new(Instant::now())), Arc::default());
    let (mut channels, mut ended, mut handles) = (Vec::new(), Vec::new(), Vec::new());
    let mut spawn = |name: &str, runtime: ThreadRuntime, body: ThreadBody| {
        let (handle, end) = body.start(name, runtime)?;
        handles.push(handle);
        ended.push(end);
        Ok::<_, Error>(())
    };
    let mut forward =
        |number: u8, runtime: ThreadRuntime, name: &str, source: DatagramSource, sockets: MediaSockets| {
            let addresses = ThreadAddresses::new(Arc::clone(&table), number);
            let context = Context::new(sockets.addresses()).ok_or(Error::Media)?.with_public(public.clone());
            let context = context.with_limits(limits).with_access(access.clone()).with_addresses(addresses.clone());
            let (messages, inbox) = mpsc::channel(MAX_MESSAGES);
            let (tunnels, tunnel_events) = mpsc::channel(MAX_TUNNEL_EVENTS);
            channels.push(Channels { messages, tunnels });
            let thread = SfuThread::new(context, sockets, addresses, (inbox, tunnel_events));
            spawn(name, runtime, ThreadBody::Forward(Box::new(thread), source))
        };
    if count <= 1 {
        forward(0, first, "sfu", DatagramSource::sockets(path_tests), sockets)?;
    } else {
        let queues: Vec<Arc<ReceiveQueue>> = (0..count).map(|_| Arc::default()).collect();
        let (opened_by, opened) = mpsc::channel(1);
        for (number, queue) in (0_u8..).zip(&queues) {
            let source = DatagramSource::Queue(Arc::clone(queue), ReceivedDatagrams::default());
            let sockets = sockets.for_thread(Some(opened_by.clone()));
            forward(number, ThreadRuntime::new()?, &format!("sfu-{number}"), source, sockets)?;
        }
        let router = Router { table: Arc::clone(&table), queues, metrics: Arc::clone(&received) };
        spawn("sfu-receive", first, ThreadBody::Receive(ReceiveThread { sockets, opened, router, path_tests }))?;
    }
    let media =
        MediaThreads { channels: channels.into(), hasher: RandomState::new(), members: Arc::default(), received };
    Ok(StartedThreads { media, ended, handles })
}

impl MediaThreads {
    /// Sends a command to the thread of its participant. [`Command::Join`] comes with the participant's outbox. Does nothing if
    /// the thread has ended.
    pub async fn command(&self, command: Command, outbox: Option<Outbox>) {
        let thread = match &command {
            Command::Join { meeting, participant } => {
                let thread = self.thread_of(*meeting);
                self.members().insert(*participant, thread);
                Some(thread)
            }
            Command::Leave { participant } => self.members().remove(participant),
            Command::Message { participant, .. } => self.members().get(participant).copied(),
        };
        if let Some(channels) = thread.and_then(|thread| self.channels.get(thread)) {
            let _ = channels.messages.send(Message::Command(command, outbox)).await;
        }
    }

    /// Returns the channel for the events of a participant's media tunnel. Returns `None` if the participant is in no meeting.
    pub fn tunnel_events(&self, participant: ParticipantId) -> Option<mpsc::Sender<tunnel::Event>> {
        let thread = self.members().get(&participant).copied()?;
        Some(self.channels.get(thread)?.tunnels.clone())
    }

    /// Returns what was forwarded for a meeting that runs or ended recently, or `None` for an unknown one.
    pub async fn totals(&self, meeting: MeetingId) -> Option<Totals> {
        self.read(self.channels.get(self.thread_of(meeting))?, move |sfu| sfu.totals(meeting)).await?
    }

    /// Returns the text of all metrics. Returns `None` if a thread has ended.
    pub async fn metrics(&self) -> Option<String> {
        let mut metrics = self.received.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (mut meetings, mut participants) = (0, 0);
        for thread in self.channels.iter() {
            let (counted, size) = self.read(thread, |sfu| (sfu.metrics().clone(), sfu.size())).await?;
            metrics.add(&counted);
            (meetings, participants) = (meetings + size.0, participants + size.1);
        }
        Some(metrics.text((meetings, participants), self.channels.len()))
    }

    /// Returns what `read` returns on a thread. Returns `None` if the thread has ended.
    async fn read<T: Send + 'static>(
        &self,
        thread: &Channels,
        read: impl FnOnce(&Sfu) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, result) = oneshot::channel();
        let read = move |sfu: &Sfu| {
            // The caller may have stopped waiting.
            let _ = answer.send(read(sfu));
        };
        thread.messages.send(Message::Read(Box::new(read))).await.ok()?;
        result.await.ok()
    }

    /// Sends a message to the thread of a meeting.
    #[cfg(test)]
    pub async fn send(&self, meeting: MeetingId, message: Message) {
        self.channels[self.thread_of(meeting)].messages.send(message).await.expect("it runs");
    }

    fn thread_of(&self, meeting: MeetingId) -> usize {
        let hash = self.hasher.hash_one(meeting);
        let threads = self.channels.len().max(1) as u64;
        usize::try_from(hash % threads).unwrap_or(0)
    }

    fn members(&self) -> MutexGuard<'_, HashMap<ParticipantId, usize>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the number of threads that forward media if the configuration does not set it: one for each core except the one that
/// receives.
pub fn default_threads() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores.saturating_sub(1).clamp(1, MAX_THREADS.into())
}

/// The code that a media thread runs.
enum ThreadBody {
    Forward(Box<SfuThread>, DatagramSource),
    Receive(ReceiveThread),
}

impl ThreadBody {
    fn start(
        self,
        name: &str,
        runtime: ThreadRuntime,
    ) -> Result<(JoinHandle<()>, oneshot::Receiver<Infallible>), Error> {
        let (end, ended) = oneshot::channel();
        let run = move || {
            // Dropped at the end of the thread.
            let _end = end;
            match self {
                Self::Forward(thread, source) => runtime.block_on(thread.run(source)),
                Self::Receive(thread) => runtime.block_on(thread.run()),
            }
        };
        let thread = std::thread::Builder::new().name(name.into()).spawn(run).map_err(|_| Error::Media)?;
        Ok((thread, ended))
    }
}

/// A runtime for one thread. Unlike [`Runtime`], it may be dropped by a task of another runtime. It is `None` only while it is
/// dropped.
struct ThreadRuntime(Option<Runtime>);

impl ThreadRuntime {
    fn new() -> Result<Self, Error> {
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime.map(|runtime| Self(Some(runtime))).map_err(|error| {
            tracing::error!(%error, "a media thread did not start");
            Error::Media
        })
    }

    fn handle(&self) -> Result<Handle, Error> {
        self.0.as_ref().map(|runtime| runtime.handle().clone()).ok_or(Error::Media)
    }

    fn block_on(&self, work: impl Future<Output = ()>) {
        if let Some(runtime) = &self.0 {
            runtime.block_on(work);
        }
    }
}

impl Drop for ThreadRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// The maximum number of messages in the channel of a thread.
const MAX_MESSAGES: usize = 1_024;

/// The maximum number of tunnel events in the channel of a thread: at most 1 MiB of datagrams.
const MAX_TUNNEL_EVENTS: usize = 64;

//! The engine of one meeting, from `start` to `close`.

use crate::clock;
use crate::coordinator::{Closing, Context, Coordinator, Devices, EventSender, Membership, Outcome, Processor, Tracks};
use crate::doubted_tracks::DoubtedTracks;
use crate::event::{Command, Event, Step};
use crate::hardware::Hardware;
use crate::send::VoiceSender;
use crate::setup::{Entry, RejoinState, Setup};
use crate::stats::Stats;
use crate::video_output::VideoOutput;
use crypto::{Fingerprint, Identity, Invitation, KeyRing, ManagerKeys, Profile};
use media::{BufferPool, Clock, Mailbox};
use net::meeting;
use proto::MeetingFlags;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};

/// The events of the meeting, in order. The caller reads them until [`Event::Ended`].
pub type Events = mpsc::Receiver<Event>;

/// A running meeting.
///
/// End it with [`Engine::close`]. A drop does not guarantee a leave message, so the server may only notice that the
/// connection broke. A drop does not wait. Devices close and threads end in the background.
pub struct Engine {
    commands: mpsc::Sender<Command>,
    stats: Stats,
    clock: Clock,
    close: watch::Sender<bool>,
    /// Closed when the coordinator has ended.
    ended: Mailbox<()>,
    /// Filled before `ended` is closed, if the organiser can come back.
    rejoin_state: Arc<Mutex<Option<RejoinState>>>,
    /// `None` once [`Engine::close`] has taken it.
    runtime: Option<Runtime>,
}

/// The reason why a meeting could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name cannot be shown to others.
    #[error("this name cannot be used: {0}")]
    Name(crypto::identity::BadName),
    /// The system could not start a thread, or returned no random bytes.
    #[error("the system does not provide what a meeting needs: {0}")]
    System(#[from] std::io::Error),
}

/// Too many commands are waiting, or the meeting has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the meeting accepts no commands")]
pub struct Busy;

impl Engine {
    /// Starts to enter a meeting and returns at once, without waiting for the network or for a device.
    /// [`Event::Entered`] or [`Event::Ended`] reports the result. Audio starts when its devices are open, before or
    /// after that.
    ///
    /// `identity` is this device's long-term key. Pictures go to `output`, on the engine's threads.
    ///
    /// # Errors
    /// Returns [`Error`] if the name of `setup` cannot be used, or the system cannot start a thread or returns no
    /// random bytes.
    pub fn start(
        entry: Entry,
        setup: Setup,
        identity: Identity,
        output: Arc<dyn VideoOutput>,
    ) -> Result<(Self, Events), Error> {
        Self::start_with(entry, setup, identity, output, Hardware::default())
    }

    /// Works like [`Engine::start`], with the caller's devices, encoders and decoders.
    ///
    /// # Errors
    /// Returns the errors of [`Engine::start`].
    pub fn start_with(
        entry: Entry,
        setup: Setup,
        identity: Identity,
        output: Arc<dyn VideoOutput>,
        hardware: Hardware,
    ) -> Result<(Self, Events), Error> {
        let organiser = if matches!(entry, Entry::Create { .. }) { Organiser::Creates } else { Organiser::No };
        Self::start_meeting(Address::of(&entry), network(entry, &setup, identity)?, organiser, setup, output, hardware)
    }

    /// Works like [`Engine::start`], for an organiser who comes back. The name of `setup` is not used: the name from before
    /// stays.
    ///
    /// # Errors
    /// Returns [`Error::System`] as [`Engine::start`] does. The state is lost then.
    pub fn rejoin(
        rejoin_state: RejoinState,
        setup: Setup,
        output: Arc<dyn VideoOutput>,
    ) -> Result<(Self, Events), Error> {
        let RejoinState { host, port, fingerprint, entry } = rejoin_state;
        let address = Address { host, port, fingerprint };
        Self::start_meeting(address, entry, Organiser::ComesBack, setup, output, Hardware::default())
    }

    fn start_meeting(
        address: Address,
        entry: meeting::Entry,
        organiser: Organiser,
        setup: Setup,
        output: Arc<dyn VideoOutput>,
        hardware: Hardware,
    ) -> Result<(Self, Events), Error> {
        let clock = clock::system();
        let stats = Stats::new(clock);
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("net").enable_all().build()?;
        let (commands, inbox) = mpsc::channel(MAX_COMMANDS);
        let (events, reader) = mpsc::channel(MAX_EVENTS);
        let (close, closing) = Closing::channel();
        let (pool, ring, uplink) = (BufferPool::new(256), KeyRing::new(), VoiceSender::default());
        let flags = if organiser == Organiser::Creates { setup.flags } else { MeetingFlags::NONE };
        let membership = Membership::new(organiser != Organiser::No).with_flags(flags);
        let config = address.config(entry, ring.clone(), pool.clone());
        let backends = net::Backends { proxy: setup.proxy.clone(), ..net::Backends::default() };
        let (session, network) = net::start_with(config, runtime.handle(), backends);
        session.set_limits(setup.bandwidth.limits.of_session());
        session.set_last_rates(setup.bandwidth.last);
        let bandwidth = setup.bandwidth.limits;
        let codecs = hardware.codecs.clone();
        let devices = Devices::start(setup, hardware, clock, pool.clone(), uplink.clone());
        let context = Context {
            session: session.clone(),
            ring,
            clock,
            pool,
            stats: stats.tracks().clone(),
            output,
            uplink,
            codecs,
        };
        let tracks = Tracks::start(context)?;
        let events = EventSender::new(events, closing.clone());
        let processor = {
            let _context = runtime.enter();
            Processor::start()
        };
        let mut coordinator = Coordinator {
            session,
            devices,
            tracks,
            membership,
            processor,
            stats: stats.clone(),
            doubted_tracks: DoubtedTracks::default(),
            events,
        };
        coordinator.limit_pictures(bandwidth);
        let (ended, rejoin_state) = (Mailbox::new(), Arc::<Mutex<_>>::default());
        let (end, slot) = (End(ended.clone()), Arc::clone(&rejoin_state));
        runtime.spawn(async move {
            let _end = end;
            coordinator.events.send(Event::Progress(Step::Connecting)).await;
            let Outcome { entered, entry } = coordinator.run(network, inbox, closing).await;
            // A meeting that could not be created does not exist.
            if let Some(entry) = entry.filter(|_| entered || organiser == Organiser::ComesBack) {
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(address.rejoin_state(entry));
            }
        });
        Ok((Self { commands, stats, clock, close, ended, rejoin_state, runtime: Some(runtime) }, reader))
    }

    /// Queues a command. Never waits.
    ///
    /// # Errors
    /// Returns [`Busy`] if `MAX_COMMANDS` commands wait already, or the meeting has ended.
    pub fn send(&self, command: Command) -> Result<(), Busy> {
        self.commands.try_send(command).map_err(|_| Busy)
    }

    /// Returns the statistics of this meeting. They can also be read after the end.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats.clone()
    }

    /// Returns the clock of all times in this meeting.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Leaves the meeting, closes every device and joins every thread. If [`Command::End`] waits in the queue, ends the
    /// meeting for everybody instead. Returns the state by which to rejoin if this device is the organiser and was in
    /// the meeting.
    ///
    /// If the connection works, the leave message is sent within a second, also if the events are not read. Events are
    /// dropped if the channel is full. If a device driver does not answer within two seconds, its thread is detached
    /// and ends when the driver answers.
    ///
    /// It blocks, usually for some tens of milliseconds, so it must not be called in an async task.
    pub fn close(mut self) -> Option<RejoinState> {
        self.close.send_replace(true);
        // The mailbox is always empty. Its closing is the signal.
        let _ = self.ended.take_until(Instant::now() + CLOSE_TIMEOUT);
        if !self.ended.is_closed() {
            tracing::error!("the meeting did not close in time");
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(JOIN_TIMEOUT);
        }
        self.rejoin_state.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            self.close.send_replace(true);
            // The coordinator is dropped on a thread of the runtime. That closes the devices and joins their threads.
            runtime.shutdown_background();
        }
    }
}

/// Closes the mailbox when the coordinator ends, also if it panics.
struct End(Mailbox<()>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Whether this device is the meeting's organiser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Organiser {
    No,
    Creates,
    ComesBack,
}

/// The address of the server.
struct Address {
    host: String,
    port: u16,
    fingerprint: Option<Fingerprint>,
}

impl Address {
    fn of(entry: &Entry) -> Self {
        match entry {
            Entry::Create { host, port, fingerprint } => {
                Self { host: host.clone(), port: *port, fingerprint: fingerprint.map(Fingerprint::from) }
            }
            Entry::Join(Invitation { host, port, fingerprint, .. }) => {
                Self { host: host.clone(), port: *port, fingerprint: *fingerprint }
            }
        }
    }

    fn config(&self, entry: meeting::Entry, ring: KeyRing, pool: BufferPool) -> net::Config {
        let Self { host, port, fingerprint } = self;
        net::Config { entry, host: host.clone(), port: *port, fingerprint: *fingerprint, ring, pool }
    }

    fn rejoin_state(self, entry: meeting::Entry) -> RejoinState {
        let Self { host, port, fingerprint } = self;
        RejoinState { host, port, fingerprint, entry }
    }
}

fn network(entry: Entry, setup: &Setup, identity: Identity) -> Result<meeting::Entry, Error> {
    let profile = Profile::new(&setup.name).map_err(Error::Name)?;
    Ok(match entry {
        Entry::Create { .. } => {
            let keys = ManagerKeys::new().map_err(std::io::Error::other)?;
            meeting::Entry::Create { keys, identity, profile }
        }
        Entry::Join(invitation) => meeting::Entry::Join { invitation, identity, profile },
    })
}

/// The maximum number of commands that wait for the coordinator.
pub const MAX_COMMANDS: usize = 64;

/// The maximum number of events that wait for their reader.
const MAX_EVENTS: usize = 256;

/// How long closing waits for the meeting: a second for the network, and two for each of four drivers that may hang.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(9);

/// How long closing waits for the runtime's threads. One of them may still be closing a camera that was switched off
/// before.
const JOIN_TIMEOUT: Duration = Duration::from_secs(3);

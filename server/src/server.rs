//! Starts and stops the server: sockets, the delivery task, the media threads.

use crate::connection::{self, Context};
use crate::delivery::{ConnectionId, Delivery};
use crate::delivery_task::{self, DeliveryTask};
use crate::media_access::MediaAccess;
use crate::media_threads::{self, MediaThreads};
use crate::meeting_store::{MeetingStore, OpenedStore};
use crate::path_test::PathTests;
use crate::quota::{ConnectionPermit, Quotas};
use crate::sfu::MAX_THREADS;
use crate::tunnel::TunnelKey;
use crate::turn::TurnService;
use crate::{Config, Error, listener, metrics_listener, tls};
use futures_util::future::select_all;
use proto::{MeetingId, ParticipantId, Problem, Totals};
use ring::rand::{SecureRandom, SystemRandom};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle as Task, JoinSet};
use tokio::time::{interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// A part of the server that ends only if the server stops, or after a panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subsystem {
    Media,
    Delivery,
}

/// A running server. If it is dropped without [`Server::stop`], it ends at once.
pub struct Server {
    address: SocketAddr,
    fingerprint: [u8; 32],
    delivery: mpsc::Sender<delivery_task::Message>,
    media: MediaThreads,
    accept_task: Task<()>,
    delivery_task: Task<()>,
    media_threads: Vec<JoinHandle<()>>,
    supervisor: Task<()>,
    /// The address of the metrics, and the task that serves them.
    metrics: Option<(SocketAddr, Task<()>)>,
    /// The part that has ended unexpectedly.
    failed: watch::Receiver<Option<Subsystem>>,
    /// Set by the delivery task.
    meetings: Arc<AtomicUsize>,
}

impl Server {
    /// Starts a server on the current tokio runtime.
    ///
    /// # Errors
    /// Returns [`Error`] if the address, the certificate or the media stack cannot be used.
    pub async fn start(config: Config) -> Result<Self, Error> {
        let files = config.certificate.as_ref().map(|(chain, key)| (chain.as_path(), key.as_path()));
        let identity = tls::identity(files, config.data.as_deref())?;
        let refused = |source| Error::Listen { address: config.listen, source };
        let listener = listener::listen(config.listen).map_err(refused)?;
        let metrics_listener = config.metrics.map(listen_for_metrics).transpose()?;
        let address = listener.local_addr().map_err(refused)?;
        let key = Arc::new(TunnelKey::generate(Instant::now()).ok_or(Error::Random)?);
        let public = listener::resolve(&config.public).await;
        let turn = config.turn.as_ref().and_then(|turn| TurnService::new(turn, (Instant::now(), SystemTime::now())));
        let access = MediaAccess { tunnels: config.tunnels.then(|| Arc::clone(&key)), turn };
        let path_tests = PathTests::new(public.clone(), config.tunnels, config.limits.path_tests);
        let path_tests = Arc::new(path_tests.ok_or(Error::Random)?);
        let media = start_media(&config, address, (public, access, Arc::clone(&path_tests)))?;
        let media_threads::StartedThreads { media, ended: media_ended, handles } = media;
        let (delivery, inbox) = mpsc::channel(MAX_MESSAGES);
        let (commands, command_inbox) = mpsc::channel(MAX_MESSAGES);
        let service = open_delivery(&config)?;
        let meetings = Arc::new(AtomicUsize::new(0));
        let inboxes = [command_inbox, inbox];
        let task = DeliveryTask::new(service, inboxes, media.clone(), &config.limits, Arc::clone(&meetings));
        let (end, delivery_ended) = oneshot::channel();
        let delivery_task = tokio::spawn(async move {
            // Dropped at the end of the task.
            let _end = end;
            task.run().await;
        });
        let acceptor = TlsAcceptor::from(identity.config);
        let context = Context {
            acceptor,
            limits: config.limits,
            delivery: delivery.clone(),
            commands,
            tunnel_key: key,
            media: media.clone(),
            path_tests,
        };
        let accept_task = tokio::spawn(accept(listener, context));
        tracing::info!(port = address.port(), version = env!("CARGO_PKG_VERSION"), "listening");
        let fingerprint = identity.fingerprint;
        let metrics = metrics_listener.map(|(address, listener)| {
            tracing::info!("serving metrics");
            tracing::debug!(%address, "address of the metrics");
            (address, tokio::spawn(metrics_listener::serve(listener, media.clone())))
        });
        let (failure, failed) = watch::channel(None);
        let supervisor = tokio::spawn(supervise(media_ended, delivery_ended, delivery.clone(), failure));
        Ok(Self {
            address,
            fingerprint,
            delivery,
            media,
            accept_task,
            delivery_task,
            media_threads: handles,
            supervisor,
            metrics,
            failed,
            meetings,
        })
    }

    /// Returns the address that the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address at which it serves metrics. `None` if it serves none.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(|(address, _)| *address)
    }

    /// Returns the SHA-256 of the DER encoding of the server's leaf certificate.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// Returns what was forwarded for a meeting that runs or ended recently, or `None` for an unknown one.
    pub async fn totals(&self, meeting: MeetingId) -> Option<Totals> {
        self.media.totals(meeting).await
    }

    /// Returns the number of meetings. A meeting ends when its last member leaves.
    pub fn meetings(&self) -> usize {
        self.meetings.load(Ordering::Acquire)
    }

    /// Resolves with the reason if a media thread or the delivery task has ended unexpectedly: then the caller calls
    /// [`Server::stop`]. If only a media thread has ended, all connections are closed before. Does not borrow the server.
    pub fn failed(&self) -> impl Future<Output = Error> + use<> {
        let mut failed = self.failed.clone();
        async move {
            let ended = failed.wait_for(Option::is_some).await.ok().and_then(|ended| *ended);
            match ended {
                Some(Subsystem::Media) => Error::MediaFailed,
                Some(Subsystem::Delivery) => Error::DeliveryFailed,
                // The server was stopped.
                None => std::future::pending().await,
            }
        }
    }

    /// Tells all clients that the server stops, closes their connections, and ends within `deadline`.
    pub async fn stop(self, deadline: Duration) {
        self.drain(Problem::Draining, deadline).await;
    }

    /// Works like [`Server::stop`], for a server in the program of a participant. Tells the clients that the host stops it.
    ///
    /// First, it waits at most `deadline` for the end of all meetings: the host's last command, which gives a better reason,
    /// may still be on its way.
    pub async fn stop_hosting(self, deadline: Duration) {
        let end_of_meetings = async {
            let mut checks = interval(MEETINGS_CHECK_INTERVAL);
            while self.meetings() > 0 {
                checks.tick().await;
            }
        };
        // After the deadline, the server tells the remaining clients that the host stops it.
        let _ = timeout(deadline, end_of_meetings).await;
        self.drain(Problem::HostStopped, deadline).await;
    }

    async fn drain(mut self, why: Problem, deadline: Duration) {
        let (drained, done) = oneshot::channel();
        let drain = async {
            if self.delivery.send(delivery_task::Message::Drain(why, drained)).await.is_ok() {
                // An error means that the delivery task has ended, and with it all connections.
                let _ = done.await;
            }
        };
        if timeout(deadline, drain).await.is_err() {
            tracing::warn!("some connections did not close in time");
        }
        self.end();
        let handles = std::mem::take(&mut self.media_threads);
        drop(self);
        let join = move || handles.into_iter().map(JoinHandle::join).filter(Result::is_err).count();
        let joined = tokio::task::spawn_blocking(join);
        if !matches!(timeout(JOIN_TIMEOUT, joined).await, Ok(Ok(0))) {
            tracing::warn!("a media thread did not end in time, or panicked");
        }
        tracing::info!("stopped");
    }

    fn end(&self) {
        // First: the others are about to end.
        self.supervisor.abort();
        if let Some((_, task)) = &self.metrics {
            task.abort();
        }
        self.accept_task.abort();
        self.delivery_task.abort();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

fn listen_for_metrics(address: SocketAddr) -> Result<(SocketAddr, TcpListener), Error> {
    let refused = |source| Error::Metrics { address, source };
    let listener = listener::listen(address).map_err(refused)?;
    Ok((listener.local_addr().map_err(refused)?, listener))
}

/// Starts the threads that forward media, with sockets at `address`.
fn start_media(
    config: &Config,
    address: SocketAddr,
    (public, access, path_tests): (Vec<IpAddr>, MediaAccess, Arc<PathTests>),
) -> Result<media_threads::StartedThreads, Error> {
    let count = config.media_threads.map_or_else(media_threads::default_threads, NonZero::get);
    let count = count.min(MAX_THREADS.into());
    let limits = &config.limits;
    media_threads::start(media_threads::Setup { listen: address, public, limits, access, path_tests, count })
}

/// Returns the delivery service, and the store of its meetings if the server has a folder for data. Continues the meetings
/// that are stored there.
fn open_delivery(config: &Config) -> Result<(Delivery, Option<MeetingStore>), Error> {
    let folder = config.data.as_deref().map(|data| data.join("meetings"));
    match folder.as_deref().map(|folder| (folder, MeetingStore::open(folder))) {
        Some((_, Ok(Some(OpenedStore { store, secret, stored })))) => {
            let delivery = Delivery::restore(config.limits.clone(), &secret, &stored, Instant::now());
            if delivery.meetings() > 0 {
                tracing::info!(meetings = delivery.meetings(), "meetings continue");
            }
            return Ok((delivery, Some(store)));
        }
        Some((_, Ok(None))) => {
            tracing::warn!("another server uses the data folder: meetings end if this server is killed");
        }
        Some((folder, Err(error))) => {
            let folder = folder.display();
            tracing::warn!(%error, %folder, "no meeting can be stored: meetings end if this server is killed");
        }
        None => {}
    }
    let mut secret = [0; 32];
    SystemRandom::new().fill(&mut secret).map_err(|_| Error::Random)?;
    Ok((Delivery::new(config.limits.clone(), &secret), None))
}

/// Waits until a media thread or the delivery task ends, which it does only after a panic, or if the thread could not
/// start. Then tells all clients that the server stops, closes their connections, and sets `failure`. If the delivery task
/// has ended, the caller closes the connections.
async fn supervise(
    media_ended: Vec<oneshot::Receiver<Infallible>>,
    delivery_ended: oneshot::Receiver<Infallible>,
    delivery: mpsc::Sender<delivery_task::Message>,
    failure: watch::Sender<Option<Subsystem>>,
) {
    // An error is the only result of both.
    let subsystem = tokio::select! {
        _ = select_all(media_ended) => Subsystem::Media,
        _ = delivery_ended => Subsystem::Delivery,
    };
    tracing::error!(?subsystem, "a part of the server has ended unexpectedly: all meetings end");
    let (drained, done) = oneshot::channel();
    if delivery.send(delivery_task::Message::Drain(Problem::Draining, drained)).await.is_ok() {
        // After the timeout, the caller closes the connections.
        let _ = timeout(FAILURE_DRAIN_TIMEOUT, done).await;
    }
    failure.send_replace(Some(subsystem));
}

/// Accepts connections, and drops at once those that exceed a quota. If this task ends, all connections end, because the
/// `JoinSet` aborts its tasks.
async fn accept(listener: TcpListener, context: Context) {
    let mut tasks = JoinSet::new();
    let (random, quotas) = (SystemRandom::new(), Arc::new(Mutex::new(Quotas::new(&context.limits))));
    let mut refused = RefusedConnections::default();
    for id in (0..).map(ConnectionId) {
        let accepted = listener.accept().await;
        while tasks.try_join_next().is_some() {}
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Probably too many files are open. Accepting works again when a connection ends.
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let permit = ConnectionPermit::take(&quotas, address.ip().into(), Instant::now());
        let (Some(permit), Some(participant)) = (permit, new_id(&random)) else {
            refused.count(Instant::now());
            continue;
        };
        tasks.spawn(connection::serve(stream, id, participant, permit, context.clone()));
    }
}

/// Counts refused connections, so that a flood of them does not flood the log.
#[derive(Default)]
struct RefusedConnections {
    count: u64,
    last_report: Option<Instant>,
}

impl RefusedConnections {
    fn count(&mut self, now: Instant) {
        self.count += 1;
        if self.last_report.is_none_or(|last| now.saturating_duration_since(last) >= REPORT_INTERVAL) {
            tracing::warn!(count = self.count, "connections refused: too many connections");
            *self = Self { count: 0, last_report: Some(now) };
        }
    }
}

/// Returns an id of 64 random bits. A collision is so unlikely that it is not checked here.
fn new_id(random: &SystemRandom) -> Option<ParticipantId> {
    let mut bytes = [0; 8];
    random.fill(&mut bytes).ok()?;
    Some(ParticipantId(u64::from_be_bytes(bytes)))
}

/// Messages that may wait for the delivery task. If there are more, connections stop reading.
const MAX_MESSAGES: usize = 1_024;

/// The shortest time between two reports of refused connections.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// How often [`Server::stop_hosting`] checks whether all meetings have ended.
const MEETINGS_CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// The pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long clients have to close their connections after a media thread has failed.
const FAILURE_DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// How long the media threads may take to end.
const JOIN_TIMEOUT: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery_task::Client;
    use crate::media_thread;
    use crate::outbox::{Item, Outbox, outbox};
    use crate::quota::Meter;
    use crate::sfu;
    use proto::Down;
    use std::net::{IpAddr, Ipv4Addr};

    #[tokio::test]
    async fn a_panic_of_the_media_thread_ends_all_meetings_and_the_server() {
        let server = Server::start(Config::new((Ipv4Addr::LOCALHOST, 0).into())).await.expect("it starts");
        let (outbox, mut outgoing) = outbox(16, 16_000);
        let connected = delivery_task::Message::Connected(ConnectionId(1_000), client(outbox));
        server.delivery.send(connected).await.expect("the delivery task runs");
        let failed = server.failed();
        let panic = media_thread::Message::Read(Box::new(|_| panic!("injected")));
        server.media.send(MeetingId([1; 16]), panic).await;

        let expected = Item::Message(proto::encode(&Down::Problem { problem: Problem::Draining }).into());
        let told = async { while outgoing.next().await.is_some_and(|item| item != expected) {} };
        timeout(LIMIT, told).await.expect("the client is told");
        assert_eq!(timeout(LIMIT, outgoing.next()).await, Ok(Some(Item::Close)));
        let closed = delivery_task::Message::Disconnected(ConnectionId(1_000));
        server.delivery.send(closed).await.expect("the delivery task runs");
        let error = timeout(LIMIT, failed).await.expect("the failure is reported");
        assert!(matches!(error, Error::MediaFailed), "{error}");
        server.stop(LIMIT).await;
    }

    #[tokio::test]
    async fn a_panic_in_one_meeting_drops_the_connections_of_its_members_and_no_others() {
        let server = Server::start(Config::new((Ipv4Addr::LOCALHOST, 0).into())).await.expect("it starts");
        let [(first, failing), (second, other)] = [outbox(16, 16_000), outbox(16, 16_000)];
        let meetings = [1, 2].map(|number| MeetingId([number; 16]));
        for (meeting, outbox) in meetings.into_iter().zip([first, second]) {
            let command = sfu::Command::Join { meeting, participant: ParticipantId(u64::from(meeting.0[0])) };
            server.media.command(command, Some(outbox)).await;
        }
        server.media.send(meetings[0], media_thread::Message::InjectPanic(meetings[0])).await;
        timeout(LIMIT, failing.disconnected()).await.expect("the connection is dropped");
        // The thread goes on, with the other meeting.
        assert_eq!(server.totals(meetings[1]).await, Some(Totals::default()));
        assert!(futures_util::FutureExt::now_or_never(other.disconnected()).is_none());
        assert_eq!(*server.failed.borrow(), None);
        server.stop(LIMIT).await;
    }

    #[tokio::test]
    async fn a_panic_of_the_delivery_task_ends_the_server() {
        let server = Server::start(Config::new((Ipv4Addr::LOCALHOST, 0).into())).await.expect("it starts");
        let (outbox, mut outgoing) = outbox(16, 16_000);
        let connected = delivery_task::Message::Connected(ConnectionId(1_000), client(outbox));
        server.delivery.send(connected).await.expect("the delivery task runs");
        let failed = server.failed();
        server.delivery.send(delivery_task::Message::Panic).await.expect("the delivery task runs");

        let error = timeout(LIMIT, failed).await.expect("the failure is reported");
        assert!(matches!(error, Error::DeliveryFailed), "{error}");
        let closed = async { while outgoing.next().await.is_some() {} };
        timeout(LIMIT, closed).await.expect("the client's queue has ended");
        server.stop(LIMIT).await;
    }

    fn client(outbox: Outbox) -> Client {
        let (participant, meter) = (ParticipantId(1), Arc::new(Meter::new(1_000, Arc::default(), 1_000)));
        Client { participant, origin: IpAddr::from(Ipv4Addr::LOCALHOST).into(), outbox, meter }
    }

    #[tokio::test]
    async fn a_server_that_is_stopped_has_not_failed() {
        let server = Server::start(Config::new((Ipv4Addr::LOCALHOST, 0).into())).await.expect("it starts");
        let (mut failed, watched) = (Box::pin(server.failed()), server.failed.clone());
        server.stop(LIMIT).await;
        assert_eq!(*watched.borrow(), None);
        assert!(futures_util::FutureExt::now_or_never(&mut failed).is_none());
    }

    const LIMIT: Duration = Duration::from_secs(20);
}

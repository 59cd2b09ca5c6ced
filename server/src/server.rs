//! Starts and stops the server: sockets, the delivery task, the media thread.

use crate::connection::{self, Context};
use crate::delivery::{ConnectionId, Delivery};
use crate::delivery_task::{self, DeliveryTask};
use crate::quota::{Place, Quotas};
use crate::{Config, Error, listener, media_thread, tls};
use proto::{MeetingId, ParticipantId, Problem, Totals};
use ring::rand::{SecureRandom, SystemRandom};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle as Task, JoinSet};
use tokio::time::{interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// A running server. If it is dropped without [`Server::stop`], it ends at once.
pub struct Server {
    address: SocketAddr,
    fingerprint: [u8; 32],
    delivery: mpsc::Sender<delivery_task::Message>,
    media: mpsc::Sender<media_thread::Message>,
    accept_task: Task<()>,
    delivery_task: Task<()>,
    media_thread: Option<JoinHandle<()>>,
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
        let address = listener.local_addr().map_err(refused)?;
        let (media, media_thread) = media_thread::start(address, listener::resolve(&config.public).await)?;
        let (delivery, inbox) = mpsc::channel(MAX_MESSAGES);
        let (commands, command_inbox) = mpsc::channel(MAX_MESSAGES);
        let mut secret = [0; 32];
        SystemRandom::new().fill(&mut secret).map_err(|_| Error::Random)?;
        let service = Delivery::new(config.limits.clone(), &secret);
        let meetings = Arc::new(AtomicUsize::new(0));
        let inboxes = [command_inbox, inbox];
        let task = DeliveryTask::new(service, inboxes, media.clone(), &config.limits, Arc::clone(&meetings));
        let delivery_task = tokio::spawn(task.run());
        let acceptor = TlsAcceptor::from(identity.config);
        let context = Context { acceptor, limits: config.limits, delivery: delivery.clone(), commands };
        let accept_task = tokio::spawn(accept(listener, context));
        tracing::info!(port = address.port(), version = env!("CARGO_PKG_VERSION"), "listening");
        let fingerprint = identity.fingerprint;
        let media_thread = Some(media_thread);
        Ok(Self { address, fingerprint, delivery, media, accept_task, delivery_task, media_thread, meetings })
    }

    /// Returns the address that the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the SHA-256 of the DER encoding of the server's leaf certificate.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// Returns what was forwarded for a meeting that runs or ended recently, or `None` for an unknown one.
    pub async fn totals(&self, meeting: MeetingId) -> Option<Totals> {
        let (answer, totals) = oneshot::channel();
        self.media.send(media_thread::Message::Totals(meeting, answer)).await.ok()?;
        totals.await.ok()?
    }

    /// Returns the number of meetings. A meeting ends when its last member leaves.
    pub fn meetings(&self) -> usize {
        self.meetings.load(Ordering::Acquire)
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
        // After the deadline, the clients that are left are told that the host stops the server.
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
        let thread = self.media_thread.take();
        drop(self);
        if let Some(thread) = thread {
            let joined = tokio::task::spawn_blocking(move || thread.join());
            if !matches!(timeout(JOIN_TIMEOUT, joined).await, Ok(Ok(Ok(())))) {
                tracing::warn!("the media thread did not end in time, or panicked");
            }
        }
        tracing::info!("stopped");
    }

    fn end(&self) {
        self.accept_task.abort();
        self.delivery_task.abort();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// Accepts connections, and drops at once those that exceed a quota. If this task ends, all connections end, because the
/// `JoinSet` aborts its tasks.
async fn accept(listener: TcpListener, context: Context) {
    let mut tasks = JoinSet::new();
    let (random, quotas) = (SystemRandom::new(), Arc::new(Mutex::new(Quotas::new(&context.limits))));
    let mut refused = Refused::default();
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
        let place = Place::take(&quotas, address.ip().into(), Instant::now());
        let (Some(place), Some(participant)) = (place, new_id(&random)) else {
            refused.count(Instant::now());
            continue;
        };
        tasks.spawn(connection::serve(stream, id, participant, place, context.clone()));
    }
}

/// Counts refused connections, so that a flood of them does not flood the log.
#[derive(Default)]
struct Refused {
    count: u64,
    last_report: Option<Instant>,
}

impl Refused {
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

/// How often a host that stops its server looks whether all meetings are over.
const MEETINGS_CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// The pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long the media thread may take to end.
const JOIN_TIMEOUT: Duration = Duration::from_secs(2);

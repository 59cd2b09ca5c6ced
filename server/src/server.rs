//! Starts and stops the server: sockets, the hub's task, the media thread.

use crate::connection::{self, Context};
use crate::delivery::Delivery;
use crate::hub::{self, Hub};
use crate::{Config, sfu, tls};
use proto::{MeetingId, ParticipantId, Totals};
use ring::rand::{SecureRandom, SystemRandom};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::{JoinHandle as Task, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be had: taken, not this machine's, or not allowed.
    #[error("cannot listen on {address}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The certificate cannot be read, made or used.
    #[error("the certificate cannot be used: {0}")]
    Certificate(String),
    /// The media stack or its thread does not start.
    #[error("the media part does not start")]
    Media,
    /// Nothing can tell the server to end.
    #[error("this system gives no signals")]
    Signals(#[source] std::io::Error),
}

impl Error {
    /// Whose fault it is and what to do, in sentences.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Listen { source, .. } => {
                let known = LISTENING.iter().find(|(kind, _)| *kind == source.kind());
                known.map_or("This computer refuses that address: check --listen.", |(_, advice)| advice)
            }
            Self::Certificate(_) => {
                "It is a file of this computer: check what --cert and --key name, or that --data is a folder that this user may write to."
            }
            Self::Media | Self::Signals(_) => {
                "This computer lacks what a server needs: check its limits on threads, open files and UDP ports."
            }
        }
    }
}

/// What to do where an address cannot be listened on.
const LISTENING: &[(ErrorKind, &str)] = &[
    (
        ErrorKind::AddrInUse,
        "Another program on this computer uses that port: stop it, or choose another port with --listen.",
    ),
    (
        ErrorKind::PermissionDenied,
        "This computer does not let this user listen there: choose a port from 1024 on with --listen.",
    ),
    (
        ErrorKind::AddrNotAvailable,
        "This computer does not have that address: choose one of its own, or 0.0.0.0, with --listen.",
    ),
];

/// A running server. Dropped without [`Server::stop`], it ends at once.
pub struct Server {
    address: SocketAddr,
    fingerprint: [u8; 32],
    hub: mpsc::Sender<hub::Message>,
    media: mpsc::Sender<sfu::Message>,
    accepting: Task<()>,
    hub_task: Task<()>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server on the current tokio runtime.
    ///
    /// # Errors
    /// [`Error`] says what is in the way.
    pub async fn start(config: Config) -> Result<Self, Error> {
        let files = config.certificate.as_ref().map(|(chain, key)| (chain.as_path(), key.as_path()));
        let identity = tls::identity(files, config.data.as_deref())?;
        let refused = |source| Error::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let (media, thread) = sfu::driver::start(address)?;
        let (sender, inbox) = mpsc::channel(MAX_MESSAGES);
        let hub = Hub::new(Delivery::new(config.limits.clone()), inbox, media.clone());
        let hub_task = tokio::spawn(hub.run());
        let connections = Arc::new(Semaphore::new(config.limits.connections));
        let acceptor = TlsAcceptor::from(identity.config);
        let context = Context { acceptor, limits: config.limits, hub: sender.clone() };
        let accepting = tokio::spawn(accept(listener, connections, context));
        tracing::info!(port = address.port(), "listening");
        let fingerprint = identity.fingerprint;
        Ok(Self { address, fingerprint, hub: sender, media, accepting, hub_task, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// SHA-256 of its leaf certificate's DER.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// What it moved for a meeting, running or lately ended. None for one that it does not know.
    pub async fn totals(&self, meeting: MeetingId) -> Option<Totals> {
        let (answer, totals) = oneshot::channel();
        self.media.send(sfu::Message::Totals(meeting, answer)).await.ok()?;
        totals.await.ok()?
    }

    /// Tells everybody that it stops, takes no meeting any more, and ends within `deadline`.
    pub async fn stop(mut self, deadline: Duration) {
        let (drained, done) = oneshot::channel();
        let drain = async {
            if self.hub.send(hub::Message::Drain(drained)).await.is_ok() {
                // An error means that the hub is gone, and with it all connections.
                let _ = done.await;
            }
        };
        if timeout(deadline, drain).await.is_err() {
            tracing::warn!("the deadline ended connections that did not");
        }
        self.end();
        let thread = self.thread.take();
        drop(self);
        if let Some(thread) = thread {
            let joined = tokio::task::spawn_blocking(move || thread.join());
            if !matches!(timeout(JOIN, joined).await, Ok(Ok(Ok(())))) {
                tracing::warn!("the media thread did not end well");
            }
        }
        tracing::info!("stopped");
    }

    fn end(&self) {
        self.accepting.abort();
        self.hub_task.abort();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// Accepts connections. Its own end ends them all: the set aborts what it holds.
async fn accept(listener: TcpListener, connections: Arc<Semaphore>, context: Context) {
    let mut tasks = JoinSet::new();
    let random = SystemRandom::new();
    loop {
        let accepted = listener.accept().await;
        while tasks.try_join_next().is_some() {}
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Too many open files, most likely: others must end first.
                tracing::warn!(%error, "a connection was not accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (Ok(permit), Some(participant)) = (connections.clone().try_acquire_owned(), new_id(&random)) else {
            tracing::warn!("more connections than allowed");
            continue;
        };
        let context = context.clone();
        tasks.spawn(async move {
            connection::serve(stream, participant, context).await;
            drop(permit);
        });
    }
}

/// 64 random bits: two connections that get the same ones are not to be expected.
fn new_id(random: &SystemRandom) -> Option<ParticipantId> {
    let mut bytes = [0; 8];
    random.fill(&mut bytes).ok()?;
    Some(ParticipantId(u64::from_be_bytes(bytes)))
}

/// Messages that may wait for the hub; then connections wait, and with them those who send too much.
const MAX_MESSAGES: usize = 1_024;

/// After a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// For the media thread to end once nobody can tell it anything any more.
const JOIN: Duration = Duration::from_secs(2);

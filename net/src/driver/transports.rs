//! The driver's transports: peer connections with their media tunnels.

use crate::error::Error;
use crate::peer::{self, Feedback, Opened, Peer, lock};
use crate::sfu::TransportId;
use crate::signalling::Endpoint;
use crate::tunnel::Tunnel;
use ::media::BufferPool;
use proto::MediaPath;
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use webrtc::runtime::Runtime;

/// The transports of a session.
pub struct Transports {
    list: Vec<Transport>,
    /// Where the tunnels lead.
    server: Endpoint,
    /// Runs their tasks.
    stack: Arc<dyn Runtime>,
}

/// One peer connection.
pub struct Transport {
    id: TransportId,
    pub peer: Peer,
    /// The way to the server if UDP does not work.
    tunnel: Tunnel,
    events: mpsc::Receiver<peer::Event>,
    feedback: mpsc::Receiver<Feedback>,
    /// When both descriptions were set for the first time.
    pub negotiated: Option<Instant>,
    pub connected: bool,
}

/// What a transport reports.
pub enum Report {
    Event(peer::Event),
    Feedback(Feedback),
    /// The estimate of the capacity has changed.
    Estimate,
}

impl Transports {
    /// Opens transports on `address`. If UDP does not work, they use tunnels to `server`.
    ///
    /// # Errors
    /// Returns [`Error::Media`] if no socket can be opened.
    pub async fn open(
        ids: &[TransportId],
        (address, pool): (IpAddr, &BufferPool),
        server: Endpoint,
        stack: &Arc<dyn Runtime>,
    ) -> Result<Self, Error> {
        let mut transports = Self { list: Vec::new(), server, stack: Arc::clone(stack) };
        transports.add(ids, (address, pool), MediaPath::Udp).await?;
        Ok(transports)
    }

    /// Replaces all transports by new ones on `address`. `before` is the path that media took.
    ///
    /// # Errors
    /// Returns [`Error::Media`] if no socket can be opened.
    pub async fn replace(&mut self, place: (IpAddr, &BufferPool), before: MediaPath) -> Result<(), Error> {
        let ids: Vec<_> = self.list.iter().map(|transport| transport.id).collect();
        // They close in the background, because that may take 100 ms.
        self.list.clear();
        self.add(&ids, place, before).await
    }

    async fn add(
        &mut self,
        ids: &[TransportId],
        (address, pool): (IpAddr, &BufferPool),
        before: MediaPath,
    ) -> Result<(), Error> {
        for id in ids {
            let tunnel = Tunnel::new(self.server.clone(), before, &self.stack);
            let runtime = tunnel.runtime(Arc::clone(&self.stack));
            let (peer, events, feedback): Opened = Box::pin(Peer::open(address, pool.clone(), runtime)).await?;
            self.list.push(Transport { id: *id, peer, tunnel, events, feedback, negotiated: None, connected: false });
        }
        Ok(())
    }

    /// Waits for the next report of any transport. Cancel-safe.
    pub async fn next(&mut self) -> (TransportId, Report) {
        poll_fn(|context| {
            for transport in &mut self.list {
                if let Poll::Ready(Some(event)) = transport.events.poll_recv(context) {
                    return Poll::Ready((transport.id, Report::Event(event)));
                }
                if let Poll::Ready(Some(feedback)) = transport.feedback.poll_recv(context) {
                    return Poll::Ready((transport.id, Report::Feedback(feedback)));
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Returns a transport.
    ///
    /// # Errors
    /// Returns [`Error::Negotiation`] if there is none with this id.
    pub fn get(&mut self, id: TransportId) -> Result<&mut Transport, Error> {
        let transport = self.list.iter_mut().find(|transport| transport.id == id);
        transport.ok_or(Error::Negotiation("the dialect names a transport that it has not declared"))
    }

    pub fn primary(&self) -> Option<&Peer> {
        self.peer(TransportId::Primary)
    }

    pub fn peer(&self, id: TransportId) -> Option<&Peer> {
        self.find(id).map(|transport| &transport.peer)
    }

    fn find(&self, id: TransportId) -> Option<&Transport> {
        self.list.iter().find(|transport| transport.id == id)
    }

    /// Sets the token by which the tunnel of a transport can be opened.
    pub fn set_tunnel_token(&mut self, id: TransportId, token: String) -> Result<(), Error> {
        self.get(id)?.tunnel.set_token(token);
        Ok(())
    }

    /// Returns the path of media, or `None` if they are not connected.
    pub fn path(&self) -> Option<MediaPath> {
        self.find(TransportId::Primary).filter(|primary| primary.connected).map(|primary| primary.tunnel.path())
    }

    /// Returns true if all transports have connected.
    pub fn are_connected(&self) -> bool {
        self.list.iter().all(|transport| transport.connected)
    }

    /// Checks that no transport takes too long to connect.
    ///
    /// # Errors
    /// Returns [`Error::NoMedia`] if one does.
    pub fn check(&self, now: Instant) -> Result<(), Error> {
        let waiting = self.list.iter().filter(|transport| !transport.connected);
        let mut since = waiting.filter_map(|transport| transport.negotiated);
        if since.any(|since| now.saturating_duration_since(since) > CONNECT_TIMEOUT) {
            return Err(self.no_media());
        }
        Ok(())
    }

    /// Returns the error that no path carries media.
    pub fn no_media(&self) -> Error {
        Error::NoMedia(self.list.iter().find_map(|transport| transport.tunnel.failure()))
    }

    pub async fn close(self) {
        for Transport { id, peer, .. } in self.list {
            let counts = lock(peer.rtp_receiver()).counts();
            tracing::debug!(?id, ?counts, "media end");
            peer.close().await;
        }
    }
}

/// How long a transport may take to connect after its first negotiation.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

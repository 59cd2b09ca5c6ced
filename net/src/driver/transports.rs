//! The driver's transports: peer connections with their media tunnels and TURN servers.

use crate::error::Error;
use crate::event::MediaPath;
use crate::migration::Migration;
use crate::path_overhead::{Carrier, per_packet};
use crate::peer::{self, Feedback, Opened, Peer, lock};
use crate::route::Route;
use crate::sfu::TransportId;
use crate::signalling::ServerEndpoint;
use crate::tunnel::Tunnel;
use crate::turn::{Stage, TurnConnections};
use ::media::BufferPool;
use proto::{TurnAccess, TurnTransport};
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::mpsc;
use webrtc::runtime::Runtime;

/// The transports of a session.
pub struct Transports {
    list: Vec<Transport>,
    /// Our server, to which the tunnels lead.
    server: ServerEndpoint,
    /// The first stage of TURN: [`Stage::Udp`] if a TURN server carried the media of the transports before.
    first_stage: Stage,
    route: Route,
    /// Runs their tasks.
    stack: Arc<dyn Runtime>,
}

/// One peer connection.
pub struct Transport {
    id: TransportId,
    /// The address of its sockets.
    local: IpAddr,
    pub peer: Peer,
    /// Carries media if UDP does not work.
    tunnel: Tunnel,
    turn: Turn,
    /// Moves media to another network.
    pub migration: Migration,
    events: mpsc::Receiver<peer::Event>,
    feedback: mpsc::Receiver<Feedback>,
    /// When both descriptions were set for the first time.
    pub negotiated: Option<Instant>,
    connected: bool,
}

/// The TURN servers of a transport.
struct Turn {
    connections: TurnConnections,
    /// What our server has given. `None` if it has no TURN servers.
    access: Option<TurnAccess>,
    /// The servers that are used.
    stage: Stage,
    /// True after a server has carried media.
    carried: bool,
    /// When new credentials are needed, while servers are used.
    renew_at: Option<Instant>,
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
        server: ServerEndpoint,
        (stack, route): (&Arc<dyn Runtime>, Route),
    ) -> Result<Self, Error> {
        let stack = Arc::clone(stack);
        let mut transports = Self { list: Vec::new(), server, first_stage: Stage::None, route, stack };
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
        self.first_stage = if before == MediaPath::Relay { Stage::Udp } else { Stage::None };
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
            let connections = TurnConnections::new(address, self.server.proxy.clone(), &self.stack);
            let migration = Migration::new(Arc::clone(&self.route), &self.stack);
            let runtime = tunnel.runtime(connections.runtime(migration.runtime(Arc::clone(&self.stack))));
            let turn = Turn { connections, access: None, stage: Stage::None, carried: false, renew_at: None };
            let (peer, events, feedback): Opened = Box::pin(Peer::open(address, pool.clone(), runtime)).await?;
            let (id, local, negotiated, connected) = (*id, address, None, false);
            self.list.push(Transport {
                id,
                local,
                peer,
                tunnel,
                turn,
                migration,
                events,
                feedback,
                negotiated,
                connected,
            });
        }
        self.update_packet_overheads(Instant::now());
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

    /// Sets the TURN servers of a transport. If they are in use, the new credentials replace the ones before.
    pub async fn set_turn_access(&mut self, id: TransportId, access: TurnAccess) -> Result<(), Error> {
        let transport = self.get(id)?;
        if access.servers.iter().any(|server| server.transport == TurnTransport::Udp) {
            transport.tunnel.wait_for_relay();
        }
        transport.turn.renew_at = Some(Instant::now() + half_validity(&access, SystemTime::now()));
        transport.turn.access = Some(access);
        if transport.turn.stage > Stage::None {
            transport.open_turn_servers(transport.turn.stage).await?;
        }
        Ok(())
    }

    /// Uses TURN servers for each transport that has waited long enough for its connection. Returns the transports that need a
    /// new offer for that, or for new credentials: each answer has some.
    pub async fn use_turn_servers(&mut self, now: Instant) -> Result<Vec<TransportId>, Error> {
        let mut begun = Vec::new();
        for transport in &mut self.list {
            let used = transport.turn.stage > Stage::None;
            if used && transport.turn.renew_at.take_if(|at| *at <= now).is_some() {
                tracing::debug!(id = ?transport.id, "new credentials for TURN servers");
                // The answer sets the next time. If there is none, the negotiation fails.
                begun.push(transport.id);
            }
            let waiting = transport.negotiated.filter(|_| !transport.connected && transport.turn.access.is_some());
            let Some(since) = waiting else { continue };
            let waited = now.saturating_duration_since(since);
            let stage = Stage::after(waited, transport.tunnel.has_token()).max(self.first_stage);
            if stage > transport.turn.stage && transport.open_turn_servers(stage).await? {
                begun.push(transport.id);
            }
        }
        Ok(begun)
    }

    /// Returns true if a TURN server that carried media is gone. The stack notices that only after several seconds.
    pub fn is_relay_lost(&mut self, now: Instant) -> bool {
        self.list.iter_mut().filter(|transport| transport.connected).any(|Transport { tunnel, turn, .. }| {
            let carries = tunnel.path(now) == MediaPath::Relay;
            turn.carried |= carries;
            turn.carried && (!carries || turn.connections.is_lost())
        })
    }

    /// Returns the path of media, or `None` if they are not connected.
    pub fn path(&self, now: Instant) -> Option<MediaPath> {
        self.find(TransportId::Primary).filter(|primary| primary.connected).map(|primary| primary.tunnel.path(now))
    }

    /// Tells each peer how many bytes its path adds to a packet.
    pub fn update_packet_overheads(&self, now: Instant) {
        for transport in &self.list {
            let carrier = transport.carrier(now);
            transport.peer.estimate().set_packet_overhead(per_packet(carrier, transport.local));
        }
    }

    /// Returns true if media of all transports go directly to the server, and it answers: they need no signalling.
    pub fn are_alive(&self, now: Instant) -> bool {
        let is_alive = |transport: &Transport| {
            transport.connected && transport.tunnel.path(now) == MediaPath::Udp && transport.migration.is_alive(now)
        };
        !self.list.is_empty() && self.list.iter().all(is_alive)
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

impl Transport {
    /// Handles that the peer connection has connected.
    pub fn handle_connected(&mut self, now: Instant) {
        self.connected = true;
        self.tunnel.handle_connected(now);
    }

    /// Returns what carries its media, or would carry them.
    fn carrier(&self, now: Instant) -> Carrier {
        match self.tunnel.path(now) {
            MediaPath::Udp => Carrier::Udp,
            MediaPath::Relay => Carrier::Relay(self.turn.connections.carrier().unwrap_or(TurnTransport::Udp)),
            MediaPath::Tls => Carrier::Tunnel,
        }
    }

    /// Uses the TURN servers of a stage. Returns false if there is none.
    async fn open_turn_servers(&mut self, stage: Stage) -> Result<bool, Error> {
        self.turn.stage = stage;
        let Some(access) = &self.turn.access else { return Ok(false) };
        let servers = self.turn.connections.open(access, stage);
        if servers.is_empty() {
            return Ok(false);
        }
        tracing::debug!(id = ?self.id, ?stage, servers = servers.len(), "TURN servers");
        self.peer.set_ice_servers(servers).await?;
        Ok(true)
    }
}

/// Returns half of the time for which credentials are valid. Their user name begins with the end, in seconds since 1970
/// (draft-uberti-behave-turn-rest-00, section 2.2). Bounded, because the clocks may differ and a server can write anything.
fn half_validity(access: &TurnAccess, now: SystemTime) -> Duration {
    let end = access.username.split(':').next().and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    end.map_or(MAX_RENEWAL, |end| end.saturating_sub(now) / 2).clamp(MIN_RENEWAL, MAX_RENEWAL)
}

/// The bounds of the time after which new credentials for TURN servers are requested.
const MIN_RENEWAL: Duration = Duration::from_secs(1);
const MAX_RENEWAL: Duration = Duration::from_hours(6);

/// How long a transport may take to connect after its first negotiation.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_renewed_after_half_of_their_validity_within_bounds() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let after = |username: &str| {
            let (username, password) = (username.to_owned(), String::new());
            half_validity(&TurnAccess { username, password, servers: Vec::new() }, now).as_secs()
        };
        assert_eq!(after("1000100:anna"), 50);
        assert_eq!((after("900000:expired"), after("99999999999999:late"), after("nonsense")), (1, 21_600, 21_600));
    }
}

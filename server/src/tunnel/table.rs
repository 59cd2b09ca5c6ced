//! Which path leads to each participant that has opened a tunnel. Pure: no socket, no clock.
//!
//! The media stack knows one pair of addresses for such a participant, its identity, which is the same on all paths: the
//! pair with which UDP worked before, else a virtual address that no datagram of the network has. So the stack does not notice
//! a change of the path. The answer to a check goes back on the check's own path, which shows the client whether the path
//! works. Everything else takes the path that the client has chosen.

use super::TunnelQueue;
use crate::sfu::{ADDRESS_TIMEOUT, MAX_THREADS, ThreadAddresses};
use proto::{MediaPath, ParticipantId};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

/// A pair of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// That of the server.
    pub local: SocketAddr,
    /// That of the participant.
    pub remote: SocketAddr,
}

/// By which path a datagram has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrivalPath {
    /// By UDP.
    Udp(ParticipantId, Endpoints),
    /// Through a tunnel.
    Tunnel(ParticipantId),
}

/// Where a datagram of the stack goes.
#[derive(Debug, PartialEq, Eq)]
pub enum SendPath {
    /// To the address that the stack has named.
    Unchanged,
    /// To these addresses.
    Udp(Endpoints),
    /// Into a tunnel.
    Tunnel,
}

/// The participants that have opened a tunnel.
#[derive(Debug, Default)]
pub struct Tunnels {
    /// The address table that all threads share.
    addresses: ThreadAddresses,
    entries: HashMap<ParticipantId, ParticipantPaths>,
    identities: HashMap<SocketAddr, ParticipantId>,
    /// The participants by their UDP addresses.
    senders: HashMap<SocketAddr, UdpSender>,
    /// How many virtual addresses were used.
    used: u32,
}

/// The participant that sends from a UDP address.
#[derive(Clone, Copy, Debug)]
struct UdpSender {
    participant: ParticipantId,
    /// When the newest check came from there.
    checked_at: Instant,
}

/// The paths to one participant, and the one that it has chosen.
#[derive(Debug)]
struct ParticipantPaths {
    /// The number of its newest tunnel.
    tunnel: u64,
    /// `None` if the tunnel is closed.
    queue: Option<Arc<TunnelQueue>>,
    path: MediaPath,
    identity: Endpoints,
    /// The addresses of the newest check that came by UDP.
    udp: Option<Endpoints>,
}

impl Tunnels {
    /// Creates the table of a thread without tunnels.
    pub fn new(addresses: ThreadAddresses) -> Self {
        Self { addresses, ..Self::default() }
    }

    /// Returns true if no participant has opened a tunnel.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds a tunnel. It replaces the participant's tunnel before. `known` are the addresses by which the stack has sent to
    /// the participant last, and `local` is the address at which the participant is offered media.
    pub fn open(
        &mut self,
        (participant, tunnel): (ParticipantId, u64),
        queue: Arc<TunnelQueue>,
        known: Option<Endpoints>,
        (local, now): (SocketAddr, Instant),
    ) {
        if let Some(entry) = self.entries.get_mut(&participant) {
            if let Some(before) = entry.queue.replace(queue) {
                before.close();
            }
            entry.tunnel = tunnel;
            return;
        }
        let identity = known.unwrap_or_else(|| Endpoints { local, remote: self.virtual_address(local) });
        self.identities.insert(identity.remote, participant);
        if known.is_some() {
            self.senders.insert(identity.remote, UdpSender { participant, checked_at: now });
        }
        let entry = ParticipantPaths { tunnel, queue: Some(queue), path: MediaPath::Udp, identity, udp: known };
        self.entries.insert(participant, entry);
    }

    /// Sets the path to a participant. Does nothing if the tunnel is not its newest one.
    pub fn set_path(&mut self, participant: ParticipantId, tunnel: u64, path: MediaPath) {
        if let Some(entry) = self.entries.get_mut(&participant).filter(|entry| entry.tunnel == tunnel) {
            entry.path = path;
        }
    }

    /// Removes a tunnel. The participant is reached by UDP then. Does nothing if the tunnel is not its newest one.
    pub fn close(&mut self, participant: ParticipantId, tunnel: u64) {
        if let Some(entry) = self.entries.get_mut(&participant).filter(|entry| entry.tunnel == tunnel) {
            entry.queue = None;
            entry.path = MediaPath::Udp;
        }
    }

    /// Returns whether what is sent to a participant goes through its tunnel, except for answers to checks.
    pub fn is_path_of(&self, participant: ParticipantId) -> bool {
        self.entries
            .get(&participant)
            .is_some_and(|entry| entry.queue.is_some() && (entry.path == MediaPath::Tls || entry.udp.is_none()))
    }

    /// Forgets a participant, and closes its tunnel.
    pub fn remove(&mut self, participant: ParticipantId) {
        let Some(entry) = self.entries.remove(&participant) else { return };
        if let Some(queue) = entry.queue {
            queue.close();
        }
        self.identities.remove(&entry.identity.remote);
        for (address, _) in self.senders.extract_if(|_, sender| sender.participant == participant) {
            self.addresses.release(address, participant);
        }
    }

    /// Returns the identity of a participant, or `None` if `tunnel` is not its newest tunnel.
    pub fn identity(&self, participant: ParticipantId, tunnel: u64) -> Option<Endpoints> {
        self.entries.get(&participant).filter(|entry| entry.tunnel == tunnel).map(|entry| entry.identity)
    }

    /// Returns the participant that sent a UDP datagram, and its identity. Returns `None` if the participant has opened no tunnel,
    /// or if the address is not that of its newest check. Also returns `None` for a check from an address that another participant
    /// has used for a check in the last 30 s, because the source may be forged. `named` returns the participant that a check names.
    pub fn find_sender(
        &self,
        source: SocketAddr,
        datagram: &[u8],
        now: Instant,
        named: impl FnOnce() -> Option<ParticipantId>,
    ) -> Option<(ParticipantId, Endpoints)> {
        let is_check = datagram.first().is_some_and(|first| *first < 2);
        let known = self.senders.get(&source).copied();
        let participant = if is_check { named()? } else { known?.participant };
        let in_use = |known: UdpSender| now.saturating_duration_since(known.checked_at) < ADDRESS_TIMEOUT;
        if known.is_some_and(|known| known.participant != participant && in_use(known)) {
            return None;
        }
        self.entries.get(&participant).map(|entry| (participant, entry.identity))
    }

    /// Sends a datagram of the stack into the tunnel of the participant at `destination` if that is its path. Otherwise
    /// returns where to send it. `arrival` is the path of the datagram that is being handled.
    pub fn send(
        &mut self,
        destination: SocketAddr,
        datagram: &[u8],
        arrival: Option<ArrivalPath>,
        now: Instant,
    ) -> SendPath {
        let Some(participant) = self.identities.get(&destination).copied() else { return SendPath::Unchanged };
        let Some(entry) = self.entries.get_mut(&participant) else { return SendPath::Unchanged };
        let mut path = entry.path;
        if datagram.starts_with(&CHECK_SUCCESS) {
            match arrival {
                Some(ArrivalPath::Tunnel(from)) if from == participant => path = MediaPath::Tls,
                // The stack answers only a check that is authentic, so the address is the participant's, unless another thread has
                // given it to another participant meanwhile.
                Some(ArrivalPath::Udp(from, endpoints))
                    if from == participant && self.addresses.claim(endpoints.remote, participant, now).is_some() =>
                {
                    path = MediaPath::Udp;
                    let before = entry.udp.replace(endpoints).map(|before| before.remote);
                    let own = |address: &SocketAddr| {
                        self.senders.get(address).is_some_and(|sender| sender.participant == participant)
                    };
                    if let Some(before) = before.filter(|before| *before != endpoints.remote && own(before)) {
                        self.senders.remove(&before);
                        // The stack uses the identity on all paths.
                        if before != entry.identity.remote {
                            self.addresses.release(before, participant);
                        }
                    }
                    self.senders.insert(endpoints.remote, UdpSender { participant, checked_at: now });
                }
                Some(ArrivalPath::Tunnel(_) | ArrivalPath::Udp(..)) | None => {}
            }
        }
        match (path, entry.udp, &entry.queue) {
            (MediaPath::Udp, Some(endpoints), _) | (MediaPath::Tls, Some(endpoints), None) => SendPath::Udp(endpoints),
            (MediaPath::Udp | MediaPath::Tls, _, Some(queue)) => {
                queue.push(datagram, now);
                SendPath::Tunnel
            }
            // There is no path to the participant until it opens one.
            (MediaPath::Udp | MediaPath::Tls, None, None) => SendPath::Tunnel,
        }
    }

    /// Returns an address of the family of `local` that no participant has used as identity.
    fn virtual_address(&mut self, local: SocketAddr) -> SocketAddr {
        let of_thread = VIRTUAL_ADDRESSES / u32::from(MAX_THREADS);
        self.used = self.used.wrapping_add(1) % of_thread;
        let number = u32::from(self.addresses.thread() % MAX_THREADS) * of_thread + self.used;
        let ip = match local {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(VIRTUAL_V4 | number)),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(VIRTUAL_V6 | u128::from(number))),
        };
        SocketAddr::new(ip, VIRTUAL_PORT)
    }
}

/// Returns true for an address that only a tunnel may have. A datagram of the network from there is forged.
pub fn is_virtual(address: SocketAddr) -> bool {
    match address.ip() {
        IpAddr::V4(ip) => ip.to_bits() & !(VIRTUAL_ADDRESSES - 1) == VIRTUAL_V4,
        IpAddr::V6(ip) => ip.to_bits() & !u128::from(VIRTUAL_ADDRESSES - 1) == VIRTUAL_V6,
    }
}

/// The virtual addresses of IPv4: `240.0.0.0/4` is reserved and routed nowhere (RFC 1112, section 4).
const VIRTUAL_V4: u32 = 0xf000_0000;

/// The virtual addresses of IPv6: `100::/64` is only for datagrams to be discarded (RFC 6666).
const VIRTUAL_V6: u128 = 0x0100 << 112;

/// The number of virtual addresses of each family. The threads divide them.
const VIRTUAL_ADDRESSES: u32 = 1 << 24;

/// The port of all virtual addresses.
const VIRTUAL_PORT: u16 = 9;

/// The first bytes of the answer to a check: a STUN binding success response (RFC 8489, section 5).
const CHECK_SUCCESS: [u8; 2] = [1, 1];

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    const ANNA: ParticipantId = ParticipantId(1);
    const BEN: ParticipantId = ParticipantId(2);
    const SUCCESS: &[u8] = &[1, 1, 0, 0];
    const CHECK: &[u8] = &[0, 1, 0, 0];
    const MEDIA: &[u8] = &[0x80, 111, 0, 0];

    /// Returns the tunnel tables of two threads.
    fn two_threads(now: Instant) -> [Tunnels; 2] {
        let table = Arc::new(crate::sfu::AddressTable::new(now));
        [0, 1].map(|thread| Tunnels::new(ThreadAddresses::new(Arc::clone(&table), thread)))
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn endpoints(remote: &str) -> Endpoints {
        Endpoints { local: address("192.0.2.1:7443"), remote: address(remote) }
    }

    /// Returns a table with a tunnel of Anna, who was not connected by UDP, and the tunnel's queue.
    fn opened() -> (Tunnels, Arc<TunnelQueue>, SocketAddr) {
        let (mut tunnels, queue) = (Tunnels::default(), Arc::new(TunnelQueue::default()));
        tunnels.open((ANNA, 1), Arc::clone(&queue), None, (address("192.0.2.1:7443"), Instant::now()));
        let identity = tunnels.identity(ANNA, 1).unwrap();
        assert!(is_virtual(identity.remote) && !is_virtual(address("192.0.2.9:9")));
        (tunnels, queue, identity.remote)
    }

    fn taken(queue: &TunnelQueue) -> usize {
        queue.next_batch().now_or_never().flatten().map_or(0, |batch| proto::datagrams(&batch).unwrap().count())
    }

    #[test]
    fn media_take_the_path_that_the_client_has_chosen() {
        let (mut tunnels, queue, identity) = opened();
        let now = Instant::now();
        let udp = endpoints("198.51.100.7:5000");
        assert_eq!(tunnels.send(identity, MEDIA, None, now), SendPath::Tunnel, "UDP is not known");
        assert!(tunnels.is_path_of(ANNA) && !tunnels.is_path_of(BEN));
        tunnels.set_path(ANNA, 1, MediaPath::Tls);
        let answer = tunnels.send(identity, SUCCESS, Some(ArrivalPath::Udp(ANNA, udp)), now);
        assert_eq!(answer, SendPath::Udp(udp), "the answer takes the path of the check");
        assert_eq!(tunnels.send(identity, MEDIA, None, now), SendPath::Tunnel);
        assert_eq!(taken(&queue), 2);
        tunnels.set_path(ANNA, 1, MediaPath::Udp);
        assert_eq!(tunnels.send(identity, MEDIA, None, now), SendPath::Udp(udp));
        assert!(!tunnels.is_path_of(ANNA));
        let answer = tunnels.send(identity, SUCCESS, Some(ArrivalPath::Tunnel(ANNA)), now);
        assert_eq!((answer, taken(&queue)), (SendPath::Tunnel, 1));
        assert_eq!(tunnels.send(address("203.0.113.1:1"), MEDIA, None, now), SendPath::Unchanged, "somebody else");
    }

    #[test]
    fn only_the_address_of_an_answered_check_is_a_sender() {
        let (mut tunnels, _, identity) = opened();
        let now = Instant::now();
        let (first, second) = (endpoints("198.51.100.7:5000"), endpoints("198.51.100.7:6000"));
        let find = |tunnels: &Tunnels, from: Endpoints, datagram: &[u8], named| {
            tunnels.find_sender(from.remote, datagram, now, || named).map(|(participant, _)| participant)
        };
        assert_eq!(find(&tunnels, first, MEDIA, None), None);
        assert_eq!(find(&tunnels, first, CHECK, Some(ANNA)), Some(ANNA));
        assert_eq!(find(&tunnels, first, CHECK, Some(BEN)), None, "has no tunnel");
        assert_eq!(find(&tunnels, first, CHECK, None), None);
        tunnels.send(identity, SUCCESS, Some(ArrivalPath::Udp(ANNA, first)), now);
        assert_eq!(find(&tunnels, first, MEDIA, None), Some(ANNA));
        tunnels.send(identity, SUCCESS, Some(ArrivalPath::Udp(ANNA, second)), now);
        assert_eq!((find(&tunnels, first, MEDIA, None), find(&tunnels, second, MEDIA, None)), (None, Some(ANNA)));
        tunnels.send(identity, SUCCESS, Some(ArrivalPath::Udp(BEN, first)), now);
        assert_eq!(find(&tunnels, first, MEDIA, None), None, "the answer to another participant's check");
    }

    #[test]
    fn a_check_from_the_address_of_another_participant_does_not_take_it() {
        let (mut tunnels, _, identity) = opened();
        let (now, udp) = (Instant::now(), endpoints("198.51.100.7:5000"));
        tunnels.open((BEN, 2), Arc::default(), None, (udp.local, now));
        tunnels.send(identity, SUCCESS, Some(ArrivalPath::Udp(ANNA, udp)), now);
        let find = |tunnels: &Tunnels, datagram: &[u8], now, named| {
            tunnels.find_sender(udp.remote, datagram, now, || named).map(|(participant, _)| participant)
        };
        let late = now + ADDRESS_TIMEOUT;
        assert_eq!(find(&tunnels, CHECK, now, Some(BEN)), None);
        assert_eq!(find(&tunnels, CHECK, now, Some(ANNA)), Some(ANNA));
        assert_eq!(find(&tunnels, MEDIA, late, None), Some(ANNA));
        assert_eq!(find(&tunnels, CHECK, late, Some(BEN)), Some(BEN), "Anna has sent no check for 30 s");
        tunnels.remove(ANNA);
        assert_eq!(find(&tunnels, CHECK, now, Some(BEN)), Some(BEN), "Anna has left");
    }

    #[test]
    fn a_participant_that_was_connected_by_udp_keeps_its_address() {
        let (mut tunnels, udp, now) = (Tunnels::default(), endpoints("198.51.100.7:5000"), Instant::now());
        let queue = Arc::new(TunnelQueue::default());
        tunnels.open((ANNA, 1), Arc::clone(&queue), Some(udp), (udp.local, now));
        assert_eq!(tunnels.identity(ANNA, 1), Some(udp));
        assert_eq!(tunnels.send(udp.remote, MEDIA, None, now), SendPath::Udp(udp));
        tunnels.set_path(ANNA, 1, MediaPath::Tls);
        assert_eq!((tunnels.send(udp.remote, MEDIA, None, now), taken(&queue)), (SendPath::Tunnel, 1));
        tunnels.close(ANNA, 1);
        assert_eq!(tunnels.send(udp.remote, MEDIA, None, now), SendPath::Udp(udp), "the tunnel is closed");
    }

    #[test]
    fn a_new_tunnel_replaces_the_one_before_and_a_late_end_does_not_harm_it() {
        let (mut tunnels, first, identity) = opened();
        let second = Arc::new(TunnelQueue::default());
        tunnels.open((ANNA, 2), Arc::clone(&second), None, (address("192.0.2.1:7443"), Instant::now()));
        assert_eq!(first.next_batch().now_or_never(), Some(None), "closed");
        tunnels.close(ANNA, 1);
        tunnels.set_path(ANNA, 1, MediaPath::Udp);
        assert_eq!(tunnels.identity(ANNA, 1), None);
        assert_eq!(tunnels.identity(ANNA, 2).map(|endpoints| endpoints.remote), Some(identity));
        tunnels.send(identity, MEDIA, None, Instant::now());
        assert_eq!(taken(&second), 1);
        tunnels.remove(ANNA);
        assert_eq!(second.next_batch().now_or_never(), Some(None));
        assert!(tunnels.is_empty() && tunnels.identities.is_empty() && tunnels.senders.is_empty());
    }

    #[test]
    fn each_participant_has_its_own_virtual_address_of_the_right_family() {
        let mut seen = std::collections::HashSet::new();
        for mut tunnels in two_threads(Instant::now()) {
            for id in 0..100 {
                let local = address(if id % 2 == 0 { "192.0.2.1:7443" } else { "[2001:db8::1]:7443" });
                tunnels.open((ParticipantId(id), 1), Arc::default(), None, (local, Instant::now()));
                let remote = tunnels.identity(ParticipantId(id), 1).unwrap().remote;
                assert!(is_virtual(remote) && remote.is_ipv4() == local.is_ipv4() && seen.insert(remote));
            }
        }
    }

    #[test]
    fn a_check_from_the_address_of_a_participant_of_another_thread_does_not_take_it() {
        let (now, udp) = (Instant::now(), endpoints("198.51.100.7:5000"));
        let [mut first, mut second] = two_threads(now);
        for (tunnels, participant) in [(&mut first, ANNA), (&mut second, BEN)] {
            tunnels.open((participant, 1), Arc::default(), None, (udp.local, now));
        }
        let [anna, ben] =
            [(&first, ANNA), (&second, BEN)].map(|(tunnels, who)| tunnels.identity(who, 1).unwrap().remote);
        let answer = first.send(anna, SUCCESS, Some(ArrivalPath::Udp(ANNA, udp)), now);
        assert_eq!(answer, SendPath::Udp(udp));
        assert!(second.addresses.is_used_by_another(BEN, udp.remote, now), "the SFU names no sender of Ben's checks");
        let answer = second.send(ben, SUCCESS, Some(ArrivalPath::Udp(BEN, udp)), now);
        assert_eq!(answer, SendPath::Tunnel, "not to Anna's address");
        assert_eq!(second.find_sender(udp.remote, MEDIA, now, || None), None);
        assert_eq!(first.find_sender(udp.remote, MEDIA, now, || None).map(|(who, _)| who), Some(ANNA));
        first.remove(ANNA);
        let answer = second.send(ben, SUCCESS, Some(ArrivalPath::Udp(BEN, udp)), now);
        assert_eq!(answer, SendPath::Udp(udp), "Anna has left");
    }
}

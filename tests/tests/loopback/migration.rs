//! Clients whose network changes during a meeting: media move to another address, and go on without signalling.

use super::client::Client;
use super::restart::{go_on, receive_more};
use super::tunnel::{TestProxy, media_path, meeting_with};
use super::{all_receive, run, server};
use net::{Backends, MediaPath, SocketRuntime};
use std::collections::HashSet;
use std::io::{self, ErrorKind, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, TokioRuntime, Transmit};

/// The networks of a computer: its addresses, of which the system's routes choose one.
#[derive(Clone, Debug, Default)]
pub struct Networks(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    route: Option<IpAddr>,
    /// The addresses that the computer has lost.
    lost: HashSet<IpAddr>,
    /// The addresses whose datagrams reach nobody.
    silent: HashSet<IpAddr>,
    /// The addresses from which media were sent.
    used: Vec<IpAddr>,
    /// Gets what this computer sends on the second network, instead of the server. Its answers seem to come from the server.
    forger: Option<SocketAddr>,
    /// The server, from which the answers of `forger` seem to come.
    server: Option<SocketAddr>,
}

const FIRST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
pub const SECOND: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 2));

impl Networks {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Moves to the second network, in which `forger` answers instead of the server.
    pub fn forge(&self, forger: SocketAddr) {
        let mut state = self.state();
        (state.route, state.forger) = (Some(SECOND), Some(forger));
    }

    /// Lets the second network reach the server.
    pub fn stop_forging(&self) {
        self.state().forger = None;
    }

    /// Returns the addresses from which media were sent.
    pub fn used(&self) -> Vec<String> {
        self.state().used.iter().map(ToString::to_string).collect()
    }

    /// Returns back-ends of a client with these networks.
    pub fn backends(&self) -> Backends {
        self.state().route = Some(FIRST);
        let (networks, routes) = (self.clone(), self.clone());
        let stack = SocketRuntime::new(Arc::new(TokioRuntime), move |socket, tokio| {
            let inner = tokio.wrap_udp_socket(socket)?;
            let address = inner.local_addr()?.ip();
            Ok(Arc::new(Socket { inner, address, networks: networks.clone() }))
        });
        let route = Arc::new(move |_: SocketAddr| routes.state().route);
        Backends { stack: Arc::new(stack), route, ..Backends::default() }
    }
}

#[derive(Debug)]
struct Socket {
    inner: Arc<dyn AsyncUdpSocket>,
    address: IpAddr,
    networks: Networks,
}

impl AsyncUdpSocket for Socket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn max_gro_segments(&self) -> usize {
        self.inner.max_gro_segments()
    }

    fn poll_send(&self, context: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let mut state = self.networks.state();
        if state.lost.contains(&self.address) {
            return Poll::Ready(Err(ErrorKind::NetworkUnreachable.into()));
        }
        if state.silent.contains(&self.address) {
            return Poll::Ready(Ok(transmit.contents.len()));
        }
        if transmit.contents[0] >= 128 && state.used.last() != Some(&self.address) {
            state.used.push(self.address);
        }
        if let Some(destination) = state.forger.filter(|_| self.address == SECOND) {
            state.server = Some(transmit.destination);
            let Transmit { ecn, contents, segment_size, src_ip, .. } = *transmit;
            return self.inner.poll_send(context, &Transmit { destination, ecn, contents, segment_size, src_ip });
        }
        self.inner.poll_send(context, transmit)
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        loop {
            let received = self.inner.poll_recv(context, buffers, meta);
            let state = self.networks.state();
            if let (Poll::Ready(Ok(count)), Some(server)) = (&received, state.server) {
                let forged = meta[..*count].iter_mut().filter(|meta| Some(meta.addr) == state.forger);
                forged.for_each(|meta| meta.addr = server);
            }
            if received.is_pending() || !(state.lost.contains(&self.address) || state.silent.contains(&self.address)) {
                return received;
            }
        }
    }
}

/// Returns the longest time without a frame, at both ends.
fn silences(clients: &[Client]) -> Vec<Duration> {
    let silence = |client: &Client| {
        client.look(|state| state.received.values().map(|received| received.longest_silence).max().unwrap_or_default())
    };
    clients.iter().map(silence).collect()
}

fn key_frames(clients: &[Client]) -> u64 {
    clients.iter().map(|client| client.look(|state| state.key_frames_wanted)).sum()
}

#[test]
fn media_move_to_another_network_without_a_break_while_the_old_one_works() {
    run(async {
        let (server, networks) = (server().await, Networks::default());
        let clients = meeting_with(&server, networks.backends()).await;
        all_receive(&clients, 50).await;
        clients.iter().for_each(Client::forget_gaps);
        let requested = key_frames(&clients);
        networks.state().route = Some(SECOND);
        receive_more(&clients).await;
        assert_eq!(networks.state().used, [FIRST, SECOND]);
        networks.state().lost.insert(FIRST);
        receive_more(&clients).await;
        println!("longest silence at the change of the network: {:?}", silences(&clients));
        assert!(silences(&clients).iter().all(|silence| *silence < MAX_SILENCE));
        assert_eq!(key_frames(&clients), requested, "no key frame was needed");
        for client in &clients {
            client.look(|state| assert_eq!(state.reconnecting, 0));
        }
    });
}

#[test]
fn media_move_at_once_if_their_address_is_lost() {
    run(async {
        let (server, networks) = (server().await, Networks::default());
        let clients = meeting_with(&server, networks.backends()).await;
        all_receive(&clients, 50).await;
        clients.iter().for_each(Client::forget_gaps);
        {
            let mut state = networks.state();
            (state.route, _) = (Some(SECOND), state.lost.insert(FIRST));
        }
        receive_more(&clients).await;
        println!("longest silence after the loss of the address: {:?}", silences(&clients));
        assert!(silences(&clients).iter().all(|silence| *silence < MAX_SILENCE));
        assert_eq!(networks.state().used, [FIRST, SECOND]);
        for client in &clients {
            client.look(|state| assert_eq!(state.reconnecting, 0));
        }
    });
}

#[test]
fn media_stay_on_a_network_that_works_if_the_better_one_does_not_reach_the_server() {
    run(async {
        let (server, networks) = (server().await, Networks::default());
        let clients = meeting_with(&server, networks.backends()).await;
        all_receive(&clients, 25).await;
        clients.iter().for_each(Client::forget_gaps);
        {
            let mut state = networks.state();
            (state.route, _) = (Some(SECOND), state.silent.insert(SECOND));
        }
        receive_more(&clients).await;
        assert_eq!(networks.state().used, [FIRST]);
        assert!(silences(&clients).iter().all(|silence| *silence < MAX_SILENCE));
    });
}

#[test]
fn media_go_on_while_the_connection_for_messages_is_lost() {
    run(async {
        let (server, proxy) = (server().await, TestProxy::start().await);
        let backends = Backends { proxy: proxy.settings(), ..Backends::default() };
        let clients = meeting_with(&server, backends).await;
        all_receive(&clients, 50).await;
        assert_eq!(media_path(&clients[1]), Some(MediaPath::Udp));
        clients.iter().for_each(Client::forget_gaps);
        let requested = key_frames(&clients);
        proxy.disconnect(0);
        clients[1].until("the guest is back", |state| state.reconnected == 1).await;
        go_on(&clients).await;
        println!("longest silence after the loss of the connection: {:?}", silences(&clients));
        assert!(silences(&clients).iter().all(|silence| *silence < MAX_SILENCE));
        assert_eq!(key_frames(&clients), requested, "media did not begin again");
        // Signalling works: a third member is heard and seen by the others, and hears and sees them.
        let mut clients = clients;
        clients.push(Client::join(&clients[0].link(), "late"));
        for client in &clients {
            client.until("all are members", |state| state.members.len() == 3).await;
        }
        all_receive(&clients, 25).await;
    });
}

#[test]
fn tracks_that_end_while_the_connection_for_messages_is_lost_have_ended_afterwards() {
    run(async {
        let (server, proxy) = (server().await, TestProxy::start().await);
        let backends = Backends { proxy: proxy.settings(), ..Backends::default() };
        let clients = meeting_with(&server, backends).await;
        all_receive(&clients, 25).await;
        let camera = clients[0].camera();
        proxy.disconnect(0);
        clients[0].session.unpublish(proto::Slot::Camera);
        clients[1].until("the camera has ended", |state| state.ended.contains(&camera)).await;
    });
}

/// The longest silence of a track, on a busy machine. Media that begin again on another network are silent for seconds.
const MAX_SILENCE: Duration = Duration::from_millis(800);

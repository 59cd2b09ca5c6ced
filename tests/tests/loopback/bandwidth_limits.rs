//! Limits of the bandwidth over real sockets: each datagram that a limited client sends or gets is counted, with its headers, also
//! those of handshakes and probes.

use crate::client::Client;
use crate::{opened, run};
use media::Bitrate;
use net::{Backends, Limits, SocketRuntime};
use server::{Config, Server};
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tests::impairment::UDP_HEADER_BYTES;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, TokioRuntime, Transmit};

/// The bytes that pass the sockets of one client, with headers.
#[derive(Debug, Default)]
struct ByteCounters {
    sent: AtomicU64,
    received: AtomicU64,
}

impl ByteCounters {
    /// Returns back-ends whose sockets are counted.
    fn backends(self: &Arc<Self>) -> Backends {
        let counters = Arc::clone(self);
        let stack = SocketRuntime::new(Arc::new(TokioRuntime), move |socket, tokio| {
            Ok(Arc::new(Socket { inner: tokio.wrap_udp_socket(socket)?, counters: Arc::clone(&counters) }))
        });
        Backends { stack: Arc::new(stack), ..Backends::default() }
    }

    /// Returns what was sent and received so far.
    fn read(&self) -> [u64; 2] {
        [&self.sent, &self.received].map(|counter| counter.load(Ordering::Relaxed))
    }
}

#[derive(Debug)]
struct Socket {
    inner: Arc<dyn AsyncUdpSocket>,
    counters: Arc<ByteCounters>,
}

/// Adds datagrams of `stride` bytes, of which the last one may be shorter.
fn add(counter: &AtomicU64, bytes: usize, stride: usize) {
    let datagrams = bytes.div_ceil(stride.max(1));
    counter.fetch_add((bytes + datagrams * UDP_HEADER_BYTES) as u64, Ordering::Relaxed);
}

impl AsyncUdpSocket for Socket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn max_gso_segments(&self) -> usize {
        self.inner.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.inner.max_gro_segments()
    }

    fn poll_send(&self, context: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let sent = self.inner.poll_send(context, transmit);
        if matches!(sent, Poll::Ready(Ok(_))) {
            let length = transmit.contents.len();
            add(&self.counters.sent, length, transmit.segment_size.unwrap_or(length));
        }
        sent
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let received = self.inner.poll_recv(context, buffers, meta);
        if let Poll::Ready(Ok(count)) = received {
            meta[..count].iter().for_each(|meta| add(&self.counters.received, meta.len, meta.stride));
        }
        received
    }
}

async fn server() -> Server {
    let address = "127.0.0.1:0".parse().unwrap();
    Server::start(Config { metrics: Some(address), ..Config::new(address) }).await.unwrap()
}

/// Returns the bytes that the server has sent and received, with headers, according to its metrics.
async fn counted_by(server: &Server) -> [u64; 2] {
    let mut stream = TcpStream::connect(server.metrics_address().unwrap()).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let value = |name: &str| -> u64 {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("conclave_sfu_{name} ")));
        line.unwrap_or_else(|| panic!("{name} is in\n{text}")).parse().unwrap()
    };
    ["sent", "received"].map(|way| {
        let (bytes, packets) = (value(&format!("{way}_bytes_total")), value(&format!("{way}_packets_total")));
        bytes + packets * UDP_HEADER_BYTES as u64
    })
}

/// Returns an organiser with limits in both directions, whose sockets are counted, and a guest. Both show each other in a large tile.
async fn meeting(server: &Server, limits: [Option<Bitrate>; 2]) -> (Vec<Client>, Arc<ByteCounters>) {
    let counters = Arc::new(ByteCounters::default());
    let organiser = Client::create_with(server, "organiser", counters.backends());
    limit(&organiser, limits[0]);
    organiser.until("it is a member", |state| state.entered.is_some()).await;
    let guest = Client::join(&organiser.link(), "guest");
    limit(&guest, limits[1]);
    let clients = vec![organiser, guest];
    for client in &clients {
        client.until("both are members", |state| state.members.len() == 2).await;
    }
    clients[0].show(&[&clients[1]], 1_280, 720);
    clients[1].show(&[&clients[0]], 1_280, 720);
    (clients, counters)
}

fn limit(client: &Client, limit: Option<Bitrate>) {
    client.session.set_limits(Limits { send: limit, receive: limit });
}

/// Waits until each client has opened `pictures` more pictures of the other one.
async fn see_more(clients: &[Client], pictures: u64) {
    for (one, other) in [(&clients[0], &clients[1]), (&clients[1], &clients[0])] {
        let camera = other.camera();
        let before = one.look(|state| opened(state, camera));
        one.until("pictures arrive", |state| opened(state, camera) >= before + pictures).await;
    }
}

/// Asserts that `bytes` in `length` are at most `max`, with a burst, and at least a quarter of it. If they were less, something else would
/// limit the rate.
fn assert_below(what: &str, bytes: [u64; 2], length: Duration, max: Bitrate) {
    for (way, bytes) in ["sent", "received"].into_iter().zip(bytes) {
        let rate = bytes * 8_000 / u64::try_from(length.as_micros() / 1_000).unwrap();
        println!("{what}: {way} {} kbit/s in {length:?}, limit {} kbit/s", rate / 1_000, max.as_bps() / 1_000);
        // A burst at the beginning and at the end.
        let burst = max.as_bps() / 4 * 1_000 / u64::try_from(length.as_millis()).unwrap();
        assert!(rate <= max.as_bps() + burst, "{what}: {way} {rate} bit/s");
        assert!(rate >= max.as_bps() / 4, "{what}: {way} only {rate} bit/s, so nothing is limited");
    }
}

/// The other client has no limit, shows the largest layer (1.5 Mbit/s) and sends it.
#[test]
fn a_client_with_a_limit_sends_and_gets_no_more_than_that_in_all() {
    run(async {
        let server = server().await;
        let (clients, counters) = meeting(&server, [Some(LIMIT), None]).await;
        clients[0].until("media are connected", |state| state.connected.is_some()).await;
        let (start, before) = (Instant::now(), counters.read());
        see_more(&clients, 60).await;
        let (length, after) = (start.elapsed(), counters.read());
        assert_below("the client", [after[0] - before[0], after[1] - before[1]], length, LIMIT);
        limit(&clients[0], None);
        let largest = |state: &crate::State| state.received.values().any(|received| received.layers[2] > 25);
        for client in &clients {
            client.until("without the limit, the largest layer arrives", largest).await;
        }
    });
}

#[test]
fn the_server_counts_no_more_than_the_limits_of_all() {
    run(async {
        let server = server().await;
        let (clients, _) = meeting(&server, [Some(LIMIT), Some(LIMIT)]).await;
        for client in &clients {
            client.until("media are connected", |state| state.connected.is_some()).await;
        }
        let (start, before) = (Instant::now(), counted_by(&server).await);
        see_more(&clients, 60).await;
        let after = counted_by(&server).await;
        let both = Bitrate::bps(LIMIT.as_bps() * 2);
        assert_below("the server", [after[0] - before[0], after[1] - before[1]], start.elapsed(), both);
    });
}

/// Room for the smallest layer (150 kbit/s), sound, and a part of the next layer (500 kbit/s).
const LIMIT: Bitrate = Bitrate::kbps(400);

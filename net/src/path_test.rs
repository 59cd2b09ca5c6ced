//! Measures the path to a server before a meeting, without an invitation and without joining.
//!
//! It tries the same paths as media: UDP first, and the TCP port of the server if UDP does not answer. The server echoes each
//! datagram, so no more comes back than was sent. It does not use TURN servers, because only members get their addresses.

mod figures;
mod prober;
mod transport;

pub use figures::{PathFigures, PathReport};

use crate::MediaPath;
use crate::signalling::proxy::ProxySettings;
use crate::signalling::{self, ServerEndpoint, Socket, open_path_test};
use crypto::Fingerprint;
use futures_util::StreamExt;
use prober::Prober;
use proto::{PATH_TEST_KEY_BYTES, PathTestGreeting, Probe, ProbeKind, Reason};
use ring::rand::{SecureRandom, SystemRandom};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use transport::ProbeTransport;
use webrtc::runtime::{Runtime, TokioRuntime};

/// The server to which a path is tested.
#[derive(Clone, Debug)]
pub struct PathTestTarget {
    /// Its DNS name or IP address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The fingerprint of its certificate. If `None`, the system's certificate authorities decide.
    pub fingerprint: Option<Fingerprint>,
    /// The choice of the HTTP proxy.
    pub proxy: ProxySettings,
}

/// Why a path test failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathTestError {
    /// The server cannot be reached, for this reason.
    #[error("the server cannot be reached: {0:?}")]
    Unreachable(Reason),
    /// The server does not support the test: it runs an older version or another program.
    #[error("the server has no path test")]
    Unsupported,
    /// The server runs too many tests, or this address has started too many.
    #[error("the server runs too many path tests")]
    Busy,
    /// UDP does not reach the server, and its TCP port does not carry media.
    #[error("media reach the server neither by UDP nor by TCP")]
    NoPath,
}

impl From<signalling::Error> for PathTestError {
    fn from(error: signalling::Error) -> Self {
        if let signalling::Error::NotOurs(_) = error { Self::Unsupported } else { Self::Unreachable(error.reason()) }
    }
}

/// Tests the path to a server, for about ten seconds. `progress` is called with the path that is tried, and how much of the test is done,
/// 0.0 to 1.0. The test ends if the future is dropped.
///
/// # Errors
/// Returns [`PathTestError`] if the server cannot be reached or does not support the test.
pub async fn test_path(
    config: PathTestTarget,
    progress: impl FnMut(Option<MediaPath>, f32),
) -> Result<PathReport, PathTestError> {
    test_path_on(config, Arc::new(TokioRuntime), progress).await
}

/// Tests the path on another runtime; see [`test_path`].
///
/// # Errors
/// Returns the errors of [`test_path`].
pub async fn test_path_on(
    config: PathTestTarget,
    stack: Arc<dyn Runtime>,
    mut progress: impl FnMut(Option<MediaPath>, f32),
) -> Result<PathReport, PathTestError> {
    progress(None, 0.0);
    let PathTestTarget { host, port, fingerprint, proxy } = config;
    let server = ServerEndpoint { host, port, fingerprint, proxy };
    let connect = timeout(CONNECT_TIMEOUT, connect(&server, &stack));
    let (socket, parameters, addresses) = connect.await.unwrap_or(Err(signalling::Error::Silent.into()))?;
    let TestParameters { key, port, others, tunnel } = parameters;
    let servers = media_addresses(&server, addresses.1, (port, &others), &stack).await;
    if let Ok(mut udp) = ProbeTransport::udp(unspecified(addresses.1), servers, &stack)
        && let Some(figures) = measure(&mut udp, key, |done| progress(Some(MediaPath::Udp), done)).await
    {
        return Ok(PathReport { path: MediaPath::Udp, figures });
    }
    if !tunnel {
        return Err(PathTestError::NoPath);
    }
    let mut tls = ProbeTransport::tls(socket, &stack);
    let figures = measure(&mut tls, key, |done| progress(Some(MediaPath::Tls), done)).await;
    figures.map(|figures| PathReport { path: MediaPath::Tls, figures }).ok_or(PathTestError::NoPath)
}

/// The parameters of a test, as the server announces them.
struct TestParameters {
    key: [u8; PATH_TEST_KEY_BYTES],
    port: u16,
    others: Vec<IpAddr>,
    tunnel: bool,
}

type Connected = (Socket, TestParameters, (SocketAddr, SocketAddr));

async fn connect(server: &ServerEndpoint, stack: &Arc<dyn Runtime>) -> Result<Connected, PathTestError> {
    let (mut socket, addresses) = open_path_test(server, stack).await?;
    let greeting = loop {
        match socket.next().await {
            Some(Ok(Message::Binary(bytes))) => break proto::decode(&bytes).map_err(|_| PathTestError::Unsupported)?,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Text(_) | Message::Frame(_) | Message::Close(_)) | Err(_)) | None => {
                return Err(signalling::Error::Lost.into());
            }
        }
    };
    match greeting {
        PathTestGreeting::Ready { key, port, addresses: others, tunnel } => {
            Ok((socket, TestParameters { key, port, others, tunnel }, addresses))
        }
        PathTestGreeting::Busy => Err(PathTestError::Busy),
    }
}

/// Returns the addresses at which the server may receive media: the address of the connection, or those of the server's name if
/// there is a proxy, and the addresses that the server announces. All have the address family of the connection. A server can
/// announce any address, so few datagrams are sent to each until it answers; see [`hello`].
async fn media_addresses(
    server: &ServerEndpoint,
    connected: SocketAddr,
    (port, others): (u16, &[IpAddr]),
    stack: &Arc<dyn Runtime>,
) -> Vec<SocketAddr> {
    let proxied = server.proxy.for_host(server.bare_host()).is_some();
    let own = if proxied { server.resolve(stack).await } else { vec![connected] };
    let own = own.into_iter().flat_map(|address| [SocketAddr::new(address.ip(), port), address]);
    let mut found: Vec<SocketAddr> = Vec::new();
    let others = others.iter().map(IpAddr::to_canonical).filter(|other| may_be_server(*other, connected.ip()));
    for address in own.chain(others.map(|address| SocketAddr::new(address, port))) {
        if address.is_ipv4() == connected.is_ipv4() && !found.contains(&address) && found.len() < MAX_SERVERS {
            found.push(address);
        }
    }
    found
}

/// Returns whether a server that is reached at `connected` may have its media at `named`. A loopback or
/// link-local address cannot be that of a remote server, and broadcast and multicast addresses have several receivers.
fn may_be_server(named: IpAddr, connected: IpAddr) -> bool {
    let is_link_local = match named {
        IpAddr::V4(named) => named.is_link_local() || named.is_broadcast(),
        IpAddr::V6(named) => named.is_unicast_link_local(),
    };
    let is_here = named.is_loopback() && !connected.is_loopback();
    !(is_link_local || is_here || named.is_unspecified() || named.is_multicast())
}

/// Returns the unspecified address of the family of `server`.
fn unspecified(server: SocketAddr) -> IpAddr {
    if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() }
}

/// Measures a path. Returns `None` if no datagram comes back.
async fn measure(
    transport: &mut ProbeTransport,
    key: [u8; PATH_TEST_KEY_BYTES],
    mut progress: impl FnMut(f32),
) -> Option<PathFigures> {
    progress(0.0);
    let (server, cookie) = timeout(HELLO_TIMEOUT, hello(transport, key)).await.ok()??;
    let mut prober = Prober::new(key, cookie, Instant::now());
    loop {
        for datagram in prober.poll_transmit(Instant::now()) {
            transport.send(&datagram, server).await;
        }
        if prober.has_ended(Instant::now()) {
            return prober.figures();
        }
        tokio::select! {
            echo = transport.next() => prober.handle_echo(&echo.ok()?.1, Instant::now()),
            () = sleep_until(prober.timeout().into()) => progress(prober.progress(Instant::now())),
        }
    }
}

/// Requests a cookie until the server answers. Returns the address that has answered, to which UDP is limited from then on, and
/// the cookie. Returns `None` if the transport fails, or if the system has no random bytes.
///
/// The datagram to each address has random numbers, which the answer repeats. Otherwise a server could announce the address of a
/// third party and forge its answer, and the whole test would be sent to that address.
async fn hello(transport: &mut ProbeTransport, key: [u8; PATH_TEST_KEY_BYTES]) -> Option<(Option<SocketAddr>, u64)> {
    let mut hellos = Vec::new();
    for destination in transport.destinations() {
        hellos.push((destination, hello_probe(key)?));
    }
    loop {
        for (destination, hello) in &hellos {
            transport.send(&hello.datagram(0), *destination).await;
        }
        let answer = async {
            loop {
                let (from, datagram) = transport.next().await.ok()?;
                let Ok(echo) = Probe::parse(&datagram) else { continue };
                let is_answer = |(to, hello): &(Option<SocketAddr>, Probe)| *to == from && is_echo(&echo, hello);
                if hellos.iter().any(is_answer) {
                    return Some((from, echo.cookie));
                }
            }
        };
        if let Ok(answer) = timeout(HELLO_INTERVAL, answer).await {
            let (from, cookie) = answer?;
            transport.use_only(from);
            return Some((from, cookie));
        }
    }
}

/// Returns a [`ProbeKind::Hello`] that nobody can answer without having received it.
fn hello_probe(key: [u8; PATH_TEST_KEY_BYTES]) -> Option<Probe> {
    let (mut sequence, mut sent_at) = ([0; 4], [0; 4]);
    let random = SystemRandom::new();
    random.fill(&mut sequence).and_then(|()| random.fill(&mut sent_at)).ok()?;
    let (sequence, sent_at) = (u32::from_be_bytes(sequence), u32::from_be_bytes(sent_at));
    Some(Probe { key, kind: ProbeKind::Hello, sequence, sent_at, cookie: 0, received: 0, received_at: 0 })
}

/// Returns whether `echo` answers `hello`.
fn is_echo(echo: &Probe, hello: &Probe) -> bool {
    let same = |probe: &Probe| (probe.key, probe.sequence, probe.sent_at);
    echo.kind == ProbeKind::Echo && same(echo) == same(hello)
}

/// How long the connection to the server may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// If UDP does not answer in this time, it counts as blocked, and the TCP port is tested.
const HELLO_TIMEOUT: Duration = Duration::from_millis(1_200);

/// The interval between two requests for a cookie.
const HELLO_INTERVAL: Duration = Duration::from_millis(200);

/// The maximum number of addresses that are tried.
const MAX_SERVERS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::UdpSocket;

    const KEY: [u8; PATH_TEST_KEY_BYTES] = [1; PATH_TEST_KEY_BYTES];

    fn echo(received: Probe, cookie: u64) -> Vec<u8> {
        Probe { kind: ProbeKind::Echo, cookie, ..received }.datagram(0)
    }

    #[tokio::test]
    async fn a_server_cannot_forge_the_answer_of_an_address_that_it_names() {
        let [server, other] =
            [UdpSocket::bind("127.0.0.1:0").await.unwrap(), UdpSocket::bind("127.0.0.1:0").await.unwrap()];
        let (address, named) = (server.local_addr().unwrap(), other.local_addr().unwrap());
        let stack: Arc<dyn Runtime> = Arc::new(TokioRuntime);
        let mut transport = ProbeTransport::udp(Ipv4Addr::LOCALHOST.into(), vec![named, address], &stack).unwrap();
        let answers = async {
            let mut buffer = [0; 2_000];
            let (length, client) = server.recv_from(&mut buffer).await.unwrap();
            let received = Probe::parse(&buffer[..length]).unwrap();
            // The server knows only what it has received. `other` stands for the source that it forges.
            other.send_to(&echo(received, 7), client).await.unwrap();
            server.send_to(&echo(received, 8), client).await.unwrap();
        };
        let (found, ()) = tokio::join!(hello(&mut transport, KEY), answers);
        assert_eq!(found, Some((Some(address), 8)));
        assert_eq!(transport.destinations(), [Some(address)], "nothing more goes to the named address");
    }

    #[tokio::test]
    async fn a_server_names_few_addresses_and_none_of_this_computer_or_of_several_ones() {
        let stack: Arc<dyn Runtime> = Arc::new(TokioRuntime);
        let (host, proxy) = ("192.0.2.1".to_owned(), ProxySettings::default());
        let server = ServerEndpoint { host, port: 443, fingerprint: None, proxy };
        let named =
            ["127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0", "169.254.1.1", "::ffff:127.0.0.1", "ff02::1"];
        let usual = ["203.0.113.1", "10.0.0.1", "203.0.113.2", "203.0.113.3"];
        let named: Vec<IpAddr> = named.iter().chain(&usual).map(|address| address.parse().unwrap()).collect();
        let found = media_addresses(&server, "192.0.2.1:443".parse().unwrap(), (7_443, &named), &stack).await;
        let expected = ["192.0.2.1:7443", "192.0.2.1:443", "203.0.113.1:7443", "10.0.0.1:7443"];
        assert_eq!(found, expected.map(|address| address.parse::<SocketAddr>().unwrap()));
        assert!(may_be_server("127.0.0.1".parse().unwrap(), "127.0.0.1".parse().unwrap()), "a server on this computer");
    }
}

//! The test of the path to a server before a meeting. It needs no link and no membership.
//!
//! It takes the same steps as media do: UDP first, and the TCP port of the server if UDP does not answer. The server returns each
//! datagram, so at most as much comes back as was sent. It does not use TURN servers, because only members learn of them.

mod figures;
mod link;
mod prober;

pub use figures::{PathFigures, PathReport};

use crate::MediaPath;
use crate::signalling::proxy::ProxySettings;
use crate::signalling::{self, ServerEndpoint, Socket, open_path_test};
use crypto::Fingerprint;
use futures_util::StreamExt;
use link::Link;
use prober::Prober;
use proto::{PATH_TEST_KEY_BYTES, PathTestGreeting, Probe, ProbeKind, Reason};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use webrtc::runtime::{Runtime, TokioRuntime};

/// The server to test.
#[derive(Clone, Debug)]
pub struct PathTestConfig {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The fingerprint of its certificate. If `None`, the system's certificate authorities decide.
    pub fingerprint: Option<Fingerprint>,
    /// The proxy on the way.
    pub proxy: ProxySettings,
}

/// Why a test has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathTestError {
    /// The server cannot be reached, for this reason.
    #[error("the server cannot be reached: {0:?}")]
    Unreachable(Reason),
    /// The server has no such test: it is older, or no server of this program.
    #[error("the server has no path test")]
    Unsupported,
    /// The server runs too many tests, or this address has started too many.
    #[error("the server runs too many path tests")]
    Busy,
    /// Neither UDP nor the server's TCP port carries media.
    #[error("media reach the server neither by UDP nor by TCP")]
    NoPath,
}

impl From<signalling::Error> for PathTestError {
    fn from(error: signalling::Error) -> Self {
        if let signalling::Error::NotOurs(_) = error { Self::Unsupported } else { Self::Unreachable(error.reason()) }
    }
}

/// Tests the path to a server, for ten seconds. `progress` is called with the path that is tried, and how much of the test is done,
/// 0.0 to 1.0. The test ends if the future is dropped.
///
/// # Errors
/// Returns [`PathTestError`] if the server cannot be reached or does not test.
pub async fn test_path(
    config: PathTestConfig,
    progress: impl FnMut(Option<MediaPath>, f32),
) -> Result<PathReport, PathTestError> {
    test_path_on(config, Arc::new(TokioRuntime), progress).await
}

/// Tests the path on another runtime; see [`test_path`].
///
/// # Errors
/// Returns the errors of [`test_path`].
pub async fn test_path_on(
    config: PathTestConfig,
    stack: Arc<dyn Runtime>,
    mut progress: impl FnMut(Option<MediaPath>, f32),
) -> Result<PathReport, PathTestError> {
    progress(None, 0.0);
    let PathTestConfig { host, port, fingerprint, proxy } = config;
    let server = ServerEndpoint { host, port, fingerprint, proxy };
    let connect = timeout(CONNECT_TIMEOUT, connect(&server, &stack));
    let (socket, greeting, addresses) = connect.await.unwrap_or(Err(signalling::Error::Silent.into()))?;
    let Greeting { key, port, others, tunnel } = greeting;
    let servers = media_addresses(&server, addresses.1, (port, &others), &stack).await;
    if let Ok(mut udp) = Link::udp(unspecified(addresses.1), servers, &stack)
        && let Some(figures) = measure(&mut udp, key, |done| progress(Some(MediaPath::Udp), done)).await
    {
        return Ok(PathReport { path: MediaPath::Udp, figures });
    }
    if !tunnel {
        return Err(PathTestError::NoPath);
    }
    let mut tls = Link::tls(socket, &stack);
    let figures = measure(&mut tls, key, |done| progress(Some(MediaPath::Tls), done)).await;
    figures.map(|figures| PathReport { path: MediaPath::Tls, figures }).ok_or(PathTestError::NoPath)
}

/// What the server says of the test.
struct Greeting {
    key: [u8; PATH_TEST_KEY_BYTES],
    port: u16,
    others: Vec<IpAddr>,
    tunnel: bool,
}

type Connected = (Socket, Greeting, (SocketAddr, SocketAddr));

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
            Ok((socket, Greeting { key, port, others, tunnel }, addresses))
        }
        PathTestGreeting::Busy => Err(PathTestError::Busy),
    }
}

/// Returns the addresses at which the server may receive media: that of the connection, or those of its name behind a proxy, and
/// those that it names. All have the family of the first one.
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
    for address in own.chain(others.iter().map(|address| SocketAddr::new(*address, port))) {
        if address.is_ipv4() == connected.is_ipv4() && !found.contains(&address) && found.len() < MAX_SERVERS {
            found.push(address);
        }
    }
    found
}

/// Returns the address from which datagrams to `server` are sent.
fn unspecified(server: SocketAddr) -> IpAddr {
    if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() }
}

/// Measures a path. Returns `None` if it carries nothing.
async fn measure(
    link: &mut Link,
    key: [u8; PATH_TEST_KEY_BYTES],
    mut progress: impl FnMut(f32),
) -> Option<PathFigures> {
    progress(0.0);
    let cookie = timeout(HELLO_TIMEOUT, hello(link, key)).await.ok()??;
    let mut prober = Prober::new(key, cookie, Instant::now());
    loop {
        for datagram in prober.poll_transmit(Instant::now()) {
            link.send(&datagram).await;
        }
        if prober.has_ended(Instant::now()) {
            return prober.figures();
        }
        tokio::select! {
            echo = link.next() => prober.handle_echo(&echo.ok()?.1, Instant::now()),
            () = sleep_until(prober.timeout().into()) => progress(prober.progress(Instant::now())),
        }
    }
}

/// Asks for the cookie of our address until the server answers. Returns `None` if the link is lost. A link by UDP uses only the
/// address that has answered from then on.
async fn hello(link: &mut Link, key: [u8; PATH_TEST_KEY_BYTES]) -> Option<u64> {
    let hello = Probe { key, kind: ProbeKind::Hello, sequence: 0, sent_at: 0, cookie: 0, received: 0, received_at: 0 };
    loop {
        link.send(&hello.datagram(0)).await;
        let answer = async {
            loop {
                let (from, datagram) = link.next().await.ok()?;
                let probe = Probe::parse(&datagram);
                if let Ok(Probe { key: of, kind: ProbeKind::Echo, cookie, .. }) = probe
                    && of == key
                {
                    return Some((from, cookie));
                }
            }
        };
        if let Ok(answer) = timeout(HELLO_INTERVAL, answer).await {
            let (from, cookie) = answer?;
            link.use_only(from);
            return Some(cookie);
        }
    }
}

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// UDP that does not answer in this time is blocked: then media go through the TCP port, too.
const HELLO_TIMEOUT: Duration = Duration::from_millis(1_200);

/// How often the server is asked for a cookie.
const HELLO_INTERVAL: Duration = Duration::from_millis(200);

/// The maximum number of addresses at which the server is tried.
const MAX_SERVERS: usize = 4;

use super::*;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use webrtc::runtime::TokioRuntime;

fn block<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn endpoint(host: &str, port: u16) -> ServerEndpoint {
    ServerEndpoint {
        host: host.into(),
        port,
        fingerprint: Some([0; 32].into()),
        proxy: proxy::ProxySettings::default(),
    }
}

async fn failure(host: &str, port: u16) -> Error {
    let stack: Arc<dyn Runtime> = Arc::new(TokioRuntime);
    WebSocket::connect(&endpoint(host, port), &stack).await.err().expect("no connection")
}

#[test]
fn invalid_host_names_are_reported() {
    for name in ["", "a b", "..", "-x-.example\u{e9}"] {
        let error = block(failure(name, 1));
        assert!(matches!(error, Error::Name(_)), "{name}: {error}");
        assert_eq!(error.reason().fault(), Some(proto::Fault::Network));
    }
}

#[test]
fn a_closed_port_is_reported_as_refused() {
    block(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        assert!(matches!(failure("127.0.0.1", port).await, Error::Refused(_)));
    });
}

#[test]
fn a_server_without_tls_is_a_tls_error() {
    block(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            // The client may have disconnected already.
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await;
        });
        assert!(matches!(failure("127.0.0.1", port).await, Error::Tls(_)));
        server.await.unwrap();
    });
}

/// Answers every connection as a network does that requires a sign-in: with `answer`, over TLS with a certificate of its own if
/// `acceptor` is there.
async fn portal(acceptor: Option<tokio_rustls::TlsAcceptor>, answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream: Box<dyn ByteStream> = match &acceptor {
                Some(acceptor) => match acceptor.accept(stream).await {
                    Ok(stream) => Box::new(stream),
                    Err(_) => continue,
                },
                None => Box::new(stream),
            };
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request).await;
            // The client may have disconnected already.
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        }
    });
    port
}

fn acceptor() -> tokio_rustls::TlsAcceptor {
    let certified = rcgen::generate_simple_self_signed(["login.example".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    tokio_rustls::TlsAcceptor::from(Arc::new(config))
}

#[test]
fn a_network_that_shows_its_own_page_is_told_from_a_wrong_server() {
    const LOGIN: &[u8] = b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\nContent-Length: 0\r\n\r\n";
    block(async {
        for with_tls in [false, true] {
            let port = portal(with_tls.then(acceptor), LOGIN).await;
            let error = failure("127.0.0.1", port).await;
            assert!(matches!(&error, Error::WebPage(page) if page.ends_with("302, http://login.example/")), "{error}");
            assert!(matches!(error.reason(), proto::Reason::SignIn(_)));
            assert_eq!(error.reason().fault(), Some(proto::Fault::Network));
        }
        let other = portal(Some(acceptor()), b"HTTP/1.1 404 Not Found\r\n\r\n").await;
        assert!(matches!(failure("127.0.0.1", other).await, Error::Certificate(_)));
        let closes = portal(Some(acceptor()), b"").await;
        assert!(matches!(failure("127.0.0.1", closes).await, Error::Certificate(_)));
    });
}

#[test]
fn an_ipv6_address_has_brackets_in_the_error() {
    block(async {
        let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await else { return };
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        for host in ["::1", "[::1]"] {
            let error = failure(host, port).await;
            assert!(error.to_string().contains(&format!("[::1]:{port}")), "{error}");
        }
    });
}

/// A runtime whose resolver knows one name.
#[derive(Debug)]
struct Resolver(Vec<SocketAddr>);

impl Runtime for Resolver {
    fn resolve_host<'a>(&'a self, host: &'a str) -> Pinned<'a, io::Result<Vec<SocketAddr>>> {
        assert!(host.starts_with("meet.example:"), "{host}");
        Box::pin(async { Ok(self.0.clone()) })
    }

    fn spawn(&self, future: Pinned<'static, ()>) -> Box<dyn webrtc::runtime::JoinHandle> {
        TokioRuntime.spawn(future)
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn webrtc::runtime::AsyncUdpSocket>> {
        TokioRuntime.wrap_udp_socket(socket)
    }

    fn wrap_tcp_listener(
        &self,
        listener: std::net::TcpListener,
    ) -> io::Result<Arc<dyn webrtc::runtime::AsyncTcpListener>> {
        TokioRuntime.wrap_tcp_listener(listener)
    }

    fn connect_tcp(&self, remote: SocketAddr) -> Pinned<'_, io::Result<Arc<dyn webrtc::runtime::AsyncTcpStream>>> {
        TokioRuntime.connect_tcp(remote)
    }

    fn sleep(&self, duration: Duration) -> Pinned<'static, ()> {
        TokioRuntime.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn webrtc::runtime::AsyncInterval> {
        TokioRuntime.interval(period)
    }

    fn block_on(&self, future: std::pin::Pin<Box<dyn Future<Output = ()> + '_>>) {
        TokioRuntime.block_on(future);
    }

    fn now(&self) -> Instant {
        TokioRuntime.now()
    }

    fn name(&self) -> &'static str {
        "resolver"
    }
}

type Pinned<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A listener that never accepts, whose queue is full: the system drops further connection requests.
async fn black_hole(address: IpAddr) -> Option<(TcpListener, Vec<tokio::net::TcpStream>, SocketAddr)> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() }.ok()?;
    socket.bind((address, 0).into()).ok()?;
    let listener = socket.listen(1).ok()?;
    let address = listener.local_addr().ok()?;
    let mut waiting = Vec::new();
    while let Ok(connected) = timeout(Duration::from_millis(200), tokio::net::TcpStream::connect(address)).await {
        waiting.push(connected.ok()?);
        assert!(waiting.len() < 64, "the queue is never full");
    }
    Some((listener, waiting, address))
}

#[test]
fn a_dead_ipv6_address_does_not_delay_a_name_with_a_good_ipv4_address() {
    block(async {
        let dead = match black_hole(Ipv6Addr::LOCALHOST.into()).await {
            Some(dead) => dead,
            // A system without IPv6.
            None => black_hole(Ipv4Addr::LOCALHOST.into()).await.unwrap(),
        };
        let good = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addresses = vec![dead.2, good.local_addr().unwrap()];
        let server = tokio::spawn(async move {
            let (mut stream, _) = good.accept().await.unwrap();
            // The client may have disconnected already.
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await;
        });
        let stack: Arc<dyn Runtime> = Arc::new(Resolver(addresses));
        let start = Instant::now();
        let error = WebSocket::connect(&endpoint("meet.example", 1), &stack).await.err().expect("it is no server");
        assert!(matches!(error, Error::Tls(_)), "it did not reach the good address: {error}");
        assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
        server.await.unwrap();
    });
}

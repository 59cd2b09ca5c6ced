//! Media over the server's TCP port, for clients whose UDP is blocked, and the attacks on it.

use super::client::Client;
use super::lossy::Lossy;
use super::restart::{go_on, receive_more};
use super::{all_receive, backends_over, opened, run, server};
use futures_util::{SinkExt, StreamExt};
use net::{Backends, MediaPath, ProxySettings};
use proto::{ServerSignal, TUNNEL_PATH};
use server::{Limits, Server};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZero;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tests::attack::wire::{Tls, another_address, connect_tls};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

fn blocked_path() -> Arc<Lossy> {
    let path = Lossy::lossless();
    path.block(true);
    path
}

/// Returns an organiser on UDP, and a guest with `backends`.
pub async fn meeting_with(server: &Server, backends: Backends) -> Vec<Client> {
    let organiser = Client::create(server, "organiser");
    organiser.until("the organiser is a member", |state| state.entered.is_some()).await;
    let guest = Client::join_with(&organiser.link(), "guest", backends);
    let clients = vec![organiser, guest];
    for client in &clients {
        client.until("both are members", |state| state.members.len() == 2).await;
    }
    clients
}

pub fn media_path(client: &Client) -> Option<MediaPath> {
    client.look(|state| state.paths.last().copied())
}

#[test]
fn a_whole_meeting_goes_over_tls_if_udp_is_blocked() {
    run(async {
        let server = server().await;
        let clients = meeting_with(&server, backends_over(blocked_path())).await;
        all_receive(&clients, 25).await;
        assert_eq!((media_path(&clients[0]), media_path(&clients[1])), (Some(MediaPath::Udp), Some(MediaPath::Tls)));
        let connected = clients[1].look(|state| state.connected.unwrap()) - clients[1].started;
        println!("connected over TLS after {connected:?}");
        assert!(connected < Duration::from_secs(12), "{connected:?}");
    });
}

#[test]
fn everybody_over_tls_is_a_meeting_too() {
    run(async {
        let server = server().await;
        let organiser = Client::create_with(&server, "organiser", backends_over(blocked_path()));
        organiser.until("the organiser is a member", |state| state.entered.is_some()).await;
        let link = organiser.link();
        let guests =
            (1..3).map(|number| Client::join_with(&link, &format!("guest {number}"), backends_over(blocked_path())));
        let clients: Vec<_> = std::iter::once(organiser).chain(guests).collect();
        for client in &clients {
            client.until("all are members", |state| state.members.len() == 3).await;
        }
        all_receive(&clients, 25).await;
        assert!(clients.iter().all(|client| media_path(client) == Some(MediaPath::Tls)));
    });
}

#[test]
fn media_change_to_udp_when_it_comes_and_to_tls_when_it_dies() {
    run(async {
        let (server, guest_path) = (server().await, blocked_path());
        let clients = meeting_with(&server, backends_over(Arc::clone(&guest_path))).await;
        let guest = &clients[1];
        all_receive(&clients, 25).await;
        clients.iter().for_each(Client::forget_gaps);
        guest_path.block(false);
        guest.until("UDP is preferred", |state| state.paths.last() == Some(&MediaPath::Udp)).await;
        all_receive(&clients, 75).await;
        let gap = |client: &Client| {
            client.look(|state| {
                state.received.values().map(|received| received.longest_silence).max().unwrap_or_default()
            })
        };
        let gaps = [gap(&clients[0]), gap(&clients[1])];
        println!("longest silence at the change to UDP: {gaps:?}");
        assert!(gaps.iter().all(|gap| *gap < Duration::from_millis(1_500)), "make before break: {gaps:?}");
        guest_path.block(true);
        guest.until("the tunnel takes over", |state| state.paths.last() == Some(&MediaPath::Tls)).await;
        let before = |client: &Client, other: &Client| client.look(|state| opened(state, other.camera()));
        let counts = [before(&clients[0], guest), before(guest, &clients[0])];
        all_receive(&clients, counts.into_iter().max().unwrap_or(0) + 25).await;
        println!("longest silence when UDP died: {:?}", [gap(&clients[0]), gap(guest)]);
    });
}

/// Each participant's tunnel and its UDP lead to the thread of its meeting.
#[test]
fn media_change_to_udp_on_a_server_with_several_threads() {
    run(async {
        let config = server::Config::new("127.0.0.1:0".parse().unwrap());
        let server = Server::start(server::Config { media_threads: NonZero::new(4), ..config }).await.unwrap();
        let guest_path = blocked_path();
        let clients = meeting_with(&server, backends_over(Arc::clone(&guest_path))).await;
        all_receive(&clients, 25).await;
        assert_eq!((media_path(&clients[0]), media_path(&clients[1])), (Some(MediaPath::Udp), Some(MediaPath::Tls)));
        guest_path.block(false);
        clients[1].until("UDP is preferred", |state| state.paths.last() == Some(&MediaPath::Udp)).await;
        let counts = [(0, 1), (1, 0)].map(|(to, from)| clients[to].look(|state| opened(state, clients[from].camera())));
        all_receive(&clients, counts.into_iter().max().unwrap_or(0) + 25).await;
    });
}

/// A proxy that accepts only the right user and password.
pub struct TestProxy {
    /// The scheme of its URL.
    scheme: &'static str,
    address: SocketAddr,
    /// The connections to the server, in the order in which they were opened.
    connections: Arc<Mutex<Vec<AbortHandle>>>,
}

impl TestProxy {
    /// Starts a proxy for the HTTP method CONNECT.
    pub async fn start() -> Self {
        Self::start_with("http").await
    }

    /// Starts a SOCKS5 proxy.
    async fn start_socks5() -> Self {
        Self::start_with("socks5").await
    }

    async fn start_with(scheme: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, connections) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<AbortHandle>>>::default());
        let opened = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let server = match scheme {
                    "http" => connect_as_asked(&mut client).await,
                    _ => connect_as_asked_by_socks5(&mut client).await,
                };
                let Some(mut server) = server else { continue };
                let carry = tokio::spawn(async move {
                    // The connection may end with an error.
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
                opened.lock().unwrap().push(carry.abort_handle());
            }
        });
        Self { scheme, address, connections }
    }

    pub fn settings(&self) -> ProxySettings {
        ProxySettings::of(format!("{}://a:b@{}", self.scheme, self.address).parse().unwrap())
    }

    /// Returns how many connections were opened.
    fn opened(&self) -> usize {
        self.connections.lock().unwrap().len()
    }

    /// Ends all connections from the one with the index `first` on.
    pub fn disconnect(&self, first: usize) {
        self.connections.lock().unwrap()[first..].iter().for_each(AbortHandle::abort);
    }
}

/// Answers the request of a client of the proxy. Returns the connection to the server that the client requests.
async fn connect_as_asked(client: &mut TcpStream) -> Option<TcpStream> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    if !head.contains("\r\nProxy-Authorization: Basic YTpi\r\n") {
        let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n";
        client.write_all(refusal).await.unwrap();
        return None;
    }
    assert!(head.starts_with("CONNECT "), "{head}");
    let server = TcpStream::connect(head.split_whitespace().nth(1).unwrap()).await.unwrap();
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
    Some(server)
}

/// Speaks SOCKS5 (RFC 1928) with a client of the proxy, and wants a user and a password (RFC 1929).
async fn connect_as_asked_by_socks5(client: &mut TcpStream) -> Option<TcpStream> {
    let mut greeting = [0; 4];
    client.read_exact(&mut greeting).await.unwrap();
    assert_eq!(greeting, *b"\x05\x02\x00\x02");
    client.write_all(b"\x05\x02").await.unwrap();
    let mut user = [0; 5];
    client.read_exact(&mut user).await.unwrap();
    assert_eq!(user, *b"\x01\x01a\x01b");
    client.write_all(b"\x01\x00").await.unwrap();
    let mut request = [0; 10];
    client.read_exact(&mut request).await.unwrap();
    let [5, 1, 0, 1, a, b, c, d, high, low] = request else { panic!("{request:?}") };
    let server = TcpStream::connect((Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low]))).await.unwrap();
    client.write_all(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00").await.unwrap();
    Some(server)
}

/// Returns a meeting whose guest has no UDP and uses a proxy.
async fn meeting_through(server: &Server, proxy: &TestProxy) -> Vec<Client> {
    let clients = meeting_with(server, Backends { proxy: proxy.settings(), ..backends_over(blocked_path()) }).await;
    all_receive(&clients, 25).await;
    assert_eq!(
        (media_path(&clients[1]), proxy.opened()),
        (Some(MediaPath::Tls), 2),
        "one for messages and one for media"
    );
    clients
}

#[test]
fn a_meeting_goes_through_an_http_proxy() {
    run(async {
        meeting_through(&server().await, &TestProxy::start().await).await;
    });
}

#[test]
fn a_meeting_goes_through_a_socks5_proxy() {
    run(async {
        meeting_through(&server().await, &TestProxy::start_socks5().await).await;
    });
}

#[test]
fn a_meeting_through_a_proxy_goes_on_after_the_proxy_has_lost_all_connections() {
    run(async {
        let (server, proxy) = (server().await, TestProxy::start().await);
        let clients = meeting_through(&server, &proxy).await;
        let lost = Instant::now();
        proxy.disconnect(0);
        clients[1].until("the guest is back", |state| state.reconnected == 1).await;
        receive_more(&clients).await;
        println!("25 more pictures {:?} after the loss", lost.elapsed());
        assert_eq!((media_path(&clients[1]), proxy.opened()), (Some(MediaPath::Tls), 4));
    });
}

#[test]
fn a_lost_tunnel_is_opened_again_without_a_reconnection_of_the_meeting() {
    run(async {
        let (server, proxy) = (server().await, TestProxy::start().await);
        let clients = meeting_through(&server, &proxy).await;
        proxy.disconnect(1);
        go_on(&clients).await;
        assert_eq!((media_path(&clients[1]), proxy.opened()), (Some(MediaPath::Tls), 3));
        assert_eq!(clients[1].look(|state| state.reconnecting), 0);
    });
}

/// Opens a tunnel with this value of `Authorization`. Returns the status of the HTTP answer if the server refuses.
async fn upgrade(server: &Server, authorization: Option<&str>) -> Result<WebSocketStream<Tls>, u16> {
    let tls = connect_tls(another_address(), server.address()).await.unwrap();
    let mut request = format!("wss://{}{TUNNEL_PATH}", server.address()).into_client_request().unwrap();
    if let Some(value) = authorization {
        request.headers_mut().insert("authorization", value.parse().unwrap());
    }
    match client_async(request, tls).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_tunnel_without_a_valid_token_is_refused() {
    run(async {
        let server = server().await;
        let wrong = format!("Bearer {}", "0".repeat(64));
        for value in [None, Some("Bearer "), Some("Basic YTpi"), Some(wrong.as_str()), Some(&"x".repeat(4_000))] {
            assert_eq!(upgrade(&server, value).await.err(), Some(401), "{value:?}");
        }
    });
}

/// The server's answers to a client.
type Answers = Arc<Mutex<Vec<ServerSignal>>>;

/// The native dialect, which also records the server's answers.
struct RecordingDialect {
    native: net::sfu::native::Native,
    answers: Answers,
}

impl net::sfu::Sfu for RecordingDialect {
    fn caps(&self) -> net::sfu::Caps {
        self.native.caps()
    }

    fn handle(&mut self, input: net::sfu::Input, now: Instant) {
        if let net::sfu::Input::Signal(bytes) = &input
            && let Ok(answer @ ServerSignal::Answer { .. }) = proto::decode_signal::<ServerSignal>(bytes)
        {
            self.answers.lock().unwrap().push(answer);
        }
        self.native.handle(input, now);
    }

    fn poll(&mut self) -> Option<net::sfu::Output> {
        self.native.poll()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.native.poll_timeout()
    }
}

/// Returns a client in a meeting, and the value of `Authorization` for its tunnel.
async fn member(server: &Server) -> (Client, String) {
    let (client, answers) = member_with_answers(server).await;
    let answer = answers.lock().unwrap().last().cloned();
    let Some(ServerSignal::Answer { tunnel: Some(token), .. }) = answer else { panic!("no token: {answer:?}") };
    (client, format!("Bearer {token}"))
}

/// Returns a client in a meeting, and the answers of the server to its offers.
pub async fn member_with_answers(server: &Server) -> (Client, Answers) {
    let answers = Answers::default();
    let dialect = RecordingDialect { native: net::sfu::native::Native::default(), answers: Arc::clone(&answers) };
    let client = Client::create_with(server, "member", Backends { sfu: Box::new(dialect), ..Backends::default() });
    client.until("media are connected", |state| state.connected.is_some()).await;
    (client, answers)
}

/// Waits until the server closes the tunnel.
async fn wait_until_closed(mut socket: WebSocketStream<Tls>) {
    let end = async {
        while let Some(Ok(message)) = socket.next().await {
            if message.is_close() {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), end).await.expect("the server closes the tunnel");
}

#[test]
fn junk_huge_lengths_and_unknown_paths_end_the_tunnel_and_nothing_else() {
    run(async {
        let server = server().await;
        let (client, token) = member(&server).await;
        let cut = [&[0, 9][..], b"too few"].concat();
        let large = [&1_501_u16.to_be_bytes()[..], &[0x80; 1_501]].concat();
        for message in [
            Message::binary(vec![0xff; 1_000]),
            Message::binary(cut),
            Message::binary(large),
            Message::binary(Vec::new()),
            Message::binary(vec![0; 20_000]),
            Message::text("quic"),
        ] {
            let mut socket = upgrade(&server, Some(&token)).await.unwrap();
            socket.send(message).await.unwrap();
            wait_until_closed(socket).await;
        }
        client.session.request_totals();
        client.until("the server works", |state| state.totals.is_some()).await;
        assert_eq!(client.look(|state| state.over.clone()), None);
    });
}

#[test]
fn datagrams_of_a_member_that_mean_nothing_are_dropped() {
    run(async {
        let server = server().await;
        let clients = meeting_with(&server, Backends::default()).await;
        let (_client, token) = member(&server).await;
        let mut socket = upgrade(&server, Some(&token)).await.unwrap();
        for first in 0..=255_u8 {
            let datagram = [first; 1_200];
            socket.send(Message::binary([&1_200_u16.to_be_bytes()[..], &datagram].concat())).await.unwrap();
        }
        all_receive(&clients, 25).await;
    });
}

#[test]
fn a_newer_tunnel_of_a_participant_ends_the_one_before() {
    run(async {
        let server = server().await;
        let (_client, token) = member(&server).await;
        let first = upgrade(&server, Some(&token)).await.unwrap();
        let _second = upgrade(&server, Some(&token)).await.unwrap();
        wait_until_closed(first).await;
    });
}

#[test]
fn a_tunnel_that_carries_nothing_is_closed_although_it_sends_pings() {
    run(async {
        let limits = Limits { tunnel_idle: Duration::from_millis(500), ..Limits::for_one_address() };
        let config = server::Config { limits, ..server::Config::new("127.0.0.1:0".parse().unwrap()) };
        let server = Server::start(config).await.unwrap();
        let (_client, token) = member(&server).await;
        let (mut sink, mut source) = upgrade(&server, Some(&token)).await.unwrap().split();
        let pings = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(50));
            while sink.send(Message::Ping(Vec::new().into())).await.is_ok() {
                ticks.tick().await;
            }
        };
        let end = async { while let Some(Ok(_)) = source.next().await {} };
        let ended = async {
            tokio::select! { () = pings => {}, () = end => {} }
        };
        tokio::time::timeout(Duration::from_secs(20), ended).await.expect("the server closes the tunnel");
    });
}

#[test]
fn a_token_of_somebody_who_has_left_opens_no_tunnel() {
    run(async {
        let server = server().await;
        let (client, token) = member(&server).await;
        drop(client);
        let gone = async {
            loop {
                let socket = upgrade(&server, Some(&token)).await.unwrap();
                let (mut sink, mut source) = socket.split();
                sink.send(Message::text("udp")).await.ok();
                let next = tokio::time::timeout(Duration::from_millis(300), source.next()).await;
                if !matches!(next, Err(_) | Ok(Some(Ok(_)))) {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_mins(1), gone).await.expect("it is refused");
    });
}

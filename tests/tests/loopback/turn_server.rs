//! A small TURN server (RFC 8656) over UDP, TCP or TLS, which can also misbehave.

use super::forged::{forged_turn, send_joined};
use ring::hmac;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::Message;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use webrtc::runtime::{AsyncUdpSocket, Runtime, TokioRuntime};

/// How clients reach the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
}

/// What the server does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Answers as RFC 8656 requires.
    Works,
    /// Answers each request with this error.
    Refuses(u16),
    /// Answers without the attribute that proves who answers.
    Unsigned,
    /// Accepts each nonce for one request.
    ChangesNonce,
    /// Answers as RFC 8656 requires, by UDP. Before each authentic answer, somebody sends forged ones.
    Forged,
    /// Answers with bytes that are not TURN.
    Garbage,
    /// Answers no request.
    Silent,
}

/// The server. It ends when it is dropped.
pub struct TurnServer {
    pub address: SocketAddr,
    transport: Transport,
    /// The SHA-256 of its certificate.
    fingerprint: [u8; 32],
    state: Arc<State>,
    tasks: Arc<Mutex<Vec<AbortHandle>>>,
}

struct State {
    behaviour: Behaviour,
    /// How many allocations were made.
    allocations: AtomicUsize,
    /// How many forged answers were sent.
    forged: AtomicUsize,
    /// The seconds for which an allocation is made.
    lifetime: AtomicU32,
    /// The number of the nonce that is accepted.
    nonce: AtomicUsize,
    /// The user names of the requests that were accepted, each once.
    users: Mutex<Vec<String>>,
    tasks: Arc<Mutex<Vec<AbortHandle>>>,
}

/// The allocation of one client.
#[derive(Clone)]
struct Allocation {
    relay: Arc<UdpSocket>,
    channels: Arc<Mutex<HashMap<SocketAddr, u16>>>,
}

pub const SECRET: &[u8] = b"secret of the test";

impl TurnServer {
    pub async fn start(transport: Transport, behaviour: Behaviour) -> Self {
        Self::start_on(Ipv4Addr::LOCALHOST.into(), transport, behaviour).await
    }

    /// Starts a server on an address of this computer.
    pub async fn start_on(ip: IpAddr, transport: Transport, behaviour: Behaviour) -> Self {
        let tasks: Arc<Mutex<Vec<AbortHandle>>> = Arc::default();
        let state = Arc::new(State {
            behaviour,
            allocations: AtomicUsize::new(0),
            forged: AtomicUsize::new(0),
            lifetime: AtomicU32::new(600),
            nonce: AtomicUsize::new(0),
            users: Mutex::default(),
            tasks: Arc::clone(&tasks),
        });
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let chain = vec![certified.cert.der().clone()];
        let fingerprint = ring::digest::digest(&ring::digest::SHA256, &chain[0]).as_ref().try_into().unwrap();
        let serving = Arc::clone(&state);
        let (address, task) = if transport == Transport::Udp {
            let socket = std::net::UdpSocket::bind((ip, 0)).unwrap();
            socket.set_nonblocking(true).unwrap();
            (socket.local_addr().unwrap(), tokio::spawn(serve_udp(socket, serving)))
        } else {
            let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
            let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(chain, key)
                .unwrap();
            let acceptor = (transport == Transport::Tls).then(|| TlsAcceptor::from(Arc::new(config)));
            let listener = TcpListener::bind((ip, 0)).await.unwrap();
            (listener.local_addr().unwrap(), tokio::spawn(serve_tcp(listener, acceptor, serving)))
        };
        tasks.lock().unwrap().push(task.abort_handle());
        Self { address, transport, fingerprint, state, tasks }
    }

    /// Returns the configuration of a Conclave server that names this TURN server.
    pub fn config(&self) -> server::TurnConfig {
        let url = match self.transport {
            Transport::Udp => format!("turn:{}", self.address),
            Transport::Tcp => format!("turn:{}?transport=tcp", self.address),
            Transport::Tls => format!("turns:{}", self.address),
        };
        let fingerprint = (self.transport == Transport::Tls).then_some(self.fingerprint);
        let server = proto::TurnServer { fingerprint, ..proto::TurnServer::parse(&url).unwrap() };
        server::TurnConfig { servers: vec![server], secret: SECRET.to_vec(), validity: Duration::from_hours(12) }
    }

    /// Makes allocations for so many seconds from now on.
    pub fn set_lifetime(&self, seconds: u32) {
        self.state.lifetime.store(seconds, Ordering::Relaxed);
    }

    /// Returns the user names of the requests that were accepted, each once.
    pub fn users(&self) -> Vec<String> {
        self.state.users.lock().unwrap().clone()
    }

    /// Returns how many nonces were used.
    pub fn nonces(&self) -> usize {
        self.state.nonce.load(Ordering::Relaxed)
    }

    pub fn allocations(&self) -> usize {
        self.state.allocations.load(Ordering::Relaxed)
    }

    pub fn forged(&self) -> usize {
        self.state.forged.load(Ordering::Relaxed)
    }

    /// Ends all connections and allocations. The port is closed then.
    pub fn stop(&self) {
        self.tasks.lock().unwrap().drain(..).for_each(|task| task.abort());
    }
}

impl Drop for TurnServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Sends the forged variants of an authentic answer.
async fn forge(socket: &dyn AsyncUdpSocket, client: SocketAddr, answer: &[u8], state: &State) {
    let (variants, ignored) = forged_turn(answer);
    for variant in variants {
        if variant.len() == ignored.len() {
            send_joined(socket, client, &[ignored.clone(), variant.clone()]).await;
        }
        send_joined(socket, client, &[variant]).await;
        state.forged.fetch_add(1, Ordering::Relaxed);
    }
}

async fn serve_udp(socket: std::net::UdpSocket, state: Arc<State>) {
    let batches = TokioRuntime.wrap_udp_socket(socket.try_clone().unwrap()).unwrap();
    let socket = Arc::new(UdpSocket::from_std(socket).unwrap());
    let (mut clients, mut buffer) = (HashMap::<SocketAddr, Session>::new(), [0; 2_048]);
    while let Ok((length, source)) = socket.recv_from(&mut buffer).await {
        let session = clients.entry(source).or_insert_with(|| {
            let (replies, mut queue) = mpsc::channel::<Vec<u8>>(1_024);
            let (socket, batches, forging) = (Arc::clone(&socket), Arc::clone(&batches), Arc::clone(&state));
            let send = tokio::spawn(async move {
                while let Some(reply) = queue.recv().await {
                    // A success response.
                    if forging.behaviour == Behaviour::Forged && reply[0] == 1 && reply[1] & 0x10 == 0 {
                        forge(&*batches, source, &reply, &forging).await;
                    }
                    let _ = socket.send_to(&reply, source).await;
                }
            });
            state.tasks.lock().unwrap().push(send.abort_handle());
            Session { state: Arc::clone(&state), client: source, replies, allocation: None }
        });
        session.handle(&buffer[..length]).await;
    }
}

async fn serve_tcp(listener: TcpListener, acceptor: Option<TlsAcceptor>, state: Arc<State>) {
    while let Ok((tcp, source)) = listener.accept().await {
        let (serving, acceptor) = (Arc::clone(&state), acceptor.clone());
        let task = tokio::spawn(async move {
            match acceptor {
                Some(acceptor) => serve_stream(acceptor.accept(tcp).await.unwrap(), source, serving).await,
                None => serve_stream(tcp, source, serving).await,
            }
        });
        state.tasks.lock().unwrap().push(task.abort_handle());
    }
}

async fn serve_stream(stream: impl AsyncRead + AsyncWrite + Send + 'static, client: SocketAddr, state: Arc<State>) {
    let (mut reader, mut writer) = split(stream);
    let (replies, mut queue) = mpsc::channel::<Vec<u8>>(1_024);
    let mut session = Session { state, client, replies, allocation: None };
    let write = async {
        while let Some(reply) = queue.recv().await {
            let mut padded = reply.clone();
            padded.resize(reply.len().next_multiple_of(4), 0);
            writer.write_all(&padded).await.unwrap();
            writer.flush().await.unwrap();
        }
    };
    let read = async {
        let (mut frames, mut bytes) = (net::TurnMessageDecoder::default(), [0; 4_096]);
        while let Ok(length @ 1..) = reader.read(&mut bytes).await {
            let mut messages = Vec::new();
            frames.push(&bytes[..length], |frame| messages.push(frame.to_vec())).unwrap();
            for message in messages {
                session.handle(&message).await;
            }
        }
    };
    tokio::select! { () = write => {}, () = read => {} }
}

struct Session {
    state: Arc<State>,
    client: SocketAddr,
    replies: mpsc::Sender<Vec<u8>>,
    allocation: Option<Allocation>,
}

impl Session {
    async fn handle(&mut self, message: &[u8]) {
        let behaviour = self.state.behaviour;
        if behaviour == Behaviour::Silent {
            return;
        }
        if behaviour == Behaviour::Garbage {
            let _ = self.replies.send([&[0x40, 0, 0, 9][..], b"garbage", &message[..4]].concat()).await;
            let _ = self.replies.send(vec![0xff; 60]).await;
            return;
        }
        if message[0] >= 0x40 {
            return self.relay_channel_data(message).await;
        }
        let kind = u16::from_be_bytes([message[0], message[1]]);
        let attribute = |kind: u16| attributes(message).find(|(other, _)| *other == kind).map(|(_, value)| value);
        if kind == SEND {
            if let (Some(allocation), Some(peer), Some(data)) = (&self.allocation, attribute(PEER), attribute(DATA)) {
                let _ = allocation.relay.send_to(data, address(peer, &message[8..20])).await;
            }
            return;
        }
        if let Behaviour::Refuses(code) = self.state.behaviour {
            return self.reply_error(message, code).await;
        }
        let Some(key) = key_of(message) else { return self.reply_error(message, 401).await };
        if attribute(NONCE) != Some(self.nonce().as_bytes()) {
            return self.reply_error(message, 438).await;
        }
        if self.state.behaviour == Behaviour::ChangesNonce {
            self.state.nonce.fetch_add(1, Ordering::Relaxed);
        }
        let user = String::from_utf8(attribute(USERNAME).unwrap().to_vec()).unwrap();
        self.add_user(user);
        let mut reply = Vec::new();
        match kind {
            ALLOCATE => {
                let relay = self.allocate(attribute(FAMILY) == Some(&[2, 0, 0, 0])).await;
                push(&mut reply, RELAYED, &xor_address(relay, &message[8..20]));
                push(&mut reply, MAPPED, &xor_address(self.client, &message[8..20]));
                push(&mut reply, LIFETIME, &self.state.lifetime.load(Ordering::Relaxed).to_be_bytes());
            }
            REFRESH => push(&mut reply, LIFETIME, &self.state.lifetime.load(Ordering::Relaxed).to_be_bytes()),
            CHANNEL_BIND => {
                let (channel, peer) = (attribute(CHANNEL).unwrap(), attribute(PEER).unwrap());
                let channel = u16::from_be_bytes([channel[0], channel[1]]);
                self.allocation
                    .as_ref()
                    .unwrap()
                    .channels
                    .lock()
                    .unwrap()
                    .insert(address(peer, &message[8..20]), channel);
            }
            PERMISSION => {}
            other => panic!("a request of the type {other:#x}"),
        }
        let key = Some(key).filter(|_| self.state.behaviour != Behaviour::Unsigned);
        self.reply(message, kind | 0x0100, &reply, key.as_deref()).await;
    }

    fn add_user(&self, user: String) {
        let mut users = self.state.users.lock().unwrap();
        if !users.contains(&user) {
            users.push(user);
        }
    }

    fn nonce(&self) -> String {
        format!("nonce {}", self.state.nonce.load(Ordering::Relaxed))
    }

    /// Without REQUESTED-ADDRESS-FAMILY, a relayed address is of IPv4 (RFC 8656, section 7.2).
    async fn allocate(&mut self, is_ipv6: bool) -> SocketAddr {
        self.state.allocations.fetch_add(1, Ordering::Relaxed);
        let ip: IpAddr = if is_ipv6 { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() };
        let relay = Arc::new(UdpSocket::bind((ip, 0)).await.unwrap());
        let address = relay.local_addr().unwrap();
        let allocation = Allocation { relay, channels: Arc::default() };
        let (of_client, replies) = (allocation.clone(), self.replies.clone());
        let task = tokio::spawn(async move {
            let mut buffer = [0; 2_048];
            while let Ok((length, peer)) = of_client.relay.recv_from(&mut buffer).await {
                let data = &buffer[..length];
                let channel = of_client.channels.lock().unwrap().get(&peer).copied();
                let message = if let Some(channel) = channel {
                    [&channel.to_be_bytes()[..], &length_of(data), data].concat()
                } else {
                    let mut body = Vec::new();
                    push(&mut body, PEER, &xor_address(peer, &[5; 12]));
                    push(&mut body, DATA, data);
                    [&[0, 0x17][..], &length_of(&body), &COOKIE, &[5; 12], &body].concat()
                };
                let _ = replies.try_send(message);
            }
        });
        self.state.tasks.lock().unwrap().push(task.abort_handle());
        self.allocation = Some(allocation);
        address
    }

    async fn relay_channel_data(&self, message: &[u8]) {
        let (channel, length) =
            (u16::from_be_bytes([message[0], message[1]]), u16::from_be_bytes([message[2], message[3]]));
        let Some(allocation) = &self.allocation else { return };
        let peer =
            allocation.channels.lock().unwrap().iter().find(|(_, other)| **other == channel).map(|(peer, _)| *peer);
        if let Some(peer) = peer {
            let _ = allocation.relay.send_to(&message[4..4 + usize::from(length)], peer).await;
        }
    }

    async fn reply_error(&self, request: &[u8], code: u16) {
        let mut body = Vec::new();
        push(&mut body, ERROR, &[0, 0, u8::try_from(code / 100).unwrap(), u8::try_from(code % 100).unwrap()]);
        push(&mut body, REALM, b"test");
        push(&mut body, NONCE, self.nonce().as_bytes());
        let kind = u16::from_be_bytes([request[0], request[1]]);
        // A refusal has the attribute, if the request was authentic, and a question for credentials has none.
        let key = key_of(request).filter(|_| ![401, 438].contains(&code));
        self.reply(request, kind | 0x0110, &body, key.as_deref()).await;
    }

    async fn reply(&self, request: &[u8], kind: u16, body: &[u8], key: Option<&[u8]>) {
        let mut reply = [&kind.to_be_bytes()[..], &length_of(body), &COOKIE, &request[8..20], body].concat();
        if let Some(key) = key {
            let length = u16::try_from(body.len() + 24).unwrap();
            reply[2..4].copy_from_slice(&length.to_be_bytes());
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key), &reply);
            push(&mut reply, INTEGRITY, tag.as_ref());
        }
        let _ = self.replies.send(reply).await;
    }
}

/// Returns the key of a request whose credentials the secret has made, and which are still valid.
fn key_of(request: &[u8]) -> Option<Vec<u8>> {
    let (_, username) = attributes(request).find(|(kind, _)| *kind == USERNAME)?;
    let username = std::str::from_utf8(username).unwrap();
    let end: u64 = username.split_once(':').unwrap().0.parse().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, SECRET);
    let password = base64(hmac::sign(&key, username.as_bytes()).as_ref());
    let provider = rtc::crypto::default_provider().unwrap();
    let key = MessageIntegrity::long_term_integrity_key(username.into(), "test".into(), password, provider.crypto());
    let key = key.unwrap();
    let mut message = Message::new();
    message.raw = request.to_vec();
    message.decode().unwrap();
    (end > now && MessageIntegrity::check(&mut message, &key, provider.crypto()).is_ok()).then_some(key)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = |chunk: &[u8]| {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        let digit = |index: usize| char::from(DIGITS[(word >> (18 - 6 * index)) as usize & 63]);
        (0..4).map(|index| if index <= chunk.len() { digit(index) } else { '=' }).collect::<String>()
    };
    bytes.chunks(3).map(digits).collect()
}

/// Returns type and value of each attribute.
fn attributes(message: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = &message[20..];
    std::iter::from_fn(move || {
        let [a, b, c, d, ..] = rest else { return None };
        let length = usize::from(u16::from_be_bytes([*c, *d]));
        let value = &rest[4..4 + length];
        rest = rest.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_be_bytes([*a, *b]), value))
    })
}

fn push(body: &mut Vec<u8>, kind: u16, value: &[u8]) {
    body.extend(attribute(kind, value));
}

/// Returns an attribute of a message.
pub fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut attribute = [&kind.to_be_bytes()[..], &length_of(value), value].concat();
    attribute.resize(attribute.len().next_multiple_of(4), 0);
    attribute
}

pub fn length_of(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).unwrap().to_be_bytes()
}

/// Returns an address as an attribute of a message with this transaction (RFC 8489, section 14.2).
fn xor_address(address: SocketAddr, id: &[u8]) -> Vec<u8> {
    let port = (address.port() ^ 0x2112).to_be_bytes();
    let (family, ip) = match address.ip() {
        IpAddr::V4(ip) => (1, ip.octets().to_vec()),
        IpAddr::V6(ip) => (2, ip.octets().to_vec()),
    };
    [vec![0, family], port.to_vec(), xor(&ip, id)].concat()
}

fn address(value: &[u8], id: &[u8]) -> SocketAddr {
    let port = u16::from_be_bytes([value[2], value[3]]) ^ 0x2112;
    let ip = xor(&value[4..], id);
    let ip: IpAddr = match <[u8; 4]>::try_from(ip.as_slice()) {
        Ok(octets) => octets.into(),
        Err(_) => <[u8; 16]>::try_from(ip.as_slice()).unwrap().into(),
    };
    SocketAddr::new(ip, port)
}

fn xor(bytes: &[u8], id: &[u8]) -> Vec<u8> {
    bytes.iter().zip(COOKIE.iter().chain(id)).map(|(byte, mask)| byte ^ mask).collect()
}

const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const ALLOCATE: u16 = 3;
const REFRESH: u16 = 4;
const PERMISSION: u16 = 8;
const CHANNEL_BIND: u16 = 9;
const SEND: u16 = 0x16;
const USERNAME: u16 = 6;
const INTEGRITY: u16 = 8;
const ERROR: u16 = 9;
const CHANNEL: u16 = 0xc;
const LIFETIME: u16 = 0xd;
const PEER: u16 = 0x12;
const DATA: u16 = 0x13;
const REALM: u16 = 0x14;
const NONCE: u16 = 0x15;
const FAMILY: u16 = 0x17;
const RELAYED: u16 = 0x16;
const MAPPED: u16 = 0x20;

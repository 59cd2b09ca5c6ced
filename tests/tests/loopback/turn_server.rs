//! A small TURN server (RFC 8656) over UDP, TCP or TLS, which can also misbehave.

use ring::hmac;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::Message;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

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
        let tasks: Arc<Mutex<Vec<AbortHandle>>> = Arc::default();
        let state = Arc::new(State { behaviour, allocations: AtomicUsize::new(0), tasks: Arc::clone(&tasks) });
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let chain = vec![certified.cert.der().clone()];
        let fingerprint = ring::digest::digest(&ring::digest::SHA256, &chain[0]).as_ref().try_into().unwrap();
        let serving = Arc::clone(&state);
        let (address, task) = if transport == Transport::Udp {
            let socket = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap());
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
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
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
        server::TurnConfig { servers: vec![server], secret: SECRET.to_vec() }
    }

    pub fn allocations(&self) -> usize {
        self.state.allocations.load(Ordering::Relaxed)
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

async fn serve_udp(socket: Arc<UdpSocket>, state: Arc<State>) {
    let (mut clients, mut buffer) = (HashMap::<SocketAddr, Session>::new(), [0; 2_048]);
    while let Ok((length, source)) = socket.recv_from(&mut buffer).await {
        let session = clients.entry(source).or_insert_with(|| {
            let (replies, mut queue) = mpsc::channel::<Vec<u8>>(1_024);
            let socket = Arc::clone(&socket);
            let send = tokio::spawn(async move {
                while let Some(reply) = queue.recv().await {
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
        match self.state.behaviour {
            Behaviour::Silent => return,
            Behaviour::Garbage => {
                let _ = self.replies.send([&[0x40, 0, 0, 9][..], b"garbage", &message[..4]].concat()).await;
                let _ = self.replies.send(vec![0xff; 60]).await;
                return;
            }
            Behaviour::Works | Behaviour::Refuses(_) => {}
        }
        if message[0] >= 0x40 {
            return self.relay_channel_data(message).await;
        }
        let kind = u16::from_be_bytes([message[0], message[1]]);
        let attribute = |kind: u16| attributes(message).find(|(other, _)| *other == kind).map(|(_, value)| value);
        if kind == SEND {
            if let (Some(allocation), Some(peer), Some(data)) = (&self.allocation, attribute(PEER), attribute(DATA)) {
                let _ = allocation.relay.send_to(data, address(peer)).await;
            }
            return;
        }
        if let Behaviour::Refuses(code) = self.state.behaviour {
            return self.reply_error(message, code).await;
        }
        if !is_authentic(message) {
            return self.reply_error(message, 401).await;
        }
        let mut reply = Vec::new();
        match kind {
            ALLOCATE => {
                let relay = self.allocate().await;
                push(&mut reply, RELAYED, &xor_address(relay));
                push(&mut reply, MAPPED, &xor_address(self.client));
                push(&mut reply, LIFETIME, &600_u32.to_be_bytes());
            }
            REFRESH => push(&mut reply, LIFETIME, &600_u32.to_be_bytes()),
            CHANNEL_BIND => {
                let (channel, peer) = (attribute(CHANNEL).unwrap(), attribute(PEER).unwrap());
                let channel = u16::from_be_bytes([channel[0], channel[1]]);
                self.allocation.as_ref().unwrap().channels.lock().unwrap().insert(address(peer), channel);
            }
            PERMISSION => {}
            other => panic!("a request of the type {other:#x}"),
        }
        self.reply(message, kind | 0x0100, &reply).await;
    }

    async fn allocate(&mut self) -> SocketAddr {
        self.state.allocations.fetch_add(1, Ordering::Relaxed);
        let relay = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap());
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
                    push(&mut body, PEER, &xor_address(peer));
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
        push(&mut body, NONCE, b"nonce");
        let kind = u16::from_be_bytes([request[0], request[1]]);
        self.reply(request, kind | 0x0110, &body).await;
    }

    async fn reply(&self, request: &[u8], kind: u16, body: &[u8]) {
        let reply = [&kind.to_be_bytes()[..], &length_of(body), &COOKIE, &request[8..20], body].concat();
        let _ = self.replies.send(reply).await;
    }
}

/// Returns whether a request has credentials that the secret has made, which are still valid.
fn is_authentic(request: &[u8]) -> bool {
    let Some((_, username)) = attributes(request).find(|(kind, _)| *kind == USERNAME) else { return false };
    let username = std::str::from_utf8(username).unwrap();
    let end: u64 = username.split_once(':').unwrap().0.parse().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, SECRET);
    let password = base64(hmac::sign(&key, username.as_bytes()).as_ref());
    let provider = rtc::crypto::default_provider().unwrap();
    let key = MessageIntegrity::long_term_integrity_key(username.into(), "test".into(), password, provider.crypto());
    let mut message = Message::new();
    message.raw = request.to_vec();
    message.decode().unwrap();
    end > now && MessageIntegrity::check(&mut message, &key.unwrap(), provider.crypto()).is_ok()
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
    body.extend(kind.to_be_bytes());
    body.extend(length_of(value));
    body.extend(value);
    body.resize(body.len().next_multiple_of(4), 0);
}

fn length_of(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).unwrap().to_be_bytes()
}

fn xor_address(address: SocketAddr) -> [u8; 8] {
    let SocketAddr::V4(address) = address else { panic!("IPv4 only") };
    let port = (address.port() ^ 0x2112).to_be_bytes();
    let ip = (address.ip().to_bits() ^ u32::from_be_bytes(COOKIE)).to_be_bytes();
    [0, 1, port[0], port[1], ip[0], ip[1], ip[2], ip[3]]
}

fn address(xor: &[u8]) -> SocketAddr {
    let port = u16::from_be_bytes([xor[2], xor[3]]) ^ 0x2112;
    let ip = u32::from_be_bytes([xor[4], xor[5], xor[6], xor[7]]) ^ u32::from_be_bytes(COOKIE);
    SocketAddr::from((Ipv4Addr::from_bits(ip), port))
}

const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const ALLOCATE: u16 = 3;
const REFRESH: u16 = 4;
const PERMISSION: u16 = 8;
const CHANNEL_BIND: u16 = 9;
const SEND: u16 = 0x16;
const USERNAME: u16 = 6;
const ERROR: u16 = 9;
const CHANNEL: u16 = 0xc;
const LIFETIME: u16 = 0xd;
const PEER: u16 = 0x12;
const DATA: u16 = 0x13;
const REALM: u16 = 0x14;
const NONCE: u16 = 0x15;
const RELAYED: u16 = 0x16;
const MAPPED: u16 = 0x20;

//! A connection on which the attack sends what it chooses. It accepts every certificate.

use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt};
use proto::{Down, ParticipantId, Problem, ServerMessage, Up, VERSION};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// A TLS connection.
pub type Tls = TlsStream<TcpStream>;

/// A WebSocket connection to a server.
pub struct Wire {
    /// The participant id from the server's `Hello`; `None` before.
    pub me: Option<ParticipantId>,
    socket: WebSocketStream<Tls>,
}

/// What a connection received.
#[derive(Debug)]
pub enum Received {
    /// A message.
    Message(ServerMessage),
    /// The other end has closed the connection.
    Closed,
    /// Nothing, in the given time.
    Nothing,
}

/// Returns an address of this machine that is not used yet. An attacker with many addresses is not restricted by the quotas
/// of one address.
pub fn another_address() -> IpAddr {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed) % 0x00_fe_00_00;
    let [_, high, middle, low] = number.to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(127, high + 1, middle, low))
}

/// Connects by TCP from an address of this machine.
///
/// # Errors
/// Returns the system's error.
pub async fn connect_tcp(from: IpAddr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from, 0))?;
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Connects by TLS from an address of this machine.
///
/// # Errors
/// Returns an error if the server does not accept the connection.
pub async fn connect_tls(from: IpAddr, to: SocketAddr) -> Result<Tls> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AcceptAny))
        .with_no_client_auth();
    let tcp = connect_tcp(from, to).await.context("no TCP connection")?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::from(to.ip()), tcp).await.context("no TLS")
}

impl Wire {
    /// Opens a connection that has sent nothing.
    ///
    /// # Errors
    /// Returns an error if the server does not accept it.
    pub async fn connect(from: IpAddr, to: SocketAddr) -> Result<Self> {
        let opened = async {
            let tls = connect_tls(from, to).await?;
            anyhow::Ok(tokio_tungstenite::client_async(format!("wss://{to}/v1"), tls).await.context("no WebSocket")?.0)
        };
        let socket = tokio::time::timeout(CONNECT_TIMEOUT, opened).await.context("the server does not answer")??;
        Ok(Self { me: None, socket })
    }

    /// Opens a connection and greets the server.
    ///
    /// # Errors
    /// Returns an error if the server does not accept it, or does not greet.
    pub async fn greeted(from: IpAddr, to: SocketAddr) -> Result<Self> {
        let mut wire = Self::connect(from, to).await?;
        wire.send(&Up::Hello { version: VERSION }).await;
        let greeting = |message: &Down| matches!(message, Down::Hello { .. });
        wire.wait_for(CONNECT_TIMEOUT, greeting).await.context("the server does not greet")?;
        Ok(wire)
    }

    /// Sends a message of meeting control. If that fails, the next [`Self::next`] returns [`Received::Closed`].
    pub async fn send(&mut self, message: &Up) {
        self.send_bytes(proto::encode(message)).await;
    }

    /// Sends bytes as one message. Failures are as for [`Self::send`].
    pub async fn send_bytes(&mut self, bytes: Vec<u8>) {
        let _ = tokio::time::timeout(CONNECT_TIMEOUT, self.socket.send(Message::Binary(bytes.into()))).await;
    }

    /// Sends a WebSocket frame. Returns false if the connection is closed or full.
    pub async fn send_raw(&mut self, message: Message) -> bool {
        matches!(tokio::time::timeout(CONNECT_TIMEOUT, self.socket.send(message)).await, Ok(Ok(())))
    }

    /// Returns the next message that arrives until `deadline`. Skips WebSocket control frames.
    pub async fn next(&mut self, deadline: Instant) -> Received {
        loop {
            match timeout_at(deadline, self.socket.next()).await {
                Err(_) => return Received::Nothing,
                Ok(Some(Ok(Message::Binary(bytes)))) => {
                    let Ok(message) = proto::decode::<ServerMessage>(&bytes) else { continue };
                    if let ServerMessage::Meeting(Down::Hello { participant, .. }) = message {
                        self.me = Some(participant);
                    }
                    return Received::Message(message);
                }
                Ok(None | Some(Err(_) | Ok(Message::Close(_)))) => return Received::Closed,
                Ok(Some(Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_)))) => {}
            }
        }
    }

    /// Waits for a message that is `wanted`, for at most `limit`. Skips others. Answers no ping.
    pub async fn wait_for(&mut self, limit: Duration, wanted: impl Fn(&Down) -> bool) -> Option<Down> {
        let deadline = Instant::now() + limit;
        loop {
            match self.next(deadline).await {
                Received::Message(ServerMessage::Meeting(message)) if wanted(&message) => return Some(message),
                Received::Message(_) => {}
                Received::Closed | Received::Nothing => return None,
            }
        }
    }

    /// Returns the server's answers to the last message: the messages until it closes the connection, or until `limit`.
    /// True if it has closed the connection.
    pub async fn answers(&mut self, limit: Duration) -> (Vec<ServerMessage>, bool) {
        let (deadline, mut messages) = (Instant::now() + limit, Vec::new());
        loop {
            match self.next(deadline).await {
                Received::Message(ServerMessage::Meeting(Down::Ping)) => {}
                Received::Message(message) => {
                    // Nothing but the end of the connection follows.
                    let ends = matches!(message, ServerMessage::Meeting(Down::Problem { .. } | Down::Refused { .. }));
                    messages.push(message);
                    if ends {
                        return (messages, true);
                    }
                }
                Received::Closed => return (messages, true),
                Received::Nothing => return (messages, false),
            }
        }
    }
}

/// Returns the problem among the server's answers.
pub fn problem(answers: &[ServerMessage]) -> Option<Problem> {
    answers.iter().find_map(|message| match message {
        ServerMessage::Meeting(Down::Problem { problem }) => Some(*problem),
        ServerMessage::Meeting(_) | ServerMessage::Sfu(_) => None,
    })
}

/// Accepts any certificate.
#[derive(Debug)]
struct AcceptAny;

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// How long a step of opening a connection, and one message, may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

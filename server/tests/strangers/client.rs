//! A client that accepts every certificate, connects from a chosen address, and sends single messages.

use futures_util::{SinkExt, StreamExt};
use proto::{Blob, Down, ManagerCommand, MeetingId, ParticipantId, ServerMessage, Up, VERSION, Welcome};
use ring::signature::{Ed25519KeyPair, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// How long one step may take.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// The address that most clients connect from.
pub const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Another address of the same machine.
pub const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// A client's connection.
pub struct Client {
    pub id: ParticipantId,
    pub socket: WebSocketStream<TlsStream<TcpStream>>,
}

/// Connects by TCP from an address of this machine.
pub async fn connect_tcp(from: IpAddr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from, 0))?;
    socket.connect(to).await
}

impl Client {
    /// Opens a connection that has sent nothing. Returns `None` if the server closes it.
    pub async fn connect(from: IpAddr, to: SocketAddr) -> Option<Self> {
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("rustls supports its default versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AcceptAny))
            .with_no_client_auth();
        let tcp = connect_tcp(from, to).await.ok()?;
        let tls = TlsConnector::from(Arc::new(config)).connect(ServerName::from(to.ip()), tcp).await.ok()?;
        let (socket, _) = tokio_tungstenite::client_async("wss://localhost/v1", tls).await.ok()?;
        Some(Self { id: ParticipantId(0), socket })
    }

    /// Opens a connection, and greets the server.
    pub async fn greeted(from: IpAddr, to: SocketAddr) -> Self {
        let mut client = Self::connect(from, to).await.expect("a place at the server");
        client.send(&Up::Hello { version: VERSION }).await;
        if let Some(Down::Hello { participant, .. }) = client.next().await {
            client.id = participant;
        }
        client
    }

    /// Sends a message. If that fails, the next [`Client::next`] returns `None`.
    pub async fn send(&mut self, message: &Up) {
        let _ = self.socket.send(Message::Binary(proto::encode(message).into())).await;
    }

    /// Returns the next meeting message, or `None` if the connection ends. Answers no ping.
    pub async fn next(&mut self) -> Option<Down> {
        let next = async {
            loop {
                match self.socket.next().await?.ok()? {
                    Message::Binary(bytes) => match proto::decode(&bytes).expect("a message of the protocol") {
                        ServerMessage::Meeting(Down::Ping) | ServerMessage::Sfu(_) => {}
                        ServerMessage::Meeting(message) => return Some(message),
                    },
                    Message::Close(_) => return None,
                    Message::Text(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                }
            }
        };
        timeout(TIMEOUT, next).await.expect("the server sends a message or closes in time")
    }

    /// Waits for a message that is `wanted`. Returns false if the connection ends before.
    pub async fn receives(&mut self, wanted: impl Fn(&Down) -> bool) -> bool {
        while let Some(message) = self.next().await {
            if wanted(&message) {
                return true;
            }
        }
        false
    }
}

pub fn meeting(number: u8) -> MeetingId {
    MeetingId([number; 16])
}

pub fn create(number: u8) -> Up {
    let authority = authority().public_key().as_ref().try_into().expect("32 bytes");
    Up::Create { meeting: meeting(number), admission_key: Blob(vec![1; 32]), authority }
}

/// Returns a command of a manager of meeting 1.
pub fn signed(sender: ParticipantId, counter: u64, command: &ManagerCommand, welcomes: Vec<Welcome>) -> Up {
    let command = Blob(proto::encode(command));
    let message = proto::signed::command(meeting(1), sender, counter, &command.0);
    let signature = authority().sign(&message).as_ref().try_into().expect("64 bytes");
    Up::Manage { counter, command, signature, welcomes }
}

/// Returns the authority of all meetings.
fn authority() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[1; 32]).expect("any 32 bytes are a seed")
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
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

//! A server for one test, and clients that speak its protocol by hand.

use futures_util::{SinkExt, StreamExt};
use proto::{
    Blob, ClientSignal, Down, Epoch, FromSfu, MeetingId, ParticipantId, ServerMessage, ServerSignal, ToSfu, Up,
    VERSION, Welcome,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use server::{Config, Limits, Server};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running server with a certificate of its own.
pub struct Place {
    pub server: Server,
    connector: TlsConnector,
    folder: PathBuf,
}

/// A connection to it.
pub struct Caller {
    pub id: ParticipantId,
    socket: WebSocketStream<TlsStream<TcpStream>>,
}

impl Place {
    pub async fn open(limits: Limits) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("conclave-server-{}-{number}", std::process::id()));
        let listen = "127.0.0.1:0".parse().expect("an address");
        let config = Config { data: Some(folder.clone()), limits, ..Config::new(listen) };
        let server = Server::start(config).await.expect("it starts");
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_file(folder.join("certificate.pem")).expect("its certificate");
        roots.add(certificate).expect("a certificate");
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the usual versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { server, connector: TlsConnector::from(Arc::new(config)), folder }
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub async fn close(self) {
        self.server.stop(Duration::from_secs(3)).await;
        let _ = std::fs::remove_dir_all(self.folder);
    }

    async fn secure(&self) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.address()).await.expect("listening");
        let name = ServerName::try_from("localhost").expect("a name");
        self.connector.connect(name, stream).await.expect("its own certificate")
    }

    /// A connection that has said nothing.
    pub async fn connect(&self) -> Caller {
        let opened = tokio_tungstenite::client_async("wss://localhost/v1", self.secure().await).await;
        Caller { id: ParticipantId(0), socket: opened.expect("a WebSocket").0 }
    }

    /// Whether no WebSocket is served at `path`.
    pub async fn refuses(&self, path: &str) -> bool {
        tokio_tungstenite::client_async(format!("wss://localhost{path}"), self.secure().await).await.is_err()
    }

    /// Anna, who has opened meeting 1, and Ben, whom she let in.
    pub async fn pair(&self) -> (Caller, Caller) {
        let mut anna = self.connect().await;
        anna.greet().await;
        anna.say(&create(1)).await;
        anna.hear(|message| *message == Down::Created).await;
        let ben = self.guest(&mut anna, 0).await;
        (anna, ben)
    }

    /// Somebody whom `host` lets in by the commit that ends `epoch`.
    pub async fn guest(&self, host: &mut Caller, epoch: u64) -> Caller {
        let mut guest = self.connect().await;
        guest.greet().await;
        guest.say(&Up::Approach { meeting: meeting(1) }).await;
        guest.hear(|message| matches!(message, Down::AdmissionKey { .. })).await;
        guest.say(&knock(1)).await;
        host.hear(|message| matches!(message, Down::Knocked { .. })).await;
        host.say(&commit(epoch, &[guest.id])).await;
        guest.hear(|message| matches!(message, Down::Admitted { .. })).await;
        host.hear(|message| matches!(message, Down::Log { .. })).await;
        guest
    }
}

impl Caller {
    pub async fn greet(&mut self) {
        self.say(&Up::Hello { version: VERSION }).await;
        let hello = self.hear(|message| matches!(message, Down::Hello { .. })).await;
        if let Down::Hello { participant, .. } = hello {
            self.id = participant;
        }
    }

    pub async fn say(&mut self, message: &Up) {
        self.send(proto::encode(message)).await;
    }

    /// Sends something to the SFU.
    pub async fn signal(&mut self, signal: &ClientSignal) {
        self.ask(&ToSfu::Signal(Blob(proto::encode(signal)))).await;
    }

    /// Sends something for the SFU.
    pub async fn ask(&mut self, message: &ToSfu) {
        self.send(proto::encode(message)).await;
    }

    /// Sends bytes. An error shows when something is expected back.
    pub async fn send(&mut self, bytes: Vec<u8>) {
        let _ = timeout(PATIENCE, self.socket.send(Message::Binary(bytes.into()))).await.expect("taken");
    }

    /// The next message that is `wanted`; others are passed over, pings are answered.
    pub async fn hear(&mut self, wanted: impl Fn(&Down) -> bool) -> Down {
        self.find(|message| match message {
            ServerMessage::Meeting(message) if wanted(&message) => Some(message),
            ServerMessage::Meeting(_) | ServerMessage::Sfu(_) => None,
        })
        .await
    }

    /// The next message for which `found` returns something; others are skipped.
    pub async fn find<T>(&mut self, found: impl Fn(ServerMessage) -> Option<T>) -> T {
        let heard = async {
            loop {
                let message = self.next().await.expect("the connection lives");
                if let Some(found) = found(message) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, heard).await.expect("in time")
    }

    /// The next message, if it comes so soon.
    pub async fn next_within(&mut self, patience: Duration) -> Option<ServerMessage> {
        timeout(patience, self.next()).await.ok()?
    }

    /// Whether the server ends the connection.
    pub async fn ended(&mut self) -> bool {
        timeout(PATIENCE, async { while self.next().await.is_some() {} }).await.is_ok()
    }

    async fn next(&mut self) -> Option<ServerMessage> {
        loop {
            match self.socket.next().await?.ok()? {
                Message::Binary(bytes) => {
                    let message = proto::decode(&bytes).expect("a message of the protocol");
                    if message != ServerMessage::Meeting(Down::Ping) {
                        return Some(message);
                    }
                    self.say(&Up::Pong).await;
                }
                Message::Close(_) => return None,
                Message::Text(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }
}

/// The signal in `message`, if it holds one.
pub fn signal(message: ServerMessage) -> Option<ServerSignal> {
    match message {
        ServerMessage::Sfu(FromSfu::Signal(bytes)) => proto::decode_signal(&bytes.0).ok(),
        ServerMessage::Sfu(FromSfu::Totals { .. }) | ServerMessage::Meeting(_) => None,
    }
}

pub fn meeting(number: u8) -> MeetingId {
    MeetingId([number; 16])
}

pub fn create(number: u8) -> Up {
    Up::Create { meeting: meeting(number), admission_key: Blob(vec![1; 32]) }
}

pub fn knock(number: u8) -> Up {
    Up::Knock { meeting: meeting(number), request: Blob(vec![2; 100]) }
}

pub fn commit(epoch: u64, admit: &[ParticipantId]) -> Up {
    let welcomes =
        if admit.is_empty() { vec![] } else { vec![Welcome { to: admit.to_vec(), blob: Blob(vec![3; 50]) }] };
    Up::Commit { epoch: Epoch(epoch), blob: Blob(vec![4; 50]), welcomes, removed: vec![] }
}

pub fn tell(epoch: u64, length: usize) -> Up {
    Up::Tell { epoch: Epoch(epoch), blob: Blob(vec![5; length]) }
}

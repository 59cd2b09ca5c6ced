//! A server for one test, and connections that send single messages of its protocol.

use futures_util::{SinkExt, StreamExt};
use proto::{
    Blob, ClientSignal, Down, Epoch, FromSfu, ManagerCommand, MeetingId, ParticipantId, Position, ServerMessage,
    ServerSignal, ToSfu, Up, VERSION, Welcome,
};
use ring::signature::{Ed25519KeyPair, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use server::{Config, Limits, Server};
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tests::temp_folder::TempFolder;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// How long one step may take.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// A running server with a self-signed certificate.
pub struct TestServer {
    pub server: Server,
    connector: TlsConnector,
    /// Holds the server's certificate.
    _folder: TempFolder,
}

/// A client's connection.
pub struct Connection {
    pub id: ParticipantId,
    /// The number of the meeting.
    meeting: u8,
    /// The counter of the last signed command.
    counter: u64,
    socket: WebSocketStream<TlsStream<TcpStream>>,
}

impl TestServer {
    pub async fn start(limits: Limits) -> Self {
        Self::start_at("127.0.0.1:0", &[], limits).await
    }

    /// Starts a server that listens at `listen` and is reached by the names and addresses `public`, too.
    pub async fn start_at(listen: &str, public: &[&str], limits: Limits) -> Self {
        let public = public.iter().copied().map(str::to_owned).collect();
        Self::start_with(Config { public, limits, ..Config::new(listen.parse().expect("an address")) }).await
    }

    /// Starts a server that forwards media on several threads.
    pub async fn start_with_threads(threads: usize) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let limits = Limits::for_one_address();
        Self::start_with(Config { limits, media_threads: NonZero::new(threads), ..Config::new(listen) }).await
    }

    /// Starts a server that stores its certificate and serves metrics.
    pub async fn start_with(config: Config) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = TempFolder::new(&format!("server-{number}"));
        let metrics = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        let config = Config { data: Some(folder.to_path_buf()), metrics, ..config };
        let server = Server::start(config).await.expect("the server starts");
        let mut roots = RootCertStore::empty();
        let certificate =
            CertificateDer::from_pem_file(folder.join("certificate.pem")).expect("the server has its certificate");
        roots.add(certificate).expect("a certificate");
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("rustls supports its default versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { server, connector: TlsConnector::from(Arc::new(config)), _folder: folder }
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub async fn close(self) {
        self.server.stop(Duration::from_secs(3)).await;
    }

    async fn connect_tls(&self, address: SocketAddr) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(address).await.expect("listening");
        let name = ServerName::try_from("localhost").expect("a name");
        self.connector.connect(name, stream).await.expect("the server has its certificate")
    }

    /// Opens a connection that has sent nothing.
    pub async fn connect(&self) -> Connection {
        self.connect_to(self.address()).await
    }

    /// Opens a connection to one of the server's addresses.
    pub async fn connect_to(&self, address: SocketAddr) -> Connection {
        let opened = tokio_tungstenite::client_async("wss://localhost/v1", self.connect_tls(address).await).await;
        Connection { id: ParticipantId(0), meeting: 1, counter: 0, socket: opened.expect("a WebSocket").0 }
    }

    /// Returns whether the server refuses a WebSocket at `path`.
    pub async fn refuses(&self, path: &str) -> bool {
        tokio_tungstenite::client_async(format!("wss://localhost{path}"), self.connect_tls(self.address()).await)
            .await
            .is_err()
    }

    /// Returns Anna, who has opened meeting 1, and Ben, whom she admitted.
    pub async fn pair(&self) -> (Connection, Connection) {
        self.pair_in(1).await
    }

    /// Returns Anna, who has opened a meeting, and Ben, whom she admitted.
    pub async fn pair_in(&self, meeting: u8) -> (Connection, Connection) {
        let mut anna = self.connect().await;
        anna.meeting = meeting;
        anna.greet().await;
        anna.send(&create(meeting)).await;
        anna.receive(|message| matches!(message, Down::Created { .. })).await;
        let ben = self.guest(&mut anna, 0).await;
        (anna, ben)
    }

    /// Returns a guest whom `host` admits by the commit that ends `epoch`.
    pub async fn guest(&self, host: &mut Connection, epoch: u64) -> Connection {
        let mut guest = self.connect().await;
        guest.meeting = host.meeting;
        guest.greet().await;
        guest.send(&Up::Approach { meeting: meeting(host.meeting) }).await;
        guest.receive(|message| matches!(message, Down::AdmissionKey { .. })).await;
        guest.send(&knock(host.meeting)).await;
        let id = guest.id;
        host.receive(|message| matches!(message, Down::Knocked { participant, .. } if *participant == id)).await;
        host.manage(&manager_commit(epoch), admit(&[guest.id])).await;
        guest.receive(|message| matches!(message, Down::Admitted { .. })).await;
        host.receive(|message| matches!(message, Down::Log { .. })).await;
        guest
    }
}

impl Connection {
    pub async fn greet(&mut self) {
        self.send(&Up::Hello { version: VERSION }).await;
        let hello = self.receive(|message| matches!(message, Down::Hello { .. })).await;
        if let Down::Hello { participant, .. } = hello {
            self.id = participant;
        }
    }

    pub async fn send(&mut self, message: &Up) {
        self.send_bytes(proto::encode(message)).await;
    }

    /// Sends a signed command.
    pub async fn manage(&mut self, command: &ManagerCommand, welcomes: Vec<Welcome>) {
        self.counter += 1;
        let (counter, command) = (self.counter, Blob(proto::encode(command)));
        let message = proto::signed::command(meeting(self.meeting), self.id, counter, &command.0);
        let signature = authority().sign(&message).as_ref().try_into().expect("64 bytes");
        self.send(&Up::Manage { counter, command, signature, welcomes }).await;
    }

    /// Sends media signalling.
    pub async fn signal(&mut self, signal: &ClientSignal) {
        self.send_to_sfu(&ToSfu::Signal(Blob(proto::encode(signal)))).await;
    }

    pub async fn send_to_sfu(&mut self, message: &ToSfu) {
        self.send_bytes(proto::encode(message)).await;
    }

    /// Sends bytes. If that fails, the next `receive` fails, too.
    pub async fn send_bytes(&mut self, bytes: Vec<u8>) {
        let _ = timeout(TIMEOUT, self.socket.send(Message::Binary(bytes.into()))).await.expect("sent in time");
    }

    /// Waits for a message that is `wanted`. Skips others, and answers pings.
    pub async fn receive(&mut self, wanted: impl Fn(&Down) -> bool) -> Down {
        self.find(|message| match message {
            ServerMessage::Meeting(message) if wanted(&message) => Some(message),
            ServerMessage::Meeting(_) | ServerMessage::Sfu(_) => None,
        })
        .await
    }

    /// Waits for a message for which `found` returns a value. Skips others, and answers pings.
    pub async fn find<T>(&mut self, found: impl Fn(ServerMessage) -> Option<T>) -> T {
        let received = async {
            loop {
                let message = self.next().await.expect("the connection is open");
                if let Some(found) = found(message) {
                    return found;
                }
            }
        };
        timeout(TIMEOUT, received).await.expect("a message arrives in time")
    }

    /// Returns the next message if it arrives within `limit`.
    pub async fn next_within(&mut self, limit: Duration) -> Option<ServerMessage> {
        timeout(limit, self.next()).await.ok()?
    }

    /// Returns whether the server closes the connection.
    pub async fn ended(&mut self) -> bool {
        timeout(TIMEOUT, async { while self.next().await.is_some() {} }).await.is_ok()
    }

    async fn next(&mut self) -> Option<ServerMessage> {
        loop {
            match self.socket.next().await?.ok()? {
                Message::Binary(bytes) => {
                    let message = proto::decode(&bytes).expect("a message of the protocol");
                    if message != ServerMessage::Meeting(Down::Ping) {
                        return Some(message);
                    }
                    self.send(&Up::Pong { position: Position(0) }).await;
                }
                Message::Close(_) => return None,
                Message::Text(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }
}

/// Returns the signal in `message`, if it holds one.
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
    let authority = authority().public_key().as_ref().try_into().expect("32 bytes");
    Up::Create { meeting: meeting(number), admission_key: Blob(vec![1; 32]), authority }
}

/// Returns the authority of all meetings.
fn authority() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[1; 32]).expect("any 32 bytes are a seed")
}

pub fn knock(number: u8) -> Up {
    Up::Knock { meeting: meeting(number), request: Blob(vec![2; 100]) }
}

/// Returns a member's commit.
pub fn commit(epoch: u64) -> Up {
    Up::Commit { epoch: Epoch(epoch), blob: Blob(vec![4; 50]), removed: vec![], welcome: None }
}

/// Returns a manager's commit.
pub fn manager_commit(epoch: u64) -> ManagerCommand {
    ManagerCommand::Commit { epoch: Epoch(epoch), blob: Blob(vec![4; 50]), removed: vec![], rotation: None }
}

fn admit(participants: &[ParticipantId]) -> Vec<Welcome> {
    vec![Welcome { to: participants.to_vec(), blob: Blob(vec![3; 50]) }]
}

pub fn tell(epoch: u64, length: usize) -> Up {
    Up::Tell { epoch: Epoch(epoch), blob: Blob(vec![5; length]) }
}

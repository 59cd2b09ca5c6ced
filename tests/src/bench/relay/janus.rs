//! Janus with its plugin `VideoRoom`, driven over its `WebSocket` API.

use super::{Figures, LAYER, Participant, RECEIVERS, cpu_time, exchange};
use crate::temp_folder::TempFolder;
use anyhow::{Context, Result, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use proto::ServerSignal;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Returns whether the program can be started.
pub fn is_installed() -> bool {
    // Its exit status is 1.
    Command::new("janus").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Measures a room of one sender with all receivers.
///
/// # Errors
/// Returns an error if Janus does not start, or if a client does not connect.
pub fn measure() -> Result<Figures> {
    // Janus offers no loopback addresses.
    let ip = server::addresses::candidates(Ipv4Addr::UNSPECIFIED.into()).into_iter().find(IpAddr::is_ipv4);
    let ip = ip.context("this machine has no address")?;
    let janus = Janus::start()?;
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (mut participants, _sessions) = runtime.block_on(join(janus.port, ip))?;
    let process = janus.process.id().to_string();
    exchange(&mut participants, || cpu_time(&process, |_| true), |_| {})
}

async fn join(port: u16, ip: IpAddr) -> Result<(Vec<Participant>, Vec<Session>)> {
    let mut publisher = Session::open(port).await?;
    let room =
        json!({"request": "create", "room": ROOM, "videocodec": "h264", "audiocodec": "opus", "bitrate": 10_000_000});
    publisher.ask(room, None).await?;
    let joined = publisher.ask(json!({"request": "join", "ptype": "publisher", "room": ROOM}), None).await?;
    let feed = joined["plugindata"]["data"]["id"].as_u64().context("no number of the publisher")?;
    let mut sender = Participant::new(ip)?;
    sender.client.add_microphone_and_camera(LAYER);
    let offer = sender.client.offer().context("nothing to offer")?;
    let answered = publisher.ask(json!({"request": "publish"}), Some(("offer", offer))).await?;
    sender.client.handle_signal(ServerSignal::Answer { number: 1, sdp: sdp(&answered)?, tunnel: None, turn: None });
    wait_until_connected(&mut sender)?;
    let (mut participants, mut sessions) = (vec![sender], vec![publisher]);
    for _ in 0..RECEIVERS {
        let mut subscriber = Session::open(port).await?;
        let join = json!({"request": "join", "ptype": "subscriber", "room": ROOM, "streams": [{"feed": feed}]});
        let offered = subscriber.ask(join, None).await?;
        let mut receiver = Participant::new(ip)?;
        let answer = receiver.client.answer(&sdp(&offered)?).context("the offer of Janus cannot be answered")?;
        subscriber.ask(json!({"request": "start", "room": ROOM}), Some(("answer", answer))).await?;
        participants.iter_mut().for_each(Participant::pump);
        participants.push(receiver);
        sessions.push(subscriber);
    }
    Ok((participants, sessions))
}

/// Janus refuses subscribers before the publisher is connected.
fn wait_until_connected(participant: &mut Participant) -> Result<()> {
    let start = Instant::now();
    while !participant.client.connected() {
        ensure!(start.elapsed() < super::CONNECT_TIMEOUT, "the publisher does not connect");
        participant.pump();
        std::thread::park_timeout(Duration::from_millis(5));
    }
    // Janus learns of it on another thread.
    let end = Instant::now() + Duration::from_millis(500);
    while Instant::now() < end {
        participant.pump();
        std::thread::park_timeout(Duration::from_millis(5));
    }
    Ok(())
}

fn sdp(answer: &Value) -> Result<String> {
    Ok(answer["jsep"]["sdp"].as_str().with_context(|| format!("no session description in {answer}"))?.to_owned())
}

/// A running Janus. Drop kills it.
struct Janus {
    process: Child,
    port: u16,
    _folder: TempFolder,
}

impl Janus {
    fn start() -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = TempFolder::create("janus")?;
        configure(&folder, port)?;
        let process = Command::new("janus")
            .arg(format!("--configs-folder={}", folder.display()))
            .args(["--disable-colors", "--debug-level=1"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { process, port, _folder: folder })
    }
}

impl Drop for Janus {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Writes a configuration with the plugin and `WebSocket` on one port of this machine only.
fn configure(folder: &Path, port: u16) -> Result<()> {
    let plugins = ["audiobridge", "duktape", "echotest", "lua", "nosip", "recordplay", "sip", "streaming", "textroom"];
    let plugins = plugins.iter().chain(&["videocall", "voicemail"]).map(|name| format!("libjanus_{name}.so"));
    let transports = ["http", "mqtt", "nanomsg", "pfunix", "rabbitmq"].map(|name| format!("libjanus_{name}.so"));
    let (plugins, transports) = (plugins.collect::<Vec<_>>().join(","), transports.join(","));
    let main = format!("plugins: {{ disable = \"{plugins}\" }}\ntransports: {{ disable = \"{transports}\" }}\n");
    std::fs::write(folder.join("janus.jcfg"), main)?;
    let websockets = format!("general: {{ ws = true\n ws_port = {port}\n ws_ip = \"127.0.0.1\" }}\n");
    std::fs::write(folder.join("janus.transport.websockets.jcfg"), websockets)?;
    Ok(())
}

/// A session with one handle of the plugin.
struct Session {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    id: u64,
    handle: u64,
    requests: u64,
}

impl Session {
    async fn open(port: u16) -> Result<Self> {
        let start = Instant::now();
        let socket = loop {
            let mut request = format!("ws://127.0.0.1:{port}").into_client_request()?;
            request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("janus-protocol"));
            match connect_async(request).await {
                Ok((socket, _)) => break socket,
                Err(error) if start.elapsed() > super::CONNECT_TIMEOUT => return Err(error.into()),
                // It is starting.
                Err(_) => _ = tokio::time::timeout(RETRY, std::future::pending::<()>()).await,
            }
        };
        let mut session = Self { socket, id: 0, handle: 0, requests: 0 };
        let created = session.request(json!({"janus": "create"})).await?;
        session.id = created["data"]["id"].as_u64().context("no session")?;
        let attached = session.request(json!({"janus": "attach", "plugin": "janus.plugin.videoroom"})).await?;
        session.handle = attached["data"]["id"].as_u64().context("no handle")?;
        Ok(session)
    }

    /// Sends a request to the plugin, with a session description. Returns its answer.
    async fn ask(&mut self, body: Value, description: Option<(&str, String)>) -> Result<Value> {
        let mut message = json!({"janus": "message", "body": body});
        if let Some((kind, sdp)) = description {
            message["jsep"] = json!({"type": kind, "sdp": sdp});
        }
        self.request(message).await
    }

    async fn request(&mut self, mut message: Value) -> Result<Value> {
        self.requests += 1;
        let transaction = self.requests.to_string();
        message["transaction"] = json!(transaction);
        if self.id != 0 {
            message["session_id"] = json!(self.id);
        }
        if self.handle != 0 {
            message["handle_id"] = json!(self.handle);
        }
        self.socket.send(Message::text(message.to_string())).await?;
        while let Some(received) = tokio::time::timeout(super::CONNECT_TIMEOUT, self.socket.next()).await? {
            let Message::Text(text) = received? else { continue };
            let answer: Value = serde_json::from_str(&text)?;
            if answer["transaction"] != transaction.as_str() || answer["janus"] == "ack" {
                continue;
            }
            ensure!(answer["janus"] != "error" && answer["plugindata"]["data"]["error"].is_null(), "Janus: {answer}");
            return Ok(answer);
        }
        bail!("Janus closed the connection");
    }
}

const ROOM: u64 = 1_234;

/// How long to wait before connecting again.
const RETRY: Duration = Duration::from_millis(50);

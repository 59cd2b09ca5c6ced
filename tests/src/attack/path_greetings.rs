//! A hostile server in the test of the path before a meeting: it answers with every greeting. The client may not claim a path, and may not
//! flood a third party whose address the server names.

use super::false_server::{FalseServer, Socket};
use super::report::{Report, Row};
use super::wire::another_address;
use anyhow::Result;
use crypto::Fingerprint;
use futures_util::SinkExt;
use net::{PathTestTarget, ProxySettings, test_path};
use proto::{MAX_TEST_ADDRESSES, PATH_TEST_KEY_BYTES, PathTestGreeting};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

/// Sends each greeting to an honest client.
///
/// # Errors
/// Returns an error if the system has no port left.
pub async fn attack(report: &mut Report) -> Result<()> {
    let third_party = UdpSocket::bind((another_address(), 0)).await?;
    for (kind, what, bytes) in greetings(third_party.local_addr()?) {
        let greeting = bytes.clone();
        let server = FalseServer::start(move |socket| serve(socket, greeting.clone())).await?;
        let target = PathTestTarget {
            host: "127.0.0.1".into(),
            port: server.port,
            fingerprint: Some(Fingerprint::from(server.fingerprint)),
            proxy: ProxySettings::default(),
        };
        let result = timeout(LIMIT, test_path(target, |_, _| {})).await;
        let mut sent = 0;
        let mut buffer = [0; 2_048];
        while third_party.try_recv_from(&mut buffer).is_ok() {
            sent += 1;
        }
        let (outcome, success) = match result {
            Err(_) => ("the test does not end".to_owned(), true),
            Ok(Ok(path)) => (format!("claims a path: {path:?}"), true),
            Ok(Err(_)) if sent > MAX_DATAGRAMS => (format!("a third party gets {sent} datagrams"), true),
            Ok(Err(error)) => (format!("ends: {error}; a third party gets {sent} datagrams"), false),
        };
        let message = format!("{kind} ({what})");
        report.rows.push(Row { attacker: "server", state: "path test", message, kinds: vec![kind], outcome, success });
    }
    Ok(())
}

/// Returns the kinds of its messages.
pub fn kinds() -> Vec<&'static str> {
    greetings(SocketAddr::from((Ipv4Addr::LOCALHOST, 1))).into_iter().map(|(kind, ..)| kind).collect()
}

fn greetings(third_party: SocketAddr) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let ready = |addresses: Vec<IpAddr>, port, tunnel| {
        proto::encode(&PathTestGreeting::Ready { key: [7; PATH_TEST_KEY_BYTES], port, addresses, tunnel })
    };
    let ready_kind = "PathTestGreeting::Ready";
    let many = vec![third_party.ip(); 4_000];
    vec![
        (ready_kind, "of a port that does not answer", ready(Vec::new(), third_party.port(), false)),
        (ready_kind, "of a third party's address", ready(vec![third_party.ip()], third_party.port(), false)),
        (
            ready_kind,
            "of one address again and again",
            ready(vec![third_party.ip(); MAX_TEST_ADDRESSES], third_party.port(), false),
        ),
        (ready_kind, "with a tunnel that does not answer", ready(Vec::new(), third_party.port(), true)),
        (ready_kind, "of no port", ready(Vec::new(), 0, true)),
        (ready_kind, "of too many addresses", ready(many, third_party.port(), true)),
        ("PathTestGreeting::Busy", "for ever", proto::encode(&PathTestGreeting::Busy)),
        ("no greeting", "garbage", vec![0xff; 600]),
        ("no greeting", "no bytes", Vec::new()),
    ]
}

async fn serve(mut socket: Socket, greeting: Vec<u8>) -> Result<()> {
    socket.send(Message::Binary(greeting.into())).await?;
    // It stays silent until the client ends the connection.
    while let Some(Ok(_)) = futures_util::StreamExt::next(&mut socket).await {}
    Ok(())
}

/// How long a test may take that gets no answer: it tries UDP, then TCP.
const LIMIT: Duration = Duration::from_secs(20);

/// The datagrams to an address that does not answer: one each 200 ms for 1.2 s, and one more.
const MAX_DATAGRAMS: u32 = 8;

//! The test of the path before a meeting, and strangers that misuse it.

use super::lossy::Lossy;
use super::{run, server};
use futures_util::{SinkExt, StreamExt};
use net::{MediaPath, PathReport, PathTestError, PathTestTarget, ProxySettings, test_path, test_path_on};
use proto::{PATH_TEST_PATH, PathTestGreeting, Probe, ProbeKind};
use server::path_test::{MAX_HELLOS, MAX_TESTS_OF_ORIGIN};
use server::{Limits, Server};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use tests::attack::wire::{Tls, Wire, another_address, connect_tls};
use tokio::net::UdpSocket;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

fn config(server: &Server) -> PathTestTarget {
    PathTestTarget {
        host: "127.0.0.1".into(),
        port: server.address().port(),
        fingerprint: Some(server.fingerprint().into()),
        proxy: ProxySettings::default(),
    }
}

/// Tests the path of `server` with all UDP of the client blocked.
async fn test_without_udp(server: &Server) -> (Result<PathReport, PathTestError>, Vec<Option<MediaPath>>) {
    let path = Lossy::lossless();
    path.block(true);
    let mut paths = Vec::new();
    let result = test_path_on(config(server), path.runtime(), |path, _| paths.push(path)).await;
    paths.dedup();
    (result, paths)
}

#[test]
fn a_stranger_learns_what_the_path_to_a_server_carries() {
    run(async {
        let server = server().await;
        let mut done = Vec::new();
        let report = test_path(config(&server), |_, part| done.push(part)).await.unwrap();
        println!("{report:?}");
        assert_eq!(report.path, MediaPath::Udp);
        assert!(report.figures.up.as_bps() > 50_000 && report.figures.down.as_bps() > 50_000);
        assert!(done.is_sorted() && done.last().is_some_and(|done| *done > 0.1), "progress: {done:?}");
    });
}

#[test]
fn the_path_over_tls_is_tested_if_udp_is_blocked() {
    run(async {
        let server = server().await;
        let (result, paths) = test_without_udp(&server).await;
        let report = result.unwrap();
        println!("{report:?}");
        assert_eq!(report.path, MediaPath::Tls);
        assert!(report.figures.up.as_bps() > 50_000 && report.figures.down.as_bps() > 50_000);
        assert_eq!(paths, [None, Some(MediaPath::Udp), Some(MediaPath::Tls)]);
    });
}

#[test]
fn a_server_without_tunnel_offers_no_path_if_udp_is_blocked() {
    run(async {
        let address = "127.0.0.1:0".parse().unwrap();
        let server = Server::start(server::Config { tunnels: false, ..server::Config::new(address) }).await.unwrap();
        assert_eq!(test_without_udp(&server).await.0, Err(PathTestError::NoPath));
    });
}

/// A stranger's WebSocket for a test.
type Socket = WebSocketStream<Tls>;

/// Asks for a test. Returns the key, or `None` if the server is busy.
async fn open(from: IpAddr, server: SocketAddr) -> Option<(Socket, [u8; 16])> {
    let tls = connect_tls(from, server).await.unwrap();
    let (mut socket, _) = client_async(format!("wss://{server}{PATH_TEST_PATH}"), tls).await.unwrap();
    let Some(Ok(Message::Binary(greeting))) = socket.next().await else { panic!("a server greets") };
    match proto::decode(&greeting).unwrap() {
        PathTestGreeting::Ready { key, .. } => Some((socket, key)),
        PathTestGreeting::Busy => None,
    }
}

#[test]
fn one_stranger_runs_few_tests_and_all_together_no_more_than_the_server_allows() {
    run(async {
        let server = server().await;
        let mut open_tests = Vec::new();
        for _ in 0..5 {
            open_tests.extend(open(Ipv4Addr::LOCALHOST.into(), server.address()).await);
        }
        assert_eq!(open_tests.len(), MAX_TESTS_OF_ORIGIN);
        assert_eq!(test_path(config(&server), |_, _| {}).await, Err(PathTestError::Busy));
        let max_tests = Limits::default().path_tests;
        for _ in 0..2 * max_tests {
            open_tests.extend(open(another_address(), server.address()).await);
        }
        assert_eq!(open_tests.len(), max_tests);
    });
}

/// Counts the datagrams that arrive until none has arrived for a second, and their bytes.
async fn received(socket: &UdpSocket) -> (usize, usize) {
    let (mut buffer, mut count, mut bytes) = ([0; 2_000], 0, 0);
    while let Ok(Ok(length)) = timeout(Duration::from_secs(1), socket.recv(&mut buffer)).await {
        (count, bytes) = (count + 1, bytes + length);
    }
    (count, bytes)
}

#[test]
fn a_stranger_that_floods_a_test_gets_less_than_it_sends_and_the_server_goes_on() {
    run(async {
        let server = server().await;
        let (mut socket, key) = open(Ipv4Addr::LOCALHOST.into(), server.address()).await.expect("a test begins");
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        udp.connect(server.address()).await.unwrap();
        let probe =
            Probe { key, kind: ProbeKind::Probe, sequence: 1, sent_at: 1, cookie: 1, received: 0, received_at: 0 };
        let without_cookie = probe.datagram(1_500);
        let foreign = Probe { key: [9; 16], ..probe }.datagram(1_500);
        let hello = Probe { kind: ProbeKind::Hello, ..probe }.datagram(64);
        for datagram in [&hello, &without_cookie, &foreign, &without_cookie[..63].to_vec()] {
            for _ in 0..200 {
                udp.send(datagram).await.unwrap();
            }
        }
        let (count, bytes) = received(&udp).await;
        let answered = (1..=MAX_HELLOS as usize).contains(&count);
        assert!(answered && bytes == 64 * count, "{count} answers with {bytes} bytes");
        // The same through the WebSocket, with lengths that lie, and control frames.
        let framed = |datagram: &[u8]| [&u16::try_from(datagram.len()).unwrap().to_be_bytes()[..], datagram].concat();
        for _ in 0..20 {
            let message = Message::Binary(framed(&without_cookie).into());
            socket.feed(message).await.unwrap();
            socket.feed(Message::Ping(vec![1; 100].into())).await.unwrap();
        }
        socket.feed(Message::Binary(vec![0xff; 400].into())).await.unwrap();
        // The server may have closed the connection.
        let _ = socket.flush().await;
        let closed = async { while let Some(Ok(_)) = socket.next().await {} };
        timeout(Duration::from_secs(20), closed).await.expect("a malformed message ends the test");
        udp.send(&hello).await.unwrap();
        assert_eq!(received(&udp).await.0, 0, "the key has ended with its connection");
        Wire::greeted(Ipv4Addr::LOCALHOST.into(), server.address()).await.expect("the server goes on");
    });
}

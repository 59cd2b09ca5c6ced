//! Forged answers to connectivity checks and to TURN requests. The forger sees the requests and can send from the address of the server, but
//! does not know the password.

use super::client::Client;
use super::migration::{Networks, SECOND};
use super::restart::receive_more;
use super::tunnel::{media_path, meeting_with};
use super::turn_server::{Behaviour, Transport, TurnServer, attribute, length_of};
use super::{all_receive, backends_over, run, server};
use crate::lossy::Lossy;
use net::MediaPath;
use ring::hmac;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::UdpSocket;
use webrtc::runtime::{AsyncUdpSocket, Transmit};

/// Returns the forged answers to a connectivity check.
fn forged_checks(check: &[u8]) -> Vec<Vec<u8>> {
    let answer = |kind: [u8; 2], body: &[u8], password: Option<&[u8]>| {
        let mut answer = [&kind[..], &length_of(body), &check[4..20], body].concat();
        if let Some(password) = password {
            sign(&mut answer, password);
        }
        answer
    };
    let mut reflected = check.to_vec();
    reflected[..2].copy_from_slice(&SUCCESS);
    vec![
        answer(SUCCESS, &[], Some(b"guessed")),
        answer(SUCCESS, &[], Some(b"")),
        answer(SUCCESS, &[], None),
        answer(SUCCESS, &attribute(0x0008, &[0; 20]), None),
        answer(SUCCESS, &attribute(0x0008, &[]), None),
        answer([1, 0x11], &attribute(0x0009, &[0, 0, 4, 0]), Some(b"guessed")),
        // It has the attribute of the request, whose key is the same.
        reflected,
    ]
}

/// Appends MESSAGE-INTEGRITY.
fn sign(message: &mut Vec<u8>, password: &[u8]) {
    let length = u16::try_from(message.len() - 20 + 24).unwrap();
    message[2..4].copy_from_slice(&length.to_be_bytes());
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password), message);
    message.extend(attribute(0x0008, tag.as_ref()));
}

/// Sends the forged answers to the checks that it gets. Returns its address, and the number of checks.
async fn forge_checks() -> (SocketAddr, Arc<AtomicUsize>) {
    let (socket, checks) = (UdpSocket::bind("127.0.0.1:0").await.unwrap(), Arc::new(AtomicUsize::new(0)));
    let (address, counted) = (socket.local_addr().unwrap(), Arc::clone(&checks));
    tokio::spawn(async move {
        let mut buffer = [0; 2_048];
        while let Ok((length, source)) = socket.recv_from(&mut buffer).await {
            if buffer.starts_with(&[0, 1]) {
                counted.fetch_add(1, Ordering::Relaxed);
                for answer in forged_checks(&buffer[..length]) {
                    let _ = socket.send_to(&answer, source).await;
                }
            }
        }
    });
    (address, checks)
}

#[test]
fn forged_answers_to_checks_of_another_path_move_no_media() {
    run(async {
        let (server, networks) = (server().await, Networks::default());
        let clients = meeting_with(&server, networks.backends()).await;
        all_receive(&clients, 25).await;
        let (forger, checks) = forge_checks().await;
        networks.forge(forger);
        while checks.load(Ordering::Relaxed) < 20 {
            receive_more(&clients).await;
        }
        assert_eq!(networks.used(), ["127.0.0.1"], "{} checks", checks.load(Ordering::Relaxed));
        networks.stop_forging();
        // The path itself works: the server's answers move media there.
        while networks.used().len() < 2 {
            receive_more(&clients).await;
        }
        assert_eq!(networks.used(), ["127.0.0.1".to_owned(), SECOND.to_string()]);
        for client in &clients {
            client.look(|state| assert_eq!((state.reconnecting, &state.over), (0, &None)));
        }
    });
}

/// Returns forged variants of an authentic answer of a TURN server, and a message that the stack ignores. All but the last variant are as
/// long as the answer.
pub fn forged_turn(answer: &[u8]) -> (Vec<Vec<u8>>, Vec<u8>) {
    let end = answer.len() - 20;
    let mut other = answer.to_vec();
    // Another port of the relay, or another lifetime.
    other[27] ^= 0x55;
    other[end..].fill(7);
    let mut refusal = answer.to_vec();
    refusal[0] |= 1;
    refusal[1] |= 0x10;
    refusal[end..].fill(7);
    let mut unsigned = answer[..end - 4].to_vec();
    let length = u16::try_from(unsigned.len() - 20).unwrap();
    unsigned[2..4].copy_from_slice(&length.to_be_bytes());
    // Data of a channel that nobody has bound.
    let mut ignored = vec![0x40, 0x77];
    ignored.extend(u16::try_from(answer.len() - 4).unwrap().to_be_bytes());
    ignored.resize(answer.len(), 0);
    // The stack believes the first one that reaches it, and a refusal changes most.
    (vec![refusal, other, unsigned], ignored)
}

/// Sends datagrams of one length at once, so that the system delivers them joined (UDP GSO and GRO of Linux).
pub async fn send_joined(socket: &dyn AsyncUdpSocket, destination: SocketAddr, datagrams: &[Vec<u8>]) {
    let (contents, length) = (datagrams.concat(), datagrams[0].len());
    let is_joined = socket.max_gso_segments() >= datagrams.len();
    for contents in contents.chunks(if is_joined { contents.len() } else { length }) {
        let segment_size = is_joined.then_some(length);
        let transmit = Transmit { destination, ecn: None, contents, segment_size, src_ip: None };
        let _ = poll_fn(|context| socket.poll_send(context, &transmit)).await;
    }
}

#[test]
fn forged_answers_of_a_turn_server_do_not_change_the_relay_alone_or_joined_with_others() {
    run(async {
        let turn = TurnServer::start(Transport::Udp, Behaviour::Forged).await;
        turn.set_lifetime(4);
        let config =
            server::Config { turn: Some(turn.config()), ..server::Config::new("127.0.0.1:0".parse().unwrap()) };
        let server = server::Server::start(config).await.unwrap();
        let path = Lossy::lossless();
        path.allow_only(turn.address);
        let clients = meeting_with(&server, backends_over(path)).await;
        all_receive(&clients, 25).await;
        // Each refresh of the allocation is answered in the same way.
        let refreshed = |client: &Client| client.look(|state| state.received.values().all(|it| it.opened > 250));
        while !clients.iter().all(refreshed) {
            receive_more(&clients).await;
        }
        assert_eq!((media_path(&clients[1]), turn.allocations()), (Some(MediaPath::Relay), 1));
        assert!(turn.forged() >= 9, "{} forged answers", turn.forged());
    });
}

/// A success response to a connectivity check.
const SUCCESS: [u8; 2] = [1, 1];

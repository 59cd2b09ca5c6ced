//! Media through TURN servers, and TURN servers that misbehave.

use super::lossy::Lossy;
use super::restart::receive_more;
use super::tunnel::{media_path, meeting_with};
use super::turn_server::{Behaviour, Transport, TurnServer};
use super::{all_receive, backends_over, run};
use crate::client::Client;
use net::MediaPath;
use proto::ServerSignal;
use server::{Config, Server};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Starts a server that names `turn` in its answers, with or without media tunnels.
async fn server(turn: &TurnServer, tunnels: bool) -> Server {
    let config = Config { turn: Some(turn.config()), tunnels, ..Config::new("127.0.0.1:0".parse().unwrap()) };
    Server::start(config).await.unwrap()
}

/// Returns a path whose UDP reaches only `turn`.
fn path_only_to(turn: &TurnServer) -> Arc<Lossy> {
    let path = Lossy::lossless();
    path.allow_only(turn.address);
    path
}

/// Starts a meeting of an organiser on UDP and a guest whose UDP reaches only `turn`. Asserts that the guest connects within
/// twelve seconds, by the path `expected`.
async fn meet(turn: &TurnServer, tunnels: bool, expected: MediaPath) -> (Server, Vec<Client>) {
    let server = server(turn, tunnels).await;
    let clients = meeting_with(&server, backends_over(path_only_to(turn))).await;
    all_receive(&clients, 25).await;
    assert_eq!((media_path(&clients[0]), media_path(&clients[1])), (Some(MediaPath::Udp), Some(expected)));
    let connected = clients[1].look(|state| state.connected.unwrap()) - clients[1].started;
    println!("connected after {connected:?}");
    assert!(connected < Duration::from_secs(12), "{connected:?}");
    (server, clients)
}

#[test]
fn media_go_through_a_turn_server_that_udp_reaches() {
    run(async {
        let turn = TurnServer::start(Transport::Udp, Behaviour::Works).await;
        let (_server, _clients) = meet(&turn, true, MediaPath::Relay).await;
        assert_eq!(turn.allocations(), 1, "the organiser needs none");
    });
}

#[test]
fn media_go_through_a_turn_server_on_ipv6() {
    run(async {
        if std::net::UdpSocket::bind("[::1]:0").is_err() {
            println!("skipped: this computer has no IPv6");
            return;
        }
        let turn = TurnServer::start_on("::1".parse().unwrap(), Transport::Udp, Behaviour::Works).await;
        let config = Config { turn: Some(turn.config()), ..Config::new("[::1]:0".parse().unwrap()) };
        let server = Server::start(config).await.unwrap();
        let clients = meeting_with(&server, backends_over(path_only_to(&turn))).await;
        all_receive(&clients, 25).await;
        assert_eq!((media_path(&clients[1]), turn.allocations()), (Some(MediaPath::Relay), 1));
    });
}

#[test]
fn media_go_through_a_turn_server_over_tcp_if_there_is_no_tunnel() {
    run(async {
        let turn = TurnServer::start(Transport::Tcp, Behaviour::Works).await;
        meet(&turn, false, MediaPath::Relay).await;
    });
}

#[test]
fn media_go_through_a_turn_server_over_tls_if_there_is_no_tunnel() {
    run(async {
        let turn = TurnServer::start(Transport::Tls, Behaviour::Works).await;
        meet(&turn, false, MediaPath::Relay).await;
    });
}

#[test]
fn a_turn_server_that_refuses_is_silent_or_sends_garbage_leaves_the_tunnel() {
    run(async {
        for behaviour in [
            Behaviour::Refuses(401),
            Behaviour::Refuses(403),
            Behaviour::Refuses(486),
            Behaviour::Refuses(437),
            Behaviour::Refuses(508),
            Behaviour::Silent,
            Behaviour::Garbage,
            Behaviour::Unsigned,
        ] {
            let turn = TurnServer::start(Transport::Udp, behaviour).await;
            meet(&turn, true, MediaPath::Tls).await;
            assert_eq!(turn.allocations() > 0, behaviour == Behaviour::Unsigned);
        }
    });
}

#[test]
fn media_through_a_turn_server_go_on_when_the_credentials_end() {
    run(async {
        for behaviour in [Behaviour::Works, Behaviour::ChangesNonce] {
            let turn = TurnServer::start(Transport::Udp, behaviour).await;
            turn.set_lifetime(4);
            let access = server::TurnConfig { validity: Duration::from_secs(5), ..turn.config() };
            let config = Config { turn: Some(access), ..Config::new("127.0.0.1:0".parse().unwrap()) };
            let server = Server::start(config).await.unwrap();
            let clients = meeting_with(&server, backends_over(path_only_to(&turn))).await;
            all_receive(&clients, 25).await;
            assert_eq!(media_path(&clients[1]), Some(MediaPath::Relay));
            clients.iter().for_each(Client::forget_gaps);
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(12) {
                receive_more(&clients).await;
            }
            let silence =
                |client: &Client| client.look(|state| state.received.values().map(|it| it.longest_silence).max());
            let silences: Vec<_> = clients.iter().map(silence).collect();
            println!("{} users, {} nonces, silences {silences:?}", turn.users().len(), turn.nonces());
            assert_eq!(
                (media_path(&clients[1]), turn.allocations()),
                (Some(MediaPath::Relay), 1),
                "the same allocation"
            );
            assert!(turn.users().len() >= 3, "new credentials each time: {:?}", turn.users());
            assert!(silences.iter().all(|silence| silence.is_some_and(|it| it < Duration::from_millis(1_500))));
            for client in &clients {
                client.look(|state| assert_eq!(state.reconnecting, 0));
            }
        }
    });
}

#[test]
fn credentials_of_another_secret_are_refused_and_the_tunnel_is_used() {
    run(async {
        let turn = TurnServer::start(Transport::Udp, Behaviour::Works).await;
        let wrong = server::TurnConfig { secret: b"another".to_vec(), ..turn.config() };
        let config = Config { turn: Some(wrong), ..Config::new("127.0.0.1:0".parse().unwrap()) };
        let server = Server::start(config).await.unwrap();
        let clients = meeting_with(&server, backends_over(path_only_to(&turn))).await;
        all_receive(&clients, 25).await;
        assert_eq!((media_path(&clients[1]), turn.allocations()), (Some(MediaPath::Tls), 0));
    });
}

#[test]
fn a_meeting_goes_on_after_its_turn_server_is_gone() {
    run(async {
        for transport in [Transport::Udp, Transport::Tls] {
            let turn = TurnServer::start(transport, Behaviour::Works).await;
            let tunnels = transport == Transport::Udp;
            let (_server, clients) = meet(&turn, tunnels, MediaPath::Relay).await;
            turn.stop();
            if !tunnels {
                // There is no other path to the server.
                clients[1].until("it notices", |state| state.reconnecting > 0).await;
                return;
            }
            clients[1].until("the tunnel takes over", |state| state.paths.last() == Some(&MediaPath::Tls)).await;
            receive_more(&clients).await;
        }
    });
}

#[test]
fn a_turn_server_is_not_used_if_udp_works() {
    run(async {
        let turn = TurnServer::start(Transport::Udp, Behaviour::Works).await;
        let server = server(&turn, true).await;
        let clients = meeting_with(&server, net::Backends::default()).await;
        all_receive(&clients, 75).await;
        assert_eq!((media_path(&clients[1]), turn.allocations()), (Some(MediaPath::Udp), 0));
    });
}

#[test]
fn each_answer_names_the_turn_servers_and_contains_no_secret() {
    run(async {
        let turn = TurnServer::start(Transport::Udp, Behaviour::Works).await;
        let server = server(&turn, true).await;
        let (_client, answers) = super::tunnel::member_with_answers(&server).await;
        let answers = answers.lock().unwrap();
        for answer in answers.iter() {
            let ServerSignal::Answer { turn: Some(access), .. } = answer else { panic!("{answer:?}") };
            assert_eq!(access.servers, turn.config().servers);
            assert!(access.username.contains(':') && access.password.len() == 28);
        }
        assert!(!answers.is_empty());
    });
}

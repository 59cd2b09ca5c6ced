//! Clients and a server over real sockets, without codecs: which frames arrive and open, and which do not.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "loopback/attacks.rs"]
mod attacks;
#[path = "loopback/authority.rs"]
mod authority;
#[path = "loopback/bandwidth_limits.rs"]
mod bandwidth_limits;
#[path = "loopback/chat.rs"]
mod chat;
#[path = "loopback/client.rs"]
mod client;
#[path = "loopback/dialects.rs"]
mod dialects;
#[path = "loopback/fake_sfu.rs"]
mod fake_sfu;
#[path = "loopback/flood.rs"]
mod flood;
#[path = "loopback/floor.rs"]
mod floor;
#[path = "loopback/forged.rs"]
mod forged;
#[path = "loopback/forged_pictures.rs"]
mod forged_pictures;
#[path = "loopback/insider.rs"]
mod insider;
#[path = "loopback/lobby.rs"]
mod lobby;
#[path = "loopback/lossy.rs"]
mod lossy;
#[path = "loopback/lure.rs"]
mod lure;
#[path = "loopback/many_voices.rs"]
mod many_voices;
#[path = "loopback/migration.rs"]
mod migration;
#[path = "loopback/narrow_downlink.rs"]
mod narrow_downlink;
#[path = "loopback/offers.rs"]
mod offers;
#[path = "loopback/path_test.rs"]
mod path_test;
#[path = "loopback/proxy.rs"]
mod proxy;
#[path = "loopback/relay.rs"]
mod relay;
#[path = "loopback/removed.rs"]
mod removed;
#[path = "loopback/restart.rs"]
mod restart;
#[path = "loopback/roles.rs"]
mod roles;
#[path = "loopback/stranger.rs"]
mod stranger;
#[path = "loopback/tunnel.rs"]
mod tunnel;
#[path = "loopback/turn.rs"]
mod turn;
#[path = "loopback/turn_server.rs"]
mod turn_server;
#[path = "loopback/waiting_room.rs"]
mod waiting_room;

use client::{Client, State};
use lossy::Lossy;
use net::Backends;
use proto::{Slot, TrackId};
use server::Server;
use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Runs one test at a time, because the tests measure times, and nine clients need two cores.
fn run<F: Future<Output = ()>>(test: F) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _lock = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(test);
    runtime.shutdown_timeout(Duration::from_secs(5));
}

async fn server() -> Server {
    Server::start(server::Config::new("127.0.0.1:0".parse().unwrap())).await.unwrap()
}

fn backends_over(path: Arc<Lossy>) -> Backends {
    Backends { stack: path.runtime(), ..Backends::default() }
}

/// Returns `count` members: an organiser and guests.
async fn meeting(server: &Server, count: usize) -> Vec<Client> {
    let organiser = Client::create(server, "organiser");
    organiser.until("the organiser is a member", |state| state.entered.is_some()).await;
    let mut clients = vec![organiser];
    for number in 1..count {
        clients.push(Client::join(&clients[0].link(), &format!("guest {number}")));
    }
    for client in &clients {
        client.until("all are members", |state| state.members.len() == count).await;
    }
    clients
}

fn opened(state: &State, track: TrackId) -> u64 {
    state.received.get(&track).map_or(0, |received| received.opened)
}

/// Returns the number of frames that failed to open. Asserts that at most three frames in each epoch had no key yet:
/// packets and commits overtake each other.
fn failed(client: &Client) -> u64 {
    client.look(|state| {
        let keyless: u64 = state.received.values().map(|received| received.keyless).sum();
        assert!(keyless <= 3 * state.epoch, "{keyless} frames without a key in {} epochs", state.epoch);
        state.received.values().map(|received| received.failed).sum()
    })
}

/// Waits until each client has opened `pictures` pictures and twice as many packets of sound of each other client.
async fn all_receive(clients: &[Client], pictures: u64) {
    for one in clients {
        for other in clients.iter().filter(|other| other.me() != one.me()) {
            let (camera, microphone) = (other.camera(), other.microphone());
            one.until("pictures and sound arrive", |state| {
                opened(state, camera) >= pictures && opened(state, microphone) >= 2 * pictures
            })
            .await;
        }
        assert_eq!(failed(one), 0);
    }
}

fn report(clients: &[Client]) {
    let times = |client: &Client| {
        client.look(|state| {
            let entered = state.entered.unwrap();
            (entered - client.started, state.connected.unwrap().saturating_duration_since(entered))
        })
    };
    let (joins, connects): (Vec<_>, Vec<_>) = clients.iter().map(times).unzip();
    let estimates: Vec<_> = clients.iter().map(|client| client.look(|state| state.estimate) / 1_000).collect();
    println!("{} clients: join {joins:?}, connect {connects:?}, estimates {estimates:?} kbit/s", clients.len());
}

#[test]
fn two_clients_receive_each_other() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        all_receive(&clients, 25).await;
        report(&clients);
        clients[0].session.request_totals();
        clients[0].until("the server counts", |state| state.totals.is_some_and(|totals| totals.packets_out > 0)).await;
    });
}

#[test]
fn four_clients_receive_each_other() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 4).await;
        for client in &clients {
            let others: Vec<_> = clients.iter().filter(|other| other.me() != client.me()).collect();
            client.show(&others, 640, 360);
        }
        all_receive(&clients, 25).await;
        report(&clients);
    });
}

#[test]
fn nine_clients_receive_each_other() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 9).await;
        // Small tiles, so that two cores can handle all of it.
        for client in &clients {
            let others: Vec<_> = clients.iter().filter(|other| other.me() != client.me()).collect();
            client.show(&others, 320, 180);
        }
        all_receive(&clients, 10).await;
        report(&clients);
    });
}

#[test]
fn a_removed_client_opens_no_later_frame_and_the_others_continue() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 4).await;
        all_receive(&clients, 10).await;
        let [organiser, second, third, removed] = &clients[..] else { panic!("four clients") };
        clients.iter().for_each(Client::forget_gaps);
        organiser.remove(removed.me());
        removed.until("it is removed", |state| state.removed).await;
        let at = Instant::now();
        let count = |state: &State| state.received.values().map(|received| received.opened).sum::<u64>();
        let before = removed.look(count);
        for client in [organiser, second, third] {
            client.until("three members are left", |state| state.members.len() == 3).await;
            client.until("the track ends", |state| state.ended.contains(&removed.camera())).await;
        }
        for (one, other) in [(organiser, second), (second, third), (third, organiser)] {
            let camera = other.camera();
            let so_far = one.look(|state| opened(state, camera));
            one.until("frames arrive", |state| opened(state, camera) > so_far + 25).await;
            assert_eq!(failed(one), 0);
            let gap = one.look(|state| state.received[&camera].longest_gap);
            assert!(gap < Duration::from_secs(1), "a freeze of {gap:?}");
        }
        assert_eq!(removed.look(count), before);
        println!("the others saw the removal within {:?}", at.elapsed());
    });
}

#[test]
fn tiles_get_the_layers_of_their_size_and_unwanted_layers_stop() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        let (viewer, sender) = (&clients[0], &clients[1]);
        let camera = sender.camera();
        viewer.show(&[sender], 1_280, 720);
        viewer
            .until("the largest layer arrives", |state| state.received.get(&camera).is_some_and(|r| r.layers[2] > 10))
            .await;
        viewer.show(&[sender], 320, 180);
        let requested = Instant::now();
        let only = |layers: &'static [u8]| {
            move |state: &State| {
                let wanted = state.wanted.get(&Slot::Camera);
                wanted.is_some_and(|wanted| wanted.wanted.iter().map(|layer| layer.spatial).eq(layers.iter().copied()))
            }
        };
        sender.until("only the smallest layer is wanted", only(&[0])).await;
        println!("unwanted layers stopped after {:?}", requested.elapsed());
        assert!(requested.elapsed() < Duration::from_secs(6));
        let sent = sender.look(|state| state.sent);
        let seen = viewer.look(|state| state.received[&camera].layers);
        viewer.until("the smallest layer arrives", |state| state.received[&camera].layers[0] > seen[0] + 10).await;
        let later = sender.look(|state| state.sent);
        assert!(later[2] <= sent[2] + 1 && later[1] <= sent[1] + 1, "{sent:?} then {later:?}");
        let requested = Instant::now();
        let seen = viewer.look(|state| state.received[&camera].layers);
        viewer.show(&[sender], 1_280, 720);
        viewer.until("the largest layer arrives again", |state| state.received[&camera].layers[2] > seen[2]).await;
        println!("the largest layer came back after {:?}", requested.elapsed());
        assert!(requested.elapsed() < Duration::from_secs(3));
        assert_eq!(failed(viewer), 0);
    });
}

/// One datagram in forty is lost in each direction, so at first one picture in six of the largest layer is incomplete.
/// Retransmission completes nearly all of them.
#[test]
fn lost_datagrams_are_sent_again() {
    run(async {
        let server = server().await;
        let organiser = Client::create(&server, "organiser");
        organiser.until("the client is a member", |state| state.entered.is_some()).await;
        let guest = Client::join_with(&organiser.link(), "guest", backends_over(Lossy::new(25, 1)));
        for client in [&organiser, &guest] {
            client.until("both are members", |state| state.members.len() == 2).await;
        }
        for (viewer, sender) in [(&organiser, &guest), (&guest, &organiser)] {
            let camera = sender.camera();
            viewer.show(&[sender], 1_280, 720);
            let top = |state: &State| state.received.get(&camera).map_or(0, |received| received.layers[2]);
            viewer.until("the largest layer arrives", |state| top(state) > 10).await;
            let layers = |state: &State| state.received[&camera].layers;
            let (sent, before) = (sender.look(|state| state.sent[2]), viewer.look(layers));
            let unproven = viewer.look(|state| state.received[&camera].unproven);
            sender.until("ten more seconds are sent", |state| state.sent[2] >= sent + 250).await;
            let (sent, after) = (sender.look(|state| state.sent[2]) - sent, viewer.look(layers));
            // The server may send a smaller layer for a while, if the machine delays datagrams.
            let seen: u64 = after.iter().zip(before).map(|(after, before)| after - before).sum();
            let keys = sender.look(|state| state.key_frames_wanted);
            println!("{seen} of {sent} pictures ({before:?} to {after:?}), {keys} key frames wanted");
            let unproven = viewer.look(|state| state.received[&camera].unproven) - unproven;
            assert!(seen * 100 >= sent * 95, "{seen} of {sent} pictures, {unproven} more without digests");
            assert_eq!(failed(viewer), 0);
        }
    });
}

/// Without repetition by our side, one lost datagram of the handshake ends it in some of these orders.
#[test]
fn clients_connect_although_30_percent_of_the_datagrams_are_lost() {
    run(async {
        let server = server().await;
        let organiser = Client::create(&server, "organiser");
        organiser.until("the client is a member", |state| state.entered.is_some()).await;
        let link = organiser.link();
        let guest = |seed| Client::join_with(&link, &format!("guest {seed}"), backends_over(Lossy::new(300, seed)));
        let guests: Vec<Client> = (1..=8).map(guest).collect();
        for guest in &guests {
            guest.until("media are connected", |state| state.entered.is_some() && state.connected.is_some()).await;
        }
        report(&guests);
        for guest in &guests {
            let took = guest.look(|state| state.connected.unwrap().saturating_duration_since(state.entered.unwrap()));
            assert!(took < Duration::from_secs(20), "{took:?}");
        }
    });
}

/// One datagram in ten is lost in each direction of the guest. Without retransmission nine sounds of ten would arrive.
#[test]
fn lost_sound_is_sent_again_and_its_sender_is_told() {
    run(async {
        let server = server().await;
        let organiser = Client::create(&server, "organiser");
        organiser.until("the client is a member", |state| state.entered.is_some()).await;
        let guest = Client::join_with(&organiser.link(), "guest", backends_over(Lossy::new(100, 1)));
        for client in [&organiser, &guest] {
            client.until("both are members", |state| state.members.len() == 2).await;
        }
        for (listener, speaker) in [(&organiser, &guest), (&guest, &organiser)] {
            let microphone = speaker.microphone();
            let heard = |state: &State| opened(state, microphone);
            listener.until("sound arrives", |state| heard(state) > 20).await;
            let before = (speaker.look(|state| state.sounds_sent), listener.look(heard));
            speaker.until("ten more seconds are sent", |state| state.sounds_sent >= before.0 + 500).await;
            let (sent, heard) = (speaker.look(|state| state.sounds_sent) - before.0, listener.look(heard) - before.1);
            println!("{heard} of {sent} sounds, {} % lost", speaker.look(|state| state.sound_loss));
            assert!(heard * 100 >= sent * 97, "{heard} of {sent}");
            speaker.until("the loss is named", |state| (3..30).contains(&state.sound_loss)).await;
            assert_eq!(failed(listener), 0);
        }
    });
}

#[test]
fn garbage_at_the_media_ports_disturbs_no_client() {
    run(async {
        let server = server().await;
        let organiser = Client::create(&server, "organiser");
        organiser.until("the client is a member", |state| state.entered.is_some()).await;
        let path = Lossy::lossless();
        let guest = Client::join_with(&organiser.link(), "guest", backends_over(Arc::clone(&path)));
        for client in [&organiser, &guest] {
            client.until("both are members", |state| state.members.len() == 2).await;
        }
        let clients = [organiser, guest];
        all_receive(&clients, 10).await;
        for target in [server.address(), path.local().unwrap()] {
            send_garbage(target);
        }
        let before = clients[0].look(|state| opened(state, clients[1].camera()));
        all_receive(&clients, before + 25).await;
    });
}

/// Sends random bytes that begin like STUN, DTLS, RTP, RTCP (RFC 7983) or none of them, in several lengths.
fn send_garbage(target: SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut state = 1u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u8::try_from(state >> 24).unwrap()
    };
    for first in [0, 1, 20, 22, 23, 63, 64, 128, 129, 144, 191, 200, 255] {
        for length in [0usize, 1, 2, 11, 12, 13, 20, 28, 100, 1_200, 9_000] {
            let mut datagram: Vec<u8> = (0..length).map(|_| random()).collect();
            if let Some(byte) = datagram.first_mut() {
                *byte = first;
            }
            socket.send_to(&datagram, target).unwrap();
        }
    }
}

#[test]
fn a_client_that_stops_reading_affects_only_itself() {
    run(async {
        let server = server().await;
        let mut clients = meeting(&server, 3).await;
        all_receive(&clients, 10).await;
        // Its tasks stop, as in a stopped process. Its sockets stay open, and their buffers fill.
        let frozen = clients.pop().unwrap();
        let gone = frozen.me();
        frozen.freeze();
        for client in &clients {
            // It could resume for twenty seconds after the server noticed.
            let left = |state: &State| !state.members.contains(&gone);
            client.until_within(Duration::from_secs(45), "the others see it leave", left).await;
        }
        let before = clients[0].look(|state| opened(state, clients[1].camera()));
        all_receive(&clients, before + 25).await;
    });
}

#[test]
fn media_descriptions_are_used_again_after_guests_leave_and_join() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        let mut owners = BTreeSet::new();
        for round in 0..3 {
            let guest = Client::join(&clients[0].link(), &format!("visitor {round}"));
            guest.until("the client is a member", |state| state.members.len() == 3).await;
            let all = [guest.camera(), guest.microphone()];
            for client in &clients {
                client
                    .until("pictures and sound arrive", |state| all.iter().all(|track| opened(state, *track) > 10))
                    .await;
            }
            owners.insert(guest.me());
            guest.leave();
            guest.until("the guest has left", |state| state.over.is_some()).await;
            for client in &clients {
                client
                    .until("the others see it leave", |state| state.members.len() == 2 && state.ended.contains(&all[0]))
                    .await;
                assert_eq!(failed(client), 0);
            }
        }
        assert_eq!(owners.len(), 3);
    });
}

/// The tasks, the sockets and the handler of the WebRTC stack each hold a handle of the runtime. If no handle is left,
/// they were all dropped.
#[test]
fn a_session_drops_all_its_tasks_and_sockets_at_its_end() {
    run(async {
        let server = server().await;
        let organiser = Client::create(&server, "organiser");
        organiser.until("the client is a member", |state| state.entered.is_some()).await;
        for leaves in [true, false] {
            let path = Lossy::lossless();
            let weak = Arc::downgrade(&path);
            let guest = Client::join_with(&organiser.link(), "guest", backends_over(path));
            guest.until("media flow", |state| state.received.values().any(|received| received.opened > 5)).await;
            assert!(weak.upgrade().is_some());
            if leaves {
                guest.leave();
            } else {
                organiser.remove(guest.me());
            }
            guest.until("the session has ended", |state| state.over.is_some()).await;
            let dropped = async {
                while weak.upgrade().is_some() {
                    tokio::task::yield_now().await;
                }
            };
            assert!(tokio::time::timeout(Duration::from_secs(5), dropped).await.is_ok(), "something holds the session");
        }
    });
}

#[test]
fn a_wrong_certificate_is_the_reason_of_the_failure() {
    run(async {
        let server = server().await;
        let organiser = Client::create(&server, "organiser");
        organiser.until("the client is a member", |state| state.entered.is_some()).await;
        let link: crypto::Invitation = organiser.link().parse().unwrap();
        let wrong = crypto::Invitation { fingerprint: Some(crypto::Fingerprint([7; 16])), ..link };
        let guest = Client::join(&wrong.to_text(), "guest");
        guest
            .until("the client refuses the server", |state| {
                state.over.as_ref().is_some_and(|over| over.contains("certificate"))
            })
            .await;
    });
}

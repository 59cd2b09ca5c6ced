//! The core with real transports at both ends, on a clock of their own.

use super::*;
use crate::bench::{Client, LAYERS, World, camera, id};
use proto::SenderLayers;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A camera (client 0) and `receivers` that are connected.
fn meeting(receivers: usize) -> World {
    let mut world = World::new().expect("the stack starts");
    let camera = world.join();
    world.publish(camera, &LAYERS);
    for _ in 0..receivers {
        let receiver = world.join();
        world.subscribe(receiver, camera);
    }
    assert!(world.run_until(secs(5), |world| world.clients.iter().all(Client::connected)));
    world
}

/// The layers of the packets that a client got: the payload's first byte is how many packets a picture takes.
fn layers(world: &World, index: usize) -> Vec<u8> {
    let layer = |packet: &str0m::rtp::RtpPacket| match packet.payload[0] {
        1 => 0,
        2 => 1,
        _ => 2,
    };
    world.clients[index].received.iter().map(layer).collect()
}

fn told(world: &World, index: usize) -> Vec<Vec<u8>> {
    let spatial = |layers: &SenderLayers| layers.wanted.iter().map(|layer| layer.spatial).collect();
    let heard = world.clients[index].heard.iter();
    heard
        .filter_map(
            |message| if let ServerSignal::SenderLayers { layers } = message { Some(spatial(layers)) } else { None },
        )
        .collect()
}

/// Sequence numbers without a gap or a repetition.
fn continuous(world: &World, index: usize) -> bool {
    let mut numbers: Vec<u64> = world.clients[index].received.iter().map(|packet| *packet.seq_no).collect();
    numbers.sort_unstable();
    numbers.windows(2).all(|pair| pair[1] == pair[0] + 1)
}

#[test]
fn a_small_tile_gets_the_small_layer_and_the_sender_never_hears_of_the_others() {
    let mut world = meeting(2);
    world.wish(1, 0, (320, 180), 30);
    world.wish(2, 0, (320, 180), 30);
    world.send_for(0, secs(2));
    assert_eq!(told(&world, 0), [vec![0]]);
    assert_eq!(world.totals().layers_stopped, 0);
    for receiver in [1, 2] {
        let layers = layers(&world, receiver);
        assert!(layers.len() >= 55, "{}", layers.len());
        assert!(layers.iter().all(|layer| *layer == 0));
        assert!(continuous(&world, receiver));
    }
}

#[test]
fn a_larger_tile_gets_the_large_layer_soon_and_without_a_gap() {
    let mut world = meeting(1);
    world.wish(1, 0, (320, 180), 30);
    world.send_for(0, secs(2));
    let before = world.clients[1].received.len();
    world.wish(1, 0, (1_280, 720), 30);
    assert_eq!(told(&world, 0).last(), Some(&vec![0, 2]), "it starts at once");
    world.send_for(0, Duration::from_millis(500));
    let after = layers(&world, 1).split_off(before);
    assert!(after.contains(&2), "{after:?}");
    world.send_for(0, secs(2));
    assert_eq!(told(&world, 0).last(), Some(&vec![2]));
    assert_eq!(world.totals().layers_stopped, 1);
    assert!(continuous(&world, 1));
    let times: Vec<u32> = world.clients[1].received.iter().map(|packet| packet.header.timestamp).collect();
    assert!(times.is_sorted(), "the camera's own clock");
}

#[test]
fn a_hidden_tile_gets_nothing_and_stops_every_layer() {
    let mut world = meeting(1);
    world.wish(1, 0, (0, 0), 0);
    world.send_for(0, secs(2));
    assert_eq!(told(&world, 0), [vec![0], vec![]], "the smallest one, until it says that it shows nothing");
    assert_eq!(world.totals().layers_stopped, 1);
    assert!(world.clients[1].received.is_empty());
}

#[test]
fn a_slow_tile_gets_fewer_pictures_of_the_same_layer() {
    let mut world = meeting(1);
    world.wish(1, 0, (320, 180), 8);
    world.send_for(0, secs(4));
    let received = world.clients[1].received.len();
    assert!((28..=34).contains(&received), "a quarter of 120: {received}");
    assert!(continuous(&world, 1));
}

#[test]
fn lost_packets_are_sent_again_in_both_directions() {
    let mut world = meeting(1);
    world.wish(1, 0, (320, 180), 30);
    world.send_for(0, secs(2));
    world.clients[1].received.clear();
    world.lose = |number| number.is_multiple_of(30);
    world.send_for(0, secs(3));
    world.lose = |_| false;
    world.send_for(0, secs(1));
    let received = world.clients[1].received.len();
    assert!(received >= 117, "{received} of 120");
}

#[test]
fn key_frames_are_asked_for_at_most_every_300_ms() {
    let mut world = meeting(3);
    (1..=3).for_each(|receiver| world.wish(receiver, 0, (320, 180), 30));
    world.send_for(0, secs(2));
    world.clients[0].asked.clear();
    for _ in 0..20 {
        (1..=3).for_each(|receiver| world.clients[receiver].ask_for_key_frame());
        world.send_for(0, Duration::from_millis(50));
    }
    let asked = world.clients[0].asked.len();
    assert!((2..=4).contains(&asked), "{asked} in a second");
}

#[test]
fn whoever_leaves_gets_and_sends_nothing_more() {
    let mut world = meeting(2);
    world.send_for(0, secs(1));
    world.order(Order::Leave { participant: id(1) });
    let before = world.clients[1].received.len();
    world.send_for(0, secs(1));
    assert_eq!(world.clients[1].received.len(), before);
    world.order(Order::Leave { participant: id(0) });
    let ended = ServerSignal::Tracks { owner: id(0), tracks: vec![] };
    assert_eq!(world.clients[2].heard.last(), Some(&ended));
    let totals = world.totals();
    world.order(Order::Leave { participant: id(2) });
    assert_eq!(world.totals(), totals, "remembered");
    assert!(world.sfu.rooms.is_empty() && world.sfu.peers.is_empty());
    assert!(world.sfu.addresses.is_empty() && world.sfu.users.is_empty());
}

#[test]
fn who_comes_late_hears_what_the_others_send() {
    let mut world = meeting(1);
    let late = world.join();
    let tracks = world.clients[0].published.clone();
    assert_eq!(world.clients[late].heard, [ServerSignal::Tracks { owner: id(0), tracks }]);
}

#[test]
fn a_track_that_is_sent_again_is_received_again() {
    let mut world = meeting(1);
    world.wish(1, 0, (320, 180), 30);
    world.send_for(0, secs(1));
    let published = std::mem::take(&mut world.clients[0].published);
    world.change(0);
    world.clients[0].published = published;
    world.change(0);
    world.clients[1].received.clear();
    world.send_for(0, secs(1));
    assert!(world.clients[1].received.len() > 20);
}

#[test]
fn garbage_is_dropped_and_a_refused_offer_changes_nothing() {
    let mut world = meeting(1);
    world.wish(1, 0, (320, 180), 30);
    let mut seed = 1_u32;
    let mut bytes = [0_u8; 1_600];
    for round in 0..5_000 {
        for byte in &mut bytes {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (seed >> 24) as u8;
        }
        // Begin as STUN, DTLS, RTP and RTCP do, from strangers and from the camera's own address.
        bytes[0] = [0, 22, 0x80, 0x81][round % 4];
        bytes[1] = [1, 254, 0x7f, 200][round % 4];
        let port = if round % 3 == 0 { 10_000 } else { 55 };
        let source = SocketAddr::from(([127, 0, 0, 1], port));
        let length = seed as usize % bytes.len();
        world.sfu.handle_datagram(source, SocketAddr::from(([127, 0, 0, 1], 7_443)), &bytes[..length], world.now);
    }
    for sdp in ["", "v=0", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP 96\r\n"] {
        let offer = ClientSignal::Offer { number: 9, sdp: sdp.into(), published: vec![], subscriptions: vec![] };
        world.signal(0, &offer);
        assert_eq!(world.clients[0].heard.last(), Some(&ServerSignal::OfferRefused { number: 9 }));
    }
    let request = ToSfu::Signal(proto::Blob(vec![0xff; 40]));
    world.sfu.handle_order(Order::Request { participant: id(0), request }, world.now);
    assert_eq!(world.sfu.poll_said(), Some((id(0), Reply::Malformed)));
    world.send_for(0, secs(1));
    assert!(world.clients[1].received.len() > 20, "the meeting goes on");
}

#[test]
fn the_bench_forwards_what_it_says() {
    let load = crate::bench::Load { receivers: 3, length: secs(1) };
    let report = crate::bench::forward(&load).expect("it runs");
    assert!(report.packets_in >= 150 && report.packets_out >= 3 * report.packets_in - 30, "{report:?}");
    assert!(report.packets_per_second() > 100.0);
}

#[test]
fn a_description_that_is_used_again_goes_on_with_its_numbers() {
    let mut world = meeting(1);
    world.send_for(0, secs(1));
    let subscription = world.clients[1].subscriptions.remove(0);
    let next = world.join();
    world.publish(next, &LAYERS);
    world.receive(1, vec![]);
    world.send_for(0, secs(1));
    world.receive(1, vec![subscription.clone()]);
    world.send_for(0, secs(1));
    world.order(Order::Leave { participant: id(0) });
    assert!(world.run_until(secs(5), |world| world.clients[next].connected()));
    let before = world.clients[1].received.len();
    assert!(before > 40, "{before} of the first camera");
    world.receive(1, vec![Subscription { track: camera(next), ..subscription }]);
    world.send_for(next, secs(1));
    assert!(world.clients[1].received.len() > before + 20, "and the other one's");
    assert!(continuous(&world, 1), "no number goes back");
}

//! The limit that a viewer sets for its downlink, and the rate that it remembers of its network. Real transports on a simulated clock.

use super::{concealment, meeting, seconds, secs, show};
use proto::{ClientSignal, DownlinkSettings, ServerSignal};
use std::time::{Duration, Instant};
use tests::impairment::{Fraction, Impairment};
use tests::sfu::{Simulation, id};

/// Returns a meeting whose receiver says this about its downlink, and the time when it began.
fn told(settings: DownlinkSettings, impairment: Impairment) -> (Simulation, Instant) {
    let mut simulation = meeting(0);
    simulation.publish_microphone(0);
    simulation.clients[0].key_frame_factor = 10;
    let receiver = simulation.join();
    simulation.impair(receiver, impairment);
    simulation.clients[receiver].downlink = Some(settings);
    simulation.subscribe(receiver, 0);
    simulation.listen(receiver, 0);
    // The handshake does not count, but all probes do: they begin when it is complete.
    assert!(simulation.run_until(secs(5), |simulation| simulation.clients[1].connected()));
    let start = simulation.now;
    simulation.wish(1, 0, (1_280, 720), 30);
    (simulation, start)
}

fn limited(kilobits: u32) -> DownlinkSettings {
    DownlinkSettings { max_bitrate: Some(kilobits * 1_000), last_bitrate: None }
}

/// Returns the most kbit/s that left the server for client 1 in any second between two times, with headers, padding and probes.
fn largest_second(simulation: &Simulation, from: Instant, to: Instant) -> usize {
    largest_second_with(0, simulation, from, to)
}

/// The same on a path that adds `extra` bytes to each datagram.
fn largest_second_with(extra: usize, simulation: &Simulation, from: Instant, to: Instant) -> usize {
    let sent = &simulation.clients[1].datagrams;
    let in_second = |begin: Instant| {
        let within = sent.iter().filter(|(at, _)| (begin..begin + secs(1)).contains(at));
        within.map(|(_, bytes)| (bytes + extra) * 8).sum::<usize>() / 1_000
    };
    let steps = (to - from).as_millis() / 100;
    (0..u32::try_from(steps).expect("a short simulation"))
        .map(|step| in_second(from + Duration::from_millis(100) * step))
        .max()
        .unwrap_or(0)
}

#[test]
fn no_second_carries_more_than_the_limit_of_its_viewer_with_all_probes() {
    let free = Impairment { delay: Duration::from_millis(2), ..Impairment::default() };
    let lossy = Impairment { loss: Fraction::from_ten_thousandths(500).unwrap(), ..free.clone() };
    for (kilobits, layer) in [(100_u32, 0), (300, 0), (800, 1), (2_500, 2)] {
        for impairment in [free.clone(), lossy.clone()] {
            let (mut simulation, start) = told(limited(kilobits), impairment);
            simulation.send_for(0, secs(20));
            let end = simulation.now;
            let most = largest_second(&simulation, start, end);
            let seconds = seconds(&simulation, 1, start);
            let sound = concealment(&simulation, start + secs(2), start + secs(19));
            show(&format!("limit of {kilobits} kbit/s, at most {most}, {sound:.2?}"), &seconds);
            assert!(most <= kilobits as usize, "{kilobits} kbit/s: {most} in a second");
            // On a narrow downlink there is room for few copies of lost sound. With other losses of 5 %, it is 6 to 9 %.
            let max = if kilobits < 300 { 12.0 } else { 1.5 };
            assert!(sound.percent <= max, "{kilobits} kbit/s: {:.1} % of the sound is concealed", sound.percent);
            let of_layer = seconds[10..].iter().filter(|second| second.layer >= layer && second.pictures >= 10).count();
            assert!(
                of_layer >= 8,
                "{kilobits} kbit/s: {of_layer} of {} seconds with layer {layer}",
                seconds.len() - 10
            );
        }
    }
}

/// TCP, TLS, WebSocket and the length of each datagram take 52 bytes more than UDP. The key frames are large, so that the packets of a
/// whole second wait for the limit.
#[test]
fn a_limit_counts_the_headers_of_the_media_tunnel() {
    for kilobits in [120, 200, 800] {
        let (mut simulation, start) = told(limited(kilobits), Impairment::default());
        simulation.clients[0].key_frame_factor = 40;
        simulation.sfu.set_tunnelled(id(1), true);
        simulation.send_for(0, secs(12));
        let most = largest_second_with(52, &simulation, start, simulation.now);
        assert!(most <= kilobits as usize, "{kilobits} kbit/s: {most} in a second");
        let pictures = seconds(&simulation, 1, start).iter().skip(4).filter(|second| second.pictures >= 5).count();
        assert!(pictures >= 6, "{kilobits} kbit/s: {pictures} seconds with pictures");
    }
}

/// Sound alone is less than the stack fills with padding, of which each packet is mostly headers.
#[test]
fn a_limit_without_room_for_a_picture_is_not_filled_with_padding() {
    let free = Impairment { delay: Duration::from_millis(2), ..Impairment::default() };
    let lossy = Impairment { loss: Fraction::from_ten_thousandths(500).unwrap(), ..free.clone() };
    for (kilobits, extra) in
        [(50, 0), (60, 0), (70, 0), (80, 0), (90, 0), (110, 0), (50, 52), (80, 52), (100, 52), (110, 52)]
    {
        for impairment in [free.clone(), lossy.clone()] {
            let (mut simulation, start) = told(limited(kilobits), impairment);
            simulation.sfu.set_tunnelled(id(1), extra > 0);
            simulation.send_for(0, secs(12));
            // Until its sender knows of the limit, sound alone may be more. It is never stopped.
            let most = largest_second_with(extra, &simulation, start + secs(1), simulation.now);
            let first = largest_second_with(extra, &simulation, start, start + secs(1));
            let sound = concealment(&simulation, start + secs(2), start + secs(11));
            println!(
                "limit of {kilobits} kbit/s, {extra} bytes more: at most {most}, {:.1} % concealed",
                sound.percent
            );
            assert!(most <= kilobits as usize, "{kilobits} kbit/s: {most} in a second");
            assert!(
                first <= (80 + extra * 2 / 5).max(kilobits as usize),
                "{kilobits} kbit/s: {first} in the first second"
            );
            assert!(sound.percent <= 12.0, "{kilobits} kbit/s: {:.1} % of the sound is concealed", sound.percent);
        }
    }
}

/// A limit that leaves no room ends, and the stack looks for bandwidth again.
#[test]
fn pictures_come_when_a_limit_without_room_for_them_ends() {
    let (mut simulation, start) = told(limited(60), Impairment::default());
    simulation.send_for(0, secs(4));
    let narrow = largest_second(&simulation, start + secs(1), simulation.now);
    simulation.clients[1].downlink = None;
    let subscriptions = simulation.clients[1].subscriptions.clone();
    simulation.receive(1, subscriptions);
    simulation.send_for(0, secs(5));
    let from = simulation.now;
    simulation.send_for(0, secs(3));
    let wide = largest_second(&simulation, from, simulation.now);
    let layer = seconds(&simulation, 1, from).last().map(|second| second.layer);
    assert!(narrow <= 60 && wide > 1_000 && layer == Some(2), "{narrow}, then {wide} kbit/s, {layer:?}");
}

#[test]
fn a_new_limit_applies_at_once_and_without_one_the_large_picture_returns() {
    let (mut simulation, start) = told(DownlinkSettings::default(), Impairment::default());
    simulation.send_for(0, secs(6));
    assert!(largest_second(&simulation, start + secs(3), start + secs(6)) > 1_000, "the large picture");
    let mut set = |settings| {
        simulation.clients[1].downlink = settings;
        let subscriptions = simulation.clients[1].subscriptions.clone();
        simulation.receive(1, subscriptions);
        let from = simulation.now;
        simulation.send_for(0, secs(8));
        let rate = largest_second(&simulation, from, simulation.now);
        let last = seconds(&simulation, 1, from + secs(6)).last().map(|second| second.layer);
        (rate, last)
    };
    let (rate, layer) = set(Some(limited(400)));
    assert!(rate <= 400 && layer < Some(2), "{rate} kbit/s, {layer:?}");
    let (rate, layer) = set(None);
    assert!(rate > 1_000 && layer == Some(2), "{rate} kbit/s, {layer:?}");
}

#[test]
fn a_refused_offer_changes_no_limit() {
    let (mut simulation, start) = told(DownlinkSettings::default(), Impairment::default());
    simulation.send_for(0, secs(4));
    let (number, sdp) = (99, "v=0\r\nno session description".to_owned());
    let (published, subscriptions, voices) = (Vec::new(), simulation.clients[1].subscriptions.clone(), Vec::new());
    let downlink = Some(limited(100));
    simulation.signal(1, &ClientSignal::Offer { number, sdp, published, subscriptions, voices, downlink });
    let refused =
        simulation.clients[1].signals.iter().any(|signal| matches!(signal, ServerSignal::OfferRefused { .. }));
    simulation.send_for(0, secs(2));
    let rate = largest_second(&simulation, start + secs(5), start + secs(6));
    assert!(refused && rate > 1_000, "{rate} kbit/s, refused: {refused}");
}

/// Somebody who limits its own downlink, or whose feedback lies, must not make everybody's sound worse than necessary.
#[test]
fn the_limit_of_one_listener_does_not_take_the_sound_from_the_others() {
    let (mut simulation, _) = told(limited(50), Impairment::default());
    let last_limit = |simulation: &Simulation| {
        let mut signals = simulation.clients[0].signals.iter().rev();
        let limit = |signal: &ServerSignal| {
            if let ServerSignal::SoundLoss { max_bitrate, .. } = signal { Some(*max_bitrate) } else { None }
        };
        signals.find_map(limit).flatten()
    };
    simulation.send_for(0, secs(8));
    assert!(last_limit(&simulation).is_some_and(|limit| limit < 20_000), "nobody else listens");
    let other = simulation.join();
    simulation.subscribe(other, 0);
    simulation.listen(other, 0);
    simulation.wish(other, 0, (1_280, 720), 30);
    assert!(simulation.run_until(secs(5), |simulation| simulation.clients[2].connected()));
    simulation.send_for(0, secs(12));
    assert_eq!(last_limit(&simulation), Some(38_000));
}

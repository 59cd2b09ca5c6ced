//! The SFU with real transports at both ends, on a simulated clock.

#[path = "sfu/limits.rs"]
mod limits;
#[path = "sfu/links.rs"]
mod links;
#[path = "sfu/reports.rs"]
mod reports;
#[path = "sfu/resume.rs"]
mod resume;
#[path = "sfu/voices.rs"]
mod voices;

use media::Bitrate;
use proto::{
    Blob, ClientSignal, DemandedLayer, Published, ServerSignal, SpatialLayer, Subscription, ToSfu, TrackDemand,
};
use server::sfu::Command;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tests::bench::forward::{Load, forward};
use tests::impairment::{Fraction, Impairment};
use tests::sfu::{Client, LAYERS, Simulation, camera, id, offer_of};

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Returns a meeting of a camera (client 0) and `receivers` receivers, all connected.
fn meeting(receivers: usize) -> Simulation {
    let mut simulation = Simulation::new().expect("the stack starts");
    let camera = simulation.join();
    simulation.publish(camera, &LAYERS);
    for _ in 0..receivers {
        let receiver = simulation.join();
        simulation.subscribe(receiver, camera);
    }
    assert!(simulation.run_until(secs(5), |simulation| simulation.clients.iter().all(Client::connected)));
    simulation
}

/// Returns the layers of the packets that a client received. The number of packets in a frame shows its layer.
fn layers(simulation: &Simulation, index: usize) -> Vec<u8> {
    let layer = |packet: &str0m::rtp::RtpPacket| match packet.payload[0] {
        1 => 0,
        2 => 1,
        _ => 2,
    };
    simulation.clients[index].received.iter().map(layer).collect()
}

/// Returns the spatial layers in each list of wanted layers that a client received.
fn wanted(simulation: &Simulation, index: usize) -> Vec<Vec<u8>> {
    let spatial = |layers: &TrackDemand| layers.wanted.iter().map(|layer| layer.spatial).collect();
    let signals = simulation.clients[index].signals.iter();
    signals
        .filter_map(
            |signal| if let ServerSignal::TrackDemand { layers } = signal { Some(spatial(layers)) } else { None },
        )
        .collect()
}

/// Returns whether the sequence numbers have neither a gap nor a repetition.
fn continuous(simulation: &Simulation, index: usize) -> bool {
    let mut numbers: Vec<u64> = simulation.clients[index].received.iter().map(|packet| *packet.seq_no).collect();
    numbers.sort_unstable();
    numbers.windows(2).all(|pair| pair[1] == pair[0] + 1)
}

#[test]
fn a_small_tile_gets_the_small_layer_and_no_other_one_is_requested() {
    let mut simulation = meeting(2);
    simulation.wish(1, 0, (320, 180), 30);
    simulation.wish(2, 0, (320, 180), 30);
    simulation.send_for(0, secs(2));
    assert_eq!(wanted(&simulation, 0), [vec![0]]);
    assert_eq!(simulation.totals().layers_stopped, 0);
    for receiver in [1, 2] {
        let layers = layers(&simulation, receiver);
        assert!(layers.len() >= 55, "{}", layers.len());
        assert!(layers.iter().all(|layer| *layer == 0));
        assert!(continuous(&simulation, receiver));
    }
}

#[test]
fn a_larger_tile_gets_the_large_layer_soon_and_without_a_gap() {
    let mut simulation = meeting(1);
    simulation.wish(1, 0, (320, 180), 30);
    simulation.send_for(0, secs(2));
    let before = simulation.clients[1].received.len();
    simulation.wish(1, 0, (1_280, 720), 30);
    assert_eq!(wanted(&simulation, 0).last(), Some(&vec![0, 2]), "the large layer starts at once");
    simulation.send_for(0, Duration::from_millis(500));
    let after = layers(&simulation, 1).split_off(before);
    assert!(after.contains(&2), "{after:?}");
    simulation.send_for(0, secs(2));
    assert_eq!(wanted(&simulation, 0).last(), Some(&vec![2]));
    assert_eq!(simulation.totals().layers_stopped, 1);
    assert!(continuous(&simulation, 1));
    let times: Vec<u32> = simulation.clients[1].received.iter().map(|packet| packet.header.timestamp).collect();
    assert!(times.is_sorted(), "timestamps go back");
}

#[test]
fn a_hidden_tile_gets_nothing_and_stops_every_layer() {
    let mut simulation = meeting(1);
    simulation.wish(1, 0, (0, 0), 0);
    simulation.send_for(0, secs(2));
    assert_eq!(wanted(&simulation, 0), [vec![0], vec![]], "the smallest layer is wanted until the first wishes");
    assert_eq!(simulation.totals().layers_stopped, 1);
    assert!(simulation.clients[1].received.is_empty());
}

#[test]
fn a_tile_of_a_low_frame_rate_gets_fewer_frames_of_the_same_layer() {
    let mut simulation = meeting(1);
    simulation.wish(1, 0, (320, 180), 8);
    simulation.send_for(0, secs(4));
    let received = simulation.clients[1].received.len();
    assert!((28..=34).contains(&received), "a quarter of 120: {received}");
    assert!(continuous(&simulation, 1));
}

#[test]
fn lost_packets_are_sent_again_in_both_directions() {
    let mut simulation = meeting(1);
    simulation.wish(1, 0, (320, 180), 30);
    simulation.send_for(0, secs(2));
    simulation.clients[1].received.clear();
    simulation.loses = |number| number.is_multiple_of(30);
    simulation.send_for(0, secs(3));
    simulation.loses = |_| false;
    simulation.send_for(0, secs(1));
    let received = simulation.clients[1].received.len();
    assert!(received >= 117, "{received} of 120");
}

#[test]
fn key_frames_are_requested_at_most_every_300_ms() {
    let mut simulation = meeting(3);
    (1..=3).for_each(|receiver| simulation.wish(receiver, 0, (320, 180), 30));
    simulation.send_for(0, secs(2));
    simulation.clients[0].key_requests.clear();
    for _ in 0..20 {
        (1..=3).for_each(|receiver| simulation.clients[receiver].request_key_frame());
        simulation.send_for(0, Duration::from_millis(50));
    }
    let requests = simulation.clients[0].key_requests.len();
    assert!((2..=4).contains(&requests), "{requests} in a second");
}

#[test]
fn after_leaving_nothing_is_sent_or_received() {
    let mut simulation = meeting(2);
    simulation.send_for(0, secs(1));
    simulation.command(Command::Leave { participant: id(1) });
    let before = simulation.clients[1].received.len();
    simulation.send_for(0, secs(1));
    assert_eq!(simulation.clients[1].received.len(), before);
    simulation.command(Command::Leave { participant: id(0) });
    let ended = ServerSignal::Tracks { owner: id(0), tracks: vec![] };
    assert_eq!(simulation.clients[2].signals.last(), Some(&ended));
    let totals = simulation.totals();
    simulation.command(Command::Leave { participant: id(2) });
    assert_eq!(simulation.totals(), totals, "totals of an ended meeting are kept");
    assert_eq!(simulation.sfu.size(), (0, 0));
}

#[test]
fn a_new_participant_gets_the_tracks_of_the_others() {
    let mut simulation = meeting(1);
    let late = simulation.join();
    let tracks = simulation.clients[0].published.clone();
    assert_eq!(simulation.clients[late].signals, [ServerSignal::Tracks { owner: id(0), tracks }]);
}

#[test]
fn a_track_that_is_published_again_is_received_again() {
    let mut simulation = meeting(1);
    simulation.wish(1, 0, (320, 180), 30);
    simulation.send_for(0, secs(1));
    let published = std::mem::take(&mut simulation.clients[0].published);
    simulation.change(0);
    simulation.clients[0].published = published;
    simulation.change(0);
    simulation.clients[1].received.clear();
    simulation.send_for(0, secs(1));
    assert!(simulation.clients[1].received.len() > 20);
}

#[test]
fn garbage_is_dropped_and_a_refused_offer_changes_nothing() {
    let mut simulation = meeting(1);
    simulation.wish(1, 0, (320, 180), 30);
    let mut seed = 1_u32;
    let mut bytes = [0_u8; 1_600];
    for round in 0..5_000 {
        for byte in &mut bytes {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (seed >> 24) as u8;
        }
        // Begins like STUN, DTLS, RTP and RTCP, from unknown addresses and from the camera's address.
        bytes[0] = [0, 22, 0x80, 0x81][round % 4];
        bytes[1] = [1, 254, 0x7f, 200][round % 4];
        let port = if round % 3 == 0 { 10_000 } else { 55 };
        let source = SocketAddr::from(([127, 0, 0, 1], port));
        let length = seed as usize % bytes.len();
        simulation.sfu.handle_datagram(
            source,
            SocketAddr::from(([127, 0, 0, 1], 7_443)),
            &bytes[..length],
            simulation.now,
        );
    }
    for sdp in ["", "v=0", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP 96\r\n"] {
        let offer = offer_of(9, sdp, vec![]);
        simulation.signal(0, &offer);
        assert_eq!(simulation.clients[0].signals.last(), Some(&ServerSignal::OfferRefused { number: 9 }));
    }
    let message = ToSfu::Signal(Blob(vec![0xff; 40]));
    simulation.command(Command::Message { participant: id(0), message });
    assert!(simulation.clients[0].malformed);
    simulation.send_for(0, secs(1));
    assert!(simulation.clients[1].received.len() > 20, "the meeting continues");
}

#[test]
fn the_bench_forwards_every_packet_to_every_receiver() {
    let load = Load { receivers: 3, length: secs(1) };
    let report = forward(&load).expect("the benchmark runs");
    assert!(report.packets_in >= 150 && report.packets_out >= 3 * report.packets_in - 30, "{report:?}");
    assert!(report.packets_per_second() > 100.0);
}

#[test]
fn a_media_description_that_is_used_again_continues_its_sequence_numbers() {
    let mut simulation = meeting(1);
    simulation.send_for(0, secs(1));
    let subscription = simulation.clients[1].subscriptions.remove(0);
    let next = simulation.join();
    simulation.publish(next, &LAYERS);
    simulation.receive(1, vec![]);
    simulation.send_for(0, secs(1));
    simulation.receive(1, vec![subscription.clone()]);
    simulation.send_for(0, secs(1));
    simulation.command(Command::Leave { participant: id(0) });
    assert!(simulation.run_until(secs(5), |simulation| simulation.clients[next].connected()));
    let before = simulation.clients[1].received.len();
    assert!(before > 40, "{before} of the first camera");
    simulation.receive(1, vec![Subscription { track: camera(next), ..subscription }]);
    simulation.send_for(next, secs(1));
    assert!(simulation.clients[1].received.len() > before + 20, "and of the second camera");
    assert!(continuous(&simulation, 1), "no number is used twice");
}

/// Sends an offer of client 0 with another session description. Returns whether it was answered.
fn answers(simulation: &mut Simulation, sdp: &str) -> bool {
    simulation.now += secs(1);
    let client = &simulation.clients[0];
    let (published, subscriptions) = (client.published.clone(), client.subscriptions.clone());
    let offer =
        ClientSignal::Offer { number: 9, sdp: sdp.into(), published, subscriptions, voices: vec![], downlink: None };
    simulation.signal(0, &offer);
    match simulation.clients[0].signals.iter().rev().find(|signal| !matches!(signal, ServerSignal::TrackDemand { .. }))
    {
        Some(ServerSignal::Answer { number: 9, .. }) => true,
        Some(ServerSignal::OfferRefused { number: 9 }) => false,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_offer_beyond_a_bound_is_refused_and_the_meeting_continues() {
    let mut simulation = meeting(1);
    simulation.wish(1, 0, (320, 180), 30);
    let sdp = simulation.clients[0].last_offer.clone();
    let channel = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:9\r\na=sctp-port:5000\r\n";
    let sources = |first: u32| -> String {
        let line = |ssrc: u32| format!("a=ssrc:{ssrc} cname:x\r\n");
        (first..first + 50).map(line).collect()
    };
    assert!(!answers(&mut simulation, &format!("{sdp}{channel}")), "a data channel");
    assert!(!answers(&mut simulation, &format!("{sdp}a=simulcast:recv 0{}\r\n", ";1".repeat(9_000))), "streams");
    // Each offer alone is within the bounds.
    let answered =
        (1..=10).filter(|offer| answers(&mut simulation, &format!("{sdp}{}", sources(offer * 1_000)))).count();
    assert!((4..=5).contains(&answered), "{answered} offers of 50 sources each");
    let candidate =
        |number: u32| format!("a=candidate:{number} 1 udp 1 10.1.{}.{} 9 typ host\r\n", number / 250, number % 250);
    let candidates: String = (0..7_000).map(candidate).collect();
    let began = Instant::now();
    for _ in 0..5 {
        assert!(answers(&mut simulation, &format!("{sdp}{candidates}")));
    }
    assert!(began.elapsed() < secs(1), "candidates: {:?}", began.elapsed());
    simulation.clients[1].received.clear();
    simulation.send_for(0, secs(1));
    assert!(simulation.clients[1].received.len() > 20, "the meeting continues");
}

#[test]
fn too_many_offers_are_refused_and_do_not_reach_the_others() {
    let mut simulation = meeting(1);
    let sdp = simulation.clients[0].last_offer.clone();
    let published = simulation.clients[0].published.clone();
    for number in 0..200 {
        let published = if number % 2 == 0 { vec![] } else { published.clone() };
        simulation.signal(0, &offer_of(number, &sdp, published));
    }
    assert!(simulation.clients[0].too_fast);
    let told = simulation.clients[1].signals.iter().filter(|signal| matches!(signal, ServerSignal::Tracks { .. }));
    assert!(told.count() <= 41, "the others were told of each change");
}

#[test]
fn endless_addresses_of_one_client_are_not_answered() {
    let mut simulation = meeting(1);
    let server = SocketAddr::from(([127, 0, 0, 1], 7_443));
    let request = simulation.clients[0].binding_request.clone();
    let mut answered = std::collections::BTreeSet::new();
    for port in 20_000..21_000 {
        let source = SocketAddr::from(([127, 0, 0, 1], port));
        simulation.sfu.handle_datagram(source, server, &request, simulation.now);
        answered.extend(std::iter::from_fn(|| simulation.sfu.poll_transmit()).map(|transmit| transmit.destination));
    }
    assert!((200..=257).contains(&answered.len()), "{} of 1,000 addresses", answered.len());
}

/// A source that is smaller than the encoders accept once ended the meeting of its owner.
#[test]
fn a_track_without_a_layer_or_without_a_size_is_ignored_and_ends_no_connection() {
    let mut simulation = meeting(1);
    let (sdp, complete) = (simulation.clients[0].last_offer.clone(), simulation.clients[0].published.clone());
    let offer = |layers| {
        let published = vec![Published { layers, ..complete[0].clone() }];
        offer_of(9, &sdp, published)
    };
    let without_size = SpatialLayer { width: 0, ..LAYERS[0] };
    for layers in [vec![], vec![without_size], vec![LAYERS[0], without_size]] {
        let told = simulation.clients[1].signals.len();
        simulation.signal(0, &offer(LAYERS.to_vec()));
        simulation.signal(0, &offer(layers));
        let tracks = simulation.clients[1].signals[told..].iter().rev().find_map(|signal| match signal {
            ServerSignal::Tracks { tracks, .. } => Some(tracks.len()),
            ServerSignal::Answer { .. }
            | ServerSignal::TrackDemand { .. }
            | ServerSignal::SoundLoss { .. }
            | ServerSignal::Downlink { .. }
            | ServerSignal::OfferRefused { .. } => None,
        });
        assert_eq!(tracks, Some(0), "the others are told that the camera has ended");
        assert!(!simulation.clients[0].malformed);
    }
    simulation.signal(0, &offer(LAYERS.to_vec()));
    simulation.clients[1].received.clear();
    simulation.receive(1, vec![simulation.clients[1].subscriptions[0].clone()]);
    simulation.send_for(0, secs(1));
    assert!(simulation.clients[1].received.len() > 20, "the meeting continues");
}

/// A second in which a viewer received pictures: their number, and the largest layer.
#[derive(Clone, Copy, Debug, Default)]
struct Second {
    pictures: usize,
    layer: u8,
    kilobits: usize,
}

fn whole_seconds(time: Duration) -> usize {
    usize::try_from(time.as_secs()).expect("a short time")
}

/// Returns what a client received in each second since `start`.
fn seconds(simulation: &Simulation, index: usize, start: Instant) -> Vec<Second> {
    let length = whole_seconds(simulation.now.saturating_duration_since(start));
    let mut seconds = vec![Second::default(); length];
    for packet in &simulation.clients[index].received {
        let at = whole_seconds(packet.timestamp.saturating_duration_since(start));
        let Some(second) = seconds.get_mut(at).filter(|_| packet.timestamp >= start) else { continue };
        second.pictures += usize::from(packet.header.marker);
        second.kilobits += packet.payload.len() / 125;
        let layer = match packet.payload[0] {
            1 => 0,
            2 => 1,
            _ => 2,
        };
        second.layer = second.layer.max(layer);
    }
    seconds
}

fn show(what: &str, seconds: &[Second]) {
    let list: Vec<String> =
        seconds.iter().map(|second| format!("{}/{}:{}", second.pictures, second.layer, second.kilobits)).collect();
    println!("{what}: {}", list.join(" "));
}

/// Speech that did not arrive within [`PLAYOUT_DELAY`], so that the decoder must conceal it.
#[derive(Clone, Copy, Debug)]
struct Concealment {
    percent: f64,
    /// The longest time without sound.
    longest: Duration,
}

/// Returns how much client 1 must conceal of what client 0 said between two times.
fn concealment(simulation: &Simulation, start: Instant, end: Instant) -> Concealment {
    let spoken = simulation.clients[0].spoken();
    let mut missing = vec![true; spoken.len()];
    for (number, at) in &simulation.clients[1].sound {
        let number = usize::try_from(*number).expect("a small number");
        missing[number] = at.saturating_duration_since(spoken[number]) > PLAYOUT_DELAY;
    }
    let (mut total, mut all, mut run, mut longest) = (0, 0, 0, 0);
    for (missing, _) in missing.iter().zip(spoken).filter(|(_, at)| (start..end).contains(*at)) {
        all += 1;
        total += u32::from(*missing);
        run = if *missing { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    Concealment {
        percent: f64::from(total) * 100.0 / f64::from(all.max(1)),
        longest: Duration::from_millis(20) * longest,
    }
}

/// How late a packet of sound may be: the jitter buffer has adapted to a queue of 200 ms.
const PLAYOUT_DELAY: Duration = Duration::from_millis(300);

/// Returns a meeting whose receiver shows the camera in a large tile and hears the microphone over an impaired downlink, and
/// the time when it began.
fn impaired(impairment: Impairment) -> (Simulation, Instant) {
    let mut simulation = meeting(0);
    simulation.publish_microphone(0);
    simulation.clients[0].key_frame_factor = 10;
    let receiver = simulation.join();
    simulation.impair(receiver, impairment);
    simulation.subscribe(receiver, 0);
    simulation.listen(receiver, 0);
    assert!(simulation.run_until(secs(5), |simulation| simulation.clients[1].connected()));
    simulation.wish(1, 0, (1_280, 720), 30);
    let start = simulation.now;
    (simulation, start)
}

/// Sends a camera and a voice over a link of `kilobits`. Returns the goals that are missed.
fn shortcomings(kilobits: u64, pictures: usize, layer: u8) -> Vec<String> {
    let (mut simulation, start) = impaired(Impairment::limited(Bitrate::kbps(kilobits)));
    simulation.send_for(0, secs(30));
    let seconds = seconds(&simulation, 1, start);
    assert_eq!(seconds.len(), 30);
    // In the first seconds the rate of the link is not known.
    let sound = concealment(&simulation, start + secs(3), start + secs(29));
    let keys = simulation.clients[0].key_requests.len();
    show(&format!("{kilobits} kbit/s, {keys} key frames, {sound:.2?}"), &seconds);
    let still = seconds[2..].iter().filter(|second| second.pictures < 12).count();
    let mean = seconds.iter().map(|second| second.pictures).sum::<usize>() / seconds.len();
    let of_layer = seconds[15..].iter().filter(|second| second.layer >= layer).count();
    let goals = [
        (still == 0, format!("{still} seconds without a moving picture")),
        (mean >= pictures, format!("{mean} pictures a second")),
        (of_layer >= 10, format!("{of_layer} of the last 15 seconds with layer {layer}")),
        (sound.percent <= 1.0, format!("{:.1} % of the sound is concealed", sound.percent)),
        (keys <= 12, format!("{keys} key frames")),
    ];
    let missed = goals.into_iter().filter(|(met, _)| !met);
    missed.map(|(_, what)| format!("{kilobits} kbit/s: {what}")).collect()
}

#[test]
fn a_narrow_downlink_carries_a_moving_picture_and_sound_in_every_second() {
    let links = [(150, 15, 0), (300, 20, 0), (500, 24, 1), (800, 24, 1), (1_500, 26, 2)];
    let missed: Vec<String> =
        links.into_iter().flat_map(|(kilobits, pictures, layer)| shortcomings(kilobits, pictures, layer)).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

/// Returns the demand for the smallest layer in the last `TrackDemand` that client 0 got.
fn last_demand(simulation: &Simulation) -> DemandedLayer {
    let wanted = simulation.clients[0].signals.iter().rev().find_map(|signal| {
        let ServerSignal::TrackDemand { layers } = signal else { return None };
        layers.wanted.first().copied()
    });
    wanted.expect("a layer is wanted")
}

#[test]
fn a_sender_reduces_a_layer_to_what_the_downlink_of_its_only_viewer_carries() {
    let (mut simulation, _) = impaired(Impairment::limited(Bitrate::kbps(150)));
    simulation.send_for(0, secs(10));
    let limit = last_demand(&simulation).max_bitrate.expect("the layer is limited");
    // Speech takes 37 kbit/s.
    assert!((60_000..120_000).contains(&limit), "{limit}");
    let wide = simulation.join();
    simulation.subscribe(wide, 0);
    simulation.wish(wide, 0, (320, 180), 30);
    simulation.send_for(0, secs(3));
    assert_eq!(last_demand(&simulation).max_bitrate, None, "another viewer has room for all of it");
}

#[test]
fn a_viewer_on_a_wide_link_soon_gets_the_largest_layer_at_its_full_bitrate() {
    let (mut simulation, start) = impaired(Impairment::limited(Bitrate::kbps(10_000)));
    simulation.send_for(0, secs(5));
    let largest = simulation.clients[1].received.iter().find(|packet| packet.payload[0] > 2).expect("it arrives");
    let after = largest.timestamp - start;
    assert!(after < Duration::from_millis(300), "{after:?}");
    let seconds = seconds(&simulation, 1, start);
    show("10 Mbit/s", &seconds);
    assert!(seconds[3..].iter().all(|second| second.kilobits > 1_400));
}

#[test]
fn a_dip_of_the_link_stops_the_picture_for_a_moment_only_and_the_large_one_returns() {
    let (mut simulation, start) = impaired(Impairment::limited(Bitrate::kbps(10_000)));
    simulation.send_for(0, secs(10));
    simulation.impair(1, Impairment::limited(Bitrate::kbps(300)));
    simulation.send_for(0, secs(15));
    simulation.impair(1, Impairment::limited(Bitrate::kbps(10_000)));
    simulation.send_for(0, secs(10));
    let seconds = seconds(&simulation, 1, start);
    let sound = concealment(&simulation, start, start + secs(34));
    show(&format!("10, 0.3, 10 Mbit/s, {sound:.2?}"), &seconds);
    assert!(sound.percent <= 3.0 && sound.longest <= secs(1), "{sound:?}");
    let times =
        simulation.clients[1].received.iter().filter(|packet| packet.header.marker).map(|packet| packet.timestamp);
    let times: Vec<Instant> = times.filter(|at| *at >= start).collect();
    let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max().expect("pictures arrive");
    assert!(longest < Duration::from_millis(1_500), "still for {longest:?}");
    assert!(seconds[11..25].iter().all(|second| second.pictures >= 12));
    assert!(seconds[32..].iter().all(|second| second.layer == 2 && second.kilobits > 1_150), "regained after 7 s");
}

#[test]
fn a_receiver_for_which_a_key_frame_waits_gets_no_further_one() {
    let (mut simulation, _) = impaired(Impairment::limited(Bitrate::kbps(200)));
    // No other layer is wanted when the link is found to be narrow.
    simulation.wish(1, 0, (320, 180), 30);
    // A key frame of 25 kilobytes: it waits for more than a second.
    simulation.clients[0].key_frame_factor = 40;
    simulation.send_for(0, Duration::from_millis(200));
    let before = simulation.clients[0].key_requests.len();
    for _ in 0..3 {
        simulation.clients[1].request_key_frame();
        simulation.send_for(0, Duration::from_millis(100));
    }
    assert_eq!(simulation.clients[0].key_requests.len(), before);
}

fn ten_percent() -> Fraction {
    Fraction::from_ten_thousandths(1_000).expect("at most all")
}

#[test]
fn lost_packets_without_congestion_do_not_reduce_the_picture() {
    let (mut simulation, start) =
        impaired(Impairment { delay: Duration::from_millis(1), loss: ten_percent(), ..Impairment::default() });
    simulation.send_for(0, secs(20));
    let seconds = seconds(&simulation, 1, start);
    show("loss of 10 %", &seconds);
    assert!(seconds[3..].iter().all(|second| second.layer == 2 && second.pictures >= 28));
}

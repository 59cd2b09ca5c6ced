//! Voices: whose is forwarded in a large meeting, and whose picture is the only one on a narrow link.

use super::{answers, meeting, secs};
use media::Bitrate;
use proto::{ClientSignal, Kind, MAX_SHARED_VOICES, Published, Slot, Subscription, TileWish, TrackId};
use std::time::Duration;
use tests::impairment::Impairment;
use tests::sfu::{Client, LAYERS, Simulation, camera, id};

#[test]
fn sound_beyond_its_limit_is_not_forwarded() {
    let mut simulation = meeting(1);
    // The packets of the camera, called sound.
    let published = &mut simulation.clients[0].published[0];
    let mid = published.mid.clone();
    *published = Published { slot: Slot::Microphone, kind: Kind::Audio, mid, layers: vec![] };
    let sdp = simulation.clients[0].last_offer.clone();
    assert!(answers(&mut simulation, &sdp));
    let mid = simulation.clients[1].subscriptions[0].mid.clone();
    let track = TrackId { owner: id(0), slot: Slot::Microphone };
    simulation.receive(1, vec![Subscription { mid, track }]);
    for _ in 0..200 {
        for _ in 0..4 {
            simulation.clients[0].send_frame(simulation.now);
        }
        simulation.step(Duration::from_millis(10));
    }
    let (sent, received) = (simulation.totals().packets_in, &simulation.clients[1].received);
    let bytes: usize = received.iter().map(|packet| packet.payload.len()).sum();
    assert!(sent > 700, "{sent} packets sent");
    assert!((60_000..110_000).contains(&bytes), "{bytes} bytes of sound in two seconds");
}

/// Returns a meeting of a listener (client 0), which receives whoever speaks on shared descriptions, and `speakers` others with a
/// microphone.
fn shared(speakers: usize) -> Simulation {
    let mut simulation = meeting(0);
    simulation.share_voices(0, MAX_SHARED_VOICES);
    for _ in 0..speakers {
        let speaker = simulation.join();
        simulation.publish_microphone(speaker);
    }
    assert!(simulation.run_until(secs(5), |simulation| simulation.clients.iter().all(Client::connected)));
    simulation
}

/// Lets these clients speak for `milliseconds`.
fn speak(simulation: &mut Simulation, speakers: &[usize], milliseconds: u64) {
    for _ in 0..milliseconds / 20 {
        for speaker in speakers {
            simulation.clients[*speaker].speak(simulation.now);
        }
        simulation.step(Duration::from_millis(20));
    }
}

/// Returns how many packets of a voice the listener has received, and the number of the first one.
fn heard(simulation: &Simulation, speaker: usize) -> (usize, Option<u32>) {
    let of_speaker = simulation.clients[0].voices_heard.iter().filter(|(owner, _)| *owner == id(speaker));
    (of_speaker.clone().count(), of_speaker.map(|(_, number)| *number).min())
}

#[test]
fn whoever_speaks_in_a_large_meeting_is_heard_from_the_first_packet_on() {
    let mut simulation = shared(14);
    for speaker in 1..15 {
        speak(&mut simulation, &[speaker], 600);
        speak(&mut simulation, &[], 300);
    }
    for speaker in 1..15 {
        assert_eq!(heard(&simulation, speaker), (30, Some(0)), "speaker {speaker}");
    }
    let mids = simulation.clients[0].voices.len();
    assert_eq!((mids, simulation.clients[0].subscriptions.len()), (MAX_SHARED_VOICES, 0));
}

/// The listener's loss of packets to a lying client is bounded by the slot of that client.
#[test]
fn clients_that_always_set_the_bit_do_not_silence_who_speaks() {
    let mut simulation = shared(MAX_SHARED_VOICES + 2);
    let liars: Vec<usize> = (1..=MAX_SHARED_VOICES).collect();
    speak(&mut simulation, &liars, 3_000);
    let (first, second) = (MAX_SHARED_VOICES + 1, MAX_SHARED_VOICES + 2);
    let all: Vec<usize> = (1..=first).collect();
    speak(&mut simulation, &all, 2_000);
    let (count, number) = heard(&simulation, first);
    assert!(count >= 92 && number.is_some_and(|number| number <= 8), "{count} of 100, from {number:?} on");
    // One of the liars has lost its slot, and each of the others has one.
    let of_liars: Vec<usize> = liars.iter().map(|liar| heard(&simulation, *liar).0).collect();
    assert!(of_liars.iter().all(|count| (150..=250).contains(count)), "{of_liars:?}");
    let all: Vec<usize> = (1..=second).collect();
    speak(&mut simulation, &all, 1_000);
    assert!(heard(&simulation, second).0 >= 42, "{:?}", heard(&simulation, second));
}

#[test]
fn sound_without_the_bit_takes_no_slot_of_those_who_speak() {
    let mut simulation = shared(MAX_SHARED_VOICES + 1);
    let speakers: Vec<usize> = (1..=MAX_SHARED_VOICES).collect();
    speak(&mut simulation, &speakers, 200);
    simulation.clients[MAX_SHARED_VOICES + 1].voice = false;
    let all: Vec<usize> = (1..=MAX_SHARED_VOICES + 1).collect();
    speak(&mut simulation, &all, 2_000);
    assert_eq!(heard(&simulation, MAX_SHARED_VOICES + 1).0, 0);
    assert!(speakers.iter().all(|speaker| heard(&simulation, *speaker).0 == 110));
}

#[test]
fn a_late_retransmission_takes_no_slot() {
    let mut simulation = shared(MAX_SHARED_VOICES + 1);
    speak(&mut simulation, &[1], 100);
    let skipped = simulation.clients[1].skip_sound();
    speak(&mut simulation, &[1], 100);
    speak(&mut simulation, &[], 700);
    let others: Vec<usize> = (2..=MAX_SHARED_VOICES + 1).collect();
    speak(&mut simulation, &others, 300);
    speak(&mut simulation, &[], 700);
    let now = simulation.now;
    simulation.clients[1].send_late_sound(skipped, now);
    speak(&mut simulation, &[], 100);
    assert_eq!(heard(&simulation, 1).0, 10, "its slot belongs to another one");
    // Noise takes no slot, so it is heard only if its sender has kept one.
    for speaker in &others {
        simulation.clients[*speaker].voice = false;
    }
    speak(&mut simulation, &others, 100);
    assert!(others.iter().all(|speaker| heard(&simulation, *speaker) == (20, Some(0))), "each has its slot");
    speak(&mut simulation, &[1], 100);
    assert_eq!(heard(&simulation, 1).0, 15, "it speaks again");
}

#[test]
fn a_listener_that_shares_gets_its_own_description_back_and_numbers_go_on() {
    let mut simulation = shared(2);
    speak(&mut simulation, &[1, 2], 400);
    let mid = simulation.clients[0].voices[0].clone();
    let sdp = simulation.clients[0].last_offer.clone();
    let track = TrackId { owner: id(2), slot: Slot::Microphone };
    let subscriptions = vec![Subscription { mid, track }];
    simulation.signal(
        0,
        &ClientSignal::Offer { number: 99, sdp, published: vec![], subscriptions, voices: vec![], downlink: None },
    );
    let before = simulation.clients[0].sound.len();
    speak(&mut simulation, &[1, 2], 400);
    assert_eq!(simulation.clients[0].sound.len() - before, 20, "only the voice of client 2");
    assert_eq!((heard(&simulation, 1).0, heard(&simulation, 2).0), (20, 20), "packets on it name nobody");
}

#[test]
fn who_speaks_takes_the_slot_of_noise_with_the_first_packet() {
    let mut simulation = shared(MAX_SHARED_VOICES + 1);
    let noise: Vec<usize> = (1..=MAX_SHARED_VOICES).collect();
    for client in &noise {
        simulation.clients[*client].voice = false;
    }
    speak(&mut simulation, &noise, 1_000);
    let all: Vec<usize> = (1..=MAX_SHARED_VOICES + 1).collect();
    speak(&mut simulation, &all, 400);
    assert_eq!(heard(&simulation, MAX_SHARED_VOICES + 1), (20, Some(0)));
}

#[test]
fn a_listener_does_not_hear_itself_and_another_offer_of_the_same_descriptions_changes_nothing() {
    let mut simulation = shared(2);
    simulation.publish_microphone(0);
    speak(&mut simulation, &[0, 1], 400);
    let (sdp, published) = (simulation.clients[0].last_offer.clone(), simulation.clients[0].published.clone());
    let voices = simulation.clients[0].voices.clone();
    simulation
        .signal(0, &ClientSignal::Offer { number: 99, sdp, published, subscriptions: vec![], voices, downlink: None });
    speak(&mut simulation, &[0, 1], 400);
    assert_eq!((heard(&simulation, 0).0, heard(&simulation, 1)), (0, (40, Some(0))));
}

/// Returns the cameras of which a viewer has received pictures in the last `milliseconds`.
fn shown(simulation: &Simulation, viewer: usize, milliseconds: u64) -> Vec<usize> {
    let since = simulation.now.checked_sub(Duration::from_millis(milliseconds)).expect("the simulation is longer");
    let recent = simulation.clients[viewer].received.iter().filter(|packet| packet.timestamp >= since);
    let mut cameras: Vec<usize> = recent.map(|packet| usize::from(packet.payload[1])).collect();
    cameras.sort_unstable();
    cameras.dedup();
    cameras
}

#[test]
fn on_a_narrow_link_the_only_picture_is_that_of_who_speaks() {
    let mut simulation = meeting(0);
    simulation.publish_microphone(0);
    let other = simulation.join();
    simulation.publish(other, &LAYERS);
    simulation.publish_microphone(other);
    let viewer = simulation.join();
    simulation.impair(viewer, Impairment::limited(Bitrate::kbps(110)));
    for speaker in [0, other] {
        simulation.clients[speaker].mark = u8::try_from(speaker).unwrap();
        simulation.subscribe(viewer, speaker);
        simulation.listen(viewer, speaker);
    }
    let tile = |owner| {
        let track = camera(owner);
        TileWish { track, width: 320, height: 180, frames_per_second: 30, priority: 1, hidden: false }
    };
    simulation.signal(viewer, &ClientSignal::Wishes { tiles: vec![tile(0), tile(other)] });
    assert!(simulation.run_until(secs(5), |simulation| simulation.clients.iter().all(Client::connected)));
    let mut shown_of = Vec::new();
    for speaker in [0, other, 0, other] {
        for frame in 0..300 {
            for sender in [0, other] {
                simulation.clients[sender].send_frame(simulation.now);
            }
            for _ in 0..if frame % 3 == 0 { 1 } else { 2 } {
                simulation.clients[speaker].speak(simulation.now);
                simulation.step(Duration::from_millis(20));
            }
        }
        shown_of.push(shown(&simulation, viewer, 3_000));
    }
    assert_eq!(shown_of[1..], [vec![other], vec![0], vec![other]], "{shown_of:?}");
}

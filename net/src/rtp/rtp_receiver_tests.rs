use super::*;
use crate::rtp::descriptor::{Describer, Part, Shape};
use crate::rtp::packetize::Extensions;
use std::time::Duration;

const DESCRIPTOR: u8 = 5;

fn section(mid: &str, ssrc: u32) -> Section {
    let extensions = Extensions { descriptor: Some(DESCRIPTOR), ..Extensions::default() };
    let source = Some(Source { ssrc, repair: Some(ssrc + 1) });
    Section { mid: mid.into(), payload_types: vec![102], extensions, source }
}

fn packet(ssrc: u32, sequence: u16, descriptor: Vec<u8>, payload: &[u8]) -> rtp::Packet {
    let mut header = rtp::Header { version: 2, ssrc, sequence_number: sequence, ..rtp::Header::default() };
    header.set_extension(DESCRIPTOR, descriptor.into()).unwrap();
    rtp::Packet { header, payload: Bytes::copy_from_slice(payload) }
}

/// The descriptors of a key frame and of frames behind it, one packet each.
fn descriptors(count: usize) -> Vec<Vec<u8>> {
    let mut describer = Describer::new(0, Shape::L1T1);
    let part = Part { first: true, last: true };
    (0..count)
        .map(|index| {
            let frame = describer.describe(Layer::default(), index == 0, Size::new(16, 16)).unwrap();
            describer.bytes(&frame, part)
        })
        .collect()
}

fn rtp_receiver() -> RtpReceiver {
    let mut rtp_receiver = RtpReceiver::new(BufferPool::new(2));
    rtp_receiver.declare(&[section("3", 700)]);
    rtp_receiver
}

#[test]
fn a_repaired_packet_fills_its_gap_and_is_not_asked_for_again() {
    let (mut rtp_receiver, now) = (rtp_receiver(), Instant::now());
    let (sender, receiver) = media::bounded(10_000);
    assert!(rtp_receiver.assign("3", Slot::Camera, Kind::Video, sender, now));
    let told = descriptors(3);
    rtp_receiver.handle_packet(packet(700, 10, told[0].clone(), b"key"), now);
    rtp_receiver.handle_packet(packet(700, 12, told[2].clone(), b"third"), now);
    let later = now + Duration::from_millis(10);
    assert_eq!(rtp_receiver.poll_requests(later), [Request::Again(700, vec![11])]);
    rtp_receiver.handle_packet(packet(701, 1, told[1].clone(), b"\x00\x0bsecond"), later);
    assert!(rtp_receiver.poll_requests(later + Duration::from_secs(1)).is_empty());
    let frames: Vec<_> = std::iter::from_fn(|| receiver.try_recv()).map(|frame| frame.bytes.to_vec()).collect();
    assert_eq!(frames, [&b"key"[..], b"second", b"third"]);
    assert_eq!((rtp_receiver.counts().packets, rtp_receiver.counts().repaired), (3, 1));
}

#[test]
fn a_reader_that_stops_costs_its_own_frames_only() {
    let (mut rtp_receiver, now) = (rtp_receiver(), Instant::now());
    rtp_receiver.declare(&[section("4", 800)]);
    let (stopped, idle) = media::bounded(4);
    let (live, reader) = media::bounded(10_000);
    rtp_receiver.assign("3", Slot::Camera, Kind::Video, stopped, now);
    rtp_receiver.assign("4", Slot::Camera, Kind::Video, live, now);
    for (sequence, descriptor) in (0u16..).zip(descriptors(20)) {
        rtp_receiver.handle_packet(packet(700, sequence, descriptor.clone(), b"frame"), now);
        rtp_receiver.handle_packet(packet(800, sequence, descriptor, b"frame"), now);
    }
    assert_eq!(std::iter::from_fn(|| idle.try_recv()).count(), 1);
    assert_eq!(std::iter::from_fn(|| reader.try_recv()).count(), 20);
    assert_eq!(rtp_receiver.counts().overflowed, 1);
    assert_eq!(rtp_receiver.poll_requests(now), [Request::KeyFrame(700)]);
}

#[test]
fn a_track_whose_reader_has_ended_asks_for_no_key_frames() {
    let (mut rtp_receiver, now) = (rtp_receiver(), Instant::now());
    let (sender, receiver) = media::bounded(10_000);
    rtp_receiver.assign("3", Slot::Camera, Kind::Video, sender, now);
    drop(receiver);
    for (sequence, descriptor) in (0u16..).zip(descriptors(5)) {
        rtp_receiver.handle_packet(packet(700, sequence, descriptor, b"frame"), now);
    }
    assert!(rtp_receiver.poll_requests(now + Duration::from_secs(1)).is_empty());
}

#[test]
fn a_stuck_reader_asks_until_a_key_frame_comes() {
    let (mut rtp_receiver, now) = (rtp_receiver(), Instant::now());
    let (sender, _receiver) = media::bounded(10_000);
    rtp_receiver.assign("3", Slot::Camera, Kind::Video, sender, now);
    let told = descriptors(2);
    rtp_receiver.handle_packet(packet(700, 1, told[0].clone(), b"key"), now);
    assert!(rtp_receiver.poll_requests(now).is_empty());
    rtp_receiver.want_key_frame("3");
    assert_eq!(rtp_receiver.poll_requests(now), [Request::KeyFrame(700)]);
    rtp_receiver.handle_packet(packet(700, 2, told[1].clone(), b"next"), now);
    let later = now + Duration::from_secs(1);
    assert_eq!(rtp_receiver.poll_requests(later), [Request::KeyFrame(700)]);
    rtp_receiver.handle_packet(packet(700, 3, told[0].clone(), b"key"), later);
    assert!(rtp_receiver.poll_requests(later + Duration::from_secs(1)).is_empty());
}

#[test]
fn what_belongs_to_nobody_is_counted() {
    let (mut rtp_receiver, now) = (rtp_receiver(), Instant::now());
    for _ in 0..=MAX_EARLY {
        rtp_receiver.handle_packet(packet(9, 1, vec![0], b"x"), now);
    }
    rtp_receiver.handle_packet(packet(701, 1, vec![0], b"x"), now);
    rtp_receiver.handle_packet(packet(700, 1, vec![0], b""), now);
    rtp_receiver.handle_packet(packet(700, 1, vec![0], b"nobody reads"), now);
    assert_eq!(rtp_receiver.counts(), Counts { packets: 1, strange: 2, ..Counts::default() });
    assert!(!rtp_receiver.assign("none", Slot::Camera, Kind::Video, media::bounded(1).0, now));
}

#[test]
fn media_that_overtakes_the_answer_is_kept() {
    let (mut rtp_receiver, now) = (RtpReceiver::new(BufferPool::new(2)), Instant::now());
    let (sender, receiver) = media::bounded(10_000);
    for (sequence, descriptor) in (0u16..).zip(descriptors(3)) {
        rtp_receiver.handle_packet(packet(700, sequence, descriptor, b"frame"), now);
    }
    rtp_receiver.declare(&[section("3", 700)]);
    rtp_receiver.assign("3", Slot::Camera, Kind::Video, sender, now);
    assert_eq!(std::iter::from_fn(|| receiver.try_recv()).count(), 3);
    assert_eq!(rtp_receiver.counts().strange, 0);
}

#[test]
fn sound_is_one_packet_a_frame() {
    let (mut rtp_receiver, now) = (rtp_receiver(), Instant::now());
    let (sender, receiver) = media::bounded(10_000);
    rtp_receiver.assign("3", Slot::Microphone, Kind::Audio, sender, now);
    for sequence in [65_535, 1, 0] {
        rtp_receiver.handle_packet(packet(700, sequence, vec![0], b"opus"), now);
    }
    let numbers: Vec<_> = std::iter::from_fn(|| receiver.try_recv()).map(|sound| sound.sequence).collect();
    assert_eq!((numbers[1] - numbers[0], numbers[2] - numbers[0]), (2, 1));
    assert_eq!(rtp_receiver.poll_timeout(), None);
}

#[test]
fn a_server_that_invents_sources_in_each_answer_is_not_followed_for_ever() {
    let (mut rtp_receiver, now) = (rtp_receiver(), Instant::now());
    for answer in 0..100u32 {
        let invented: Vec<_> = (0..1_000)
            .map(|source| section(&format!("invented {source}"), 1_000 + answer * 2_000 + 2 * source))
            .collect();
        rtp_receiver.declare(&invented);
        rtp_receiver.declare(&[section("3", 700)]);
    }
    assert!(rtp_receiver.streams.len() <= MAX_STREAMS && rtp_receiver.repairs.len() <= MAX_STREAMS);
    let (sender, receiver) = media::bounded(10_000);
    assert!(rtp_receiver.assign("3", Slot::Camera, Kind::Video, sender, now), "what is known goes on");
    rtp_receiver.handle_packet(packet(700, 10, descriptors(1)[0].clone(), b"key"), now);
    assert!(receiver.try_recv().is_some());
}

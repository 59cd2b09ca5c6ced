//! Tests with the streams of a session and a simulated clock.

use super::*;
use crate::rtp::packetize::Extensions;
use proto::descriptor::{DescriptorWriter, PacketPosition, Resolution, ScalabilityMode};
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

/// Returns the descriptors of a key frame and the frames after it, one packet each.
fn descriptors(count: usize) -> Vec<Vec<u8>> {
    let mut writer = DescriptorWriter::new(0, ScalabilityMode::L1T1);
    let position = PacketPosition { first: true, last: true };
    let key = writer.key_frame(Resolution { width: 16, height: 16 });
    let mut descriptors = vec![writer.bytes(&key, position)];
    for _ in 1..count {
        let frame = writer.delta_frame(0).unwrap();
        descriptors.push(writer.bytes(&frame, position));
    }
    descriptors
}

fn rtp_receiver() -> RtpReceiver {
    let mut rtp_receiver = RtpReceiver::new(BufferPool::new(2));
    rtp_receiver.declare(&[section("3", 700)]);
    rtp_receiver
}

#[test]
fn a_retransmitted_packet_completes_its_frame_and_is_not_requested_again() {
    let (mut rtp_receiver, now) = (rtp_receiver(), Instant::now());
    let (sender, receiver) = media::bounded(10_000);
    assert!(rtp_receiver.assign("3", Slot::Camera, Kind::Video, sender, now));
    let descriptors = descriptors(3);
    rtp_receiver.handle_packet(packet(700, 10, descriptors[0].clone(), b"key"), now);
    rtp_receiver.handle_packet(packet(700, 12, descriptors[2].clone(), b"third"), now);
    let later = now + Duration::from_millis(10);
    assert_eq!(rtp_receiver.poll_requests(later), [Request::Nack(700, vec![11])]);
    rtp_receiver.handle_packet(packet(701, 1, descriptors[1].clone(), b"\x00\x0bsecond"), later);
    assert!(rtp_receiver.poll_requests(later + Duration::from_secs(1)).is_empty());
    let frames: Vec<_> = std::iter::from_fn(|| receiver.try_recv()).map(|frame| frame.bytes.to_vec()).collect();
    assert_eq!(frames, [&b"key"[..], b"second", b"third"]);
    assert_eq!((rtp_receiver.counts().packets, rtp_receiver.counts().repaired), (3, 1));
}

#[test]
fn a_request_is_repeated_after_a_round_trip_as_it_was_measured() {
    let (mut rtp_receiver, start) = (rtp_receiver(), Instant::now());
    let (sender, receiver) = media::bounded(10_000);
    assert!(rtp_receiver.assign("3", Slot::Camera, Kind::Video, sender, start));
    let descriptors = descriptors(200);
    let at = |ms: u64| start + Duration::from_millis(ms);
    // The path takes 30 ms each way. Each tenth packet is lost, and the first request for each 40th one.
    let (mut requests, mut answers): (u64, Vec<(u64, u16)>) = (0, Vec::new());
    for ms in 0..8_000 {
        if ms % 33 == 0 && ms / 33 < 200 && (ms / 33) % 10 != 5 {
            let number = u16::try_from(ms / 33).unwrap();
            rtp_receiver.handle_packet(packet(700, number, descriptors[usize::from(number)].clone(), b"frame"), at(ms));
        }
        for (_, number) in answers.extract_if(.., |(due, _)| *due == ms) {
            let payload = [&number.to_be_bytes()[..], b"frame"].concat();
            rtp_receiver.handle_packet(packet(701, 1, descriptors[usize::from(number)].clone(), &payload), at(ms));
        }
        for request in rtp_receiver.poll_requests(at(ms)) {
            let Request::Nack(700, missing) = request else { panic!("{request:?}") };
            for number in missing {
                requests += 1;
                if number % 40 != 5 || requests % 2 == 0 {
                    answers.push((ms + 60, number));
                }
            }
        }
    }
    assert_eq!(std::iter::from_fn(|| receiver.try_recv()).count(), 200, "every frame is complete");
    // Twice in each round trip, because it is long.
    assert!((40..56).contains(&requests), "{requests} requests for 20 lost packets");
}

#[test]
fn a_lost_packet_of_sound_is_requested_and_its_retransmission_is_read() {
    let (mut rtp_receiver, now) = (rtp_receiver(), Instant::now());
    let (sender, receiver) = media::bounded(10_000);
    assert!(rtp_receiver.assign("3", Slot::Microphone, Kind::Audio, sender, now));
    for sequence in [10, 12] {
        rtp_receiver.handle_packet(packet(700, sequence, Vec::new(), b"sound"), now);
    }
    let due = rtp_receiver.poll_timeout().expect("a packet is missing");
    assert!(due <= now + Duration::from_millis(10));
    assert_eq!(rtp_receiver.poll_requests(due), [Request::Nack(700, vec![11])]);
    rtp_receiver.handle_packet(packet(701, 1, Vec::new(), b"\x00\x0blost"), due);
    assert_eq!(rtp_receiver.poll_timeout(), None);
    let frames: Vec<_> =
        std::iter::from_fn(|| receiver.try_recv()).map(|frame| (frame.sequence, frame.bytes.len())).collect();
    let first = frames[0].0;
    assert_eq!(frames, [(first, 5), (first + 2, 5), (first + 1, 4)]);
}

#[test]
fn a_reader_that_stops_loses_frames_of_its_own_track_only() {
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
fn a_track_whose_reader_was_dropped_requests_no_key_frames() {
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
fn a_decoder_that_needs_a_key_frame_requests_it_until_it_arrives() {
    let (mut rtp_receiver, now) = (rtp_receiver(), Instant::now());
    let (sender, _receiver) = media::bounded(10_000);
    rtp_receiver.assign("3", Slot::Camera, Kind::Video, sender, now);
    let descriptors = descriptors(2);
    rtp_receiver.handle_packet(packet(700, 1, descriptors[0].clone(), b"key"), now);
    assert!(rtp_receiver.poll_requests(now).is_empty());
    rtp_receiver.want_key_frame("3");
    assert_eq!(rtp_receiver.poll_requests(now), [Request::KeyFrame(700)]);
    rtp_receiver.handle_packet(packet(700, 2, descriptors[1].clone(), b"next"), now);
    let later = now + Duration::from_secs(1);
    assert_eq!(rtp_receiver.poll_requests(later), [Request::KeyFrame(700)]);
    rtp_receiver.handle_packet(packet(700, 3, descriptors[0].clone(), b"key"), later);
    assert!(rtp_receiver.poll_requests(later + Duration::from_secs(1)).is_empty());
}

#[test]
fn packets_of_unknown_streams_are_counted() {
    let (mut rtp_receiver, now) = (rtp_receiver(), Instant::now());
    for _ in 0..=MAX_EARLY {
        rtp_receiver.handle_packet(packet(9, 1, vec![0], b"x"), now);
    }
    rtp_receiver.handle_packet(packet(701, 1, vec![0], b"x"), now);
    rtp_receiver.handle_packet(packet(700, 1, vec![0], b""), now);
    rtp_receiver.handle_packet(packet(700, 1, vec![0], b"no reader"), now);
    assert_eq!(rtp_receiver.counts(), Counts { packets: 1, strange: 2, ..Counts::default() });
    assert!(!rtp_receiver.assign("none", Slot::Camera, Kind::Video, media::bounded(1).0, now));
}

#[test]
fn media_that_arrives_before_the_answer_is_kept() {
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
fn each_audio_packet_is_one_frame() {
    let (mut rtp_receiver, now) = (rtp_receiver(), Instant::now());
    let (sender, receiver) = media::bounded(10_000);
    rtp_receiver.assign("3", Slot::Microphone, Kind::Audio, sender, now);
    for sequence in [65_535, 1, 0] {
        rtp_receiver.handle_packet(packet(700, sequence, vec![0], b"opus"), now);
    }
    let numbers: Vec<_> = std::iter::from_fn(|| receiver.try_recv()).map(|frame| frame.sequence).collect();
    assert_eq!((numbers[1] - numbers[0], numbers[2] - numbers[0]), (2, 1));
    assert_eq!(rtp_receiver.poll_timeout(), None);
}

#[test]
fn the_streams_that_a_server_can_add_are_bounded() {
    let (mut rtp_receiver, now) = (rtp_receiver(), Instant::now());
    for answer in 0..100u32 {
        let new: Vec<_> =
            (0..1_000).map(|source| section(&format!("new {source}"), 1_000 + answer * 2_000 + 2 * source)).collect();
        rtp_receiver.declare(&new);
        rtp_receiver.declare(&[section("3", 700)]);
    }
    assert!(rtp_receiver.streams.len() <= MAX_STREAMS && rtp_receiver.repairs.len() <= MAX_STREAMS);
    let (sender, receiver) = media::bounded(10_000);
    assert!(rtp_receiver.assign("3", Slot::Camera, Kind::Video, sender, now), "known streams continue");
    rtp_receiver.handle_packet(packet(700, 10, descriptors(1)[0].clone(), b"key"), now);
    assert!(receiver.try_recv().is_some());
}

#[test]
fn packets_of_a_shared_stream_go_to_the_voice_that_they_name_and_lost_ones_are_requested() {
    let (mut rtp_receiver, now) = (rtp_receiver(), Instant::now());
    let [anna, ben] = [1, 2].map(proto::ParticipantId);
    let sound = |owner: Option<proto::ParticipantId>, ssrc, sequence, payload: &[u8]| {
        let mut packet = packet(ssrc, sequence, Vec::new(), payload);
        packet.header.csrc = owner.map(|owner| proto::voice_sources(owner).to_vec()).unwrap_or_default();
        packet
    };
    // One arrives before the answer that names the stream.
    let mut early = RtpReceiver::new(BufferPool::new(2));
    early.voices.set_members(&[anna].into());
    rtp_receiver.voices.set_members(&[anna, ben].into());
    early.handle_packet(sound(Some(anna), 700, 1, b"early"), now);
    early.declare(&[section("3", 700)]);
    assert!(early.share_stream("3", now) && early.voices.has_begun());

    assert!(rtp_receiver.share_stream("3", now) && !rtp_receiver.share_stream("4", now));
    for (owner, sequence) in [(anna, 10), (anna, 11), (ben, 12), (ben, 14)] {
        rtp_receiver.handle_packet(sound(Some(owner), 700, sequence, b"sound"), now);
    }
    rtp_receiver.handle_packet(sound(None, 700, 15, b"nobody"), now);
    rtp_receiver.handle_packet(sound(Some(anna), 700, 10, b"again"), now);
    let due = rtp_receiver.poll_timeout().expect("a packet is missing");
    assert_eq!(rtp_receiver.poll_requests(due), [Request::Nack(700, vec![13])]);
    rtp_receiver.handle_packet(sound(Some(ben), 701, 1, b"\x00\x0dlost"), due);
    let frames: Vec<_> = rtp_receiver
        .voices
        .take_begun()
        .into_iter()
        .map(|(owner, reader)| {
            let frames = std::iter::from_fn(|| reader.try_recv());
            (owner, frames.map(|frame| (frame.sequence, frame.bytes.to_vec())).collect::<Vec<_>>())
        })
        .collect();
    let expected = |frames: &[(u64, &[u8])]| {
        frames.iter().map(|(sequence, bytes)| (*sequence, bytes.to_vec())).collect::<Vec<_>>()
    };
    let of_anna = expected(&[(0, b"sound"), (1, b"sound")]);
    let of_ben = expected(&[(0, b"sound"), (2, b"sound"), (1, b"lost")]);
    assert_eq!(frames, [(anna, of_anna), (ben, of_ben)]);
    assert_eq!(rtp_receiver.counts().strange, 1);
    let of_ben = rtp_receiver.voices.inbound_stats(ben).expect("the voice has begun");
    assert_eq!((of_ben.expected, of_ben.arrived), (3, 2), "the retransmission does not hide the loss");
}

#[test]
fn each_voice_on_a_shared_stream_has_its_own_statistics() {
    let (mut rtp_receiver, now) = (RtpReceiver::new(BufferPool::new(2)), Instant::now());
    rtp_receiver.declare(&[section("3", 700)]);
    assert!(rtp_receiver.share_stream("3", now));
    let [anna, ben] = [1, 2].map(proto::ParticipantId);
    let start = now;
    let mut send = |owner, sequence: u16, delay: u64| {
        let mut packet = packet(700, sequence, Vec::new(), b"sound");
        packet.header.csrc = proto::voice_sources(owner).to_vec();
        packet.header.timestamp = u32::from(sequence) * 960;
        rtp_receiver.handle_packet(packet, start + Duration::from_millis(u64::from(sequence) * 20 + delay));
    };
    // Anna speaks first: every fourth packet is lost. Ben's all arrive, every second one 10 ms late.
    (0..100).filter(|sequence| sequence % 4 != 2).for_each(|sequence| send(anna, sequence, 0));
    (100..200).for_each(|sequence| send(ben, sequence, u64::from(sequence % 2) * 10));
    // Ben's turn leaves no gap in Anna's packets.
    (200..300).for_each(|sequence| send(anna, sequence, 0));
    let stats = |owner| rtp_receiver.voices.inbound_stats(owner).expect("the voice has begun");
    assert_eq!((stats(anna).expected, stats(anna).arrived), (200, 175));
    assert_eq!(stats(anna).jitter, Duration::ZERO);
    assert_eq!((stats(ben).expected, stats(ben).arrived), (100, 100));
    assert!(stats(ben).jitter > Duration::from_millis(9), "{:?}", stats(ben));
}

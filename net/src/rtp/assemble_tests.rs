//! Tests of reassembly over a simulated path.

use super::*;
use proto::descriptor::{DescriptorWriter, PacketPosition, Resolution, ScalabilityMode};

/// Sends one track: two simulcast streams whose packets share one sequence, as an SFU forwards them.
struct Sender {
    streams: [DescriptorWriter; 2],
    sequence: u16,
    timestamp: u32,
    start: Instant,
}

/// The temporal layers of an L1T3 stream.
const TEMPORAL_LAYERS: [u8; 4] = [0, 2, 1, 2];

impl Sender {
    fn new(sequence: u16) -> Self {
        let streams =
            [DescriptorWriter::new(0, ScalabilityMode::L1T3), DescriptorWriter::new(1, ScalabilityMode::L1T3)];
        Self { streams, sequence, timestamp: 0, start: Instant::now() }
    }

    fn frame(&mut self, spatial: u8, temporal: u8, key: bool, length: usize) -> Vec<Packet> {
        let writer = &mut self.streams[usize::from(spatial)];
        let resolution = Resolution { width: 320, height: 180 };
        let frame = if key { writer.key_frame(resolution) } else { writer.delta_frame(temporal).unwrap() };
        self.timestamp += 3_000;
        let payload: Vec<u8> = (0..length).map(|byte| u8::try_from(byte % 251).unwrap()).collect();
        let payloads: Vec<_> = payload.chunks(1_000).collect();
        let mut packets = Vec::new();
        for (index, payload) in payloads.iter().enumerate() {
            let position = PacketPosition { first: index == 0, last: index + 1 == payloads.len() };
            packets.push(Packet {
                sequence: self.sequence,
                timestamp: self.timestamp,
                descriptor: self.streams[usize::from(spatial)].bytes(&frame, position).into(),
                payload: Bytes::copy_from_slice(payload),
                arrival: self.start,
            });
            self.sequence = self.sequence.wrapping_add(1);
        }
        packets
    }
}

/// A receiver with a simulated clock.
struct Receiver {
    assembler: Assembler,
    pool: BufferPool,
    now: Instant,
}

impl Receiver {
    fn new() -> Self {
        Self { assembler: Assembler::new(), pool: BufferPool::new(4), now: Instant::now() }
    }

    fn receive(&mut self, packets: impl IntoIterator<Item = Packet>) -> Vec<Frame> {
        for packet in packets {
            self.handle(packet);
        }
        self.frames()
    }

    fn handle(&mut self, packet: Packet) {
        self.assembler.handle_packet(Packet { arrival: self.now, ..packet });
    }

    fn frames(&mut self) -> Vec<Frame> {
        std::iter::from_fn(|| self.assembler.poll_frame(&self.pool, self.now)).collect()
    }

    fn wait(&mut self, milliseconds: u64) -> Vec<Frame> {
        self.now += Duration::from_millis(milliseconds);
        self.frames()
    }
}

fn numbers(frames: &[Frame]) -> Vec<u64> {
    frames.iter().map(|frame| frame.number).collect()
}

#[test]
fn frames_are_returned_complete_across_the_wrap_of_the_sequence_number() {
    let (mut sender, mut receiver) = (Sender::new(65_530), Receiver::new());
    let mut total = Vec::new();
    for index in 0..16usize {
        let frame = sender.frame(0, TEMPORAL_LAYERS[index % 4], index == 0, 2_500);
        total.extend(receiver.receive(frame));
    }
    assert_eq!(numbers(&total), (0..16).collect::<Vec<_>>());
    assert!(total.iter().all(|frame| frame.bytes.len() == 2_500 && frame.size == Size::new(320, 180)));
    assert_eq!(total.iter().filter(|frame| frame.key).count(), 1);
    assert!(!receiver.assembler.poll_key_request(false, receiver.now));
    assert_eq!(receiver.assembler.waiting(), 0);
}

#[test]
fn reordered_and_repeated_packets_make_each_frame_once() {
    let (mut sender, mut receiver) = (Sender::new(7), Receiver::new());
    let mut packets = Vec::new();
    for (index, temporal) in TEMPORAL_LAYERS.into_iter().enumerate() {
        packets.extend(sender.frame(0, temporal, index == 0, 2_500));
    }
    let first = packets.remove(0);
    assert!(receiver.receive(packets.iter().rev().cloned()).is_empty());
    assert_eq!(numbers(&receiver.receive([first])), [0, 1, 2, 3]);
    assert!(receiver.receive(packets).is_empty());
}

#[test]
fn a_frame_that_is_cut_off_by_a_key_frame_of_another_layer_is_not_joined_to_it() {
    let (mut sender, mut receiver) = (Sender::new(0), Receiver::new());
    receiver.receive(sender.frame(1, 0, true, 2_500));
    let mut packets = sender.frame(1, 0, false, 2_500);
    packets.truncate(2);
    sender.sequence -= 1;
    packets.extend(sender.frame(0, 0, true, 1_500));
    packets.extend(sender.frame(0, 2, false, 100));
    let frames = receiver.receive(packets);
    let seen = |frame: &Frame| (frame.layer.spatial, frame.key, frame.bytes.len());
    assert_eq!(frames.iter().map(seen).collect::<Vec<_>>(), [(0, true, 1_500), (0, false, 100)]);
}

#[test]
fn a_lost_discardable_frame_is_skipped_without_a_key_frame() {
    let (mut sender, mut receiver) = (Sender::new(0), Receiver::new());
    receiver.receive(sender.frame(0, 0, true, 100));
    sender.frame(0, 2, false, 100);
    let mut later = sender.frame(0, 1, false, 100);
    later.extend(sender.frame(0, 2, false, 100));
    assert!(receiver.receive(later).is_empty());
    let timeout = receiver.assembler.poll_timeout().unwrap();
    assert_eq!(timeout, receiver.now + MIN_PATIENCE);
    assert_eq!(numbers(&receiver.wait(60)), [2, 3]);
    assert!(!receiver.assembler.poll_key_request(false, receiver.now));
}

#[test]
fn a_lost_frame_of_temporal_layer_1_affects_only_frames_that_depend_on_it() {
    let (mut sender, mut receiver) = (Sender::new(0), Receiver::new());
    receiver.receive(sender.frame(0, 0, true, 100));
    receiver.receive(sender.frame(0, 2, false, 100));
    sender.frame(0, 1, false, 100);
    let mut later = sender.frame(0, 2, false, 100);
    later.extend(sender.frame(0, 0, false, 100));
    receiver.receive(later);
    assert_eq!(numbers(&receiver.wait(60)), [4]);
    assert!(!receiver.assembler.poll_key_request(false, receiver.now));
}

#[test]
fn a_late_packet_makes_all_frames_that_wait_for_it_decodable() {
    let (mut sender, mut receiver) = (Sender::new(0), Receiver::new());
    receiver.receive(sender.frame(0, 0, true, 100));
    let base = sender.frame(0, 0, false, 2_500);
    let first = receiver.now;
    assert!(receiver.receive([base[0].clone(), base[2].clone()]).is_empty());
    for temporal in [2, 1, 2, 0, 2, 1, 2] {
        let frame = sender.frame(0, temporal, false, 100);
        assert!(receiver.wait(30).is_empty() && receiver.receive(frame).is_empty());
    }
    let frames = receiver.wait(200);
    assert!(frames.is_empty(), "nothing later can be decoded without layer 0");
    let frames = receiver.receive([base[1].clone()]);
    assert_eq!(numbers(&frames), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!((frames[0].arrival, frames[1].arrival), (receiver.now, first + Duration::from_millis(30)));
    assert!(!receiver.assembler.poll_key_request(false, receiver.now));
}

#[test]
fn later_frames_wait_longer_for_a_slower_retransmission() {
    let (mut sender, mut receiver) = (Sender::new(0), Receiver::new());
    receiver.assembler.set_retry_interval(Duration::from_millis(80));
    receiver.receive(sender.frame(0, 0, true, 100));
    sender.frame(0, 2, false, 100);
    receiver.receive(sender.frame(0, 1, false, 100));
    assert!(receiver.wait(167).is_empty());
    assert_eq!(numbers(&receiver.wait(1)), [2]);
}

#[test]
fn a_complete_key_frame_ends_the_wait_for_the_frames_before_it() {
    let (mut sender, mut receiver) = (Sender::new(0), Receiver::new());
    receiver.receive(sender.frame(0, 0, true, 100));
    sender.frame(0, 0, false, 100);
    receiver.receive(sender.frame(0, 2, false, 100));
    assert!(receiver.receive(sender.frame(1, 0, true, 3_000)).is_empty());
    let frames = receiver.wait(60);
    assert!(frames.len() == 1 && frames[0].key && frames[0].layer.spatial == 1);
}

#[test]
fn the_first_key_frame_has_time_to_arrive() {
    let (mut sender, mut receiver) = (Sender::new(0), Receiver::new());
    let key = sender.frame(0, 0, true, 2_500);
    assert!(receiver.receive(key[1..].to_vec()).is_empty() && receiver.assembler.misses_start());
    assert!(!receiver.assembler.poll_key_request(false, receiver.now));
    let due = receiver.assembler.poll_timeout().unwrap();
    assert_eq!(due, receiver.now + FIRST_KEY_TIMEOUT);
    receiver.now = due;
    assert!(receiver.assembler.poll_key_request(false, receiver.now));
    assert!(!receiver.assembler.poll_key_request(false, receiver.now));
    assert_eq!(receiver.receive([key[0].clone()]).len(), 1);
    assert!(!receiver.assembler.misses_start() && !receiver.assembler.poll_key_request(false, receiver.now));
}

#[test]
fn after_a_lost_frame_of_layer_0_a_key_frame_is_requested_until_it_arrives() {
    let (mut sender, mut receiver) = (Sender::new(0), Receiver::new());
    receiver.receive(sender.frame(0, 0, true, 100));
    sender.frame(0, 0, false, 100);
    receiver.receive(sender.frame(0, 0, false, 100));
    assert!(receiver.wait(440).is_empty());
    assert!(!receiver.assembler.poll_key_request(false, receiver.now), "retransmission has time");
    assert!(receiver.wait(10).is_empty());
    assert!(receiver.assembler.poll_key_request(false, receiver.now));
    assert!(!receiver.assembler.poll_key_request(false, receiver.now));
    receiver.now += KEY_REQUEST_INTERVAL;
    assert!(receiver.assembler.poll_key_request(false, receiver.now));
    let key = sender.frame(0, 0, true, 100);
    assert_eq!(numbers(&receiver.receive(key)), [3]);
    assert!(!receiver.assembler.poll_key_request(false, receiver.now));
}

#[test]
fn a_change_of_layer_begins_with_a_key_frame() {
    let (mut sender, mut receiver) = (Sender::new(0), Receiver::new());
    for (index, temporal) in TEMPORAL_LAYERS.into_iter().enumerate() {
        receiver.receive(sender.frame(0, temporal, index == 0, 100));
    }
    let key = sender.frame(1, 0, true, 3_000);
    let frames = receiver.receive(key);
    assert_eq!((numbers(&frames), frames[0].layer.spatial), (vec![4], 1));
    let late = sender.frame(0, 0, false, 100);
    assert!(receiver.receive(late).is_empty());
    let next = sender.frame(1, 2, false, 100);
    assert_eq!(numbers(&receiver.receive(next)), [5]);
    assert!(!receiver.assembler.poll_key_request(false, receiver.now));
}

#[test]
fn after_an_overflow_nothing_is_returned_until_a_key_frame() {
    let (mut sender, mut receiver) = (Sender::new(0), Receiver::new());
    receiver.receive(sender.frame(0, 0, true, 100));
    receiver.assembler.handle_overflow();
    assert!(receiver.receive(sender.frame(0, 2, false, 100)).is_empty());
    assert!(receiver.assembler.poll_key_request(false, receiver.now));
    assert_eq!(receiver.receive(sender.frame(0, 0, true, 100)).len(), 1);
}

#[test]
fn the_packets_that_wait_are_bounded() {
    let (mut sender, mut receiver) = (Sender::new(0), Receiver::new());
    receiver.receive(sender.frame(0, 0, true, 100));
    let frame = sender.frame(0, 0, false, 2_000_000);
    let lost = frame.into_iter().skip(1);
    receiver.receive(lost);
    assert!(receiver.assembler.waiting() <= MAX_PACKETS);
    assert!(receiver.assembler.waiting_bytes <= MAX_BYTES);
    let key = sender.frame(0, 0, true, 100);
    assert_eq!(receiver.receive(key).len(), 1);
}

#[test]
fn malformed_packets_never_panic_and_stay_bounded() {
    let mut receiver = Receiver::new();
    let mut state = 1u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    for _ in 0..5_000 {
        let descriptor: Vec<u8> = (0..random() % 24).map(|_| u8::try_from(random() % 256).unwrap()).collect();
        let sequence = u16::try_from(random() % 65_536).unwrap();
        let payload = Bytes::from(vec![0; usize::try_from(random() % 40).unwrap()]);
        receiver.assembler.handle_packet(Packet {
            sequence,
            timestamp: random(),
            descriptor: descriptor.into(),
            payload,
            arrival: receiver.now,
        });
        receiver.wait(u64::from(random() % 50));
        assert!(receiver.assembler.waiting() <= MAX_PACKETS);
    }
}

/// Of twenty packets one is lost and one is late. Frames are returned in order, and only if the frames that they depend
/// on were returned.
#[test]
fn over_a_lossy_path_only_decodable_frames_are_returned() {
    let (mut sender, mut receiver) = (Sender::new(40_000), Receiver::new());
    let mut state = 7u32;
    let mut random = move |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    let mut delayed: Vec<(u32, Packet)> = Vec::new();
    let (mut out, mut keys) = (Vec::new(), 0);
    for index in 0..3_000usize {
        let request_key = index == 0 || receiver.assembler.poll_key_request(false, receiver.now);
        keys += u32::from(request_key);
        let temporal = if request_key { 0 } else { TEMPORAL_LAYERS[index % 4] };
        for packet in sender.frame(0, temporal, request_key, 100 + usize::try_from(random(4_000)).unwrap()) {
            match random(20) {
                0 => {}
                1 => delayed.push((random(5), packet)),
                _ => receiver.handle(packet),
            }
        }
        delayed.retain_mut(|(wait, packet)| {
            if *wait == 0 {
                receiver.handle(packet.clone());
                return false;
            }
            *wait -= 1;
            true
        });
        out.extend(receiver.wait(33));
    }
    assert!(out.windows(2).all(|pair| pair[0].number < pair[1].number));
    assert!(out.len() > 300 && keys > 10, "{} frames, {keys} key frames", out.len());
}

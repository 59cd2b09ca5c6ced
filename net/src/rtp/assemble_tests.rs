use super::*;
use crate::rtp::descriptor::{Describer, Part, Shape};

/// A sender of one track: simulcast streams whose packets share one sequence, as a relay sends them.
struct Sender {
    streams: [Describer; 2],
    sequence: u16,
    timestamp: u32,
}

const DYADIC: [u8; 4] = [0, 2, 1, 2];

impl Sender {
    fn new(sequence: u16) -> Self {
        let streams = [Describer::new(0, Shape::L1T3), Describer::new(1, Shape::L1T3)];
        Self { streams, sequence, timestamp: 0 }
    }

    fn frame(&mut self, spatial: u8, temporal: u8, key: bool, length: usize) -> Vec<Packet> {
        let describer = &mut self.streams[usize::from(spatial)];
        let frame = describer.describe(Layer { spatial, temporal }, key, Size::new(320, 180)).unwrap();
        self.timestamp += 3_000;
        let payload: Vec<u8> = (0..length).map(|byte| u8::try_from(byte % 251).unwrap()).collect();
        let pieces: Vec<_> = payload.chunks(1_000).collect();
        let mut packets = Vec::new();
        for (index, piece) in pieces.iter().enumerate() {
            let part = Part { first: index == 0, last: index + 1 == pieces.len() };
            packets.push(Packet {
                sequence: self.sequence,
                timestamp: self.timestamp,
                descriptor: self.streams[usize::from(spatial)].bytes(&frame, part).into(),
                payload: Bytes::copy_from_slice(piece),
            });
            self.sequence = self.sequence.wrapping_add(1);
        }
        packets
    }
}

struct Bench {
    assembler: Assembler,
    pool: BufferPool,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        Self { assembler: Assembler::new(), pool: BufferPool::new(4), now: Instant::now() }
    }

    fn give(&mut self, packets: impl IntoIterator<Item = Packet>) -> Vec<Frame> {
        for packet in packets {
            self.assembler.handle_packet(packet);
        }
        self.frames()
    }

    fn frames(&mut self) -> Vec<Frame> {
        std::iter::from_fn(|| self.assembler.poll_frame(&self.pool, self.now)).collect()
    }

    fn pass(&mut self, milliseconds: u64) -> Vec<Frame> {
        self.now += Duration::from_millis(milliseconds);
        self.frames()
    }
}

fn numbers(frames: &[Frame]) -> Vec<u64> {
    frames.iter().map(|frame| frame.number).collect()
}

#[test]
fn frames_come_out_whole_over_the_edge_of_the_counter() {
    let (mut sender, mut bench) = (Sender::new(65_530), Bench::new());
    let mut total = Vec::new();
    for index in 0..16usize {
        let frame = sender.frame(0, DYADIC[index % 4], index == 0, 2_500);
        total.extend(bench.give(frame));
    }
    assert_eq!(numbers(&total), (0..16).collect::<Vec<_>>());
    assert!(total.iter().all(|frame| frame.bytes.len() == 2_500 && frame.size == Size::new(320, 180)));
    assert_eq!(total.iter().filter(|frame| frame.key).count(), 1);
    assert!(!bench.assembler.poll_key_request(false, bench.now));
    assert_eq!(bench.assembler.waiting(), 0);
}

#[test]
fn packets_out_of_order_and_twice_make_each_frame_once() {
    let (mut sender, mut bench) = (Sender::new(7), Bench::new());
    let mut packets = Vec::new();
    for (index, temporal) in DYADIC.into_iter().enumerate() {
        packets.extend(sender.frame(0, temporal, index == 0, 2_500));
    }
    let first = packets.remove(0);
    assert!(bench.give(packets.iter().rev().cloned()).is_empty());
    assert_eq!(numbers(&bench.give([first])), [0, 1, 2, 3]);
    assert!(bench.give(packets).is_empty());
}

#[test]
fn a_lost_discardable_frame_is_skipped_without_a_key_frame() {
    let (mut sender, mut bench) = (Sender::new(0), Bench::new());
    bench.give(sender.frame(0, 0, true, 100));
    sender.frame(0, 2, false, 100);
    let mut later = sender.frame(0, 1, false, 100);
    later.extend(sender.frame(0, 2, false, 100));
    assert!(bench.give(later).is_empty());
    let timeout = bench.assembler.poll_timeout().unwrap();
    assert_eq!(timeout, bench.now + PATIENCE);
    assert_eq!(numbers(&bench.pass(250)), [2, 3]);
    assert!(!bench.assembler.poll_key_request(false, bench.now));
}

#[test]
fn a_lost_middle_frame_costs_only_what_builds_on_it() {
    let (mut sender, mut bench) = (Sender::new(0), Bench::new());
    bench.give(sender.frame(0, 0, true, 100));
    bench.give(sender.frame(0, 2, false, 100));
    sender.frame(0, 1, false, 100);
    let mut later = sender.frame(0, 2, false, 100);
    later.extend(sender.frame(0, 0, false, 100));
    bench.give(later);
    assert_eq!(numbers(&bench.pass(300)), [4]);
    assert!(!bench.assembler.poll_key_request(false, bench.now));
}

#[test]
fn a_lost_base_frame_stops_the_run_and_asks_until_a_key_frame_comes() {
    let (mut sender, mut bench) = (Sender::new(0), Bench::new());
    bench.give(sender.frame(0, 0, true, 100));
    sender.frame(0, 0, false, 100);
    bench.give(sender.frame(0, 0, false, 100));
    assert!(bench.pass(300).is_empty());
    assert!(bench.assembler.poll_key_request(false, bench.now));
    assert!(!bench.assembler.poll_key_request(false, bench.now));
    bench.now += ASK_AGAIN;
    assert!(bench.assembler.poll_key_request(false, bench.now));
    let key = sender.frame(0, 0, true, 100);
    assert_eq!(numbers(&bench.give(key)), [3]);
    assert!(!bench.assembler.poll_key_request(false, bench.now));
}

#[test]
fn a_change_of_layer_begins_with_its_key_frame() {
    let (mut sender, mut bench) = (Sender::new(0), Bench::new());
    for (index, temporal) in DYADIC.into_iter().enumerate() {
        bench.give(sender.frame(0, temporal, index == 0, 100));
    }
    // Frames of the other layer before its key frame are not decodable, and do no harm.
    let key = sender.frame(1, 0, true, 3_000);
    let frames = bench.give(key);
    assert_eq!((numbers(&frames), frames[0].layer.spatial), (vec![4], 1));
    let late = sender.frame(0, 0, false, 100);
    assert!(bench.give(late).is_empty());
    let next = sender.frame(1, 2, false, 100);
    assert_eq!(numbers(&bench.give(next)), [5]);
    assert!(!bench.assembler.poll_key_request(false, bench.now));
}

#[test]
fn an_overflow_of_the_reader_waits_for_a_key_frame() {
    let (mut sender, mut bench) = (Sender::new(0), Bench::new());
    bench.give(sender.frame(0, 0, true, 100));
    bench.assembler.handle_overflow();
    assert!(bench.give(sender.frame(0, 2, false, 100)).is_empty());
    assert!(bench.assembler.poll_key_request(false, bench.now));
    assert_eq!(bench.give(sender.frame(0, 0, true, 100)).len(), 1);
}

#[test]
fn what_waits_is_bounded() {
    let (mut sender, mut bench) = (Sender::new(0), Bench::new());
    bench.give(sender.frame(0, 0, true, 100));
    let frame = sender.frame(0, 0, false, 2_000_000);
    let lost = frame.into_iter().skip(1);
    bench.give(lost);
    assert!(bench.assembler.waiting() <= MAX_PACKETS);
    assert!(bench.assembler.weight <= MAX_BYTES);
    let key = sender.frame(0, 0, true, 100);
    assert_eq!(bench.give(key).len(), 1);
}

#[test]
fn garbage_never_panics_and_never_comes_out() {
    let mut bench = Bench::new();
    let mut state = 1u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    for _ in 0..5_000 {
        let descriptor: Vec<u8> = (0..random() % 24).map(|_| u8::try_from(random() % 256).unwrap()).collect();
        let sequence = u16::try_from(random() % 65_536).unwrap();
        let payload = Bytes::from(vec![0; usize::try_from(random() % 40).unwrap()]);
        bench.assembler.handle_packet(Packet { sequence, timestamp: random(), descriptor: descriptor.into(), payload });
        bench.pass(u64::from(random() % 50));
        assert!(bench.assembler.waiting() <= MAX_PACKETS);
    }
}

/// A seeded lossy path: one packet in ten is lost, half of those come back later; whatever comes out is in order, whole,
/// and builds only on what came out.
#[test]
fn over_a_lossy_path_only_decodable_frames_come_out() {
    let (mut sender, mut bench) = (Sender::new(40_000), Bench::new());
    let mut state = 7u32;
    let mut random = move |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    let mut delayed: Vec<(u32, Packet)> = Vec::new();
    let (mut out, mut keys) = (Vec::new(), 0);
    for index in 0..3_000usize {
        let ask = index == 0 || bench.assembler.poll_key_request(false, bench.now);
        keys += u32::from(ask);
        let temporal = if ask { 0 } else { DYADIC[index % 4] };
        for packet in sender.frame(0, temporal, ask, 100 + usize::try_from(random(4_000)).unwrap()) {
            match random(20) {
                0 => {}
                1 => delayed.push((random(5), packet)),
                _ => bench.assembler.handle_packet(packet),
            }
        }
        delayed.retain_mut(|(wait, packet)| {
            if *wait == 0 {
                bench.assembler.handle_packet(packet.clone());
                return false;
            }
            *wait -= 1;
            true
        });
        out.extend(bench.pass(33));
    }
    assert!(out.windows(2).all(|pair| pair[0].number < pair[1].number));
    assert!(out.len() > 300 && keys > 10, "{} frames, {keys} key frames", out.len());
}

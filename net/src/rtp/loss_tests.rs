//! Thirty seconds of a camera over paths that lose packets in both directions, on virtual time.

use super::description::{Section, Source};
use super::packetize::Extensions;
use super::rtp_receiver::{Request, RtpReceiver};
use bytes::{BufMut, Bytes, BytesMut};
use crypto::ReceivedFrame;
use media::{BufferPool, Receiver};
use proto::descriptor::{DescriptorWriter, PacketPosition, Resolution, ScalabilityMode};
use proto::{Kind, Slot};
use rtc::rtp;
use std::time::{Duration, Instant};

/// A path between a server that answers requests at once, and a receiver.
struct Path {
    /// Lost packets of a hundred, in each direction.
    loss: u32,
    /// Milliseconds in one direction.
    delay: u64,
    random: u64,
}

/// What arrived, and what it cost.
#[derive(Debug, Default)]
struct Outcome {
    /// Frames that were returned.
    frames: usize,
    /// Gaps of more than 183 ms between two returned frames, after the first second.
    freezes: usize,
    /// The longest gap in milliseconds.
    longest_gap: u64,
    /// The 95th percentile of the time from sending to returning, in milliseconds.
    delay: u64,
    /// Retransmitted packets for each hundred packets.
    retransmitted: usize,
    keys: usize,
}

impl Path {
    fn loses(&mut self) -> bool {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % 100 < u64::from(self.loss)
    }
}

/// The sender of the camera, and the server that retransmits its packets.
struct CameraSender {
    writer: DescriptorWriter,
    packets: Vec<rtp::Packet>,
    frames: usize,
    key_due: bool,
    keys: usize,
}

impl CameraSender {
    /// Returns the packets of the next frame: temporal layers in 0 2 1 2, with half of the bytes in layer 0.
    fn frame(&mut self) -> Vec<rtp::Packet> {
        let temporal = [0, 2, 1, 2][self.frames % 4];
        let key = self.key_due && temporal == 0;
        let count = if key { 40 } else { [13, 5, 4][usize::from(temporal)] };
        let resolution = Resolution { width: 1_280, height: 720 };
        let frame = if key { self.writer.key_frame(resolution) } else { self.writer.delta_frame(temporal).unwrap() };
        (self.key_due, self.keys) = (self.key_due && !key, self.keys + usize::from(key));
        let first = self.packets.len();
        for index in 0..count {
            let position = PacketPosition { first: index == 0, last: index + 1 == count };
            let mut header = rtp::Header {
                version: 2,
                ssrc: 700,
                sequence_number: u16::try_from(self.packets.len() % 65_536).unwrap(),
                // The number of the frame.
                timestamp: u32::try_from(self.frames).unwrap(),
                ..rtp::Header::default()
            };
            header.set_extension(5, self.writer.bytes(&frame, position).into()).unwrap();
            self.packets.push(rtp::Packet { header, payload: Bytes::from_static(&[1; 100]) });
        }
        self.frames += 1;
        self.packets[first..].to_vec()
    }

    /// Returns the retransmission of a packet (RFC 4588, section 4).
    fn retransmit(&self, number: u16) -> Option<rtp::Packet> {
        let packet = self.packets.iter().rev().take(1_024).find(|packet| packet.header.sequence_number == number)?;
        let mut payload = BytesMut::new();
        payload.put_u16(number);
        payload.put_slice(&packet.payload);
        let header = rtp::Header { ssrc: 701, ..packet.header.clone() };
        Some(rtp::Packet { header, payload: payload.freeze() })
    }
}

fn rtp_receiver(now: Instant) -> (RtpReceiver, Receiver<ReceivedFrame>) {
    let mut rtp_receiver = RtpReceiver::new(BufferPool::new(2));
    let extensions = Extensions { descriptor: Some(5), ..Extensions::default() };
    let source = Some(Source { ssrc: 700, repair: Some(701) });
    rtp_receiver.declare(&[Section { mid: "3".into(), payload_types: vec![102], extensions, source }]);
    let (sender, receiver) = media::bounded(10 << 20);
    assert!(rtp_receiver.assign("3", Slot::Camera, Kind::Video, sender, now));
    (rtp_receiver, receiver)
}

fn run(loss: u32, delay: u64, seed: u64) -> Outcome {
    let start = Instant::now();
    let at = |ms: u64| start + Duration::from_millis(ms);
    let (mut rtp_receiver, frames) = rtp_receiver(start);
    let mut path = Path { loss, delay, random: seed };
    let writer = DescriptorWriter::new(0, ScalabilityMode::L1T3);
    let mut source = CameraSender { writer, packets: Vec::new(), frames: 0, key_due: true, keys: 0 };
    let (mut down, mut up) = (Vec::<(u64, rtp::Packet)>::new(), Vec::<(u64, Request)>::new());
    let (mut outcome, mut returned, mut retransmitted): (_, Vec<(u64, u64)>, _) = (Outcome::default(), Vec::new(), 0);
    let mut last_key = 0;
    for ms in 0..30_000 {
        let mut packets = Vec::new();
        if ms * 30 / 1_000 >= source.frames as u64 {
            packets = source.frame();
        }
        for (_, request) in up.extract_if(.., |(due, _)| *due <= ms) {
            match request {
                Request::Nack(_, numbers) => {
                    let answers: Vec<_> = numbers.into_iter().filter_map(|number| source.retransmit(number)).collect();
                    retransmitted += answers.len();
                    packets.extend(answers);
                }
                Request::KeyFrame(_) if ms >= last_key + 300 => (source.key_due, last_key) = (true, ms),
                Request::KeyFrame(_) => {}
            }
        }
        down.extend(packets.into_iter().filter_map(|packet| (!path.loses()).then_some((ms + path.delay, packet))));
        for (_, packet) in down.extract_if(.., |(due, _)| *due <= ms) {
            rtp_receiver.handle_packet(packet, at(ms));
        }
        rtp_receiver.handle_timeout(at(ms));
        let requests = rtp_receiver.poll_requests(at(ms));
        up.extend(requests.into_iter().filter_map(|request| (!path.loses()).then_some((ms + path.delay, request))));
        while let Some(frame) = frames.try_recv() {
            returned.push((ms, u64::from(frame.header.rtp_time) * 1_000 / 30));
        }
    }
    let gaps = || returned.windows(2).filter(|pair| pair[0].0 > 1_000).map(|pair| pair[1].0 - pair[0].0);
    let mut delays: Vec<u64> = returned.iter().map(|(ms, sent)| ms - sent).collect();
    delays.sort_unstable();
    outcome.frames = returned.len();
    outcome.freezes = gaps().filter(|gap| *gap > 183).count();
    outcome.longest_gap = gaps().max().unwrap_or(0);
    outcome.delay = delays[delays.len() * 95 / 100];
    outcome.retransmitted = retransmitted * 100 / source.packets.len();
    outcome.keys = source.keys;
    outcome
}

#[test]
fn on_a_short_path_losses_of_10_percent_are_repaired_without_a_freeze() {
    for (loss, seed) in [(2, 1), (5, 2), (10, 3), (10, 4)] {
        let outcome = run(loss, 1, seed);
        assert!(outcome.frames >= 885 && outcome.freezes == 0 && outcome.keys == 1, "{loss} %: {outcome:?}");
        assert!(outcome.delay <= 60, "{loss} %: {outcome:?}");
        // Each lost packet is sent again once, or more often if its retransmission is lost.
        let lost = usize::try_from(loss).unwrap();
        assert!(outcome.retransmitted <= lost + lost * lost / 50 + 1, "{loss} %: {outcome:?}");
    }
}

#[test]
fn on_a_short_path_a_loss_of_30_percent_leaves_a_moving_picture() {
    for seed in [5, 6, 7] {
        let outcome = run(30, 1, seed);
        assert!(outcome.frames >= 800 && outcome.freezes <= 2 && outcome.keys <= 2, "{outcome:?}");
        assert!(outcome.delay <= 250 && outcome.retransmitted <= 50, "{outcome:?}");
    }
}

#[test]
fn on_a_path_of_80_ms_losses_are_repaired_without_key_frames() {
    for (loss, seed) in [(2, 8), (5, 9), (10, 10)] {
        let outcome = run(loss, 40, seed);
        assert!(outcome.frames >= 800 && outcome.keys <= 2, "{loss} %: {outcome:?}");
        assert!(outcome.delay <= 250, "{loss} %: {outcome:?}");
        assert!(outcome.retransmitted <= 20, "{loss} %: {outcome:?}");
    }
}

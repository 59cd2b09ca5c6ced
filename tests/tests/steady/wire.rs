//! Splits sealed frames into packets, converts packets to bytes and back, and assembles frames again.

use super::allocator::counted;
use bytes::Bytes;
use crypto::{ReceivedFrame, Sealed};
use media::{BufferPool, Receiver, bounded};
use net::rtp::description::{Section, Source};
use net::rtp::history::RtpPacketHistory;
use net::rtp::packetize::{Extensions, Packetizer, StreamParameters};
use net::rtp::rtp_receiver::{Request, RtpReceiver};
use net::rtp::sent_packet::SentPacket;
use proto::descriptor::ScalabilityMode;
use proto::{Kind, Slot};
use rtc::rtp::Packet;
use rtc::shared::marshal::{Marshal, Unmarshal};
use std::time::{Duration, Instant};

/// The network path of one track, without a socket.
pub struct Wire {
    packetizer: Packetizer,
    packets: Vec<Packet>,
    rtp_receiver: RtpReceiver,
    frames: Receiver<ReceivedFrame>,
    last: Option<u64>,
    history: RtpPacketHistory<SentPacket>,
    now: Instant,
}

/// The allocations of each stage, and the number of packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Splitting sealed frames into packets.
    pub packetize: usize,
    /// Storing packets for retransmission.
    pub remember: usize,
    /// Receiving and assembling frames.
    pub assemble: usize,
    /// The number of packets.
    pub packets: usize,
}

impl Wire {
    pub fn new(slot: Slot, kind: Kind) -> Self {
        let extensions = Extensions { mid: Some(1), rid: Some(2), descriptor: Some(3), audio_level: Some(4) };
        let (mid, rid) = (Bytes::from_static(b"0"), (kind == Kind::Video).then(|| Bytes::from_static(b"0")));
        let parameters = StreamParameters { ssrc: SSRC, payload_type: 102, mid, rid, extensions };
        let packetizer = match kind {
            Kind::Video => Packetizer::video(parameters, 65_000, 0, ScalabilityMode::L1T3),
            Kind::Audio => Packetizer::audio(parameters, 65_000),
        };
        let mut rtp_receiver = RtpReceiver::new(preallocated(8));
        let source = Some(Source { ssrc: SSRC, repair: None });
        rtp_receiver.declare(&[Section { mid: "0".into(), payload_types: vec![102], extensions, source }]);
        let (sender, frames) = bounded(1 << 20);
        assert!(rtp_receiver.assign("0", slot, kind, sender, Instant::now()));
        Self {
            packetizer,
            packets: Vec::new(),
            rtp_receiver,
            frames,
            last: None,
            history: RtpPacketHistory::default(),
            now: Instant::now(),
        }
    }

    /// Acknowledges the stream: packets no longer have its mid and rid.
    pub fn acknowledge(&mut self) {
        self.packetizer.acknowledge();
    }

    /// Sends one frame. Returns the frame that the receiver assembles from its packets.
    pub fn send(&mut self, frame: Sealed, cost: &mut Cost) -> Option<ReceivedFrame> {
        // Simulated time, so that the history keeps a fixed number of frames.
        self.now += FRAME;
        let now = self.now;
        counted(&mut cost.packetize, || self.packetizer.packets(frame, &mut self.packets));
        for packet in self.packets.drain(..) {
            cost.packets += 1;
            counted(&mut cost.remember, || {
                self.history.add(packet.header.sequence_number, SentPacket::of(&packet, [Some(1), Some(2)]), now);
            });
            // The transport does this, so it is not counted.
            let mut bytes = packet.marshal().unwrap().freeze();
            let packet = Packet::unmarshal(&mut bytes).unwrap();
            counted(&mut cost.assemble, || {
                self.rtp_receiver.handle_packet(packet, now);
                self.rtp_receiver.handle_timeout(now);
                // Only the first key frame is requested, until it is complete, because no packet is lost.
                let requests = self.rtp_receiver.poll_requests(now);
                assert!(requests.iter().all(|request| *request == Request::KeyFrame(SSRC)), "{requests:?}");
                self.rtp_receiver.poll_timeout();
            });
        }
        let received = counted(&mut cost.assemble, || self.frames.try_recv())?;
        let last = self.last.replace(received.sequence);
        assert!(last.is_none_or(|last| received.sequence == last + 1), "no frame is missing");
        Some(received)
    }
}

/// Returns a pool whose buffers all have their final size. Otherwise a buffer could still grow after minutes, when it
/// first gets a large frame.
pub fn preallocated(count: usize) -> BufferPool {
    let pool = BufferPool::new(count);
    drop((0..count).map(|_| pool.take(MAX_FRAME_BYTES)).collect::<Vec<_>>());
    pool
}

const SSRC: u32 = 7;

/// No frame of these tests has more bytes.
const MAX_FRAME_BYTES: usize = 64 << 10;

/// The time between two frames.
const FRAME: Duration = Duration::from_millis(33);

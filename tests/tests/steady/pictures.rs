//! The path of a picture from the camera to the memory from which the window draws.

use super::allocator::counted;
use super::keys;
use super::wire::{Cost, Wire, preallocated};
use capture::{Source, Stop, synthetic};
use codec::decode::Decoder;
use codec::encode::{Config, Encoder};
use codec::layer::Content;
use crypto::{Opener, Sealer};
use engine::track_stats::TrackStats;
use engine::{ParticipantId, TrackId};
use media::{Bitrate, BufferPool, Clock, FrameRate, Pool, Size, VideoCodec};
use proto::{Kind, Slot};
use render::Feed;

#[test]
fn pictures_allocate_nothing_from_camera_to_screen() {
    let mut path = MediaPath::new();
    path.send(WARM_UP);
    path.wire.acknowledge();
    path.send(WARM_UP);
    let cost = path.send(PASS);
    assert_eq!(cost.camera, 0, "camera");
    assert_eq!(cost.encode, 0, "scale and encode");
    assert_eq!(cost.seal, 0, "Sealer::seal");
    let Cost { packetize, remember, assemble, packets } = cost.wire;
    assert!(packets > 2 * PASS, "a picture takes several packets: {packets}");
    assert_eq!(
        packetize,
        PASS + packets,
        "one buffer owner per picture and one list of extensions per packet, for the transport"
    );
    assert_eq!(remember, 0, "history for retransmission");
    assert_eq!(assemble, 0, "receiver and assembler");
    assert_eq!(cost.open, 0, "Opener::open");
    assert_eq!(cost.decode, 0, "decode and copy into the feed's memory");
    assert_eq!(cost.stats, 0, "statistics");
    assert_eq!(path.feed.counts().published, (2 * WARM_UP + PASS) as u64, "not every picture was shown");
}

/// The stages of the path, all on this thread.
struct MediaPath {
    camera: Box<dyn Source>,
    frames: Pool,
    encoder: Encoder,
    payloads: BufferPool,
    sealer: Sealer,
    wire: Wire,
    opener: Opener,
    decoder: Decoder,
    feed: Feed,
    stats: TrackStats,
}

/// The allocations of each stage.
#[derive(Default)]
struct Costs {
    camera: usize,
    encode: usize,
    seal: usize,
    wire: Cost,
    open: usize,
    decode: usize,
    stats: usize,
}

impl MediaPath {
    fn new() -> Self {
        let ((ring, leaf), clock) = (keys::of_one_member(), Clock::default());
        // A high rate, so that the test does not wait for the camera.
        let rate = FrameRate::new(240, 1).unwrap();
        let config = Config {
            codec: VideoCodec::H264,
            size: Size::new(640, 360),
            rate: FrameRate::THIRTY,
            bitrate: Bitrate::kbps(900),
            temporal_layers: 3,
            content: Content::Camera,
            spatial: 0,
        };
        Self {
            camera: synthetic::open(Size::new(1_280, 720), rate, clock).unwrap(),
            frames: Pool::new(9),
            encoder: Encoder::open(&config).unwrap(),
            payloads: preallocated(64),
            sealer: Sealer::new(ring.clone(), Slot::Camera),
            wire: Wire::new(Slot::Camera, Kind::Video),
            opener: Opener::new(ring, Slot::Camera, leaf, clock),
            decoder: Decoder::open(VideoCodec::H264).unwrap(),
            feed: Feed::new(),
            stats: TrackStats::default(),
        }
    }

    fn send(&mut self, count: usize) -> Costs {
        let (stop, mut costs) = (Stop::new(), Costs::default());
        let track = TrackId { owner: ParticipantId(1), slot: Slot::Camera };
        for _ in 0..count {
            let frame = counted(&mut costs.camera, || self.camera.next(&self.frames, &stop)).unwrap().unwrap();
            let encoded = counted(&mut costs.encode, || self.encoder.encode(&frame, false, &self.payloads));
            let encoded = encoded.unwrap().expect("the encoder skips no picture");
            let captured = encoded.captured;
            let sealed = counted(&mut costs.seal, || self.sealer.seal(encoded)).unwrap();
            let received = self.wire.send(sealed, &mut costs.wire).expect("the frame is complete");
            let sequence = received.sequence;
            let opened = counted(&mut costs.open, || self.opener.open(received)).unwrap();
            let (decoder, feed) = (&mut self.decoder, &self.feed);
            let mut size = Size::default();
            counted(&mut costs.decode, || {
                decoder.decode(&opened.payload, &mut |picture| {
                    size = picture.size;
                    feed.show(picture.planes, picture.colour, opened.number, opened.captured);
                })
            })
            .unwrap();
            assert_eq!(size, opened.size);
            counted(&mut costs.stats, || {
                self.stats.sent(Slot::Camera, 0, |sent| sent.frames += 1);
                let received = self.stats.track(track);
                let mut received = received.lock().unwrap();
                received.judged(0, sequence, 1_200, None);
                received.shown(opened.layer, size, captured, opened.captured);
            });
        }
        costs
    }
}

/// The number of pictures until all buffers have their final size.
const WARM_UP: usize = 60;

/// The number of measured pictures.
const PASS: usize = 90;

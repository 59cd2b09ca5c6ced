//! Codecs: a clip is read, decoded, scaled, encoded in every layer, decoded again and copied. Sound is encoded, decoded,
//! restored by FEC and concealed.

use super::allocator::allocations;
use codec::container::mp4::Clip;
use codec::decode::Decoder;
use codec::encode::{Config, Encoder};
use codec::layer::{Content, Ladder};
use codec::opus;
use media::{BufferPool, Frame, FrameRate, Pool, Timestamp, VideoCodec};
use std::path::Path;

#[test]
fn video_codecs_allocate_nothing_per_picture() {
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/assets/demo/footage/meadow.mp4");
    let mut clip = Clip::open(&clip).unwrap();
    let (frames, payloads, shown) = (Pool::new(9), BufferPool::new(8), Pool::new(9));
    let ladder = Ladder::for_source(clip.size(), Content::Camera);
    let mut layers: Vec<_> = ladder.rungs().iter().map(|rung| (encoder(rung), decoder())).collect();
    assert_eq!(layers.len(), 3);
    let (mut source, mut bitstream, mut number) = (decoder(), Vec::new(), 0);
    let mut pictures = |count: u64| {
        allocations(|| {
            for _ in 0..count {
                let captured = Timestamp::from_micros(number * 33_333);
                clip.read(usize::try_from(number).unwrap() % clip.len(), &mut bitstream).unwrap();
                let mut frame = None;
                source
                    .decode(&bitstream, &mut |picture| frame = Some(freeze(&picture, &frames, number, captured)))
                    .unwrap();
                number += 1;
                let Some(frame) = frame else { continue };
                for (encoder, decoder) in &mut layers {
                    let Some(encoded) = encoder.encode(&frame, false, &payloads).unwrap() else { continue };
                    decoder
                        .decode(&encoded.payload, &mut |picture| drop(freeze(&picture, &shown, 0, captured)))
                        .unwrap();
                }
            }
        })
    };
    let warm_up = pictures(2 * PASS);
    assert!(warm_up > 0, "the warm-up allocates buffers");
    assert_eq!(pictures(PASS), 0, "allocations of one pass; the warm-up had {warm_up}");
}

fn encoder(rung: &codec::layer::Rung) -> Encoder {
    let config = Config {
        codec: VideoCodec::H264,
        size: rung.size,
        rate: FrameRate::THIRTY,
        bitrate: rung.bitrate,
        temporal_layers: rung.temporal_layers,
        content: Content::Camera,
        spatial: rung.spatial,
    };
    Encoder::open(&config).unwrap()
}

fn decoder() -> Decoder {
    Decoder::open(VideoCodec::H264).unwrap()
}

fn freeze(picture: &codec::decode::Picture<'_>, pool: &Pool, number: u64, captured: Timestamp) -> Frame {
    let mut target = pool.take(picture.size).unwrap();
    for (to, from) in target.planes_mut().iter_mut().zip(picture.planes) {
        to.copy_from(from);
    }
    target.freeze(number, captured, picture.colour)
}

#[test]
fn the_audio_codec_allocates_nothing_per_packet() {
    let payloads = BufferPool::new(4);
    let (mut encoder, mut decoder) = (opus::Encoder::new().unwrap(), opus::Decoder::new().unwrap());
    let mut out = [0.0; opus::SAMPLES];
    let mut packets = |count: usize| {
        allocations(|| {
            for number in 0..count {
                let pitch = if number % 8 < 4 { 0.02 } else { 0.03 };
                let sound: [f32; opus::SAMPLES] = std::array::from_fn(|index| {
                    let phase = f32::from(u16::try_from(index).unwrap()) * pitch;
                    0.3 * phase.sin() + 0.1 * (3.0 * phase).sin()
                });
                let Some(packet) = encoder.encode(&sound, &payloads).unwrap() else { continue };
                decoder.decode(Some(&packet), &mut out).unwrap();
                decoder.decode_fec(&packet, &mut out).unwrap();
                decoder.conceal(&mut out).unwrap();
            }
        })
    };
    packets(50);
    assert_eq!(packets(200), 0);
}

/// The number of pictures of the clip.
const PASS: u64 = 66;

use super::*;
use crate::decode::Decoder;
use crate::layer::Ladder;
use crate::{bitstream, testing};
use media::{Bitrate, FrameRate, Size, VideoCodec};
use media::{Colour, Matrix, Plane, Timestamp};

fn config(width: u16, height: u16) -> Config {
    Config {
        codec: VideoCodec::H264,
        size: Size::new(width, height),
        rate: FrameRate::THIRTY,
        bitrate: Bitrate::kbps(400),
        temporal_layers: 3,
        content: Content::Camera,
        spatial: 1,
    }
}

fn target(kilobits: u64, max_temporal: u8) -> EncoderTarget {
    let frame_rate = FrameRate::new(30, 1 << (2 - max_temporal)).unwrap();
    EncoderTarget { bitrate: Bitrate::kbps(kilobits), max_temporal, frame_rate }
}

fn encode(encoder: &mut Encoder, frame: &Frame, key: bool) -> Encoded {
    encoder.encode(frame, key, &BufferPool::new(2)).unwrap().expect("no picture is skipped")
}

/// Decodes and returns the luma PSNR of the picture against `frame`, or `None` if no picture was returned.
fn shown(decoder: &mut Decoder, encoded: &Encoded, frame: &Frame) -> Option<f64> {
    let (mut ratio, truth) = (None, frame.plane(Plane::Y));
    decoder.decode(&encoded.payload, &mut |picture| ratio = Some(testing::psnr(picture.planes[0], truth))).unwrap();
    ratio
}

#[test]
fn the_narrowest_and_the_smallest_rungs_are_encoded_and_shown() {
    for (width, height) in [(1, 1), (16, 16), (1, 240), (240, 1), (3_840, 16), (100, 10)] {
        let source = Size::new(width, height);
        let ladder = Ladder::for_source(source, Content::Screen);
        let rung = ladder.rungs().first().expect("it can be sent");
        let screen = Config {
            temporal_layers: rung.temporal_layers,
            content: Content::Screen,
            ..config(rung.size.width, rung.size.height)
        };
        let (mut encoder, mut decoder) = (Encoder::open(&screen).unwrap(), Decoder::open(VideoCodec::H264).unwrap());
        let frame = testing::picture(&media::Pool::new(2), source, 0);
        let encoded = encode(&mut encoder, &frame, true);
        let mut shown = None;
        decoder.decode(&encoded.payload, &mut |picture| shown = Some(picture.planes[0].size)).unwrap();
        assert_eq!(shown, Some(rung.size), "{source}");
    }
}

#[test]
fn every_rung_of_a_camera_has_good_quality() {
    let (frames, pool) = (media::Pool::new(4), media::Pool::new(2));
    let source = Size::new(1280, 720);
    for rung in Ladder::for_source(source, Content::Camera).rungs() {
        let config =
            Config { bitrate: rung.bitrate, spatial: rung.spatial, ..config(rung.size.width, rung.size.height) };
        let mut encoder = Encoder::open(&config).unwrap();
        let mut decoder = Decoder::open(VideoCodec::H264).unwrap();
        let mut scaler = Scaler::new();
        let mut worst = f64::MAX;
        for number in 0..12 {
            let frame = testing::picture(&frames, source, number);
            let mut scaled = pool.take(rung.size).unwrap();
            scaler.scale(&frame, &mut scaled);
            let truth = scaled.freeze(number, frame.captured(), frame.colour());
            let encoded = encode(&mut encoder, &frame, false);
            assert_eq!((encoded.size, encoded.layer.spatial, encoded.number), (rung.size, rung.spatial, number));
            worst = worst.min(shown(&mut decoder, &encoded, &truth).expect("each picture is shown at once"));
        }
        assert!(worst > 28.0, "{}: {worst:.1} dB", rung.size);
    }
}

#[test]
fn temporal_layers_follow_their_pattern() {
    let frames = media::Pool::new(2);
    let mut encoder = Encoder::open(&config(320, 180)).unwrap();
    let seen: Vec<_> = (0..9)
        .map(|number| encode(&mut encoder, &testing::picture(&frames, Size::new(320, 180), number), false))
        .map(|encoded| (encoded.layer.temporal, encoded.key, encoded.discardable))
        .collect();
    let layers: Vec<_> = seen.iter().map(|seen| seen.0).collect();
    assert_eq!(layers, [0, 2, 1, 2, 0, 2, 1, 2, 0]);
    assert!(seen.iter().all(|(temporal, _, discardable)| *discardable == (*temporal == 2)));
    assert!(seen.iter().enumerate().all(|(index, (_, key, _))| *key == (index == 0)));
}

#[test]
fn upper_temporal_layers_can_be_dropped() {
    let frames = media::Pool::new(2);
    for highest in 0..3 {
        let mut encoder = Encoder::open(&config(320, 180)).unwrap();
        let mut decoder = Decoder::open(VideoCodec::H264).unwrap();
        let mut seen = 0;
        for number in 0..40 {
            let frame = testing::picture(&frames, Size::new(320, 180), number);
            let encoded = encode(&mut encoder, &frame, false);
            if encoded.layer.temporal <= highest {
                let ratio = shown(&mut decoder, &encoded, &frame).expect("shown");
                assert!(ratio > 26.0, "up to T{highest}, picture {number}: {ratio:.1} dB");
                seen += 1;
            }
        }
        assert_eq!(seen, [10, 20, 40][usize::from(highest)]);
    }
}

#[test]
fn a_requested_key_frame_starts_a_new_decoder() {
    let frames = media::Pool::new(2);
    let mut encoder = Encoder::open(&config(320, 180)).unwrap();
    for number in 0..7 {
        encode(&mut encoder, &testing::picture(&frames, Size::new(320, 180), number), false);
    }
    let frame = testing::picture(&frames, Size::new(320, 180), 7);
    let encoded = encode(&mut encoder, &frame, true);
    assert!(encoded.key && encoded.layer.temporal == 0 && !encoded.discardable);
    assert!(bitstream::is_key(&encoded.payload));
    let kinds: Vec<_> =
        bitstream::prefixed(&encoded.payload).map(|unit| bitstream::Kind::of(unit.unwrap()).unwrap()).collect();
    assert_eq!(kinds, [bitstream::Kind::Sps, bitstream::Kind::Pps, bitstream::Kind::Key]);
    let mut decoder = Decoder::open(VideoCodec::H264).unwrap();
    assert!(shown(&mut decoder, &encoded, &frame).unwrap() > 26.0);
    let frame = testing::picture(&frames, Size::new(320, 180), 8);
    assert!(shown(&mut decoder, &encode(&mut encoder, &frame, false), &frame).unwrap() > 26.0);
}

#[test]
fn a_layer_resumes_with_one_key_frame() {
    let frames = media::Pool::new(2);
    let mut encoder = Encoder::open(&config(320, 180)).unwrap();
    let mut decoder = Decoder::open(VideoCodec::H264).unwrap();
    // Frames 10..90 are not encoded: the layer was paused.
    for number in (0..10).chain(90..100) {
        let frame = testing::picture(&frames, Size::new(320, 180), number);
        let encoded = encode(&mut encoder, &frame, number == 90);
        assert_eq!(encoded.key, number == 0 || number == 90);
        assert!(shown(&mut decoder, &encoded, &frame).unwrap() > 26.0);
    }
}

#[test]
fn the_colour_space_is_sent_in_the_parameter_set() {
    let frames = media::Pool::new(2);
    let mut encoder = Encoder::open(&config(320, 180)).unwrap();
    let mut decoder = Decoder::open(VideoCodec::H264).unwrap();
    let mut number = 0;
    for matrix in [Matrix::Bt709, Matrix::Bt601] {
        for full_range in [false, true] {
            let colour = Colour { matrix, full_range };
            let frame = testing::picture_in(&frames, Size::new(320, 180), number, colour);
            let encoded = encode(&mut encoder, &frame, false);
            assert!(encoded.key, "a new colour space starts with a key frame");
            let mut decoded = None;
            decoder.decode(&encoded.payload, &mut |picture| decoded = Some(picture.colour)).unwrap();
            assert_eq!(decoded, Some(colour));
            number += 1;
        }
    }
}

#[test]
fn sizes_that_are_not_a_multiple_of_sixteen_are_cropped() {
    let frames = media::Pool::new(2);
    for (width, height) in [(318, 178), (322, 182), (321, 181), (16, 16), (18, 34), (160, 284)] {
        let mut encoder = Encoder::open(&config(width, height)).unwrap();
        let mut decoder = Decoder::open(VideoCodec::H264).unwrap();
        let even = Size::new(width & !1, height & !1);
        let encoded = encode(&mut encoder, &testing::picture(&frames, Size::new(width, height), 0), false);
        assert_eq!(encoded.size, even);
        let mut sizes = None;
        decoder
            .decode(&encoded.payload, &mut |picture| {
                sizes = Some((picture.size, picture.planes.map(|plane| plane.size)));
            })
            .unwrap();
        assert_eq!(sizes, Some((even, [even, even.chroma(), even.chroma()])));
    }
}

#[test]
fn the_rate_is_kept_without_skipping() {
    let frames = media::Pool::new(2);
    let mut encoder = Encoder::open(&config(640, 360)).unwrap();
    let rate_of = |encoder: &mut Encoder, kilobits: u64, from: u64| -> u64 {
        encoder.set_target(target(kilobits, 2)).unwrap();
        let sizes = (from..from + 90).map(|number| {
            encode(encoder, &testing::picture(&frames, Size::new(640, 360), number), false).payload.len()
        });
        // The rate control settles in the first second.
        sizes.skip(30).sum::<usize>() as u64 * 8 / 2_000
    };
    for (round, kilobits) in [400, 800, 300].into_iter().enumerate() {
        let kept = rate_of(&mut encoder, kilobits, round as u64 * 90);
        assert!(kept < kilobits * 11 / 10, "{kept} of {kilobits} kbit/s");
        assert!(kept > kilobits * 8 / 10, "{kept} of {kilobits} kbit/s");
    }
}

#[test]
fn the_rate_is_kept_after_a_change_of_the_temporal_layers() {
    let (frames, size) = (media::Pool::new(2), Size::new(320, 180));
    let mut encoder = Encoder::open(&config(320, 180)).unwrap();
    let mut number = 0;
    for (kilobits, max_temporal) in [(200, 2), (60, 0), (200, 2), (100, 1), (150, 2), (90, 1)] {
        encoder.set_target(target(kilobits, max_temporal)).unwrap();
        let pictures = 90 >> (2 - max_temporal);
        let mut bytes = 0;
        for index in 0..pictures {
            let encoded = encode(&mut encoder, &testing::picture(&frames, size, number), false);
            // The rate control settles in the first second.
            bytes += if index >= pictures / 3 { encoded.payload.len() as u64 } else { 0 };
            number += 1 << (2 - max_temporal);
        }
        let kept = bytes * 8 / 2_000;
        assert!((kilobits * 7 / 10..=kilobits * 12 / 10).contains(&kept), "{kept} of {kilobits} kbit/s");
    }
}

#[test]
fn a_screen_has_one_temporal_layer_and_sharp_text() {
    let frames = media::Pool::new(2);
    let requested = Config { content: Content::Screen, bitrate: Bitrate::kbps(1_500), ..config(640, 360) };
    let mut encoder = Encoder::open(&requested).unwrap();
    assert_eq!(encoder.config().temporal_layers, 1);
    let mut decoder = Decoder::open(VideoCodec::H264).unwrap();
    for number in 0..10 {
        let frame = testing::picture(&frames, Size::new(640, 360), number);
        let encoded = encode(&mut encoder, &frame, false);
        assert!(encoded.layer.temporal == 0 && !encoded.discardable);
        assert!(shown(&mut decoder, &encoded, &frame).unwrap() > 28.0);
    }
}

#[test]
fn an_unsupported_size_is_refused_with_a_reason() {
    let Err(error) = Encoder::open(&config(8, 360)) else { panic!("opened") };
    assert_eq!(error.to_string(), "no encoder is left; tried openh264: size 8x360 under 16x16");
    assert!(Encoder::open(&config(16_000, 16_000)).is_err());
}

#[test]
fn steady_state_allocates_no_payload() {
    let (frames, pool) = (media::Pool::new(2), BufferPool::new(2));
    let mut encoder = Encoder::open(&config(320, 180)).unwrap();
    let mut addresses = std::collections::HashSet::new();
    for number in 0..60 {
        let frame = testing::picture(&frames, Size::new(640, 360), number);
        let encoded = encoder.encode(&frame, false, &pool).unwrap().unwrap();
        if number >= 30 {
            addresses.insert(encoded.payload.as_ptr() as usize);
        }
    }
    assert!(addresses.len() <= 2, "{} different buffers", addresses.len());
}

#[test]
fn the_highest_temporal_layer_changes_without_a_key_frame() {
    let (frames, size) = (media::Pool::new(2), Size::new(320, 180));
    let mut encoder = Encoder::open(&config(320, 180)).unwrap();
    let mut decoder = Decoder::open(VideoCodec::H264).unwrap();
    // Each change is in the middle of a pattern.
    let mut number = 0;
    for (max_temporal, expected) in [
        (2, vec![0, 2, 1, 2, 0, 2, 1]),
        (1, vec![0, 1, 0, 1, 0]),
        (0, vec![0, 0, 0, 0, 0]),
        (2, vec![0, 2, 1, 2, 0, 2]),
        (0, vec![0, 0, 0]),
        (1, vec![0, 1, 0, 1]),
        (2, vec![0, 2, 1, 2, 0]),
    ] {
        encoder.set_target(target(400, max_temporal)).unwrap();
        assert_eq!(encoder.config().temporal_layers, max_temporal + 1);
        for temporal in expected {
            let frame = testing::picture(&frames, size, number);
            let encoded = encode(&mut encoder, &frame, false);
            assert_eq!((encoded.layer.temporal, encoded.key), (temporal, number == 0), "picture {number}");
            assert_eq!(encoded.discardable, temporal > 0 && temporal == max_temporal, "picture {number}");
            // The decoder gets all but the discardable pictures, as a viewer of fewer temporal layers does.
            if !encoded.discardable {
                let ratio = shown(&mut decoder, &encoded, &frame).expect("shown");
                assert!(ratio > 26.0, "up to T{max_temporal}, picture {number}: {ratio:.1} dB");
            }
            number += 1;
        }
    }
}

#[test]
fn a_failing_encoder_is_replaced_in_the_same_call_and_reported_once() {
    let frames = media::Pool::new(2);
    for (fault, picture) in
        [(probe::Fault::Open, 0), (probe::Fault::ErrorAt(100), 100), (probe::Fault::PanicAt(100), 100)]
    {
        let log = probe::Log::default();
        let spare = probe::candidate("spare", log.clone());
        let failing = probe::faulty("failing", probe::candidate("inner", probe::Log::default()), fault);
        let mut encoder = Encoder::open_with(&config(320, 180), &Backends::new(vec![failing, spare])).unwrap();
        encoder.set_target(target(250, 1)).unwrap();
        let mut reported = Vec::new();
        for number in 0..120 {
            let frame = testing::picture(&frames, Size::new(320, 180), number);
            let encoded = encode(&mut encoder, &frame, false);
            assert_eq!((encoded.number, encoded.key), (number, number == 0 || number == picture), "{fault:?}");
            reported.extend(encoder.take_replacements().into_iter().map(|replacement| (number, replacement)));
        }
        let [(at, replacement)] = &reported[..] else { panic!("{fault:?}: reported {reported:?}") };
        assert_eq!((*at, replacement.refusal.name, replacement.by), (picture, "failing", "spare"));
        assert!(replacement.is_another());
        let first = log.calls()[0].1;
        assert_eq!(first, probe::Call::SetTarget(target(250, 1)), "{fault:?}: the target is kept");
    }
}

#[test]
fn the_last_encoder_is_opened_again_until_it_fails_three_times_in_a_row() {
    let frames = media::Pool::new(1);
    let frame = testing::picture(&frames, Size::new(320, 180), 5);
    let pool = BufferPool::new(1);
    let log = probe::Log::default();
    let only = |fault| Backends::new(vec![probe::faulty("only", probe::candidate("inner", log.clone()), fault)]);
    let mut encoder = Encoder::open_with(&config(320, 180), &only(probe::Fault::PanicAt(1))).unwrap();
    for picture in 0..8 {
        let encoded = encoder.encode(&frame, false, &pool).unwrap().unwrap();
        assert!(encoded.key, "picture {picture}: each one has a new encoder");
        assert!(encoder.take_replacements().iter().all(|replacement| !replacement.is_another()));
    }
    let mut encoder = Encoder::open_with(&config(320, 180), &only(probe::Fault::ErrorAt(0))).unwrap();
    let Err(Error::NoBackend(refusals)) = encoder.encode(&frame, false, &pool) else { panic!("there is no error") };
    assert_eq!(refusals.len(), 3);
    assert_eq!(Error::NoBackend(refusals).to_string().matches("only: the probe fails").count(), 3);
}

#[test]
fn without_another_back_end_the_error_names_the_one_that_failed() {
    let failing = probe::faulty("failing", probe::candidate("inner", probe::Log::default()), probe::Fault::ErrorAt(1));
    let mut encoder = Encoder::with(failing.open(&config(320, 180)).unwrap());
    let frame = testing::picture(&media::Pool::new(1), Size::new(320, 180), 5);
    let pool = BufferPool::new(1);
    assert!(encoder.encode(&frame, false, &pool).unwrap().unwrap().key);
    let Err(error) = encoder.encode(&frame, true, &pool) else { panic!("there is no error") };
    assert_eq!(error.to_string(), "no encoder is left; tried failing: the probe fails");
}

#[test]
fn calls_come_on_one_thread_in_order() {
    let log = probe::Log::default();
    let mut encoder = Encoder::with(Box::new(probe::Backend::new(config(320, 180), log.clone())));
    let frame = testing::picture(&media::Pool::new(1), Size::new(320, 180), 5);
    for key in [false, true] {
        encode(&mut encoder, &frame, key);
    }
    drop(encoder);
    let calls: Vec<_> = log.calls().into_iter().map(|(_, call)| call).collect();
    let encode = |key| probe::Call::Encode { number: 5, key };
    assert_eq!(calls, [encode(false), encode(true), probe::Call::Dropped]);
}

#[test]
fn the_probe_decoder_decodes_the_probe_encoder() {
    let mut encoder = Encoder::with(Box::new(probe::Backend::new(config(16, 16), probe::Log::default())));
    let log = crate::decode::probe::Log::default();
    let mut decoder = Decoder::with(Box::new(crate::decode::probe::Backend::new(Size::new(16, 16), log.clone())));
    let pool = media::Pool::new(1);
    for number in [300, 301] {
        let encoded = encode(&mut encoder, &testing::picture(&pool, Size::new(64, 64), number), false);
        let mut luma = None;
        decoder.decode(&encoded.payload, &mut |picture| luma = picture.planes[0].data.first().copied()).unwrap();
        assert_eq!(luma, Some(number.to_le_bytes()[0]));
    }
    assert_eq!(log.calls().len(), 2);
    let mut null = Encoder::with(Box::new(null::Backend::new(config(16, 16))));
    let frame = testing::picture(&pool, Size::new(16, 16), 0);
    assert!(null.encode(&frame, true, &BufferPool::new(1)).unwrap().is_none());
    assert_eq!(frame.captured(), Timestamp::default());
}

use super::*;
use crate::encode::{self, Content, Encoder};
use crate::testing;
use media::Size;
use media::{Bitrate, BufferPool, Encoded, FrameRate, Pool};

fn stream(pictures: u64, keys: &[u64]) -> Vec<Encoded> {
    let (frames, pool) = (Pool::new(2), BufferPool::new(2));
    let size = Size::new(160, 96);
    let config = encode::Config {
        codec: VideoCodec::H264,
        size,
        rate: FrameRate::THIRTY,
        bitrate: Bitrate::kbps(150),
        temporal_layers: 3,
        content: Content::Camera,
        spatial: 0,
    };
    let mut encoder = Encoder::open(&config).unwrap();
    let picture = |number| encoder.encode(&testing::picture(&frames, size, number), keys.contains(&number), &pool);
    (0..pictures).map(picture).map(|encoded| encoded.unwrap().unwrap()).collect()
}

fn decode(decoder: &mut Decoder, bitstream: &[u8]) -> Result<usize, Error> {
    let mut shown = 0;
    decoder.decode(bitstream, &mut |_| shown += 1)?;
    Ok(shown)
}

/// Returns a deterministic pseudo-random generator.
fn random_numbers(seed: u32) -> impl FnMut() -> usize {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        usize::try_from(state >> 8).unwrap()
    }
}

#[test]
fn nothing_is_shown_before_a_key_frame() {
    let stream = stream(6, &[4]);
    let mut decoder = Decoder::open(VideoCodec::H264).unwrap();
    for encoded in &stream[1..4] {
        let error = decode(&mut decoder, &encoded.payload).unwrap_err();
        assert!(matches!(error, Error::NoKeyFrame) && error.needs_key_frame());
    }
    assert_eq!(decode(&mut decoder, &stream[4].payload).unwrap(), 1);
    assert_eq!(decode(&mut decoder, &stream[5].payload).unwrap(), 1);
}

#[test]
fn after_an_error_it_waits_for_the_next_key_frame() {
    let stream = stream(8, &[6]);
    let mut decoder = Decoder::open(VideoCodec::H264).unwrap();
    assert_eq!(decode(&mut decoder, &stream[0].payload).unwrap(), 1);
    let cut = &stream[4].payload[..stream[4].payload.len() / 2];
    assert!(matches!(decode(&mut decoder, cut), Err(Error::Malformed(Malformed::CutOff))));
    assert!(matches!(decode(&mut decoder, &stream[5].payload), Err(Error::NoKeyFrame)));
    assert_eq!(decode(&mut decoder, &stream[6].payload).unwrap(), 1);
}

#[test]
fn every_truncation_of_a_key_frame_is_an_error() {
    let stream = stream(2, &[]);
    let whole = &stream[0].payload;
    for length in 0..whole.len() {
        let mut decoder = Decoder::open(VideoCodec::H264).unwrap();
        assert!(decode(&mut decoder, &whole[..length]).is_err(), "at {length}");
        if length % 64 == 0 {
            assert_eq!(decode(&mut decoder, whole).unwrap(), 1, "the decoder continues");
        }
    }
}

#[test]
fn the_decoder_continues_after_damaged_pictures() {
    let stream = stream(24, &[12]);
    let mut random = random_numbers(7);
    let mut decoder = Decoder::open(VideoCodec::H264).unwrap();
    for _ in 0..150 {
        for encoded in &stream {
            let mut bytes = encoded.payload.to_vec();
            for _ in 0..random() % 4 {
                let at = random() % bytes.len();
                bytes[at] = random().to_le_bytes()[0];
            }
            drop(decode(&mut decoder, &bytes));
        }
    }
    assert_eq!(decode(&mut decoder, &stream[0].payload).unwrap(), 1);
}

#[test]
fn damaged_slice_data_does_not_panic() {
    let stream = stream(6, &[]);
    let mut random = random_numbers(99);
    for round in 0..300 {
        let mut decoder = Decoder::open(VideoCodec::H264).unwrap();
        for encoded in &stream {
            let mut bytes = encoded.payload.to_vec();
            // Damage only the slice data, so that the unit reaches the library.
            if round % 3 != 0 || !encoded.key {
                let at = bytes.len() - 1 - random() % (bytes.len() - 12).min(40);
                bytes[at] ^= 1 << (random() % 8);
            }
            drop(decode(&mut decoder, &bytes));
        }
    }
}

#[test]
fn invalid_units_are_refused_and_unneeded_ones_skipped() {
    let stream = stream(1, &[]);
    let mut decoder = Decoder::open(VideoCodec::H264).unwrap();
    let with = |unit: &[u8]| {
        let mut bytes = u32::try_from(unit.len()).unwrap().to_be_bytes().to_vec();
        bytes.extend_from_slice(unit);
        bytes.extend_from_slice(&stream[0].payload);
        bytes
    };
    assert!(matches!(decode(&mut decoder, &with(&[0x82, 1])), Err(Error::Malformed(Malformed::NotAUnit))));
    assert!(matches!(decode(&mut decoder, &with(&[0x42, 1])), Err(Error::Malformed(Malformed::Unsupported(_)))));
    assert!(matches!(decode(&mut decoder, &with(&[])), Err(Error::Malformed(Malformed::NotAUnit))));
    assert_eq!(decode(&mut decoder, &with(&[0x06, 5, 1, 0, 0x80])).unwrap(), 1);
    assert_eq!(decode(&mut decoder, &with(&[0x6F, 0x53, 0, 0x1F, 0xFF])).unwrap(), 1);
}

#[test]
fn a_stream_may_change_its_size() {
    let mut decoder = Decoder::open(VideoCodec::H264).unwrap();
    let (frames, pool) = (Pool::new(2), BufferPool::new(2));
    for side in [320, 64, 640] {
        let size = Size::new(side, 176);
        let config = encode::Config {
            codec: VideoCodec::H264,
            size,
            rate: FrameRate::THIRTY,
            bitrate: Bitrate::kbps(300),
            temporal_layers: 3,
            content: Content::Camera,
            spatial: 0,
        };
        let mut encoder = Encoder::open(&config).unwrap();
        for number in 0..3 {
            let encoded = encoder.encode(&testing::picture(&frames, size, number), false, &pool).unwrap().unwrap();
            let mut shown = None;
            decoder.decode(&encoded.payload, &mut |picture| shown = Some(picture.size)).unwrap();
            assert_eq!(shown, Some(size));
        }
    }
}

#[test]
fn nothing_is_shown_after_a_lost_reference_until_a_key_frame() {
    // Each T0 picture references the previous one, so nothing after picture 4 can be decoded.
    let stream = stream(20, &[16]);
    let mut decoder = Decoder::open(VideoCodec::H264).unwrap();
    let mut shown = Vec::new();
    for encoded in stream.iter().filter(|encoded| encoded.number != 4) {
        if decode(&mut decoder, &encoded.payload).is_ok() {
            shown.push(encoded.number);
        }
    }
    assert_eq!(shown, [0, 1, 2, 3, 16, 17, 18, 19]);
}

/// Returns packets of the probe, each with the picture's number. Those of `keys` are key frames.
fn probe_stream(pictures: u64, keys: &[u64]) -> Vec<Encoded> {
    let (frames, pool) = (Pool::new(2), BufferPool::new(2));
    let size = Size::new(16, 16);
    let config = encode::Config {
        codec: VideoCodec::H264,
        size,
        rate: FrameRate::THIRTY,
        bitrate: Bitrate::kbps(150),
        temporal_layers: 3,
        content: Content::Camera,
        spatial: 0,
    };
    let mut encoder = Encoder::with(Box::new(encode::probe::Backend::new(config, encode::probe::Log::default())));
    let picture = |number| encoder.encode(&testing::picture(&frames, size, number), keys.contains(&number), &pool);
    (0..pictures).map(picture).map(|encoded| encoded.unwrap().unwrap()).collect()
}

fn probe_candidate(name: &'static str) -> Candidate {
    probe::candidate(name, Size::new(16, 16), probe::Log::default())
}

#[test]
fn a_failing_decoder_is_replaced_in_the_same_call_and_reported_once() {
    let stream = probe_stream(120, &[101]);
    for (fault, picture) in
        [(probe::Fault::Open, 0), (probe::Fault::ErrorAt(100), 100), (probe::Fault::PanicAt(100), 100)]
    {
        let failing = probe::faulty("failing", probe_candidate("inner"), fault);
        let backends = Backends::new(vec![failing, probe_candidate("spare")]);
        let mut decoder = Decoder::open_with(VideoCodec::H264, &backends).unwrap();
        let (mut reported, mut missing) = (Vec::new(), Vec::new());
        for encoded in &stream {
            match decode(&mut decoder, &encoded.payload) {
                Ok(shown) => assert_eq!(shown, 1),
                Err(error) => {
                    assert!(matches!(error, Error::Backend { .. }) && error.needs_key_frame(), "{error}");
                    missing.push(encoded.number);
                }
            }
            reported.extend(decoder.take_replacements().into_iter().map(|replacement| (encoded.number, replacement)));
        }
        let [(at, replacement)] = &reported[..] else { panic!("{fault:?}: reported {reported:?}") };
        assert_eq!((*at, replacement.refusal.name, replacement.by), (picture, "failing", "spare"));
        let expected: &[u64] = if fault == probe::Fault::Open { &[] } else { &[100] };
        assert_eq!(missing, expected, "{fault:?}: the key frame is shown again");
    }
}

#[test]
fn the_replacement_decodes_the_key_frame_at_which_the_decoder_failed() {
    let stream = probe_stream(4, &[2]);
    for fault in [probe::Fault::ErrorAt(2), probe::Fault::PanicAt(2)] {
        let failing = probe::faulty("failing", probe_candidate("inner"), fault);
        let backends = Backends::new(vec![failing, probe_candidate("spare")]);
        let mut decoder = Decoder::open_with(VideoCodec::H264, &backends).unwrap();
        for encoded in &stream {
            assert_eq!(decode(&mut decoder, &encoded.payload).unwrap(), 1);
        }
        assert_eq!(decoder.name(), "probe", "the name of the back-end itself");
        assert_eq!(decoder.take_replacements().len(), 1);
    }
}

#[test]
fn without_another_decoder_the_third_bad_key_frame_ends_decoding() {
    let stream = probe_stream(4, &[0, 1, 2, 3]);
    let only = probe::faulty("only", probe_candidate("inner"), probe::Fault::ErrorAt(0));
    let mut decoder = Decoder::open_with(VideoCodec::H264, &Backends::new(vec![only])).unwrap();
    for encoded in &stream[..2] {
        let error = decode(&mut decoder, &encoded.payload).unwrap_err();
        assert_eq!(error.to_string(), "only could not decode a picture: the probe fails");
    }
    let error = decode(&mut decoder, &stream[2].payload).unwrap_err();
    assert!(matches!(&error, Error::NoBackend(refusals) if refusals.len() == 3) && !error.needs_key_frame(), "{error}");
}

/// Which of a thousand key frames ends a track whose only decoder fails after each `good` pictures.
fn ends_at(good: u64) -> Option<usize> {
    let stream = probe_stream(1_000, &(0..1_000).collect::<Vec<_>>());
    let only = probe::faulty("only", probe_candidate("inner"), probe::Fault::ErrorAt(good));
    let mut decoder = Decoder::open_with(VideoCodec::H264, &Backends::new(vec![only])).unwrap();
    stream.iter().position(|encoded| matches!(decode(&mut decoder, &encoded.payload), Err(Error::NoBackend(_))))
}

#[test]
fn a_decoder_that_fails_again_and_again_is_given_up_and_one_that_fails_rarely_is_not() {
    assert!(ends_at(1).is_some_and(|picture| picture < 20), "{:?}", ends_at(1));
    assert!(ends_at(10).is_some_and(|picture| picture < 200), "{:?}", ends_at(10));
    assert_eq!(ends_at(31), None);
}

#[test]
fn a_panic_of_the_viewer_is_not_a_failure_of_the_decoder() {
    let stream = probe_stream(2, &[]);
    let mut decoder = Decoder::open_with(VideoCodec::H264, &Backends::new(vec![probe_candidate("only")])).unwrap();
    let shown = media::catch_panic(|| decoder.decode(&stream[0].payload, &mut |_| panic!("the viewer")));
    assert_eq!(shown.unwrap_err().to_string(), "panicked: the viewer");
    assert!(decoder.take_replacements().is_empty());
}

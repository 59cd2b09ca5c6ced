//! Fuzz targets for bitstreams of members, and for media files.

use super::{joined, parts};
use codec::bitstream::{self, Sps};
use codec::container::{mp4, y4m};
use codec::decode::{Decoder, Replacement};
use codec::encode::{Config, Encoder};
use codec::layer::Content;
use codec::opus;
use media::{Bitrate, BufferPool, Colour, Frame, FrameRate, Plane, Pool, Size, Timestamp, VideoCodec};
use std::io::Cursor;

/// Parses NAL units in both framings, and parameter sets.
pub(super) fn bitstream(bytes: &[u8]) {
    for part in parts(bytes) {
        let _ = bitstream::is_key(part);
        for unit in bitstream::prefixed(part).map_while(Result::ok) {
            let _ = (Sps::parse(unit), bitstream::Kind::of(unit), bitstream::is_reference(unit));
        }
        assert!(bitstream::annex_b(part).map(<[u8]>::len).sum::<usize>() <= part.len());
        let mut stream = Vec::new();
        if bitstream::to_annex_b(part, &mut stream).is_ok() {
            let mut again = BufferPool::new(1).take(part.len());
            bitstream::to_prefixed(&stream, &mut again);
        }
        let _ = Sps::parse(part);
    }
}

/// Decodes consecutive pictures of a track.
pub(super) fn decoder(bytes: &[u8]) {
    let Ok(mut decoder) = Decoder::open(VideoCodec::H264) else { return };
    for part in parts(bytes) {
        let _ = decoder.decode(part, &mut |picture| {
            assert!(picture.planes[0].rows().count() >= usize::from(picture.size.height));
        });
        // The decoder turns a panic of its back-end into a replacement.
        let panicked = |replacement: &Replacement| replacement.refusal.reason.is::<media::Panicked>();
        assert!(!decoder.take_replacements().iter().any(panicked));
    }
}

/// Decodes consecutive audio packets.
pub(super) fn opus(bytes: &[u8]) {
    let Ok(mut decoder) = opus::Decoder::new() else { return };
    let mut out = [0.0; opus::SAMPLES];
    for part in parts(bytes) {
        let (_, _) = (decoder.decode_fec(part, &mut out), decoder.decode(Some(part), &mut out));
    }
}

/// Reads an MP4 file.
pub(super) fn mp4(bytes: &[u8]) {
    let Ok(mut clip) = mp4::Clip::new(Cursor::new(bytes)) else { return };
    let mut sample = Vec::new();
    for index in 0..clip.len().min(64) {
        if clip.read(index, &mut sample).is_ok() {
            let _ = (clip.is_key(index), bitstream::is_key(&sample));
        }
    }
}

/// Reads a Y4M file.
pub(super) fn y4m(bytes: &[u8]) {
    let Ok(mut reader) = y4m::Reader::new(Cursor::new(bytes)) else { return };
    let Some(mut frame) = Pool::new(1).take(reader.header().size) else { return };
    for _ in 0..16 {
        if !matches!(reader.read(&mut frame), Ok(true)) {
            return;
        }
    }
}

/// Reads a WAV file. It is written to disk first, because the reader takes a path.
pub(super) fn wav(bytes: &[u8]) {
    let Ok(file) = tempfile::NamedTempFile::new() else { return };
    if std::fs::write(&file, bytes).is_ok()
        && let Ok(samples) = audio::device::read_wav(file.path())
    {
        assert!(samples.iter().all(|sample| sample.is_finite()));
    }
}

fn rate(frames: u32) -> FrameRate {
    FrameRate::new(frames, 1).expect("not zero")
}

/// Returns a grey frame.
fn grey(size: Size, number: u8) -> Option<Frame> {
    let mut frame = Pool::new(1).take(size)?;
    for mut plane in frame.planes_mut() {
        for (at, row) in (0u8..).zip(plane.rows_mut()) {
            row.fill(number.wrapping_mul(40).wrapping_add(at));
        }
    }
    let captured = Timestamp::from_micros(u64::from(number) * 33_333);
    Some(frame.freeze(u64::from(number), captured, Colour::default()))
}

/// Returns a short stream of the encoder, as pictures and as NAL units.
pub(super) fn pictures() -> Vec<Vec<u8>> {
    let config = Config {
        codec: VideoCodec::H264,
        size: Size::new(64, 48),
        rate: rate(30),
        bitrate: Bitrate::kbps(100),
        temporal_layers: 3,
        content: Content::Camera,
        spatial: 0,
    };
    let (pool, Ok(mut encoder)) = (BufferPool::new(4), Encoder::open(&config)) else { return Vec::new() };
    let mut compressed = |number| encoder.encode(&grey(config.size, number)?, number == 0, &pool).ok()?;
    let pictures: Vec<_> = (0..6).filter_map(&mut compressed).map(|picture| picture.payload.to_vec()).collect();
    let units = pictures.first().map(|first| bitstream::prefixed(first).map_while(Result::ok).collect::<Vec<_>>());
    vec![joined(pictures.iter().map(Vec::as_slice)), joined(units.unwrap_or_default())]
}

/// Returns packets of the audio encoder.
pub(super) fn audio_packets() -> Vec<Vec<u8>> {
    let (pool, Ok(mut encoder)) = (BufferPool::new(4), opus::Encoder::new()) else { return Vec::new() };
    // A sawtooth of 500 Hz: 96 samples per period.
    let sawtooth: Vec<f32> =
        (0..opus::SAMPLES).map(|at| f32::from(u8::try_from(at % 96).unwrap_or_default())).collect();
    let sawtooth: Vec<f32> = sawtooth.iter().map(|sample| sample / 96.0 - 0.5).collect();
    let packets = (0..12).filter_map(|_| encoder.encode(&sawtooth, &pool).ok()?);
    let packets: Vec<_> = packets.map(|packet| packet.to_vec()).collect();
    vec![joined(packets.iter().map(Vec::as_slice))]
}

pub(super) fn video_files() -> Vec<Vec<u8>> {
    let header = y4m::Header { size: Size::new(7, 5), rate: rate(25), colour: Colour::default() };
    let Ok(mut writer) = y4m::Writer::new(Vec::new(), header) else { return Vec::new() };
    for frame in (0..2).filter_map(|number| grey(header.size, number)) {
        if writer.write([Plane::Y, Plane::U, Plane::V].map(|plane| frame.plane(plane))).is_err() {
            return Vec::new();
        }
    }
    writer.finish().into_iter().collect()
}

/// Returns stereo WAV files of 16-bit and of floating-point samples.
pub(super) fn audio_files() -> Vec<Vec<u8>> {
    [(1u16, 16u16), (3, 32)]
        .map(|(format, bits)| {
            let block = bits / 8 * 2;
            let data = [0x20, 0x00, 0x10, 0x3f].repeat(usize::from(block) * 12);
            let length = u32::try_from(data.len()).unwrap_or_default();
            let mut bytes = b"RIFF".to_vec();
            bytes.extend((36 + length).to_le_bytes());
            bytes.extend(b"WAVEfmt \x10\0\0\0");
            bytes.extend([format, 2].map(u16::to_le_bytes).concat());
            bytes.extend([48_000, 48_000 * u32::from(block)].map(u32::to_le_bytes).concat());
            bytes.extend([block, bits].map(u16::to_le_bytes).concat());
            bytes.extend(b"data");
            bytes.extend(length.to_le_bytes());
            bytes.extend(data);
            bytes
        })
        .to_vec()
}

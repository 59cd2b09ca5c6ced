//! Sound files: encodings, headers and lengths.

use crate::tools::{Folder, ffmpeg, ratio};
use audio::device::{Error, read_wav};
use std::path::Path;

/// Asserts that a file of 48 kHz has the samples that ffmpeg finds in it.
fn assert_as_ffmpeg(name: &str, path: &Path) {
    assert_sound(name, path, path);
}

/// Asserts that a file of 48 kHz has the samples that ffmpeg finds in `source`.
fn assert_sound(name: &str, path: &Path, source: &Path) {
    let ours = read_wav(path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let bytes = ffmpeg(&format!("-i {} -f f32le -c:a pcm_f32le -", source.display()));
    let theirs: Vec<f64> = bytes.as_chunks::<4>().0.iter().map(|four| f64::from(f32::from_le_bytes(*four))).collect();
    assert!(theirs.len() > 20_000, "{name}: ffmpeg finds {} samples", theirs.len());
    // The last block is filled up.
    assert_eq!(ours.len(), theirs.len().next_multiple_of(audio::BLOCK), "{name}: the number of samples");
    let ratio = ratio(1.0, ours.iter().map(|sample| f64::from(*sample)).zip(theirs));
    assert!(ratio > MIN_RATIO, "{name}: the sound differs from ffmpeg's, {ratio:.1} dB");
}

/// A tone with a rising level, so that an error of the scale or of the position is seen.
const SOURCE: &str = "-f lavfi -i aevalsrc=0.7*t*sin(440*2*PI*t):sample_rate=48000:duration=1";
/// 8 bits have a ratio of 50 dB.
const MIN_RATIO: f64 = 45.0;

#[test]
fn every_encoding_is_played_at_its_level() {
    let folder = Folder::new("encodings");
    for codec in ["pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le"] {
        let path = folder.make(&format!("{codec}.wav"), &format!("{SOURCE} -c:a {codec}"));
        assert_as_ffmpeg(codec, &path);
    }
}

/// The microphone has one channel: the mean of all.
#[test]
fn channels_are_mixed() {
    let folder = Folder::new("channels");
    for (name, source) in
        [("stereo", "0.7*t*sin(440*2*PI*t)|0.4*sin(1000*2*PI*t)"), ("one-side", "0.7*t*sin(440*2*PI*t)|0")]
    {
        let source = format!("-f lavfi -i aevalsrc={source}:sample_rate=48000:duration=1");
        let path = folder.make(&format!("{name}.wav"), &format!("{source} -c:a pcm_s16le"));
        // By itself, ffmpeg mixes floating-point samples 3 dB louder, and they may then exceed full scale.
        let mix = format!("-i {} -af pan=mono|c0=0.5*c0+0.5*c1 -c:a pcm_f32le", path.display());
        assert_sound(name, &path, &folder.make(&format!("{name}-mono.wav"), &mix));
    }
}

#[test]
fn unusual_headers_are_played() {
    let folder = Folder::new("headers");
    let piped = ffmpeg(&format!("{SOURCE} -c:a pcm_s16le -f wav -"));
    let size = piped.windows(4).position(|window| window == b"data").expect("samples") + 4;
    assert_eq!(piped[size..size + 4], [0xFF; 4], "ffmpeg does not know the size of a pipe");
    assert_as_ffmpeg("written to a pipe", &folder.write("pipe.wav", &piped));
    let mut zero = piped.clone();
    zero[size..size + 4].fill(0);
    zero[4..8].fill(0);
    assert_as_ffmpeg("without a size", &folder.write("zero.wav", &zero));
    for title in ["a", "ab", "abc"] {
        let path = folder.make("title.wav", &format!("{SOURCE} -metadata title={title} -c:a pcm_s16le"));
        assert_as_ffmpeg("with a title", &path);
    }
    let large = folder.make("large.wav", &format!("{SOURCE} -c:a pcm_s16le -rf64 always"));
    assert!(std::fs::read(&large).expect("the file").starts_with(b"RF64"));
    assert_as_ffmpeg("RF64", &large);
}

#[test]
fn changed_chunks_are_played() {
    let folder = Folder::new("chunks");
    let plain = std::fs::read(folder.make("plain.wav", &format!("{SOURCE} -c:a pcm_s16le -bitexact"))).expect("it");
    let data = plain.windows(4).position(|window| window == b"data").expect("samples");
    let format = &plain[20..36];
    for length in [18_usize, 20, 28, 41] {
        let mut body = format.to_vec();
        body.resize(length, 0);
        assert_as_ffmpeg(&format!("fmt of {length}"), &folder.write("fmt.wav", &riff(&body, b"", &plain[data..])));
    }
    for junk in [&b"1"[..], b"1234567"] {
        assert_as_ffmpeg("an odd chunk", &folder.write("odd.wav", &riff(format, junk, &plain[data..])));
    }
    let cut = &plain[..plain.len() - 20_001];
    assert!(read_wav(&folder.write("cut.wav", cut)).expect("a truncated file").len() > 36_000);
}

#[test]
fn valid_bits_below_the_size_of_a_sample_keep_the_level() {
    let folder = Folder::new("bits");
    let wide = folder.make("wide.wav", &format!("{SOURCE} -c:a pcm_s32le -bitexact"));
    let mut file = std::fs::read(&wide).expect("the file");
    let bits = file.windows(8).position(|window| window[..2] == [0xFE, 0xFF]);
    let at = bits.expect("ffmpeg writes the extensible format for 32 bits") + 18;
    assert_eq!(file[at..at + 2], [32, 0]);
    file[at] = 24;
    // ffmpeg 5.1 takes these samples for another format, so it reads the file with 32 valid bits.
    assert_sound("24 in 32", &folder.write("24in32.wav", &file), &wide);
}

#[test]
fn sounds_that_cannot_be_played_are_refused_with_their_format() {
    let folder = Folder::new("refused-sounds");
    for (name, arguments, found) in [
        ("law.wav", "-c:a pcm_alaw", "WAV with A-law"),
        ("mu.wav", "-c:a pcm_mulaw", "WAV with µ-law"),
        ("adpcm.wav", "-c:a adpcm_ms", "WAV with ADPCM"),
        ("sound.w64", "-c:a pcm_s16le", "Wave64"),
        ("sound.aiff", "-c:a pcm_s16be", "AIFF"),
        ("sound.flac", "-c:a flac", "FLAC"),
        ("sound.m4a", "-c:a aac", "MP4"),
        ("sound.au", "-c:a pcm_s16be", "AU"),
    ] {
        let path = folder.make(name, &format!("{SOURCE} {arguments}"));
        let refused = read_wav(&path).map(drop).expect_err(name);
        assert!(matches!(&refused, Error::FileFormat { format, .. } if format == found), "{name}: {refused}");
        let message = refused.to_string();
        assert!(message.contains(name) && message.contains("supported is WAV"), "{message}");
    }
}

/// Returns a file with these chunks.
fn riff(format: &[u8], junk: &[u8], data: &[u8]) -> Vec<u8> {
    let chunk = |kind: &[u8], body: &[u8]| {
        let size = u32::try_from(body.len()).expect("a small chunk").to_le_bytes();
        [kind, &size, body, &[0][..body.len() % 2]].concat()
    };
    let junk = if junk.is_empty() { Vec::new() } else { chunk(b"junk", junk) };
    let body = [b"WAVE".to_vec(), chunk(b"fmt ", format), junk, data.to_vec()].concat();
    [&b"RIFF"[..], &u32::try_from(body.len()).expect("a small file").to_le_bytes(), &body].concat()
}

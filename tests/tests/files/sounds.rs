//! Sound files: encodings, headers and lengths.

use crate::tools::{Folder, ffmpeg, ratio};
use audio::device::{Error, read_wav};
use std::f64::consts::TAU;
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

/// The samples of an interval that hold most of both resamplers' filters at the beginning and at the end: 20 ms.
const EDGE: usize = 960;

/// Returns the correlation of `ours` with `theirs` if `ours` is earlier by `lag` samples, from -1 to 1.
fn correlation(ours: &[f64], theirs: &[f64], lag: isize) -> f64 {
    // Half a second is enough, and quick.
    let pairs =
        (EDGE..EDGE + 24_000).map(|at| (ours[at], theirs[at.checked_add_signed(lag).expect("within the sound")]));
    let (mut both, mut own, mut other) = (0.0, 0.0, 0.0);
    for (one, two) in pairs {
        (both, own, other) = (both + one * two, own + one * one, other + two * two);
    }
    both / (own * other).sqrt()
}

/// Returns the level of a frequency in decibels of full scale.
fn level(sound: &[f64], frequency: f64) -> f64 {
    let (mut real, mut imaginary, mut sum) = (0.0, 0.0, 0.0);
    let middle = &sound[EDGE..sound.len() - EDGE];
    for (at, sample) in (0_u32..).zip(middle) {
        // Hann's window, so that a loud frequency does not cover the others.
        let position = f64::from(at) / f64::from(u32::try_from(middle.len()).expect("a short sound"));
        let weight = 0.5 - 0.5 * (position * TAU).cos();
        let angle = f64::from(at) * frequency * TAU / 48_000.0;
        (real, imaginary, sum) =
            (real + sample * weight * angle.cos(), imaginary + sample * weight * angle.sin(), sum + weight);
    }
    20.0 * (2.0 * real.hypot(imaginary) / sum).max(1e-9).log10()
}

/// Returns a sound that ffmpeg has made from `formula`, as our reader and as ffmpeg convert it to 48 kHz.
fn converted(folder: &Folder, rate: u32, formula: &str) -> [Vec<f64>; 2] {
    let source = format!("-f lavfi -i aevalsrc={formula}:sample_rate={rate}:duration=2");
    let path = folder.make(&format!("{rate}.wav"), &format!("{source} -c:a pcm_s24le"));
    let ours: Vec<_> = read_wav(&path).expect("a sound").into_iter().map(f64::from).collect();
    let bytes = ffmpeg(&format!("-i {} -ar 48000 -f f32le -c:a pcm_f32le -", path.display()));
    let theirs: Vec<_> = bytes.as_chunks::<4>().0.iter().map(|four| f64::from(f32::from_le_bytes(*four))).collect();
    assert!(ours.len().abs_diff(theirs.len()) < audio::BLOCK, "{rate}: {} and {}", ours.len(), theirs.len());
    [ours, theirs]
}

/// ffmpeg compensates the delay of its resampler, and the microphone has to do so, too: the best match is at the same sample.
#[test]
fn other_rates_are_played_at_their_time() {
    let folder = Folder::new("times");
    for rate in RATES {
        // A rising tone: no part of it is like another one.
        let rise = (0.25 * f64::from(rate.min(48_000)) - 200.0) / 4.0;
        let [ours, theirs] = converted(&folder, rate, &format!("0.5*sin(2*PI*(200*t+{rise}*t*t))"));
        let matches = (-120..=120).map(|lag| (correlation(&ours, &theirs, lag), lag));
        let (best, ours_at) = matches.max_by(|one, other| one.0.total_cmp(&other.0)).expect("one is best");
        println!("{rate} Hz: earlier by {ours_at} samples, correlation {best:.6}");
        assert!(ours_at.abs() <= 1, "{rate} Hz: the sound is {ours_at} samples of 48 kHz earlier than ffmpeg's");
        // A part of a sample remains.
        assert!(best > 0.97, "{rate} Hz: the sound differs from ffmpeg's");
    }
}

#[test]
fn other_rates_are_played_with_their_level_and_spectrum() {
    let folder = Folder::new("rates");
    for rate in RATES {
        // Five tones up to 0.4 of the lower rate.
        let tones = [0.011, 0.047, 0.13, 0.27, 0.4].map(|part| (part * f64::from(rate.min(48_000))).round());
        let terms: Vec<_> = tones.iter().map(|tone| format!("0.15*sin({tone}*2*PI*t)")).collect();
        let [ours, theirs] = converted(&folder, rate, &terms.join("+"));
        for tone in tones {
            let (own, other) = (level(&ours, tone), level(&theirs, tone));
            assert!((own - other).abs() < 0.2, "{rate} Hz: {tone} Hz has {own:.2} dB, and {other:.2} dB in ffmpeg");
        }
        // Nothing comes back from above the lower rate, and nothing is added.
        for other in [0.02, 0.09, 0.2, 0.35].map(|part| part * f64::from(rate.min(48_000)) + 7.0) {
            let (own, theirs) = (level(&ours, other), level(&theirs, other));
            assert!(own < theirs.max(-80.0) + 3.0, "{rate} Hz: {other} Hz has {own:.1} dB, {theirs:.1} dB in ffmpeg");
        }
    }
}

const RATES: [u32; 6] = [8_000, 16_000, 22_050, 32_000, 44_100, 96_000];

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

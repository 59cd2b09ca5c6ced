//! Measures how similar played speech is to sent speech.
//!
//! A codec and a jitter buffer change every sample but not the words. What makes speech intelligible is how the loudness
//! of each frequency band changes over time, as in the STOI measure. So the envelopes of eight bands are compared in segments of half
//! a second, after the delay was found.

use audio::{BLOCK, SAMPLE_RATE};
use std::time::Duration;

/// The result of [`voices`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similarity {
    /// From 0 (unrelated) to 1 (identical speech). Above 0.75 speech is easy to understand.
    pub score: f32,
    /// The position in the sent audio at which the played audio begins.
    pub offset: Duration,
    /// The compared duration: the parts with speech.
    pub compared: Duration,
}

/// Compares played with sent sound, which is assumed to repeat. Both are mono at [`SAMPLE_RATE`]. Returns `None` if one of
/// them is shorter than a second, or contains no speech.
pub fn voices(sent: &[f32], played: &[f32]) -> Option<Similarity> {
    let (sent, played) = (envelopes(sent), envelopes(played));
    if sent.len() < SECOND || played.len() < SECOND {
        return None;
    }
    let (offset, sent) = (find_offset(&sent, &played), sent.as_slice());
    let loudest = sent.iter().map(loudness).fold(0.0, f32::max);
    let (mut sum, mut count, mut shift) = (0.0, 0u16, sent.len());
    for start in (0..played.len() - SEGMENT).step_by(SEGMENT) {
        let segment = &played[start..start + SEGMENT];
        let expected = |shift: usize| {
            let first = offset + start + shift;
            (first..first + SEGMENT).map(|frame| &sent[frame % sent.len()])
        };
        if expected(shift).filter(|frame| loudness(frame) > loudest * SPEECH_THRESHOLD).count() * 2 < SEGMENT {
            continue;
        }
        // The jitter buffer changes its delay, so each segment is searched near the position of the previous one.
        let near = (shift - MAX_STEP).max(sent.len() - MAX_SHIFT)..=(shift + MAX_STEP).min(sent.len() + MAX_SHIFT);
        let best = near.map(|shift| (shift, segment_score(expected(shift), segment)));
        let best = best.max_by(|(_, one), (_, other)| one.total_cmp(other)).unwrap_or((shift, 0.0));
        (sum, count, shift) = (sum + best.1.max(0.0), count + 1, best.0);
    }
    let compared = FRAME * u32::from(count) * u32::try_from(SEGMENT).unwrap_or(0);
    (count > 0).then(|| Similarity { score: sum / f32::from(count), offset: frames(offset), compared })
}

/// The loudness of each band in 10 ms.
type Bands = [f32; CENTRES.len()];

fn envelopes(sound: &[f32]) -> Vec<Bands> {
    let mut filters = CENTRES.map(Filter::new);
    let frame = |block: &[f32]| {
        let mut bands = Bands::default();
        for (band, filter) in bands.iter_mut().zip(&mut filters) {
            let energy: f32 = block.iter().map(|sample| filter.pass(*sample).powi(2)).sum();
            // A compressed scale, as in hearing, so that soft consonants count.
            *band = energy.sqrt().sqrt();
        }
        bands
    };
    sound.chunks_exact(BLOCK).map(frame).collect()
}

fn loudness(bands: &Bands) -> f32 {
    bands.iter().sum()
}

/// Returns the offset in `sent` at which all of `played` fits best.
fn find_offset(sent: &[Bands], played: &[Bands]) -> usize {
    let mean = sent.iter().map(loudness).sum::<f32>() / count(sent.len());
    let sent: Vec<f32> = sent.iter().map(|bands| loudness(bands) - mean).collect();
    let fit = |offset: usize| -> f32 {
        let expected = sent.iter().cycle().skip(offset);
        played.iter().zip(expected).map(|(played, sent)| loudness(played) * sent).sum()
    };
    (0..sent.len())
        .map(|offset| (offset, fit(offset)))
        .max_by(|(_, one), (_, other)| one.total_cmp(other))
        .map_or(0, |best| best.0)
}

/// Returns the mean correlation of the bands' envelopes.
fn segment_score<'a>(sent: impl Iterator<Item = &'a Bands>, played: &[Bands]) -> f32 {
    let sent: Vec<&Bands> = sent.collect();
    let band = |band: usize| {
        let pairs = || sent.iter().zip(played).map(move |(sent, played)| (sent[band], played[band]));
        correlation(pairs)
    };
    (0..CENTRES.len()).map(band).sum::<f32>() / count(CENTRES.len())
}

fn correlation<I: Iterator<Item = (f32, f32)>>(pairs: impl Fn() -> I) -> f32 {
    let (mut a, mut b, mut length) = (0.0, 0.0, 0.0);
    for (one, other) in pairs() {
        (a, b, length) = (a + one, b + other, length + 1.0);
    }
    let (a, b) = (a / length, b / length);
    let (mut cross, mut one, mut other) = (0.0f32, 1e-9f32, 1e-9f32);
    for (x, y) in pairs() {
        cross += (x - a) * (y - b);
        one += (x - a).powi(2);
        other += (y - b).powi(2);
    }
    cross / (one * other).sqrt()
}

/// A second-order band-pass, at most an octave wide (R. Bristow-Johnson, Audio EQ Cookbook).
struct Filter {
    gain: f32,
    back: [f32; 2],
    input: [f32; 2],
    output: [f32; 2],
}

impl Filter {
    fn new(centre: f32) -> Self {
        let angle = std::f32::consts::TAU * centre / 48_000.0;
        let alpha = angle.sin() / (2.0 * QUALITY);
        let scale = 1.0 / (1.0 + alpha);
        let back = [-2.0 * angle.cos() * scale, (1.0 - alpha) * scale];
        Self { gain: alpha * scale, back, input: [0.0; 2], output: [0.0; 2] }
    }

    fn pass(&mut self, sample: f32) -> f32 {
        let output =
            self.gain * (sample - self.input[1]) - self.back[0] * self.output[0] - self.back[1] * self.output[1];
        self.input = [sample, self.input[0]];
        self.output = [output, self.output[0]];
        output
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of frames are small")]
fn count(count: usize) -> f32 {
    count as f32
}

fn frames(count: usize) -> Duration {
    FRAME * u32::try_from(count).unwrap_or(u32::MAX)
}

/// The centres of the bands in Hz, in the range of speech.
const CENTRES: [f32; 8] = [250.0, 400.0, 600.0, 900.0, 1_300.0, 1_900.0, 2_700.0, 3_600.0];

/// The quality factor of a band: its centre divided by its width.
const QUALITY: f32 = 2.5;

/// The duration of one frame of the envelopes.
const FRAME: Duration = Duration::from_millis(10);

/// Frames of a segment, about as long as in STOI.
const SEGMENT: usize = 50;

/// Maximum frames by which the jitter buffer may shift a segment.
const MAX_SHIFT: usize = 12;

/// The share of the loudest frame's loudness (on the compressed scale) above which a frame is speech.
const SPEECH_THRESHOLD: f32 = 0.3;

/// Maximum change of the shift from one segment to the next, in frames.
const MAX_STEP: usize = 2;

/// Frames in a second.
const SECOND: usize = 100;

const _: () = assert!(SAMPLE_RATE as usize == SECOND * BLOCK, "frames are blocks");

#[cfg(test)]
mod tests {
    use super::*;
    use audio::device::read_wav;
    use std::path::PathBuf;

    fn voice(name: &str) -> Vec<f32> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../app/assets/demo/voices");
        read_wav(&folder.join(name)).unwrap()
    }

    #[test]
    fn a_delayed_softer_copy_is_similar() {
        let sent = voice("anne.wav");
        let played: Vec<f32> =
            sent.iter().cycle().skip(48_000).take(sent.len() * 2).map(|sample| sample * 0.3).collect();
        let similarity = voices(&sent, &played).unwrap();
        assert!(similarity.score > 0.98, "{similarity:?}");
        assert_eq!(similarity.offset, Duration::from_secs(1));
        assert!(similarity.compared > Duration::from_secs(2), "{similarity:?}");
    }

    #[test]
    fn another_voice_is_not_similar() {
        for (one, other) in [("anne.wav", "bob.wav"), ("carol.wav", "david.wav"), ("bob.wav", "carol.wav")] {
            let similarity = voices(&voice(one), &voice(other)).unwrap();
            assert!(similarity.score < 0.6, "{one} {other}: {similarity:?}");
        }
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "24 bits of a random number are exact in an f32")]
    fn gaps_and_noise_lower_the_score() {
        let sent = voice("anne.wav");
        let mut seed = 1u32;
        let mut noise = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / 8_388_608.0 - 1.0
        };
        let with_noise: Vec<f32> = sent.iter().map(|sample| sample + 0.3 * noise()).collect();
        let with_gaps: Vec<f32> =
            sent.iter().enumerate().map(|(index, sample)| if index / 4_800 % 2 == 0 { *sample } else { 0.0 }).collect();
        for (name, played) in [("noise", with_noise), ("gaps", with_gaps)] {
            let similarity = voices(&sent, &played).unwrap();
            assert!(similarity.score < 0.75, "{name}: {similarity:?}");
        }
        assert_eq!(voices(&sent, &vec![0.0; 1_000]), None);
        assert_eq!(voices(&vec![0.0; 96_000], &sent), None);
    }
}

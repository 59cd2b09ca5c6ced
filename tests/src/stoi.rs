//! The short-time objective intelligibility of speech. Only benchmarks use it.
//!
//! STOI: C. H. Taal, R. C. Hendriks, R. Heusdens, J. Jensen, "An Algorithm for Intelligibility Prediction of Time-Frequency
//! Weighted Noisy Speech", IEEE TASLP 19(7), 2011. ESTOI: J. Jensen, C. H. Taal, "An Algorithm for Predicting the
//! Intelligibility of Speech Masked by Modulated Noise Maskers", IEEE/ACM TASLP 24(11), 2016. Both are written from the
//! papers.

use std::f64::consts::PI;

/// The measured intelligibility, from about 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Intelligibility {
    /// STOI. Above 0.85 nearly all words are understood.
    pub stoi: f64,
    /// ESTOI, which is stricter about gaps.
    pub estoi: f64,
}

/// Measures `heard` against `clean`. Both are mono at 48 kHz and begin at the same moment. Returns `None` if they have less
/// than 384 ms of speech.
#[must_use]
pub fn measure(clean: &[f32], heard: &[f32]) -> Option<Intelligibility> {
    let length = clean.len().min(heard.len());
    let (clean, heard) = (resample(&clean[..length]), resample(&heard[..length]));
    let (clean, heard) = without_silence(&clean, &heard);
    let (clean, heard) = (bands(&clean), bands(&heard));
    let segments = (clean.len() + 1).checked_sub(SEGMENT).filter(|count| *count > 0)?;
    let (mut stoi, mut estoi) = (0.0, 0.0);
    for start in 0..segments {
        let (x, y) = (segment(&clean, start), segment(&heard, start));
        stoi += segment_stoi(&x, &y);
        estoi += segment_estoi(&x, &y);
    }
    Some(Intelligibility { stoi: stoi / count(segments), estoi: estoi / count(segments) })
}

/// One row of [`SEGMENT`] values for each band.
type Segment = [[f64; SEGMENT]; BANDS];

fn segment(frames: &[[f64; BANDS]], start: usize) -> Segment {
    std::array::from_fn(|band| std::array::from_fn(|frame| frames[start + frame][band]))
}

/// Returns the mean correlation of the bands. The played sound is scaled to the level of the original, and clipped at -15 dB.
fn segment_stoi(x: &Segment, y: &Segment) -> f64 {
    let clip = 1.0 + 10_f64.powf(15.0 / 20.0);
    let band = |(x, y): (&[f64; SEGMENT], &[f64; SEGMENT])| {
        let scale = norm(x) / (norm(y) + EPSILON);
        let mut heard: [f64; SEGMENT] = std::array::from_fn(|frame| (y[frame] * scale).min(x[frame] * clip));
        let mut said = *x;
        normalise(&mut said);
        normalise(&mut heard);
        dot(&said, &heard)
    };
    x.iter().zip(y).map(band).sum::<f64>() / count(BANDS)
}

/// Returns the mean correlation of the spectra, after rows and then columns were normalised.
fn segment_estoi(x: &Segment, y: &Segment) -> f64 {
    let (mut x, mut y) = (*x, *y);
    x.iter_mut().chain(&mut y).for_each(normalise);
    let column = |segment: &Segment, frame: usize| -> [f64; BANDS] { std::array::from_fn(|band| segment[band][frame]) };
    let frame = |frame| {
        let (mut x, mut y) = (column(&x, frame), column(&y, frame));
        normalise(&mut x);
        normalise(&mut y);
        dot(&x, &y)
    };
    (0..SEGMENT).map(frame).sum::<f64>() / count(SEGMENT)
}

/// Subtracts the mean and scales to length 1.
fn normalise<const N: usize>(values: &mut [f64; N]) {
    let mean = values.iter().sum::<f64>() / count(N);
    for value in values.iter_mut() {
        *value -= mean;
    }
    let norm = norm(values) + EPSILON;
    for value in values.iter_mut() {
        *value /= norm;
    }
}

fn norm(values: &[f64]) -> f64 {
    dot(values, values).sqrt()
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

/// Removes frames in which the clean speech is 40 dB below its loudest frame, and joins the others by overlapping.
fn without_silence(clean: &[f64], heard: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let window = window();
    let starts = || (0..(clean.len() + 1).saturating_sub(FRAME)).step_by(HOP);
    let windowed = |sound: &[f64], start: usize| -> [f64; FRAME] {
        std::array::from_fn(|index| sound[start + index] * window[index])
    };
    let level = |start| 20.0 * (norm(&windowed(clean, start)) + EPSILON).log10();
    let loudest = starts().map(level).fold(f64::NEG_INFINITY, f64::max);
    let kept: Vec<usize> = starts().filter(|start| level(*start) > loudest - DYNAMIC_RANGE).collect();
    let join = |sound: &[f64]| {
        let mut joined = vec![0.0; (kept.len() * HOP) + FRAME - HOP];
        for (place, start) in kept.iter().enumerate() {
            let frame = windowed(sound, *start);
            joined[place * HOP..place * HOP + FRAME].iter_mut().zip(frame).for_each(|(sum, sample)| *sum += sample);
        }
        joined
    };
    (join(clean), join(heard))
}

/// Returns the loudness of each third-octave band in each frame.
fn bands(sound: &[f64]) -> Vec<[f64; BANDS]> {
    let (window, edges, turns) = (window(), edges(), turns());
    let frame = |start: usize| {
        let mut spectrum = [(0.0, 0.0); FFT];
        for (place, index) in spectrum.iter_mut().zip(0..FRAME) {
            place.0 = sound[start + index] * window[index];
        }
        fft(&mut spectrum, &turns);
        let power = |bin: usize| spectrum[bin].0.powi(2) + spectrum[bin].1.powi(2);
        std::array::from_fn(|band| (edges[band].0..edges[band].1).map(power).sum::<f64>().sqrt())
    };
    (0..(sound.len() + 1).saturating_sub(FRAME)).step_by(HOP).map(frame).collect()
}

/// Returns the first bin of each band and the one after its last.
fn edges() -> [(usize, usize); BANDS] {
    let bin = |hertz: f64| {
        let distance = |bin: &usize| (count(*bin) * RATE / count(FFT) - hertz).abs();
        (0..=FFT / 2).min_by(|one, other| distance(one).total_cmp(&distance(other))).unwrap_or(0)
    };
    let centre = |third: f64| FIRST_BAND * 2_f64.powf(third / 3.0);
    std::array::from_fn(|band| (bin(centre(count(band) - 0.5)), bin(centre(count(band) + 0.5))))
}

/// A Hann window without the zeros at its ends.
fn window() -> [f64; FRAME] {
    std::array::from_fn(|index| 0.5 - 0.5 * (2.0 * PI * count(index + 1) / count(FRAME + 1)).cos())
}

/// Returns the first half of the roots of unity.
fn turns() -> [(f64, f64); FFT / 2] {
    std::array::from_fn(|index| (-2.0 * PI * count(index) / count(FFT)).sin_cos()).map(|(sin, cos)| (cos, sin))
}

/// A radix-2 transform in place.
fn fft(values: &mut [(f64, f64); FFT], turns: &[(f64, f64); FFT / 2]) {
    for index in 0..FFT {
        let swapped = index.reverse_bits() >> (usize::BITS - FFT.trailing_zeros());
        if swapped > index {
            values.swap(index, swapped);
        }
    }
    let mut half = 1;
    while half < FFT {
        for start in (0..FFT).step_by(2 * half) {
            for offset in 0..half {
                let (cos, sin) = turns[offset * (FFT / 2 / half)];
                let (low, high) = (values[start + offset], values[start + offset + half]);
                let turned = (high.0 * cos - high.1 * sin, high.0 * sin + high.1 * cos);
                values[start + offset] = (low.0 + turned.0, low.1 + turned.1);
                values[start + offset + half] = (low.0 - turned.0, low.1 - turned.1);
            }
        }
        half *= 2;
    }
}

/// Converts from 48 to 10 kHz with a windowed sinc: 24 samples become 5.
fn resample(sound: &[f32]) -> Vec<f64> {
    const WIDTH: usize = 80;
    // The tap of the sample `index` places after the first one that counts, for each of the five places between samples.
    let tap = |phase: usize, index: usize| {
        let distance = (count(index) - count(WIDTH) - count(phase * 24 % 5) / 5.0) / 4.8;
        let sinc = if distance.abs() < 1e-9 { 1.0 } else { (PI * distance).sin() / (PI * distance) };
        sinc * (0.5 + 0.5 * (PI * distance * 4.8 / count(WIDTH + 1)).cos()) / 4.8
    };
    let taps: [[f64; 2 * WIDTH + 1]; 5] = std::array::from_fn(|phase| std::array::from_fn(|index| tap(phase, index)));
    let sample = |number: usize| {
        let centre = number * 24 / 5;
        let first = centre.saturating_sub(WIDTH);
        let taps = &taps[number % 5][first + WIDTH - centre..];
        sound[first.min(sound.len())..].iter().zip(taps).map(|(sample, tap)| f64::from(*sample) * tap).sum()
    };
    (0..sound.len() * 10 / 48).map(sample).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of samples are small")]
fn count(count: usize) -> f64 {
    count as f64
}

/// Samples per second of the measure.
const RATE: f64 = 10_000.0;
/// Samples of a frame: 25.6 ms.
const FRAME: usize = 256;
/// Samples between two frames.
const HOP: usize = FRAME / 2;
/// Samples of the transform.
const FFT: usize = 512;
/// The number of third-octave bands.
const BANDS: usize = 15;
/// The centre of the first band in Hz.
const FIRST_BAND: f64 = 150.0;
/// Frames of a segment: 384 ms.
const SEGMENT: usize = 30;
/// A frame that is softer than the loudest one by more than this is silence, in dB.
const DYNAMIC_RANGE: f64 = 40.0;
const EPSILON: f64 = f64::EPSILON;

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
mod tests {
    use super::*;

    /// Returns three seconds of a voice-like sound: syllables of changing pitch and colour.
    fn speech() -> Vec<f32> {
        let sample = |index: usize| {
            let time = index as f32 / 48_000.0;
            let (syllable, phase) = ((time * 5.0).floor(), (time * 5.0).fract());
            let pitch = std::f32::consts::TAU * (110.0 + 30.0 * (syllable * 1.7).sin()) * time;
            let colour = 3.0 + 12.0 * (0.5 + 0.5 * (syllable * 2.3).sin());
            let tone = |overtone: f32| (overtone * pitch).sin() / (1.0 + (overtone - colour).powi(2));
            (std::f32::consts::PI * phase).sin() * (1..30).map(|overtone| tone(overtone as f32)).sum::<f32>() * 0.3
        };
        (0..144_000).map(sample).collect()
    }

    fn noise(level: f32) -> Vec<f32> {
        let mut seed = 1_u32;
        let next = |_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((seed >> 8) as f32 / 8_388_608.0 - 1.0) * level
        };
        (0..144_000).map(next).collect()
    }

    #[test]
    fn speech_is_intelligible_noise_is_not_and_the_level_does_not_matter() {
        let clean = speech();
        let same = measure(&clean, &clean).unwrap();
        assert!((same.stoi - 1.0).abs() < 1e-6 && (same.estoi - 1.0).abs() < 1e-6, "{same:?}");
        let soft: Vec<f32> = clean.iter().map(|sample| sample * 0.1).collect();
        assert!(measure(&clean, &soft).unwrap().stoi > 0.999);
        let unrelated = measure(&clean, &noise(0.3)).unwrap();
        assert!(unrelated.stoi < 0.5 && unrelated.estoi < 0.2, "{unrelated:?}");
    }

    #[test]
    fn more_noise_and_more_gaps_are_less_intelligible() {
        let clean = speech();
        let add = |level| clean.iter().zip(noise(level)).map(|(clean, noise)| clean + noise).collect::<Vec<f32>>();
        let gaps = |every: usize| {
            let heard = |(index, sample): (usize, &f32)| if index / 960 % every == 0 { 0.0 } else { *sample };
            clean.iter().enumerate().map(heard).collect::<Vec<f32>>()
        };
        let scores = |all: [Vec<f32>; 3]| all.map(|heard| measure(&clean, &heard).unwrap());
        for scores in [scores([0.003, 0.03, 0.3].map(add)), scores([20, 7, 3].map(gaps))] {
            assert!(scores.windows(2).all(|pair| pair[0].stoi > pair[1].stoi), "{scores:?}");
            assert!(scores.windows(2).all(|pair| pair[0].estoi > pair[1].estoi), "{scores:?}");
        }
        assert_eq!(measure(&clean[..9_600], &clean[..9_600]), None, "too short");
    }
}

//! Reads WAV files, and measures whether one contains the speech of another.

use std::fs;

/// Mono sound.
pub struct Wave {
    /// Samples per second.
    pub rate: u32,
    /// From -1.0 to 1.0.
    pub samples: Vec<f64>,
}

impl Wave {
    /// Reads a mono file of 16-bit or 32-bit floating-point samples; panics if the header does not match the length.
    pub fn read(path: &str) -> Self {
        let bytes = fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(bytes.len() > 44 && &bytes[..4] == b"RIFF" && &bytes[8..12] == b"WAVE", "{path}");
        assert_eq!(number(&bytes[4..8]), bytes.len() - 8, "{path}: the header has another length");
        let (mut rest, mut format, mut samples) = (&bytes[12..], None, None);
        while rest.len() >= 8 {
            let (name, length) = (&rest[..4], number(&rest[4..8]));
            assert!(rest.len() >= 8 + length, "{path}: a chunk is not complete");
            let chunk = &rest[8..8 + length];
            match name {
                b"fmt " => format = Some((number(&chunk[..2]), number(&chunk[2..4]), number(&chunk[4..8]))),
                b"data" => samples = Some(chunk),
                _ => {}
            }
            rest = rest.get(8 + length + length % 2..).unwrap_or_default();
        }
        let ((kind, channels, rate), data) = (format.expect("a format"), samples.expect("samples"));
        assert_eq!(channels, 1, "{path}");
        let samples = match kind {
            PCM => data.as_chunks::<2>().0.iter().map(|two| f64::from(i16::from_le_bytes(*two)) / 32_768.0).collect(),
            FLOAT => data.as_chunks::<4>().0.iter().map(|four| f64::from(f32::from_le_bytes(*four))).collect(),
            other => panic!("{path}: format {other}"),
        };
        Self { rate: u32::try_from(rate).expect("a rate"), samples }
    }

    /// Returns its length in seconds.
    pub fn seconds(&self) -> f64 {
        f64::from(u32::try_from(self.samples.len()).expect("seconds of sound")) / f64::from(self.rate)
    }

    /// Returns the highest correlation between the loudness of this file and of a looped `source`, over all delays. 1.0 is the
    /// same speech, 0.0 is unrelated speech.
    pub fn similarity(&self, source: &Self) -> f64 {
        let (mine, theirs) = (self.loudness(), source.loudness());
        let at = |delay: usize| -> Vec<f64> { theirs.iter().cycle().skip(delay).take(mine.len()).copied().collect() };
        (0..theirs.len()).map(|delay| correlation(&mine, &at(delay))).fold(0.0, f64::max)
    }

    /// Returns the logarithmic loudness of each 20 ms.
    fn loudness(&self) -> Vec<f64> {
        let block = usize::try_from(self.rate / 50).expect("few samples");
        self.samples
            .chunks_exact(block)
            .map(|block| (mean(block.iter().map(|sample| sample * sample)) + 1e-8).ln())
            .collect()
    }
}

fn correlation(one: &[f64], other: &[f64]) -> f64 {
    let (one_mean, other_mean) = (mean(one.iter().copied()), mean(other.iter().copied()));
    let product = |a: &f64, b: &f64| (a - one_mean) * (b - other_mean);
    let covariance = mean(one.iter().zip(other).map(|(a, b)| product(a, b)));
    let deviation = |values: &[f64], middle: f64| mean(values.iter().map(|value| (value - middle).powi(2))).sqrt();
    covariance / (deviation(one, one_mean) * deviation(other, other_mean)).max(1e-12)
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = f64::from(u32::try_from(values.len()).expect("seconds of sound")).max(1.0);
    values.sum::<f64>() / count
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// The format codes of WAV files.
const PCM: usize = 1;
const FLOAT: usize = 3;

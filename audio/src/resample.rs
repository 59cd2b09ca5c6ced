//! Converts between 48 kHz and the sample rates of devices and files, block by block, with rubato's sinc resampler.
//! Does not allocate after construction.
//!
//! rubato's FFT resampler is generic, so each build of this crate would compile all of rustfft.

use crate::{BLOCK, Block, SAMPLE_RATE};
use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Async, FixedAsync, Resampler as _, SincInterpolationParameters, SincInterpolationType, WindowFunction};

/// Converts mono samples of another rate to blocks.
pub struct ToBlocks {
    inner: Converter,
    input: Vec<f32>,
    delay: usize,
}

impl ToBlocks {
    /// Returns a converter from `rate` samples per second, or `None` if the rate is not supported.
    pub fn new(rate: u32) -> Option<Self> {
        let inner = build(rate, SAMPLE_RATE, FixedAsync::Output)?;
        let max = match &inner {
            Converter::Same => BLOCK,
            Converter::Sinc(sinc) => sinc.input_frames_max(),
        };
        let delay = match &inner {
            Converter::Same => 0,
            Converter::Sinc(_) => delay(rate)?,
        };
        Some(Self { inner, input: vec![0.0; max], delay })
    }

    /// Returns by how many samples at 48 kHz the filter delays sound, to half a sample.
    pub fn delay(&self) -> usize {
        self.delay
    }

    /// Returns the input of the next block. The caller fills all of it before [`ToBlocks::convert`].
    pub fn input(&mut self) -> &mut [f32] {
        let count = self.needed();
        &mut self.input[..count]
    }

    /// Returns the number of input samples for the next block, which may be 0.
    pub fn needed(&self) -> usize {
        match &self.inner {
            Converter::Same => BLOCK,
            Converter::Sinc(sinc) => sinc.input_frames_next(),
        }
    }

    /// Converts the input to a block.
    pub fn convert(&mut self, block: &mut Block) {
        let count = self.needed();
        match &mut self.inner {
            Converter::Same => block.copy_from_slice(&self.input[..BLOCK]),
            Converter::Sinc(sinc) => _ = process(sinc, &self.input[..count], block),
        }
    }
}

/// Converts blocks to mono samples of another rate.
pub struct FromBlocks {
    inner: Converter,
    output: Vec<f32>,
}

enum Converter {
    /// The rate is 48 kHz.
    Same,
    Sinc(Box<Async<f32>>),
}

impl FromBlocks {
    /// Returns a converter to `rate` samples per second, or `None` if the rate is not supported.
    pub fn new(rate: u32) -> Option<Self> {
        let inner = build(SAMPLE_RATE, rate, FixedAsync::Input)?;
        let max = match &inner {
            Converter::Same => BLOCK,
            Converter::Sinc(sinc) => sinc.output_frames_max(),
        };
        Some(Self { inner, output: vec![0.0; max] })
    }

    /// Returns the samples of one block at the other rate, which may be none.
    pub fn convert(&mut self, block: &Block) -> &[f32] {
        match &mut self.inner {
            Converter::Same => {
                self.output.copy_from_slice(block);
                &self.output
            }
            Converter::Sinc(sinc) => {
                let written = process(sinc, block, &mut self.output);
                &self.output[..written]
            }
        }
    }
}

/// Returns the converter between two rates, or `None` if one is not supported.
fn build(from: u32, to: u32, fixed: FixedAsync) -> Option<Converter> {
    if from == to {
        return Some(Converter::Same);
    }
    if !RATES.contains(&from) || !RATES.contains(&to) {
        return None;
    }
    let ratio = f64::from(to) / f64::from(from);
    let filter = SincInterpolationParameters { sinc_len: filter_length(from, to)?, ..FILTER };
    let sinc = Async::new_sinc(ratio, 1.0, &filter, BLOCK, 1, fixed).ok()?;
    Some(Converter::Sinc(Box::new(sinc)))
}

/// Returns the length of the filter in samples of the input.
fn filter_length(from: u32, to: u32) -> Option<usize> {
    // To a lower rate the filter covers as many samples of that rate, so that it is as sharp there.
    Some(FILTER.sinc_len * usize::try_from(from.div_ceil(to)).ok()?)
}

/// Returns the delay of the filter from `rate` in samples at 48 kHz, rounded: half of its length. One sample less, because rubato's
/// first sample is not that at the time of the first input but the next one.
fn delay(rate: u32) -> Option<usize> {
    let (from, to) = (usize::try_from(rate).ok()?, usize::try_from(SAMPLE_RATE).ok()?);
    ((filter_length(rate, SAMPLE_RATE)? * to + from) / (2 * from)).checked_sub(1)
}

/// Converts one chunk. Returns the number of written samples, 0 on an error. With the buffer sizes that rubato requires,
/// no error occurs.
fn process(inner: &mut Async<f32>, input: &[f32], output: &mut [f32]) -> usize {
    let (read, room) = (input.len(), output.len());
    let Ok(from) = SequentialSlice::new(input, 1, read) else { return 0 };
    let Ok(mut to) = SequentialSlice::new_mut(output, 1, room) else { return 0 };
    inner.process_into_buffer(&from, &mut to, None).map_or(0, |(_, written)| written)
}

/// The filter for a higher rate. It delays sound by half of its length: 64 samples of the lower rate.
const FILTER: SincInterpolationParameters = SincInterpolationParameters {
    sinc_len: 128,
    f_cutoff: None,
    oversampling_factor: 128,
    interpolation: SincInterpolationType::Quadratic,
    window: WindowFunction::BlackmanHarris2,
};

/// The supported sample rates.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=384_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate: u32, index: usize) -> f32 {
        tone_of(440.0, rate, index)
    }

    fn tone_of(frequency: f32, rate: u32, index: usize) -> f32 {
        (index as f32 * frequency * std::f32::consts::TAU / rate as f32).sin() * 0.5
    }

    /// Returns the amplitude of 440 Hz in `samples`, which is 0.5 for `tone`.
    fn amplitude(samples: &[f32], rate: u32) -> f32 {
        amplitude_of(440.0, samples, rate)
    }

    fn amplitude_of(frequency: f64, samples: &[f32], rate: u32) -> f32 {
        let (mut re, mut im) = (0.0f64, 0.0f64);
        for (index, sample) in samples.iter().enumerate() {
            let angle = index as f64 * frequency * std::f64::consts::TAU / f64::from(rate);
            re += f64::from(*sample) * angle.cos();
            im += f64::from(*sample) * angle.sin();
        }
        ((re * re + im * im).sqrt() * 2.0 / samples.len() as f64) as f32
    }

    #[test]
    fn a_tone_keeps_its_amplitude_at_every_usual_rate() {
        for rate in [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000] {
            let (mut up, mut down) = (ToBlocks::new(rate).unwrap(), FromBlocks::new(rate).unwrap());
            let (mut fed, mut ours, mut theirs) = (0, Vec::new(), Vec::new());
            let mut block = crate::SILENCE;
            for _ in 0..100 {
                for sample in up.input() {
                    *sample = tone(rate, fed);
                    fed += 1;
                }
                up.convert(&mut block);
                ours.extend_from_slice(&block);
                theirs.extend_from_slice(down.convert(&block));
            }
            assert!((amplitude(&ours[9_600..38_400], 48_000) - 0.5).abs() < 0.02, "{rate} Hz up");
            let (from, to) = (rate as usize / 5, rate as usize * 4 / 5);
            assert!((amplitude(&theirs[from..to], rate) - 0.5).abs() < 0.02, "{rate} Hz down");
        }
    }

    #[test]
    fn frequencies_above_the_lower_rate_do_not_come_back_as_others() {
        let mut down = FromBlocks::new(16_000).unwrap();
        let mut theirs = Vec::new();
        for block in 0..100 {
            let high: Vec<f32> =
                (block * BLOCK..(block + 1) * BLOCK).map(|index| tone_of(15_560.0, 48_000, index)).collect();
            theirs.extend_from_slice(down.convert(high.as_slice().try_into().unwrap()));
        }
        // 15,560 Hz would come back as 440 Hz.
        assert!(amplitude(&theirs[3_200..12_800], 16_000) < 0.000_1);
    }

    #[test]
    fn a_low_rate_keeps_the_frequencies_that_fit_it() {
        for rate in [8_000, 16_000, 44_100] {
            let mut down = FromBlocks::new(rate).unwrap();
            let (frequency, mut theirs) = (rate as f32 * 0.4, Vec::new());
            for block in 0..100 {
                let high: Vec<f32> =
                    (block * BLOCK..(block + 1) * BLOCK).map(|index| tone_of(frequency, 48_000, index)).collect();
                theirs.extend_from_slice(down.convert(high.as_slice().try_into().unwrap()));
            }
            let (from, to) = (rate as usize / 5, rate as usize * 4 / 5);
            let kept = amplitude_of(f64::from(frequency), &theirs[from..to], rate);
            assert!((kept - 0.5).abs() < 0.05, "{kept} of 0.5 at {rate} Hz");
        }
    }

    #[test]
    fn unsupported_rates_are_refused() {
        assert!(ToBlocks::new(0).is_none());
        assert!(FromBlocks::new(u32::MAX).is_none());
    }
}

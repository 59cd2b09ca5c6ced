//! Processing of the microphone before encoding: echo cancellation, noise suppression, gain control.

use crate::{BLOCK, Block, SAMPLE_RATE};
use sonora::config::{
    AdaptiveDigital, EchoCanceller, GainController2, HighPassFilter, NoiseSuppression, NoiseSuppressionLevel,
};
use sonora::{AudioProcessing, Config, StreamConfig};
use std::time::Duration;

/// Processes blocks of 10 ms on the audio thread.
pub trait Process: Send {
    /// Returns the name for statistics.
    fn name(&self) -> &'static str;

    /// Analyses a block before it is played (the far end of the echo canceller).
    fn played(&mut self, block: &Block);

    /// Processes a recorded block. `delay` is the time from [`Process::played`] to the echo, as reported by the
    /// devices.
    fn recorded(&mut self, block: &mut Block, delay: Duration);

    /// Enables or disables echo cancellation and resets its state. Files have no echo.
    fn listen_for_echo(&mut self, possible: bool);
}

/// A process that changes nothing.
pub struct Null;

impl Process for Null {
    fn name(&self) -> &'static str {
        "none"
    }

    fn played(&mut self, _block: &Block) {}

    fn recorded(&mut self, _block: &mut Block, _delay: Duration) {}

    fn listen_for_echo(&mut self, _possible: bool) {}
}

/// The processing of WebRTC as ported by sonora: echo canceller (AEC3), noise suppression, automatic gain.
pub struct Voice {
    inner: AudioProcessing,
    output: Block,
    echo: bool,
}

impl Voice {
    /// Returns a process for a microphone in the same room as its speaker.
    pub fn new() -> Self {
        Self { inner: build(true), output: crate::SILENCE, echo: true }
    }
}

impl Default for Voice {
    fn default() -> Self {
        Self::new()
    }
}

impl Process for Voice {
    fn name(&self) -> &'static str {
        "sonora"
    }

    fn played(&mut self, block: &Block) {
        if self.echo
            && let Err(error) = self.inner.process_render_f32(&[block], &mut [&mut self.output])
        {
            tracing::debug!(%error, "played block not analysed");
        }
    }

    fn recorded(&mut self, block: &mut Block, delay: Duration) {
        let delay = i32::try_from(delay.as_millis()).unwrap_or(i32::MAX);
        // The library accepts at most 500 ms.
        self.inner.set_stream_delay_ms(delay.min(MAX_DELAY_MS)).ok();
        match self.inner.process_capture_f32(&[block], &mut [&mut self.output]) {
            Ok(()) => *block = self.output,
            Err(error) => tracing::debug!(%error, "recorded block not processed"),
        }
    }

    fn listen_for_echo(&mut self, possible: bool) {
        self.echo = possible;
        self.inner = build(possible);
    }
}

fn build(echo: bool) -> AudioProcessing {
    let gain =
        AdaptiveDigital { initial_gain_db: FIRST_GAIN_DB, max_gain_db: MAX_GAIN_DB, ..AdaptiveDigital::default() };
    let config = Config {
        echo_canceller: echo.then(EchoCanceller::default),
        noise_suppression: Some(NoiseSuppression {
            level: NoiseSuppressionLevel::Moderate,
            analyze_linear_aec_output_when_available: false,
        }),
        gain_controller2: Some(GainController2 { adaptive_digital: Some(gain), ..GainController2::default() }),
        high_pass_filter: Some(HighPassFilter::default()),
        ..Config::default()
    };
    let stream = StreamConfig::new(SAMPLE_RATE, 1);
    AudioProcessing::builder().config(config).capture_config(stream).render_config(stream).build()
}

/// The maximum delay of the library, in milliseconds.
const MAX_DELAY_MS: i32 = 500;

/// The gain at the start. The library's default is 15 dB, which makes the first words of a loud microphone too loud.
const FIRST_GAIN_DB: f32 = 6.0;

/// The highest gain: enough for a distant microphone. More would amplify background noise.
const MAX_GAIN_DB: f32 = 30.0;

const _: () = assert!(BLOCK * 100 == SAMPLE_RATE as usize, "the library takes exactly 10 ms");

#[cfg(test)]
mod tests {
    use super::*;

    fn energy(block: &Block) -> f32 {
        block.iter().map(|sample| sample * sample).sum()
    }

    /// Returns coloured noise whose loudness changes as that of speech does.
    fn speech_like_noise(seed: &mut u32, number: usize) -> Block {
        let loud = 0.5 + 0.5 * (number as f32 * 0.13).sin();
        let mut last = 0.0;
        std::array::from_fn(|_| {
            *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            last = 0.8 * last + 0.2 * ((*seed >> 8) as f32 / 8_388_608.0 - 1.0);
            last * loud
        })
    }

    /// Plays noise and records its echo after 60 ms at half the level. Returns the echo's energy in the last second
    /// before and after processing.
    fn echo_energy(process: &mut dyn Process) -> (f32, f32) {
        let (mut seed, mut in_flight) = (7, std::collections::VecDeque::from([crate::SILENCE; 6]));
        let (mut before, mut after) = (0.0, 0.0);
        for number in 0..600 {
            let far = speech_like_noise(&mut seed, number);
            process.played(&far);
            in_flight.push_back(far);
            let mut block = in_flight.pop_front().unwrap().map(|sample| sample * 0.5);
            before += if number >= 500 { energy(&block) } else { 0.0 };
            process.recorded(&mut block, Duration::from_millis(60));
            after += if number >= 500 { energy(&block) } else { 0.0 };
        }
        (before, after)
    }

    #[test]
    fn echo_is_removed() {
        let (before, after) = echo_energy(&mut Voice::new());
        assert!(after < before * 0.05, "{:.1} dB removed", 10.0 * (before / after.max(1e-9)).log10());
    }

    #[test]
    fn the_null_process_changes_nothing() {
        let (before, after) = echo_energy(&mut Null);
        assert!((before - after).abs() < f32::EPSILON);
    }
}

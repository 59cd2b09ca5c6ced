//! How intelligible the speech is that a receiver played, from the file of its speaker.

use crate::bench::alignment::align;
use crate::stoi;
use anyhow::{Context, Result};
use audio::device::read_wav;
use std::path::Path;

/// Returns STOI of the speech in the file `played`, compared with the file that the sender's microphone repeats. Counts from the
/// first sound that was played to the end of the file. Returns `None` if nothing was played.
///
/// # Errors
/// Returns an error if a file cannot be read.
pub fn intelligibility(voice: &Path, played: &Path) -> Result<Option<f64>> {
    let voice = read_wav(voice).with_context(|| format!("{} cannot be read", voice.display()))?;
    let played = read_wav(played).with_context(|| format!("{} cannot be read", played.display()))?;
    let begins = played.iter().position(|sample| sample.abs() > AUDIBLE).unwrap_or(played.len());
    Ok(compare(&voice, &played[begins..]))
}

/// Compares sound with a voice that repeats, and that began at an unknown time.
fn compare(voice: &[f32], played: &[f32]) -> Option<f64> {
    let start = place(&levels(voice), &levels(played))? * BLOCK;
    // The played sound is later than this original by `MARGIN` and at most two blocks, so that the search of the alignment covers it.
    let start = (start + MARGIN) % voice.len();
    let said: Vec<f32> = voice.iter().copied().cycle().skip(start).take(played.len()).collect();
    stoi::measure(&said, &align(&said, played)).map(|measured| measured.stoi)
}

/// Returns the block of the voice that is played first: that with the best correlation of the levels. Returns `None` if there are no
/// levels.
fn place(voice: &[f32], played: &[f32]) -> Option<usize> {
    let fit = |start: &usize| -> f32 {
        voice.iter().cycle().skip(*start).zip(played).map(|(said, played)| said * played).sum()
    };
    let starts = (0..voice.len()).filter(|_| !played.is_empty());
    starts.max_by(|one, other| fit(one).total_cmp(&fit(other)))
}

/// Returns the loudness of each block, minus the mean.
fn levels(sound: &[f32]) -> Vec<f32> {
    let level = |block: &[f32]| block.iter().map(|sample| sample * sample).sum::<f32>().sqrt();
    let levels: Vec<f32> = sound.chunks_exact(BLOCK).map(level).collect();
    #[expect(clippy::cast_precision_loss, reason = "a call has few blocks")]
    let mean = levels.iter().sum::<f32>() / levels.len().max(1) as f32;
    levels.into_iter().map(|level| level - mean).collect()
}

/// Samples whose loudness is compared: 10 ms.
const BLOCK: usize = 480;

/// 500 ms: by so much, the delay may become shorter during the call.
const MARGIN: usize = 24_000;

/// The smallest sample that is sound.
const AUDIBLE: f32 = 0.01;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::net::call::assets;

    fn voice() -> Vec<f32> {
        read_wav(&assets().join("voices/anne.wav")).expect("a voice")
    }

    /// Returns `seconds` of the repeated voice, from a place in its middle.
    fn played(voice: &[f32], seconds: usize) -> Vec<f32> {
        voice.iter().copied().cycle().skip(123_457).take(48_000 * seconds).collect()
    }

    #[test]
    fn a_voice_is_found_in_its_repetition_and_is_intelligible() {
        let voice = voice();
        let stoi = compare(&voice, &played(&voice, 9)).expect("speech");
        assert!(stoi > 0.99, "{stoi}");
    }

    /// The jitter buffer waits for the queue of the first seconds, and then less.
    #[test]
    fn a_delay_that_becomes_shorter_during_the_call_makes_speech_no_less_intelligible() {
        let voice = voice();
        let whole = played(&voice, 9);
        let mut heard = whole[..250_000].to_vec();
        heard.extend_from_slice(&whole[262_000..]);
        let stoi = compare(&voice, &heard).expect("speech");
        assert!(stoi > 0.93, "{stoi}");
    }

    #[test]
    fn speech_with_gaps_is_less_intelligible_and_silence_is_nothing() {
        let voice = voice();
        let mut heard = played(&voice, 9);
        heard.chunks_mut(4_800).step_by(2).for_each(|part| part.fill(0.0));
        let stoi = compare(&voice, &heard).expect("speech");
        assert!(stoi < 0.85, "{stoi}");
        assert_eq!(compare(&voice, &[]), None);
    }
}

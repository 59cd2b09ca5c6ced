//! Aligns played speech with the original.

/// Returns the played sound, aligned with the original, because the jitter buffer changes its delay. Searches each 100 ms near
/// the place of the previous ones. If nothing similar is there, searches further away: the delay may change by more, in a pause or
/// while the jitter buffer waits for late packets. The played sound is at most a second late at the beginning.
pub fn align(said: &[f32], played: &[f32]) -> Vec<f32> {
    let (beginning, heard) = (said.len().min(48_000 * 4), played.len().min(48_000 * 5));
    let (mut lag, _) = best_lag(&said[..beginning], &played[..heard], (0..MAX_LAG).step_by(8));
    let mut aligned = Vec::with_capacity(said.len());
    for (number, segment) in said.chunks_exact(SEGMENT).enumerate() {
        let start = number * SEGMENT;
        // The search covers the sound around the segment, so that a concealed part does not lead it away.
        let (from, to) = (start.saturating_sub(SEGMENT), (start + 2 * SEGMENT).min(said.len()));
        let loud = said[from..to].iter().any(|sample| sample.abs() > 0.02);
        if loud && played.len() > to + lag + NEAR {
            lag = next_lag(&said[from..to], &played[from..], lag);
        }
        let Some(found) = played.get(start + lag..start + lag + segment.len()) else { break };
        aligned.extend_from_slice(found);
    }
    aligned
}

/// Returns the lag of a part of the sound if that of the part before it is `lag`.
fn next_lag(said: &[f32], played: &[f32], lag: usize) -> usize {
    let around = |distance: usize| (lag.saturating_sub(distance)..lag + distance).step_by(4);
    let (near, similarity) = best_lag(said, played, around(NEAR));
    if similarity >= SIMILAR {
        return near;
    }
    let (far, better) = best_lag(said, played, around(FAR));
    if better >= SIMILAR { far } else { near }
}

/// Returns the number of samples by which `played` is later than `said`, and how similar they are then: 1 if they are equal.
fn best_lag(said: &[f32], played: &[f32], lags: impl Iterator<Item = usize>) -> (usize, f32) {
    let energy: f32 = said.iter().step_by(4).map(|said| said * said).sum();
    let fit = |lag: usize| -> f32 {
        let later = played.get(lag..).unwrap_or_default();
        let pairs = || said.iter().zip(later).step_by(4);
        let heard: f32 = pairs().map(|(_, played)| played * played).sum();
        pairs().map(|(said, played)| said * played).sum::<f32>() / ((energy * heard).sqrt() + 1e-6)
    };
    lags.map(|lag| (lag, fit(lag))).max_by(|(_, one), (_, other)| one.total_cmp(other)).unwrap_or_default()
}

/// Samples that are aligned together: 100 ms.
const SEGMENT: usize = 4_800;

/// How late the played sound is at most at the beginning: a second.
const MAX_LAG: usize = 48_000;

/// By how many samples the lag changes from part to part: 20 ms, and 400 ms if nothing similar is found there.
const NEAR: usize = 1_000;
const FAR: usize = 19_200;

/// The least similarity of the same speech, encoded and decoded.
const SIMILAR: f32 = 0.5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stoi;
    use audio::device::read_wav;
    use std::path::Path;

    /// Returns STOI of a voice that is played 100 ms later, and from its middle on another `more` samples later.
    fn heard(more: usize) -> f64 {
        let voice = read_wav(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/assets/demo/voices/anne.wav"))
            .expect("a voice");
        let said: Vec<f32> = voice.iter().copied().cycle().take(48_000 * 9).collect();
        let mut played = vec![0.0; SEGMENT];
        played.extend_from_slice(&said[..said.len() / 2]);
        played.resize(played.len() + more, 0.0);
        played.extend_from_slice(&said[said.len() / 2..]);
        stoi::measure(&said, &align(&said, &played)).expect("speech").stoi
    }

    /// The jitter buffer waits for a queue that has suddenly grown, and keeps the longer delay.
    #[test]
    fn a_delay_that_changes_by_more_than_usual_is_followed() {
        for more in [0, 4_000, 14_400] {
            let stoi = heard(more);
            assert!(stoi > 0.95, "{more} samples more: {stoi}");
        }
    }
}

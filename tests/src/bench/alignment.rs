//! Aligns played speech with the original.

/// Returns the played sound, aligned with the original, because the jitter buffer changes its delay. Searches each 100 ms near
/// the place of the previous ones. The played sound is at most 250 ms late.
pub fn align(said: &[f32], played: &[f32]) -> Vec<f32> {
    let (beginning, heard) = (said.len().min(48_000 * 4), played.len().min(48_000 * 5));
    let mut lag = best_lag(&said[..beginning], &played[..heard], (0..MAX_LAG).step_by(8));
    let mut aligned = Vec::with_capacity(said.len());
    for (number, segment) in said.chunks_exact(SEGMENT).enumerate() {
        let start = number * SEGMENT;
        // The search covers the sound around the segment, so that a concealed part does not lead it away.
        let (from, to) = (start.saturating_sub(SEGMENT), (start + 2 * SEGMENT).min(said.len()));
        let near = (lag.saturating_sub(1_000)..lag + 1_000).step_by(4);
        let loud = said[from..to].iter().any(|sample| sample.abs() > 0.02);
        if loud && played.len() > to + lag + 1_000 {
            lag = best_lag(&said[from..to], &played[from..], near);
        }
        let Some(found) = played.get(start + lag..start + lag + segment.len()) else { break };
        aligned.extend_from_slice(found);
    }
    aligned
}

/// Returns the number of samples by which `played` is later than `said`.
fn best_lag(said: &[f32], played: &[f32], lags: impl Iterator<Item = usize>) -> usize {
    let fit = |lag: usize| -> f32 {
        let later = played.get(lag..).unwrap_or_default();
        let pairs = || said.iter().zip(later).step_by(4);
        let energy: f32 = pairs().map(|(_, played)| played * played).sum();
        pairs().map(|(said, played)| said * played).sum::<f32>() / (energy + 1e-6).sqrt()
    };
    lags.map(|lag| (lag, fit(lag))).max_by(|(_, one), (_, other)| one.total_cmp(other)).map_or(0, |best| best.0)
}

/// Samples that are aligned together: 100 ms.
const SEGMENT: usize = 4_800;

/// How late the played sound is at most: 250 ms.
const MAX_LAG: usize = 12_000;

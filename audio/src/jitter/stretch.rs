//! Makes audio slightly shorter or longer without a change of pitch: removes or repeats one period with a cross-fade,
//! as in WSOLA. Pure.

use std::ops::{Range, RangeInclusive};

/// The minimum similarity of two periods of speech: a normalised correlation.
pub const SIMILAR: f32 = 0.75;

/// The minimum similarity that accepts any two periods, for background sound.
pub const ANY: f32 = -1.0;

/// Removes one period of `sound`, which begins at `front`. Returns the number of removed samples, or `None` if no period was
/// found.
pub fn shorten(sound: &mut Vec<f32>, front: usize, min_similarity: f32) -> Option<usize> {
    let next = &sound[front..];
    let max_period = (next.len() / 2).min(MAX_PERIOD);
    let period =
        find_period(MIN_PERIOD..=max_period, min_similarity, |period| (&next[..period], &next[period..2 * period]))?;
    for index in front..front + period {
        sound[index] = fade(sound[index], sound[period + index], index - front, period);
    }
    sound.drain(front + period..front + 2 * period);
    Some(period)
}

/// Repeats the last period of the part `last` of `sound`, of at least `min_period` samples. Returns the number of added samples, or
/// `None` if no period was found.
pub fn lengthen(sound: &mut Vec<f32>, last: Range<usize>, min_period: usize, min_similarity: f32) -> Option<usize> {
    let front = last.end;
    let (last, next) = (&sound[last], &sound[front..]);
    let max_period = last.len().min(next.len()).min(MAX_PERIOD);
    let period =
        find_period(min_period..=max_period, min_similarity, |period| (&last[last.len() - period..], &next[..period]))?;
    let length = sound.len();
    sound.resize(length + period, 0.0);
    sound.copy_within(front..length, front + period);
    // The inserted period fades from the next period to the last, which leads into the next again.
    for index in 0..period {
        sound[front + index] = fade(sound[front + period + index], sound[front - period + index], index, period);
    }
    Some(period)
}

/// Returns the period at which the sound repeats best, if the two periods that `pair` returns are similar enough or inaudible.
fn find_period<'a>(
    periods: RangeInclusive<usize>,
    min_similarity: f32,
    pair: impl Fn(usize) -> (&'a [f32], &'a [f32]),
) -> Option<usize> {
    let (min, max) = periods.clone().into_inner();
    let best = |periods: &mut dyn Iterator<Item = usize>, step| {
        let scored = periods.map(|period| (period, correlation(pair(period), step)));
        scored.max_by(|(_, one), (_, other)| one.total_cmp(other))
    };
    let (coarse, _) = best(&mut periods.step_by(COARSE_STEP), COARSE_STEP)?;
    let near = coarse.saturating_sub(COARSE_STEP).max(min)..=(coarse + COARSE_STEP).min(max);
    let (period, found) = best(&mut near.into_iter(), 1)?;
    let (first, second) = pair(period);
    let quiet = first.iter().chain(second).all(|sample| sample.abs() < INAUDIBLE);
    (found >= min_similarity || quiet).then_some(period)
}

/// Returns the normalised correlation of two periods on every `step`th sample: -1..=1.
pub fn correlation((first, second): (&[f32], &[f32]), step: usize) -> f32 {
    let (mut cross, mut one, mut other) = (0.0f32, 1e-9f32, 1e-9f32);
    for (a, b) in first.iter().step_by(step).zip(second.iter().step_by(step)) {
        cross += a * b;
        one += a * a;
        other += b * b;
    }
    cross / (one * other).sqrt()
}

/// Returns the sample at `index` of a cross-fade of `length` samples.
pub fn fade(from: f32, to: f32, index: usize, length: usize) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "periods are short")]
    let share = index as f32 / length as f32;
    from + (to - from) * share
}

/// The range of periods in samples: 2.5 to 15 ms, voices of 67 to 400 Hz.
pub const MIN_PERIOD: usize = 120;
pub const MAX_PERIOD: usize = 720;

/// The coarse search uses every fourth sample: most energy of speech is below 6 kHz.
const COARSE_STEP: usize = 4;

/// Below this level, about -60 dBFS, no cut is audible.
const INAUDIBLE: f32 = 0.001;

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f32, length: usize) -> Vec<f32> {
        (0..length).map(|index| (index as f32 * hertz * std::f32::consts::TAU / 48_000.0).sin() * 0.5).collect()
    }

    /// Returns the largest step between two samples.
    fn roughness(sound: &[f32]) -> f32 {
        sound.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn a_tone_gets_shorter_by_whole_periods_and_stays_smooth() {
        for hertz in [80.0, 130.0, 220.0, 390.0] {
            let mut sound = tone(hertz, 1_920);
            let before = roughness(&sound);
            let removed = shorten(&mut sound, 0, SIMILAR).unwrap();
            let periods = removed as f32 * hertz / 48_000.0;
            assert!((periods - periods.round()).abs() < 0.02, "{hertz} Hz: {periods} periods");
            assert_eq!(sound.len(), 1_920 - removed);
            assert!(roughness(&sound) < before * 1.1, "{hertz} Hz clicks");
        }
    }

    #[test]
    fn a_tone_gets_longer_by_whole_periods_and_stays_smooth() {
        for hertz in [110.0, 220.0, 390.0] {
            let mut sound = tone(hertz, 960);
            let before = roughness(&sound);
            let added = lengthen(&mut sound, 0..480, MIN_PERIOD, SIMILAR).unwrap();
            assert_eq!(sound.len(), 960 + added);
            assert!(roughness(&sound) < before * 1.1, "{hertz} Hz clicks");
            let periods = added as f32 * hertz / 48_000.0;
            assert!((periods - periods.round()).abs() < 0.02);
        }
    }

    #[test]
    fn noise_is_not_cut_during_speech_but_in_pauses() {
        let mut seed = 1u32;
        let noise: Vec<f32> = (0..1_920)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 8) as f32 / 16_777_216.0 - 0.5
            })
            .collect();
        assert_eq!(shorten(&mut noise.clone(), 0, SIMILAR), None);
        assert!(shorten(&mut noise.clone(), 0, ANY).is_some());
    }

    #[test]
    fn sound_shorter_than_two_periods_is_unchanged() {
        for length in 0..2 * MIN_PERIOD {
            assert_eq!(shorten(&mut vec![0.0; length], 0, ANY), None);
            assert_eq!(lengthen(&mut vec![0.0; length], 0..length / 2, MIN_PERIOD, ANY), None);
        }
        assert!(shorten(&mut vec![0.0; 2 * MIN_PERIOD], 0, SIMILAR).is_some());
        assert!(lengthen(&mut vec![0.0; 2 * MIN_PERIOD], 0..MIN_PERIOD, MIN_PERIOD, SIMILAR).is_some());
    }
}

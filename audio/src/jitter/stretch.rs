//! Makes audio slightly shorter or longer without a change of pitch: removes or repeats one period with a cross-fade,
//! as in WSOLA. Pure.

/// The minimum similarity of two periods of speech: a normalised correlation.
pub const SIMILAR: f32 = 0.75;

/// The minimum similarity that accepts any two periods, for background sound.
pub const ANY: f32 = -1.0;

/// Removes one period at the front of `sound`. Returns the number of removed samples, or `None` if no period was found.
pub fn shorten(sound: &mut Vec<f32>, min_similarity: f32) -> Option<usize> {
    let period = find_period(sound, min_similarity)?;
    for index in 0..period {
        sound[index] = fade(sound[index], sound[period + index], index, period);
    }
    sound.drain(period..2 * period);
    Some(period)
}

/// Repeats one period at the front of `sound`. Returns the number of added samples, or `None` if no period was found.
pub fn lengthen(sound: &mut Vec<f32>, min_similarity: f32) -> Option<usize> {
    let period = find_period(sound, min_similarity)?;
    let length = sound.len();
    sound.resize(length + period, 0.0);
    sound.copy_within(period..length, 2 * period);
    // The inserted period fades from the original second period to the first, which leads into the second again.
    for index in 0..period {
        sound[period + index] = fade(sound[2 * period + index], sound[index], index, period);
    }
    Some(period)
}

/// Returns the period at which the front of `sound` repeats best, if the two periods are similar enough or inaudible.
fn find_period(sound: &[f32], min_similarity: f32) -> Option<usize> {
    let max_period = (sound.len() / 2).min(MAX_PERIOD);
    if max_period < MIN_PERIOD {
        return None;
    }
    let coarse = best(sound, (MIN_PERIOD..=max_period).step_by(COARSE_STEP), COARSE_STEP)?.0;
    let near = coarse.saturating_sub(COARSE_STEP).max(MIN_PERIOD)..=(coarse + COARSE_STEP).min(max_period);
    let (period, found) = best(sound, near, 1)?;
    let quiet = sound[..2 * period].iter().all(|sample| sample.abs() < INAUDIBLE);
    (found >= min_similarity || quiet).then_some(period)
}

fn best(sound: &[f32], periods: impl Iterator<Item = usize>, step: usize) -> Option<(usize, f32)> {
    let scored = periods.map(|period| (period, correlation(sound, period, step)));
    scored.max_by(|(_, one), (_, other)| one.total_cmp(other))
}

/// Returns the normalised correlation of the first two periods on every `step`th sample: -1..=1.
fn correlation(sound: &[f32], period: usize, step: usize) -> f32 {
    let (first, second) = (&sound[..period], &sound[period..2 * period]);
    let (mut cross, mut one, mut other) = (0.0f32, 1e-9f32, 1e-9f32);
    for (a, b) in first.iter().step_by(step).zip(second.iter().step_by(step)) {
        cross += a * b;
        one += a * a;
        other += b * b;
    }
    cross / (one * other).sqrt()
}

fn fade(from: f32, to: f32, index: usize, length: usize) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "periods are short")]
    let share = index as f32 / length as f32;
    from + (to - from) * share
}

/// The range of periods in samples: 2.5 to 15 ms, voices of 67 to 400 Hz.
const MIN_PERIOD: usize = 120;
const MAX_PERIOD: usize = 720;

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
            let removed = shorten(&mut sound, SIMILAR).unwrap();
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
            let added = lengthen(&mut sound, SIMILAR).unwrap();
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
        assert_eq!(shorten(&mut noise.clone(), SIMILAR), None);
        assert!(shorten(&mut noise.clone(), ANY).is_some());
    }

    #[test]
    fn sound_shorter_than_two_periods_is_unchanged() {
        for length in 0..2 * MIN_PERIOD {
            assert_eq!(shorten(&mut vec![0.0; length], ANY), None);
            assert_eq!(lengthen(&mut vec![0.0; length], ANY), None);
        }
        assert!(shorten(&mut vec![0.0; 2 * MIN_PERIOD], SIMILAR).is_some());
    }
}

//! Mixes the remotes and limits the sum to full scale.

use crate::Block;

/// Adds `voice` to `mix`.
pub fn add(mix: &mut Block, voice: &Block) {
    for (sum, sample) in mix.iter_mut().zip(voice) {
        *sum += sample;
    }
}

/// Limits `mix` to full scale: linear below [`KNEE`], compressed above. Samples that are not finite become 0.
pub fn soften(mix: &mut Block) {
    for sample in mix {
        let size = sample.abs();
        if size > KNEE {
            *sample = (KNEE + (1.0 - KNEE) * ((size - KNEE) / (1.0 - KNEE)).tanh()).copysign(*sample);
        }
        if !sample.is_finite() {
            *sample = 0.0;
        }
    }
}

/// The start of the compression: -2 dBFS, above normal speech.
const KNEE: f32 = 0.8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BLOCK;

    #[test]
    fn ordinary_sound_passes_unchanged() {
        let mut mix = [0.25; BLOCK];
        add(&mut mix, &[0.5; BLOCK]);
        soften(&mut mix);
        assert!(mix.iter().all(|sample| (sample - 0.75).abs() < 1e-6));
    }

    #[test]
    fn the_loudest_mix_stays_within_full_scale_and_samples_keep_their_order() {
        let mut mix: Block = std::array::from_fn(|index| index as f32 / 100.0 - 2.4);
        mix[7] = f32::NAN;
        mix[9] = f32::INFINITY;
        soften(&mut mix);
        assert!(mix.iter().all(|sample| sample.abs() <= 1.0));
        assert!(mix[10..].windows(2).all(|pair| pair[0] <= pair[1]));
        assert!(mix[7].abs() < f32::EPSILON);
    }
}

//! Peak signal-to-noise ratio.

use media::PlaneRef;

/// The ratio of equal planes in decibels. Finite, so that it can be written as JSON.
pub const EQUAL: f64 = 100.0;

/// The ratio of two planes of 8-bit samples in decibels, at most [`EQUAL`]. Returns `None` if the sizes differ or are
/// empty.
#[must_use]
pub fn of(one: PlaneRef<'_>, other: PlaneRef<'_>) -> Option<f64> {
    if one.size != other.size || one.size.is_empty() {
        return None;
    }
    let error: u64 = one.rows().zip(other.rows()).map(|(one, other)| squared_error(one, other)).sum();
    Some(decibels(error, one.size.area()))
}

fn squared_error(one: &[u8], other: &[u8]) -> u64 {
    // A row has at most 65535 samples with a squared error of at most 65025, so the sum fits into 32 bits.
    let sum: u32 = one.iter().zip(other).map(|(one, other)| u32::from(one.abs_diff(*other)).pow(2)).sum();
    u64::from(sum)
}

fn decibels(error: u64, samples: u32) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a picture's error is far below 2^52")]
    let mean = error as f64 / f64::from(samples);
    if mean <= 0.0 { EQUAL } else { (10.0 * (255.0 * 255.0 / mean).log10()).min(EQUAL) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::Size;

    fn plane(data: &[u8]) -> PlaneRef<'_> {
        PlaneRef { data, stride: 4, size: Size::new(3, 2) }
    }

    #[test]
    fn known_ratios_are_computed() {
        let black = [0; 8];
        assert_eq!(of(plane(&black), plane(&black)), Some(EQUAL));
        assert_eq!(of(plane(&black), plane(&[255; 8])), Some(0.0));
        let ratio = of(plane(&black), plane(&[1; 8])).unwrap();
        assert!((ratio - 48.13).abs() < 0.01, "{ratio}");
    }

    #[test]
    fn padding_is_ignored_and_sizes_must_be_equal() {
        assert_eq!(of(plane(&[0, 0, 0, 9, 0, 0, 0, 9]), plane(&[0; 8])), Some(EQUAL));
        let other = PlaneRef { data: &[0; 8], stride: 4, size: Size::new(2, 2) };
        assert_eq!(of(plane(&[0; 8]), other), None);
    }
}

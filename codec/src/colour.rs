//! The colour space of streams and files that do not specify one.

use media::{Colour, Matrix, Size};

/// Returns the colour space to assume for a picture of `size`: BT.709 from 720 lines up, BT.601 below, both in limited
/// range. This is what televisions and media players do. The shorter side counts, so that a rotated picture keeps its
/// colours.
#[must_use]
pub fn assumed(size: Size) -> Colour {
    let high = size.width.min(size.height) >= MIN_HD_SIDE;
    Colour { matrix: if high { Matrix::Bt709 } else { Matrix::Bt601 }, full_range: false }
}

/// The minimum shorter side of high definition.
const MIN_HD_SIDE: u16 = 720;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn high_definition_is_bt709_in_both_orientations() {
        assert_eq!(assumed(Size::new(1280, 720)).matrix, Matrix::Bt709);
        assert_eq!(assumed(Size::new(720, 1280)).matrix, Matrix::Bt709);
        assert_eq!(assumed(Size::new(640, 480)).matrix, Matrix::Bt601);
    }
}

//! What samples mean where a stream or a file does not say.

use media::{Colour, Matrix, Size};

/// The colours to assume for a picture of `size` whose source says nothing: BT.709 from 720 lines up, BT.601 below,
/// limited range in both. Televisions and players agree on this; the shorter side counts, so that a picture turned
/// on its side keeps its colours.
#[must_use]
pub fn assumed(size: Size) -> Colour {
    let high = size.width.min(size.height) >= HIGH_DEFINITION;
    Colour { matrix: if high { Matrix::Bt709 } else { Matrix::Bt601 }, full_range: false }
}

/// The shorter side from which a picture counts as high definition.
const HIGH_DEFINITION: u16 = 720;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn high_definition_is_bt709_even_on_its_side() {
        assert_eq!(assumed(Size::new(1280, 720)).matrix, Matrix::Bt709);
        assert_eq!(assumed(Size::new(720, 1280)).matrix, Matrix::Bt709);
        assert_eq!(assumed(Size::new(640, 480)).matrix, Matrix::Bt601);
    }
}

//! Conversion of YUV code values into RGB code values: ITU-R BT.601-7 and BT.709-6, limited and full range.

use media::{Colour, Matrix};

/// Three rows of an affine transformation: R, G and B are `row · (Y, U, V, 1)`, all in 0..=1.
pub(crate) type Conversion = [[f32; 4]; 3];

/// The number of conversions: one for each colour space, and one for each that shows the picture in grey.
pub(crate) const CONVERSIONS: usize = 8;

/// All conversions, in the order of [`index`], then those of [`grey_index`].
pub(crate) fn conversions() -> [Conversion; CONVERSIONS] {
    let colour = |matrix, full_range| conversion(Colour { matrix, full_range });
    let [a, b, c, d] = [
        colour(Matrix::Bt601, false),
        colour(Matrix::Bt601, true),
        colour(Matrix::Bt709, false),
        colour(Matrix::Bt709, true),
    ];
    [a, b, c, d, grey(a), grey(b), grey(c), grey(d)]
}

/// The index of a colour space in [`conversions`], for a picture in grey.
pub(crate) const fn grey_index(colour: Colour) -> u8 {
    index(colour) + 4
}

/// The conversion to a grey picture with less contrast: black becomes lighter, and white darker.
fn grey([red, _, blue]: Conversion) -> Conversion {
    // Luma alone: the rows without their chroma, whose neutral value the constant contains.
    let neutral = 128.0 / 255.0;
    debug_assert!((red[3] + red[2] * neutral - blue[3] - blue[1] * neutral).abs() < 1e-4, "both have the same luma");
    let constant = red[3] + (red[1] + red[2]) * neutral;
    [[red[0] * GREY_CONTRAST, 0.0, 0.0, constant * GREY_CONTRAST + GREY_BLACK]; 3]
}

/// The index of a colour space in [`conversions`].
pub(crate) const fn index(colour: Colour) -> u8 {
    let matrix = match colour.matrix {
        Matrix::Bt601 => 0,
        Matrix::Bt709 => 2,
    };
    matrix + colour.full_range as u8
}

fn conversion(colour: Colour) -> Conversion {
    let (red, blue) = match colour.matrix {
        Matrix::Bt601 => (0.299, 0.114),
        Matrix::Bt709 => (0.2126, 0.0722),
    };
    let green: f64 = 1.0 - red - blue;
    // Code values: black, the luma range, and half the chroma range.
    let (black, luma, chroma) = if colour.full_range { (0.0, 255.0, 127.5) } else { (16.0, 219.0, 112.0) };
    let (y, c) = (255.0 / luma, 127.5 / chroma);
    let (r_v, b_u) = (2.0 * (1.0 - red) * c, 2.0 * (1.0 - blue) * c);
    let (g_u, g_v) = (-b_u * blue / green, -r_v * red / green);
    let row = |u: f64, v: f64| {
        let constant = -y * black / 255.0 - (u + v) * 128.0 / 255.0;
        [y, u, v, constant].map(narrow)
    };
    [row(0.0, r_v), row(g_u, g_v), row(b_u, 0.0)]
}

/// The brightness of black in a grey picture.
const GREY_BLACK: f32 = 0.08;
/// How much brighter white is than black in a grey picture.
const GREY_CONTRAST: f32 = 0.6;

#[expect(clippy::cast_possible_truncation, reason = "coefficients lie in -3..3; 24 bits are enough for 8-bit colour")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(colour: Colour, yuv: [u8; 3]) -> [f32; 3] {
        let [y, u, v] = yuv.map(|code| f32::from(code) / 255.0);
        conversions()[usize::from(index(colour))].map(|row| (row[0] * y + row[1] * u + row[2] * v + row[3]) * 255.0)
    }

    #[test]
    fn a_grey_picture_has_no_colour_and_less_contrast() {
        for matrix in [Matrix::Bt601, Matrix::Bt709] {
            for full_range in [false, true] {
                let colour = Colour { matrix, full_range };
                let rows = conversions()[usize::from(grey_index(colour))];
                let grey = |luma: f32, red: f32| {
                    let shown = rows.map(|row| row[0] * luma / 255.0 + row[1] * 0.3 + row[2] * red + row[3]);
                    assert!(shown.iter().all(|channel| (channel - shown[0]).abs() < 1e-6));
                    shown[0]
                };
                let (black, white) = if full_range { (0.0, 255.0) } else { (16.0, 235.0) };
                assert!((grey(black, 0.1) - GREY_BLACK).abs() < 0.01, "{colour:?}");
                assert!((grey(white, 0.9) - GREY_BLACK - GREY_CONTRAST).abs() < 0.01, "{colour:?}");
            }
        }
    }

    #[test]
    fn black_white_and_red_of_each_standard() {
        let close = |got: [f32; 3], want: [f32; 3]| got.iter().zip(want).all(|(got, want)| (got - want).abs() < 1.0);
        for matrix in [Matrix::Bt601, Matrix::Bt709] {
            let limited = Colour { matrix, full_range: false };
            let full = Colour { matrix, full_range: true };
            assert!(close(convert(limited, [16, 128, 128]), [0.0; 3]));
            assert!(close(convert(limited, [235, 128, 128]), [255.0; 3]));
            assert!(close(convert(full, [0, 128, 128]), [0.0; 3]));
            assert!(close(convert(full, [255, 128, 128]), [255.0; 3]));
        }
        // The code values of pure red in the two recommendations.
        let limited = |matrix| Colour { matrix, full_range: false };
        assert!(close(convert(limited(Matrix::Bt601), [81, 90, 240]), [255.0, 0.0, 0.0]));
        assert!(close(convert(limited(Matrix::Bt709), [63, 102, 240]), [255.0, 0.0, 0.0]));
    }
}

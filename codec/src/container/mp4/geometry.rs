//! How the pictures of a track are displayed, from the track header, the sample entry and the parameter set.

use super::boxes::{self, Fields};
use crate::container::Error;
use crate::display::{Crop, Geometry, Orientation, PixelAspect};
use media::Size;

/// Returns the geometry of pictures of `stored` size. `entry` has the child boxes of the sample entry, `stream` is the
/// shape in the parameter set. Invalid values are ignored.
pub(super) fn read(track: &[u8], entry: &[u8], stored: Size, stream: Option<PixelAspect>) -> Geometry {
    let header = header(track).unwrap_or_default();
    let container = boxes::find(entry, &[*b"pasp"]).and_then(pixel_aspect);
    // Without a `pasp` box, a displayed size that differs from the stored one implies the shape.
    let aspect = container.or_else(|| header.implied_aspect(stored)).or(stream).unwrap_or_default();
    let (width, height) = header.matrix.scale();
    Geometry {
        crop: boxes::find(entry, &[*b"clap"]).and_then(|clap| crop(clap, stored)),
        aspect: aspect.scaled(width, height).unwrap_or(aspect),
        orientation: header.matrix.orientation(),
    }
}

/// The used fields of a `tkhd` box (ISO/IEC 14496-12 8.3.2).
#[derive(Default)]
struct Header {
    matrix: Matrix,
    /// The displayed size before the matrix applies, as 16.16 fixed point.
    size: (u32, u32),
}

/// The linear part of a display matrix, as 16.16 fixed point: x' = a x + c y, y' = b x + d y.
struct Matrix {
    a: i32,
    b: i32,
    c: i32,
    d: i32,
}

fn header(track: &[u8]) -> Result<Header, Error> {
    let header = boxes::find(track, &[*b"tkhd"]).ok_or(Error::Damaged("a track has no header"))?;
    let mut fields = Fields::new(header);
    // Version 1 has times of 8 bytes each.
    let times = if fields.u8()? == 1 { 32 } else { 20 };
    let mut fields = fields.skip(3 + times + 16);
    let mut linear = [0; 9];
    for entry in &mut linear {
        *entry = fields.u32()?.cast_signed();
    }
    let [a, b, _, c, d, ..] = linear;
    // The size is optional here: without it, the stored size applies.
    let size = (fields.u32().unwrap_or(0), fields.u32().unwrap_or(0));
    Ok(Header { matrix: Matrix { a, b, c, d }, size })
}

impl Header {
    /// Returns the shape of the samples if pictures of `stored` size fill the displayed size.
    fn implied_aspect(&self, stored: Size) -> Option<PixelAspect> {
        let samples = (self.size.0.checked_add(0x8000)? >> 16, self.size.1.checked_add(0x8000)? >> 16);
        let (width, height) = (u32::from(stored.width), u32::from(stored.height));
        // Some writers store the size after the rotation.
        if self.matrix.orientation().transposed && samples == (height, width) {
            return None;
        }
        let aspect = PixelAspect::new(self.size.0, self.size.1)?.scaled(height, width)?;
        (!aspect.is_square()).then_some(aspect)
    }
}

impl Default for Matrix {
    fn default() -> Self {
        Self { a: ONE, b: 0, c: 0, d: ONE }
    }
}

impl Matrix {
    /// Returns the lengths of the displayed unit vectors of a stored row and column, as 16.16 fixed point. A matrix that
    /// shows nothing is ignored.
    fn scale(&self) -> (u32, u32) {
        let one = ONE.unsigned_abs();
        match (length(self.a, self.b), length(self.c, self.d)) {
            (0, _) | (_, 0) => (one, one),
            lengths => lengths,
        }
    }

    /// Returns the nearest orientation. Angles other than multiples of 90 degrees are rounded.
    fn orientation(&self) -> Orientation {
        let (row, column) = (f64::from(length(self.a, self.b)), f64::from(length(self.c, self.d)));
        if row == 0.0 || column == 0.0 {
            return Orientation::default();
        }
        let part = |value: i32, length: f64| f64::from(value).abs() / length;
        let straight = part(self.a, row) + part(self.d, column);
        let crossed = part(self.b, row) + part(self.c, column);
        if crossed > straight {
            return Orientation { transposed: true, mirrored: self.c < 0, flipped: self.b < 0 };
        }
        Orientation { transposed: false, mirrored: self.a < 0, flipped: self.d < 0 }
    }
}

fn length(one: i32, other: i32) -> u32 {
    let length = f64::from(one).hypot(f64::from(other)).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 2^31 * 1.5, and not negative")]
    let length = length as u32;
    length
}

fn pixel_aspect(pasp: &[u8]) -> Option<PixelAspect> {
    let mut fields = Fields::new(pasp);
    PixelAspect::new(fields.u32().ok()?, fields.u32().ok()?)
}

/// Returns the clean aperture (ISO/IEC 14496-12 12.1.4), with its corner at even samples.
fn crop(clap: &[u8], stored: Size) -> Option<Crop> {
    let mut fields = Fields::new(clap);
    let mut fraction = || -> Option<f64> {
        let (numerator, denominator) = (fields.u32().ok()?.cast_signed(), fields.u32().ok()?);
        (denominator > 0).then(|| f64::from(numerator) / f64::from(denominator))
    };
    let (width, height) = (fraction()?, fraction()?);
    let (right, down) = (fraction()?, fraction()?);
    let (left, width) = span(stored.width, width, right)?;
    let (top, height) = span(stored.height, height, down)?;
    let size = Size::new(width, height);
    (size != stored).then_some(Crop { left, top, size })
}

/// Returns the first sample, which is even, and the length of a part of a side. `offset` is the distance of the centres.
fn span(side: u16, length: f64, offset: f64) -> Option<(u16, u16)> {
    let start = (f64::from(side) - length) / 2.0 + offset;
    let inside = length.round() >= 1.0 && start > -0.5 && (start + length).round() <= f64::from(side);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the side, which fits")]
    inside.then(|| ((start.max(0.0) / 2.0) as u16 * 2, length.round() as u16))
}

/// 1.0 as 16.16 fixed point.
const ONE: i32 = 0x0001_0000;

#[cfg(test)]
mod tests {
    use super::*;

    const STORED: Size = Size::new(64, 48);

    /// Returns a `tkhd` box with the given linear part and displayed size.
    fn track(matrix: [i32; 4], size: (u32, u32)) -> Vec<u8> {
        let [a, b, c, d] = matrix.map(i32::cast_unsigned);
        let words = [[0; 10].as_slice(), &[a, b, 0, c, d, 0, 0, 0, 0x4000_0000, size.0 << 16, size.1 << 16]].concat();
        let payload: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        [&u32::try_from(payload.len() + 8).unwrap().to_be_bytes()[..], b"tkhd", &payload].concat()
    }

    fn entry(kind: [u8; 4], words: &[u32]) -> Vec<u8> {
        let payload: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        [&u32::try_from(payload.len() + 8).unwrap().to_be_bytes()[..], &kind, &payload].concat()
    }

    fn turned(matrix: [i32; 4]) -> (bool, bool, bool) {
        let Orientation { transposed, mirrored, flipped } =
            read(&track(matrix, (64, 48)), &[], STORED, None).orientation;
        (transposed, mirrored, flipped)
    }

    #[test]
    fn rotated_mirrored_rounded_and_scaled_matrices_have_the_nearest_orientation() {
        let near = ONE - 3;
        for (matrix, expected) in [
            ([ONE, 0, 0, ONE], (false, false, false)),
            ([0, ONE, -ONE, 0], (true, true, false)),
            ([-ONE, 0, 0, -ONE], (false, true, true)),
            ([0, -ONE, ONE, 0], (true, false, true)),
            ([-ONE, 0, 0, ONE], (false, true, false)),
            ([ONE, 0, 0, -ONE], (false, false, true)),
            ([0, ONE, ONE, 0], (true, false, false)),
            ([0, -ONE, -ONE, 0], (true, true, true)),
            ([2, near, -near, -2], (true, true, false)),
            ([-near, 7, -7, -near], (false, true, true)),
            ([0, 2 * ONE, -ONE / 2, 0], (true, true, false)),
            ([0, 0, 0, 0], (false, false, false)),
            ([i32::MIN, i32::MIN, i32::MAX, i32::MIN], (false, true, true)),
        ] {
            assert_eq!(turned(matrix), expected, "{matrix:?}");
        }
    }

    #[test]
    fn the_shape_comes_from_the_first_source_that_has_one() {
        let displayed = |track: &[u8], entry: &[u8], stream| {
            let size = read(track, entry, STORED, stream).displayed(STORED);
            (size.width, size.height)
        };
        let stream = PixelAspect::new(3, 1);
        let (pasp, plain) = (entry(*b"pasp", &[2, 1]), [ONE, 0, 0, ONE]);
        assert_eq!(displayed(&track(plain, (96, 48)), &pasp, stream), (128, 48), "pasp");
        assert_eq!(displayed(&track(plain, (96, 48)), &[], stream), (96, 48), "the track header");
        assert_eq!(displayed(&track(plain, (64, 48)), &[], stream), (192, 48), "the stream");
        assert_eq!(displayed(&track(plain, (0, 0)), &[], None), (64, 48));
        assert_eq!(displayed(&track([2 * ONE, 0, 0, ONE], (64, 48)), &[], None), (128, 48), "the matrix");
        let quarter = [0, ONE, -ONE, 0];
        assert_eq!(displayed(&track(quarter, (48, 64)), &[], None), (48, 64), "the size after the rotation");
        assert_eq!(displayed(&track(quarter, (64, 48)), &pasp, None), (48, 128));
        assert_eq!(displayed(&[], &entry(*b"pasp", &[0, 1]), None), (64, 48), "nothing valid");
    }

    #[test]
    fn a_clean_aperture_crops() {
        let crop = |words: [u32; 8]| read(&[], &entry(*b"clap", &words), STORED, None).crop;
        let minus_two = (-2_i32).cast_unsigned();
        assert_eq!(crop([32, 1, 80, 2, 0, 1, minus_two, 1]), Some(Crop { left: 16, top: 2, size: Size::new(32, 40) }));
        assert_eq!(crop([64, 1, 48, 1, 0, 1, 0, 1]), None, "the whole picture");
        for invalid in [[32, 0, 48, 1, 0, 1, 0, 1], [66, 1, 48, 1, 0, 1, 0, 1], [32, 1, 48, 1, 20, 1, 0, 1]] {
            assert_eq!(crop(invalid), None, "{invalid:?}");
        }
    }
}

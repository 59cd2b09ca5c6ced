//! The part, the shape of samples and the orientation in which a picture is displayed.

use crate::container::MAX_SAMPLES;
use media::Size;

/// The shape of a sample: its width divided by its height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelAspect {
    width: u32,
    height: u32,
}

/// Where the first row and the first column of a stored picture are displayed. The default is upright: at the top and
/// at the left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Orientation {
    /// The stored columns are displayed as rows.
    pub transposed: bool,
    /// Left and right are exchanged, after `transposed`.
    pub mirrored: bool,
    /// Top and bottom are exchanged, after `transposed`.
    pub flipped: bool,
}

/// The displayed part of a stored picture. `left` and `top` are even, because 4:2:0 halves both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crop {
    /// Columns before the part.
    pub left: u16,
    /// Rows above the part.
    pub top: u16,
    /// The size of the part.
    pub size: Size,
}

/// The difference between a stored and a displayed picture. It applies in the order of the fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Geometry {
    /// The displayed part, or `None` for the whole picture.
    pub crop: Option<Crop>,
    /// The shape of the stored samples.
    pub aspect: PixelAspect,
    /// The orientation.
    pub orientation: Orientation,
}

impl PixelAspect {
    /// Square samples.
    pub const SQUARE: Self = Self { width: 1, height: 1 };

    /// Returns the shape. Returns `None` if a number is zero, or if one side is more than 16 times as long as the
    /// other: such numbers are invalid or mean that the shape is unknown.
    #[must_use]
    pub fn new(width: u32, height: u32) -> Option<Self> {
        let (low, high) = (width.min(height), width.max(height));
        (low > 0 && high / low < MAX_RATIO).then_some(Self { width, height })
    }

    /// Returns the shape after the width is multiplied by `width` and the height by `height`. Returns `None` as
    /// [`PixelAspect::new`] does.
    #[must_use]
    pub fn scaled(self, width: u32, height: u32) -> Option<Self> {
        let mut terms = (u64::from(self.width) * u64::from(width), u64::from(self.height) * u64::from(height));
        while terms.0.max(terms.1) > u64::from(u32::MAX) {
            terms = (terms.0 / 2, terms.1 / 2);
        }
        Self::new(u32::try_from(terms.0).ok()?, u32::try_from(terms.1).ok()?)
    }

    /// Returns true if width and height differ by less than a hundredth. Files contain rounded numbers, and such a
    /// difference is not visible.
    #[must_use]
    pub fn is_square(self) -> bool {
        u64::from(self.width.abs_diff(self.height)) * 100 < u64::from(self.height)
    }

    /// Returns the size in square samples of a picture that has `stored` samples of this shape. One side is enlarged.
    /// If the picture were too large then, the other side is reduced instead.
    #[must_use]
    pub fn square(self, stored: Size) -> Size {
        if self.is_square() {
            return stored;
        }
        let (width, height) = (self.width, self.height);
        let wide = Size::new(multiply(stored.width, width, height), stored.height);
        let tall = Size::new(stored.width, multiply(stored.height, height, width));
        let (enlarged, reduced) = if width > height { (wide, tall) } else { (tall, wide) };
        let fits = enlarged.width.max(enlarged.height) <= MAX_SIDE && enlarged.area() <= MAX_SAMPLES;
        if fits { enlarged } else { reduced }
    }
}

impl Default for PixelAspect {
    fn default() -> Self {
        Self::SQUARE
    }
}

impl Orientation {
    /// Returns the size of a displayed picture of `stored` size.
    #[must_use]
    pub fn displayed(self, stored: Size) -> Size {
        if self.transposed { Size::new(stored.height, stored.width) } else { stored }
    }
}

impl Geometry {
    /// Returns the size in which a picture of `stored` size is displayed.
    #[must_use]
    pub fn displayed(&self, stored: Size) -> Size {
        let part = self.crop_of(stored).map_or(stored, |crop| crop.size);
        self.orientation.displayed(self.aspect.square(part))
    }

    /// Returns the crop if it lies within a picture of `stored` size. A stream may change its size.
    pub(super) fn crop_of(&self, stored: Size) -> Option<Crop> {
        self.crop.filter(|Crop { left, top, size }| {
            left.checked_add(size.width).is_some_and(|right| right <= stored.width)
                && top.checked_add(size.height).is_some_and(|bottom| bottom <= stored.height)
                && !size.is_empty()
        })
    }
}

/// Returns the even number nearest to `side * by / divisor`, at least 2.
fn multiply(side: u16, by: u32, divisor: u32) -> u16 {
    let half = (u64::from(side) * u64::from(by) + u64::from(divisor)) / (2 * u64::from(divisor)).max(1);
    u16::try_from(half.max(1) * 2).unwrap_or(u16::MAX - 1)
}

/// A sample is less than this many times as long in one direction as in the other.
const MAX_RATIO: u32 = 16;
/// The longest side of an enlarged picture.
const MAX_SIDE: u16 = 8_192;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_aspect_changes_one_side() {
        let square = |aspect: (u32, u32), size: (u16, u16)| {
            let size = PixelAspect::new(aspect.0, aspect.1).unwrap().square(Size::new(size.0, size.1));
            (size.width, size.height)
        };
        assert_eq!(square((4, 3), (1440, 1080)), (1920, 1080));
        assert_eq!(square((12, 11), (720, 576)), (786, 576));
        assert_eq!(square((1, 2), (640, 360)), (640, 720));
        assert_eq!(square((1000, 1001), (640, 360)), (640, 360));
        assert_eq!(square((8, 1), (8_000, 4_000)), (8_000, 500), "too large to be enlarged");
        assert_eq!(square((15, 1), (2, 2)), (30, 2));
    }

    #[test]
    fn an_impossible_pixel_aspect_is_refused() {
        for (width, height) in [(0, 1), (1, 0), (0, 0), (16, 1), (1, u32::MAX), (u32::MAX, 1)] {
            assert_eq!(PixelAspect::new(width, height), None, "{width}:{height}");
        }
        let wide = PixelAspect::new(4, 3).unwrap();
        assert_eq!(wide.scaled(3, 4).map(PixelAspect::is_square), Some(true));
        assert_eq!(wide.scaled(u32::MAX, u32::MAX).map(|same| same.square(Size::new(96, 72)).width), Some(128));
        assert_eq!(wide.scaled(100, 1), None);
    }

    #[test]
    fn a_crop_outside_the_picture_is_ignored() {
        let crop = |left, width| Some(Crop { left, top: 0, size: Size::new(width, 4) });
        let width = |crop| Geometry { crop, ..Geometry::default() }.displayed(Size::new(8, 4)).width;
        assert_eq!((width(None), width(crop(2, 6)), width(crop(2, 4))), (8, 6, 4));
        assert_eq!((width(crop(2, 8)), width(crop(65_534, 8)), width(crop(0, 0))), (8, 8, 8));
    }
}

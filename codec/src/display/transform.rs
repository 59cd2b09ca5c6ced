//! Copies decoded pictures into the form in which they are displayed.

use super::geometry::{Crop, Geometry, Orientation};
use crate::scale::Scaler;
use media::{Colour, FrameMut, Plane, PlaneMut, PlaneRef, Pool, Size, Timestamp};

/// Copies pictures as [`Geometry`] requires. Each sample is written once, unless a picture is both scaled and turned.
pub struct Transform {
    geometry: Geometry,
    scaler: Scaler,
    /// The buffer for pictures that are scaled and then turned.
    scratch: Pool,
}

impl Transform {
    /// Returns a transform. It allocates at the first picture of a size, and only if that picture is scaled.
    #[must_use]
    pub fn new(geometry: Geometry) -> Self {
        Self { geometry, scaler: Scaler::new(), scratch: Pool::new(1) }
    }

    /// Returns the size of a displayed picture of `stored` size.
    #[must_use]
    pub fn displayed(&self, stored: Size) -> Size {
        self.geometry.displayed(stored)
    }

    /// Copies the `planes` of a picture of `stored` size into a buffer of `pool`. Returns `None` if all buffers are in
    /// use.
    pub fn copy(&mut self, planes: [PlaneRef<'_>; 3], stored: Size, pool: &Pool) -> Option<FrameMut> {
        let mut target = pool.take(self.geometry.displayed(stored))?;
        let crop = self.geometry.crop_of(stored);
        let planes = crop.map_or(planes, |crop| cut(planes, crop));
        let size = crop.map_or(stored, |crop| crop.size);
        let square = self.geometry.aspect.square(size);
        let orientation = self.geometry.orientation;
        if square == size {
            turn(planes, &mut target, orientation);
        } else if orientation == Orientation::default() {
            self.scaler.scale_planes(planes, &mut target);
        } else {
            let mut scaled = self.scratch.take(square)?;
            self.scaler.scale_planes(planes, &mut scaled);
            let scaled = scaled.freeze(0, Timestamp::default(), Colour::default());
            turn([Plane::Y, Plane::U, Plane::V].map(|plane| scaled.plane(plane)), &mut target, orientation);
        }
        Some(target)
    }
}

/// Returns the part of each plane that `crop` names.
fn cut([luma, blue, red]: [PlaneRef<'_>; 3], crop: Crop) -> [PlaneRef<'_>; 3] {
    fn part(plane: PlaneRef<'_>, left: u16, top: u16, size: Size) -> PlaneRef<'_> {
        let start = usize::from(top) * plane.stride + usize::from(left);
        PlaneRef { data: plane.data.get(start..).unwrap_or_default(), stride: plane.stride, size }
    }
    let (left, top) = (crop.left / 2, crop.top / 2);
    let chroma = |plane| part(plane, left, top, crop.size.chroma());
    [part(luma, crop.left, crop.top, crop.size), chroma(blue), chroma(red)]
}

fn turn(planes: [PlaneRef<'_>; 3], target: &mut FrameMut, orientation: Orientation) {
    for (from, to) in planes.into_iter().zip(target.planes_mut().iter_mut()) {
        match orientation {
            Orientation { transposed: false, mirrored: false, flipped: false } => to.copy_from(from),
            Orientation { transposed: false, mirrored, flipped } => reverse(from, to, mirrored, flipped),
            Orientation { transposed: true, mirrored, flipped } => transpose(from, to, mirrored, flipped),
        }
    }
}

fn reverse(from: PlaneRef<'_>, to: &mut PlaneMut<'_>, mirrored: bool, flipped: bool) {
    let last = usize::from(from.size.height).saturating_sub(1);
    for (index, row) in to.rows_mut().enumerate() {
        let start = from.stride * if flipped { last.saturating_sub(index) } else { index };
        let Some(source) = from.data.get(start..start + row.len()) else { return };
        row.copy_from_slice(source);
        if mirrored {
            row.reverse();
        }
    }
}

/// Copies the columns of `from` into the rows of `to`. It works on squares of [`BLOCK`] samples, so that the rows of
/// both planes stay in the processor's cache.
fn transpose(from: PlaneRef<'_>, to: &mut PlaneMut<'_>, mirrored: bool, flipped: bool) {
    let width = usize::from(to.size.width.min(from.size.height));
    let height = usize::from(to.size.height.min(from.size.width));
    let stride = to.stride;
    for (band, rows) in to.data.chunks_mut(BLOCK * stride).enumerate() {
        let top = band * BLOCK;
        for left in (0..width).step_by(BLOCK) {
            let end = width.min(left + BLOCK);
            for (y, row) in (top..height).zip(rows.chunks_mut(stride)) {
                let column = if flipped { height - 1 - y } else { y };
                for (x, sample) in (left..end).zip(&mut row[left..end]) {
                    let line = if mirrored { width - 1 - x } else { x };
                    *sample = from.data[line * from.stride + column];
                }
            }
        }
    }
}

/// The side of a square that is transposed at once: 32 rows of 32 bytes fit into the first cache several times.
const BLOCK: usize = 32;

#[cfg(test)]
mod tests {
    use super::super::geometry::PixelAspect;
    use super::*;
    use crate::testing;
    use media::Frame;

    fn picture(size: Size) -> Frame {
        testing::picture(&Pool::new(1), size, 1)
    }

    fn planes(frame: &Frame) -> [PlaneRef<'_>; 3] {
        [Plane::Y, Plane::U, Plane::V].map(|plane| frame.plane(plane))
    }

    fn apply(frame: &Frame, geometry: Geometry) -> Frame {
        let copy = Transform::new(geometry).copy(planes(frame), frame.size(), &Pool::new(1)).unwrap();
        copy.freeze(0, Timestamp::default(), Colour::default())
    }

    fn sample(plane: PlaneRef<'_>, x: u16, y: u16) -> u8 {
        plane.data[usize::from(y) * plane.stride + usize::from(x)]
    }

    #[test]
    fn each_orientation_moves_every_sample() {
        for size in [Size::new(70, 38), Size::new(7, 5), Size::new(64, 96)] {
            let stored = picture(size);
            for bits in 0..8 {
                let orientation =
                    Orientation { transposed: bits & 1 != 0, mirrored: bits & 2 != 0, flipped: bits & 4 != 0 };
                let shown = apply(&stored, Geometry { orientation, ..Geometry::default() });
                assert_eq!(shown.size(), orientation.displayed(size));
                for (shown, stored) in planes(&shown).into_iter().zip(planes(&stored)) {
                    let Size { width, height } = shown.size;
                    let moved = |x, y| {
                        let (x, y) = (
                            if orientation.mirrored { width - 1 - x } else { x },
                            if orientation.flipped { height - 1 - y } else { y },
                        );
                        if orientation.transposed { sample(stored, y, x) } else { sample(stored, x, y) }
                    };
                    let equal = |x, y| sample(shown, x, y) == moved(x, y);
                    assert!((0..height).all(|y| (0..width).all(|x| equal(x, y))), "{size} {orientation:?}");
                }
            }
        }
    }

    #[test]
    fn wide_samples_are_scaled_before_the_picture_is_turned() {
        let aspect = PixelAspect::new(2, 1).unwrap();
        let orientation = Orientation { transposed: true, mirrored: true, flipped: false };
        let stored = picture(Size::new(64, 48));
        let wide = apply(&stored, Geometry { aspect, ..Geometry::default() });
        assert_eq!(wide.size(), Size::new(128, 48));
        let shown = apply(&stored, Geometry { aspect, orientation, crop: None });
        let turned = apply(&wide, Geometry { orientation, ..Geometry::default() });
        assert_eq!(shown.size(), Size::new(48, 128));
        assert!(planes(&shown).into_iter().zip(planes(&turned)).all(|(one, other)| one.rows().eq(other.rows())));
    }

    #[test]
    fn a_crop_copies_the_part_that_it_names() {
        let stored = picture(Size::new(64, 48));
        for (left, top, size) in [(4, 2, Size::new(30, 20)), (32, 24, Size::new(32, 24)), (2, 6, Size::new(61, 41))] {
            let crop = Some(Crop { left, top, size });
            let shown = apply(&stored, Geometry { crop, ..Geometry::default() });
            assert_eq!(shown.size(), size);
            for (step, (shown, stored)) in [1, 2, 2].into_iter().zip(planes(&shown).into_iter().zip(planes(&stored))) {
                let Size { width, height } = shown.size;
                let equal = |x, y| sample(shown, x, y) == sample(stored, x + left / step, y + top / step);
                assert!((0..height).all(|y| (0..width).all(|x| equal(x, y))), "{crop:?}");
            }
            // The same part, through the scaler and through each way of turning.
            for bits in 0..8 {
                let orientation =
                    Orientation { transposed: bits & 1 != 0, mirrored: bits & 2 != 0, flipped: bits & 4 != 0 };
                for aspect in [PixelAspect::SQUARE, PixelAspect::new(1, 2).unwrap(), PixelAspect::new(3, 2).unwrap()] {
                    let geometry = Geometry { crop, aspect, orientation };
                    assert_eq!(apply(&stored, geometry).size(), geometry.displayed(stored.size()));
                }
            }
        }
    }

    #[test]
    fn a_full_pool_copies_nothing() {
        let (pool, stored) = (Pool::new(1), picture(Size::new(16, 16)));
        let _held = pool.take(Size::new(16, 16)).unwrap();
        assert!(Transform::new(Geometry::default()).copy(planes(&stored), stored.size(), &pool).is_none());
    }
}

//! The mapping from tile pixels to picture samples: letterbox or crop, rotation, mirroring. Pure.

use crate::tile::{Area, Fit};
use media::{Rotation, Size};

/// An affine transformation from pixels of a tile (from its top left corner) to samples of the stored picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mapping {
    /// The sample position of the tile's top left corner.
    pub origin: [f32; 2],
    /// The step in samples for one pixel to the right.
    pub right: [f32; 2],
    /// The step in samples for one pixel down.
    pub down: [f32; 2],
}

impl Mapping {
    /// Samples per pixel along the axis that is reduced more.
    pub fn shrink(&self) -> f32 {
        let length = |step: [f32; 2]| step[0].abs().max(step[1].abs());
        length(self.right).max(length(self.down))
    }
}

/// The mapping of a picture of `size` in a tile of `width` by `height` pixels.
pub(crate) fn map(size: Size, rotation: Rotation, mirrored: bool, fit: Fit, width: f32, height: f32) -> Mapping {
    let (w, h) = (f32::from(size.width), f32::from(size.height));
    let (shown_w, shown_h) = match rotation {
        Rotation::Upright | Rotation::Half => (w, h),
        Rotation::Quarter | Rotation::ThreeQuarters => (h, w),
    };
    let frame = frame(shown_w, shown_h, fit, width, height);
    // In samples of the rotated picture: the position of the tile's corner, and the step per pixel.
    let (mut x, mut step_x) = (-frame.x * shown_w / frame.width, shown_w / frame.width);
    let (y, step_y) = (-frame.y * shown_h / frame.height, shown_h / frame.height);
    if mirrored {
        (x, step_x) = (shown_w - x, -step_x);
    }
    match rotation {
        Rotation::Upright => Mapping { origin: [x, y], right: [step_x, 0.0], down: [0.0, step_y] },
        Rotation::Quarter => Mapping { origin: [y, h - x], right: [0.0, -step_x], down: [step_y, 0.0] },
        Rotation::Half => Mapping { origin: [w - x, h - y], right: [-step_x, 0.0], down: [0.0, -step_y] },
        Rotation::ThreeQuarters => Mapping { origin: [w - y, x], right: [0.0, step_x], down: [-step_y, 0.0] },
    }
}

/// The area of the whole rotated picture, from the tile's top left corner. `Fit::Contain` gives whole pixels.
fn frame(shown_w: f32, shown_h: f32, fit: Fit, width: f32, height: f32) -> Area {
    let (across, along) = (width / shown_w, height / shown_h);
    match fit {
        Fit::Contain => {
            let scale = across.min(along);
            let w = (shown_w * scale).round().clamp(1.0, width.max(1.0));
            let h = (shown_h * scale).round().clamp(1.0, height.max(1.0));
            Area::new(((width - w) / 2.0).floor(), ((height - h) / 2.0).floor(), w, h)
        }
        Fit::Cover => {
            let scale = across.max(along);
            let (w, h) = (shown_w * scale, shown_h * scale);
            Area::new((width - w) / 2.0, (height - h) / 2.0, w, h)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(mapping: &Mapping, x: f32, y: f32) -> [f32; 2] {
        [0, 1].map(|axis| mapping.origin[axis] + mapping.right[axis] * x + mapping.down[axis] * y)
    }

    fn near(got: [f32; 2], wanted: [f32; 2]) -> bool {
        got.iter().zip(wanted).all(|(got, wanted)| (got - wanted).abs() < 1e-4)
    }

    #[test]
    fn contain_leaves_bars_and_cover_crops() {
        let contained = map(Size::new(40, 40), Rotation::Upright, false, Fit::Contain, 80.0, 40.0);
        assert!(near(at(&contained, 20.0, 0.0), [0.0, 0.0]));
        assert!(near(at(&contained, 60.0, 40.0), [40.0, 40.0]));
        let covering = map(Size::new(40, 40), Rotation::Upright, false, Fit::Cover, 80.0, 40.0);
        assert!(near(at(&covering, 0.0, 0.0), [0.0, 10.0]));
        assert!(near(at(&covering, 80.0, 40.0), [40.0, 30.0]));
    }

    #[test]
    fn rotations_are_clockwise() {
        // The sample at the tile's top left corner.
        let corner = |rotation, x, y| at(&map(Size::new(40, 20), rotation, false, Fit::Contain, x, y), 0.0, 0.0);
        assert!(near(corner(Rotation::Upright, 40.0, 20.0), [0.0, 0.0]));
        assert!(near(corner(Rotation::Quarter, 20.0, 40.0), [0.0, 20.0]));
        assert!(near(corner(Rotation::Half, 40.0, 20.0), [40.0, 20.0]));
        assert!(near(corner(Rotation::ThreeQuarters, 20.0, 40.0), [40.0, 0.0]));
    }

    #[test]
    fn mirroring_applies_after_rotation() {
        let mirrored = map(Size::new(40, 20), Rotation::Quarter, true, Fit::Contain, 20.0, 40.0);
        assert!(near(at(&mirrored, 0.0, 0.0), [0.0, 0.0]));
        assert!(near(at(&mirrored, 20.0, 0.0), [0.0, 20.0]));
    }
}

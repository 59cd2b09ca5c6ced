//! The mapping from tile pixels to picture samples: letterbox or crop, mirroring. Pure.

use crate::tile::{Area, Fit};
use media::Size;

/// The scale and the offset that turn pixels of a tile (from its top left corner) into samples of the stored picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mapping {
    /// The sample position of the tile's top left corner.
    pub origin: [f32; 2],
    /// The step in samples for one pixel to the right, and for one pixel down. Mirroring makes the first one negative.
    pub step: [f32; 2],
}

impl Mapping {
    /// Samples per pixel along the axis that is reduced more.
    pub fn shrink(&self) -> f32 {
        self.step[0].abs().max(self.step[1].abs())
    }
}

/// The mapping of a picture of `size` in a tile of `width` by `height` pixels.
pub(crate) fn map(size: Size, mirrored: bool, fit: Fit, width: f32, height: f32) -> Mapping {
    let (w, h) = (f32::from(size.width), f32::from(size.height));
    let frame = frame(w, h, fit, width, height);
    let (mut x, mut step_x) = (-frame.x * w / frame.width, w / frame.width);
    let (y, step_y) = (-frame.y * h / frame.height, h / frame.height);
    if mirrored {
        (x, step_x) = (w - x, -step_x);
    }
    Mapping { origin: [x, y], step: [step_x, step_y] }
}

/// The area of the whole picture, from the tile's top left corner. `Fit::Contain` gives whole pixels.
fn frame(picture_width: f32, picture_height: f32, fit: Fit, width: f32, height: f32) -> Area {
    let (across, along) = (width / picture_width, height / picture_height);
    match fit {
        Fit::Contain => {
            let scale = across.min(along);
            let w = (picture_width * scale).round().clamp(1.0, width.max(1.0));
            let h = (picture_height * scale).round().clamp(1.0, height.max(1.0));
            Area::new(((width - w) / 2.0).floor(), ((height - h) / 2.0).floor(), w, h)
        }
        Fit::Cover => {
            let scale = across.max(along);
            let (w, h) = (picture_width * scale, picture_height * scale);
            Area::new((width - w) / 2.0, (height - h) / 2.0, w, h)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(mapping: &Mapping, x: f32, y: f32) -> [f32; 2] {
        [mapping.origin[0] + mapping.step[0] * x, mapping.origin[1] + mapping.step[1] * y]
    }

    fn near(got: [f32; 2], wanted: [f32; 2]) -> bool {
        got.iter().zip(wanted).all(|(got, wanted)| (got - wanted).abs() < 1e-4)
    }

    #[test]
    fn contain_leaves_bars_and_cover_crops() {
        let contained = map(Size::new(40, 40), false, Fit::Contain, 80.0, 40.0);
        assert!(near(at(&contained, 20.0, 0.0), [0.0, 0.0]));
        assert!(near(at(&contained, 60.0, 40.0), [40.0, 40.0]));
        let covering = map(Size::new(40, 40), false, Fit::Cover, 80.0, 40.0);
        assert!(near(at(&covering, 0.0, 0.0), [0.0, 10.0]));
        assert!(near(at(&covering, 80.0, 40.0), [40.0, 30.0]));
    }

    #[test]
    fn a_mirrored_picture_begins_at_its_right_edge() {
        let mirrored = map(Size::new(40, 20), true, Fit::Contain, 40.0, 20.0);
        assert!(near(at(&mirrored, 0.0, 0.0), [40.0, 0.0]));
        assert!(near(at(&mirrored, 40.0, 20.0), [0.0, 20.0]));
    }
}

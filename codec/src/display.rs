//! How the pictures of a file are displayed: a part of them, with square samples, in an orientation.

mod geometry;
mod transform;

pub use geometry::{Crop, Geometry, Orientation, PixelAspect};
pub use transform::Transform;

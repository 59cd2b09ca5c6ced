//! One rectangle for the shader, and for its double on the CPU.

use bytemuck::{Pod, Zeroable};

/// A rounded rectangle filled with a colour or a picture, or one glyph. The same bytes are the shader's instance.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub(crate) struct Quad {
    /// Left, top, width, height in whole pixels of the target.
    pub area: [f32; 4],
    /// Picture: samples passed by a pixel to the right (x, y) and by one down (x, y).
    pub steps: [f32; 4],
    /// Picture: the sample at the area's top left, then the picture's size. Glyph: its place in the atlas.
    pub origin: [f32; 4],
    /// Corner radius, ring width, taps of the shrinking filter along each axis, unused.
    pub shape: [f32; 4],
    /// sRGB code values: the ground, the shape's colour or the glyph's.
    pub fill: [u8; 4],
    /// sRGB code values.
    pub ring: [u8; 4],
    /// One of the kinds below; for a picture, its layer and the index of its colour conversion.
    pub source: [u32; 2],
}

/// A rounded rectangle of one colour.
pub(crate) const SHAPE: u32 = 0;
/// A rounded rectangle that shows a picture.
pub(crate) const PICTURE: u32 = 1;
/// A rectangle of the atlas, tinted.
pub(crate) const GLYPH: u32 = 2;

impl Quad {
    /// The kind: [`SHAPE`], [`PICTURE`] or [`GLYPH`].
    pub const fn kind(&self) -> u32 {
        self.source[0] & 0xff
    }

    /// A picture's colour conversion.
    pub const fn conversion(&self) -> u32 {
        self.source[0] >> 8
    }

    /// A picture's layer.
    pub const fn layer(&self) -> u32 {
        self.source[1]
    }
}

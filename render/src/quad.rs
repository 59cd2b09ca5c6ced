//! The instance data of the shader, also used by the CPU path.

use bytemuck::{Pod, Zeroable};

/// A rounded rectangle filled with a colour or a picture, or one glyph. The memory layout is that of the shader's
/// instance.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub(crate) struct Quad {
    /// Left, top, width, height in whole pixels of the target.
    pub area: [f32; 4],
    /// Picture: the step in samples for one pixel to the right, then for one pixel down.
    pub step: [f32; 2],
    /// Picture: the sample position of the area's top left corner, then the picture's size. Glyph: its position in the
    /// atlas.
    pub origin: [f32; 4],
    /// Corner radius, ring width, filter taps along each axis, unused.
    pub shape: [f32; 4],
    /// sRGB code values: the background of a picture, or the colour of a shape or glyph.
    pub fill: [u8; 4],
    /// sRGB code values of the ring.
    pub ring: [u8; 4],
    /// The kind (see below) and, for a picture, the index of its colour conversion; then the picture's layer.
    pub source: [u32; 2],
}

/// A rounded rectangle of one colour.
pub(crate) const SHAPE: u32 = 0;
/// A rounded rectangle that shows a picture.
pub(crate) const PICTURE: u32 = 1;
/// A tinted rectangle of the atlas.
pub(crate) const GLYPH: u32 = 2;

impl Quad {
    /// The kind: [`SHAPE`], [`PICTURE`] or [`GLYPH`].
    pub const fn kind(&self) -> u32 {
        self.source[0] & 0xff
    }

    /// The index of a picture's colour conversion.
    pub const fn conversion(&self) -> u32 {
        self.source[0] >> 8
    }

    /// The texture layer of a picture.
    pub const fn layer(&self) -> u32 {
        self.source[1]
    }
}

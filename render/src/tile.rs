//! What the caller says about a scene: plain values, cheap to clone, in physical pixels.

use crate::Feed;
use std::sync::Arc;

/// A colour as sRGB code values; `alpha` is not multiplied in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rgba {
    /// Red.
    pub red: u8,
    /// Green.
    pub green: u8,
    /// Blue.
    pub blue: u8,
    /// 255 hides what is behind.
    pub alpha: u8,
}

impl Rgba {
    /// Nothing at all.
    pub const CLEAR: Self = Self { red: 0, green: 0, blue: 0, alpha: 0 };

    /// An opaque colour as `0xRRGGBB`.
    #[must_use]
    pub const fn opaque(rgb: u32) -> Self {
        let [_, red, green, blue] = rgb.to_be_bytes();
        Self { red, green, blue, alpha: 255 }
    }

    /// The same colour with another alpha.
    #[must_use]
    pub const fn with_alpha(self, alpha: u8) -> Self {
        Self { alpha, ..self }
    }

    pub(crate) const fn bytes(self) -> [u8; 4] {
        [self.red, self.green, self.blue, self.alpha]
    }
}

/// A rectangle in physical pixels, from the top left of the target. Drawn to the nearest whole pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Area {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Extent to the right.
    pub width: f32,
    /// Extent downwards.
    pub height: f32,
}

impl Area {
    /// A rectangle from its left and top edges and its extent.
    #[must_use]
    pub const fn new(x: f32, y: f32, width: f32, height: f32) -> Self {
        Self { x, y, width, height }
    }

    /// The same rectangle with its edges on whole pixels, so that neighbours still touch.
    pub(crate) fn snapped(self) -> Self {
        let (x, y) = (self.x.round(), self.y.round());
        let (right, bottom) = ((self.x + self.width).round(), (self.y + self.height).round());
        Self { x, y, width: (right - x).max(0.0), height: (bottom - y).max(0.0) }
    }

    pub(crate) fn is_empty(self) -> bool {
        let whole = self.x.is_finite() && self.y.is_finite() && self.width.is_finite() && self.height.is_finite();
        !whole || self.width < 1.0 || self.height < 1.0
    }

    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }
}

/// How a picture of another shape fills its tile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fit {
    /// All of the picture, with bars beside or above it: shared screens.
    Contain,
    /// All of the tile, the picture's edges cut off: faces.
    #[default]
    Cover,
}

/// The name at the bottom left of a tile.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tag {
    /// The name; cut with an ellipsis where the tile is narrower.
    pub text: Arc<str>,
    /// Adds the crossed microphone.
    pub muted: bool,
}

/// What stands in a tile while there is no picture.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Placeholder {
    /// One or two letters.
    pub initials: Arc<str>,
    /// The disc behind them.
    pub colour: Rgba,
}

/// One rectangle of the scene. Lengths are physical pixels.
#[derive(Clone, Debug)]
pub struct Tile {
    /// The caller's name for it; what [`crate::Shown`] speaks of.
    pub id: u64,
    /// Where it lies. Later tiles lie above earlier ones.
    pub area: Area,
    /// Its pictures.
    pub feed: Option<Feed>,
    /// How a picture of another shape fills it.
    pub fit: Fit,
    /// Radius of the corners.
    pub corner: f32,
    /// Left and right changed over, as in a mirror: one's own camera.
    pub mirrored: bool,
    /// A ring along the inner edge: who speaks.
    pub ring: Option<Rgba>,
    /// The name.
    pub tag: Option<Tag>,
    /// Shown while the feed has no picture.
    pub placeholder: Option<Placeholder>,
}

impl Tile {
    /// An empty tile: no feed, no tag, square corners.
    #[must_use]
    pub const fn new(id: u64, area: Area) -> Self {
        Self {
            id,
            area,
            feed: None,
            fit: Fit::Cover,
            corner: 0.0,
            mirrored: false,
            ring: None,
            tag: None,
            placeholder: None,
        }
    }
}

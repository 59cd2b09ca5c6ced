//! The description of a scene: plain values in physical pixels, cheap to clone.

use crate::Feed;
use std::sync::Arc;

/// An sRGB colour with straight (not premultiplied) alpha.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rgba {
    /// Red.
    pub red: u8,
    /// Green.
    pub green: u8,
    /// Blue.
    pub blue: u8,
    /// Opacity; 255 is opaque.
    pub alpha: u8,
}

impl Rgba {
    /// Fully transparent.
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

/// A rectangle in physical pixels from the top left corner of the target. Edges are rounded to whole pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Area {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl Area {
    /// Creates a rectangle.
    #[must_use]
    pub const fn new(x: f32, y: f32, width: f32, height: f32) -> Self {
        Self { x, y, width, height }
    }

    /// The rectangle with edges rounded to whole pixels. Adjacent rectangles stay adjacent.
    pub(crate) fn snapped(self) -> Self {
        let (x, y) = (self.x.round(), self.y.round());
        let (right, bottom) = ((self.x + self.width).round(), (self.y + self.height).round());
        Self { x, y, width: (right - x).max(0.0), height: (bottom - y).max(0.0) }
    }

    /// Returns whether nothing is drawn: an edge is not finite, or a side is shorter than one pixel.
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

/// How a picture with another aspect ratio fills its tile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fit {
    /// Shows the whole picture with bars. For shared screens.
    Contain,
    /// Fills the whole tile and crops the picture. For cameras.
    #[default]
    Cover,
}

/// The name tag at the bottom left of a tile.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tag {
    /// The name; shortened with an ellipsis if it does not fit.
    pub text: Arc<str>,
    /// Shows the muted-microphone badge.
    pub muted: bool,
    /// The badge before the name; `None` if there is none.
    pub mark: Option<Mark>,
}

/// What the badge before a name says about the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// A warning.
    Warning,
    /// An organisation has verified the person.
    Verified,
    /// The device is known.
    Known,
    /// The device is new.
    New,
}

/// What a tile shows while it has no picture.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Placeholder {
    /// One or two letters.
    pub initials: Arc<str>,
    /// The colour of the disc behind the initials.
    pub colour: Rgba,
}

/// One tile of the scene. Lengths are in physical pixels.
#[derive(Clone, Debug)]
pub struct Tile {
    /// An identifier chosen by the caller, returned in [`crate::DrawnPicture`].
    pub id: u64,
    /// The position. Later tiles are drawn over earlier ones.
    pub area: Area,
    /// The source of its pictures.
    pub feed: Option<Feed>,
    /// How a picture with another aspect ratio fills the tile.
    pub fit: Fit,
    /// The corner radius.
    pub corner: f32,
    /// Mirrors the picture horizontally, for the self-view.
    pub mirrored: bool,
    /// The colour of a ring along the inner edge, for the active speaker.
    pub ring: Option<Rgba>,
    /// The name tag.
    pub tag: Option<Tag>,
    /// A label at the bottom right that says why the picture is reduced. It is at the top left if there is no space beside the name tag.
    pub note: Option<Arc<str>>,
    /// Shown while the feed has no picture.
    pub placeholder: Option<Placeholder>,
    /// The text over a picture that is frozen because a connection was lost. The picture is grey then.
    pub frozen: Option<Arc<str>>,
}

impl Tile {
    /// Creates a tile that shows nothing yet: no feed, name tag, note, ring, placeholder or text, and square corners.
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
            note: None,
            placeholder: None,
            frozen: None,
        }
    }
}

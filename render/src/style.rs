//! Colours, lengths and fonts, passed by the caller.

use crate::{Error, Rgba};
use cosmic_text::fontdb;
use std::fmt;
use std::sync::Arc;

/// A font family. Clones share the faces.
#[derive(Clone)]
pub struct Font {
    pub(crate) faces: Arc<fontdb::Database>,
    pub(crate) family: Arc<str>,
}

impl Font {
    /// Loads a family from `files` (TrueType or OpenType, one or more weights). The first face determines the family
    /// name.
    ///
    /// # Errors
    /// Returns [`Error::Font`] if no file contains a face.
    pub fn new(files: &[&'static [u8]]) -> Result<Self, Error> {
        let mut faces = fontdb::Database::new();
        for file in files {
            faces.load_font_source(fontdb::Source::Binary(Arc::new(*file)));
        }
        let family = faces.faces().next().and_then(|face| face.families.first()).map(|(name, _)| Arc::from(&**name));
        let family = family.ok_or(Error::Font)?;
        Ok(Self { faces: Arc::new(faces), family })
    }

    /// Adds the system's fonts for characters that the family lacks (Chinese, Arabic, emoji). Reads the font folders,
    /// which takes 10 to 500 ms, so call it on a start-up thread and not on the one that draws.
    #[must_use]
    pub fn with_system_fallback(self) -> Self {
        let mut faces = (*self.faces).clone();
        faces.load_system_fonts();
        Self { faces: Arc::new(faces), family: self.family }
    }
}

impl fmt::Debug for Font {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Font({}, {} faces)", self.family, self.faces.len())
    }
}

/// The style of a scene. Lengths are logical pixels.
#[derive(Clone, Debug)]
pub struct Style {
    /// The font of names and initials.
    pub font: Font,
    /// The background of a tile, visible beside a contained picture and behind a placeholder.
    pub backdrop: Rgba,
    /// The background of a name tag.
    pub tag_background: Rgba,
    /// The text of a name tag.
    pub tag_text: Rgba,
    /// The muted-microphone badge.
    pub tag_muted: Rgba,
    /// The warning badge.
    pub tag_marked: Rgba,
    /// The badge of a verified person.
    pub tag_verified: Rgba,
    /// The initials of a placeholder.
    pub initials: Rgba,
    /// The font size (em) of a name.
    pub tag_size: f32,
    /// The font weight of a name, 100..=900.
    pub tag_weight: u16,
    /// The width of the speaking ring.
    pub ring_width: f32,
}

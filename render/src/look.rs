//! Colours, lengths and letters, as the caller's theme has them.

use crate::{Error, Rgba};
use cosmic_text::fontdb;
use std::fmt;
use std::sync::Arc;

/// A family of faces to write names with. Clones share the faces.
#[derive(Clone)]
pub struct Font {
    pub(crate) faces: Arc<fontdb::Database>,
    pub(crate) family: Arc<str>,
}

impl Font {
    /// The family in `files` (TrueType or OpenType, one or more weights); the first face names the family.
    ///
    /// # Errors
    /// [`Error::Font`] where no file holds a face.
    pub fn new(files: &[&'static [u8]]) -> Result<Self, Error> {
        let mut faces = fontdb::Database::new();
        for file in files {
            faces.load_font_source(fontdb::Source::Binary(Arc::new(*file)));
        }
        let family = faces.faces().next().and_then(|face| face.families.first()).map(|(name, _)| Arc::from(&**name));
        let family = family.ok_or(Error::Font)?;
        Ok(Self { faces: Arc::new(faces), family })
    }

    /// Adds the system's faces for letters that the family lacks (Chinese, Arabic, emoji...). Reads the font folders,
    /// some ten to hundreds of milliseconds: for a start-up thread, never for the one that draws.
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

/// How a scene looks, apart from its pictures. Lengths are logical pixels, multiplied by the scale when drawn.
#[derive(Clone, Debug)]
pub struct Look {
    /// What names are written with.
    pub font: Font,
    /// A tile's own ground: beside a contained picture and behind a placeholder.
    pub backdrop: Rgba,
    /// Behind a name.
    pub tag_paper: Rgba,
    /// A name.
    pub tag_ink: Rgba,
    /// The crossed microphone.
    pub tag_muted: Rgba,
    /// A placeholder's letters.
    pub initials: Rgba,
    /// Height of a name's letters, as the em square: 13 is small and readable.
    pub tag_size: f32,
    /// Weight of a name's letters, 100..=900.
    pub tag_weight: u16,
    /// Width of the speaking ring.
    pub ring_width: f32,
}

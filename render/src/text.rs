//! Shapes names and initials, shortens them to a width and rasterises them into an atlas. Shaped lines are cached.

mod atlas;
mod badge;

pub(crate) use atlas::{Atlas, Slot};

pub use badge::Badge;

use crate::Font;
use cosmic_text::{
    Attrs, AttrsList, CacheKey, Family, FontSystem, LayoutLine, ShapeLine, Shaping, SwashCache, SwashContent, Weight,
    Wrap,
};
use std::collections::HashMap;
use std::sync::Arc;

/// Shapes and rasterises text, and caches the results.
pub(crate) struct Text {
    fonts: FontSystem,
    rasterizer: SwashCache,
    family: Arc<str>,
    lines: HashMap<LineKey, Line>,
    slots: HashMap<CacheKey, Option<CachedGlyph>>,
    badges: HashMap<(Badge, u32), Option<Slot>>,
    atlas: Atlas,
    frame: u64,
}

/// A shaped line of text in pixels. The origin is the left end of the baseline.
pub(crate) struct Line {
    pub width: f32,
    pub ascent: f32,
    pub descent: f32,
    /// The vertical extent of the glyphs: above (negative) and below the baseline.
    pub ink: (i32, i32),
    pub glyphs: Vec<Glyph>,
    last_used: u64,
}

/// One glyph of a line: its top left corner relative to the line's origin, and its slot in the atlas.
#[derive(Clone, Copy)]
pub(crate) struct Glyph {
    pub x: i32,
    pub y: i32,
    pub slot: Slot,
}

/// The cache key of a line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LineKey {
    text: Arc<str>,
    // In 1/64 pixels, so that keys can be hashed.
    size: u32,
    weight: u16,
    max_width: u32,
}

#[derive(Clone, Copy)]
struct CachedGlyph {
    left: i32,
    top: i32,
    slot: Slot,
}

impl LineKey {
    /// `text` at a font size of `size` pixels, at most `max_width` pixels wide.
    pub fn new(text: &Arc<str>, size: f32, weight: u16, max_width: f32) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let whole = |value: f32, max: f32| value.clamp(0.0, max) as u32;
        Self {
            text: Arc::clone(text),
            size: whole(size * 64.0, MAX_FONT_SIZE * 64.0),
            weight,
            max_width: whole(max_width, 16_384.0),
        }
    }

    fn pixels(&self) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "small by construction")]
        let pixels = self.size as f32 / 64.0;
        pixels
    }

    fn room(&self) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "small by construction")]
        let room = self.max_width as f32;
        room
    }
}

impl Text {
    pub fn new(font: &Font) -> Self {
        Self {
            fonts: FontSystem::new_with_locale_and_db(String::from("en-US"), (*font.faces).clone()),
            rasterizer: SwashCache::new(),
            family: Arc::clone(&font.family),
            lines: HashMap::new(),
            slots: HashMap::new(),
            badges: HashMap::new(),
            atlas: Atlas::new(),
            frame: 0,
        }
    }

    /// Starts a frame. If the cache is full, removes the lines that the previous frame did not use.
    pub fn begin_frame(&mut self) {
        self.frame += 1;
        if self.lines.len() > MAX_LINES {
            let frame = self.frame;
            self.lines.retain(|_, line| line.last_used + 1 >= frame);
        }
    }

    /// The line for `key`. It is shaped if it is not in the cache.
    pub fn line(&mut self, key: &LineKey) -> Option<&Line> {
        if !self.lines.contains_key(key) {
            let line = self.shape(key);
            self.lines.insert(key.clone(), line);
        }
        let line = self.lines.get_mut(key)?;
        line.last_used = self.frame;
        Some(line)
    }

    /// A badge, `size` pixels wide and high.
    pub fn badge(&mut self, badge: Badge, size: u32) -> Option<Slot> {
        let size = size.clamp(4, 256);
        let atlas = &mut self.atlas;
        *self.badges.entry((badge, size)).or_insert_with(|| {
            let mask = badge.mask(size);
            atlas.insert(size, size, mask.into_iter().map(|cover| [cover; 4]))
        })
    }

    pub fn atlas(&mut self) -> &mut Atlas {
        &mut self.atlas
    }

    /// Grows the atlas if something did not fit. Returns true if it did: the caches are then empty, and the caller must
    /// lay out the scene again.
    pub fn grow_atlas_if_full(&mut self) -> bool {
        let full = self.atlas.grow_if_full();
        if full {
            self.lines.clear();
            self.slots.clear();
            self.badges.clear();
        }
        full
    }

    fn shape(&mut self, key: &LineKey) -> Line {
        // A peer chose the text: replace control characters and line breaks, and limit the length.
        let clean = |c: char| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c };
        let text: String = key.text.chars().take(MAX_CHARS).map(clean).collect();
        let whole = self.lay_out(&text, key);
        let line = match whole {
            Some(line) if line.w > key.room() => self.shorten(&text, &line, key),
            line => line,
        };
        self.place(line.as_ref())
    }

    /// The longest prefix of `text` that fits together with an ellipsis.
    fn shorten(&mut self, text: &str, whole: &LayoutLine, key: &LineKey) -> Option<LayoutLine> {
        let ellipsis = self.lay_out(ELLIPSIS, key).map_or(0.0, |line| line.w);
        let mut logical: Vec<_> = whole.glyphs.iter().map(|glyph| (glyph.start, glyph.w)).collect();
        logical.sort_by_key(|(start, _)| *start);
        let mut end = 0;
        let mut width = ellipsis;
        for (start, advance) in logical {
            end = start;
            width += advance;
            if width > key.room() {
                break;
            }
        }
        // A prefix may be wider when it is shaped without the following characters. Remove a few more characters then.
        for _ in 0..8 {
            let prefix = text.get(..end)?.trim_end();
            let line = self.lay_out(&format!("{prefix}{ELLIPSIS}"), key)?;
            if line.w <= key.room() || prefix.is_empty() {
                return (line.w <= key.room()).then_some(line);
            }
            end = prefix.char_indices().next_back().map_or(0, |(at, _)| at);
        }
        None
    }

    fn lay_out(&mut self, text: &str, key: &LineKey) -> Option<LayoutLine> {
        let attributes = Attrs::new().family(Family::Name(&self.family)).weight(Weight(key.weight));
        let attributes = AttrsList::new(&attributes);
        let shaped = ShapeLine::new(&mut self.fonts, text, &attributes, Shaping::Advanced, 8);
        shaped.layout(key.pixels(), None, Wrap::None, None, None).into_iter().next()
    }

    fn place(&mut self, line: Option<&LayoutLine>) -> Line {
        let mut placed =
            Line { width: 0.0, ascent: 0.0, descent: 0.0, ink: (0, 0), glyphs: Vec::new(), last_used: self.frame };
        let Some(line) = line else { return placed };
        (placed.width, placed.ascent, placed.descent) = (line.w, line.max_ascent, line.max_descent);
        for glyph in &line.glyphs {
            let at = glyph.physical((0.0, 0.0), 1.0);
            let Some(image) = self.glyph(at.cache_key) else { continue };
            let (x, y) = (at.x + image.left, at.y - image.top);
            placed.ink = (placed.ink.0.min(y), placed.ink.1.max(y + i32::from(image.slot.height)));
            placed.glyphs.push(Glyph { x, y, slot: image.slot });
        }
        placed
    }

    fn glyph(&mut self, key: CacheKey) -> Option<CachedGlyph> {
        if let Some(known) = self.slots.get(&key) {
            return *known;
        }
        let image = self.rasterizer.get_image_uncached(&mut self.fonts, key);
        let placed = image.and_then(|image| {
            let (width, height) = (image.placement.width, image.placement.height);
            let mut slot = match image.content {
                SwashContent::Mask => self.atlas.insert(width, height, image.data.iter().map(|cover| [*cover; 4])),
                SwashContent::Color | SwashContent::SubpixelMask => {
                    self.atlas.insert(width, height, image.data.chunks_exact(4).map(premultiplied))
                }
            }?;
            slot.coloured = image.content == SwashContent::Color;
            Some(CachedGlyph { left: image.placement.left, top: image.placement.top, slot })
        });
        self.slots.insert(key, placed);
        placed
    }
}

fn premultiplied(pixel: &[u8]) -> [u8; 4] {
    let alpha = pixel.get(3).copied().unwrap_or(255);
    let by_alpha = |index: usize| {
        let code = pixel.get(index).copied().unwrap_or(0);
        u8::try_from((u16::from(code) * u16::from(alpha) + 127) / 255).unwrap_or(u8::MAX)
    };
    [by_alpha(0), by_alpha(1), by_alpha(2), alpha]
}

const ELLIPSIS: &str = "\u{2026}";

/// The maximum characters of a line; more than a tag can show.
const MAX_CHARS: usize = 128;

/// The maximum font size in pixels: initials in a tile that fills a large screen.
const MAX_FONT_SIZE: f32 = 256.0;

/// The number of cached lines above which unused ones are removed.
const MAX_LINES: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    const FACE: &[u8] = include_bytes!("../../app/assets/fonts/ConclaveSans-Regular.ttf");

    fn line(text: &str, max_width: f32) -> (f32, usize) {
        let mut shaper = Text::new(&Font::new(&[FACE]).unwrap());
        let line = shaper.line(&LineKey::new(&Arc::from(text), 16.0, 400, max_width)).unwrap();
        (line.width, line.glyphs.len())
    }

    #[test]
    fn a_long_name_is_shortened_with_an_ellipsis() {
        let (whole, _) = line("Marguerite de Navarre", 1_000.0);
        let (shortened, glyphs) = line("Marguerite de Navarre", 90.0);
        assert!(whole > 90.0 && shortened <= 90.0 && shortened > 60.0 && glyphs > 3, "{whole} {shortened} {glyphs}");
    }

    #[test]
    fn a_line_without_space_has_no_glyphs() {
        assert_eq!(line("Anne", 2.0), (0.0, 0));
        assert_eq!(line("", 90.0).1, 0);
    }

    #[test]
    fn hostile_names_do_not_panic() {
        let hostile =
            ["a\u{2029}\u{5d0}\nb", "\u{202e}abc\u{202c}", "\u{0}\u{1f}\u{85}", "\u{fffd}", "e\u{301}\u{301}\u{301}"];
        for text in hostile {
            assert!(line(text, 40.0).0 <= 40.0, "{text:?}");
        }
        line(&"\u{5d0}\u{5d1} ab ".repeat(400), 60.0);
        line(&"\u{301}".repeat(400), 60.0);
    }

    #[test]
    fn a_name_is_shaped_once() {
        let mut shaper = Text::new(&Font::new(&[FACE]).unwrap());
        let key = LineKey::new(&Arc::from("Anne"), 16.0, 400, 100.0);
        let first = shaper.line(&key).unwrap().glyphs.as_ptr();
        shaper.begin_frame();
        assert_eq!(shaper.line(&key).unwrap().glyphs.as_ptr(), first);
    }
}

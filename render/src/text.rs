//! Names and initials: shaped, cut to a width, rasterised into one atlas. Nothing is shaped twice.

mod atlas;
mod badge;

pub(crate) use atlas::{Atlas, Slot};

use crate::Font;
use cosmic_text::{
    Attrs, AttrsList, CacheKey, Family, FontSystem, LayoutLine, ShapeLine, Shaping, SwashCache, SwashContent, Weight,
    Wrap,
};
use std::collections::HashMap;
use std::sync::Arc;

/// Shapes and rasterises; keeps what it made.
pub(crate) struct Text {
    fonts: FontSystem,
    raster: SwashCache,
    family: Arc<str>,
    lines: HashMap<Key, Line>,
    slots: HashMap<CacheKey, Option<Placed>>,
    badges: HashMap<u32, Option<Slot>>,
    atlas: Atlas,
    turn: u64,
}

/// A line of text, ready to be placed. Pixels; the origin is the left end of the baseline.
pub(crate) struct Line {
    pub width: f32,
    pub ascent: f32,
    pub descent: f32,
    /// What the glyphs cover above (negative) and below the baseline.
    pub ink: (i32, i32),
    pub glyphs: Vec<Glyph>,
    used: u64,
}

/// One glyph of a line: its top left corner from the line's origin, and its place in the atlas.
#[derive(Clone, Copy)]
pub(crate) struct Glyph {
    pub x: i32,
    pub y: i32,
    pub slot: Slot,
}

/// What to write and how.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    text: Arc<str>,
    // In 64ths of a pixel, so that keys compare.
    size: u32,
    weight: u16,
    widest: u32,
}

#[derive(Clone, Copy)]
struct Placed {
    left: i32,
    top: i32,
    slot: Slot,
}

impl Key {
    /// `text` in letters of `size` pixels, at most `widest` pixels wide.
    pub fn new(text: &Arc<str>, size: f32, weight: u16, widest: f32) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let whole = |value: f32, most: f32| value.clamp(0.0, most) as u32;
        Self {
            text: Arc::clone(text),
            size: whole(size * 64.0, LARGEST * 64.0),
            weight,
            widest: whole(widest, 16_384.0),
        }
    }

    fn pixels(&self) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "small by construction")]
        let pixels = self.size as f32 / 64.0;
        pixels
    }

    fn room(&self) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "small by construction")]
        let room = self.widest as f32;
        room
    }
}

impl Text {
    pub fn new(font: &Font) -> Self {
        Self {
            fonts: FontSystem::new_with_locale_and_db(String::from("en-US"), (*font.faces).clone()),
            raster: SwashCache::new(),
            family: Arc::clone(&font.family),
            lines: HashMap::new(),
            slots: HashMap::new(),
            badges: HashMap::new(),
            atlas: Atlas::new(),
            turn: 0,
        }
    }

    /// Starts a scene: lines that nobody has asked for in a while are forgotten.
    pub fn begin(&mut self) {
        self.turn += 1;
        if self.lines.len() > MAX_LINES {
            let turn = self.turn;
            self.lines.retain(|_, line| line.used + 1 >= turn);
        }
    }

    /// The line for `key`, shaped when it is first asked for.
    pub fn line(&mut self, key: &Key) -> Option<&Line> {
        if !self.lines.contains_key(key) {
            let line = self.shape(key);
            self.lines.insert(key.clone(), line);
        }
        let line = self.lines.get_mut(key)?;
        line.used = self.turn;
        Some(line)
    }

    /// The crossed microphone, `size` pixels wide and high.
    pub fn badge(&mut self, size: u32) -> Option<Slot> {
        let size = size.clamp(4, 256);
        let atlas = &mut self.atlas;
        *self.badges.entry(size).or_insert_with(|| {
            let mask = badge::crossed_microphone(size);
            atlas.insert(size, size, mask.into_iter().map(|cover| [cover; 4]))
        })
    }

    pub fn atlas(&mut self) -> &mut Atlas {
        &mut self.atlas
    }

    /// True once, after something found no room: what was placed is forgotten and the scene is to be laid out again.
    pub fn start_over(&mut self) -> bool {
        let full = self.atlas.grow_if_full();
        if full {
            self.lines.clear();
            self.slots.clear();
            self.badges.clear();
        }
        full
    }

    fn shape(&mut self, key: &Key) -> Line {
        // A peer chose these characters: no line or paragraph breaks, and no more of them than a tag can show.
        let shown = |c: char| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c };
        let text: String = key.text.chars().take(MAX_CHARS).map(shown).collect();
        let whole = self.lay_out(&text, key);
        let line = match whole {
            Some(line) if line.w > key.room() => self.cut(&text, &line, key),
            line => line,
        };
        self.place(line.as_ref())
    }

    /// The longest beginning of `text` that fits with an ellipsis behind it.
    fn cut(&mut self, text: &str, whole: &LayoutLine, key: &Key) -> Option<LayoutLine> {
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
        // Shaped again without what followed, a beginning may come out wider: a few more characters go.
        for _ in 0..8 {
            let beginning = text.get(..end)?.trim_end();
            let line = self.lay_out(&format!("{beginning}{ELLIPSIS}"), key)?;
            if line.w <= key.room() || beginning.is_empty() {
                return (line.w <= key.room()).then_some(line);
            }
            end = beginning.char_indices().next_back().map_or(0, |(at, _)| at);
        }
        None
    }

    fn lay_out(&mut self, text: &str, key: &Key) -> Option<LayoutLine> {
        let attributes = Attrs::new().family(Family::Name(&self.family)).weight(Weight(key.weight));
        let attributes = AttrsList::new(&attributes);
        let shaped = ShapeLine::new(&mut self.fonts, text, &attributes, Shaping::Advanced, 8);
        shaped.layout(key.pixels(), None, Wrap::None, None, None).into_iter().next()
    }

    fn place(&mut self, line: Option<&LayoutLine>) -> Line {
        let mut placed =
            Line { width: 0.0, ascent: 0.0, descent: 0.0, ink: (0, 0), glyphs: Vec::new(), used: self.turn };
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

    fn glyph(&mut self, key: CacheKey) -> Option<Placed> {
        if let Some(known) = self.slots.get(&key) {
            return *known;
        }
        let image = self.raster.get_image_uncached(&mut self.fonts, key);
        let placed = image.and_then(|image| {
            let (width, height) = (image.placement.width, image.placement.height);
            let mut slot = match image.content {
                SwashContent::Mask => self.atlas.insert(width, height, image.data.iter().map(|cover| [*cover; 4])),
                SwashContent::Color | SwashContent::SubpixelMask => {
                    self.atlas.insert(width, height, image.data.chunks_exact(4).map(premultiplied))
                }
            }?;
            slot.coloured = image.content == SwashContent::Color;
            Some(Placed { left: image.placement.left, top: image.placement.top, slot })
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

/// Characters of a name that are looked at: more than any tag shows.
const MAX_CHARS: usize = 128;

/// Pixels of the largest letters: initials in a tile that fills a large screen.
const LARGEST: f32 = 256.0;

/// Lines kept before old ones are forgotten.
const MAX_LINES: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    const FACE: &[u8] = include_bytes!("../../app/assets/fonts/ConclaveSans-Regular.ttf");

    fn line(text: &str, widest: f32) -> (f32, usize) {
        let mut shaper = Text::new(&Font::new(&[FACE]).unwrap());
        let line = shaper.line(&Key::new(&Arc::from(text), 16.0, 400, widest)).unwrap();
        (line.width, line.glyphs.len())
    }

    #[test]
    fn a_long_name_is_cut_with_an_ellipsis() {
        let (whole, _) = line("Marguerite de Navarre", 1_000.0);
        let (cut, glyphs) = line("Marguerite de Navarre", 90.0);
        assert!(whole > 90.0 && cut <= 90.0 && cut > 60.0 && glyphs > 3, "{whole} {cut} {glyphs}");
    }

    #[test]
    fn no_room_at_all_writes_nothing() {
        assert_eq!(line("Anne", 2.0), (0.0, 0));
        assert_eq!(line("", 90.0).1, 0);
    }

    #[test]
    fn what_a_peer_writes_never_panics() {
        let nasty =
            ["a\u{2029}\u{5d0}\nb", "\u{202e}abc\u{202c}", "\u{0}\u{1f}\u{85}", "\u{fffd}", "e\u{301}\u{301}\u{301}"];
        for text in nasty {
            line(text, 40.0);
        }
        line(&"\u{5d0}\u{5d1} ab ".repeat(400), 60.0);
        line(&"\u{301}".repeat(400), 60.0);
    }

    #[test]
    fn a_name_is_shaped_once() {
        let mut shaper = Text::new(&Font::new(&[FACE]).unwrap());
        let key = Key::new(&Arc::from("Anne"), 16.0, 400, 100.0);
        let first = shaper.line(&key).unwrap().glyphs.as_ptr();
        shaper.begin();
        assert_eq!(shaper.line(&key).unwrap().glyphs.as_ptr(), first);
    }
}

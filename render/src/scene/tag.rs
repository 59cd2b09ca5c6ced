//! The labels on a tile: the name tag at the bottom left, and the caption in the centre.

use super::{Painter, add_line, glyph, shape};
use crate::text::{Badge, LineKey};
use crate::tile::{Area, Mark, Tag};
use std::sync::Arc;

/// The lengths of a tag in physical pixels.
struct Measure {
    size: f32,
    height: f32,
    padding: f32,
    margin: f32,
    gap: f32,
    badge: f32,
}

impl Painter<'_> {
    /// The height at the bottom of a small tile that is reserved for the tag. Zero for a larger tile, where the
    /// placeholder may overlap the band.
    pub(super) fn tag_band(&self, area: Area) -> f32 {
        let measure = self.measure(area);
        if self.is_small(area) { measure.height + 2.0 * measure.margin } else { 0.0 }
    }

    /// A rounded label with the name, before it the badge of the person, and behind it the badge of a muted microphone. A tile that is too narrow for text shows only the badges; a smaller one shows nothing. Returns the area
    /// of the label, or `None` if there is none.
    pub(super) fn tag(&mut self, area: Area, tag: &Tag) -> Option<Area> {
        let (style, scale) = (self.style, self.scale);
        let Measure { size, height, padding, margin, gap, badge } = self.measure(area);
        let room = area.width - 2.0 * (margin + padding);
        let room_of = |shown: bool| if shown { badge + gap } else { 0.0 };
        let badge_room = room_of(tag.muted) + room_of(tag.mark.is_some());
        if area.height < height + 2.0 * margin || room < badge.max(badge_room - gap) {
            return None;
        }
        // Limit the width in a wide tile, so that the tag does not cover faces.
        let max_width = (room - badge_room).min((room * MAX_WIDTH_SHARE).max(MIN_LIMITED_WIDTH * scale));
        let key = LineKey::new(&tag.text, size, style.tag_weight, if max_width < 2.0 * size { 0.0 } else { max_width });
        let line = self.text.line(&key)?;
        let text_width = line.width.ceil();
        let parts = badge_room + if text_width > 0.0 { text_width + gap } else { 0.0 };
        if parts == 0.0 {
            return None;
        }
        let inner = parts - gap;
        let label = Area::new(area.x + margin, area.y + area.height - margin - height, inner + 2.0 * padding, height);
        self.quads.push(shape(label, style.tag_background, (6.0 * scale).round().min(height / 3.0)));
        let baseline = (label.y + (height - line.ascent - line.descent) / 2.0 + line.ascent).round();
        add_line(self.quads, line, label.x + padding + room_of(tag.mark.is_some()), baseline, style.tag_text);
        let (left, y) = (label.x + padding, label.y + ((height - badge) / 2.0).floor());
        let marked = tag.mark.map(|mark| match mark {
            Mark::Warning => (Badge::Warning, left, style.tag_marked),
            Mark::Verified => (Badge::Verified, left, style.tag_verified),
            Mark::Known => (Badge::Known, left, style.tag_text),
            Mark::New => (Badge::New, left, style.tag_text),
        });
        let muted = tag.muted.then_some((Badge::Muted, left + inner - badge, style.tag_muted));
        for (kind, x, colour) in marked.into_iter().chain(muted) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few pixels")]
            let slot = self.text.badge(kind, badge as u32);
            self.quads.extend(slot.map(|slot| glyph(x, y, slot, colour)));
        }
        Some(label)
    }

    /// A rounded label with a text at the bottom right, or at the top left if there is not enough space beside the name tag.
    /// A tile that is too small shows none.
    pub(super) fn note(&mut self, area: Area, text: &Arc<str>, tag: Option<Area>) {
        let (style, scale) = (self.style, self.scale);
        let Measure { size, height, padding, margin, gap, .. } = self.measure(area);
        let room = area.width - 2.0 * (margin + padding);
        if area.height < MIN_NOTE_ROWS * height + 2.0 * margin || room < MIN_NOTE_LETTERS * size {
            return;
        }
        let key = LineKey::new(text, size, style.tag_weight, room);
        let Some(line) = self.text.line(&key) else { return };
        let width = line.width.ceil() + 2.0 * padding;
        let bottom = area.y + area.height - margin - height;
        let right = area.x + area.width - margin - width;
        let beside = tag.is_none_or(|tag| tag.x + tag.width + gap <= right);
        let (x, y) = if beside { (right, bottom) } else { (area.x + margin, area.y + margin) };
        let label = Area::new(x, y, width, height);
        self.quads.push(shape(label, style.tag_background, (6.0 * scale).round().min(height / 3.0)));
        let baseline = (label.y + (height - line.ascent - line.descent) / 2.0 + line.ascent).round();
        add_line(self.quads, line, label.x + padding, baseline, style.tag_text);
    }

    /// A rounded label with a text in the centre of a tile. A tile that is too small shows none.
    pub(super) fn caption(&mut self, area: Area, text: &Arc<str>) {
        let (style, scale) = (self.style, self.scale);
        let Measure { size, height, padding, margin, .. } = self.measure(area);
        let room = area.width - 2.0 * (margin + padding);
        // Above the tag.
        if area.height < 3.0 * height + 2.0 * margin || room < 2.0 * size {
            return;
        }
        let key = LineKey::new(text, size, style.tag_weight, room);
        let Some(line) = self.text.line(&key) else { return };
        let width = line.width.ceil() + 2.0 * padding;
        let (x, y) = (area.x + ((area.width - width) / 2.0).floor(), area.y + ((area.height - height) / 2.0).floor());
        let label = Area::new(x, y, width, height);
        self.quads.push(shape(label, style.tag_background, (6.0 * scale).round().min(height / 3.0)));
        let baseline = (label.y + (height - line.ascent - line.descent) / 2.0 + line.ascent).round();
        add_line(self.quads, line, label.x + padding, baseline, style.tag_text);
    }

    fn measure(&self, area: Area) -> Measure {
        let small = self.is_small(area);
        let logical = |normal: f32, reduced: f32| (if small { reduced } else { normal } * self.scale).round();
        let font_size = self.style.tag_size * if small { SMALL_FONT_SCALE } else { 1.0 };
        Measure {
            size: font_size * self.scale,
            height: logical(font_size * 1.8, font_size * 1.5),
            padding: logical(8.0, 5.0),
            margin: logical(if area.height < LARGE_TILE * self.scale { 4.0 } else { 8.0 }, 3.0),
            gap: logical(5.0, 3.0),
            badge: logical(font_size * 1.2, font_size * 1.1),
        }
    }

    fn is_small(&self, area: Area) -> bool {
        area.height < SMALL_TILE * self.scale
    }
}

/// Tile heights in logical pixels: below the first the tag is smaller, from the second on its margin is larger.
const SMALL_TILE: f32 = 96.0;
const LARGE_TILE: f32 = 140.0;

/// The minimum size of a tile with a note: its height in heights of a label, and the width of its text in font sizes.
const MIN_NOTE_ROWS: f32 = 4.0;
const MIN_NOTE_LETTERS: f32 = 6.0;

/// The font size in a small tile relative to the normal one.
const SMALL_FONT_SCALE: f32 = 0.85;

/// The maximum width of a name relative to the tile, and the width in logical pixels below which this limit does not
/// apply.
const MAX_WIDTH_SHARE: f32 = 0.6;
const MIN_LIMITED_WIDTH: f32 = 240.0;

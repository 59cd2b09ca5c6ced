//! The name at the bottom left of a tile.

use super::{Painter, placed, shape, write};
use crate::text::Key;
use crate::tile::{Area, Tag};

/// Lengths of a label in physical pixels.
struct Measure {
    size: f32,
    height: f32,
    padding: f32,
    margin: f32,
    gap: f32,
    badge: f32,
}

impl Painter<'_> {
    /// The rows at the bottom of a small tile that are its name's alone; none where there is room for both.
    pub(super) fn tag_band(&self, area: Area) -> f32 {
        let measure = self.measure(area);
        if self.is_small(area) { measure.height + 2.0 * measure.margin } else { 0.0 }
    }

    /// A rounded label with the name and, where muted, the crossed microphone behind it. A tile too narrow for letters
    /// keeps the microphone; one too small for that keeps nothing.
    pub(super) fn tag(&mut self, area: Area, tag: &Tag) {
        let (look, scale) = (self.look, self.scale);
        let Measure { size, height, padding, margin, gap, badge } = self.measure(area);
        let room = area.width - 2.0 * (margin + padding);
        let badge_room = if tag.muted { badge + gap } else { 0.0 };
        if area.height < height + 2.0 * margin || room < badge {
            return;
        }
        // A name is not a banner: in a wide tile it leaves the faces their room.
        let widest = (room - badge_room).min((room * WIDEST_SHARE).max(WIDE_ENOUGH * scale));
        let key = Key::new(&tag.text, size, look.tag_weight, if widest < 2.0 * size { 0.0 } else { widest });
        let Some(line) = self.text.line(&key) else { return };
        let written = line.width.ceil();
        let inner = match (written > 0.0, tag.muted) {
            (true, true) => written + gap + badge,
            (true, false) => written,
            (false, true) => badge,
            (false, false) => return,
        };
        let paper = Area::new(area.x + margin, area.y + area.height - margin - height, inner + 2.0 * padding, height);
        self.quads.push(shape(paper, look.tag_paper, (6.0 * scale).round().min(height / 3.0)));
        let baseline = (paper.y + (height - line.ascent - line.descent) / 2.0 + line.ascent).round();
        write(self.quads, line, paper.x + padding, baseline, look.tag_ink);
        if tag.muted {
            let (x, y) = (paper.x + padding + inner - badge, paper.y + ((height - badge) / 2.0).floor());
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few pixels")]
            let slot = self.text.badge(badge as u32);
            self.quads.extend(slot.map(|slot| placed(x, y, slot, look.tag_muted)));
        }
    }

    fn measure(&self, area: Area) -> Measure {
        let small = self.is_small(area);
        let logical = |usual: f32, small_too: f32| (if small { small_too } else { usual } * self.scale).round();
        let letters = self.look.tag_size * if small { SMALL_LETTERS } else { 1.0 };
        Measure {
            size: letters * self.scale,
            height: logical(letters * 1.8, letters * 1.5),
            padding: logical(8.0, 5.0),
            margin: logical(if area.height < ROOMY * self.scale { 4.0 } else { 8.0 }, 3.0),
            gap: logical(5.0, 3.0),
            badge: logical(letters * 1.2, letters * 1.1),
        }
    }

    fn is_small(&self, area: Area) -> bool {
        area.height < SMALL * self.scale
    }
}

/// Heights of a tile in logical pixels: below the first a name is written smaller, from the second on it keeps more
/// distance to the edge.
const SMALL: f32 = 96.0;
const ROOMY: f32 = 140.0;

/// A small tile's letters, as a part of the usual ones.
const SMALL_LETTERS: f32 = 0.85;

/// The part of a wide tile that a name may take, and the width in logical pixels up to which it may take all.
const WIDEST_SHARE: f32 = 0.6;
const WIDE_ENOUGH: f32 = 240.0;

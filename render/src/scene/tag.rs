//! The name at the bottom left of a tile.

use super::{Painter, placed, shape, write};
use crate::text::Key;
use crate::tile::{Area, Tag};

impl Painter<'_> {
    /// A rounded label with the name and, where muted, the crossed microphone behind it. A tile too narrow for letters
    /// keeps the microphone; one too small for that keeps nothing.
    pub(super) fn tag(&mut self, area: Area, tag: &Tag) {
        let Self { look, scale, .. } = *self;
        let logical = |length: f32| (length * scale).round();
        let (padding, gap, badge) = (logical(8.0), logical(5.0), logical(look.tag_size * 1.2));
        let height = logical(look.tag_size * 1.8);
        let margin = if area.height >= 6.0 * height { logical(8.0) } else { logical(4.0) };
        let room = area.width - 2.0 * (margin + padding);
        let badge_room = if tag.muted { badge + gap } else { 0.0 };
        if area.height < height + 2.0 * margin || room < badge {
            return;
        }
        let size = look.tag_size * scale;
        // A name is not a banner: in a wide tile it leaves the faces their room.
        let widest = (room - badge_room).min((room * WIDEST_SHARE).max(logical(WIDE_ENOUGH)));
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
        self.quads.push(shape(paper, look.tag_paper, logical(6.0)));
        let baseline = (paper.y + (height - line.ascent - line.descent) / 2.0 + line.ascent).round();
        write(self.quads, line, paper.x + padding, baseline, look.tag_ink);
        if tag.muted {
            let (x, y) = (paper.x + padding + inner - badge, paper.y + ((height - badge) / 2.0).floor());
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few pixels")]
            let slot = self.text.badge(badge as u32);
            self.quads.extend(slot.map(|slot| placed(x, y, slot, look.tag_muted)));
        }
    }
}

/// The part of a wide tile that a name may take, and the width in logical pixels up to which it may take all.
const WIDEST_SHARE: f32 = 0.6;
const WIDE_ENOUGH: f32 = 240.0;

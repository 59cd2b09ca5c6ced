//! The glyph atlas: premultiplied RGBA, packed in rows.

use std::ops::Range;

/// The area of a glyph in the atlas, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub x: u16,
    pub y: u16,
    pub width: u16,
    pub height: u16,
    /// The glyph has its own colours and is not tinted.
    pub coloured: bool,
}

/// A square image. It grows by doubling its side, which empties it.
pub(crate) struct Atlas {
    side: u16,
    pixels: Vec<u8>,
    rows: Vec<Row>,
    dirty: Range<u16>,
    full: bool,
}

struct Row {
    top: u16,
    height: u16,
    used: u16,
}

impl Atlas {
    pub fn new() -> Self {
        let side = MIN_SIDE;
        Self { side, pixels: blank(side), rows: Vec::new(), dirty: 0..side, full: false }
    }

    /// The side length in pixels.
    pub fn side(&self) -> u16 {
        self.side
    }

    /// All pixels in rows.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Returns the rows that changed since the last call.
    pub fn take_dirty(&mut self) -> Range<u16> {
        std::mem::replace(&mut self.dirty, 0..0)
    }

    /// Copies an image into the atlas. Returns `None` if it is empty or does not fit.
    pub fn insert(&mut self, width: u32, height: u32, pixels: impl Iterator<Item = [u8; 4]>) -> Option<Slot> {
        let (width, height) = (u16::try_from(width).ok()?, u16::try_from(height).ok()?);
        if width == 0 || height == 0 {
            return None;
        }
        let Some((x, y)) = self.allocate(width, height) else {
            self.full = true;
            return None;
        };
        let (side, mut pixels) = (usize::from(self.side), pixels);
        for row in usize::from(y)..usize::from(y + height) {
            let start = (row * side + usize::from(x)) * 4;
            let to = &mut self.pixels[start..start + usize::from(width) * 4];
            to.chunks_exact_mut(4).zip(&mut pixels).for_each(|(to, pixel)| to.copy_from_slice(&pixel));
        }
        self.dirty =
            if self.dirty.is_empty() { y..y + height } else { self.dirty.start.min(y)..self.dirty.end.max(y + height) };
        Some(Slot { x, y, width, height, coloured: false })
    }

    /// If an image did not fit: empties the atlas, doubles its side up to a limit, and returns true.
    pub fn grow_if_full(&mut self) -> bool {
        if !std::mem::take(&mut self.full) {
            return false;
        }
        self.side = (self.side * 2).min(MAX_SIDE);
        self.pixels = blank(self.side);
        self.rows.clear();
        self.dirty = 0..self.side;
        true
    }

    /// Allocates space in the first row that is high enough and not much higher, or in a new row.
    fn allocate(&mut self, width: u16, height: u16) -> Option<(u16, u16)> {
        let side = self.side;
        let fits =
            |row: &&mut Row| row.height >= height && row.height <= height + height / 2 + 2 && side - row.used >= width;
        if let Some(row) = self.rows.iter_mut().find(fits) {
            let x = row.used;
            row.used += width;
            return Some((x, row.top));
        }
        let top = self.rows.last().map_or(0, |row| row.top + row.height);
        if width > side || height > side - top {
            return None;
        }
        self.rows.push(Row { top, height, used: width });
        Some((0, top))
    }
}

fn blank(side: u16) -> Vec<u8> {
    vec![0; usize::from(side) * usize::from(side) * 4]
}

/// Holds about 400 glyphs of a name tag.
const MIN_SIDE: u16 = 512;

/// The texture size that every adapter supports.
const MAX_SIDE: u16 = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_do_not_overlap_and_the_atlas_grows_once_full() {
        let mut atlas = Atlas::new();
        let mut slots = Vec::new();
        while let Some(slot) = atlas.insert(60, 40, std::iter::repeat([9; 4])) {
            slots.push(slot);
        }
        assert_eq!(slots.len(), 8 * 12);
        for (index, a) in slots.iter().enumerate() {
            for b in &slots[index + 1..] {
                assert!(a.x + 60 <= b.x || b.x + 60 <= a.x || a.y + 40 <= b.y || b.y + 40 <= a.y);
            }
        }
        assert!(atlas.grow_if_full());
        assert!(!atlas.grow_if_full());
        assert_eq!((atlas.side(), atlas.take_dirty()), (1024, 0..1024));
        atlas.insert(60, 40, std::iter::repeat([9; 4])).unwrap();
        assert_eq!(atlas.take_dirty(), 0..40);
    }
}

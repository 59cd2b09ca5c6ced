//! The same scene without a GPU: virtual desktops and machines whose drivers fail.
//!
//! Draws only tiles that changed, at the size they are shown, and says which parts of the picture are new. One thread;
//! after the first pictures nothing is allocated.

mod copy;
mod paint;
mod picture;
mod pictures;

use crate::quad::{GLYPH, PICTURE, Quad};
use crate::scene::{Scene, Source};
use crate::text::Text;
use crate::{Area, Look, Rgba, Shown, Tile, colour};
use colour::Conversion;
use paint::{Pixels, Rows};
use pictures::Pictures;
use std::fmt;

pub use copy::{copy_opaque, is_opaque};

/// A picture in memory that tiles are drawn on. Keeps what it drew, and the pictures it drew from.
pub struct Canvas {
    look: Look,
    text: Text,
    pictures: Pictures,
    conversions: [Conversion; 4],
    scene: Scene,
    // What the pixels show, to find what has changed.
    before: Scene,
    background: Rgba,
    sources: Vec<Option<Source>>,
    dirty: Vec<bool>,
    damage: Vec<Area>,
    shown: Vec<Shown>,
    pixels: Pixels,
    rows: Rows,
}

impl Canvas {
    /// An empty canvas.
    #[must_use]
    pub fn new(look: Look) -> Self {
        Self {
            text: Text::new(&look.font),
            look,
            pictures: Pictures::default(),
            conversions: colour::conversions(),
            scene: Scene::default(),
            before: Scene::default(),
            background: Rgba::CLEAR,
            sources: Vec::new(),
            dirty: Vec::new(),
            damage: Vec::new(),
            shown: Vec::new(),
            pixels: Pixels::default(),
            rows: Rows::default(),
        }
    }

    /// Takes other colours, lengths or letters, as when the theme changes.
    pub fn set_look(&mut self, look: Look) {
        if !std::sync::Arc::ptr_eq(&look.font.faces, &self.look.font.faces) {
            self.text = Text::new(&look.font);
        }
        self.look = look;
        // Letters may lie elsewhere in the atlas now under the same rectangles: everything is drawn again.
        self.pixels.resize(0, 0);
    }

    /// Draws what changed of `tiles` over `background` on `width` by `height` pixels, `scale` of them to a logical one.
    /// Returns the pictures drawn for the first time. More than 16384 pixels on a side are not drawn.
    pub fn draw(&mut self, tiles: &[Tile], [width, height]: [u32; 2], scale: f32, background: Rgba) -> &[Shown] {
        let scale = if scale.is_finite() { scale.clamp(0.25, 16.0) } else { 1.0 };
        self.take_pictures(tiles);
        std::mem::swap(&mut self.scene, &mut self.before);
        let grown = self.scene.lay_out(tiles, &self.sources, &self.look, scale, &mut self.text);
        let resized = self.pixels.resize(width.min(MAX_SIDE), height.min(MAX_SIDE));
        let recoloured = background != std::mem::replace(&mut self.background, background);
        self.find_damage(tiles, grown || resized || recoloured);
        self.paint(tiles);
        &self.shown
    }

    /// Width and height in pixels.
    #[must_use]
    pub fn size(&self) -> [u32; 2] {
        self.pixels.size()
    }

    /// RGBA, four bytes a pixel, row by row, alpha multiplied in.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        self.pixels.bytes()
    }

    /// The pictures that the last [`Canvas::draw`] found new.
    #[must_use]
    pub fn shown(&self) -> &[Shown] {
        &self.shown
    }

    /// The parts that the last [`Canvas::draw`] changed, on whole pixels; they may reach beyond the canvas.
    #[must_use]
    pub fn damage(&self) -> &[Area] {
        &self.damage
    }

    fn take_pictures(&mut self, tiles: &[Tile]) {
        self.sources.clear();
        self.shown.clear();
        self.dirty.clear();
        self.pictures.begin();
        for tile in tiles {
            let held = tile.feed.as_ref().and_then(|feed| self.pictures.refresh(feed));
            self.sources.push(held.map(|held| held.source));
            let new = held.filter(|held| held.new);
            self.dirty.push(new.is_some());
            self.shown.extend(new.map(|held| Shown { id: tile.id, number: held.number, captured: held.captured }));
        }
    }

    /// Marks the tiles to draw: those that changed, and all that lie over or under one of them.
    fn find_damage(&mut self, tiles: &[Tile], fresh: bool) {
        self.damage.clear();
        let moved = fresh || self.before.spans.len() != self.scene.spans.len() || self.has_moved();
        if moved {
            let [width, height] = self.pixels.size();
            #[expect(clippy::cast_precision_loss, reason = "at most 16384")]
            self.damage.push(Area::new(0.0, 0.0, width as f32, height as f32));
            self.dirty.fill(true);
            return;
        }
        for (index, dirty) in self.dirty.iter_mut().enumerate() {
            *dirty |= self.scene.tile(index) != self.before.tile(index);
        }
        let overlap = |(a, b): (usize, usize)| tiles[a].area.snapped().overlaps(tiles[b].area.snapped());
        while let Some(index) =
            (0..tiles.len()).find(|&a| !self.dirty[a] && (0..tiles.len()).any(|b| self.dirty[b] && overlap((a, b))))
        {
            self.dirty[index] = true;
        }
        let dirty = tiles.iter().zip(&self.dirty).filter(|(tile, dirty)| **dirty && !tile.area.snapped().is_empty());
        self.damage.extend(dirty.map(|(tile, _)| tile.area.snapped()));
    }

    /// True where a tile's ground lies elsewhere than before.
    fn has_moved(&self) -> bool {
        let ground = |scene: &Scene, index| scene.tile(index).first().map(|quad| quad.area);
        (0..self.scene.spans.len()).any(|index| ground(&self.scene, index) != ground(&self.before, index))
    }

    fn paint(&mut self, tiles: &[Tile]) {
        for area in &self.damage {
            self.pixels.clear(*area, self.background);
        }
        for index in 0..tiles.len() {
            if self.dirty[index] {
                for quad in self.scene.tile(index) {
                    paint_quad(
                        &mut self.pixels,
                        &mut self.rows,
                        quad,
                        &self.pictures,
                        &self.conversions,
                        &mut self.text,
                    );
                }
            }
        }
    }
}

impl fmt::Debug for Canvas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [width, height] = self.pixels.size();
        write!(f, "Canvas({width}x{height})")
    }
}

fn paint_quad(
    pixels: &mut Pixels,
    rows: &mut Rows,
    quad: &Quad,
    pictures: &Pictures,
    conversions: &[Conversion; 4],
    text: &mut Text,
) {
    match quad.kind() {
        GLYPH => pixels.glyph(quad, text.atlas()),
        PICTURE => {
            if let Some((planes, size)) = pictures.planes(quad.layer()) {
                let picture = picture::Picture::new(planes, size, quad, &conversions[(quad.conversion() & 3) as usize]);
                pixels.rounded(quad, rows, Some(&picture));
            }
        }
        // A shape.
        _ => pixels.rounded(quad, rows, None),
    }
}

/// Pixels on a side that are drawn at most.
const MAX_SIDE: u32 = 16_384;

#[cfg(test)]
mod tests;

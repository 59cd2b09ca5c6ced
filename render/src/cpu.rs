//! Drawing on the CPU, for virtual desktops and machines whose drivers fail.
//!
//! Draws only the tiles that changed, at their display size, and reports the changed areas. Uses one thread and does not
//! allocate after the first frames.

mod copy;
mod paint;
mod picture;
mod pictures;

use crate::quad::{GLYPH, PICTURE, Quad};
use crate::scene::{Scene, Source};
use crate::text::Text;
use crate::{Area, DrawnPicture, Rgba, Style, Tile, colour};
use colour::Conversion;
use paint::{Pixels, Rows};
use pictures::Pictures;
use std::fmt;

pub use copy::{copy_opaque, is_opaque};

/// An image in memory onto which tiles are drawn. It keeps the last scene and its pictures, to detect changes.
pub struct Canvas {
    style: Style,
    text: Text,
    pictures: Pictures,
    conversions: [Conversion; colour::CONVERSIONS],
    scene: Scene,
    // The last drawn scene, to detect changes.
    previous: Scene,
    background: Rgba,
    sources: Vec<Option<Source>>,
    dirty: Vec<bool>,
    damage: Vec<Area>,
    shown: Vec<DrawnPicture>,
    pixels: Pixels,
    rows: Rows,
}

impl Canvas {
    /// Creates an empty canvas.
    #[must_use]
    pub fn new(style: Style) -> Self {
        Self {
            text: Text::new(&style.font),
            style,
            pictures: Pictures::default(),
            conversions: colour::conversions(),
            scene: Scene::default(),
            previous: Scene::default(),
            background: Rgba::CLEAR,
            sources: Vec::new(),
            dirty: Vec::new(),
            damage: Vec::new(),
            shown: Vec::new(),
            pixels: Pixels::default(),
            rows: Rows::default(),
        }
    }

    /// Changes the style, for example with the theme.
    pub fn set_style(&mut self, style: Style) {
        if !std::sync::Arc::ptr_eq(&style.font.faces, &self.style.font.faces) {
            self.text = Text::new(&style.font);
        }
        self.style = style;
        // Equal rectangles may now refer to other glyphs in the atlas, so redraw everything.
        self.pixels.resize(0, 0);
    }

    /// Draws the changed tiles over `background` into `width` by `height` pixels. `scale` is the number of physical
    /// pixels per logical pixel. Returns the pictures drawn for the first time. Each side is limited to 16384 pixels.
    pub fn draw(&mut self, tiles: &[Tile], [width, height]: [u32; 2], scale: f32, background: Rgba) -> &[DrawnPicture] {
        let scale = if scale.is_finite() { scale.clamp(0.25, 16.0) } else { 1.0 };
        self.take_pictures(tiles);
        std::mem::swap(&mut self.scene, &mut self.previous);
        let grown = self.scene.lay_out(tiles, &self.sources, &self.style, scale, &mut self.text);
        let resized = self.pixels.resize(width.min(MAX_SIDE), height.min(MAX_SIDE));
        let recoloured = background != std::mem::replace(&mut self.background, background);
        let whole = self.find_damage(tiles, grown || resized || recoloured);
        self.paint(tiles, whole);
        &self.shown
    }

    /// Width and height in pixels.
    #[must_use]
    pub fn size(&self) -> [u32; 2] {
        self.pixels.size()
    }

    /// The pixels: premultiplied RGBA, four bytes each, in rows.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        self.pixels.bytes()
    }

    /// The pictures that the last [`Canvas::draw`] returned.
    #[must_use]
    pub fn shown(&self) -> &[DrawnPicture] {
        &self.shown
    }

    /// The areas that the last [`Canvas::draw`] changed, in whole pixels. They may extend beyond the canvas.
    #[must_use]
    pub fn damage(&self) -> &[Area] {
        &self.damage
    }

    fn take_pictures(&mut self, tiles: &[Tile]) {
        self.sources.clear();
        self.shown.clear();
        self.dirty.clear();
        self.pictures.begin_frame();
        for tile in tiles {
            let current = tile.feed.as_ref().and_then(|feed| self.pictures.refresh(feed));
            self.sources.push(current.map(|current| current.source));
            let new = current.filter(|current| current.new);
            self.dirty.push(new.is_some());
            self.shown.extend(new.map(|current| DrawnPicture {
                id: tile.id,
                number: current.number,
                captured: current.captured,
            }));
        }
    }

    /// Marks the tiles to draw: those that changed, and all that overlap one of them. Returns true if the whole canvas must
    /// be drawn.
    fn find_damage(&mut self, tiles: &[Tile], fresh: bool) -> bool {
        self.damage.clear();
        let moved = fresh || self.previous.spans.len() != self.scene.spans.len() || self.has_moved();
        if moved {
            let [width, height] = self.pixels.size();
            #[expect(clippy::cast_precision_loss, reason = "at most 16384")]
            self.damage.push(Area::new(0.0, 0.0, width as f32, height as f32));
            self.dirty.fill(true);
            return true;
        }
        for (index, dirty) in self.dirty.iter_mut().enumerate() {
            *dirty |= self.scene.tile(index) != self.previous.tile(index);
        }
        let overlap = |(a, b): (usize, usize)| tiles[a].area.snapped().overlaps(tiles[b].area.snapped());
        while let Some(index) =
            (0..tiles.len()).find(|&a| !self.dirty[a] && (0..tiles.len()).any(|b| self.dirty[b] && overlap((a, b))))
        {
            self.dirty[index] = true;
        }
        let dirty = tiles.iter().zip(&self.dirty).filter(|(tile, dirty)| **dirty && !tile.area.snapped().is_empty());
        self.damage.extend(dirty.map(|(tile, _)| tile.area.snapped()));
        false
    }

    /// True if the background of a tile moved.
    fn has_moved(&self) -> bool {
        let background = |scene: &Scene, index| scene.tile(index).first().map(|quad| quad.area);
        (0..self.scene.spans.len()).any(|index| background(&self.scene, index) != background(&self.previous, index))
    }

    fn paint(&mut self, tiles: &[Tile], whole: bool) {
        if whole {
            self.damage.iter().for_each(|area| self.pixels.clear(*area, self.background));
        } else {
            // The first rectangle of a tile covers all of it.
            let dirty = (0..tiles.len()).filter(|index| self.dirty[*index]);
            for background in dirty.filter_map(|index| self.scene.tile(index).first()) {
                self.pixels.clear_under(background, self.background);
            }
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
    conversions: &[Conversion; colour::CONVERSIONS],
    text: &mut Text,
) {
    match quad.kind() {
        GLYPH => pixels.glyph(quad, text.atlas()),
        PICTURE => {
            if let Some((planes, size)) = pictures.planes(quad.layer()) {
                let picture = picture::Picture::new(planes, size, quad, &conversions[(quad.conversion() & 7) as usize]);
                pixels.rounded(quad, rows, Some(&picture));
            }
        }
        // SHAPE.
        _ => pixels.rounded(quad, rows, None),
    }
}

/// The maximum side of a canvas in pixels.
const MAX_SIDE: u32 = 16_384;

#[cfg(test)]
mod tests;

//! Converts tiles into rectangles in painting order, for both the GPU and the CPU path.

mod tag;

use crate::geometry;
use crate::quad::{self, Quad};
use crate::style::Style;
use crate::text::{LineKey, Text};
use crate::tile::{Area, Placeholder, Rgba, Tile};
use crate::{colour, tile::Fit};
use media::{Colour, Size, Timestamp};
use std::ops::Range;

/// Where a picture is in GPU memory, and how it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The number of the set of textures that have room for its size.
    pub class: u32,
    /// Its layer in the textures.
    pub layer: u32,
    pub size: Size,
    pub colour: Colour,
}

/// The current picture of a feed.
#[derive(Clone, Copy)]
pub(crate) struct CurrentPicture {
    pub source: Source,
    pub number: u64,
    pub captured: Timestamp,
    /// True if it arrived in this frame.
    pub new: bool,
}

/// The rectangles of one frame, in the order in which they are painted. The lists are reused, so a frame allocates only if it
/// has more rectangles than any before.
#[derive(Default)]
pub(crate) struct Scene {
    /// All rectangles.
    pub quads: Vec<Quad>,
    /// Ranges of rectangles with the same textures. Each is one draw call.
    pub batches: Vec<Batch>,
    /// The rectangles of each tile, in the order of the tiles.
    pub spans: Vec<Range<u32>>,
    order: Vec<usize>,
}

/// A range of rectangles for one draw call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// The size class of its textures; `None` if it uses no picture.
    pub class: Option<u32>,
    pub quads: Range<u32>,
}

impl Scene {
    /// Lays out `tiles` with the pictures `sources`. `scale` is the number of physical pixels per logical pixel.
    /// Returns true if glyphs moved within the atlas.
    pub fn lay_out(
        &mut self,
        tiles: &[Tile],
        sources: &[Option<Source>],
        style: &Style,
        scale: f32,
        text: &mut Text,
    ) -> bool {
        text.begin_frame();
        self.lay_out_once(tiles, sources, style, scale, text);
        // The atlas was emptied and has grown, so lay out again. Glyphs that still do not fit are not drawn.
        let moved = text.grow_atlas_if_full();
        if moved {
            self.lay_out_once(tiles, sources, style, scale, text);
        }
        moved
    }

    /// The rectangles of one tile in painting order.
    pub fn tile(&self, index: usize) -> &[Quad] {
        let span = self.spans.get(index).map_or(0..0, |span| span.start as usize..span.end as usize);
        &self.quads[span]
    }

    fn lay_out_once(&mut self, tiles: &[Tile], sources: &[Option<Source>], style: &Style, scale: f32, text: &mut Text) {
        self.quads.clear();
        self.batches.clear();
        self.spans.clear();
        self.spans.resize(tiles.len(), 0..0);
        self.arrange(tiles, sources);
        for position in 0..self.order.len() {
            let index = self.order[position];
            let (tile, source) = (&tiles[index], sources.get(index).copied().flatten());
            let start = self.count();
            Painter { quads: &mut self.quads, style, scale, text: &mut *text }.tile(tile, source);
            let span = start..self.count();
            self.spans[index] = span.clone();
            self.add_to_batch(source.map(|source| source.class), span);
        }
    }

    /// Determines the painting order. If no tiles overlap, tiles with the same textures are painted together.
    fn arrange(&mut self, tiles: &[Tile], sources: &[Option<Source>]) {
        self.order.clear();
        self.order.extend(0..tiles.len());
        let apart = |(index, tile): (usize, &Tile)| tiles[..index].iter().all(|other| !other.area.overlaps(tile.area));
        if tiles.iter().enumerate().all(apart) {
            let class = |index: &usize| (sources.get(*index).copied().flatten().map(|source| source.class), *index);
            self.order.sort_unstable_by_key(class);
        }
    }

    fn add_to_batch(&mut self, class: Option<u32>, quads: Range<u32>) {
        if quads.is_empty() {
            return;
        }
        match self.batches.last_mut() {
            Some(batch) if batch.class == class || batch.class.is_none() || class.is_none() => {
                batch.class = batch.class.or(class);
                batch.quads.end = quads.end;
            }
            Some(_) | None => self.batches.push(Batch { class, quads }),
        }
    }

    fn count(&self) -> u32 {
        u32::try_from(self.quads.len()).unwrap_or(u32::MAX)
    }
}

/// Creates the rectangles of tiles.
pub(crate) struct Painter<'a> {
    quads: &'a mut Vec<Quad>,
    style: &'a Style,
    scale: f32,
    text: &'a mut Text,
}

impl Painter<'_> {
    fn tile(&mut self, tile: &Tile, source: Option<Source>) {
        let area = tile.area.snapped();
        if area.is_empty() {
            return;
        }
        let mut background = shape(area, self.style.backdrop, tile.corner);
        if let Some(ring) = tile.ring {
            background.ring = ring.bytes();
            background.shape[1] = (self.style.ring_width * self.scale).round().max(1.0);
        }
        self.quads.push(source.map_or(background, |source| picture(background, source, tile)));
        if let Some(placeholder) = tile.placeholder.as_ref().filter(|_| source.is_none()) {
            let band = if tile.tag.is_some() { self.tag_band(area) } else { 0.0 };
            self.placeholder(Area { height: (area.height - band).max(0.0), ..area }, placeholder);
        }
        let tag = tile.tag.as_ref().and_then(|tag| self.tag(area, tag));
        if let Some(note) = &tile.note {
            self.note(area, note, tag);
        }
        if let Some(text) = tile.frozen.as_ref().filter(|_| source.is_some()) {
            self.caption(area, text);
        }
    }

    /// A disc with initials in the centre of an area.
    fn placeholder(&mut self, area: Area, placeholder: &Placeholder) {
        let max = MAX_DISC * self.scale;
        let side = (area.width.min(area.height) * DISC_SHARE).min(max).round();
        if side < 8.0 {
            return;
        }
        let disc = Area::new(
            area.x + ((area.width - side) / 2.0).floor(),
            area.y + ((area.height - side) / 2.0).floor(),
            side,
            side,
        );
        self.quads.push(shape(disc, placeholder.colour, side / 2.0));
        let key = LineKey::new(&placeholder.initials, side * LETTER_SHARE, self.style.tag_weight, side * 0.9);
        let Some(line) = self.text.line(&key) else { return };
        // Centre the drawn extent of the glyphs, because capitals have no descenders.
        let (top, bottom) = (to_f32(line.ink.0), to_f32(line.ink.1));
        let x = (disc.x + (side - line.width) / 2.0).round();
        let y = (disc.y + (side - (bottom - top)) / 2.0 - top).round();
        add_line(self.quads, line, x, y, self.style.initials);
    }
}

/// A rounded rectangle of one colour.
fn shape(area: Area, fill: Rgba, corner: f32) -> Quad {
    let corner = if corner.is_finite() { corner.clamp(0.0, area.width.min(area.height) / 2.0) } else { 0.0 };
    Quad {
        area: [area.x, area.y, area.width, area.height],
        step: [0.0; 2],
        origin: [0.0; 4],
        shape: [corner, 0.0, 1.0, 0.0],
        fill: fill.bytes(),
        ring: [0; 4],
        source: [quad::SHAPE, 0],
    }
}

fn picture(background: Quad, source: Source, tile: &Tile) -> Quad {
    let [_, _, width, height] = background.area;
    let fit: Fit = tile.fit;
    let mapping = geometry::map(source.size, tile.mirrored, fit, width, height);
    let [x, y] = mapping.origin;
    // The texture unit interpolates between two samples. A picture that is reduced more needs several taps.
    let conversion =
        if tile.frozen.is_some() { colour::grey_index(source.colour) } else { colour::index(source.colour) };
    let taps = (mapping.shrink() / SAMPLES_PER_TAP).ceil().clamp(1.0, 4.0);
    Quad {
        step: mapping.step,
        origin: [x, y, f32::from(source.size.width), f32::from(source.size.height)],
        shape: [background.shape[0], background.shape[1], taps, 0.0],
        source: [quad::PICTURE | u32::from(conversion) << 8, source.layer],
        ..background
    }
}

/// Adds the glyphs of a line. `x`, `y` is the left end of its baseline.
fn add_line(quads: &mut Vec<Quad>, line: &crate::text::Line, x: f32, y: f32, text_colour: Rgba) {
    for glyph in &line.glyphs {
        quads.push(self::glyph(x + to_f32(glyph.x), y + to_f32(glyph.y), glyph.slot, text_colour));
    }
}

/// The rectangle that shows a glyph or badge of the atlas, with its top left corner at `x`, `y`.
fn glyph(x: f32, y: f32, slot: crate::text::Slot, text_colour: Rgba) -> Quad {
    let fill = if slot.coloured { [255; 4] } else { text_colour.bytes() };
    let area = [x, y, f32::from(slot.width), f32::from(slot.height)];
    let origin = [f32::from(slot.x), f32::from(slot.y), 0.0, 0.0];
    Quad { area, step: [0.0; 2], origin, shape: [0.0; 4], fill, ring: [0; 4], source: [quad::GLYPH, 0] }
}

fn to_f32(pixels: i32) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "glyphs are a few hundred pixels at most")]
    let pixels = pixels as f32;
    pixels
}

/// The diameter of the disc relative to the tile's shorter side, and its maximum in logical pixels.
const DISC_SHARE: f32 = 0.46;
const MAX_DISC: f32 = 160.0;

/// The font size of initials relative to the disc's diameter.
const LETTER_SHARE: f32 = 0.4;

/// Samples per filter tap. Bilinear interpolation covers two; slightly more is not visible.
const SAMPLES_PER_TAP: f32 = 2.6;

#[cfg(test)]
pub(crate) mod tests;

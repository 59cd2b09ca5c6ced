//! From tiles to rectangles in painting order: what GPU and CPU both draw. Pure but for the text it has shaped.

mod tag;

use crate::geometry;
use crate::look::Look;
use crate::quad::{self, Quad};
use crate::text::{Key, Text};
use crate::tile::{Area, Placeholder, Rgba, Tile};
use crate::{colour, tile::Fit};
use media::{Colour, Rotation, Size};
use std::ops::Range;

/// A picture that can be drawn now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The size class whose textures hold it.
    pub class: u32,
    /// Its layer there.
    pub layer: u32,
    pub size: Size,
    pub colour: Colour,
    pub rotation: Rotation,
}

/// Rectangles in painting order. Kept from frame to frame, so that a steady scene allocates nothing.
#[derive(Default)]
pub(crate) struct Scene {
    /// All rectangles.
    pub quads: Vec<Quad>,
    /// Stretches that need the same textures: each is one draw.
    pub runs: Vec<Run>,
    /// Each tile's rectangles, in the order of the tiles given.
    pub spans: Vec<Range<u32>>,
    order: Vec<usize>,
}

/// A stretch of rectangles for one draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// The textures it needs; any will do for `None`.
    pub class: Option<u32>,
    pub quads: Range<u32>,
}

impl Scene {
    /// Lays out `tiles`, whose pictures are `sources`, for a target with `scale` physical pixels to a logical one.
    /// True where letters have moved inside the atlas.
    pub fn lay_out(
        &mut self,
        tiles: &[Tile],
        sources: &[Option<Source>],
        look: &Look,
        scale: f32,
        text: &mut Text,
    ) -> bool {
        text.begin();
        self.lay_out_once(tiles, sources, look, scale, text);
        // A full atlas was emptied and has grown: everything is placed anew. What finds no room even then is not drawn.
        let moved = text.start_over();
        if moved {
            self.lay_out_once(tiles, sources, look, scale, text);
        }
        moved
    }

    /// One tile's rectangles in painting order.
    pub fn tile(&self, index: usize) -> &[Quad] {
        let span = self.spans.get(index).map_or(0..0, |span| span.start as usize..span.end as usize);
        &self.quads[span]
    }

    fn lay_out_once(&mut self, tiles: &[Tile], sources: &[Option<Source>], look: &Look, scale: f32, text: &mut Text) {
        self.quads.clear();
        self.runs.clear();
        self.spans.clear();
        self.spans.resize(tiles.len(), 0..0);
        self.arrange(tiles, sources);
        for position in 0..self.order.len() {
            let index = self.order[position];
            let (tile, source) = (&tiles[index], sources.get(index).copied().flatten());
            let start = self.count();
            Painter { quads: &mut self.quads, look, scale, text: &mut *text }.tile(tile, source);
            let span = start..self.count();
            self.spans[index] = span.clone();
            self.join(source.map(|source| source.class), span);
        }
    }

    /// Tiles that do not lie over each other may be painted in any order: those with the same textures together.
    fn arrange(&mut self, tiles: &[Tile], sources: &[Option<Source>]) {
        self.order.clear();
        self.order.extend(0..tiles.len());
        let apart = |(index, tile): (usize, &Tile)| tiles[..index].iter().all(|other| !other.area.overlaps(tile.area));
        if tiles.iter().enumerate().all(apart) {
            let class = |index: &usize| (sources.get(*index).copied().flatten().map(|source| source.class), *index);
            self.order.sort_unstable_by_key(class);
        }
    }

    fn join(&mut self, class: Option<u32>, quads: Range<u32>) {
        if quads.is_empty() {
            return;
        }
        match self.runs.last_mut() {
            Some(run) if run.class == class || run.class.is_none() || class.is_none() => {
                run.class = run.class.or(class);
                run.quads.end = quads.end;
            }
            Some(_) | None => self.runs.push(Run { class, quads }),
        }
    }

    fn count(&self) -> u32 {
        u32::try_from(self.quads.len()).unwrap_or(u32::MAX)
    }
}

/// Paints one tile after the other.
pub(crate) struct Painter<'a> {
    quads: &'a mut Vec<Quad>,
    look: &'a Look,
    scale: f32,
    text: &'a mut Text,
}

impl Painter<'_> {
    fn tile(&mut self, tile: &Tile, source: Option<Source>) {
        let area = tile.area.snapped();
        if area.is_empty() {
            return;
        }
        let mut ground = shape(area, self.look.backdrop, tile.corner);
        if let Some(ring) = tile.ring {
            ground.ring = ring.bytes();
            ground.shape[1] = (self.look.ring_width * self.scale).round().max(1.0);
        }
        self.quads.push(source.map_or(ground, |source| picture(ground, source, tile)));
        if let Some(placeholder) = tile.placeholder.as_ref().filter(|_| source.is_none()) {
            let band = if tile.tag.is_some() { self.tag_band(area) } else { 0.0 };
            self.placeholder(Area { height: (area.height - band).max(0.0), ..area }, placeholder);
        }
        if let Some(tag) = &tile.tag {
            self.tag(area, tag);
        }
    }

    /// A disc with initials in the middle of an area.
    fn placeholder(&mut self, area: Area, placeholder: &Placeholder) {
        let most = MAX_DISC * self.scale;
        let side = (area.width.min(area.height) * DISC_SHARE).min(most).round();
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
        let key = Key::new(&placeholder.initials, side * LETTER_SHARE, self.look.tag_weight, side * 0.9);
        let Some(line) = self.text.line(&key) else { return };
        // Capitals have no descenders: what the letters cover is what is centred.
        let (top, bottom) = (small(line.ink.0), small(line.ink.1));
        let x = (disc.x + (side - line.width) / 2.0).round();
        let y = (disc.y + (side - (bottom - top)) / 2.0 - top).round();
        write(self.quads, line, x, y, self.look.initials);
    }
}

/// A rounded rectangle of one colour.
fn shape(area: Area, fill: Rgba, corner: f32) -> Quad {
    let corner = if corner.is_finite() { corner.clamp(0.0, area.width.min(area.height) / 2.0) } else { 0.0 };
    Quad {
        area: [area.x, area.y, area.width, area.height],
        steps: [0.0; 4],
        origin: [0.0; 4],
        shape: [corner, 0.0, 1.0, 0.0],
        fill: fill.bytes(),
        ring: [0; 4],
        source: [quad::SHAPE, 0],
    }
}

fn picture(ground: Quad, source: Source, tile: &Tile) -> Quad {
    let [_, _, width, height] = ground.area;
    let fit: Fit = tile.fit;
    let mapping = geometry::map(source.size, source.rotation, tile.mirrored, fit, width, height);
    let ([right_x, right_y], [down_x, down_y]) = (mapping.right, mapping.down);
    let [x, y] = mapping.origin;
    // Between neighbouring samples the texture unit blends by itself; a picture shrunk more than that takes more taps.
    let taps = (mapping.shrink() / SAMPLES_A_TAP).ceil().clamp(1.0, 4.0);
    Quad {
        steps: [right_x, right_y, down_x, down_y],
        origin: [x, y, f32::from(source.size.width), f32::from(source.size.height)],
        shape: [ground.shape[0], ground.shape[1], taps, 0.0],
        source: [quad::PICTURE | u32::from(colour::index(source.colour)) << 8, source.layer],
        ..ground
    }
}

/// Puts a line's glyphs with the left end of its baseline at `x`, `y`.
fn write(quads: &mut Vec<Quad>, line: &crate::text::Line, x: f32, y: f32, ink: Rgba) {
    for glyph in &line.glyphs {
        quads.push(placed(x + small(glyph.x), y + small(glyph.y), glyph.slot, ink));
    }
}

/// A rectangle of the atlas with its top left corner at `x`, `y`.
fn placed(x: f32, y: f32, slot: crate::text::Slot, ink: Rgba) -> Quad {
    let fill = if slot.coloured { [255; 4] } else { ink.bytes() };
    let area = [x, y, f32::from(slot.width), f32::from(slot.height)];
    let origin = [f32::from(slot.x), f32::from(slot.y), 0.0, 0.0];
    Quad { area, steps: [0.0; 4], origin, shape: [0.0; 4], fill, ring: [0; 4], source: [quad::GLYPH, 0] }
}

fn small(pixels: i32) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "glyphs are a few hundred pixels at most")]
    let pixels = pixels as f32;
    pixels
}

/// The disc's part of the tile's shorter side, and its largest diameter in logical pixels.
const DISC_SHARE: f32 = 0.46;
const MAX_DISC: f32 = 160.0;

/// The em square of initials, as a part of the disc's diameter.
const LETTER_SHARE: f32 = 0.4;

/// Samples that one tap stands for: two by its own blending, a little more before it shows.
const SAMPLES_A_TAP: f32 = 2.6;

#[cfg(test)]
pub(crate) mod tests;

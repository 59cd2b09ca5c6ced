//! The pixel buffer, and the painting of rounded rectangles and glyphs with the shader's blending.

use super::picture::{Picture, Scratch};
use crate::quad::Quad;
use crate::text::Atlas;
use crate::tile::{Area, Rgba};
use std::ops::Range;

/// Premultiplied RGBA, one word per pixel, in the byte order R, G, B, A.
#[derive(Default)]
pub(super) struct Pixels {
    width: u32,
    height: u32,
    words: Vec<u32>,
}

/// The buffers for one row of a tile.
#[derive(Default)]
pub(super) struct Rows {
    words: Vec<u32>,
    scratch: Scratch,
}

/// The columns and rows of an area that are on the canvas, relative to the area's corner.
struct Clip {
    columns: Range<usize>,
    rows: Range<usize>,
    left: i64,
    top: i64,
}

impl Pixels {
    pub fn size(&self) -> [u32; 2] {
        [self.width, self.height]
    }

    pub fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.words)
    }

    /// Changes the size. Returns true if it changed: the pixels are then cleared and must be drawn again.
    pub fn resize(&mut self, width: u32, height: u32) -> bool {
        let changed = self.size() != [width, height];
        if changed {
            (self.width, self.height) = (width, height);
            self.words.clear();
            self.words.resize(width as usize * height as usize, 0);
        }
        changed
    }

    pub fn clear(&mut self, area: Area, colour: Rgba) {
        let clip = self.clip(&[area.x, area.y, area.width, area.height]);
        let word = blend(0, colour.bytes(), 1.0);
        for row in clip.rows.clone() {
            self.row(&clip, row).fill(word);
        }
    }

    /// Clears what a rounded rectangle does not cover: the rows with its corners, or all rows if it is not opaque.
    pub fn clear_under(&mut self, quad: &Quad, colour: Rgba) {
        let [left, top, width, height] = quad.area;
        let rows = if quad.fill[3] == u8::MAX { quad.shape[0].ceil().min(height) } else { height };
        self.clear(Area::new(left, top, width, rows), colour);
        self.clear(Area::new(left, top + height - rows, width, rows), colour);
    }

    /// A rounded rectangle with its ring, filled with its colour or with a picture.
    pub fn rounded(&mut self, quad: &Quad, rows: &mut Rows, picture: Option<&Picture<'_>>) {
        let clip = self.clip(&quad.area);
        let Rows { words, scratch } = rows;
        words.clear();
        words.resize(clip.columns.len(), 0);
        let inside = picture.map_or(0..0, |picture| picture.prepare(scratch, clip.columns.clone()));
        let background = u32::from_le_bytes(quad.fill);
        for row in clip.rows.clone() {
            let shown = picture.filter(|picture| picture.has_row(row) && !inside.is_empty());
            let opaque = quad.fill[3] == u8::MAX || (shown.is_some() && inside == clip.columns);
            if shown.is_none() || inside != clip.columns {
                words.fill(background);
            }
            if let Some(picture) = shown {
                let first = inside.start - clip.columns.start;
                picture.row(scratch, row, &mut words[first..first + inside.len()]);
            }
            let plain = if opaque { plain_columns(quad, row, &clip.columns) } else { 0..0 };
            let to = self.row(&clip, row);
            // Fast path for opaque pixels that neither a corner nor the ring touches.
            let covered = to[plain.clone()].iter_mut().zip(&words[plain.clone()]);
            covered.for_each(|(to, word)| *to = word.to_le());
            for index in (0..plain.start).chain(plain.end..to.len()) {
                to[index] = edge(to[index], words[index].to_le_bytes(), quad, index + clip.columns.start, row);
            }
        }
    }

    /// A tinted rectangle of the atlas.
    pub fn glyph(&mut self, quad: &Quad, atlas: &Atlas) {
        let clip = self.clip(&quad.area);
        let (side, from_x, from_y) = (usize::from(atlas.side()), whole(quad.origin[0]), whole(quad.origin[1]));
        for row in clip.rows.clone() {
            let start = ((from_y + row) * side + from_x + clip.columns.start) * 4;
            let Some(texels) = atlas.pixels().get(start..start + clip.columns.len() * 4) else { return };
            for (to, texel) in self.row(&clip, row).iter_mut().zip(texels.chunks_exact(4)) {
                if texel[3] > 0 {
                    *to = blend(*to, tinted(texel, quad.fill), 1.0);
                }
            }
        }
    }

    fn clip(&self, area: &[f32; 4]) -> Clip {
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and areas are on whole pixels")]
        let [left, top, width, height] = area.map(|edge| edge as i64);
        let within = |start: i64, length: i64, limit: u32| {
            let from = (-start).max(0);
            let to = length.min(i64::from(limit) - start).max(from);
            usize::try_from(from).unwrap_or(0)..usize::try_from(to).unwrap_or(0)
        };
        Clip { columns: within(left, width, self.width), rows: within(top, height, self.height), left, top }
    }

    /// The pixels of one row of a clipped area.
    fn row(&mut self, clip: &Clip, row: usize) -> &mut [u32] {
        let at = |edge: i64, offset: usize| usize::try_from(edge.saturating_add_unsigned(offset as u64)).unwrap_or(0);
        let start = at(clip.top, row) * self.width as usize + at(clip.left, clip.columns.start);
        &mut self.words[start..start + clip.columns.len()]
    }
}

/// The columns of a row that neither a corner nor the ring touches, relative to the first of `columns`.
fn plain_columns(quad: &Quad, row: usize, columns: &Range<usize>) -> Range<usize> {
    let ([_, _, width, height], [corner, ring, ..]) = (quad.area, quad.shape);
    #[expect(clippy::cast_precision_loss, reason = "a row of a picture")]
    let from_edge = (row as f32).min(height - 1.0 - row as f32);
    let band = if ring > 0.0 { ring + 1.0 } else { 0.0 };
    if from_edge < band {
        return 0..0;
    }
    let margin = if from_edge < corner { corner.max(band) } else { band }.ceil();
    let start = whole(margin).clamp(columns.start, columns.end);
    let end = whole((width - margin).max(0.0)).clamp(start, columns.end);
    start - columns.start..end - columns.start
}

/// Blends a pixel near the edge, with a coverage computed from its distance to the edge.
fn edge(under: u32, colour: [u8; 4], quad: &Quad, column: usize, row: usize) -> u32 {
    let [_, _, width, height] = quad.area;
    let [corner, ring, ..] = quad.shape;
    #[expect(clippy::cast_precision_loss, reason = "positions in a picture")]
    let (x, y) = ((column as f32 + 0.5 - width / 2.0).abs(), (row as f32 + 0.5 - height / 2.0).abs());
    let (beyond_x, beyond_y) = (x - width / 2.0 + corner, y - height / 2.0 + corner);
    let distance =
        (beyond_x.max(0.0).powi(2) + beyond_y.max(0.0).powi(2)).sqrt() + beyond_x.max(beyond_y).min(0.0) - corner;
    let mut colour = colour;
    if ring > 0.0 {
        let cover = (0.5 + distance + ring).clamp(0.0, 1.0) * f32::from(quad.ring[3]) / 255.0;
        let mix = |index: usize| {
            let (from, to) = (f32::from(colour[index]), f32::from(quad.ring[index]));
            code(from + (to - from) * cover)
        };
        colour = [mix(0), mix(1), mix(2), colour[3].max(code(cover * 255.0))];
    }
    blend(under, colour, (0.5 - distance).clamp(0.0, 1.0))
}

/// The texel's colour multiplied by the tint, with straight alpha.
fn tinted(texel: &[u8], tint: [u8; 4]) -> [u8; 4] {
    let alpha = f32::from(texel[3]);
    let channel = |index: usize| code(f32::from(texel[index]) * f32::from(tint[index]) / alpha);
    [channel(0), channel(1), channel(2), code(alpha * f32::from(tint[3]) / 255.0)]
}

/// Blends a colour over a premultiplied pixel.
fn blend(under: u32, colour: [u8; 4], cover: f32) -> u32 {
    let alpha = f32::from(colour[3]) / 255.0 * cover;
    let under = under.to_le().to_le_bytes();
    let over = |index: usize, own: f32| code(own * alpha + f32::from(under[index]) * (1.0 - alpha));
    let rgb = |index: usize| over(index, f32::from(colour[index]));
    u32::from_le_bytes([rgb(0), rgb(1), rgb(2), over(3, 255.0)]).to_le()
}

fn code(value: f32) -> u8 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let code = (value + 0.5) as u8;
    code
}

fn whole(value: f32) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let whole = value as usize;
    whole
}

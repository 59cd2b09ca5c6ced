//! A picture at the size it is shown: rows are blended first, then columns, then colours, each over a whole row so that
//! the compiler can use vectors. The filter is the shader's.

use crate::colour::Conversion;
use crate::quad::Quad;
use media::{PlaneRef, Size};
use std::ops::Range;

/// A picture as a rectangle of a scene shows it.
pub(super) struct Picture<'a> {
    luma: PlaneRef<'a>,
    chroma: PlaneRef<'a>,
    across: Axis,
    along: Axis,
    // A quarter turn: the shown rows are columns of the stored picture.
    turned: bool,
    taps: u16,
    conversion: &'a Conversion,
}

/// Where pixels of one direction of the tile lie along one direction of the stored picture.
#[derive(Clone, Copy)]
struct Axis {
    origin: f32,
    step: f32,
    length: u16,
}

/// Two neighbouring samples and the second one's share in 256ths.
#[derive(Clone, Copy)]
struct Tap {
    at: u16,
    next: u16,
    share: u16,
}

/// What one row needs; kept from row to row and from picture to picture.
#[derive(Default)]
pub(super) struct Scratch {
    luma_columns: Vec<Tap>,
    chroma_columns: Vec<Tap>,
    luma_row: Vec<u16>,
    chroma_row: Vec<u16>,
    y: Vec<f32>,
    u: Vec<f32>,
    v: Vec<f32>,
}

impl<'a> Picture<'a> {
    pub fn new([luma, chroma]: [PlaneRef<'a>; 2], size: Size, quad: &Quad, conversion: &'a Conversion) -> Self {
        let [right_x, right_y, down_x, down_y] = quad.steps;
        let turned = right_x == 0.0;
        let x = |step| Axis { origin: quad.origin[0], step, length: size.width };
        let y = |step| Axis { origin: quad.origin[1], step, length: size.height };
        let (across, along) = if turned { (y(right_y), x(down_x)) } else { (x(right_x), y(down_y)) };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1..=4")]
        let taps = quad.shape[2].clamp(1.0, 4.0) as u16;
        Self { luma, chroma, across, along, turned, taps, conversion }
    }

    /// Finds out where columns read; returns those of `columns` that the picture covers.
    pub fn prepare(&self, scratch: &mut Scratch, columns: Range<usize>) -> Range<usize> {
        let covered = |column: &usize| self.across.covers(*column);
        let start = columns.clone().find(covered).unwrap_or(columns.end);
        let end = (start..columns.end).find(|column| !covered(column)).unwrap_or(columns.end);
        scratch.luma_columns.clear();
        scratch.chroma_columns.clear();
        for column in start..end {
            scratch.luma_columns.extend(self.across.taps(column, self.taps, false));
            scratch.chroma_columns.extend(self.across.taps(column, self.taps, true));
        }
        scratch.luma_row.resize(usize::from(self.luma.size.width), 0);
        scratch.chroma_row.resize(usize::from(self.chroma.size.width), 0);
        for row in [&mut scratch.y, &mut scratch.u, &mut scratch.v] {
            row.resize(end - start, 0.0);
        }
        start..end
    }

    /// True where the picture covers a row of the tile, false where it is a bar.
    pub fn has_row(&self, row: usize) -> bool {
        self.along.covers(row)
    }

    /// Writes the opaque colours of one row.
    pub fn row(&self, scratch: &mut Scratch, row: usize, to: &mut [u32]) {
        if self.turned {
            self.turned_row(scratch, row);
        } else {
            self.straight_row(scratch, row);
        }
        convert(scratch, self.conversion, to);
    }

    fn straight_row(&self, scratch: &mut Scratch, row: usize) {
        let Scratch { luma_columns, chroma_columns, luma_row, chroma_row, y, u, v } = scratch;
        blend_rows(self.luma, self.along.taps(row, self.taps, false), self.taps, luma_row);
        blend_rows(self.chroma, self.along.taps(row, self.taps, true), self.taps, chroma_row);
        let (taps, scale) = (usize::from(self.taps), unit(self.taps));
        for (y, columns) in y.iter_mut().zip(luma_columns.chunks_exact(taps)) {
            let sum: u32 = columns.iter().map(|tap| tap.of(luma_row, 1, 0)).sum();
            *y = fraction(sum) * scale;
        }
        for ((u, v), columns) in u.iter_mut().zip(v).zip(chroma_columns.chunks_exact(taps)) {
            let (mut blue, mut red) = (0, 0);
            for tap in columns {
                blue += tap.of(chroma_row, 2, 0);
                red += tap.of(chroma_row, 2, 1);
            }
            (*u, *v) = (fraction(blue) * scale, fraction(red) * scale);
        }
    }

    /// As a straight row, one pixel after the other: telephones held upright are few.
    fn turned_row(&self, scratch: &mut Scratch, row: usize) {
        let Scratch { luma_columns, chroma_columns, y, u, v, .. } = scratch;
        let (taps, scale) = (usize::from(self.taps), unit(self.taps) / f32::from(self.taps));
        for (y, columns) in y.iter_mut().zip(luma_columns.chunks_exact(taps)) {
            *y = fraction(self.cross(self.luma, row, columns, false, 1, 0)) * scale;
        }
        for ((u, v), columns) in u.iter_mut().zip(v).zip(chroma_columns.chunks_exact(taps)) {
            *u = fraction(self.cross(self.chroma, row, columns, true, 2, 0)) * scale;
            *v = fraction(self.cross(self.chroma, row, columns, true, 2, 1)) * scale;
        }
    }

    /// The sum over all taps of a pixel of a turned picture, whose column taps count stored rows.
    fn cross(&self, plane: PlaneRef<'_>, row: usize, columns: &[Tap], half: bool, step: usize, first: usize) -> u32 {
        let sample = |x: u16, y: u16| {
            let at = usize::from(y) * plane.stride + usize::from(x) * step + first;
            u32::from(plane.data.get(at).copied().unwrap_or(0))
        };
        let mut sum = 0;
        for across in self.along.taps(row, self.taps, half) {
            for down in columns {
                let line = |y| across.mix(sample(across.at, y), sample(across.next, y));
                sum += down.mix(line(down.at), line(down.next));
            }
        }
        sum
    }
}

impl Axis {
    /// The place of a pixel's middle, in samples of luma.
    fn middle(self, pixel: usize) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "at most 16384 pixels")]
        let pixel = pixel as f32;
        self.origin + self.step * (pixel + 0.5)
    }

    fn covers(self, pixel: usize) -> bool {
        (0.0..=f32::from(self.length)).contains(&self.middle(pixel))
    }

    /// Where a pixel's taps read, in samples of luma or, at `half`, of chroma.
    fn taps(self, pixel: usize, count: u16, half: bool) -> impl Iterator<Item = Tap> {
        let middle = self.middle(pixel);
        let (scale, length) = if half { (0.5, self.length.div_ceil(2)) } else { (1.0, self.length) };
        (0..count).map(move |tap| {
            let part = (f32::from(tap) + 0.5) / f32::from(count) - 0.5;
            let at = (middle + self.step * part) * scale;
            let at = at.clamp(0.5, f32::from(length) - 0.5) - 0.5;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the picture")]
            let (first, share) = (at as u16, (at.fract() * 256.0).round() as u16);
            Tap { at: first, next: (first + 1).min(length - 1), share }
        })
    }
}

impl Tap {
    /// Blends two neighbours of a row that holds `step` channels in turn.
    fn of(self, row: &[u16], step: usize, channel: usize) -> u32 {
        let sample = |at: u16| row.get(usize::from(at) * step + channel).map_or(0, |sample| u32::from(*sample));
        self.mix(sample(self.at), sample(self.next))
    }

    fn mix(self, at: u32, next: u32) -> u32 {
        at * u32::from(256 - self.share) + next * u32::from(self.share)
    }
}

/// The mean of the rows that the taps read, in 256ths of a code value.
fn blend_rows(plane: PlaneRef<'_>, taps: impl Iterator<Item = Tap>, count: u16, to: &mut [u16]) {
    let line = |row: u16| {
        let start = usize::from(row) * plane.stride;
        plane.data.get(start..start + usize::from(plane.size.width)).unwrap_or_default()
    };
    to.fill(0);
    for tap in taps {
        let (first, second, share) = (line(tap.at), line(tap.next), tap.share);
        let pairs = to.iter_mut().zip(first).zip(second);
        if count == 1 {
            pairs.for_each(|((to, first), second)| *to = mix_codes(*first, *second, share));
        } else {
            pairs.for_each(|((to, first), second)| *to += mix_codes(*first, *second, share) / count);
        }
    }
}

fn mix_codes(first: u8, second: u8, share: u16) -> u16 {
    u16::from(first) * (256 - share) + u16::from(second) * share
}

/// What a blended sum is multiplied with to lie in 0..=1.
fn unit(taps: u16) -> f32 {
    1.0 / (255.0 * 256.0 * 256.0 * f32::from(taps))
}

fn fraction(sum: u32) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "24 bits are more than 8-bit colour shows")]
    let sum = sum as f32;
    sum
}

fn convert(scratch: &Scratch, rows: &Conversion, to: &mut [u32]) {
    let [red, green, blue] = rows.map(|row| row.map(|factor| factor * 255.0));
    let samples = scratch.y.iter().zip(&scratch.u).zip(&scratch.v);
    for (to, ((y, u), v)) in to.iter_mut().zip(samples) {
        let channel = |row: [f32; 4]| code(row[0] * y + row[1] * u + row[2] * v + row[3]);
        *to = channel(red) | channel(green) << 8 | channel(blue) << 16 | 0xff00_0000;
    }
}

/// Rounds to 0..=255 without a cast that saturates: the lowest bits of a float of this size are the whole number.
fn code(value: f32) -> u32 {
    let value = if value > 0.0 { value } else { 0.0 };
    let value = if value < 255.0 { value } else { 255.0 };
    (value + 8_388_608.0).to_bits() & 0xff
}

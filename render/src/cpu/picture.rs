//! Scales and converts a picture: rows are interpolated first, then columns, then colours are converted. Each step
//! processes a whole row, so that the compiler can vectorise it. The filter is that of the shader.

use crate::colour::Conversion;
use crate::quad::Quad;
use media::{PlaneRef, Size};
use std::ops::Range;

/// A picture with the mapping of one rectangle of the scene.
pub(super) struct Picture<'a> {
    luma: PlaneRef<'a>,
    chroma: PlaneRef<'a>,
    across: Axis,
    along: Axis,
    taps: u16,
    conversion: &'a Conversion,
}

/// The mapping from one axis of the tile to one axis of the stored picture.
#[derive(Clone, Copy)]
struct Axis {
    origin: f32,
    step: f32,
    length: u16,
}

/// A sample index, and the weight of the next sample in 1/256.
#[derive(Clone, Copy)]
struct Tap {
    at: u16,
    share: u16,
}

/// The buffers for one row, reused between rows and pictures.
#[derive(Default)]
pub(super) struct Scratch {
    // All columns of the first tap, then of the second, and so on.
    luma_columns: Vec<Tap>,
    chroma_columns: Vec<Tap>,
    // One sample longer than the picture is wide, for the interpolation of the last one.
    luma_row: Vec<u16>,
    chroma_row: Vec<u16>,
    // Both channels of a chroma sample in one word, so that one multiplication weights both: blue in the low half.
    chroma_words: Vec<u64>,
    // Sums over the taps, in units of `Picture::unit`.
    y: Vec<i32>,
    u: Vec<i32>,
    v: Vec<i32>,
}

impl<'a> Picture<'a> {
    pub fn new([luma, chroma]: [PlaneRef<'a>; 2], size: Size, quad: &Quad, conversion: &'a Conversion) -> Self {
        let ([x, y, ..], [step_x, step_y]) = (quad.origin, quad.step);
        let across = Axis { origin: x, step: step_x, length: size.width };
        let along = Axis { origin: y, step: step_y, length: size.height };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1..=4")]
        let taps = quad.shape[2].clamp(1.0, 4.0) as u16;
        Self { luma, chroma, across, along, taps, conversion }
    }

    /// Computes the taps of the columns. Returns the part of `columns` that the picture covers.
    pub fn prepare(&self, scratch: &mut Scratch, columns: Range<usize>) -> Range<usize> {
        let covered = |column: &usize| self.across.covers(*column);
        let start = columns.clone().find(covered).unwrap_or(columns.end);
        let end = (start..columns.end).find(|column| !covered(column)).unwrap_or(columns.end);
        scratch.luma_columns.clear();
        scratch.chroma_columns.clear();
        for tap in 0..self.taps {
            scratch.luma_columns.extend((start..end).map(|column| self.across.tap(column, tap, self.taps, false)));
            scratch.chroma_columns.extend((start..end).map(|column| self.across.tap(column, tap, self.taps, true)));
        }
        scratch.luma_row.resize(usize::from(self.luma.size.width) + 1, 0);
        scratch.chroma_row.resize(usize::from(self.chroma.size.width) + 2, 0);
        for row in [&mut scratch.y, &mut scratch.u, &mut scratch.v] {
            row.resize(end - start, 0);
        }
        start..end
    }

    /// True if the picture covers a row of the tile, false if the row is a bar.
    pub fn has_row(&self, row: usize) -> bool {
        self.along.covers(row)
    }

    /// Writes the colours of one row.
    pub fn row(&self, scratch: &mut Scratch, row: usize, to: &mut [u32]) {
        for sums in [&mut scratch.y, &mut scratch.u, &mut scratch.v] {
            sums.fill(0);
        }
        self.add_taps(scratch, row);
        convert(scratch, self.conversion, self.unit(), to);
    }

    /// The factor that converts a sum into a code value in 0..=1.
    fn unit(&self) -> f32 {
        1.0 / (255.0 * 256.0 * 256.0 * f32::from(self.taps))
    }

    fn add_taps(&self, scratch: &mut Scratch, row: usize) {
        let Scratch { luma_columns, chroma_columns, luma_row, chroma_row, chroma_words, y, u, v } = scratch;
        self.blend_rows(self.luma, row, false, luma_row);
        self.blend_rows(self.chroma, row, true, chroma_row);
        let word = |[blue, red]: [u16; 2]| u64::from(blue) | u64::from(red) << 32;
        chroma_words.clear();
        chroma_words.extend(chroma_row.as_chunks().0.iter().map(|pair| word(*pair)));
        // As slices, whose lengths stay in registers: the compiler cannot know that the sums do not overlap the vectors.
        let (luma_row, chroma_words) = (luma_row.as_slice(), chroma_words.as_slice());
        let width = y.len();
        for columns in luma_columns.chunks_exact(width) {
            for (y, tap) in y.iter_mut().zip(columns) {
                let at = usize::from(tap.at);
                if let Some([first, second]) = luma_row.get(at..at + 2) {
                    *y = y.wrapping_add(tap.mix(i32::from(*first), i32::from(*second)));
                }
            }
        }
        for columns in chroma_columns.chunks_exact(width) {
            for ((u, v), tap) in u.iter_mut().zip(&mut *v).zip(columns) {
                let at = usize::from(tap.at);
                if let Some([first, second]) = chroma_words.get(at..at + 2) {
                    let [blue, red] = tap.mix_words(*first, *second);
                    *u = u.wrapping_add(blue);
                    *v = v.wrapping_add(red);
                }
            }
        }
    }

    /// The mean of the stored rows that the taps of a row read, in 1/256 of a code value.
    fn blend_rows(&self, plane: PlaneRef<'_>, row: usize, half: bool, to: &mut [u16]) {
        let channels = if half { 2 } else { 1 };
        let (width, last) = (usize::from(plane.size.width), plane.size.height.saturating_sub(1));
        let line = |row: u16| {
            let start = usize::from(row.min(last)) * plane.stride;
            plane.data.get(start..start + width).unwrap_or_default()
        };
        let (inner, padding) = to.split_at_mut(width);
        for index in 0..self.taps {
            let tap = self.along.tap(row, index, self.taps, half);
            let (first, second) = (line(tap.at), line(tap.at + 1));
            let pairs = inner.iter_mut().zip(first.iter().zip(second));
            match (self.taps, index) {
                (1, _) => pairs.for_each(|(to, (first, second))| *to = tap.mix_codes(*first, *second)),
                (taps, 0) => pairs.for_each(|(to, (first, second))| *to = tap.mix_codes(*first, *second) / taps),
                (taps, _) => {
                    pairs
                        .for_each(|(to, (first, second))| *to = to.wrapping_add(tap.mix_codes(*first, *second) / taps));
                }
            }
        }
        padding.copy_from_slice(&inner[width - channels..]);
    }
}

impl Axis {
    /// The position of a pixel's centre, in luma samples.
    fn centre(self, pixel: usize) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "at most 16384 pixels")]
        let pixel = pixel as f32;
        self.origin + self.step * (pixel + 0.5)
    }

    fn covers(self, pixel: usize) -> bool {
        (0.0..=f32::from(self.length)).contains(&self.centre(pixel))
    }

    /// One filter tap of a pixel, in luma samples or, if `half`, in chroma samples.
    fn tap(self, pixel: usize, tap: u16, taps: u16, half: bool) -> Tap {
        let part = (f32::from(tap) + 0.5) / f32::from(taps) - 0.5;
        let at = self.centre(pixel) + self.step * part;
        let (scale, length) = if half { (0.5, self.length.div_ceil(2)) } else { (1.0, self.length) };
        let at = (at * scale).clamp(0.5, f32::from(length) - 0.5) - 0.5;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the picture")]
        let (at, share) = (at as u16, (at.fract() * 256.0 + 0.5) as u16);
        Tap { at, share }
    }
}

// The weights sum up to 256, so nothing overflows. The wrapping operations avoid the overflow checks of development
// builds, which would prevent vectorisation.
impl Tap {
    fn mix(self, at: i32, next: i32) -> i32 {
        at.wrapping_mul(256).wrapping_add(next.wrapping_sub(at).wrapping_mul(i32::from(self.share)))
    }

    /// As `mix`, for two channels in the halves of a word. Each sum has 24 bits.
    fn mix_words(self, at: u64, next: u64) -> [i32; 2] {
        let (weight, share) = (u64::from(256_u16.wrapping_sub(self.share)), u64::from(self.share));
        let sum = at.wrapping_mul(weight).wrapping_add(next.wrapping_mul(share));
        #[expect(clippy::cast_possible_truncation, reason = "takes the halves of the word")]
        let halves = [sum as i32, (sum >> 32) as i32];
        halves
    }

    fn mix_codes(self, at: u8, next: u8) -> u16 {
        let weight = 256_u16.wrapping_sub(self.share);
        u16::from(at).wrapping_mul(weight).wrapping_add(u16::from(next).wrapping_mul(self.share))
    }
}

fn convert(scratch: &Scratch, rows: &Conversion, unit: f32, to: &mut [u32]) {
    let scaled = |row: [f32; 4]| [row[0] * unit, row[1] * unit, row[2] * unit, row[3]].map(|factor| factor * 255.0);
    let [red, green, blue] = rows.map(scaled);
    let samples = scratch.y.iter().zip(&scratch.u).zip(&scratch.v);
    for (to, ((y, u), v)) in to.iter_mut().zip(samples) {
        #[expect(clippy::cast_precision_loss, reason = "24 bits are more than 8-bit colour shows")]
        let (y, u, v) = (*y as f32, *u as f32, *v as f32);
        let channel = |row: [f32; 4]| code(row[0] * y + row[1] * u + row[2] * v + row[3]);
        *to = channel(red) | channel(green) << 8 | channel(blue) << 16 | 0xff00_0000;
    }
}

/// Rounds to 0..=255. After adding 2^23, the low bits of the float are the integer; a saturating cast would prevent
/// vectorisation.
fn code(value: f32) -> u32 {
    let value = if value > 0.0 { value } else { 0.0 };
    let value = if value < 255.0 { value } else { 255.0 };
    (value + 8_388_608.0).to_bits() & 0xff
}

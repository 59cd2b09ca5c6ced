//! Makes pictures smaller or larger: averages areas on the way down, blends neighbours on the way up.
//!
//! It runs for every frame of every layer that is not of the source's size, so halves and quarters of 16:9 sources take
//! a short way, and nothing is allocated once the first picture of a shape is through.

use media::{Frame, FrameMut, Plane, PlaneMut, PlaneRef};

/// Scales planes; keeps the weights of the last shapes it saw.
#[derive(Debug, Default)]
pub struct Scaler {
    luma: Plan,
    chroma: Plan,
}

impl Scaler {
    /// A scaler that has seen nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Fills `canvas` with the picture of `frame`, stretched to its size.
    pub fn scale(&mut self, frame: &Frame, canvas: &mut FrameMut) {
        let [mut y, mut u, mut v] = canvas.planes_mut();
        self.luma.scale(frame.plane(Plane::Y), &mut y);
        self.chroma.scale(frame.plane(Plane::U), &mut u);
        self.chroma.scale(frame.plane(Plane::V), &mut v);
    }
}

/// The weights from one size to another, and room for one row of sums.
#[derive(Debug, Default)]
struct Plan {
    columns: Axis,
    rows: Axis,
    sums: Vec<u16>,
}

impl Plan {
    fn scale(&mut self, from: PlaneRef<'_>, to: &mut PlaneMut<'_>) {
        if from.size.is_empty() || to.size.is_empty() {
            return;
        }
        let ratio = |from: u16, to: u16| if from.is_multiple_of(to) { from / to } else { 0 };
        match (ratio(from.size.width, to.size.width), ratio(from.size.height, to.size.height)) {
            (1, 1) => to.copy_from(from),
            (2, 2) => halve(from, to),
            (4, 4) => quarter(from, to),
            (_, _) => self.weigh(from, to),
        }
    }

    fn weigh(&mut self, from: PlaneRef<'_>, to: &mut PlaneMut<'_>) {
        self.columns.adapt(from.size.width, to.size.width);
        self.rows.adapt(from.size.height, to.size.height);
        self.sums.resize(usize::from(from.size.width), 0);
        for (row, taps) in to.rows_mut().zip(self.rows.taps()) {
            add_rows(from, taps, &mut self.sums);
            for (sample, taps) in row.iter_mut().zip(self.columns.taps()) {
                *sample = blend(&self.sums, taps);
            }
        }
    }
}

/// Which samples along one axis make up each sample of the result, with weights that sum up to [`WHOLE`].
#[derive(Debug, Default)]
struct Axis {
    from: u16,
    to: u16,
    spans: Vec<(usize, usize)>,
    weights: Vec<u16>,
}

#[derive(Clone, Copy)]
struct Taps<'a> {
    first: usize,
    weights: &'a [u16],
}

impl Axis {
    fn adapt(&mut self, from: u16, to: u16) {
        if (self.from, self.to) == (from, to) {
            return;
        }
        (self.from, self.to) = (from, to);
        self.spans.clear();
        self.weights.clear();
        for index in 0..to {
            let (first, weights) = if to < from { average(index, from, to) } else { neighbours(index, from, to) };
            self.spans.push((first, weights.len()));
            self.weights.extend(round_to_whole(&weights));
        }
    }

    fn taps(&self) -> impl Iterator<Item = Taps<'_>> {
        let mut at = 0;
        self.spans.iter().map(move |(first, length)| {
            let weights = &self.weights[at..at + length];
            at += length;
            Taps { first: *first, weights }
        })
    }
}

/// The share of each sample that a sample of the smaller picture covers.
fn average(index: u16, from: u16, to: u16) -> (usize, Vec<f64>) {
    let scale = f64::from(from) / f64::from(to);
    let (start, end) = (f64::from(index) * scale, (f64::from(index) + 1.0) * scale);
    let first = whole(start);
    let last = whole(end.ceil()).min(usize::from(from)).max(first + 1);
    #[expect(clippy::cast_precision_loss, reason = "an index of a sample is small")]
    let cover = |sample: usize| (end.min(sample as f64 + 1.0) - start.max(sample as f64)).max(0.0) / scale;
    (first, (first..last).map(cover).collect())
}

/// The two samples on either side of a sample of the larger picture, by nearness of their centres.
fn neighbours(index: u16, from: u16, to: u16) -> (usize, Vec<f64>) {
    let centre = (f64::from(index) + 0.5) * f64::from(from) / f64::from(to) - 0.5;
    let centre = centre.clamp(0.0, f64::from(from - 1));
    let first = whole(centre);
    let share = centre.fract();
    if first + 1 < usize::from(from) { (first, vec![1.0 - share, share]) } else { (first, vec![1.0]) }
}

fn whole(position: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a position in a picture, never negative"
    )]
    let whole = position as usize;
    whole
}

/// Fixed-point weights whose sum is exactly [`WHOLE`], so that flat areas stay flat: what rounding leaves over goes
/// from one sum to the next.
fn round_to_whole(weights: &[f64]) -> impl Iterator<Item = u16> {
    let mut sum = 0.0;
    let mut given = 0;
    weights.iter().map(move |weight| {
        sum += weight * f64::from(WHOLE);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "weights sum up to 256")]
        let due = sum.round() as u16;
        let weight = due - given;
        given = due;
        weight
    })
}

fn add_rows(from: PlaneRef<'_>, taps: Taps<'_>, sums: &mut [u16]) {
    let rows = from.data.chunks(from.stride).skip(taps.first);
    for (step, (row, weight)) in rows.zip(taps.weights).enumerate() {
        // 255 * 256 still fits 16 bits: nothing wraps.
        if step == 0 {
            sums.iter_mut().zip(row).for_each(|(sum, sample)| *sum = u16::from(*sample).wrapping_mul(*weight));
        } else {
            let add = |sum: u16, sample: u8| sum.wrapping_add(u16::from(sample).wrapping_mul(*weight));
            sums.iter_mut().zip(row).for_each(|(sum, sample)| *sum = add(*sum, *sample));
        }
    }
}

fn blend(sums: &[u16], taps: Taps<'_>) -> u8 {
    let sum: u32 =
        sums[taps.first..].iter().zip(taps.weights).map(|(sum, weight)| u32::from(*sum) * u32::from(*weight)).sum();
    // Both axes weigh 256; what is above 8 bits was rounding.
    u8::try_from((sum + (1 << 15)) >> 16).unwrap_or(u8::MAX)
}

// Both of the short ways add up several samples in one word, over slices of one length: so written, the compiler finds
// the vector instructions and leaves the bounds checks out. Sixteen samples of 8 bits fit each half of a word, so
// nothing ever wraps; it is said so, because a check for each addition would undo it all in unoptimised builds.

fn halve(from: PlaneRef<'_>, to: &mut PlaneMut<'_>) {
    for (row, pair) in to.rows_mut().zip(from.data.chunks(2 * from.stride)) {
        let (upper, lower) = pair.split_at(from.stride);
        let (upper, lower) = (upper.as_chunks().0, lower.as_chunks().0);
        for (sample, (upper, lower)) in row.iter_mut().zip(upper.iter().zip(lower)) {
            let (upper, lower) = (u16::from_le_bytes(*upper), u16::from_le_bytes(*lower));
            let sum = (upper & 0xFF) + (upper >> 8) + (lower & 0xFF) + (lower >> 8);
            *sample = low_byte((sum + 2) >> 2);
        }
    }
}

fn quarter(from: PlaneRef<'_>, to: &mut PlaneMut<'_>) {
    for (row, band) in to.rows_mut().zip(from.data.chunks(4 * from.stride)) {
        let (upper, lower) = band.split_at(2 * from.stride);
        let ((first, second), (third, fourth)) = (upper.split_at(from.stride), lower.split_at(from.stride));
        let (first, second) = (first.as_chunks().0, second.as_chunks().0);
        let (third, fourth) = (third.as_chunks().0, fourth.as_chunks().0);
        let length = row.len().min(first.len());
        let (first, second) = (&first[..length], &second[..length]);
        let (third, fourth) = (&third[..length], &fourth[..length]);
        for (column, sample) in row[..length].iter_mut().enumerate() {
            let upper = pairs(first[column]).wrapping_add(pairs(second[column]));
            let lower = pairs(third[column]).wrapping_add(pairs(fourth[column]));
            let sum = upper.wrapping_add(lower);
            *sample = low_byte(low_half(sum.wrapping_add(sum >> 16)).wrapping_add(8) >> 4);
        }
    }
}

/// The sums of the even and of the odd samples of four, one in each half of a word.
fn pairs(four: [u8; 4]) -> u32 {
    let word = u32::from_le_bytes(four);
    (word & 0x00FF_00FF).wrapping_add(word >> 8 & 0x00FF_00FF)
}

fn low_half(word: u32) -> u16 {
    let [first, second, ..] = word.to_le_bytes();
    u16::from_le_bytes([first, second])
}

fn low_byte(value: u16) -> u8 {
    value.to_le_bytes()[0]
}

/// The sum of the weights along one axis.
const WHOLE: u16 = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{psnr, testing};
    use media::{Colour, Pool, Rotation, Size, Timestamp};

    fn scaled(frame: &Frame, size: Size) -> Frame {
        let mut canvas = Pool::new(1).canvas(size).unwrap();
        Scaler::new().scale(frame, &mut canvas);
        canvas.freeze(frame.number(), frame.captured(), frame.colour(), frame.rotation())
    }

    fn flat(size: Size, value: u8) -> Frame {
        let mut canvas = Pool::new(1).canvas(size).unwrap();
        canvas.planes_mut().into_iter().for_each(|mut plane| plane.rows_mut().for_each(|row| row.fill(value)));
        canvas.freeze(0, Timestamp::default(), Colour::default(), Rotation::Upright)
    }

    #[test]
    fn flat_areas_stay_flat_at_every_ratio() {
        for to in [(640, 360), (320, 180), (854, 480), (426, 240), (333, 777), (16, 16), (1920, 1080), (1281, 719)] {
            for value in [0, 1, 127, 254, 255] {
                let result = scaled(&flat(Size::new(1280, 720), value), Size::new(to.0, to.1));
                let plane = result.plane(Plane::Y);
                assert!(plane.rows().flatten().all(|sample| *sample == value), "{to:?} at {value}");
            }
        }
    }

    #[test]
    fn the_short_ways_agree_with_the_long_one() {
        let frame = testing::picture(&Pool::new(2), Size::new(256, 128), 3);
        for divisor in [2, 4] {
            let size = Size::new(256 / divisor, 128 / divisor);
            let short = scaled(&frame, size);
            let mut canvas = Pool::new(1).canvas(size).unwrap();
            Plan::default().weigh(frame.plane(Plane::Y), &mut canvas.planes_mut()[0]);
            let long = canvas.freeze(0, Timestamp::default(), Colour::default(), Rotation::Upright);
            let ratio = psnr::of(short.plane(Plane::Y), long.plane(Plane::Y)).unwrap();
            assert!(ratio > 50.0, "{divisor}: {ratio}");
        }
    }

    #[test]
    fn down_and_up_again_resembles_the_source() {
        let frame = testing::picture(&Pool::new(2), Size::new(640, 360), 0);
        let back = scaled(&scaled(&frame, Size::new(426, 240)), Size::new(640, 360));
        let ratio = psnr::of(frame.plane(Plane::Y), back.plane(Plane::Y)).unwrap();
        assert!(ratio > 25.0, "{ratio}");
    }

    #[test]
    fn odd_and_tiny_sizes_are_no_trouble() {
        let frame = testing::picture(&Pool::new(2), Size::new(7, 5), 0);
        for size in [(1, 1), (2, 2), (3, 5), (7, 5), (14, 10), (64, 1)] {
            assert_eq!(scaled(&frame, Size::new(size.0, size.1)).size(), Size::new(size.0, size.1));
        }
    }
}

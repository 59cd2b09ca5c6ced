//! Scales frames: averages areas to shrink, interpolates linearly to enlarge.
//!
//! It runs for every frame of every layer whose size differs from the source's. Ratios of 2 and 4 have a fast path.
//! Only the first frame of a new size allocates.

use media::{Frame, FrameMut, Plane, PlaneMut, PlaneRef};

/// Scales frames. Keeps the filter weights of the last sizes.
#[derive(Debug, Default)]
pub struct Scaler {
    luma: Plan,
    chroma: Plan,
}

impl Scaler {
    /// Returns a scaler.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Scales `frame` into `target`, whose size may have another aspect ratio.
    pub fn scale(&mut self, frame: &Frame, target: &mut FrameMut) {
        self.scale_planes([Plane::Y, Plane::U, Plane::V].map(|plane| frame.plane(plane)), target);
    }

    /// Scales the planes Y, U and V of a picture into `target`.
    pub fn scale_planes(&mut self, [luma, blue, red]: [PlaneRef<'_>; 3], target: &mut FrameMut) {
        let [mut y, mut u, mut v] = target.planes_mut();
        self.luma.scale(luma, &mut y);
        self.chroma.scale(blue, &mut u);
        self.chroma.scale(red, &mut v);
    }
}

/// The filter weights for one pair of sizes, and the buffer for one row of sums.
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
            (_, _) => self.resample(from, to),
        }
    }

    fn resample(&mut self, from: PlaneRef<'_>, to: &mut PlaneMut<'_>) {
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

/// The filter taps along one axis. The weights of each output sample sum up to [`WEIGHT_SUM`].
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
            let (first, weights) = if to < from { average(index, from, to) } else { interpolate(index, from, to) };
            self.spans.push((first, weights.len()));
            self.weights.extend(to_fixed_point(&weights));
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

/// Returns the weights of an output sample when shrinking: the covered share of each input sample.
fn average(index: u16, from: u16, to: u16) -> (usize, Vec<f64>) {
    let scale = f64::from(from) / f64::from(to);
    let (start, end) = (f64::from(index) * scale, (f64::from(index) + 1.0) * scale);
    let first = whole(start);
    let last = whole(end.ceil()).min(usize::from(from)).max(first + 1);
    #[expect(clippy::cast_precision_loss, reason = "an index of a sample is small")]
    let cover = |sample: usize| (end.min(sample as f64 + 1.0) - start.max(sample as f64)).max(0.0) / scale;
    (first, (first..last).map(cover).collect())
}

/// Returns the weights of an output sample when enlarging: linear interpolation of the two nearest input samples.
fn interpolate(index: u16, from: u16, to: u16) -> (usize, Vec<f64>) {
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
        reason = "a position in a picture is not negative"
    )]
    let whole = position as usize;
    whole
}

/// Converts weights to fixed point. The sum is exactly [`WEIGHT_SUM`], so that flat areas stay flat: each rounding
/// error is carried to the next weight.
fn to_fixed_point(weights: &[f64]) -> impl Iterator<Item = u16> {
    let mut sum = 0.0;
    let mut given = 0;
    weights.iter().map(move |weight| {
        sum += weight * f64::from(WEIGHT_SUM);
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
        // At most 255 * 256, which fits into 16 bits: nothing wraps.
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
    // Both axes have a weight sum of 256, so the sum has 16 fractional bits.
    u8::try_from((sum + (1 << 15)) >> 16).unwrap_or(u8::MAX)
}

// Both fast paths add several samples in one word, over slices of equal length, so that the compiler vectorises the
// loops without bounds checks. The sum of sixteen 8-bit samples fits into half a word, so nothing wraps; `wrapping_add`
// avoids the overflow checks of development builds, which would prevent vectorisation.

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

/// Returns the sum of the even samples and the sum of the odd samples, one in each half of a word.
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

/// The sum of the weights of one output sample along one axis.
const WEIGHT_SUM: u16 = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use media::{Colour, Pool, Size, Timestamp};

    fn scaled(frame: &Frame, size: Size) -> Frame {
        let mut target = Pool::new(1).take(size).unwrap();
        Scaler::new().scale(frame, &mut target);
        target.freeze(frame.number(), frame.captured(), frame.colour())
    }

    fn flat(size: Size, value: u8) -> Frame {
        let mut target = Pool::new(1).take(size).unwrap();
        target.planes_mut().into_iter().for_each(|mut plane| plane.rows_mut().for_each(|row| row.fill(value)));
        target.freeze(0, Timestamp::default(), Colour::default())
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
    fn the_fast_paths_agree_with_the_general_one() {
        let frame = testing::picture(&Pool::new(2), Size::new(256, 128), 3);
        for divisor in [2, 4] {
            let size = Size::new(256 / divisor, 128 / divisor);
            let fast = scaled(&frame, size);
            let mut target = Pool::new(1).take(size).unwrap();
            Plan::default().resample(frame.plane(Plane::Y), &mut target.planes_mut()[0]);
            let general = target.freeze(0, Timestamp::default(), Colour::default());
            let ratio = testing::psnr(fast.plane(Plane::Y), general.plane(Plane::Y));
            assert!(ratio > 50.0, "{divisor}: {ratio}");
        }
    }

    #[test]
    fn scaling_down_and_up_resembles_the_source() {
        let frame = testing::picture(&Pool::new(2), Size::new(640, 360), 0);
        let back = scaled(&scaled(&frame, Size::new(426, 240)), Size::new(640, 360));
        let ratio = testing::psnr(frame.plane(Plane::Y), back.plane(Plane::Y));
        assert!(ratio > 25.0, "{ratio}");
    }

    #[test]
    fn odd_and_tiny_sizes_are_scaled() {
        let frame = testing::picture(&Pool::new(2), Size::new(7, 5), 0);
        for size in [(1, 1), (2, 2), (3, 5), (7, 5), (14, 10), (64, 1)] {
            assert_eq!(scaled(&frame, Size::new(size.0, size.1)).size(), Size::new(size.0, size.1));
        }
    }
}

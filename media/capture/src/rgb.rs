//! Turns red, green and blue into I420, for screens and for cameras that send JPEG.
//!
//! Fixed point of 8 bits in words of 16: within 1 of the exact value for luma, within 2 for chroma, and made of loops that
//! the compiler turns into vector instructions. Nothing wraps at these coefficients; it is said so, because a check for
//! each addition would undo it all in unoptimised builds.

use media::{Canvas, PlaneMut, Size};

/// Where red and blue stand among the four bytes of a sample; green is always the second, the fourth says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Blue first, as X11 and Windows have it.
    Bgrx,
    /// Red first, as JPEG decoders write it.
    Rgbx,
}

/// The weights of one kind of YUV.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weights {
    luma: [u16; 3],
    black: u16,
    blue: [i16; 3],
    red: [i16; 3],
}

/// ITU-R BT.709, limited range: what screens are sent as.
pub(crate) const BT709_LIMITED: Weights =
    Weights { luma: [47, 157, 16], black: 16, blue: [-26, -86, 112], red: [112, -102, -10] };

/// ITU-R BT.601, full range: what JPEG means by YUV, so that turning it into RGB and back loses nothing but rounding.
pub(crate) const BT601_FULL: Weights =
    Weights { luma: [77, 150, 29], black: 0, blue: [-43, -84, 127], red: [127, -106, -21] };

/// Fills `canvas` from rows of `stride` bytes, as far as there are any. The picture has the canvas's size.
pub(crate) fn to_i420(pixels: &[u8], stride: usize, order: Order, weights: Weights, canvas: &mut Canvas) {
    match order {
        Order::Bgrx => convert::<2, 0>(pixels, stride, weights, canvas),
        Order::Rgbx => convert::<0, 2>(pixels, stride, weights, canvas),
    }
}

fn convert<const R: usize, const B: usize>(pixels: &[u8], stride: usize, weights: Weights, canvas: &mut Canvas) {
    let Size { width, .. } = canvas.size();
    let length = usize::from(width) * 4;
    if stride < length {
        return;
    }
    let row = |row: &'_ [u8]| row.len().min(length);
    let [mut luma, mut blue, mut red] = canvas.planes_mut();
    for (to, from) in luma.rows_mut().zip(pixels.chunks(stride)) {
        write_luma::<R, B>(&from[..row(from)], weights, to);
    }
    write_chroma::<R, B>(pixels, stride, length, weights, &mut blue, &mut red);
}

fn write_luma<const R: usize, const B: usize>(from: &[u8], weights: Weights, to: &mut [u8]) {
    let [red, green, blue] = weights.luma;
    for (sample, pixel) in to.iter_mut().zip(from.as_chunks::<4>().0) {
        let sum = red.wrapping_mul(u16::from(pixel[R]));
        let sum = sum.wrapping_add(green.wrapping_mul(u16::from(pixel[1])));
        let sum = sum.wrapping_add(blue.wrapping_mul(u16::from(pixel[B])));
        *sample = (sum.wrapping_add(128) >> 8).wrapping_add(weights.black).to_le_bytes()[0];
    }
}

fn write_chroma<const R: usize, const B: usize>(
    pixels: &[u8],
    stride: usize,
    length: usize,
    weights: Weights,
    blue: &mut PlaneMut<'_>,
    red: &mut PlaneMut<'_>,
) {
    let pairs = pixels.chunks(2 * stride);
    for ((blue, red), pair) in blue.rows_mut().zip(red.rows_mut()).zip(pairs) {
        let upper = &pair[..pair.len().min(length)];
        // The last of an odd number of rows stands for both.
        let lower = pair.get(stride..stride + length).unwrap_or(upper);
        let (upper, upper_rest) = upper.as_chunks::<8>();
        let (lower, lower_rest) = lower.as_chunks::<8>();
        let samples = blue.iter_mut().zip(red.iter_mut());
        for ((blue, red), (upper, lower)) in samples.zip(upper.iter().zip(lower)) {
            let mean = [R, 1, B].map(|at| mean([upper[at], upper[at + 4], lower[at], lower[at + 4]]));
            (*blue, *red) = (difference(weights.blue, mean), difference(weights.red, mean));
        }
        // So does the last of an odd number of columns.
        if let (Some(upper), Some(lower), [.., blue], [.., red]) =
            (upper_rest.first_chunk::<4>(), lower_rest.first_chunk::<4>(), blue, red)
        {
            let mean = [R, 1, B].map(|at| mean([upper[at], upper[at], lower[at], lower[at]]));
            (*blue, *red) = (difference(weights.blue, mean), difference(weights.red, mean));
        }
    }
}

fn mean(samples: [u8; 4]) -> i16 {
    let sum = samples.iter().fold(2_u16, |sum, sample| sum.wrapping_add(u16::from(*sample)));
    (sum >> 2).cast_signed()
}

fn difference(weights: [i16; 3], mean: [i16; 3]) -> u8 {
    let sum = weights[0].wrapping_mul(mean[0]);
    let sum = sum.wrapping_add(weights[1].wrapping_mul(mean[1]));
    let sum = sum.wrapping_add(weights[2].wrapping_mul(mean[2]));
    (sum.wrapping_add(128) >> 8).wrapping_add(128).to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::{Colour, Frame, Plane, Pool, Rotation, Timestamp};

    fn frame(size: Size, order: Order, weights: Weights, pixel: impl Fn(usize, usize) -> [u8; 4]) -> Frame {
        let (width, height) = (usize::from(size.width), usize::from(size.height));
        let stride = width * 4 + 12;
        let mut pixels = vec![0; stride * height];
        for y in 0..height {
            for x in 0..width {
                pixels[y * stride + x * 4..][..4].copy_from_slice(&pixel(x, y));
            }
        }
        let mut canvas = Pool::new(1).canvas(size).unwrap();
        to_i420(&pixels, stride, order, weights, &mut canvas);
        canvas.freeze(0, Timestamp::default(), Colour::default(), Rotation::Upright)
    }

    fn flat(order: Order, weights: Weights, pixel: [u8; 4]) -> [u8; 3] {
        let frame = frame(Size::new(32, 4), order, weights, |_, _| pixel);
        [Plane::Y, Plane::U, Plane::V].map(|plane| {
            let first = frame.plane(plane).data[0];
            assert!(frame.plane(plane).rows().flatten().all(|sample| *sample == first));
            first
        })
    }

    fn near(found: [u8; 3], wanted: [u8; 3]) {
        let near = found.iter().zip(wanted).all(|(found, wanted)| found.abs_diff(wanted) <= 2);
        assert!(near, "{found:?} instead of {wanted:?}");
    }

    #[test]
    fn the_colours_of_the_standards_come_out() {
        let bgr = |pixel| flat(Order::Bgrx, BT709_LIMITED, pixel);
        near(bgr([255, 255, 255, 0]), [235, 128, 128]);
        near(bgr([0, 0, 0, 9]), [16, 128, 128]);
        near(bgr([0, 0, 255, 0]), [63, 102, 240]);
        near(bgr([0, 255, 0, 0]), [173, 42, 26]);
        near(bgr([255, 0, 0, 0]), [32, 240, 118]);
        let rgb = |pixel| flat(Order::Rgbx, BT601_FULL, pixel);
        near(rgb([255, 255, 255, 0]), [255, 128, 128]);
        near(rgb([255, 0, 0, 0]), [76, 85, 255]);
        near(rgb([0, 255, 0, 0]), [150, 44, 21]);
        near(rgb([0, 0, 255, 0]), [29, 255, 107]);
    }

    #[test]
    fn odd_sizes_keep_their_last_row_and_column() {
        for (width, height) in [(7, 5), (1, 1), (33, 3), (2, 7)] {
            let size = Size::new(width, height);
            let edge = |x, y| {
                let last = x + 1 == usize::from(width) || y + 1 == usize::from(height);
                if last { [0, 0, 255, 0] } else { [0; 4] }
            };
            let frame = frame(size, Order::Bgrx, BT709_LIMITED, edge);
            let last = |plane| *frame.plane(plane).rows().last().unwrap().last().unwrap();
            assert!(last(Plane::Y).abs_diff(63) <= 2 && last(Plane::V) > 150, "{size}");
        }
    }

    #[test]
    fn too_few_bytes_are_no_trouble() {
        let mut canvas = Pool::new(1).canvas(Size::new(8, 8)).unwrap();
        for length in 0..300 {
            to_i420(&vec![0; length], 32, Order::Bgrx, BT709_LIMITED, &mut canvas);
            to_i420(&vec![0; length], 3, Order::Bgrx, BT709_LIMITED, &mut canvas);
        }
    }
}

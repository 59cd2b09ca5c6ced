//! Converts RGB into I420, for screens and for cameras that send JPEG.
//!
//! Uses 8-bit fixed point: luma is within 1 of the exact value, chroma within 2. The compiler vectorises the loops,
//! also in development builds: they use `wrapping_*` operations, because overflow checks would prevent it. No sum
//! overflows with these weights.

use media::{FrameMut, PlaneMut};

/// The byte order of a pixel of four bytes. Green is always the second byte, and the fourth is unused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Blue, green, red, unused: X11 and Windows.
    #[cfg_attr(
        not(any(test, target_os = "linux")),
        expect(dead_code, reason = "the screens of other systems are not captured yet")
    )]
    Bgrx,
    /// Red, green, blue, unused: JPEG decoders.
    Rgbx,
}

/// The conversion weights of a colour space, in the order blue, green, red.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weights {
    luma: [i16; 3],
    black: i16,
    blue: [i16; 3],
    red: [i16; 3],
}

/// ITU-R BT.709, limited range. Used for screens.
#[cfg(any(test, target_os = "linux"))]
pub(crate) const BT709_LIMITED: Weights =
    Weights { luma: [16, 157, 47], black: 16, blue: [112, -86, -26], red: [-10, -102, 112] };

/// ITU-R BT.601, full range. JPEG uses it, so converting to RGB and back only adds rounding errors.
pub(crate) const BT601_FULL: Weights =
    Weights { luma: [29, 150, 77], black: 0, blue: [127, -84, -43], red: [-21, -106, 127] };

/// Converts `pixels`, rows of `stride` bytes, into `frame`. Missing rows are left unchanged.
pub(crate) fn to_i420(pixels: &[u8], stride: usize, order: Order, weights: Weights, frame: &mut FrameMut) {
    let weights = weights.ordered(order);
    let length = usize::from(frame.size().width) * 4;
    if stride < length {
        return;
    }
    let [mut luma, mut blue, mut red] = frame.planes_mut();
    for (to, from) in luma.rows_mut().zip(pixels.chunks(stride)) {
        write_luma(&from[..from.len().min(length)], weights, to);
    }
    write_chroma(pixels, stride, length, weights, &mut blue, &mut red);
}

impl Weights {
    /// The weights in byte order.
    fn ordered(self, order: Order) -> Self {
        let reorder = |[blue, green, red]: [i16; 3]| match order {
            Order::Bgrx => [blue, green, red],
            Order::Rgbx => [red, green, blue],
        };
        Self { luma: reorder(self.luma), black: self.black, blue: reorder(self.blue), red: reorder(self.red) }
    }
}

fn write_luma(from: &[u8], weights: Weights, to: &mut [u8]) {
    let [first, second, third] = weights.luma.map(i32::from);
    for (sample, [one, two, three, _]) in to.iter_mut().zip(from.as_chunks().0) {
        let sum = i32::from(*one).wrapping_mul(first);
        let sum = sum.wrapping_add(i32::from(*two).wrapping_mul(second));
        let sum = sum.wrapping_add(i32::from(*three).wrapping_mul(third));
        *sample = low_byte((sum.wrapping_add(128) >> 8).wrapping_add(i32::from(weights.black)));
    }
}

fn write_chroma(
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
        // An odd last row is used twice.
        let lower = pair.get(stride..stride + length).unwrap_or(upper);
        let (upper, upper_rest) = upper.as_chunks::<8>();
        let (lower, lower_rest) = lower.as_chunks::<8>();
        let samples = blue.iter_mut().zip(red.iter_mut());
        for ((blue, red), (upper, lower)) in samples.zip(upper.iter().zip(lower)) {
            let sums = Sums::of([left(*upper), right(*upper), left(*lower), right(*lower)]);
            (*blue, *red) = (sums.weighted(weights.blue), sums.weighted(weights.red));
        }
        // An odd last column is used twice.
        if let (Some(upper), Some(lower), [.., blue], [.., red]) =
            (upper_rest.first_chunk(), lower_rest.first_chunk(), blue, red)
        {
            let (upper, lower) = (u32::from_le_bytes(*upper), u32::from_le_bytes(*lower));
            let sums = Sums::of([upper, upper, lower, lower]);
            (*blue, *red) = (sums.weighted(weights.blue), sums.weighted(weights.red));
        }
    }
}

/// The sums of the first, second and third byte of four pixels.
#[derive(Clone, Copy)]
struct Sums([u32; 3]);

impl Sums {
    fn of(pixels: [u32; 4]) -> Self {
        // The first and third bytes are summed in the two halves of one word.
        let outer = pixels.iter().fold(0_u32, |sum, pixel| sum.wrapping_add(pixel & 0x00FF_00FF));
        let inner = pixels.iter().fold(0_u32, |sum, pixel| sum.wrapping_add(pixel >> 8 & 0xFF));
        Self([outer & 0xFFFF, inner, outer >> 16])
    }

    fn weighted(self, weights: [i16; 3]) -> u8 {
        let [first, second, third] = weights.map(i32::from);
        let [one, two, three] = self.0.map(u32::cast_signed);
        let sum =
            one.wrapping_mul(first).wrapping_add(two.wrapping_mul(second)).wrapping_add(three.wrapping_mul(third));
        // 10 bits: 2 for the four pixels, 8 for the weights.
        low_byte((sum.wrapping_add(512) >> 10).wrapping_add(128))
    }
}

fn left(pixels: [u8; 8]) -> u32 {
    let [one, two, three, four, ..] = pixels;
    u32::from_le_bytes([one, two, three, four])
}

fn right(pixels: [u8; 8]) -> u32 {
    let [.., one, two, three, four] = pixels;
    u32::from_le_bytes([one, two, three, four])
}

fn low_byte(value: i32) -> u8 {
    value.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::{Colour, Frame, Plane, Pool, Size, Timestamp};

    fn frame(size: Size, order: Order, weights: Weights, pixel: impl Fn(usize, usize) -> [u8; 4]) -> Frame {
        let (width, height) = (usize::from(size.width), usize::from(size.height));
        let stride = width * 4 + 12;
        let mut pixels = vec![0; stride * height];
        for y in 0..height {
            for x in 0..width {
                pixels[y * stride + x * 4..][..4].copy_from_slice(&pixel(x, y));
            }
        }
        let mut frame = Pool::new(1).take(size).unwrap();
        to_i420(&pixels, stride, order, weights, &mut frame);
        frame.freeze(0, Timestamp::default(), Colour::default())
    }

    fn flat(order: Order, weights: Weights, pixel: [u8; 4]) -> [u8; 3] {
        let frame = frame(Size::new(32, 4), order, weights, |_, _| pixel);
        [Plane::Y, Plane::U, Plane::V].map(|plane| {
            let first = frame.plane(plane).data[0];
            assert!(frame.plane(plane).rows().flatten().all(|sample| *sample == first));
            first
        })
    }

    fn assert_near(found: [u8; 3], wanted: [u8; 3]) {
        let near = found.iter().zip(wanted).all(|(found, wanted)| found.abs_diff(wanted) <= 2);
        assert!(near, "{found:?} instead of {wanted:?}");
    }

    #[test]
    fn primary_colours_match_the_standards() {
        let bgr = |pixel| flat(Order::Bgrx, BT709_LIMITED, pixel);
        assert_near(bgr([255, 255, 255, 0]), [235, 128, 128]);
        assert_near(bgr([0, 0, 0, 9]), [16, 128, 128]);
        assert_near(bgr([0, 0, 255, 0]), [63, 102, 240]);
        assert_near(bgr([0, 255, 0, 0]), [173, 42, 26]);
        assert_near(bgr([255, 0, 0, 0]), [32, 240, 118]);
        let rgb = |pixel| flat(Order::Rgbx, BT601_FULL, pixel);
        assert_near(rgb([255, 255, 255, 0]), [255, 128, 128]);
        assert_near(rgb([255, 0, 0, 0]), [76, 85, 255]);
        assert_near(rgb([0, 255, 0, 0]), [150, 44, 21]);
        assert_near(rgb([0, 0, 255, 0]), [29, 255, 107]);
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
    fn too_few_bytes_do_not_panic() {
        let mut frame = Pool::new(1).take(Size::new(8, 8)).unwrap();
        for length in 0..300 {
            to_i420(&vec![0; length], 32, Order::Bgrx, BT709_LIMITED, &mut frame);
            to_i420(&vec![0; length], 3, Order::Bgrx, BT709_LIMITED, &mut frame);
        }
    }
}

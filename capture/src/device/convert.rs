//! Converts a camera's pixel formats into I420.

use crate::rgb::{self, Order};
use media::{Colour, FrameMut, Matrix, PlaneMut, Size};
use nokhwa::utils::{FrameFormat, buf_mjpeg_to_rgb};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Converts `pixels` into `frame` and returns the colour space. Returns `None` if the bytes are not a picture of its
/// size. Rows must have no padding.
pub(super) fn to_i420(
    pixels: &[u8],
    format: FrameFormat,
    scratch: &mut Vec<u8>,
    frame: &mut FrameMut,
) -> Option<Colour> {
    match format {
        FrameFormat::NV12 => nv12(pixels, frame),
        FrameFormat::YUYV => yuyv(pixels, frame),
        FrameFormat::MJPEG => jpeg(pixels, scratch, frame),
        FrameFormat::GRAY | FrameFormat::RAWRGB | FrameFormat::RAWBGR => None,
    }
}

/// Copies the luma plane, and separates the interleaved Cb and Cr samples that follow it at half the size.
fn nv12(pixels: &[u8], frame: &mut FrameMut) -> Option<Colour> {
    let (size, chroma) = (frame.size(), frame.size().chroma());
    let (luma, pairs) = pixels.split_at_checked(area(size))?;
    let pairs = pairs.get(..2 * area(chroma))?;
    let [mut y, mut u, mut v] = frame.planes_mut();
    for (to, from) in y.rows_mut().zip(luma.chunks_exact(usize::from(size.width))) {
        to.copy_from_slice(from);
    }
    let rows = pairs.chunks_exact(2 * usize::from(chroma.width));
    for ((blue, red), row) in u.rows_mut().zip(v.rows_mut()).zip(rows) {
        for ((blue, red), [from_blue, from_red]) in blue.iter_mut().zip(red).zip(row.as_chunks::<2>().0) {
            (*blue, *red) = (*from_blue, *from_red);
        }
    }
    Some(CAMERA)
}

/// Separates the interleaved samples Y, Cb, Y, Cr. Their chroma has half the width but the full height, so pairs of rows
/// are averaged.
fn yuyv(pixels: &[u8], frame: &mut FrameMut) -> Option<Colour> {
    let size = frame.size();
    // Two samples share their chroma, so the stored width is even.
    let stride = 2 * usize::from(size.width.next_multiple_of(2));
    let pixels = pixels.get(..stride * usize::from(size.height))?;
    let [mut y, mut u, mut v] = frame.planes_mut();
    for (to, from) in y.rows_mut().zip(pixels.chunks_exact(stride)) {
        for (sample, [luma, _]) in to.iter_mut().zip(from.as_chunks::<2>().0) {
            *sample = *luma;
        }
    }
    for (plane, offset) in [(&mut u, 1), (&mut v, 3)] {
        average(pixels, stride, offset, plane);
    }
    Some(CAMERA)
}

/// Fills a chroma plane with every fourth byte from `offset` on, averaged over pairs of rows. An odd last row is used alone.
fn average(pixels: &[u8], stride: usize, offset: usize, plane: &mut PlaneMut<'_>) {
    for (to, pair) in plane.rows_mut().zip(pixels.chunks(2 * stride)) {
        let upper = &pair[..stride];
        let lower = pair.get(stride..).filter(|lower| !lower.is_empty()).unwrap_or(upper);
        let groups = upper.as_chunks::<4>().0.iter().zip(lower.as_chunks::<4>().0);
        for (sample, (upper, lower)) in to.iter_mut().zip(groups) {
            *sample = upper[offset].midpoint(lower[offset]);
        }
    }
}

fn jpeg(pixels: &[u8], scratch: &mut Vec<u8>, frame: &mut FrameMut) -> Option<Colour> {
    let size = frame.size();
    scratch.resize(4 * area(size), 0);
    // The JPEG library panics on damaged pictures.
    let decoded = catch_unwind(AssertUnwindSafe(|| buf_mjpeg_to_rgb(pixels, scratch, true)));
    decoded.ok()?.ok()?;
    rgb::to_i420(scratch, 4 * usize::from(size.width), Order::Rgbx, rgb::BT601_FULL, frame);
    Some(JPEG)
}

fn area(size: Size) -> usize {
    usize::from(size.width) * usize::from(size.height)
}

/// The default of the USB video class for cameras that do not describe their colour space.
const CAMERA: Colour = Colour { matrix: Matrix::Bt601, full_range: false };
/// The colour space of JFIF.
const JPEG: Colour = Colour { matrix: Matrix::Bt601, full_range: true };

#[cfg(test)]
mod tests {
    use super::*;
    use media::{Frame, Plane, Pool, Timestamp};

    fn picture(size: Size, format: FrameFormat, pixels: &[u8]) -> Option<Frame> {
        let mut frame = Pool::new(1).take(size).unwrap();
        let colour = to_i420(pixels, format, &mut Vec::new(), &mut frame)?;
        Some(frame.freeze(0, Timestamp::default(), colour))
    }

    fn samples(frame: &Frame, plane: Plane) -> Vec<u8> {
        frame.plane(plane).rows().flatten().copied().collect()
    }

    #[test]
    fn nv12_is_deinterleaved() {
        let frame = picture(Size::new(4, 2), FrameFormat::NV12, &[1, 2, 3, 4, 5, 6, 7, 8, 10, 20, 11, 21]).unwrap();
        assert_eq!(samples(&frame, Plane::Y), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!((samples(&frame, Plane::U), samples(&frame, Plane::V)), (vec![10, 11], vec![20, 21]));
        assert_eq!(frame.colour(), CAMERA);
    }

    #[test]
    fn yuyv_shares_chroma_between_rows() {
        let rows = [1, 10, 2, 20, 3, 30, 4, 40, 5, 12, 6, 22, 7, 32, 8, 42, 9, 50, 9, 60, 9, 70, 9, 80];
        let frame = picture(Size::new(4, 3), FrameFormat::YUYV, &rows).unwrap();
        assert_eq!(samples(&frame, Plane::Y), [1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9]);
        assert_eq!(samples(&frame, Plane::U), [11, 31, 50, 70]);
        assert_eq!(samples(&frame, Plane::V), [21, 41, 60, 80]);
    }

    /// A red JPEG of 16x16, made by ffmpeg.
    const RED: &[u8] = include_bytes!("red.jpg");

    #[test]
    fn jpeg_keeps_its_colour() {
        let frame = picture(Size::new(16, 16), FrameFormat::MJPEG, RED).unwrap();
        let near = |plane, wanted: u8| samples(&frame, plane).iter().all(|sample| sample.abs_diff(wanted) <= 4);
        assert!(near(Plane::Y, 76) && near(Plane::U, 85) && near(Plane::V, 255));
        assert_eq!(frame.colour(), JPEG);
    }

    /// The same picture in the form that webcams send: 4:2:2, without Huffman tables. Made by ffmpeg; the tables were removed.
    const WEBCAM: &[u8] = include_bytes!("webcam.jpg");

    #[test]
    fn a_jpeg_without_tables_in_a_larger_buffer_is_decoded() {
        let mut buffer = WEBCAM.to_vec();
        buffer.extend_from_slice(&RED[..100]);
        buffer.resize(4_096, 0);
        let frame = picture(Size::new(16, 16), FrameFormat::MJPEG, &buffer).unwrap();
        assert!(samples(&frame, Plane::Y).iter().all(|luma| luma.abs_diff(76) <= 4));
        assert!(samples(&frame, Plane::V).iter().all(|red| red.abs_diff(255) <= 4));
    }

    #[test]
    fn damaged_frames_are_refused() {
        let size = Size::new(16, 16);
        assert!(picture(size, FrameFormat::NV12, &[0; 383]).is_none());
        assert!(picture(size, FrameFormat::YUYV, &[0; 511]).is_none());
        assert!(picture(size, FrameFormat::GRAY, &[0; 512]).is_none());
        assert!(picture(Size::new(32, 16), FrameFormat::MJPEG, RED).is_none(), "another size");
        assert!(picture(size, FrameFormat::MJPEG, &[]).is_none());
        for length in 0..RED.len() {
            // The decoder may fill a missing part with grey. It must not panic.
            drop(picture(size, FrameFormat::MJPEG, &RED[..length]));
        }
        for at in 0..RED.len() {
            let mut damaged = RED.to_vec();
            damaged[at] ^= 0xFF;
            drop(picture(size, FrameFormat::MJPEG, &damaged));
        }
    }
}

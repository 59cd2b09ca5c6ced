//! Selects the best format of a camera. Pure.

use media::Size;
use nokhwa::utils::{CameraFormat, FrameFormat};

/// The supported pixel formats, best first. JPEG is last: it is lossy and must be decoded.
pub(super) const KNOWN: [FrameFormat; 3] = [FrameFormat::NV12, FrameFormat::YUYV, FrameFormat::MJPEG];

/// The supported formats, best first: a smooth frame rate, then a size near 1280x720, then a rate near 30, then the pixel
/// format that is cheapest to convert.
pub(super) fn ranked(offered: &[CameraFormat]) -> Vec<CameraFormat> {
    let usable = |format: &CameraFormat| size(*format).is_some() && (1..=240).contains(&format.frame_rate());
    let mut ranked: Vec<_> =
        offered.iter().copied().filter(usable).filter_map(|format| Some((rank(format)?, format))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.dedup();
    ranked.into_iter().map(|(_, format)| format).collect()
}

/// The frame size of a format. Returns `None` if it is empty or larger than 3840x2160 samples.
pub(super) fn size(format: CameraFormat) -> Option<Size> {
    let narrow = |side: u32| u16::try_from(side).ok();
    let size = Size::new(narrow(format.width())?, narrow(format.height())?);
    (!size.is_empty() && size.area() <= MAX_SAMPLES).then_some(size)
}

/// A sort key; the best format has the smallest one. Returns `None` if the pixel format is not supported.
fn rank(format: CameraFormat) -> Option<(bool, u32, u32, usize)> {
    let kind = KNOWN.iter().position(|known| *known == format.format())?;
    let slow = format.frame_rate() < MIN_SMOOTH_RATE;
    // Missing lines count twice, because upscaling does not restore detail.
    let height = format.height();
    let distance = if height < TARGET_HEIGHT { 2 * (TARGET_HEIGHT - height) } else { height - TARGET_HEIGHT };
    let shape = (format.width() * 9).abs_diff(format.height() * 16) / 16;
    Some((slow, distance + shape, format.frame_rate().abs_diff(TARGET_RATE), kind))
}

const TARGET_HEIGHT: u32 = 720;
const TARGET_RATE: u32 = 30;
const MIN_SMOOTH_RATE: u32 = 20;
/// The samples of a 4K frame.
const MAX_SAMPLES: u32 = 3_840 * 2_160;

#[cfg(test)]
mod tests {
    use super::*;
    use nokhwa::utils::Resolution;

    fn best(offered: &[CameraFormat]) -> Option<CameraFormat> {
        ranked(offered).first().copied()
    }

    fn format(kind: FrameFormat, width: u32, height: u32, rate: u32) -> CameraFormat {
        CameraFormat::new(Resolution::new(width, height), kind, rate)
    }

    #[test]
    fn jpeg_at_30_frames_per_second_is_preferred_to_raw_at_10() {
        let smooth = format(FrameFormat::MJPEG, 1280, 720, 30);
        let offered = [
            format(FrameFormat::YUYV, 640, 480, 30),
            format(FrameFormat::YUYV, 1280, 720, 10),
            format(FrameFormat::MJPEG, 1920, 1080, 30),
            smooth,
            format(FrameFormat::MJPEG, 1280, 720, 60),
        ];
        assert_eq!(best(&offered), Some(smooth));
    }

    #[test]
    fn raw_formats_are_preferred_at_equal_size_and_rate() {
        let raw = format(FrameFormat::NV12, 1280, 720, 30);
        let offered = [format(FrameFormat::MJPEG, 1280, 720, 30), raw, format(FrameFormat::YUYV, 1280, 720, 30)];
        assert_eq!(best(&offered), Some(raw));
    }

    #[test]
    fn invalid_formats_are_left_out() {
        let invalid = [
            format(FrameFormat::GRAY, 1280, 720, 30),
            format(FrameFormat::YUYV, 0, 720, 30),
            format(FrameFormat::YUYV, 100_000, 720, 30),
            format(FrameFormat::YUYV, 60_000, 60_000, 30),
            format(FrameFormat::YUYV, 1280, 720, 30_000),
            format(FrameFormat::YUYV, 1280, 720, 0),
        ];
        assert_eq!(best(&invalid), None);
        let slow = format(FrameFormat::YUYV, 320, 240, 5);
        assert_eq!(best(&[slow]), Some(slow));
    }
}

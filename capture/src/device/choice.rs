//! Which of a camera's formats to take. Pure.

use media::Size;
use nokhwa::utils::{CameraFormat, FrameFormat};

/// The formats of pixels that are read here, best first: JPEG costs most and has lost something already.
pub(super) const KNOWN: [FrameFormat; 3] = [FrameFormat::NV12, FrameFormat::YUYV, FrameFormat::MJPEG];

/// The formats that are read here, nearest to 1280x720 at 30 pictures a second first: fluent first, then of the right size,
/// then cheap.
pub(super) fn ranked(offered: &[CameraFormat]) -> Vec<CameraFormat> {
    let usable = |format: &CameraFormat| size(*format).is_some() && (1..=240).contains(&format.frame_rate());
    let mut ranked: Vec<_> =
        offered.iter().copied().filter(usable).filter_map(|format| Some((rank(format)?, format))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.dedup();
    ranked.into_iter().map(|(_, format)| format).collect()
}

/// The size of a format's pictures; `None` where it cannot be.
pub(super) fn size(format: CameraFormat) -> Option<Size> {
    let narrow = |side: u32| u16::try_from(side).ok();
    let size = Size::new(narrow(format.width())?, narrow(format.height())?);
    (!size.is_empty() && size.area() <= MAX_SAMPLES).then_some(size)
}

/// The smaller, the better.
fn rank(format: CameraFormat) -> Option<(bool, u32, u32, usize)> {
    let kind = KNOWN.iter().position(|known| *known == format.format())?;
    let halting = format.frame_rate() < FLUENT;
    // A size too small is worse than one too large by the same number of lines: detail cannot be made.
    let lines = format.height();
    let distance = if lines < LINES { 2 * (LINES - lines) } else { lines - LINES };
    let shape = (format.width() * 9).abs_diff(format.height() * 16) / 16;
    Some((halting, distance + shape, format.frame_rate().abs_diff(RATE), kind))
}

const LINES: u32 = 720;
const RATE: u32 = 30;
const FLUENT: u32 = 20;
/// 3840 x 2160.
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
    fn a_common_webcam_gives_720_lines_of_jpeg_rather_than_a_slide_show() {
        let fluent = format(FrameFormat::MJPEG, 1280, 720, 30);
        let offered = [
            format(FrameFormat::YUYV, 640, 480, 30),
            format(FrameFormat::YUYV, 1280, 720, 10),
            format(FrameFormat::MJPEG, 1920, 1080, 30),
            fluent,
            format(FrameFormat::MJPEG, 1280, 720, 60),
        ];
        assert_eq!(best(&offered), Some(fluent));
    }

    #[test]
    fn raw_pictures_win_where_all_else_is_equal() {
        let raw = format(FrameFormat::NV12, 1280, 720, 30);
        let offered = [format(FrameFormat::MJPEG, 1280, 720, 30), raw, format(FrameFormat::YUYV, 1280, 720, 30)];
        assert_eq!(best(&offered), Some(raw));
    }

    #[test]
    fn what_cannot_be_is_left_out() {
        let strange = [
            format(FrameFormat::GRAY, 1280, 720, 30),
            format(FrameFormat::YUYV, 0, 720, 30),
            format(FrameFormat::YUYV, 100_000, 720, 30),
            format(FrameFormat::YUYV, 60_000, 60_000, 30),
            format(FrameFormat::YUYV, 1280, 720, 30_000),
            format(FrameFormat::YUYV, 1280, 720, 0),
        ];
        assert_eq!(best(&strange), None);
        let slow = format(FrameFormat::YUYV, 320, 240, 5);
        assert_eq!(best(&[slow]), Some(slow));
    }
}

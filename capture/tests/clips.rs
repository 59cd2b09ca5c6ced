//! Playback of files from common encoders: frame order, timing, and the errors for unsupported formats.

#![expect(clippy::unwrap_used, reason = "tests")]

use capture::Error;
use capture::file::{Clip, open};
use media::{Clock, Plane, Pool, Timestamp};
use std::path::{Path, PathBuf};
use std::time::Duration;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clips").join(name)
}

/// The numbers that the next `count` frames encode in their luma.
fn numbers(clip: &mut Clip, pool: &Pool, count: u64) -> Vec<u8> {
    (0..count)
        .map(|number| {
            let frame = clip.next(pool).unwrap().unwrap().freeze(number, Timestamp::default());
            let luma = frame.plane(Plane::Y).rows().take(90).map(|row| u32::from(row[24])).sum::<u32>() / 90;
            u8::try_from((luma.saturating_sub(20) + 3) / 7).unwrap()
        })
        .collect()
}

#[test]
fn frames_are_in_presentation_order_in_every_pass() {
    for name in ["pyramid.mp4", "deep.mp4"] {
        let mut clip = Clip::open(&path(name)).unwrap();
        // Two buffers suffice, so reordering must not hold more.
        let pool = Pool::new(2);
        assert_eq!(clip.len(), 30);
        for pass in 0..5 {
            assert_eq!(numbers(&mut clip, &pool, 30), (0..30).collect::<Vec<_>>(), "{name}, pass {pass}");
        }
    }
}

#[test]
fn frames_outside_the_edit_list_are_not_shown() {
    let mut clip = Clip::open(&path("trimmed.mp4")).unwrap();
    assert_eq!(clip.len(), 16);
    for _ in 0..2 {
        assert_eq!(numbers(&mut clip, &Pool::new(2), 16), (14..30).collect::<Vec<_>>());
    }
    assert_eq!(clip.due(0), Duration::ZERO);
    assert_eq!(clip.due(16), Duration::from_millis(640));
}

#[test]
fn a_variable_frame_rate_keeps_its_timestamps() {
    let mut clip = Clip::open(&path("uneven.mp4")).unwrap();
    let expected: Vec<u8> = (0..30).filter(|number| number % 3 == 0 || *number < 10).collect();
    assert_eq!(clip.len(), expected.len() as u64);
    for (index, number) in (0..).zip(&expected) {
        assert_eq!(clip.due(index), Duration::from_millis(40) * u32::from(*number));
    }
    let count = clip.len();
    assert_eq!(numbers(&mut clip, &Pool::new(2), count), expected);
}

#[test]
fn an_unsupported_format_is_named_in_the_error() {
    let cases = [
        ("ten.mp4", "H.264 10 bit"),
        ("422.mp4", "H.264 4:2:2"),
        ("444.mp4", "H.264 4:4:4"),
        ("gray.mp4", "H.264 4:0:0"),
        ("interlaced.mp4", "H.264 interlaced"),
        ("hevc.mp4", "HEVC (H.265)"),
        ("av1.mp4", "AV1"),
        ("vp9.mp4", "VP9"),
        ("mpeg4.mp4", "MPEG-4 Visual"),
        ("fragments.mp4", "MP4 in fragments"),
        ("clip.mkv", "Matroska/WebM"),
        ("clip.webm", "Matroska/WebM"),
        ("clip.ts", "MPEG-TS"),
        ("clip.h264", "H.264/H.265 (Annex B)"),
    ];
    for (name, expected) in cases {
        let Err(Error::FileFormat { format, .. }) = open(&path(name), Clock::default()) else {
            panic!("{name} has another error");
        };
        assert_eq!(format, expected, "{name}");
    }
}

//! Playback of files from common encoders: frame order, timing, and the errors for unsupported formats.

#![expect(clippy::unwrap_used, reason = "tests")]

use capture::Error;
use capture::file::{Clip, open};
use media::{Clock, Plane, Pool, Timestamp};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempPath;

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

/// Writes a copy of a clip in which `change` has replaced bytes of the box `kind`, which begin after its type.
fn changed(name: &str, kind: &[u8], change: impl Fn(&mut [u8])) -> TempPath {
    let mut bytes = std::fs::read(path(name)).unwrap();
    let at = bytes.windows(4).rposition(|window| window == kind).unwrap() + 4;
    change(&mut bytes[at..]);
    let path = tempfile::Builder::new().suffix(".mp4").tempfile().unwrap().into_temp_path();
    std::fs::write(&path, bytes).unwrap();
    path
}

fn luma(clip: &mut Clip) -> (media::Size, Vec<Vec<u8>>) {
    let frame = clip.next(&Pool::new(1)).unwrap().unwrap().freeze(0, Timestamp::default());
    (frame.size(), frame.plane(Plane::Y).rows().map(<[u8]>::to_vec).collect())
}

#[test]
fn a_rotated_clip_is_delivered_upright() {
    let (size, stored) = luma(&mut Clip::open(&path("trimmed.mp4")).unwrap());
    assert_eq!((size.width, size.height), (128, 96));
    // A quarter turn clockwise, as phones write it: x' = -y, y' = x, with an error in the last bits.
    let matrix = [1, 0x0000_FFFF, 0, 0xFFFF_0002, 0, 0].map(u32::to_be_bytes).concat();
    let turned = changed("trimmed.mp4", b"tkhd", |bytes| bytes[40..64].copy_from_slice(&matrix));
    let mut clip = Clip::open(&turned).unwrap();
    let (size, shown) = luma(&mut clip);
    assert_eq!(clip.format().size, size);
    assert_eq!((size.width, size.height), (96, 128));
    for (y, row) in shown.iter().enumerate() {
        assert!(row.iter().enumerate().all(|(x, sample)| *sample == stored[95 - x][y]), "row {y}");
    }
    std::fs::remove_file(turned).unwrap();
}

#[test]
fn an_edit_at_twice_the_speed_takes_half_the_time() {
    let fast = changed("trimmed.mp4", b"elst", |bytes| {
        // The duration of the first entry in ticks of the movie, and its rate.
        let duration = u32::from_be_bytes(*bytes[8..].first_chunk().unwrap());
        bytes[8..12].copy_from_slice(&(duration / 2).to_be_bytes());
        bytes[16..20].copy_from_slice(&0x0002_0000_u32.to_be_bytes());
    });
    let mut clip = Clip::open(&fast).unwrap();
    assert_eq!(clip.len(), 16);
    for pass in 0..2 {
        assert_eq!(numbers(&mut clip, &Pool::new(2), 16), (14..30).collect::<Vec<_>>(), "pass {pass}");
    }
    assert_eq!((clip.due(1), clip.due(16)), (Duration::from_millis(20), Duration::from_millis(320)));
    assert_eq!(clip.format().rate, media::FrameRate::new(50, 1).unwrap());
    std::fs::remove_file(fast).unwrap();
}

#[test]
fn a_still_picture_of_an_edit_is_decoded_once_and_stays() {
    let still = changed("trimmed.mp4", b"elst", |bytes| bytes[16..20].fill(0));
    let mut clip = Clip::open(&still).unwrap();
    assert_eq!((clip.len(), clip.due(1)), (1, Duration::from_millis(640)));
    for _ in 0..3 {
        assert_eq!(numbers(&mut clip, &Pool::new(2), 1), [14]);
    }
    std::fs::remove_file(still).unwrap();
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

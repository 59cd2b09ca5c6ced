//! Tests of file sources: loops, numbers, timing and invalid files.

use super::*;
use crate::synthetic;
use codec::container::y4m::{Header, Writer};
use media::{Colour, FrameRate, Plane, Size};
use std::fs;
use tempfile::TempPath;

/// Returns the path of a temporary file with the extension `suffix`, which is removed on drop.
fn temporary(suffix: &str) -> TempPath {
    tempfile::Builder::new().suffix(suffix).tempfile().unwrap().into_temp_path()
}

/// Writes a Y4M file of the test pattern.
fn pattern(pictures: usize) -> TempPath {
    let path = temporary(".y4m");
    let rate = FrameRate::new(200, 1).unwrap();
    let size = Size::new(64, 32);
    let mut source = synthetic::open(size, rate, Clock::default()).unwrap();
    let mut writer = Writer::create(&path, Header { size, rate, colour: Colour::default() }).unwrap();
    for _ in 0..pictures {
        let frame = source.next(&Pool::new(1), &Stop::new()).unwrap().unwrap();
        writer.write([Plane::Y, Plane::U, Plane::V].map(|plane| frame.plane(plane))).unwrap();
    }
    writer.finish().unwrap();
    path
}

#[test]
fn a_file_loops_and_its_numbers_continue() {
    let path = pattern(3);
    let mut camera = open(&path, Clock::default()).unwrap();
    let (pool, stop) = (Pool::new(9), Stop::new());
    let mut frames = Vec::new();
    while frames.len() < 7 {
        frames.extend(camera.next(&pool, &stop).unwrap());
    }
    for frame in &frames {
        assert_eq!(synthetic::read_number(frame).map(u64::from), Some(frame.number() % 3));
    }
    assert!(frames.windows(2).all(|pair| pair[0].captured() < pair[1].captured()));
}

#[test]
fn a_full_pool_skips_one_frame_and_keeps_the_order() {
    let path = pattern(4);
    let mut camera = open(&path, Clock::default()).unwrap();
    let (pool, stop) = (Pool::new(1), Stop::new());
    let held = camera.next(&pool, &stop).unwrap().unwrap();
    assert!(camera.next(&pool, &stop).unwrap().is_none());
    drop(held);
    let next = camera.next(&pool, &stop).unwrap().unwrap();
    assert_eq!((next.number(), synthetic::read_number(&next)), (2, Some(2)));
}

#[test]
fn every_frame_is_decoded_in_each_loop() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../app/assets/demo/footage/meadow.mp4");
    let mut clip = Clip::open(Path::new(path)).unwrap();
    let (pool, length) = (Pool::new(4), clip.len());
    assert_eq!(clip.format().size, Size::new(1280, 720));
    let mut pass = |count: u64| (0..count).filter(|_| clip.next(&pool).unwrap().is_some()).count() as u64;
    assert_eq!(pass(length) + pass(5), length + 5);
}

#[test]
fn a_frame_is_decoded_half_an_interval_before_it_is_due() {
    let path = pattern(3);
    let mut camera = FileCamera::open(&path, Clock::default()).unwrap();
    let (pool, stop) = (Pool::new(1), Stop::new());
    assert_eq!(camera.decode_time(), None, "the first frame is due at once");
    while camera.next < 2 {
        let _ = camera.next(&pool, &stop).unwrap();
    }
    let start = camera.start.unwrap();
    assert_eq!(camera.decode_time(), Some(start + Duration::from_micros(7_500)));
    stop.request();
    assert!(camera.next(&pool, &stop).unwrap().is_none());
    assert_eq!(camera.next, 2, "the wait comes before the frame is decoded");
}

#[test]
fn a_file_without_media_is_refused() {
    let path = temporary(".mp4");
    for content in [&b""[..], b"YUV4MPEG2 W", b"\0\0\0\x18ftypisom", &[0xff; 5_000]] {
        fs::write(&path, content).unwrap();
        assert!(matches!(open(&path, Clock::default()), Err(Error::BadFile { .. })));
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(open(&path, Clock::default()), Err(Error::BadFile { .. })));
}

#[test]
fn a_stop_request_ends_the_wait() {
    let path = pattern(2);
    let mut camera = open(&path, Clock::default()).unwrap();
    let stop = Stop::new();
    stop.request();
    assert!(camera.next(&Pool::new(1), &stop).unwrap().is_none());
}

#[test]
fn a_still_is_delivered_again_with_further_numbers() {
    let path = temporary(".y4m");
    let (rate, size) = (FrameRate::new(1, 1).unwrap(), Size::new(64, 32));
    let mut source = synthetic::open(size, FrameRate::new(200, 1).unwrap(), Clock::default()).unwrap();
    let mut writer = Writer::create(&path, Header { size, rate, colour: Colour::default() }).unwrap();
    for _ in 0..2 {
        let frame = source.next(&Pool::new(1), &Stop::new()).unwrap().unwrap();
        writer.write([Plane::Y, Plane::U, Plane::V].map(|plane| frame.plane(plane))).unwrap();
    }
    writer.finish().unwrap();
    let (mut camera, pool, stop) = (open(&path, Clock::default()).unwrap(), Pool::new(4), Stop::new());
    let frames: Vec<_> = (0..3).map(|_| camera.next(&pool, &stop).unwrap().unwrap()).collect();
    let shown: Vec<_> = frames.iter().map(|frame| (frame.number(), synthetic::read_number(frame))).collect();
    assert_eq!(shown, [(0, Some(0)), (1, Some(0)), (2, Some(1))]);
    assert!(frames[1].captured() > frames[0].captured());
}

#[test]
fn the_shape_of_samples_in_a_y4m_file_is_applied() {
    let path = temporary(".y4m");
    let plane = |value: u8, count: usize| std::iter::repeat_n(value, count);
    let frame: Vec<u8> = plane(90, 64 * 32).chain(plane(120, 2 * 32 * 16)).collect();
    fs::write(&path, [&b"YUV4MPEG2 W64 H32 F25:1 A2:1\nFRAME\n"[..], &frame, b"FRAME\n", &frame].concat()).unwrap();
    let mut clip = Clip::open(&path).unwrap();
    assert_eq!((clip.format().size, clip.len()), (Size::new(128, 32), 2));
    let pool = Pool::new(1);
    for number in 0..5 {
        let held = clip.next(&pool).unwrap().unwrap().freeze(number, media::Timestamp::default());
        assert_eq!(held.size(), Size::new(128, 32));
        assert!(held.plane(Plane::Y).rows().flatten().all(|sample| *sample == 90));
        assert!(clip.next(&pool).unwrap().is_none(), "the pool is full");
    }
}

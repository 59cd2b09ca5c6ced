//! Compares off-screen drawings with expected values, on the GPU and on the CPU.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "golden/support.rs"]
mod support;

use media::{Colour, Matrix, Size};
use render::{Area, Drawing, Feed, Fit, Placeholder, Rgba, Tag, Tile};
use std::f64::consts::PI;
use std::sync::Arc;
use support::{BLACK, Drawn, Picture, draw, draw_on_cpu, error, offscreen, style, target};

/// Code values of 100 % and 75 % colour bars, extremes outside RGB, and greys.
const BARS: [[u8; 3]; 16] = [
    [235, 128, 128],
    [219, 16, 138],
    [188, 154, 16],
    [173, 42, 26],
    [78, 214, 230],
    [63, 102, 240],
    [32, 240, 118],
    [16, 128, 128],
    [180, 128, 128],
    [168, 44, 136],
    [145, 147, 44],
    [133, 63, 52],
    [0, 0, 0],
    [255, 255, 255],
    [1, 127, 129],
    [126, 129, 127],
];

fn bars() -> Picture {
    Picture::new(Size::new(256, 32), |x, _| BARS[usize::from(x / 16)])
}

/// The colours of four quarters: red, green, blue and grey.
const QUARTERS: [[u8; 3]; 4] = [[63, 102, 240], [173, 42, 26], [32, 240, 118], [180, 128, 128]];

fn quarters(size: Size) -> Picture {
    let half = |at: u16, length: u16| usize::from(at >= length / 2);
    Picture::new(size, |x, y| QUARTERS[half(x, size.width) + 2 * half(y, size.height)])
}

/// The quarter whose colour a pixel has.
fn quarter(pixel: [u8; 4]) -> Option<usize> {
    QUARTERS.iter().position(|yuv| error(pixel, Colour::default(), *yuv) <= 2.0)
}

/// Calls `check` with the tile drawn on the CPU and, if there is an adapter, on the GPU.
fn check_on_both(tile: impl Fn() -> Tile, width: u32, height: u32, check: impl Fn(&Drawn, &str)) {
    check(&draw_on_cpu(&[tile()], width, height), "cpu");
    if let Some(mut target) = offscreen() {
        check(&draw(&mut target, &[tile()], width, height), "gpu");
    }
}

fn colours() -> impl Iterator<Item = Colour> {
    [Matrix::Bt601, Matrix::Bt709]
        .into_iter()
        .flat_map(|matrix| [false, true].map(|full_range| Colour { matrix, full_range }))
}

fn worst_bar(drawn: &Drawn, colour: Colour) -> f64 {
    let errors = (0_u32..).zip(BARS).map(|(bar, yuv)| error(drawn.pixel(bar * 16 + 8, 16), colour, yuv));
    errors.fold(0.0, f64::max)
}

#[test]
fn colour_bars_are_within_two_code_values_of_the_recommendations() {
    let tile = |colour| bars().tile(colour, 256, 32, Fit::Contain);
    for colour in colours() {
        assert!(worst_bar(&draw_on_cpu(&[tile(colour)], 256, 32), colour) <= 1.0, "cpu {colour:?}");
    }
    for (drawing, encoding) in [Drawing::Shaders, Drawing::Processor].into_iter().flat_map(|d| [(d, false), (d, true)])
    {
        let Some(mut target) = target(drawing, encoding) else { return };
        for colour in colours() {
            let worst = worst_bar(&draw(&mut target, &[tile(colour)], 256, 32), colour);
            println!("{drawing:?}, encoding target: {encoding}, {colour:?}: off by at most {worst:.2}");
            assert!(worst <= 2.0, "{drawing:?} {encoding} {colour:?}: {worst}");
        }
    }
}

#[test]
fn contain_draws_bars_and_cover_crops() {
    let tile = |fit| quarters(Size::new(64, 64)).tile(Colour::default(), 128, 64, fit);
    check_on_both(
        || tile(Fit::Contain),
        128,
        64,
        |drawn, path| {
            let bar = style().backdrop;
            let bar = [bar.red, bar.green, bar.blue, 255];
            for x in [0, 31, 96, 127] {
                assert_eq!(drawn.pixel(x, 32), bar, "{path} {x}");
            }
            let seen = [(33, 4), (94, 4), (33, 60), (94, 60)].map(|(x, y)| quarter(drawn.pixel(x, y)));
            assert_eq!(seen, [Some(0), Some(1), Some(2), Some(3)], "{path}");
        },
    );
    check_on_both(
        || tile(Fit::Cover),
        128,
        64,
        |drawn, path| {
            let seen = [(0, 0), (127, 0), (0, 63), (127, 63)].map(|(x, y)| quarter(drawn.pixel(x, y)));
            assert_eq!(seen, [Some(0), Some(1), Some(2), Some(3)], "{path}");
        },
    );
}

#[test]
fn a_picture_is_mirrored_if_its_tile_says_so() {
    for (mirrored, order) in [(false, [0, 1, 2, 3]), (true, [1, 0, 3, 2])] {
        let picture = quarters(Size::new(96, 48));
        let tile = || Tile { mirrored, ..picture.tile(Colour::default(), 60, 60, Fit::Cover) };
        check_on_both(tile, 60, 60, |drawn, path| {
            let seen = [(4, 4), (55, 4), (4, 55), (55, 55)].map(|(x, y)| quarter(drawn.pixel(x, y)));
            assert_eq!(seen, order.map(Some), "{path} mirrored: {mirrored}");
        });
    }
}

#[test]
fn every_sample_of_an_odd_picture_is_drawn_without_bleeding() {
    for size in [Size::new(7, 5), Size::new(1, 1), Size::new(33, 1), Size::new(641, 3)] {
        let grey = |x: u16, y: u16| u8::try_from((x * 31 + y * 57) % 200 + 20).unwrap();
        let picture = Picture::new(size, |x, y| [grey(x, y), 128, 128]);
        let colour = Colour { full_range: true, ..Colour::default() };
        let tile = || picture.tile(colour, size.width, size.height, Fit::Cover);
        check_on_both(tile, size.width.into(), size.height.into(), |drawn, path| {
            for (x, y) in (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y))) {
                let off = error(drawn.pixel(x.into(), y.into()), colour, [grey(x, y), 128, 128]);
                assert!(off <= 1.0, "{path} {size} at {x},{y}: {off}");
            }
        });
    }
}

#[test]
fn a_new_size_leaves_nothing_of_the_larger_picture() {
    let Some(mut target) = offscreen() else { return };
    let feed = Feed::new();
    let tile = Tile { feed: Some(feed.clone()), ..Tile::new(1, Area::new(0.0, 0.0, 60.0, 40.0)) };
    let flat = |size, yuv| Picture::new(size, move |_, _| yuv);
    for (number, size) in (0..).zip([Size::new(640, 360), Size::new(601, 351), Size::new(9, 7), Size::new(1280, 720)]) {
        let yuv = QUARTERS[usize::try_from(number).unwrap()];
        assert!(flat(size, yuv).publish(&feed, Colour::default(), number));
        let drawn = draw(&mut target, std::slice::from_ref(&tile), 60, 40);
        let worst = (0..40).flat_map(|y| (0..60).map(move |x| (x, y)));
        let worst = worst.map(|(x, y)| error(drawn.pixel(x, y), Colour::default(), yuv)).fold(0.0, f64::max);
        assert!(worst <= 2.0, "{size}: {worst}");
    }
}

#[test]
fn corners_have_the_area_of_a_circle() {
    let tile = || {
        let white = Picture::new(Size::new(64, 64), |_, _| [235, 128, 128]);
        Tile { corner: 16.0, ..white.tile(Colour::default(), 64, 64, Fit::Cover) }
    };
    check_on_both(tile, 64, 64, |drawn, path| {
        let light = |x, y| f64::from(drawn.pixel(x, y)[0]) / 255.0;
        let area: f64 = (0..64).flat_map(|y| (0..64).map(move |x| (x, y))).map(|(x, y)| light(x, y)).sum();
        let exact = 64.0 * 64.0 - (4.0 - PI) * 16.0 * 16.0;
        assert!((area - exact).abs() < 2.0, "{path}: {area} instead of {exact}");
        assert_eq!((light(0, 0), light(32, 0), light(32, 32)), (0.0, 1.0, 1.0), "{path}");
        let soft =
            (0..16).flat_map(|y| (0..16).map(move |x| (x, y))).filter(|(x, y)| (0.02..0.98).contains(&light(*x, *y)));
        assert!((14..40).contains(&soft.count()), "{path}: the edge is one pixel soft");
        for (x, y) in (0..64).flat_map(|y| (0..64).map(move |x| (x, y))) {
            assert!((light(x, y) - light(63 - x, y)).abs() < 0.02 && (light(x, y) - light(x, 63 - y)).abs() < 0.02);
        }
    });
}

#[test]
fn reduced_pictures_are_averaged() {
    // Lines one sample wide are grey if they are reduced eight times.
    let lines = Picture::new(Size::new(512, 512), |x, _| [if x % 2 == 0 { 16 } else { 235 }, 128, 128]);
    let tile = || lines.tile(Colour::default(), 64, 64, Fit::Cover);
    check_on_both(tile, 64, 64, |drawn, path| {
        let worst = (0..64).map(|x| (i32::from(drawn.pixel(x, 20)[1]) - 128).abs()).max();
        assert!(worst < Some(24), "{path}: {worst:?}");
    });
}

/// A figure in front of a wall, for visual inspection.
fn portrait(size: Size, shirt: [u8; 2], wall: [u8; 3]) -> Picture {
    let (w, h) = (f32::from(size.width), f32::from(size.height));
    Picture::new(size, move |x, y| {
        let (x, y) = (f32::from(x) / w * w / h - w / h / 2.0, f32::from(y) / h);
        let light = |base: u8, gain: f32| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
            let light = (f32::from(base) + gain) as u8;
            light
        };
        let face = (x / 0.15).powi(2) + ((y - 0.42) / 0.2).powi(2);
        let hair = (x / 0.17).powi(2) + ((y - 0.38) / 0.22).powi(2);
        let body = (x / 0.42).powi(2) + ((y - 1.05) / 0.42).powi(2);
        if face < 1.0 && y > 0.33 {
            [light(170, -40.0 * face - 60.0 * x), 110, 150]
        } else if hair < 1.0 {
            [light(52, 30.0 * (1.0 - hair)), 124, 134]
        } else if body < 1.0 {
            [light(110, 40.0 * (1.0 - body) - 60.0 * x), shirt[0], shirt[1]]
        } else {
            [light(wall[0], -50.0 * y - 30.0 * x), wall[1], wall[2]]
        }
    })
}

/// Four tiles: a speaker, a muted participant with a long name, one without a camera, and a shared portrait window.
fn meeting() -> Vec<Tile> {
    let cell = |index: u16| {
        let (column, row) = (f32::from(index % 2), f32::from(index / 2));
        Area::new(12.0 + column * 634.0, 12.0 + row * 354.0, 622.0, 342.0)
    };
    let shown = |picture: &Picture| {
        let feed = Feed::new();
        assert!(picture.publish(&feed, Colour::default(), 1));
        Some(feed)
    };
    let tag = |text: &str, muted| Some(Tag { text: Arc::from(text), muted, mark: None });
    let base = |id: u16| Tile { corner: 12.0, ..Tile::new(id.into(), cell(id)) };
    let (anne, bob) = (
        portrait(Size::new(640, 360), [150, 110], [170, 132, 124]),
        portrait(Size::new(1280, 720), [118, 160], [120, 120, 134]),
    );
    let page = Picture::new(Size::new(360, 640), |x, y| {
        let word = y % 20 < 10 && (x * 7 + y / 20 * 13) % 64 < 50 && (30..330).contains(&x);
        [if word { 60 } else { 230 }, 128, 128]
    });
    vec![
        Tile { feed: shown(&anne), ring: Some(Rgba::opaque(0x5b_b0ff)), tag: tag("Anne Martin", false), ..base(0) },
        Tile {
            feed: shown(&bob),
            tag: tag(
                "Jean-Ba\u{fb03}ste de La Tour d\u{2019}Auvergne \u{2014} Direction g\u{e9}n\u{e9}rale des finances publiques, bureau 3B, site de Clermont-Ferrand",
                true,
            ),
            frozen: Some(Arc::from("Reconnecting\u{2026}")),
            ..base(1)
        },
        Tile {
            placeholder: Some(Placeholder { initials: Arc::from("CL"), colour: Rgba::opaque(0x7a_5af8) }),
            tag: tag("Chlo\u{e9} L\u{e9}v\u{ea}que", true),
            ..base(2)
        },
        Tile { feed: shown(&page), fit: Fit::Contain, tag: tag("Zo\u{eb} \u{b7} \u{e9}cran", false), ..base(3) },
    ]
}

const MEETING: [u32; 2] = [1280, 720];

/// The maximum difference of two images, and the number of values that differ by more than three.
fn difference(a: &Drawn, b: &Drawn) -> (u8, usize) {
    let differences = || a.bytes().iter().zip(b.bytes()).map(|(a, b)| a.abs_diff(*b));
    (differences().max().unwrap(), differences().filter(|difference| *difference > 3).count())
}

#[test]
fn gpu_and_cpu_draw_the_same_scene() {
    let canvas = draw_on_cpu(&meeting(), MEETING[0], MEETING[1]);
    for drawing in [Drawing::Shaders, Drawing::Processor] {
        let Some(mut target) = target(drawing, false) else { return };
        let (worst, far) = difference(&canvas, &draw(&mut target, &meeting(), MEETING[0], MEETING[1]));
        println!("{drawing:?}: off by at most {worst}, {far} values by more than 3");
        assert!(worst <= 8 && far < 400, "{drawing:?}: worst {worst}, {far} far off");
    }
}

#[test]
fn the_processor_path_updates_only_the_changed_picture() {
    let Some(mut target) = target(Drawing::Processor, false) else { return };
    let (tiles, fresh) = (meeting(), portrait(Size::new(640, 360), [100, 170], [90, 140, 110]));
    draw(&mut target, &tiles, 900, 500);
    draw(&mut target, &tiles, MEETING[0], MEETING[1]);
    assert!(fresh.publish(tiles[0].feed.as_ref().unwrap(), Colour::default(), 2));
    let drawn = draw(&mut target, &tiles, MEETING[0], MEETING[1]);
    let other = meeting();
    assert!(fresh.publish(other[0].feed.as_ref().unwrap(), Colour::default(), 2));
    let (worst, _) = difference(&drawn, &draw_on_cpu(&other, MEETING[0], MEETING[1]));
    assert!(worst <= 1, "{worst}");
}

#[test]
fn a_scene_is_drawn_and_written_for_visual_inspection() {
    let folder = std::env::temp_dir();
    let on_cpu = draw_on_cpu(&meeting(), MEETING[0], MEETING[1]);
    write_png(&folder.join("conclave-tiles-cpu.png"), on_cpu.bytes());
    let Some(mut target) = offscreen() else { return };
    let drawn = draw(&mut target, &meeting(), MEETING[0], MEETING[1]);
    write_png(&folder.join("conclave-tiles.png"), drawn.bytes());
    // The ring, the wall behind Anne, the disc of Chloé's placeholder.
    assert_eq!(drawn.pixel(320, 13), [0x5b, 0xb0, 0xff, 255]);
    assert!(drawn.pixel(60, 60)[0] > 120);
    assert_eq!(drawn.pixel(323 - 60, 366 + 171), [0x7a, 0x5a, 0xf8, 255]);
}

fn write_png(path: &std::path::Path, bytes: &[u8]) {
    let mut encoder = png::Encoder::new(std::fs::File::create(path).unwrap(), MEETING[0], MEETING[1]);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(bytes).unwrap();
    println!("{}", path.display());
}

#[test]
fn pictures_are_drawn_from_leased_staging_memory() {
    let Some(mut target) = offscreen() else { return };
    let feed = Feed::new();
    let tile = [Tile { feed: Some(feed.clone()), ..Tile::new(7, Area::new(0.0, 0.0, 32.0, 32.0)) }];
    for number in 0..40_u64 {
        let yuv = QUARTERS[usize::try_from(number % 4).unwrap()];
        let flat = Picture::new(Size::new(320, 180), move |_, _| yuv);
        // The second picture replaces the first.
        assert!(flat.publish(&feed, Colour::default(), 1_000 + number));
        assert!(flat.publish(&feed, Colour::default(), number));
        let shown = target.draw(&tile, [32, 32], 1.0, BLACK).unwrap().to_vec();
        assert_eq!(shown.iter().map(|shown| (shown.id, shown.number)).collect::<Vec<_>>(), [(7, number)]);
        assert_eq!(shown[0].captured.as_micros(), number * 1_000);
        assert!(target.draw(&tile, [32, 32], 1.0, BLACK).unwrap().is_empty());
        let bytes = target.read().unwrap();
        assert!(error(bytes[..4].try_into().unwrap(), Colour::default(), yuv) <= 2.0);
    }
    let counts = feed.counts();
    assert_eq!((counts.published, counts.shown, counts.replaced, counts.refused), (80, 40, 40, 0));
    feed.clear();
    target.draw(&tile, [32, 32], 1.0, BLACK).unwrap();
    let backdrop = style().backdrop;
    assert_eq!(target.read().unwrap()[..3], [backdrop.red, backdrop.green, backdrop.blue]);
}

#[test]
fn feeds_leases_and_targets_may_be_dropped_in_any_order() {
    let Some(mut target) = offscreen() else { return };
    let picture = quarters(Size::new(320, 180));
    let feeds: Vec<_> = (0..9).map(|_| Feed::new()).collect();
    let tile = |feed: &Feed| Tile { feed: Some(feed.clone()), ..Tile::new(1, Area::new(0.0, 0.0, 32.0, 32.0)) };
    for round in 0..3 {
        for feed in &feeds {
            assert!(picture.publish(feed, Colour::default(), round));
        }
        let tiles: Vec<_> = feeds.iter().map(tile).collect();
        assert_eq!(target.draw(&tiles, [32, 32], 1.0, BLACK).unwrap().len(), 9);
    }
    let lease = feeds[0].lease(Size::new(320, 180)).unwrap();
    let feed = feeds[1].clone();
    drop(feeds);
    target.draw(&[tile(&feed)], [32, 32], 1.0, BLACK).unwrap();
    drop(target);
    // The lease's buffer belongs to the dropped device.
    lease.publish(Colour::default(), 9, media::Timestamp::default());
    assert!(picture.publish(&feed, Colour::default(), 3));
    let Some(mut other) = offscreen() else { return };
    other.draw(&[tile(&feed)], [32, 32], 1.0, BLACK).unwrap();
    assert!(picture.publish(&feed, Colour::default(), 4));
    assert_eq!(other.draw(&[tile(&feed)], [32, 32], 1.0, BLACK).unwrap().len(), 1);
    assert_eq!(quarter(other.read().unwrap()[..4].try_into().unwrap()), Some(0));
}

#[test]
fn an_unsupported_target_size_is_an_error() {
    let Some(mut target) = offscreen() else { return };
    for size in [[0, 10], [10, 0], [u32::MAX, 1]] {
        let error = target.draw(&[], size, 1.0, BLACK).unwrap_err();
        assert!(matches!(error, render::Error::Size { .. }), "{error}");
    }
}

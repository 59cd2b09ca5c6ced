//! Tests of the canvas: changed areas, memory and clipping.

use super::*;
use crate::scene::tests::style;
use crate::{Feed, Tag};
use media::{Colour, PlaneRef, Size, Timestamp};
use std::sync::Arc;

const TARGET: [u32; 2] = [200, 100];

fn publish(feed: &Feed, luma: u8) {
    let size = Size::new(64, 36);
    let (luma, grey) = (vec![luma; 64 * 36], vec![128; 32 * 18]);
    let plane = |data, size: Size| PlaneRef { data, stride: usize::from(size.width), size };
    let planes = [plane(&luma, size), plane(&grey, size.chroma()), plane(&grey, size.chroma())];
    assert!(feed.show(planes, Colour::default(), 0, Timestamp::default()));
}

fn publish_all(feeds: &[Feed], luma: u8) {
    for feed in feeds {
        publish(feed, luma);
    }
}

fn pair() -> ([Feed; 2], Vec<Tile>) {
    let feeds = [Feed::new(), Feed::new()];
    let place = |x| Area::new(x, 0.0, 90.0, 90.0);
    let tile = |id, x, feed: &Feed| Tile { feed: Some(feed.clone()), ..Tile::new(id, place(x)) };
    let tiles = vec![tile(1, 0.0, &feeds[0]), tile(2, 100.0, &feeds[1])];
    (feeds, tiles)
}

fn draw(canvas: &mut Canvas, tiles: &[Tile]) -> Vec<Area> {
    canvas.draw(tiles, TARGET, 1.0, Rgba::opaque(0));
    canvas.damage().to_vec()
}

#[test]
fn only_changed_tiles_are_drawn() {
    let (feeds, mut tiles) = pair();
    let mut canvas = Canvas::new(style());
    publish_all(&feeds, 100);
    assert_eq!(draw(&mut canvas, &tiles), [Area::new(0.0, 0.0, 200.0, 100.0)]);
    assert_eq!(draw(&mut canvas, &tiles), []);
    publish(&feeds[1], 200);
    assert_eq!(draw(&mut canvas, &tiles), [tiles[1].area]);
    tiles[0].tag = Some(Tag { text: Arc::from("Anne"), muted: false, mark: None });
    assert_eq!(draw(&mut canvas, &tiles), [tiles[0].area]);
    tiles[0].area.x = 4.0;
    assert_eq!(draw(&mut canvas, &tiles).len(), 1);
}

#[test]
fn tiles_that_overlap_a_changed_tile_are_redrawn() {
    let (feeds, mut tiles) = pair();
    tiles[1].area = Area::new(60.0, 60.0, 40.0, 40.0);
    let mut canvas = Canvas::new(style());
    publish_all(&feeds, 100);
    draw(&mut canvas, &tiles);
    publish(&feeds[0], 235);
    assert_eq!(draw(&mut canvas, &tiles).len(), 2);
    let pixel = |x: usize, y: usize| canvas.pixels()[(y * 200 + x) * 4];
    assert_eq!((pixel(10, 10), pixel(70, 70), pixel(99, 99)), (255, 98, 98));
}

#[test]
fn an_unchanged_layout_reuses_its_memory() {
    let (feeds, tiles) = pair();
    let mut canvas = Canvas::new(style());
    let memory = |canvas: &Canvas| (canvas.pixels().as_ptr(), canvas.scene.quads.capacity(), canvas.damage.capacity());
    for _ in 0..3 {
        publish_all(&feeds, 100);
        draw(&mut canvas, &tiles);
    }
    let before = memory(&canvas);
    for _ in 0..4 {
        publish_all(&feeds, 120);
        draw(&mut canvas, &tiles);
    }
    assert_eq!(memory(&canvas), before);
    assert_eq!(feeds[0].counts().refused, 0);
}

#[test]
fn tiles_are_clipped_to_the_canvas() {
    let (feeds, mut tiles) = pair();
    publish_all(&feeds, 235);
    tiles[0].area = Area::new(-50.0, -50.0, 100.0, 100.0);
    tiles[0].corner = 30.0;
    tiles[1].area = Area::new(150.0, 50.0, 9_000.0, 9_000.0);
    tiles[1].ring = Some(Rgba::opaque(0xff_0000));
    let mut canvas = Canvas::new(style());
    draw(&mut canvas, &tiles);
    let pixel = |x: usize, y: usize| canvas.pixels()[(y * 200 + x) * 4..][..3].to_vec();
    assert_eq!(pixel(0, 0), [255, 255, 255]);
    assert_eq!(pixel(150, 99), [255, 0, 0]);
    assert_eq!(pixel(199, 99), [255, 255, 255]);
    assert_eq!(pixel(199, 0), [0, 0, 0]);
    tiles[0].area = Area::new(1e9, -1e9, 10.0, 10.0);
    tiles[1].area = Area::new(500.0, 500.0, 10.0, 10.0);
    draw(&mut canvas, &tiles);
    assert!(canvas.pixels().chunks_exact(4).all(|pixel| pixel == [0, 0, 0, 255]));
}

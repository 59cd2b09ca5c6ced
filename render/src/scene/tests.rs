//! Tests of the layout of a scene. Other tests use its style.

use super::*;
use crate::Font;
use crate::tile::{Mark, Tag};
use std::sync::Arc;

const FACE: &[u8] = include_bytes!("../../../app/assets/fonts/ConclaveSans-SemiBold.ttf");

pub(crate) fn style() -> Style {
    Style {
        font: Font::new(&[FACE]).unwrap(),
        backdrop: Rgba::opaque(0x17_1b21),
        tag_background: Rgba::opaque(0x0f_1216).with_alpha(190),
        tag_text: Rgba::opaque(0xff_ffff),
        tag_muted: Rgba::opaque(0xff_6b66),
        tag_marked: Rgba::opaque(0x00f2_c14e),
        tag_verified: Rgba::opaque(0x57_d38c),
        initials: Rgba::opaque(0xff_ffff),
        tag_size: 13.0,
        tag_weight: 600,
        ring_width: 3.0,
    }
}

fn source(class: u32) -> Source {
    let size = Size::new(640, 360);
    Source { class, layer: 0, size, colour: Colour::default() }
}

fn lay_out(tiles: &[Tile], sources: &[Option<Source>]) -> Scene {
    let (style, mut scene) = (style(), Scene::default());
    scene.lay_out(tiles, sources, &style, 1.0, &mut Text::new(&style.font));
    scene
}

fn tile(id: u64, x: f32, width: f32) -> Tile {
    Tile::new(id, Area::new(x, 0.0, width, 144.0))
}

fn right(quad: &Quad) -> f32 {
    quad.area[0] + quad.area[2]
}

#[test]
fn tiles_with_the_same_textures_are_one_batch() {
    let tiles = [tile(1, 0.0, 100.0), tile(2, 100.0, 100.0), tile(3, 200.0, 100.0), tile(4, 300.0, 100.0)];
    let scene = lay_out(&tiles, &[Some(source(1)), Some(source(0)), Some(source(1)), None]);
    let classes: Vec<_> = scene.batches.iter().map(|batch| batch.class).collect();
    assert_eq!(classes, [Some(0), Some(1)]);
    assert_eq!(scene.batches.iter().map(|batch| batch.quads.len()).sum::<usize>(), scene.quads.len());
}

#[test]
fn tiles_that_overlap_keep_their_order() {
    let tiles = [tile(1, 0.0, 100.0), tile(2, 50.0, 100.0), tile(3, 90.0, 100.0)];
    let scene = lay_out(&tiles, &[Some(source(1)), Some(source(0)), Some(source(1))]);
    assert_eq!(scene.batches.len(), 3);
    assert_eq!(scene.spans, [0..1, 1..2, 2..3]);
}

#[test]
fn a_name_stays_within_its_tile() {
    for width in 0..300_u16 {
        let mut tile = tile(1, 10.0, f32::from(width));
        let text = Arc::from("Marguerite de Navarre-Angoul\u{ea}me");
        tile.tag = Some(Tag { text, muted: width % 2 == 0, mark: (width % 3 == 0).then_some(Mark::New) });
        let scene = lay_out(&[tile], &[]);
        let edge = 10.0 + f32::from(width);
        assert!(scene.quads.iter().all(|quad| quad.area[0] >= 10.0 && right(quad) <= edge), "{width}");
    }
}

#[test]
fn a_marked_name_has_a_warning_before_it_and_the_microphone_behind() {
    let quads = |muted, marked: bool| {
        let mark = marked.then_some(Mark::Warning);
        let tag = Some(Tag { text: Arc::from("Bob"), muted, mark });
        lay_out(&[Tile { tag, ..tile(1, 0.0, 256.0) }], &[]).quads
    };
    let badges = |quads: &[Quad], colour: Rgba| -> Vec<f32> {
        let glyphs = quads.iter().filter(|quad| quad.kind() == quad::GLYPH && quad.fill == colour.bytes());
        glyphs.map(|quad| quad.area[0]).collect()
    };
    let (plain, both) = (quads(false, false), quads(true, true));
    assert_eq!(both.len(), plain.len() + 2);
    let (warning, microphone) = (badges(&both, style().tag_marked), badges(&both, style().tag_muted));
    assert_eq!((warning.len(), microphone.len()), (1, 1));
    let names = badges(&both, style().tag_text);
    assert!(
        names.iter().all(|name| warning[0] < *name && *name < microphone[0]),
        "{warning:?} {names:?} {microphone:?}"
    );
    assert!(badges(&quads(true, false), style().tag_marked).is_empty());
}

#[test]
fn each_badge_of_a_person_is_drawn_in_its_colour() {
    let count = |mark, colour: Rgba| {
        let tag = Some(Tag { text: Arc::from("Bob"), muted: false, mark });
        let quads = lay_out(&[Tile { tag, ..tile(1, 0.0, 256.0) }], &[]).quads;
        quads.iter().filter(|quad| quad.kind() == quad::GLYPH && quad.fill == colour.bytes()).count()
    };
    let letters = count(None, style().tag_text);
    assert_eq!((letters, count(None, style().tag_verified)), (3, 0));
    assert_eq!(count(Some(Mark::Verified), style().tag_verified), 1);
    assert_eq!(count(Some(Mark::Known), style().tag_text), letters + 1);
    assert_eq!(count(Some(Mark::New), style().tag_text), letters + 1);
}

#[test]
fn a_frozen_picture_is_grey_and_its_text_stays_within_the_tile() {
    for width in 0..300_u16 {
        let frozen = Some(Arc::from("Reconnexion\u{2026}"));
        let tile = Tile { frozen, ..tile(1, 10.0, f32::from(width)) };
        let scene = lay_out(std::slice::from_ref(&tile), &[Some(source(0))]);
        let edge = 10.0 + f32::from(width);
        assert!(scene.quads.iter().all(|quad| quad.area[0] >= 10.0 && right(quad) <= edge), "{width}");
        let moving = lay_out(&[Tile { frozen: None, ..tile.clone() }], &[Some(source(0))]);
        if let (Some(grey), Some(coloured)) = (scene.quads.first(), moving.quads.first()) {
            assert_eq!(grey.conversion(), coloured.conversion() + 4);
        }
        let text = scene.quads.len() - moving.quads.len();
        assert!(text > 5 || width < 120, "{width}: {text}");
        assert!(lay_out(&[tile], &[None]).quads.len() <= 1, "no text without a picture");
    }
}

#[test]
fn a_note_is_beside_the_name_or_at_the_top_and_stays_within_its_tile() {
    let mut places = [0, 0];
    for width in 0..700_u16 {
        let name = Tag { text: Arc::from("Marguerite de Navarre"), muted: true, mark: None };
        let note = Some(Arc::from("Votre connexion est lente"));
        let without = Tile { tag: Some(name), ..tile(1, 10.0, f32::from(width)) };
        let count = lay_out(std::slice::from_ref(&without), &[Some(source(0))]).quads.len();
        let scene = lay_out(&[Tile { note, ..without }], &[Some(source(0))]);
        let edge = 10.0 + f32::from(width);
        assert!(scene.quads.iter().all(|quad| quad.area[0] >= 10.0 && right(quad) <= edge), "{width}");
        let shapes: Vec<_> = scene.quads.iter().filter(|quad| quad.kind() == quad::SHAPE).collect();
        let [tag, label] = shapes[..] else {
            assert!(width < 180 && scene.quads.len() == count, "{width}: a tile that is too narrow shows no note");
            continue;
        };
        let is_beside = (label.area[1] - tag.area[1]).abs() < 0.5;
        places[usize::from(is_beside)] += 1;
        let apart = if is_beside { right(tag) <= label.area[0] } else { label.area[1] + label.area[3] <= tag.area[1] };
        assert!(apart, "{width}: the labels do not overlap");
    }
    assert!(places[0] > 50 && places[1] > 50, "{places:?}");
}

#[test]
fn a_placeholder_is_drawn_only_without_a_picture() {
    let mut tile = tile(1, 0.0, 256.0);
    tile.placeholder = Some(Placeholder { initials: Arc::from("AM"), colour: Rgba::opaque(0x33_66cc) });
    assert_eq!(lay_out(&[tile.clone()], &[None]).quads.len(), 4);
    assert_eq!(lay_out(&[tile], &[Some(source(0))]).quads.len(), 1);
}

#[test]
fn the_disc_of_a_small_tile_is_above_its_name() {
    for height in 40..200_u16 {
        let placeholder = Placeholder { initials: Arc::from("AM"), colour: Rgba::opaque(0x33_66cc) };
        let name = Tag { text: Arc::from("Anne"), muted: true, mark: None };
        let area = Area::new(0.0, 0.0, 160.0, f32::from(height));
        let tile = Tile { placeholder: Some(placeholder), tag: Some(name), ..Tile::new(1, area) };
        let scene = lay_out(&[tile], &[]);
        let shapes: Vec<_> = scene.quads.iter().filter(|quad| quad.kind() == quad::SHAPE).collect();
        let [_background, disc, tag] = shapes[..] else { panic!("{height}: {} shapes", shapes.len()) };
        assert!(disc.area[1] + disc.area[3] <= tag.area[1] + 1.0, "{height}");
    }
}

#[test]
fn invalid_areas_draw_nothing() {
    let odd = [f32::NAN, f32::INFINITY, -5.0, 0.0, 0.2];
    let tiles: Vec<_> = odd.into_iter().map(|width| tile(1, 0.0, width)).collect();
    assert!(lay_out(&tiles, &[]).quads.is_empty());
}

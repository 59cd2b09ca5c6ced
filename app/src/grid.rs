//! Places tiles in a grid. All have one size, the largest that fits. Pure: it reads no state.

use iced::{Point, Rectangle, Size};

/// The aspect ratio of a tile, which is that of most cameras.
pub const ASPECT_RATIO: f32 = 16.0 / 9.0;

/// The share of the width, or of the height if the strip is at the bottom, that a shared screen leaves to camera tiles.
const STRIP_SHARE: f32 = 0.2;

/// Places `count` tiles of one size in `room`, row by row, the last row centred, with `gap` between them.
pub fn arrange(count: usize, room: Rectangle, gap: f32) -> Vec<Rectangle> {
    if count == 0 || room.width <= 0.0 || room.height <= 0.0 {
        return Vec::new();
    }
    let (columns, tile) = best_columns(count, room.size(), gap);
    let rows = count.div_ceil(columns);
    let height = span(rows, tile.height, gap);
    let top = room.y + (room.height - height) / 2.0;
    (0..count)
        .map(|index| {
            let (row, column) = (index / columns, index % columns);
            let in_row = if row + 1 == rows { count - row * columns } else { columns };
            let left = room.x + (room.width - span(in_row, tile.width, gap)) / 2.0;
            let corner = Point::new(left + steps(column, tile.width, gap), top + steps(row, tile.height, gap));
            Rectangle::new(corner, tile)
        })
        .collect()
}

/// Places a shared screen and `count` camera tiles. The screen fills most of `room`. The tiles are in a strip: at the right
/// if the room is wide, else at the bottom.
pub fn around_screen(count: usize, room: Rectangle, gap: f32) -> (Rectangle, Vec<Rectangle>) {
    if count == 0 {
        return (room, Vec::new());
    }
    let wide = room.width >= room.height * 1.2;
    let (screen, strip) = if wide {
        let width = room.width * STRIP_SHARE;
        let screen = Rectangle { width: (room.width - width - gap).max(0.0), ..room };
        (screen, Rectangle { x: room.x + room.width - width, width, ..room })
    } else {
        let height = room.height * STRIP_SHARE;
        let screen = Rectangle { height: (room.height - height - gap).max(0.0), ..room };
        (screen, Rectangle { y: room.y + room.height - height, height, ..room })
    };
    (screen, arrange(count, strip, gap))
}

/// The number of columns with the largest tiles, and their size. If several numbers give the same size, takes the one with
/// the fewest empty places; then the most columns if `room` is wide, else the fewest.
fn best_columns(count: usize, room: Size, gap: f32) -> (usize, Size) {
    let all = (1..=count).map(|columns| (columns, largest(count.div_ceil(columns), columns, room, gap)));
    let max_width = all.clone().fold(0.0f32, |max_width, (_, tile)| max_width.max(tile.width));
    let order = |columns: usize| if room.width >= room.height { count - columns } else { columns };
    let equally_large = all.filter(|(_, tile)| tile.width > max_width - WIDTH_TOLERANCE);
    equally_large.min_by_key(|(columns, _)| (empty_places(count, *columns), order(*columns))).unwrap_or((1, Size::ZERO))
}

/// The number of empty places in the last row.
const fn empty_places(count: usize, columns: usize) -> usize {
    count.div_ceil(columns) * columns - count
}

/// Widths that differ by less count as equal, in logical pixels.
const WIDTH_TOLERANCE: f32 = 0.5;

/// The size of the largest tiles of which `rows` by `columns` fit in `room`.
fn largest(rows: usize, columns: usize, room: Size, gap: f32) -> Size {
    let width = (room.width - steps(columns - 1, 0.0, gap)) / number(columns);
    let height = (room.height - steps(rows - 1, 0.0, gap)) / number(rows);
    let width = width.min(height * ASPECT_RATIO).max(1.0);
    Size::new(width, width / ASPECT_RATIO)
}

/// The length of `count` sides with gaps between them.
fn span(count: usize, side: f32, gap: f32) -> f32 {
    number(count) * side + steps(count - 1, 0.0, gap)
}

/// The length of `count` sides, each with the gap after it.
fn steps(count: usize, side: f32, gap: f32) -> f32 {
    number(count) * (side + gap)
}

/// Converts a count of tiles. Exact up to 65,535.
fn number(count: usize) -> f32 {
    f32::from(u16::try_from(count).unwrap_or(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: f32 = 8.0;
    const EPSILON: f32 = 0.01;

    fn rooms() -> [Rectangle; 5] {
        [(1280.0, 636.0), (1920.0, 996.0), (640.0, 900.0), (900.0, 300.0), (320.0, 240.0)]
            .map(|(width, height)| Rectangle::new(Point::new(8.0, 34.0), Size::new(width, height)))
    }

    fn inside(tile: Rectangle, room: Rectangle) -> bool {
        tile.x >= room.x - EPSILON
            && tile.y >= room.y - EPSILON
            && tile.x + tile.width <= room.x + room.width + EPSILON
            && tile.y + tile.height <= room.y + room.height + EPSILON
    }

    #[test]
    fn one_to_49_tiles_fit_every_room_without_overlap() {
        for room in rooms() {
            for count in 1..=49 {
                let tiles = arrange(count, room, GAP);
                assert_eq!(tiles.len(), count);
                for (index, tile) in tiles.iter().enumerate() {
                    assert!(inside(*tile, room), "{count} in {room:?}: {tile:?}");
                    assert!((tile.width / tile.height - ASPECT_RATIO).abs() < EPSILON);
                    assert!((tile.width - tiles[0].width).abs() < EPSILON, "one size");
                    for other in &tiles[index + 1..] {
                        let apart = tile.x + tile.width + GAP <= other.x + EPSILON
                            || other.x + other.width + GAP <= tile.x + EPSILON
                            || tile.y + tile.height + GAP <= other.y + EPSILON;
                        assert!(apart, "{count} in {room:?}: {tile:?} and {other:?}");
                    }
                }
            }
        }
    }

    /// Rooms of many sizes and aspect ratios.
    fn every_room() -> impl Iterator<Item = Rectangle> {
        let sides = [200.0, 333.0, 480.0, 640.0, 714.0, 800.0, 1_024.0, 1_280.0, 1_366.0, 1_920.0, 2_560.0, 3_840.0];
        sides
            .into_iter()
            .flat_map(move |width| sides.map(|height| Rectangle::new(Point::new(8.0, 34.0), Size::new(width, height))))
    }

    /// The largest tile of all arrangements in rows and columns, by trying them all.
    fn largest_of_all(count: usize, room: Rectangle) -> f32 {
        let fits = (1..=count).flat_map(|rows| (1..=count).map(move |columns| (rows, columns)));
        let fits = fits.filter(|(rows, columns)| rows * columns >= count);
        fits.map(|(rows, columns)| {
            let width = (room.width - GAP * number(columns - 1)) / number(columns);
            let height = (room.height - GAP * number(rows - 1)) / number(rows);
            width.min(height * ASPECT_RATIO)
        })
        .fold(0.0, f32::max)
    }

    #[test]
    fn no_other_grid_has_larger_tiles() {
        for room in every_room() {
            for count in 1..=49 {
                let (width, best) = (arrange(count, room, GAP)[0].width, largest_of_all(count, room));
                assert!(width > best - WIDTH_TOLERANCE, "{count} in {room:?}: {width}, not {best}");
            }
        }
    }

    #[test]
    fn two_in_a_window_of_1280_by_800_sit_side_by_side() {
        // Both arrangements give tiles of 628 by 353 there.
        let room = Rectangle::new(Point::new(8.0, 34.0), Size::new(1_264.0, 714.0));
        let tiles = arrange(2, room, GAP);
        assert!((tiles[0].y - tiles[1].y).abs() < EPSILON, "{tiles:?}");
        let tall = Rectangle::new(Point::ORIGIN, Size::new(714.0, 811.0));
        let tiles = arrange(2, tall, GAP);
        assert!((tiles[0].x - tiles[1].x).abs() < EPSILON, "{tiles:?}");
    }

    #[test]
    fn of_equally_large_grids_the_fullest_is_used() {
        for room in every_room() {
            for count in 1..=49 {
                let tiles = arrange(count, room, GAP);
                let columns = tiles.iter().filter(|tile| (tile.y - tiles[0].y).abs() < EPSILON).count();
                let best = largest_of_all(count, room);
                let same = |columns: &usize| {
                    largest(count.div_ceil(*columns), *columns, room.size(), GAP).width > best - WIDTH_TOLERANCE
                };
                let fewest = (1..=count).filter(same).map(|columns| empty_places(count, columns)).min();
                assert_eq!(Some(empty_places(count, columns)), fewest, "{count} in {room:?}");
            }
        }
    }

    #[test]
    fn tiles_do_not_grow_when_a_participant_joins() {
        for room in rooms() {
            let widths: Vec<_> = (1..=49).map(|count| arrange(count, room, GAP)[0].width).collect();
            assert!(widths.windows(2).all(|pair| pair[1] <= pair[0] + 0.51), "{room:?}");
        }
    }

    #[test]
    fn common_meeting_sizes_have_the_expected_columns() {
        let room = Rectangle::new(Point::ORIGIN, Size::new(1280.0, 720.0));
        let columns = |count| {
            let tiles = arrange(count, room, GAP);
            tiles.iter().filter(|tile| (tile.y - tiles[0].y).abs() < EPSILON).count()
        };
        assert_eq!([1, 2, 3, 4, 5, 6, 9, 12, 16, 25, 49].map(columns), [1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 7]);
    }

    #[test]
    fn the_last_row_is_centred() {
        let room = Rectangle::new(Point::ORIGIN, Size::new(1280.0, 720.0));
        let tiles = arrange(3, room, GAP);
        assert!((tiles[2].x + tiles[2].width / 2.0 - 640.0).abs() < EPSILON);
    }

    #[test]
    fn no_tiles_or_no_room_give_an_empty_grid() {
        assert!(arrange(0, rooms()[0], GAP).is_empty());
        assert!(arrange(4, Rectangle::new(Point::ORIGIN, Size::ZERO), GAP).is_empty());
    }

    #[test]
    fn a_shared_screen_leaves_a_strip_for_the_cameras() {
        for room in rooms() {
            for count in 1..=12 {
                let (screen, cameras) = around_screen(count, room, GAP);
                assert!(inside(screen, room));
                assert!(cameras.iter().all(|camera| inside(*camera, room)));
                let apart = |camera: &Rectangle| {
                    screen.intersection(camera).is_none_or(|common| common.width * common.height < 1.0)
                };
                assert!(cameras.iter().all(apart), "{count} in {room:?}");
                assert!(screen.width * screen.height > room.width * room.height * 0.7);
            }
            assert_eq!(around_screen(0, room, GAP).0, room);
        }
    }
}

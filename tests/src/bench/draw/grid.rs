//! A grid of tiles for `cargo xtask bench draw`. The caller measures CPU time.

use media::{Colour, PlaneRef, Size, Timestamp};
use render::{Area, Drawing, Error, Feed, Offscreen, Rgba, Style, Tag, Tile, cpu};
use std::sync::Arc;

/// A grid of tiles with names and moving pictures. Publishing copies each picture into leased memory, as decode threads
/// do.
#[derive(Debug)]
pub struct Grid {
    feeds: Vec<Feed>,
    tiles: Vec<Tile>,
    pictures: Vec<[Vec<u8>; 3]>,
    picture: Size,
    target: [u32; 2],
    frame: u64,
}

impl Grid {
    /// Creates `count` tiles with pictures of size `picture` that fill `target` pixels.
    #[must_use]
    pub fn new(count: u16, picture: Size, target: [u32; 2]) -> Self {
        let feeds: Vec<_> = (0..count).map(|_| Feed::new()).collect();
        let tiles = feeds.iter().zip(cells(count, target)).zip(0..).map(|((feed, area), id)| Tile {
            feed: Some(feed.clone()),
            corner: 12.0,
            ring: (id == 3).then_some(Rgba::opaque(0x5b_b0ff)),
            tag: Some(Tag { text: Arc::from(format!("Participant {id}")), muted: id % 3 == 0, mark: None }),
            ..Tile::new(id, area)
        });
        let pictures = (0..8).map(|phase| gradient(picture, phase)).collect();
        Self { tiles: tiles.collect(), feeds, pictures, picture, target, frame: 0 }
    }

    /// Publishes the next picture on every feed. Returns the number of pictures that were not skipped.
    pub fn publish(&mut self) -> u64 {
        self.frame += 1;
        let mut published = 0;
        for (feed, offset) in self.feeds.iter().zip(0_u64..) {
            let planes = &self.pictures[((self.frame + offset) % 8) as usize];
            let plane = |data, size: Size| PlaneRef { data, stride: usize::from(size.width), size };
            let chroma = self.picture.chroma();
            let planes = [plane(&planes[0], self.picture), plane(&planes[1], chroma), plane(&planes[2], chroma)];
            let shown = feed.show(planes, Colour::default(), self.frame, Timestamp::default());
            published += u64::from(shown);
        }
        published
    }

    /// Publishes and draws once off-screen, and waits for the device. Returns the number of drawn pictures.
    ///
    /// # Errors
    /// Returns the errors of [`Offscreen::draw`].
    pub fn draw(&mut self, target: &mut Offscreen) -> Result<u64, Error> {
        self.publish();
        let shown = target.draw(&self.tiles, self.target, 1.0, Rgba::opaque(0x0f_1216))?.len() as u64;
        target.wait()?;
        Ok(shown)
    }

    /// Publishes and draws once without a GPU. Returns the number of drawn pictures.
    pub fn draw_on_cpu(&mut self, target: &mut cpu::Canvas, window: &mut Window) -> u64 {
        self.publish();
        let shown = target.draw(&self.tiles, self.target, 1.0, Rgba::opaque(0x0f_1216)).len() as u64;
        window.copy_from(target);
        shown
    }
}

/// The memory of a window, and the intermediate copy of the canvas.
#[derive(Debug, Default)]
pub struct Window {
    copy: Vec<u8>,
    words: Vec<u32>,
}

impl Window {
    /// Copies a canvas as the application's window does.
    fn copy_from(&mut self, canvas: &cpu::Canvas) {
        let [width, height] = canvas.size();
        self.copy.clear();
        self.copy.extend_from_slice(canvas.pixels());
        self.words.resize(width as usize * height as usize, 0);
        if cpu::is_opaque(&self.copy) {
            cpu::copy_opaque(&self.copy, width, &mut self.words, [width, height], [0, 0]);
        }
    }
}

/// Draws `frames` times off-screen after `warm_up` frames. `meter` returns the CPU time of the process in milliseconds.
/// Returns the CPU time per drawn picture in milliseconds.
///
/// # Errors
/// Returns the errors of [`Offscreen::new`] and [`Offscreen::draw`].
pub fn offscreen(
    style: Style,
    drawing: Drawing,
    grid: &mut Grid,
    [warm_up, frames]: [u32; 2],
    meter: impl Fn() -> f64,
) -> Result<f64, Error> {
    let mut target = Offscreen::with(style, drawing, false)?;
    for _ in 0..warm_up {
        grid.draw(&mut target)?;
    }
    let (start, mut shown) = (meter(), 0);
    for _ in 0..frames {
        shown += grid.draw(&mut target)?;
    }
    Ok(per_picture(meter() - start, shown))
}

/// As [`offscreen`], but without a device, into the memory of a window.
pub fn canvas(style: Style, grid: &mut Grid, [warm_up, frames]: [u32; 2], meter: impl Fn() -> f64) -> f64 {
    let (mut target, mut window) = (cpu::Canvas::new(style), Window::default());
    for _ in 0..warm_up {
        grid.draw_on_cpu(&mut target, &mut window);
    }
    let start = meter();
    let shown = (0..frames).map(|_| grid.draw_on_cpu(&mut target, &mut window)).sum();
    per_picture(meter() - start, shown)
}

fn per_picture(milliseconds: f64, shown: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand pictures")]
    let shown = shown.max(1) as f64;
    milliseconds / shown
}

fn cells(count: u16, [width, height]: [u32; 2]) -> impl Iterator<Item = Area> {
    let columns = (1..=count).find(|columns| columns * columns >= count).unwrap_or(1);
    let rows = count.div_ceil(columns);
    #[expect(clippy::cast_precision_loss, reason = "a few thousand pixels")]
    let (w, h) = (width as f32 / f32::from(columns), height as f32 / f32::from(rows));
    let place = move |index: u16| (f32::from(index % columns) * w, f32::from(index / columns) * h);
    (0..count).map(place).map(move |(x, y)| Area::new(x + 4.0, y + 4.0, w - 8.0, h - 8.0))
}

/// A detailed picture that depends on `phase`.
fn gradient(size: Size, phase: u16) -> [Vec<u8>; 3] {
    let plane = |size: Size, factor: u16| {
        let pixel = move |x: u16, y: u16| (x * factor / 4 + y * 3 / 2 + phase * 29) ^ (x / 8 * y / 8);
        let row = move |y| (0..size.width).map(move |x| pixel(x, y).to_le_bytes()[0]);
        (0..size.height).flat_map(row).collect()
    };
    [plane(size, 1), plane(size.chroma(), 2), plane(size.chroma(), 3)]
}

#[cfg(test)]
mod tests {
    use super::super::style;
    use super::*;

    #[test]
    fn every_tile_shows_a_new_picture_in_each_frame() {
        let mut grid = Grid::new(25, Size::new(64, 36), [320, 180]);
        let (mut canvas, mut window) = (cpu::Canvas::new(style().unwrap()), Window::default());
        for _ in 0..3 {
            assert_eq!(grid.draw_on_cpu(&mut canvas, &mut window), 25);
        }
        assert!(window.words.iter().any(|word| *word != 0), "the canvas was copied");
    }
}

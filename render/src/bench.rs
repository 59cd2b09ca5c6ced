//! What drawing costs, for `cargo xtask bench draw`: CPU time is the caller's to read, before and after.

use crate::{Area, Drawing, Error, Feed, Style, Offscreen, Rgba, Tag, Tile, cpu};
use media::{Colour, PlaneRef, Rotation, Size, Timestamp};
use std::sync::Arc;

/// A grid of moving tiles with names, and the decode threads' part of the work: one copy into leased memory.
#[derive(Debug)]
pub struct Grid {
    feeds: Vec<Feed>,
    tiles: Vec<Tile>,
    pictures: Vec<[Vec<u8>; 3]>,
    picture: Size,
    target: [u32; 2],
    turn: u64,
}

impl Grid {
    /// `count` tiles of `picture` size that fill `target` pixels.
    #[must_use]
    pub fn new(count: u16, picture: Size, target: [u32; 2]) -> Self {
        let feeds: Vec<_> = (0..count).map(|_| Feed::new()).collect();
        let tiles = feeds.iter().zip(cells(count, target)).zip(0..).map(|((feed, area), id)| Tile {
            feed: Some(feed.clone()),
            corner: 12.0,
            ring: (id == 3).then_some(Rgba::opaque(0x5b_b0ff)),
            tag: Some(Tag { text: Arc::from(format!("Participant {id}")), muted: id % 3 == 0 }),
            ..Tile::new(id, area)
        });
        let pictures = (0..8).map(|phase| gradient(picture, phase)).collect();
        Self { tiles: tiles.collect(), feeds, pictures, picture, target, turn: 0 }
    }

    /// The scene.
    #[must_use]
    pub fn tiles(&self) -> &[Tile] {
        &self.tiles
    }

    /// Publishes the next picture on every feed; returns how many found memory.
    pub fn publish(&mut self) -> u64 {
        self.turn += 1;
        let mut published = 0;
        for (feed, offset) in self.feeds.iter().zip(0_u64..) {
            let planes = &self.pictures[((self.turn + offset) % 8) as usize];
            let plane = |data, size: Size| PlaneRef { data, stride: usize::from(size.width), size };
            let chroma = self.picture.chroma();
            let planes = [plane(&planes[0], self.picture), plane(&planes[1], chroma), plane(&planes[2], chroma)];
            let shown = feed.show(planes, Colour::default(), Rotation::Upright, self.turn, Timestamp::default());
            published += u64::from(shown);
        }
        published
    }

    /// Publishes and draws once off-screen, waiting for the device; returns the pictures shown.
    ///
    /// # Errors
    /// As [`Offscreen::draw`].
    pub fn draw(&mut self, target: &mut Offscreen) -> Result<u64, Error> {
        self.publish();
        let shown = target.draw(&self.tiles, self.target, 1.0, Rgba::opaque(0x0f_1216))?.len() as u64;
        target.wait()?;
        Ok(shown)
    }

    /// Publishes and draws once without a GPU; returns the pictures shown.
    pub fn draw_on_cpu(&mut self, target: &mut cpu::Canvas, window: &mut Window) -> u64 {
        self.publish();
        let shown = target.draw(&self.tiles, self.target, 1.0, Rgba::opaque(0x0f_1216)).len() as u64;
        window.take(target);
        shown
    }
}

/// A window's memory, and the copy of a canvas on its way there.
#[derive(Debug, Default)]
pub struct Window {
    copy: Vec<u8>,
    words: Vec<u32>,
}

impl Window {
    /// Takes a canvas over as the client's window does.
    fn take(&mut self, canvas: &cpu::Canvas) {
        let [width, height] = canvas.size();
        self.copy.clear();
        self.copy.extend_from_slice(canvas.pixels());
        self.words.resize(width as usize * height as usize, 0);
        if cpu::is_opaque(&self.copy) {
            cpu::copy_opaque(&self.copy, width, &mut self.words, [width, height], [0, 0]);
        }
    }
}

/// Draws `turns` times off-screen, after `warm_up` turns, and reads `meter` before and after: where that tells the
/// process's CPU time in milliseconds, the result is CPU milliseconds for each shown picture.
///
/// # Errors
/// As [`Offscreen::new`] and [`Offscreen::draw`].
pub fn offscreen(
    style: Style,
    drawing: Drawing,
    grid: &mut Grid,
    [warm_up, turns]: [u32; 2],
    meter: impl Fn() -> f64,
) -> Result<f64, Error> {
    let mut target = Offscreen::with(style, drawing, false)?;
    for _ in 0..warm_up {
        grid.draw(&mut target)?;
    }
    let (start, mut shown) = (meter(), 0);
    for _ in 0..turns {
        shown += grid.draw(&mut target)?;
    }
    Ok(each(meter() - start, shown))
}

/// As [`offscreen`], without any device, into a window's memory.
pub fn canvas(style: Style, grid: &mut Grid, [warm_up, turns]: [u32; 2], meter: impl Fn() -> f64) -> f64 {
    let (mut target, mut window) = (cpu::Canvas::new(style), Window::default());
    for _ in 0..warm_up {
        grid.draw_on_cpu(&mut target, &mut window);
    }
    let start = meter();
    let shown = (0..turns).map(|_| grid.draw_on_cpu(&mut target, &mut window)).sum();
    each(meter() - start, shown)
}

fn each(milliseconds: f64, shown: u64) -> f64 {
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

/// A picture with detail everywhere, different for each phase.
fn gradient(size: Size, phase: u16) -> [Vec<u8>; 3] {
    let plane = |size: Size, factor: u16| {
        let pixel = move |x: u16, y: u16| (x * factor / 4 + y * 3 / 2 + phase * 29) ^ (x / 8 * y / 8);
        let row = move |y| (0..size.width).map(move |x| pixel(x, y).to_le_bytes()[0]);
        (0..size.height).flat_map(row).collect()
    };
    [plane(size, 1), plane(size.chroma(), 2), plane(size.chroma(), 3)]
}

//! Converts tiles to a scene of `render` and draws it: with the GPU in iced's render pass, without a GPU as one image per
//! tile.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use bytes::Bytes;

use iced::advanced::image::Handle;
use iced::widget::shader;
use iced::{Color, Rectangle, Size, wgpu};
use render::{Area, Fit, Font, Placeholder, Rgba, Style, Tag};

use super::tile::Tile;
use crate::theme::{FONT_FILES, ON_AVATAR, RADIUS_TILE, RING_SPEAKING, TEXT_SMALL, Theme};

/// The content of a stage.
#[derive(Debug)]
pub struct Scene {
    /// The tiles, in physical pixels from the corner of the stage.
    pub tiles: Vec<render::Tile>,
    /// Colours and font. `None` if the bundled font cannot be read, which a test excludes.
    pub look: Option<Style>,
}

/// The font of names and initials: the bundled one, and the system's fonts for letters that it lacks. The first call
/// reads the font folders, which takes 10 ms or more, so [`crate::run`] makes the first call on a separate thread.
pub fn tile_font() -> Option<Font> {
    static FONT: OnceLock<Option<Font>> = OnceLock::new();
    FONT.get_or_init(|| Font::new(&FONT_FILES).ok().map(Font::with_system_fallback)).clone()
}

/// The colours and the font of the stage in this theme.
pub fn look(theme: &Theme) -> Option<Style> {
    let c = theme.colours();
    Some(Style {
        font: tile_font()?,
        backdrop: rgba(c.stage),
        tag_background: rgba(c.scrim),
        tag_text: rgba(c.on_scrim),
        tag_muted: rgba(crate::theme::DARK.danger),
        tag_marked: rgba(crate::theme::DARK.warn),
        tag_verified: rgba(crate::theme::DARK.good),
        initials: rgba(ON_AVATAR),
        tag_size: TEXT_SMALL - 1.0,
        tag_weight: 600,
        ring_width: RING_SPEAKING,
    })
}

/// Converts tiles with their bounds.
pub fn scene(tiles: &[Tile], places: &[Rectangle], theme: &Theme, scale: f32) -> Vec<render::Tile> {
    tiles
        .iter()
        .zip(places)
        .enumerate()
        .map(|(index, (tile, place))| render_tile(index, tile, *place, theme, scale))
        .collect()
}

fn render_tile(index: usize, tile: &Tile, place: Rectangle, theme: &Theme, scale: f32) -> render::Tile {
    let area = Area::new(place.x * scale, place.y * scale, place.width * scale, place.height * scale);
    let placeholder = Placeholder { initials: tile.initials.clone(), colour: rgba(tile.colour) };
    render::Tile {
        feed: tile.feed.clone(),
        fit: if tile.view.is_screen() { Fit::Contain } else { Fit::Cover },
        corner: RADIUS_TILE.min(place.height / 8.0) * scale,
        mirrored: tile.mirrored,
        ring: tile.speaking.then(|| rgba(theme.colours().accent)),
        tag: (!tile.name.is_empty()).then(|| Tag { text: tile.name.clone(), muted: tile.muted, mark: tile.mark }),
        placeholder: Some(placeholder),
        note: tile.note.clone(),
        frozen: tile.frozen_text(Instant::now()),
        ..render::Tile::new(index as u64, area)
    }
}

/// The GPU state between frames. One per renderer, created when the first stage is drawn.
pub struct Pipeline {
    format: wgpu::TextureFormat,
    stage: Option<render::Stage>,
}

impl Pipeline {
    /// Uploads new frames and prepares the scene for a render pass over `bounds` logical pixels.
    pub fn prepare(&mut self, scene: &Scene, device: &wgpu::Device, queue: &wgpu::Queue, bounds: Size, scale: f32) {
        let Some(look) = scene.look.clone() else { return };
        let stage = match &mut self.stage {
            Some(stage) => {
                stage.set_style(look);
                stage
            }
            empty @ None => empty.insert(render::Stage::new(device, queue, self.format, look)),
        };
        stage.prepare(device, queue, &scene.tiles, pixels(bounds, scale), scale);
    }

    /// Draws the prepared scene.
    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>) {
        if let Some(stage) = &self.stage {
            stage.draw(pass);
        }
    }
}

impl shader::Pipeline for Pipeline {
    fn new(_device: &wgpu::Device, _queue: &wgpu::Queue, format: wgpu::TextureFormat) -> Self {
        Self { format, stage: None }
    }
}

/// Draws the scene without a GPU, as one image per tile. A new image is created only if the tile changed.
#[derive(Default)]
pub struct Canvas {
    inner: Option<render::cpu::Canvas>,
    parts: Vec<Part>,
    background: Option<Color>,
    pool: BufferPool,
}

/// The image of a tile.
pub struct Part {
    /// The pixels.
    pub handle: Handle,
    /// Left, top, width and height in physical pixels, from the corner of the stage.
    pub place: [u32; 4],
}

/// Buffers of images that the window no longer uses, for reuse.
type BufferPool = Arc<Mutex<Vec<Vec<u8>>>>;

/// The pixels of an image. Dropping it returns the buffer to its pool.
struct PooledBuffer {
    pixels: Vec<u8>,
    pool: BufferPool,
}

impl Canvas {
    /// Draws the scene on `bounds` logical pixels. The caller draws the background between the tiles.
    pub fn draw(&mut self, scene: &[render::Tile], theme: &Theme, bounds: Size, scale: f32) -> &[Part] {
        let Some(look) = look(theme) else { return &[] };
        let background = theme.colours().background;
        let canvas = self.inner.get_or_insert_with(|| render::cpu::Canvas::new(look.clone()));
        if self.background.replace(background) != Some(background) {
            canvas.set_style(look);
        }
        canvas.draw(scene, pixels(bounds, scale), scale, rgba(background));
        let size = canvas.size();
        let places =
            scene.iter().map(|tile| pixel_rect(tile.area, size)).filter(|[_, _, width, height]| width * height > 0);
        let mut before = std::mem::take(&mut self.parts).into_iter();
        for place in places {
            let known = before.next().filter(|part| part.place == place);
            let changed = canvas.damage().iter().any(|area| overlap(pixel_rect(*area, size), place));
            self.parts.push(known.filter(|_| !changed).unwrap_or_else(|| {
                let copy = PooledBuffer::of(canvas.pixels(), size[0], place, &self.pool);
                Part { handle: Handle::from_rgba(place[2], place[3], Bytes::from_owner(copy)), place }
            }));
        }
        &self.parts
    }
}

/// The part of an area that is on a canvas, rounded to whole pixels as [`render::cpu`] rounds: left, top, width and height.
fn pixel_rect(area: Area, [width, height]: [u32; 2]) -> [u32; 4] {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cut to the canvas")]
    let edge = |place: f32, max: u32| (place.round().max(0.0) as u32).min(max);
    let (left, top) = (edge(area.x, width), edge(area.y, height));
    let (right, bottom) = (edge(area.x + area.width, width), edge(area.y + area.height, height));
    [left, top, right - left.min(right), bottom - top.min(bottom)]
}

fn overlap(a: [u32; 4], b: [u32; 4]) -> bool {
    let across = a[0] < b[0] + b[2] && b[0] < a[0] + a[2];
    across && a[1] < b[1] + b[3] && b[1] < a[1] + a[3]
}

impl PooledBuffer {
    /// Copies a rectangle of `pixels`, which have `stride` pixels per row.
    fn of(pixels: &[u8], stride: u32, [left, top, width, height]: [u32; 4], pool: &BufferPool) -> Self {
        let mut copy = pool.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        copy.clear();
        let columns = left as usize * 4..(left + width) as usize * 4;
        let rows = pixels.chunks_exact(stride as usize * 4).skip(top as usize).take(height as usize);
        rows.for_each(|row| copy.extend_from_slice(&row[columns.clone()]));
        Self { pixels: copy, pool: Arc::clone(pool) }
    }
}

impl AsRef<[u8]> for PooledBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.pixels
    }
}

impl Drop for PooledBuffer {
    fn drop(&mut self) {
        let mut buffers = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if buffers.len() < MAX_POOLED_BUFFERS {
            buffers.push(std::mem::take(&mut self.pixels));
        }
    }
}

/// The maximum number of unused buffers, enough for all tiles of a stage.
const MAX_POOLED_BUFFERS: usize = 64;

fn pixels(bounds: Size, scale: f32) -> [u32; 2] {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the size of a window")]
    let whole = |side: f32| (side * scale).round().max(0.0) as u32;
    [whole(bounds.width), whole(bounds.height)]
}

fn rgba(colour: Color) -> Rgba {
    let [red, green, blue, alpha] = colour.into_rgba8();
    Rgba { red, green, blue, alpha }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_font_can_be_read() {
        assert!(look(&Theme::DARK).is_some());
    }
}

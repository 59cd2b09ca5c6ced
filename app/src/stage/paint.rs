//! From tiles to a scene of `render`: with the GPU inside iced's own pass, without one as a picture.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;

use iced::advanced::image::Handle;
use iced::widget::shader;
use iced::{Color, Rectangle, Size, wgpu};
use render::{Area, Fit, Font, Look, Placeholder, Rgba, Tag};

use super::Tile;
use crate::theme::{FONT_FILES, ON_AVATAR, RADIUS_TILE, RING_SPEAKING, TEXT_SMALL, Theme};

/// What one window's stage shows now, in logical pixels from its own corner.
#[derive(Debug)]
pub struct Scene {
    /// In physical pixels.
    pub tiles: Vec<render::Tile>,
    /// Colours and letters; `None` where our own font cannot be read, which a test excludes.
    pub look: Option<Look>,
}

/// The faces that names are written with: ours, then the system's for letters that it lacks. The first call reads the
/// font folders (some ten milliseconds and more): [`crate::run`] makes it on a thread of its own at the start.
pub fn faces() -> Option<Font> {
    static FACES: OnceLock<Option<Font>> = OnceLock::new();
    FACES.get_or_init(|| Font::new(&FONT_FILES).ok().map(Font::with_system_fallback)).clone()
}

/// How the stage looks in this theme.
pub fn look(theme: &Theme) -> Option<Look> {
    let c = theme.colours();
    Some(Look {
        font: faces()?,
        backdrop: rgba(c.stage),
        tag_paper: rgba(c.scrim),
        tag_ink: rgba(c.on_scrim),
        tag_muted: rgba(crate::theme::DARK.danger),
        initials: rgba(ON_AVATAR),
        tag_size: TEXT_SMALL - 1.0,
        tag_weight: 600,
        ring_width: RING_SPEAKING,
    })
}

/// The tiles at their places.
pub fn scene(tiles: &[Tile], places: &[Rectangle], theme: &Theme, scale: f32) -> Vec<render::Tile> {
    tiles.iter().zip(places).enumerate().map(|(index, (tile, place))| one(index, tile, *place, theme, scale)).collect()
}

fn one(index: usize, tile: &Tile, place: Rectangle, theme: &Theme, scale: f32) -> render::Tile {
    let area = Area::new(place.x * scale, place.y * scale, place.width * scale, place.height * scale);
    let placeholder = Placeholder { initials: tile.initials.clone(), colour: rgba(tile.colour) };
    render::Tile {
        feed: tile.feed.clone(),
        fit: if tile.view.is_screen() { Fit::Contain } else { Fit::Cover },
        corner: RADIUS_TILE.min(place.height / 8.0) * scale,
        mirrored: tile.mirrored,
        ring: tile.speaking.then(|| rgba(theme.colours().accent)),
        tag: (!tile.name.is_empty()).then(|| Tag { text: tile.name.clone(), muted: tile.muted }),
        placeholder: Some(placeholder),
        ..render::Tile::new(index as u64, area)
    }
}

/// What the GPU keeps between frames. One for each renderer, made when the first stage is drawn.
pub struct Pipeline {
    format: wgpu::TextureFormat,
    stage: Option<render::Stage>,
}

impl Pipeline {
    /// Uploads new pictures and lays the scene out for a pass over `bounds` logical pixels.
    pub fn prepare(&mut self, scene: &Scene, device: &wgpu::Device, queue: &wgpu::Queue, bounds: Size, scale: f32) {
        let Some(look) = scene.look.clone() else { return };
        let stage = match &mut self.stage {
            Some(stage) => {
                stage.set_look(look);
                stage
            }
            empty @ None => empty.insert(render::Stage::new(device, queue, self.format, look)),
        };
        stage.prepare(device, queue, &scene.tiles, pixels(bounds, scale), scale);
    }

    /// Draws what was prepared.
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

/// The same scene without a GPU, as a picture for each tile that is made again only where something changed.
#[derive(Default)]
pub struct Canvas {
    inner: Option<render::cpu::Canvas>,
    parts: Vec<Part>,
    ground: Option<Color>,
    shelf: Shelf,
}

/// A tile as a picture, in physical pixels from the stage's corner.
pub struct Part {
    /// Its pixels.
    pub handle: Handle,
    /// Left, top, width, height.
    pub place: [u32; 4],
}

/// Copies of the canvas that the window has let go of, to be written again.
type Shelf = Arc<Mutex<Vec<Vec<u8>>>>;

/// One copy, which goes back to its shelf.
struct Copy {
    pixels: Vec<u8>,
    shelf: Shelf,
}

impl Canvas {
    /// The scene on `bounds` logical pixels. The ground between the tiles is the caller's.
    pub fn draw(&mut self, scene: &[render::Tile], theme: &Theme, bounds: Size, scale: f32) -> &[Part] {
        let Some(look) = look(theme) else { return &[] };
        let ground = theme.colours().ground;
        let canvas = self.inner.get_or_insert_with(|| render::cpu::Canvas::new(look.clone()));
        if self.ground.replace(ground) != Some(ground) {
            canvas.set_look(look);
        }
        canvas.draw(scene, pixels(bounds, scale), scale, rgba(ground));
        let size = canvas.size();
        let places =
            scene.iter().map(|tile| within(tile.area, size)).filter(|[_, _, width, height]| width * height > 0);
        let mut before = std::mem::take(&mut self.parts).into_iter();
        for place in places {
            let known = before.next().filter(|part| part.place == place);
            let changed = canvas.damage().iter().any(|area| overlap(within(*area, size), place));
            self.parts.push(known.filter(|_| !changed).unwrap_or_else(|| {
                let copy = Copy::of(canvas.pixels(), size[0], place, &self.shelf);
                Part { handle: Handle::from_rgba(place[2], place[3], Bytes::from_owner(copy)), place }
            }));
        }
        &self.parts
    }
}

/// The whole pixels of an area that lie on a canvas, as [`render::cpu`] draws it: left, top, width, height.
fn within(area: Area, [width, height]: [u32; 2]) -> [u32; 4] {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cut to the canvas")]
    let edge = |place: f32, most: u32| (place.round().max(0.0) as u32).min(most);
    let (left, top) = (edge(area.x, width), edge(area.y, height));
    let (right, bottom) = (edge(area.x + area.width, width), edge(area.y + area.height, height));
    [left, top, right - left.min(right), bottom - top.min(bottom)]
}

fn overlap(a: [u32; 4], b: [u32; 4]) -> bool {
    let across = a[0] < b[0] + b[2] && b[0] < a[0] + a[2];
    across && a[1] < b[1] + b[3] && b[1] < a[1] + a[3]
}

impl Copy {
    /// A part of `pixels`, which are `stride` to a row.
    fn of(pixels: &[u8], stride: u32, [left, top, width, height]: [u32; 4], shelf: &Shelf) -> Self {
        let mut copy = shelf.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        copy.clear();
        let columns = left as usize * 4..(left + width) as usize * 4;
        let rows = pixels.chunks_exact(stride as usize * 4).skip(top as usize).take(height as usize);
        rows.for_each(|row| copy.extend_from_slice(&row[columns.clone()]));
        Self { pixels: copy, shelf: Arc::clone(shelf) }
    }
}

impl AsRef<[u8]> for Copy {
    fn as_ref(&self) -> &[u8] {
        &self.pixels
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let mut spare = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < SPARE {
            spare.push(std::mem::take(&mut self.pixels));
        }
    }
}

/// Copies that wait at most: those of all tiles that anybody looks at at once.
const SPARE: usize = 64;

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
    fn our_font_can_be_read() {
        assert!(look(&Theme::DARK).is_some());
    }
}

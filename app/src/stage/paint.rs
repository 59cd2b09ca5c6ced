//! From tiles to a scene of `render`: with the GPU inside iced's own pass, without one as a picture.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;

use iced::advanced::image::Handle;
use iced::widget::shader;
use iced::{Color, Rectangle, Size, wgpu};
use render::{Area, Fit, Font, Look, Placeholder, Rgba, Tag};

use super::Tile;
use crate::model::Shows;
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
        fit: match tile.view.shows {
            Shows::Camera => Fit::Cover,
            Shows::Screen => Fit::Contain,
        },
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

/// The same scene without a GPU, as one picture that is drawn again only where something changed.
#[derive(Default)]
pub struct Canvas {
    inner: Option<render::cpu::Canvas>,
    drawn: Option<Handle>,
    ground: Option<Color>,
    shelf: Shelf,
}

/// Copies of the canvas that the window has let go of, to be written again.
type Shelf = Arc<Mutex<Vec<Vec<u8>>>>;

/// One copy, which goes back to its shelf.
struct Copy {
    pixels: Vec<u8>,
    shelf: Shelf,
}

impl Canvas {
    /// The scene as a picture of `bounds` logical pixels.
    pub fn draw(&mut self, scene: &[render::Tile], theme: &Theme, bounds: Size, scale: f32) -> Option<Handle> {
        let look = look(theme)?;
        let ground = theme.colours().ground;
        let canvas = self.inner.get_or_insert_with(|| render::cpu::Canvas::new(look.clone()));
        if self.ground.replace(ground) != Some(ground) {
            canvas.set_look(look);
        }
        let size = pixels(bounds, scale);
        canvas.draw(scene, size, scale, rgba(ground));
        if !canvas.damage().is_empty() || self.drawn.is_none() {
            let [width, height] = canvas.size();
            let pixels = Copy::of(canvas.pixels(), &self.shelf);
            self.drawn = (width > 0 && height > 0).then(|| Handle::from_rgba(width, height, Bytes::from_owner(pixels)));
        }
        self.drawn.clone()
    }
}

impl Copy {
    fn of(pixels: &[u8], shelf: &Shelf) -> Self {
        let mut copy = shelf.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        copy.clear();
        copy.extend_from_slice(pixels);
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
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if shelf.len() < SPARE {
            shelf.push(std::mem::take(&mut self.pixels));
        }
    }
}

/// One is shown while the next one is written.
const SPARE: usize = 2;

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

//! The content of a window: layers for the rasteriser, and images that are only copied.
//!
//! An image is copied if it is opaque, on whole pixels and not clipped. The rasteriser draws everything on top of it. If
//! two copied images of one layer overlap, both must show the same there: the stage composes its tiles.

use iced::advanced::graphics::{Image, damage};
use iced::advanced::image::{Handle, Id};
use iced::{Rectangle, Size};
use iced_tiny_skia::Layer;

/// The content of one window at one time.
pub struct Scene {
    scale: f32,
    layers: Vec<Layer>,
    pictures: Vec<Picture>,
}

/// An image that is copied.
pub struct Picture {
    handle: Handle,
    place: Place,
    bounds: Rectangle,
    /// The parts that something else covers.
    covered: Vec<Rectangle>,
}

/// A rectangle in physical pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

impl Scene {
    /// Builds the scene of `layers`. `scale` is physical pixels per logical pixel.
    pub fn of(layers: &[Layer], scale: f32) -> Self {
        let mut scene = Self { scale, layers: layers.to_vec(), pictures: Vec::new() };
        for index in 0..scene.layers.len() {
            let layer = &mut scene.layers[index];
            let (bounds, images) = (layer.bounds, std::mem::take(&mut layer.images));
            // From the topmost image down, so that the layer contains the rasterised images that cover a picture.
            for image in images.into_iter().rev() {
                if let Some(mut picture) = Picture::of(&image, bounds, scale) {
                    picture.covered = scene.covered_parts(index, &picture, scale);
                    scene.pictures.push(picture);
                } else {
                    scene.layers[index].images.push(image);
                }
            }
            scene.layers[index].images.reverse();
        }
        scene
    }

    /// The parts of a picture that something covers, on whole pixels and without overlaps.
    fn covered_parts(&self, index: usize, picture: &Picture, scale: f32) -> Vec<Rectangle> {
        let Layer { bounds, text, images, .. } = &self.layers[index];
        let above = Layer { text: text.clone(), images: images.clone(), ..empty(*bounds) };
        let over = std::iter::once(&above).chain(&self.layers[index + 1..]);
        let mut parts: Vec<Rectangle> = Vec::new();
        for bounds in over.flat_map(|layer| Layer::damage(&empty(layer.bounds), layer)) {
            let Some(mut part) = snap_outward(bounds, scale).intersection(&picture.bounds) else { continue };
            while let Some(at) = parts.iter().position(|other| other.intersects(&part)) {
                part = part.union(&parts.swap_remove(at));
            }
            parts.push(part);
        }
        parts
    }

    /// The pictures that a buffer with the scene `before` does not show.
    pub fn new_pictures(&self, before: Option<&Self>) -> impl Iterator<Item = &Picture> {
        let known = move |picture: &Picture| {
            before.is_some_and(|before| before.pictures.iter().any(|old| old.is_same(picture)))
        };
        self.pictures.iter().filter(move |picture| !known(picture))
    }

    /// The areas that the rasteriser must draw over a buffer with the scene `before`, in logical pixels: what changed
    /// beside pictures, the places of removed pictures, and what covers new ones.
    pub fn damage(&self, before: Option<&Self>, window: Size) -> Vec<Rectangle> {
        let whole = Rectangle::with_size(window);
        let mut changed = match before {
            Some(before) => damage::diff(&before.layers, &self.layers, |layer| vec![layer.bounds], Layer::damage),
            None => vec![whole],
        };
        let removed =
            before.iter().flat_map(|before| &before.pictures).filter(|old| !self.has_picture_at_place_of(old));
        changed.extend(removed.map(|old| old.bounds));
        let mut parts = damage::group(changed, whole);
        for part in &mut parts {
            *part = snap_outward(*part, self.scale);
        }
        for picture in &self.pictures {
            parts = parts.into_iter().flat_map(|part| picture.subtract_from(part)).collect();
        }
        parts.extend(self.new_pictures(before).flat_map(|picture| &picture.covered));
        // The rasteriser does not accept areas smaller than a pixel.
        parts.retain(|part| part.width >= 1.0 && part.height >= 1.0);
        parts
    }

    /// Whether a picture now has the place of `old`.
    fn has_picture_at_place_of(&self, old: &Picture) -> bool {
        self.pictures.iter().any(|picture| picture.place == old.place)
    }
}

impl Picture {
    /// Converts an image; `None` if it cannot be copied.
    fn of(image: &Image, clip: Rectangle, scale: f32) -> Option<Self> {
        let Image::Raster { image, bounds, clip_bounds } = image else { return None };
        let Handle::Rgba { width, height, pixels, .. } = &image.handle else { return None };
        let place = Place::of(*bounds, scale)?;
        let plain = image.rotation.0 == 0.0 && image.opacity >= 1.0 && image.border_radius == 0.0.into();
        let whole =
            bounds.is_within(&clip.expand(PIXEL_TOLERANCE)) && bounds.is_within(&clip_bounds.expand(PIXEL_TOLERANCE));
        let exact = (place.width, place.height) == (*width, *height);
        (plain && whole && exact && render::cpu::is_opaque(pixels)).then(|| Self {
            handle: image.handle.clone(),
            place,
            bounds: *bounds,
            covered: Vec::new(),
        })
    }

    fn is_same(&self, other: &Self) -> bool {
        self.id() == other.id() && self.place == other.place
    }

    fn id(&self) -> Id {
        self.handle.id()
    }

    /// The parts of `part` that the rasteriser must draw: those beside the picture, and those in which something covers it.
    fn subtract_from(&self, part: Rectangle) -> Vec<Rectangle> {
        let Some(shared) = part.intersection(&self.bounds) else { return vec![part] };
        let (right, bottom) = (part.x + part.width, part.y + part.height);
        let (shared_right, shared_bottom) = (shared.x + shared.width, shared.y + shared.height);
        let band = |x: f32, y: f32, right: f32, bottom: f32| Rectangle { x, y, width: right - x, height: bottom - y };
        let mut parts = vec![
            band(part.x, part.y, right, shared.y),
            band(part.x, shared_bottom, right, bottom),
            band(part.x, shared.y, shared.x, shared_bottom),
            band(shared_right, shared.y, right, shared_bottom),
        ];
        parts.extend(self.covered.iter().filter_map(|covered| covered.intersection(&shared)));
        parts
    }

    /// Copies the pixels into the buffer of a window.
    pub fn copy(&self, buffer: &mut [u32], width: u32, height: u32) {
        let Handle::Rgba { pixels, .. } = &self.handle else { return };
        let Place { left, top, .. } = self.place;
        render::cpu::copy_opaque(pixels, self.place.width, buffer, [width, height], [left, top]);
    }
}

impl Place {
    /// Returns `None` if the rectangle is not on whole pixels.
    fn of(bounds: Rectangle, scale: f32) -> Option<Self> {
        let whole = |side: f32| {
            let pixels = (side * scale).round();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
            ((0.0..=16_384.0).contains(&pixels) && (pixels - side * scale).abs() < PIXEL_TOLERANCE)
                .then_some(pixels as u32)
        };
        Some(Self {
            left: whole(bounds.x)?,
            top: whole(bounds.y)?,
            width: whole(bounds.width)?,
            height: whole(bounds.height)?,
        })
    }
}

/// Extends a rectangle to whole physical pixels.
fn snap_outward(bounds: Rectangle, scale: f32) -> Rectangle {
    let (left, top) = ((bounds.x * scale).floor() / scale, (bounds.y * scale).floor() / scale);
    let right = ((bounds.x + bounds.width) * scale).ceil() / scale;
    let bottom = ((bounds.y + bounds.height) * scale).ceil() / scale;
    Rectangle { x: left, y: top, width: right - left, height: bottom - top }
}

fn empty(bounds: Rectangle) -> Layer {
    Layer { bounds, ..Layer::default() }
}

/// The tolerance for rounding errors, in pixels.
const PIXEL_TOLERANCE: f32 = 0.02;

//! Updates the pixel buffer of a window: copies new images, and rasterises what changed beside them and on top of them.

use std::collections::VecDeque;

use iced::Color;
use iced::advanced::graphics::Viewport;
use iced_tiny_skia::Renderer;
use tiny_skia::{Mask, PixmapMut};

use super::scene::Scene;

/// Updates the buffers of one window. Remembers what each of them shows.
#[derive(Default)]
pub struct BufferUpdater {
    mask: Option<Mask>,
    /// The last scenes with their backgrounds, the newest first.
    shown: VecDeque<(Scene, Color)>,
    /// The number of buffers that the display server uses in turn: the largest age so far.
    buffers: u8,
}

impl BufferUpdater {
    /// Forgets what the buffers show, because they are new.
    pub fn reset(&mut self) {
        self.shown.clear();
    }

    /// Draws the layers of `renderer` into `buffer`, whose pixels are 0xAARRGGBB. The buffer shows the scene of `age` calls
    /// ago, or nothing if `age` is 0. Returns `None` if the buffer does not have the size of the viewport.
    pub fn update(
        &mut self,
        renderer: &mut Renderer,
        viewport: &Viewport,
        background: Color,
        buffer: &mut [u32],
        age: u8,
    ) -> Option<()> {
        let size = viewport.physical_size();
        let pixels = size.width as usize * size.height as usize;
        if buffer.len() != pixels {
            return None;
        }
        let before = usize::from(age).checked_sub(1).and_then(|index| self.shown.get(index));
        let before = before.filter(|(_, old)| *old == background).map(|(scene, _)| scene);
        let scene = Scene::of(renderer.layers(), viewport.scale_factor());
        let damage = scene.damage(before, viewport.logical_size());
        for picture in scene.new_pictures(before) {
            picture.copy(buffer, size.width, size.height);
        }
        if !damage.is_empty() {
            let mask = self.mask.take().filter(|mask| (mask.width(), mask.height()) == (size.width, size.height));
            let mask = self.mask.insert(mask.or_else(|| Mask::new(size.width, size.height))?);
            let mut pixels = PixmapMut::from_bytes(bytemuck::cast_slice_mut(buffer), size.width, size.height)?;
            renderer.draw(&mut pixels, mask, viewport, &damage, background);
        }
        self.buffers = self.buffers.max(age).max(1);
        self.shown.push_front((scene, background));
        self.shown.truncate(usize::from(self.buffers));
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iced::advanced::Renderer as _;
    use iced::advanced::image::{Handle, Image, Renderer as _};
    use iced::advanced::renderer::{Headless, Quad};
    use iced::{Font, Pixels, Point, Rectangle, Size};

    const BACKGROUND: Color = Color::from_rgb(0.1, 0.2, 0.3);
    const SIZE: Size<u32> = Size::new(160, 120);

    struct Fixture {
        renderer: Renderer,
        buffer_updater: BufferUpdater,
        buffer: Vec<u32>,
        /// The position of the image, if there is one.
        place: Option<Point>,
        /// The position of an image in the same layer that cannot be copied, such as an icon, if there is one.
        icon: Option<Point>,
        icon_image: Handle,
    }

    /// An image of 100 by 60 pixels in one colour. If `alpha` is not 255, one pixel is not opaque.
    fn picture(red: u8, alpha: u8) -> Handle {
        let mut pixels = [red, 80, 160, 255].repeat(100 * 60);
        pixels[4 * 50 + 3] = alpha;
        Handle::from_rgba(100, 60, pixels)
    }

    fn area(x: f32, y: f32, width: f32, height: f32) -> Rectangle {
        Rectangle::new(Point::new(x, y), Size::new(width, height))
    }

    impl Fixture {
        fn new() -> Self {
            let renderer = Renderer::new(Font::DEFAULT, Pixels(16.0));
            Self {
                renderer,
                buffer_updater: BufferUpdater::default(),
                buffer: vec![0; 160 * 120],
                place: Some(Point::new(20.0, 30.0)),
                icon: None,
                icon_image: Handle::from_rgba(12, 12, [250, 250, 20, 120].repeat(144)),
            }
        }

        /// Draws a bar at the top, an image, and a translucent rectangle over both. Then compares every pixel with the
        /// output of the rasteriser for the whole scene.
        fn show(&mut self, bar: f32, picture: &Handle, over: Option<Rectangle>, age: u8) {
            let viewport = Viewport::with_physical_size(SIZE, 1.0);
            self.renderer.reset(Rectangle::with_size(viewport.logical_size()));
            let quad = |bounds| Quad { bounds, ..Quad::default() };
            self.renderer.fill_quad(quad(area(0.0, 0.0, bar, 20.0)), Color::WHITE);
            if let Some(place) = self.place.map(|place| area(place.x, place.y, 100.0, 60.0)) {
                self.renderer.draw_image(Image::new(picture.clone()), place, place);
            }
            if let Some(icon) = self.icon.map(|place| area(place.x, place.y, 12.0, 12.0)) {
                self.renderer.draw_image(Image::new(self.icon_image.clone()), icon, icon);
            }
            if let Some(over) = over {
                self.renderer.with_layer(area(0.0, 0.0, 160.0, 120.0), |renderer| {
                    renderer.fill_quad(quad(over), Color::from_rgba(1.0, 0.0, 0.0, 0.5));
                });
            }
            let done = self.buffer_updater.update(&mut self.renderer, &viewport, BACKGROUND, &mut self.buffer, age);
            assert_eq!(done, Some(()));
            let expected = self.renderer.screenshot(SIZE, 1.0, BACKGROUND);
            for (at, (word, expected)) in self.buffer.iter().zip(expected.chunks_exact(4)).enumerate() {
                let [_, red, green, blue] = word.to_be_bytes();
                let near = [red, green, blue].iter().zip(expected).all(|(got, want)| got.abs_diff(*want) <= 1);
                assert!(near, "{word:08x} for {expected:?} at {}, {}", at % 160, at / 160);
            }
        }
    }

    #[test]
    fn a_partial_update_equals_a_full_redraw() {
        let mut fixture = Fixture::new();
        let covered = Some(area(100.3, 70.7, 49.5, 40.2));
        fixture.show(40.0, &picture(10, 255), None, 0);
        fixture.show(40.0, &picture(20, 255), None, 1);
        fixture.show(80.0, &picture(20, 255), None, 1);
        fixture.show(80.0, &picture(30, 255), covered, 1);
        fixture.show(80.0, &picture(40, 255), covered, 1);
        fixture.show(10.0, &picture(40, 255), Some(area(10.0, 10.0, 30.0, 30.0)), 1);
        fixture.show(10.0, &picture(40, 255), None, 1);
    }

    #[test]
    fn an_image_that_moves_or_disappears_is_erased() {
        let mut fixture = Fixture::new();
        fixture.show(40.0, &picture(10, 255), None, 0);
        fixture.place = Some(Point::new(50.0, 55.0));
        fixture.show(40.0, &picture(10, 255), None, 1);
        fixture.place = None;
        fixture.show(40.0, &picture(10, 255), None, 1);
    }

    #[test]
    fn an_icon_on_an_image_is_drawn_over_it() {
        let mut fixture = Fixture::new();
        fixture.show(40.0, &picture(10, 255), None, 0);
        fixture.icon = Some(Point::new(60.0, 50.0));
        for red in [20, 20, 30] {
            fixture.show(40.0, &picture(red, 255), None, 1);
        }
        fixture.icon = Some(Point::new(110.0, 80.0));
        fixture.show(40.0, &picture(30, 255), None, 1);
        fixture.icon = None;
        fixture.show(40.0, &picture(40, 255), None, 1);
    }

    #[test]
    fn an_image_that_is_not_opaque_is_rasterised() {
        let mut fixture = Fixture::new();
        fixture.show(40.0, &picture(10, 0), None, 0);
        fixture.show(40.0, &picture(10, 255), None, 1);
        fixture.show(40.0, &picture(20, 100), None, 1);
    }

    #[test]
    fn each_of_two_alternating_buffers_is_updated() {
        let mut fixture = Fixture::new();
        let mut other = vec![0; 160 * 120];
        let covered = [None, Some(area(100.0, 70.0, 50.0, 40.0))];
        for turn in 0..8 {
            std::mem::swap(&mut fixture.buffer, &mut other);
            let age = if turn < 2 { 0 } else { 2 };
            fixture.show(f32::from(turn) * 20.0, &picture(turn, 255), covered[usize::from(turn / 3 % 2)], age);
        }
    }

    #[test]
    fn a_buffer_of_another_size_is_refused() {
        let mut fixture = Fixture::new();
        let viewport = Viewport::with_physical_size(Size::new(10, 10), 1.0);
        assert_eq!(
            fixture.buffer_updater.update(&mut fixture.renderer, &viewport, BACKGROUND, &mut fixture.buffer, 0),
            None
        );
    }

    /// The areas that are rasterised when a new image is shown, with an icon at `icon`.
    fn rasterised_for_a_new_image(icon: Option<Point>) -> Vec<Rectangle> {
        let (mut first, mut second) = (Fixture::new(), Fixture::new());
        (first.icon, second.icon) = (icon, icon);
        second.icon_image = first.icon_image.clone();
        first.show(40.0, &picture(10, 255), None, 0);
        second.show(40.0, &picture(20, 255), None, 0);
        let ((before, _), (after, _)) = (&first.buffer_updater.shown[0], &second.buffer_updater.shown[0]);
        assert_eq!(after.new_pictures(Some(before)).count(), 1);
        after.damage(Some(before), Size::new(160.0, 120.0))
    }

    #[test]
    fn a_new_image_alone_needs_no_rasterising() {
        assert_eq!(rasterised_for_a_new_image(None), Vec::new());
    }

    #[test]
    fn for_a_new_image_only_the_icon_on_it_is_rasterised() {
        assert_eq!(rasterised_for_a_new_image(Some(Point::new(140.0, 5.0))), Vec::new(), "the icon is beside it");
        let parts = rasterised_for_a_new_image(Some(Point::new(60.0, 50.0)));
        assert_eq!(parts, vec![area(59.0, 49.0, 14.0, 14.0)], "the icon is on it");
    }
}

//! A wrapper of iced's renderer. iced selects the compositor of a program by the type of its renderer, so our
//! compositor needs its own type.

use iced::advanced::image::{Allocation, Error, Handle};
use iced::advanced::renderer::{Headless, Quad};
use iced::advanced::text::{self, Text};
use iced::{Background, Color, Font, Pixels, Point, Rectangle, Size, Transformation};

use crate::kit::wake::Waker;

/// The renderer of one window.
pub struct Renderer {
    pub(super) inner: iced::Renderer,
    /// Notified when the redraw in progress is on the screen.
    pub(super) waker: Option<Waker>,
}

impl From<iced::Renderer> for Renderer {
    fn from(inner: iced::Renderer) -> Self {
        Self { inner, waker: None }
    }
}

impl iced::advanced::Renderer for Renderer {
    fn start_layer(&mut self, bounds: Rectangle) {
        self.inner.start_layer(bounds);
    }

    fn end_layer(&mut self) {
        self.inner.end_layer();
    }

    fn start_transformation(&mut self, transformation: Transformation) {
        self.inner.start_transformation(transformation);
    }

    fn end_transformation(&mut self) {
        self.inner.end_transformation();
    }

    fn fill_quad(&mut self, quad: Quad, background: impl Into<Background>) {
        self.inner.fill_quad(quad, background);
    }

    fn reset(&mut self, new_bounds: Rectangle) {
        self.inner.reset(new_bounds);
    }

    fn allocate_image(&mut self, handle: &Handle, callback: impl FnOnce(Result<Allocation, Error>) + Send + 'static) {
        self.inner.allocate_image(handle, callback);
    }
}

impl text::Renderer for Renderer {
    type Font = Font;
    type Paragraph = <iced::Renderer as text::Renderer>::Paragraph;
    type Editor = <iced::Renderer as text::Renderer>::Editor;

    const ICON_FONT: Font = iced::Renderer::ICON_FONT;
    const CHECKMARK_ICON: char = iced::Renderer::CHECKMARK_ICON;
    const ARROW_DOWN_ICON: char = iced::Renderer::ARROW_DOWN_ICON;
    const SCROLL_UP_ICON: char = iced::Renderer::SCROLL_UP_ICON;
    const SCROLL_DOWN_ICON: char = iced::Renderer::SCROLL_DOWN_ICON;
    const SCROLL_LEFT_ICON: char = iced::Renderer::SCROLL_LEFT_ICON;
    const SCROLL_RIGHT_ICON: char = iced::Renderer::SCROLL_RIGHT_ICON;
    const ICED_LOGO: char = iced::Renderer::ICED_LOGO;

    fn default_font(&self) -> Font {
        self.inner.default_font()
    }

    fn default_size(&self) -> Pixels {
        self.inner.default_size()
    }

    fn fill_paragraph(&mut self, text: &Self::Paragraph, position: Point, color: Color, clip_bounds: Rectangle) {
        self.inner.fill_paragraph(text, position, color, clip_bounds);
    }

    fn fill_editor(&mut self, editor: &Self::Editor, position: Point, color: Color, clip_bounds: Rectangle) {
        self.inner.fill_editor(editor, position, color, clip_bounds);
    }

    fn fill_text(&mut self, text: Text<String, Font>, position: Point, color: Color, clip_bounds: Rectangle) {
        self.inner.fill_text(text, position, color, clip_bounds);
    }
}

impl Headless for Renderer {
    async fn new(font: Font, size: Pixels, backend: Option<&str>) -> Option<Self> {
        <iced::Renderer as Headless>::new(font, size, backend).await.map(Self::from)
    }

    fn name(&self) -> String {
        self.inner.name()
    }

    fn screenshot(&mut self, size: Size<u32>, scale_factor: f32, background_color: Color) -> Vec<u8> {
        self.inner.screenshot(size, scale_factor, background_color)
    }
}

//! Draws the meeting's screen into a picture, without a window but with the same view.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use iced::advanced::mouse;
use iced::advanced::renderer::{Headless, Style};
use iced::theme::Base;
use iced::{Event, Size, window};
use iced_runtime::user_interface::{Cache, UserInterface};

use crate::kit::Element;
use crate::locale::Language;
use crate::model::{Devices, MeetingModel};
use crate::pictures::Pictures;
use crate::screen::Context;
use crate::screen::meeting::{Meeting, Panel};
use crate::theme::{self, Choice, REGULAR, TEXT_BODY, Theme};

/// The screen of a meeting without a window. Draws pictures of it.
pub struct Snapshot {
    meeting: Meeting,
    pictures: Pictures,
    language: Language,
    theme: Choice,
}

/// A picture: one byte each of red, green, blue and alpha for each pixel, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rgba {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Four bytes for each pixel.
    pub pixels: Vec<u8>,
}

/// Why no picture was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither the GPU nor the CPU can draw.
    #[error("neither the GPU nor the CPU can draw the window")]
    NoRenderer,
    /// The file cannot be written.
    #[error("the picture cannot be written: {0}")]
    File(#[from] std::io::Error),
    /// The picture cannot be compressed.
    #[error("the picture cannot be written: {0}")]
    Png(#[from] png::EncodingError),
}

impl Snapshot {
    /// Creates the screen of a meeting that is not entered yet.
    pub fn new(language: Language, theme: Choice) -> Self {
        let meeting = Meeting::new(MeetingModel::default(), Devices::default());
        Self { meeting, pictures: Pictures::default(), language, theme }
    }

    /// The output that the engine writes its pictures to. May be used on any thread.
    pub fn output(&self) -> Arc<dyn engine::VideoOutput> {
        self.pictures.output()
    }

    /// Handles an event of the engine.
    pub fn handle_event(&mut self, event: &engine::Event) {
        // Without a window there are no assistive tools.
        let _announcements = self.meeting.handle_event(event, Instant::now());
    }

    /// Opens a side panel.
    pub fn open(&mut self, panel: Panel) {
        self.meeting.open(panel);
    }

    /// Draws the screen: `width` by `height` physical pixels, `scale` physical pixels per logical pixel. Takes some hundred
    /// milliseconds.
    ///
    /// # Errors
    /// Returns [`Error::NoRenderer`] if nothing can draw.
    pub fn picture(&self, width: u32, height: u32, scale: f32) -> Result<Rgba, Error> {
        #[expect(clippy::cast_precision_loss, reason = "the size of a picture")]
        let size = Size::new(width as f32 / scale, height as f32 / scale);
        let context = Context {
            language: self.language,
            theme: self.theme,
            bandwidth: crate::model::bandwidth::Bandwidth::default(),
            reduced_motion: true,
            size,
            scale,
            now: Instant::now(),
        };
        let theme = Theme::of(self.theme, iced::theme::Mode::Dark).with_reduced_motion();
        snapshot(self.meeting.view(&context, &self.pictures, &[]), &theme, [width, height], scale)
    }

    /// Draws the screen into a PNG file.
    ///
    /// # Errors
    /// Returns [`Error`] if nothing can draw or the file cannot be written.
    pub fn save(&self, path: &Path, width: u32, height: u32, scale: f32) -> Result<(), Error> {
        save(path, &self.picture(width, height, scale)?)
    }
}

/// Draws a view without a window: on the GPU if there is one, else on the CPU.
///
/// # Errors
/// Returns [`Error::NoRenderer`] if nothing can draw.
pub fn snapshot<Message>(
    view: Element<'_, Message>,
    theme: &Theme,
    [width, height]: [u32; 2],
    scale: f32,
) -> Result<Rgba, Error> {
    load_fonts();
    let make = |backend| {
        let made = <iced::Renderer as Headless>::new(REGULAR, TEXT_BODY.into(), backend);
        iced::futures::executor::block_on(made)
    };
    let mut renderer = make(None).or_else(|| make(Some("tiny-skia"))).ok_or(Error::NoRenderer)?;
    Ok(draw(view, theme, [width, height], scale, &mut renderer))
}

fn draw<Message>(
    view: Element<'_, Message>,
    theme: &Theme,
    [width, height]: [u32; 2],
    scale: f32,
    renderer: &mut iced::Renderer,
) -> Rgba {
    #[expect(clippy::cast_precision_loss, reason = "the size of a picture")]
    let size = Size::new(width as f32 / scale, height as f32 / scale);
    let mut ui = UserInterface::build(view, size, Cache::new(), renderer);
    let redraw = Event::Window(window::Event::RedrawRequested(Instant::now()));
    let clipboard = &mut iced::advanced::clipboard::Null;
    let _ = ui.update(&[redraw], mouse::Cursor::Unavailable, renderer, clipboard, &mut Vec::new());
    let base = theme.base();
    ui.draw(renderer, theme, &Style { text_color: base.text_color }, mouse::Cursor::Unavailable);
    let pixels = renderer.screenshot(Size::new(width, height), scale, base.background_color);
    Rgba { width, height, pixels }
}

/// Writes a picture as a PNG file.
///
/// # Errors
/// Returns [`Error`] if the file cannot be written.
pub fn save(path: &Path, picture: &Rgba) -> Result<(), Error> {
    let file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let mut encoder = png::Encoder::new(file, picture.width, picture.height);
    encoder.set_color(png::ColorType::Rgba);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.pixels)?;
    writer.finish()?;
    Ok(())
}

/// Loads our fonts for iced's renderers outside a window. In a window, the daemon's settings load them.
pub fn load_fonts() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let system = iced::advanced::graphics::text::font_system();
        let mut system = system.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        for file in theme::FONT_FILES {
            system.load_font(file.into());
        }
    });
}

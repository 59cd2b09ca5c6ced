//! The meeting's screen without a window: the same view, drawn into a picture.

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
use crate::model::{Devices, Meeting as Model};
use crate::pictures::Pictures;
use crate::screen::Context;
use crate::screen::meeting::{Meeting, Panel};
use crate::session::{self, News};
use crate::theme::{self, Choice, REGULAR, TEXT_BODY, Theme};

/// A meeting that nobody looks at, until somebody asks for a picture. Belongs to one thread; its screen does not.
pub struct Snapshot {
    meeting: Meeting,
    pictures: Pictures,
    language: Language,
    theme: Choice,
}

/// A picture: eight bits each of red, green, blue and alpha, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rgba {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Four bytes for each pixel.
    pub pixels: Vec<u8>,
}

/// No picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither the graphics card nor the processor could draw.
    #[error("nothing on this machine can draw the window")]
    NoRenderer,
    /// The file could not be written.
    #[error("the picture cannot be written: {0}")]
    File(#[from] std::io::Error),
    /// The picture could not be compressed.
    #[error("the picture cannot be written: {0}")]
    Png(#[from] png::EncodingError),
}

impl Snapshot {
    /// A meeting that has not begun.
    pub fn new(language: Language, theme: Choice) -> Self {
        let meeting = Meeting::new(Model::default(), Devices::default());
        Self { meeting, pictures: Pictures::default(), language, theme }
    }

    /// Where the engine's pictures go.
    pub fn screen(&self) -> Arc<dyn engine::VideoOutput> {
        session::screen(&self.pictures)
    }

    /// Takes in what happened.
    pub fn hear(&mut self, event: &engine::Event) {
        let news = session::learn(&mut self.meeting.model, event);
        if news.contains(&News::Entered) {
            self.meeting.since = Some(Instant::now());
        }
    }

    /// Opens a panel at the side.
    pub fn open(&mut self, panel: Panel) {
        self.meeting.open(panel);
    }

    /// The screen now, on `width` by `height` pixels, `scale` of them to a logical one. Takes some hundred milliseconds.
    ///
    /// # Errors
    /// [`Error::NoRenderer`].
    pub fn picture(&self, width: u32, height: u32, scale: f32) -> Result<Rgba, Error> {
        #[expect(clippy::cast_precision_loss, reason = "the size of a picture")]
        let size = Size::new(width as f32 / scale, height as f32 / scale);
        let context = Context {
            language: self.language,
            theme: self.theme,
            reduced_motion: true,
            size,
            scale,
            now: Instant::now(),
        };
        let theme = Theme::of(self.theme, iced::theme::Mode::Dark).with_reduced_motion();
        snapshot(self.meeting.view(&context, &self.pictures, &[]), &theme, [width, height], scale)
    }

    /// Writes such a picture as a PNG file.
    ///
    /// # Errors
    /// [`Error`].
    pub fn save(&self, path: &Path, width: u32, height: u32, scale: f32) -> Result<(), Error> {
        save(path, &self.picture(width, height, scale)?)
    }
}

/// Draws any view without a window: with the graphics card where there is one, else with the processor.
///
/// # Errors
/// [`Error::NoRenderer`].
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
/// Where the file cannot be written.
pub fn save(path: &Path, picture: &Rgba) -> Result<(), Error> {
    let file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let mut encoder = png::Encoder::new(file, picture.width, picture.height);
    encoder.set_color(png::ColorType::Rgba);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.pixels)?;
    writer.finish()?;
    Ok(())
}

/// Makes our letters known to iced's renderers outside a window; inside one the program's settings do.
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

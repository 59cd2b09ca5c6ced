//! The window: iced screens over a view model, their kit of controls, the theme and the languages.
//!
//! Screens know neither the engine nor the network: `session` is the one file that does. Pictures bypass messages.

pub mod announce;
mod app;
pub mod embedded;
pub mod grid;
pub mod kit;
pub mod locale;
pub mod model;
pub mod pictures;
mod preview_session;
pub mod recent;
pub mod screen;
pub mod session;
pub mod snapshot;
pub mod stage;
mod surface;
pub mod theme;

pub use app::{App, Attend, Message};
pub use snapshot::Snapshot;

use std::sync::Mutex;

/// How the window begins.
#[derive(Default)]
pub struct Options {
    /// With what.
    pub start: Start,
    /// In which language, if not as remembered or as the system says.
    pub language: Option<locale::Language>,
    /// In which theme, if not as remembered or as the system says.
    pub theme: Option<theme::Choice>,
    /// Under which name, if not as remembered.
    pub name: Option<String>,
}

/// What the window shows first.
#[derive(Default)]
pub enum Start {
    /// Home.
    #[default]
    Home,
    /// The preview of the meeting that this link names; home with a complaint where it names none.
    Join(String),
    /// A meeting that is entered at once.
    Meeting(Box<Attend>),
}

/// Opens the window and returns when it is closed. Call it on the main thread.
///
/// # Errors
/// Where there is no display, or nothing that can draw on it.
pub fn run(options: Options) -> iced::Result {
    // The system's letters are read while the window opens.
    let faces = std::thread::Builder::new().name("fonts".into()).spawn(|| drop(stage::tile_font()));
    if let Err(error) = faces {
        tracing::warn!(%error, "the first names will be late");
    }
    // So is the graphics card's driver, if there is one.
    let card = std::thread::Builder::new().name("card".into()).spawn(surface::detect_drawing);
    if let Err(error) = card {
        tracing::warn!(%error, "the window will be late");
    }
    let options = Mutex::new(Some(options));
    let boot = move || {
        let options = options.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        App::boot(options.unwrap_or_default())
    };
    let mut daemon = iced::daemon(boot, App::update, view)
        .title(App::title)
        .theme(|app: &App, _| Some(app.worn()))
        .subscription(App::subscription)
        .default_font(theme::REGULAR);
    for file in theme::FONT_FILES {
        daemon = daemon.font(file);
    }
    daemon.run()
}

/// A window's content, on its way to the screen.
fn view(app: &App, window: iced::window::Id) -> iced::Element<'_, Message, theme::Theme, surface::Renderer> {
    surface::adapt_renderer(app.view(window), app.waker().cloned())
}

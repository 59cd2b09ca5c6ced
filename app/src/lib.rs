//! The window: iced screens over a view model, their controls, the theme and the languages.
//!
//! Screens know neither the engine's threads nor the network: they show the engine's events and return actions. `App`
//! and `session` turn actions into the engine's commands. Pictures are never messages.

pub mod announce;
mod app;
mod background;
pub mod bandwidth;
mod browser;
pub mod embedded;
mod file;
pub mod grid;
pub mod identity_folder;
pub mod kit;
pub mod locale;
pub mod model;
pub mod network;
pub mod networks;
pub mod organisations;
pub mod pictures;
pub mod pins;
pub mod policy;
mod preview_session;
pub mod proxy;
pub mod recent;
pub mod runner;
mod salted_hash;
pub mod screen;
pub mod session;
pub mod snapshot;
pub mod stage;
mod surface;
#[cfg(all(test, target_os = "linux"))]
mod test_bus;
pub mod theme;

pub use app::{App, Message, Options, Screen, Start};
pub use runner::Plan;
pub use snapshot::Snapshot;

use std::sync::{Mutex, PoisonError};

use runner::Runner;

/// Opens the window and returns when it is closed. If there is a plan, the window enters its meeting and
/// `options.start` is not used. Call it on the main thread.
///
/// # Errors
/// Returns an error if there is no display, or nothing can draw on it.
pub fn run(options: Options, plan: Option<Plan>) -> iced::Result {
    prepare("fonts", || drop(stage::tile_font()));
    prepare("gpu", || {
        surface::detect_drawing();
    });
    let start = Mutex::new(Some((options, plan)));
    let boot = move || {
        let start = start.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (options, plan) = start.unwrap_or_default();
        Runner::boot(options, plan)
    };
    let mut daemon = iced::daemon(boot, Runner::update, Runner::view)
        .title(Runner::title)
        .theme(Runner::theme)
        .subscription(Runner::subscription)
        .default_font(theme::REGULAR);
    for file in theme::FONT_FILES {
        daemon = daemon.font(file);
    }
    daemon.run()
}

/// Runs slow work on a thread while the window opens. Without the thread, the window does the same work later.
fn prepare(name: &str, work: impl FnOnce() + Send + 'static) {
    if let Err(error) = std::thread::Builder::new().name(name.into()).spawn(work) {
        tracing::warn!(%error, name, "cannot start a thread; the window opens more slowly");
    }
}

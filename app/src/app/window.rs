//! The window itself: size, scale, full screen, the accessibility adapter.

use iced::{Size, Subscription, Task, theme, window};

use super::message::Message;
use crate::kit::a11y::Port;
use crate::kit::adapter;
use crate::kit::visibility;
use crate::kit::wake::Waker;
use crate::surface;

/// The state of the window.
pub struct WindowState {
    id: Option<window::Id>,
    /// In logical pixels.
    pub size: Size,
    /// Physical pixels per logical pixel.
    pub scale: f32,
    /// Whether the system is dark or light.
    pub system_theme: theme::Mode,
    /// The connection to assistive tools.
    pub port: Port,
    is_full_screen: bool,
}

impl Default for WindowState {
    fn default() -> Self {
        Self {
            id: None,
            size: Size::new(1280.0, 800.0),
            scale: 1.0,
            system_theme: theme::Mode::Dark,
            port: Port::default(),
            is_full_screen: false,
        }
    }
}

impl WindowState {
    /// Creates the state of a window that is not open yet. Assistive tools redraw it through `waker`.
    pub fn new(waker: Waker) -> Self {
        Self { port: Port::new(waker), ..Self::default() }
    }

    /// The window; `None` until [`WindowState::open`] is called.
    pub fn id(&self) -> Option<window::Id> {
        self.id
    }

    /// Opens the window hidden, attaches its accessibility adapter, then shows it: an adapter must be attached before
    /// the window is shown for the first time.
    pub fn open(&mut self) -> Task<Message> {
        let settings = window::Settings {
            size: self.size,
            min_size: Some(MIN_SIZE),
            visible: false,
            exit_on_close_request: false,
            // A window that may be transparent has depth 32, whatever the depth of the screen. This one is opaque.
            transparent: surface::differs_from_screen(),
            platform_specific: platform_specific(),
            ..window::Settings::default()
        };
        let (id, open) = window::open(settings);
        self.id = Some(id);
        let (port, wanted) = (self.port.clone(), self.size);
        open.then(move |id| {
            let port = port.clone();
            let attach = window::run(id, move |window| adapter::attach(id, window, &port)).discard();
            let show = window::set_mode(id, window::Mode::Windowed);
            let scale = window::scale_factor(id).map(Message::Rescaled);
            let size = window::size(id).map(Message::Resized);
            let fit = window::monitor_size(id).then(move |monitor| match monitor.map(|monitor| fit(wanted, monitor)) {
                Some(size) if size != wanted => window::resize(id, size),
                Some(_) | None => Task::none(),
            });
            let seen = visibility::changes(id).map(Message::WindowSeen);
            attach.chain(fit).chain(show).chain(scale).chain(size).chain(seen)
        })
    }

    /// Switches to full screen, or back.
    pub fn toggle_full_screen(&mut self) -> Task<Message> {
        let Some(id) = self.id else { return Task::none() };
        self.is_full_screen = !self.is_full_screen;
        window::set_mode(id, if self.is_full_screen { window::Mode::Fullscreen } else { window::Mode::Windowed })
    }

    /// Hides the window. On Wayland a window cannot be hidden, and stays until the program ends.
    pub fn hide(&self) -> Task<Message> {
        self.id.map_or_else(Task::none, |id| window::set_mode(id, window::Mode::Hidden))
    }

    /// Detaches the accessibility adapter. Must be called before the window closes.
    pub fn detach(&self) {
        if let Some(id) = self.id {
            adapter::detach(id);
        }
    }

    /// The system's reports about the window.
    pub fn subscription() -> Subscription<Message> {
        let resized = window::resize_events().map(|(_, size)| Message::Resized(size));
        let rescaled = iced::event::listen_with(|event, _, _| {
            let iced::Event::Window(window::Event::Rescaled(scale)) = event else { return None };
            Some(Message::Rescaled(scale))
        });
        let closed = window::close_requests().map(|_| Message::CloseRequested);
        let system = iced::system::theme_changes().map(Message::SystemTheme);
        Subscription::batch([resized, rescaled, closed, system])
    }
}

/// The size of a new window: `wanted`, or what a monitor of this size has space for. In logical pixels.
fn fit(wanted: Size, monitor: Size) -> Size {
    let width = wanted.width.min(monitor.width - SIDES).max(MIN_SIZE.width);
    let height = wanted.height.min(monitor.height - PANELS).max(MIN_SIZE.height);
    Size::new(width, height)
}

/// The minimum size of the window, in logical pixels.
const MIN_SIZE: Size = Size::new(480.0, 400.0);
/// Space that a new window leaves at its sides, in logical pixels: its frame.
const SIDES: f32 = 16.0;
/// Space that a new window leaves above and below, in logical pixels: its title bar, and the panels of common desktops.
const PANELS: f32 = 96.0;

#[cfg(target_os = "linux")]
fn platform_specific() -> window::settings::PlatformSpecific {
    window::settings::PlatformSpecific { application_id: "org.conclave.Conclave".into(), ..Default::default() }
}

#[cfg(not(target_os = "linux"))]
fn platform_specific() -> window::settings::PlatformSpecific {
    window::settings::PlatformSpecific::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_window_fits_the_screen() {
        let wanted = WindowState::default().size;
        for (monitor, expected) in [
            ((1366.0, 768.0), (1280.0, 672.0)),
            ((1280.0, 800.0), (1264.0, 704.0)),
            ((2560.0, 1440.0), (1280.0, 800.0)),
            ((400.0, 300.0), (480.0, 400.0)),
        ] {
            assert_eq!(fit(wanted, Size::new(monitor.0, monitor.1)), Size::new(expected.0, expected.1), "{monitor:?}");
        }
    }
}

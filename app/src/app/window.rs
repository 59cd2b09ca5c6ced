//! The window itself: size, scale, full screen, the accessibility adapter.

use iced::{Size, Subscription, Task, theme, window};

use super::message::Message;
use crate::kit::a11y::Port;
use crate::kit::adapter;
use crate::kit::wake::Waker;

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
            min_size: Some(Size::new(480.0, 400.0)),
            visible: false,
            exit_on_close_request: false,
            platform_specific: platform_specific(),
            ..window::Settings::default()
        };
        let (id, open) = window::open(settings);
        self.id = Some(id);
        let port = self.port.clone();
        open.then(move |id| {
            let port = port.clone();
            let attach = window::run(id, move |window| adapter::attach(id, window, &port)).discard();
            let show = window::set_mode(id, window::Mode::Windowed);
            let scale = window::scale_factor(id).map(Message::Rescaled);
            let size = window::size(id).map(Message::Resized);
            attach.chain(show).chain(scale).chain(size)
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

#[cfg(target_os = "linux")]
fn platform_specific() -> window::settings::PlatformSpecific {
    window::settings::PlatformSpecific { application_id: "org.conclave.Conclave".into(), ..Default::default() }
}

#[cfg(not(target_os = "linux"))]
fn platform_specific() -> window::settings::PlatformSpecific {
    window::settings::PlatformSpecific::default()
}

//! Learns from the X server whether a window is seen, on a connection of its own.
//!
//! `VisibilityNotify` says that other windows cover it completely. While a compositor runs, the server does not know that.
//! `UnmapNotify` and the property `_NET_WM_STATE` (Extended Window Manager Hints) say that the window is minimised or on another
//! workspace.

use std::thread;

use iced::futures::stream;
use iced::window::raw_window_handle::RawWindowHandle;
use iced::{Task, window};
use tokio::sync::mpsc;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, EventMask, Property, Visibility,
};
use x11rb::rust_connection::RustConnection;

type Error = Box<dyn std::error::Error + Send + Sync>;

pub fn changes(id: window::Id) -> Task<bool> {
    let handle = window::run(id, |window| match window.window_handle().map(|handle| handle.as_raw()) {
        Ok(RawWindowHandle::Xlib(handle)) => u32::try_from(handle.window).ok(),
        Ok(RawWindowHandle::Xcb(handle)) => Some(handle.window.get()),
        Ok(_) | Err(_) => None,
    });
    handle.then(|window| window.map_or_else(Task::none, watch))
}

fn watch(window: u32) -> Task<bool> {
    let (sender, receiver) = mpsc::channel(MAX_CHANGES);
    let watch = move || {
        if let Err(error) = Watcher::run(window, &sender) {
            tracing::debug!(%error, "it is not known whether the window is seen");
        }
    };
    // The thread ends with the window. Without it, the window counts as seen.
    if let Err(error) = thread::Builder::new().name("visibility".into()).spawn(watch) {
        tracing::warn!(%error, "no thread for the visibility of the window");
    }
    Task::stream(stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver))))
}

/// What the X server says about a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    mapped: bool,
    minimised: bool,
    covered: bool,
}

impl State {
    /// A window is unmapped before it is shown for the first time, and its meeting may start then.
    const START: Self = Self { mapped: true, minimised: false, covered: false };

    fn is_seen(self) -> bool {
        self.mapped && !self.minimised && !self.covered
    }
}

struct Watcher {
    connection: RustConnection,
    window: u32,
    /// The atoms `_NET_WM_STATE` and `_NET_WM_STATE_HIDDEN`.
    atoms: [u32; 2],
    state: State,
}

impl Watcher {
    /// Sends each change until the window is destroyed, or nobody receives.
    fn run(window: u32, changes: &mpsc::Sender<bool>) -> Result<(), Error> {
        let (connection, _) = x11rb::connect(None)?;
        let mask = EventMask::VISIBILITY_CHANGE | EventMask::PROPERTY_CHANGE | EventMask::STRUCTURE_NOTIFY;
        connection.change_window_attributes(window, &ChangeWindowAttributesAux::new().event_mask(mask))?.check()?;
        let atom =
            |name: &str| -> Result<u32, Error> { Ok(connection.intern_atom(false, name.as_bytes())?.reply()?.atom) };
        let atoms = [atom("_NET_WM_STATE")?, atom("_NET_WM_STATE_HIDDEN")?];
        let mut watcher = Self { connection, window, atoms, state: State::START };
        watcher.state.minimised = watcher.is_minimised()?;
        if watcher.state != State::START && changes.blocking_send(watcher.state.is_seen()).is_err() {
            return Ok(());
        }
        loop {
            let event = watcher.connection.wait_for_event()?;
            let before = watcher.state.is_seen();
            if !watcher.handle(&event)? {
                return Ok(());
            }
            let seen = watcher.state.is_seen();
            if seen != before && changes.blocking_send(seen).is_err() {
                return Ok(());
            }
        }
    }

    /// Returns false if the window is gone.
    fn handle(&mut self, event: &Event) -> Result<bool, Error> {
        if let Event::VisibilityNotify(event) = event {
            self.state.covered = event.state == Visibility::FULLY_OBSCURED;
        } else if let Event::MapNotify(_) = event {
            self.state = State { minimised: self.is_minimised()?, ..State::START };
        } else if let Event::UnmapNotify(_) = event {
            self.state.mapped = false;
        } else if let Event::PropertyNotify(event) = event
            && event.atom == self.atoms[0]
        {
            self.state.minimised = event.state == Property::NEW_VALUE && self.is_minimised()?;
        }
        let destroyed = matches!(event, Event::DestroyNotify(event) if event.window == self.window);
        Ok(!destroyed)
    }

    fn is_minimised(&self) -> Result<bool, Error> {
        let [state, hidden] = self.atoms;
        let property =
            self.connection.get_property(false, self.window, state, AtomEnum::ATOM, 0, MAX_STATES)?.reply()?;
        Ok(property.value32().is_some_and(|mut values| values.any(|value| value == hidden)))
    }
}

/// How many changes may wait for the window.
const MAX_CHANGES: usize = 16;

/// The number of states of a window that are read. The standard has thirteen.
const MAX_STATES: u32 = 64;

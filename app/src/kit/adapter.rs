//! The accessibility adapters of the platforms, one per window. The adapters of Windows and macOS are not `Send`, so they
//! stay on the event loop's thread, where `window::run` callbacks and `Widget::update` run.

#[cfg_attr(target_os = "linux", path = "adapter/unix.rs")]
#[cfg_attr(target_os = "windows", path = "adapter/windows.rs")]
#[cfg_attr(target_os = "macos", path = "adapter/macos.rs")]
mod platform;

use std::cell::RefCell;
use std::collections::HashMap;

use accesskit::TreeUpdate;
use iced::window;

use crate::kit::a11y::Port;

thread_local!(static ADAPTERS: RefCell<HashMap<window::Id, platform::Adapter>> = RefCell::default());

/// Creates the adapter of a window. Must be called in `window::run`, before the window is shown for the first time.
pub fn attach(id: window::Id, window: &dyn iced::Window, port: &Port) {
    if let Some(adapter) = platform::new(window, port) {
        ADAPTERS.with_borrow_mut(|adapters| adapters.insert(id, adapter));
    }
}

/// Drops the adapter of a window, before the window closes.
pub fn detach(id: window::Id) {
    ADAPTERS.with_borrow_mut(|adapters| adapters.remove(&id));
}

/// Sends the changed nodes. Calls `tree` only if an assistive tool is connected.
pub fn update(id: window::Id, tree: impl FnOnce() -> TreeUpdate) {
    ADAPTERS.with_borrow_mut(|adapters| {
        if let Some(adapter) = adapters.get_mut(&id) {
            platform::update(adapter, tree);
        }
    });
}

/// Reports that the window got or lost the keyboard focus.
pub fn focused(id: window::Id, focused: bool) {
    ADAPTERS.with_borrow_mut(|adapters| {
        if let Some(adapter) = adapters.get_mut(&id) {
            platform::focused(adapter, focused);
        }
    });
}

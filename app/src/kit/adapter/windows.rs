//! The adapter for UI Automation, the accessibility interface of Windows. It is type-checked, but was never run.

use accesskit::TreeUpdate;
use iced::window::raw_window_handle::RawWindowHandle;

use crate::kit::a11y::Port;

pub type Adapter = accesskit_windows::SubclassingAdapter;

/// Creates the adapter. The window must not have been shown before.
pub fn new(window: &dyn iced::Window, port: &Port) -> Option<Adapter> {
    let RawWindowHandle::Win32(handle) = window.window_handle().ok()?.as_raw() else { return None };
    let window = accesskit_windows::HWND(handle.hwnd.get() as *mut std::ffi::c_void);
    Some(Adapter::new(window, port.clone(), port.clone()))
}

pub fn update(adapter: &mut Adapter, tree: impl FnOnce() -> TreeUpdate) {
    if let Some(events) = adapter.update_if_active(tree) {
        events.raise();
    }
}

/// Does nothing: the adapter observes the focus by itself.
pub fn focused(_adapter: &mut Adapter, _focused: bool) {}

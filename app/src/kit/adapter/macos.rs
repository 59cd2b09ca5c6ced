//! NSAccessibility. AccessKit's way in is an unsafe function that takes a raw view; until that call has a home among the
//! few files that may contain one, a window on macOS has no accessible tree.

use accesskit::TreeUpdate;

use crate::kit::a11y::Port;

pub enum Adapter {}

pub fn new(_window: &dyn iced::Window, _port: &Port) -> Option<Adapter> {
    tracing::warn!("no accessible tree on this system yet");
    None
}

pub fn update(adapter: &mut Adapter, _tree: impl FnOnce() -> TreeUpdate) {
    match *adapter {}
}

pub fn focused(adapter: &mut Adapter, _focused: bool) {
    match *adapter {}
}

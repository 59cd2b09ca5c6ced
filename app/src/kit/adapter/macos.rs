//! The adapter for NSAccessibility, the accessibility interface of macOS. It is not implemented: AccessKit needs an unsafe
//! call with a raw view, and no file of this crate may contain unsafe code. Windows on macOS have no accessibility tree.

use accesskit::TreeUpdate;

use crate::kit::a11y::Port;

pub enum Adapter {}

pub fn new(_window: &dyn iced::Window, _port: &Port) -> Option<Adapter> {
    tracing::warn!("accessibility is not implemented on this system");
    None
}

pub fn update(adapter: &mut Adapter, _tree: impl FnOnce() -> TreeUpdate) {
    match *adapter {}
}

pub fn focused(adapter: &mut Adapter, _focused: bool) {
    match *adapter {}
}

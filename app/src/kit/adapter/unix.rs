//! The adapter for AT-SPI, the accessibility interface of Linux. Without a D-Bus session bus it does nothing.

use accesskit::TreeUpdate;

use crate::kit::a11y::Port;

pub type Adapter = accesskit_unix::Adapter;

#[expect(clippy::unnecessary_wraps, reason = "on the other systems there may be no adapter")]
pub fn new(_window: &dyn iced::Window, port: &Port) -> Option<Adapter> {
    Some(Adapter::new(port.clone(), port.clone(), port.clone()))
}

pub fn update(adapter: &mut Adapter, tree: impl FnOnce() -> TreeUpdate) {
    adapter.update_if_active(tree);
}

pub fn focused(adapter: &mut Adapter, focused: bool) {
    adapter.update_window_focus_state(focused);
}

//! Whether the user can see a window. A window that is minimised, on another workspace or covered by others shows nothing,
//! so its meeting needs no pictures.

#[cfg_attr(target_os = "linux", path = "visibility/x11.rs")]
#[cfg_attr(not(target_os = "linux"), path = "visibility/polled.rs")]
mod platform;

use iced::{Task, window};

/// Reports changes: true if the user can see the window. A window counts as seen until the first report. Call it after the window
/// is open. On Wayland there are no reports, because a compositor does not tell a program whether its window is seen.
pub fn changes(id: window::Id) -> Task<bool> {
    platform::changes(id)
}

//! The pixel format of windows that are drawn in software.

/// Returns whether a window must have another pixel format than the screen. The pixel buffers of the software renderer have
/// eight bits per colour. X11 screens of depth 30, 16 and 15 have not, but they also have windows of depth 32.
#[cfg(target_os = "linux")]
pub fn differs_from_screen() -> bool {
    let wayland = ["WAYLAND_DISPLAY", "WAYLAND_SOCKET"];
    let is_wayland = wayland.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    // `detect_drawing` is last: it waits for the graphics driver, which a thread loads while the window opens.
    !is_wayland && lacks_eight_bits() == Some(true) && super::detect_drawing() == render::Drawing::Processor
}

/// Returns false: the screens of these systems accept pixels with eight bits per colour.
#[cfg(not(target_os = "linux"))]
pub fn differs_from_screen() -> bool {
    false
}

/// Returns whether the pixels of the X11 screen do not have eight bits per colour. Returns `None` if the display server does
/// not answer.
#[cfg(target_os = "linux")]
fn lacks_eight_bits() -> Option<bool> {
    use x11rb::connection::Connection;
    let (connection, screen) = x11rb::connect(None).ok()?;
    let screen = connection.setup().roots.get(screen)?;
    let visuals = screen.allowed_depths.iter().flat_map(|depth| &depth.visuals);
    let visual = visuals.into_iter().find(|visual| visual.visual_id == screen.root_visual)?;
    Some((visual.red_mask, visual.green_mask, visual.blue_mask) != (0xFF_0000, 0xFF00, 0xFF))
}

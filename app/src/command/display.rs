//! Whether there is a display that a window could open on. The window's own library ends the program where there is none.

/// Why no window can open here; `None` where one can. Asks the display server itself: a variable may name one that is gone.
#[cfg(target_os = "linux")]
pub fn missing() -> Option<String> {
    // The order in which the window's library looks for them.
    if set("WAYLAND_SOCKET") {
        return None;
    }
    if let Some(name) = value("WAYLAND_DISPLAY") {
        // An absolute name stands for itself (wayland-client, wl_display_connect).
        let folder = std::env::var_os("XDG_RUNTIME_DIR").unwrap_or_default();
        let socket = std::path::Path::new(&folder).join(&name);
        let refused = std::os::unix::net::UnixStream::connect(&socket).err();
        return refused.map(|error| format!("no Wayland display answers at {}: {error}", socket.display()));
    }
    let Some(name) = value("DISPLAY") else {
        return Some("neither DISPLAY nor WAYLAND_DISPLAY is set".into());
    };
    let refused = x11rb::connect(None).err();
    refused.map(|error| format!("no X display answers at {}: {error}", name.to_string_lossy()))
}

/// Why no window can open here: these systems have a display wherever somebody is signed in.
#[cfg(not(target_os = "linux"))]
pub fn missing() -> Option<String> {
    None
}

#[cfg(target_os = "linux")]
fn set(name: &str) -> bool {
    value(name).is_some()
}

#[cfg(target_os = "linux")]
fn value(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

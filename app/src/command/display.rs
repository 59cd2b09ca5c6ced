//! Checks whether there is a display. The window library aborts the program if there is none, so we check first.

/// Says why no window can open. Returns `None` if one can. Connects to the display server, because the environment may
/// name a server that has stopped.
#[cfg(target_os = "linux")]
pub fn missing() -> Option<String> {
    // In the order in which the window library tries them.
    if is_set("WAYLAND_SOCKET") {
        return None;
    }
    if let Some(name) = value("WAYLAND_DISPLAY") {
        // An absolute name is a path (wayland-client, wl_display_connect).
        let folder = std::env::var_os("XDG_RUNTIME_DIR").unwrap_or_default();
        let socket = std::path::Path::new(&folder).join(&name);
        let refused = std::os::unix::net::UnixStream::connect(&socket).err();
        return refused.map(|error| format!("the Wayland display does not answer at {}: {error}", socket.display()));
    }
    let Some(name) = value("DISPLAY") else {
        return Some("neither DISPLAY nor WAYLAND_DISPLAY is set".into());
    };
    let refused = x11rb::connect(None).err();
    refused.map(|error| format!("the X display does not answer at {}: {error}", name.to_string_lossy()))
}

/// Returns `None`: these systems have a display whenever a user is logged in.
#[cfg(not(target_os = "linux"))]
pub fn missing() -> Option<String> {
    None
}

#[cfg(target_os = "linux")]
fn is_set(name: &str) -> bool {
    value(name).is_some()
}

#[cfg(target_os = "linux")]
/// The value of an environment variable. An empty value counts as not set.
fn value(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

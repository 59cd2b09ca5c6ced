//! The monitors of an X11 screen.

use crate::BoxError;
use media::Size;
use x11rb::connection::RequestConnection;
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ConnectionExt as _, Window};
use x11rb::rust_connection::RustConnection;

/// A part of the screen, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    /// The distance from the left edge of the screen.
    pub left: i16,
    /// The distance from the upper edge of the screen.
    pub top: i16,
    /// Width and height.
    pub size: Size,
}

impl Area {
    /// The whole screen.
    pub(super) fn whole(size: Size) -> Self {
        Self { left: 0, top: 0, size }
    }
}

/// Returns the name and the area of each active monitor. The list is empty if the server lacks the RANDR extension. Also
/// subscribes to changes of the monitors.
pub(super) fn monitors(connection: &RustConnection, root: Window) -> Result<Vec<(String, Area)>, BoxError> {
    if connection.extension_information(randr::X11_EXTENSION_NAME)?.is_none() {
        return Ok(Vec::new());
    }
    let version = connection.randr_query_version(MIN_VERSION.0, MIN_VERSION.1)?.reply()?;
    if (version.major_version, version.minor_version) < MIN_VERSION {
        return Ok(Vec::new());
    }
    connection.randr_select_input(root, randr::NotifyMask::SCREEN_CHANGE)?.check()?;
    let monitors = connection.randr_get_monitors(root, true)?.reply()?.monitors;
    let mut found = Vec::with_capacity(monitors.len());
    for monitor in monitors {
        let name = connection.get_atom_name(monitor.name)?.reply()?.name;
        let size = Size::new(monitor.width, monitor.height);
        if !size.is_empty() {
            let area = Area { left: monitor.x, top: monitor.y, size };
            found.push((String::from_utf8_lossy(&name).into_owned(), area));
        }
    }
    Ok(found)
}

/// The first version of RANDR with monitors.
const MIN_VERSION: (u32, u32) = (1, 5);

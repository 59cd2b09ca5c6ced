//! Reads the pixels of a screen: through memory shared with the server, or over the wire where that cannot be.

use super::ffi::Mapping;
use crate::BoxError;
use media::Size;
use x11rb::connection::{Connection, RequestConnection};
use x11rb::protocol::shm::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat, Window};
use x11rb::rust_connection::RustConnection;

/// A way to read pictures of one size.
pub(super) enum Grab {
    /// The server writes where we read.
    Shared(Shared),
    /// The server sends each picture: slower, and another buffer each time.
    Sent(Vec<u8>),
}

/// Memory of the server's making, for one picture.
pub(super) struct Shared {
    segment: shm::Seg,
    memory: Mapping,
}

impl Grab {
    /// Shares memory with the server for pictures of `size` where both can.
    pub(super) fn new(connection: &RustConnection, size: Size) -> Result<Self, BoxError> {
        if connection.extension_information(shm::X11_EXTENSION_NAME)?.is_none() {
            return Ok(Self::Sent(Vec::new()));
        }
        let version = connection.shm_query_version()?.reply()?;
        if (version.major_version, version.minor_version) < FIRST_WITH_DESCRIPTORS {
            return Ok(Self::Sent(Vec::new()));
        }
        match share(connection, size) {
            Ok(shared) => Ok(Self::Shared(shared)),
            Err(error) => {
                tracing::debug!(%error, "no memory shared with the display server");
                Ok(Self::Sent(Vec::new()))
            }
        }
    }

    /// The pixels of `window`, four bytes each, row after row. The caller may draw on them.
    pub(super) fn read(
        &mut self,
        connection: &RustConnection,
        window: Window,
        size: Size,
    ) -> Result<&mut [u8], BoxError> {
        let Size { width, height } = size;
        match self {
            Self::Shared(Shared { segment, memory }) => {
                let format = u8::from(ImageFormat::Z_PIXMAP);
                connection.shm_get_image(window, 0, 0, width, height, !0, format, *segment, 0)?.reply()?;
                Ok(memory.bytes_mut())
            }
            Self::Sent(pixels) => {
                *pixels = connection.get_image(ImageFormat::Z_PIXMAP, window, 0, 0, width, height, !0)?.reply()?.data;
                Ok(pixels)
            }
        }
    }

    /// Tells the server that its part of the memory is no longer needed.
    pub(super) fn release(&self, connection: &RustConnection) {
        if let Self::Shared(shared) = self {
            // Where the server is gone, so is the memory.
            let _ = connection.shm_detach(shared.segment).map(x11rb::cookie::VoidCookie::ignore_error);
        }
    }
}

fn share(connection: &RustConnection, size: Size) -> Result<Shared, BoxError> {
    let length = size.area() * 4;
    let segment = connection.generate_id()?;
    // The server makes the memory and hands over its descriptor; it dies with our connection, or when it is released.
    let reply = connection.shm_create_segment(segment, length, false)?.reply()?;
    let memory = Mapping::new(&reply.shm_fd, usize::try_from(length)?)?;
    Ok(Shared { segment, memory })
}

/// Memory is handed over as a file descriptor from this version of MIT-SHM on.
const FIRST_WITH_DESCRIPTORS: (u16, u16) = (1, 2);

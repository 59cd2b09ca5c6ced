//! Reads the pixels of a screen: from memory shared with the server, or from the connection if memory cannot be shared.

use super::area::Area;
use super::ffi::Mapping;
use crate::BoxError;
use media::Size;
use x11rb::connection::{Connection, RequestConnection};
use x11rb::protocol::shm::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat, Window};
use x11rb::rust_connection::RustConnection;

/// A method to read images of one size.
pub(super) enum Grab {
    /// The server writes into shared memory.
    Shared(Shared),
    /// The server sends each image. Slower, and allocates a buffer for each image.
    Sent(Vec<u8>),
}

/// A shared memory segment for one image, created by the server.
pub(super) struct Shared {
    segment: shm::Seg,
    memory: Mapping,
}

impl Grab {
    /// Uses shared memory for images of `size` if the server supports it.
    pub(super) fn new(connection: &RustConnection, size: Size) -> Result<Self, BoxError> {
        if connection.extension_information(shm::X11_EXTENSION_NAME)?.is_none() {
            return Ok(Self::Sent(Vec::new()));
        }
        let version = connection.shm_query_version()?.reply()?;
        if (version.major_version, version.minor_version) < MIN_SHM_VERSION {
            return Ok(Self::Sent(Vec::new()));
        }
        match share(connection, size) {
            Ok(shared) => Ok(Self::Shared(shared)),
            Err(error) => {
                tracing::debug!(%error, "the display server does not share memory");
                Ok(Self::Sent(Vec::new()))
            }
        }
    }

    /// Reads the pixels of a part of `window`, in rows, in the format of its screen. The part has the size given to
    /// [`Grab::new`]. The caller may modify the pixels.
    pub(super) fn read(
        &mut self,
        connection: &RustConnection,
        window: Window,
        area: Area,
    ) -> Result<&mut [u8], BoxError> {
        let Area { left, top, size: Size { width, height } } = area;
        match self {
            Self::Shared(Shared { segment, memory }) => {
                let format = u8::from(ImageFormat::Z_PIXMAP);
                connection.shm_get_image(window, left, top, width, height, !0, format, *segment, 0)?.reply()?;
                Ok(memory.bytes_mut())
            }
            Self::Sent(pixels) => {
                let image = connection.get_image(ImageFormat::Z_PIXMAP, window, left, top, width, height, !0)?;
                *pixels = image.reply()?.data;
                Ok(pixels)
            }
        }
    }

    /// Detaches the server from the shared memory.
    pub(super) fn release(&self, connection: &RustConnection) {
        if let Self::Shared(shared) = self {
            // If the connection is closed, the server has already released the memory.
            let _ = connection.shm_detach(shared.segment).map(x11rb::cookie::VoidCookie::ignore_error);
        }
    }
}

fn share(connection: &RustConnection, size: Size) -> Result<Shared, BoxError> {
    let length = size.area() * 4;
    let segment = connection.generate_id()?;
    // The server creates the segment and sends its descriptor. It frees the segment after a detach or when the connection
    // closes.
    let reply = connection.shm_create_segment(segment, length, false)?.reply()?;
    let memory = Mapping::new(&reply.shm_fd, usize::try_from(length)?)?;
    Ok(Shared { segment, memory })
}

/// The first version of MIT-SHM that passes memory as a file descriptor.
const MIN_SHM_VERSION: (u16, u16) = (1, 2);

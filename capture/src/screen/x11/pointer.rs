//! The pointer. The server does not include it in images of the screen.

use super::area::Area;
use crate::BoxError;
use media::Size;
use x11rb::connection::RequestConnection;
use x11rb::protocol::xfixes::{self, ConnectionExt as _, GetCursorImageReply};
use x11rb::rust_connection::RustConnection;

/// The pointer's image and position.
pub(super) struct Pointer {
    image: GetCursorImageReply,
}

impl Pointer {
    /// Queries the server. Returns `None` if the server lacks the XFIXES extension.
    pub(super) fn new(connection: &RustConnection) -> Result<Option<Self>, BoxError> {
        if connection.extension_information(xfixes::X11_EXTENSION_NAME)?.is_none() {
            return Ok(None);
        }
        connection.xfixes_query_version(5, 0)?.reply()?;
        Ok(Some(Self { image: connection.xfixes_get_cursor_image()?.reply()? }))
    }

    /// Queries the server again. Returns true if the pointer moved or its image changed.
    pub(super) fn update(&mut self, connection: &RustConnection) -> Result<bool, BoxError> {
        let image = connection.xfixes_get_cursor_image()?.reply()?;
        let key = |one: &GetCursorImageReply| (one.x, one.y, one.cursor_serial);
        let changed = key(&image) != key(&self.image);
        self.image = image;
        Ok(changed)
    }

    /// Draws the pointer onto the BGRX pixels of `area`, clipped to it.
    pub(super) fn draw(&self, pixels: &mut [u8], area: Area) {
        let GetCursorImageReply { x, y, width, xhot, yhot, cursor_image, .. } = &self.image;
        let left = i32::from(*x) - i32::from(*xhot) - i32::from(area.left);
        let top = i32::from(*y) - i32::from(*yhot) - i32::from(area.top);
        let rows = cursor_image.chunks_exact(usize::from(*width).max(1));
        for (row, line) in rows.zip(top..) {
            for (argb, column) in row.iter().zip(left..) {
                if let Some(pixel) = at(pixels, area.size, column, line) {
                    blend(pixel, *argb);
                }
            }
        }
    }
}

fn at(pixels: &mut [u8], size: Size, column: i32, line: i32) -> Option<&mut [u8; 4]> {
    let (column, line) = (u16::try_from(column).ok()?, u16::try_from(line).ok()?);
    if column >= size.width || line >= size.height {
        return None;
    }
    let index = usize::from(line) * usize::from(size.width) + usize::from(column);
    pixels.get_mut(index * 4..)?.first_chunk_mut()
}

/// Blends one pixel. The pointer's colours are premultiplied with their alpha.
fn blend(pixel: &mut [u8; 4], argb: u32) {
    let [blue, green, red, alpha] = argb.to_le_bytes();
    let transparency = u32::from(u8::MAX - alpha);
    for (below, above) in pixel.iter_mut().zip([blue, green, red]) {
        let sum = u32::from(above) + (u32::from(*below) * transparency + 127) / 255;
        *below = u8::try_from(sum).unwrap_or(u8::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointer(x: i16, y: i16, cursor_image: Vec<u32>) -> Pointer {
        let (width, height) = (2, 2);
        let image = GetCursorImageReply { x, y, width, height, xhot: 1, yhot: 1, cursor_image, ..Default::default() };
        Pointer { image }
    }

    #[test]
    fn the_hotspot_is_drawn_at_the_pointer_position() {
        let mut pixels = vec![100; 4 * 4 * 4];
        pointer(2, 2, vec![0xFF00_00FF, 0, 0x8000_8000, 0xFFFF_0000]).draw(&mut pixels, Area::whole(Size::new(4, 4)));
        let at = |x: usize, y: usize| &pixels[(y * 4 + x) * 4..][..3];
        assert_eq!(at(1, 1), [255, 0, 0]);
        assert_eq!(at(2, 1), [100, 100, 100]);
        assert_eq!(at(1, 2), [50, 178, 50]);
        assert_eq!(at(2, 2), [0, 0, 255]);
        assert_eq!(at(0, 0), [100, 100, 100]);
    }

    #[test]
    fn a_pointer_outside_the_image_does_not_panic() {
        let size = Area::whole(Size::new(4, 4));
        for (x, y) in [(0, 0), (4, 4), (-9, 2), (2, 900), (i16::MIN, i16::MAX)] {
            pointer(x, y, vec![u32::MAX; 4]).draw(&mut [0; 64], size);
        }
        pointer(1, 1, vec![u32::MAX; 3]).draw(&mut [0; 10], size);
    }
}

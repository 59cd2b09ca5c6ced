//! The pointer, which the server keeps out of pictures of the screen.

use crate::BoxError;
use media::Size;
use x11rb::connection::RequestConnection;
use x11rb::protocol::xfixes::{self, ConnectionExt as _, GetCursorImageReply};
use x11rb::rust_connection::RustConnection;

/// What the pointer looks like and where it is.
pub(super) struct Pointer {
    image: GetCursorImageReply,
}

impl Pointer {
    /// Asks the server; `None` where it cannot tell.
    pub(super) fn new(connection: &RustConnection) -> Result<Option<Self>, BoxError> {
        if connection.extension_information(xfixes::X11_EXTENSION_NAME)?.is_none() {
            return Ok(None);
        }
        connection.xfixes_query_version(5, 0)?.reply()?;
        Ok(Some(Self { image: connection.xfixes_get_cursor_image()?.reply()? }))
    }

    /// Asks the server again. True where it has moved or looks different.
    pub(super) fn update(&mut self, connection: &RustConnection) -> Result<bool, BoxError> {
        let image = connection.xfixes_get_cursor_image()?.reply()?;
        let same = |one: &GetCursorImageReply| (one.x, one.y, one.cursor_serial);
        let changed = same(&image) != same(&self.image);
        self.image = image;
        Ok(changed)
    }

    /// Lays the pointer over pixels of blue, green, red and nothing, as far as it lies within.
    pub(super) fn draw(&self, pixels: &mut [u8], size: Size) {
        let GetCursorImageReply { x, y, width, xhot, yhot, cursor_image, .. } = &self.image;
        let left = i32::from(*x) - i32::from(*xhot);
        let top = i32::from(*y) - i32::from(*yhot);
        let rows = cursor_image.chunks_exact(usize::from(*width).max(1));
        for (row, line) in rows.zip(top..) {
            for (argb, column) in row.iter().zip(left..) {
                if let Some(pixel) = at(pixels, size, column, line) {
                    lay_over(pixel, *argb);
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

/// The pointer's colours are already multiplied by their opacity.
fn lay_over(pixel: &mut [u8; 4], argb: u32) {
    let [blue, green, red, opacity] = argb.to_le_bytes();
    let through = u32::from(u8::MAX - opacity);
    for (below, above) in pixel.iter_mut().zip([blue, green, red]) {
        let sum = u32::from(above) + (u32::from(*below) * through + 127) / 255;
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
    fn it_is_drawn_where_its_tip_points() {
        let mut pixels = vec![100; 4 * 4 * 4];
        pointer(2, 2, vec![0xFF00_00FF, 0, 0x8000_8000, 0xFFFF_0000]).draw(&mut pixels, Size::new(4, 4));
        let at = |x: usize, y: usize| &pixels[(y * 4 + x) * 4..][..3];
        assert_eq!(at(1, 1), [255, 0, 0]);
        assert_eq!(at(2, 1), [100, 100, 100]);
        assert_eq!(at(1, 2), [50, 178, 50]);
        assert_eq!(at(2, 2), [0, 0, 255]);
        assert_eq!(at(0, 0), [100, 100, 100]);
    }

    #[test]
    fn beyond_the_edges_there_is_nothing() {
        let size = Size::new(4, 4);
        for (x, y) in [(0, 0), (4, 4), (-9, 2), (2, 900), (i16::MIN, i16::MAX)] {
            pointer(x, y, vec![u32::MAX; 4]).draw(&mut [0; 64], size);
        }
        pointer(1, 1, vec![u32::MAX; 3]).draw(&mut [0; 10], size);
    }
}

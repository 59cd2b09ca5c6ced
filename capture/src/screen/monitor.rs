//! Monitors, and small pictures of what they show.

use media::Size;

/// A monitor in the list of what can be shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitor {
    /// The identifier passed to [`crate::screen::open`].
    pub id: String,
    /// The name shown to users, such as `HDMI-1`.
    pub name: String,
    /// Its size, in pixels.
    pub size: Size,
    /// What it shows.
    pub thumbnail: Thumbnail,
}

/// A small picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// Width and height, in pixels.
    pub size: Size,
    /// Red, green, blue and alpha, one byte each, row by row.
    pub rgba: Vec<u8>,
}

impl Thumbnail {
    /// Shrinks BGRX pixels in rows of `size.width` to at most [`MAX_WIDTH`] by [`MAX_HEIGHT`]. Each pixel is the mean of
    /// those that it replaces.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux captures screens"))]
    pub(super) fn of(pixels: &[u8], size: Size) -> Self {
        let step = size.width.div_ceil(MAX_WIDTH).max(size.height.div_ceil(MAX_HEIGHT)).max(1);
        let small = Size::new(size.width / step, size.height / step);
        let mut rgba = Vec::with_capacity(usize::try_from(small.area() * 4).unwrap_or_default());
        for top in 0..small.height {
            for left in 0..small.width {
                rgba.extend(mean(pixels, size, (left * step, top * step), step));
            }
        }
        Self { size: small, rgba }
    }
}

/// The mean of a square of pixels, as RGBA.
fn mean(pixels: &[u8], whole: Size, (left, top): (u16, u16), side: u16) -> [u8; 4] {
    let mut sums = [0u32; 3];
    for row in top..top + side {
        let start = (usize::from(row) * usize::from(whole.width) + usize::from(left)) * 4;
        let line = pixels.get(start..start + usize::from(side) * 4).unwrap_or_default();
        for pixel in line.chunks_exact(4) {
            for (sum, value) in sums.iter_mut().zip(pixel) {
                *sum += u32::from(*value);
            }
        }
    }
    let count = u32::from(side) * u32::from(side);
    let [blue, green, red] = sums.map(|sum| u8::try_from(sum / count).unwrap_or(u8::MAX));
    [red, green, blue, u8::MAX]
}

/// The maximum width of a thumbnail, in pixels.
const MAX_WIDTH: u16 = 320;
/// The maximum height of a thumbnail, in pixels.
const MAX_HEIGHT: u16 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbnail_is_small_and_keeps_the_colours() {
        for (width, height) in [(1, 1), (640, 360), (1366, 768), (3840, 2160), (200, 1600)] {
            let size = Size::new(width, height);
            let pixels = [10, 20, 30, 0].repeat(usize::from(width) * usize::from(height));
            let thumbnail = Thumbnail::of(&pixels, size);
            assert!(thumbnail.size.width <= MAX_WIDTH && thumbnail.size.height <= MAX_HEIGHT, "{thumbnail:?}");
            assert!(!thumbnail.size.is_empty());
            assert_eq!(thumbnail.rgba.len(), thumbnail.size.area() as usize * 4);
            assert!(thumbnail.rgba.chunks_exact(4).all(|pixel| pixel == [30, 20, 10, 255]));
        }
    }

    #[test]
    fn too_few_pixels_do_not_panic() {
        assert_eq!(Thumbnail::of(&[1, 2, 3], Size::new(640, 400)).size, Size::new(320, 200));
    }
}

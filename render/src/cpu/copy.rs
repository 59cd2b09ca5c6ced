//! Copies a canvas into the memory of a window, whose words are 0xAARRGGBB.

/// True if every pixel of the RGBA bytes is opaque.
#[must_use]
pub fn is_opaque(rgba: &[u8]) -> bool {
    // The compiler vectorises a loop over whole words, but not one that reads each fourth byte.
    let all = rgba.as_chunks().0.iter().fold(u32::MAX, |all, pixel| all & u32::from_le_bytes(*pixel));
    all >> 24 == u32::from(u8::MAX)
}

/// Copies opaque RGBA bytes with rows of `width` pixels to position `at` of `to`, the memory of a window of `window`
/// pixels. Clips to the window.
pub fn copy_opaque(rgba: &[u8], width: u32, to: &mut [u32], window: [u32; 2], at: [u32; 2]) {
    let [stride, height] = window.map(|side| side as usize);
    let [left, top] = at.map(|side| side as usize);
    if width == 0 || left >= stride || top >= height {
        return;
    }
    let rows = to.chunks_exact_mut(stride).skip(top);
    for (row, from) in rows.zip(rgba.chunks_exact(width as usize * 4)) {
        for (to, pixel) in row[left..].iter_mut().zip(from.as_chunks().0) {
            *to = window_word(u32::from_le_bytes(*pixel));
        }
    }
}

/// Swaps red and blue and sets alpha. The compiler vectorises shifts of whole words, but not moves of single bytes.
fn window_word(rgba: u32) -> u32 {
    0xff00_0000 | (rgba & 0xff) << 16 | rgba & 0xff00 | rgba >> 16 & 0xff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_copied_to_their_position_in_the_window_byte_order() {
        let red_blue = [255, 0, 0, 255, 1, 2, 254, 255];
        let mut window = [7; 3 * 3];
        copy_opaque(&red_blue.repeat(2), 2, &mut window, [3, 3], [1, 1]);
        let (red, blue) = (0xffff_0000, 0xff01_02fe);
        assert_eq!(window, [7, 7, 7, 7, red, blue, 7, red, blue]);
    }

    #[test]
    fn pixels_outside_the_window_are_clipped() {
        let mut window = [7; 4];
        copy_opaque(&[255; 4 * 9], 3, &mut window, [2, 2], [1, 1]);
        assert_eq!(window, [7, 7, 7, u32::MAX]);
        copy_opaque(&[255; 4], 1, &mut window, [2, 2], [2, 0]);
        copy_opaque(&[255; 4], 0, &mut window, [2, 2], [0, 0]);
        assert_eq!(window, [7, 7, 7, u32::MAX]);
    }

    #[test]
    fn one_transparent_pixel_is_not_opaque() {
        let mut picture = [255; 400];
        assert!(is_opaque(&picture));
        picture[203] = 254;
        assert!(!is_opaque(&picture));
    }
}

//! The pixel formats of X11 screens. Converts every format with colour masks to BGRX: depths 15, 16, 24 and 30.

use media::Size;
use x11rb::protocol::xproto::{ImageOrder, Screen, Setup, VisualClass};

/// The pixel format of a screen.
#[derive(Clone, Debug)]
pub(super) struct PixelFormat {
    /// Bytes per pixel: 2 or 4.
    bytes: usize,
    /// The length of a row is a multiple of this, in bytes.
    row_alignment: usize,
    order: ImageOrder,
    /// Blue, green, red.
    channels: [Channel; 3],
}

/// One colour of a pixel.
#[derive(Clone, Debug)]
struct Channel {
    /// The position of its bits. If there are more than eight, of the upper eight.
    shift: u32,
    /// The number of its bits, at most eight.
    bits: u32,
    /// The eight-bit value of each of its values.
    values: Vec<u8>,
}

/// A pixel format without colour masks, or with an unusual size of a pixel.
#[derive(Debug, thiserror::Error)]
#[error("a screen of depth {depth} with {bits} bits per pixel and {colours} is not supported")]
pub(super) struct Unsupported {
    depth: u8,
    bits: u8,
    colours: &'static str,
}

impl PixelFormat {
    /// Returns the format of `screen`.
    ///
    /// # Errors
    /// Returns [`Unsupported`] if its pixels are indices of a palette, or have neither 16 nor 32 bits.
    pub(super) fn of(setup: &Setup, screen: &Screen) -> Result<Self, Unsupported> {
        let depth = screen.root_depth;
        let layout = setup.pixmap_formats.iter().find(|format| format.depth == depth);
        let visual = screen.allowed_depths.iter().flat_map(|depth| &depth.visuals);
        let visual = visual.into_iter().find(|visual| visual.visual_id == screen.root_visual);
        let bits = layout.map_or(0, |layout| layout.bits_per_pixel);
        let colours = [VisualClass::TRUE_COLOR, VisualClass::DIRECT_COLOR];
        let masks = visual.filter(|visual| colours.contains(&visual.class));
        let masks = masks.map(|visual| [visual.blue_mask, visual.green_mask, visual.red_mask]);
        let unsupported = |colours| Unsupported { depth, bits, colours };
        let [Some(blue), Some(green), Some(red)] = masks.ok_or_else(|| unsupported("a palette"))?.map(Channel::of)
        else {
            return Err(unsupported("unusual colour masks"));
        };
        match (layout, bits) {
            (Some(layout), 16 | 32) => Ok(Self {
                bytes: usize::from(bits) / 8,
                row_alignment: usize::from(layout.scanline_pad / 8).max(1),
                order: setup.image_byte_order,
                channels: [blue, green, red],
            }),
            (_, _) => Err(unsupported("colour masks")),
        }
    }

    /// Returns `pixels` as BGRX in rows of `size.width`: `pixels` itself if that is its format, else a copy in `converted`,
    /// which keeps its memory. Missing pixels keep their last value.
    pub(super) fn to_bgrx<'a>(&self, pixels: &'a mut [u8], size: Size, converted: &'a mut Vec<u8>) -> &'a mut [u8] {
        if self.is_bgrx() {
            return pixels;
        }
        let width = usize::from(size.width).max(1);
        let row_length = (width * self.bytes).next_multiple_of(self.row_alignment);
        converted.resize(width * usize::from(size.height) * 4, 0);
        for (to, from) in converted.chunks_exact_mut(width * 4).zip(pixels.chunks(row_length)) {
            match (self.bytes, self.order) {
                (2, ImageOrder::MSB_FIRST) => self.convert(from, to, |two| u16::from_be_bytes(two).into()),
                (2, _) => self.convert(from, to, |two| u16::from_le_bytes(two).into()),
                (_, ImageOrder::MSB_FIRST) => self.convert(from, to, u32::from_be_bytes),
                (_, _) => self.convert(from, to, u32::from_le_bytes),
            }
        }
        converted
    }

    fn convert<const N: usize>(&self, from: &[u8], to: &mut [u8], read: impl Fn([u8; N]) -> u32) {
        for (to, from) in to.as_chunks_mut::<4>().0.iter_mut().zip(from.as_chunks::<N>().0) {
            let pixel = read(*from);
            for (to, channel) in to.iter_mut().zip(&self.channels) {
                *to = channel.value(pixel);
            }
        }
    }

    fn is_bgrx(&self) -> bool {
        let shifts = self.channels.each_ref().map(|channel| (channel.shift, channel.bits));
        self.bytes == 4 && self.order == ImageOrder::LSB_FIRST && shifts == [(0, 8), (8, 8), (16, 8)]
    }
}

impl Channel {
    /// Returns the channel with this mask, or `None` if its bits are not adjacent.
    fn of(mask: u32) -> Option<Self> {
        let (low, bits) = (mask.trailing_zeros(), mask.count_ones());
        if mask == 0 || (mask >> low).count_zeros() + bits != 32 || (mask >> low).trailing_ones() != bits {
            return None;
        }
        // Ten bits are shortened to eight.
        let (shift, bits) = (low + bits.saturating_sub(8), bits.min(8));
        let largest = (1_u32 << bits) - 1;
        let values = (0..=largest).map(|value| u8::try_from((value * 255 + largest / 2) / largest).unwrap_or(u8::MAX));
        Some(Self { shift, bits, values: values.collect() })
    }

    fn value(&self, pixel: u32) -> u8 {
        let index = (pixel >> self.shift) as usize & (self.values.len() - 1);
        self.values[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(bytes: usize, order: ImageOrder, masks: [u32; 3]) -> PixelFormat {
        let channels = masks.map(|mask| Channel::of(mask).unwrap());
        PixelFormat { bytes, row_alignment: 4, order, channels }
    }

    fn converted(format: &PixelFormat, pixels: &[u8], size: Size) -> Vec<u8> {
        format.to_bgrx(&mut pixels.to_vec(), size, &mut Vec::new()).to_vec()
    }

    const DEPTH_16: [u32; 3] = [0x1F, 0x7E0, 0xF800];
    const DEPTH_30: [u32; 3] = [0x3FF, 0xF_FC00, 0x3FF0_0000];

    #[test]
    fn the_usual_format_is_not_copied() {
        let format = format(4, ImageOrder::LSB_FIRST, [0xFF, 0xFF00, 0xFF_0000]);
        let (mut pixels, mut copy) = (vec![1, 2, 3, 4], Vec::new());
        assert_eq!(format.to_bgrx(&mut pixels, Size::new(1, 1), &mut copy), [1, 2, 3, 4]);
        assert!(copy.is_empty());
    }

    #[test]
    fn ten_bits_per_colour_become_eight() {
        let pixel = (0x3FF_u32 << 20) | (0x200 << 10) | 0x004;
        for (order, bytes) in
            [(ImageOrder::LSB_FIRST, pixel.to_le_bytes()), (ImageOrder::MSB_FIRST, pixel.to_be_bytes())]
        {
            let format = format(4, order, DEPTH_30);
            assert_eq!(converted(&format, &bytes, Size::new(1, 1)), [1, 128, 255, 0]);
        }
    }

    #[test]
    fn five_and_six_bits_per_colour_become_eight_and_rows_are_aligned() {
        let format = format(2, ImageOrder::LSB_FIRST, DEPTH_16);
        let (white, red, green, blue) = (0xFFFF_u16, 0xF800_u16, 0x07E0_u16, 0x001F_u16);
        // Three pixels and two bytes of alignment per row.
        let pixels: Vec<u8> =
            [white, red, green, 9, blue, 0, white, 9].iter().flat_map(|two| two.to_le_bytes()).collect();
        let rows = converted(&format, &pixels, Size::new(3, 2));
        let expected =
            [[255, 255, 255, 0], [0, 0, 255, 0], [0, 255, 0, 0], [255, 0, 0, 0], [0, 0, 0, 0], [255, 255, 255, 0]];
        assert_eq!(rows.as_chunks::<4>().0, expected);
    }

    #[test]
    fn masks_with_gaps_are_refused_and_too_few_bytes_do_not_panic() {
        assert!(Channel::of(0).is_none() && Channel::of(0b1011).is_none());
        assert!(Channel::of(u32::MAX).is_some());
        let format = format(2, ImageOrder::LSB_FIRST, DEPTH_16);
        for length in 0..40 {
            assert_eq!(converted(&format, &vec![0xFF; length], Size::new(5, 3)).len(), 60);
        }
    }
}

//! Test pictures with known samples, an exact colour conversion, and draw targets.

use media::{Colour, Matrix, PlaneRef, Size, Timestamp};
use render::{Area, Drawing, Error, Feed, Fit, Font, Offscreen, Rgba, Style, Tile, cpu};

pub const BLACK: Rgba = Rgba::opaque(0);

pub fn style() -> Style {
    let regular: &[u8] = include_bytes!("../../../app/assets/fonts/ConclaveSans-Regular.ttf");
    let bold: &[u8] = include_bytes!("../../../app/assets/fonts/ConclaveSans-SemiBold.ttf");
    Style {
        font: Font::new(&[regular, bold]).unwrap(),
        backdrop: Rgba::opaque(0x17_1b21),
        tag_background: Rgba::opaque(0x0f_1216).with_alpha(200),
        tag_text: Rgba::opaque(0xff_ffff),
        tag_muted: Rgba::opaque(0xff_6b66),
        tag_marked: Rgba::opaque(0x00f2_c14e),
        tag_verified: Rgba::opaque(0x57_d38c),
        initials: Rgba::opaque(0xff_ffff),
        tag_size: 13.0,
        tag_weight: 600,
        ring_width: 3.0,
    }
}

/// A target that draws with shaders. Returns `None` and prints a line if there is no adapter.
pub fn offscreen() -> Option<Offscreen> {
    target(Drawing::Shaders, false)
}

/// As [`offscreen`], with a choice of the drawing method and of an sRGB-encoding format.
pub fn target(drawing: Drawing, encoding: bool) -> Option<Offscreen> {
    match Offscreen::with(style(), drawing, encoding) {
        Ok(target) => Some(target),
        Err(error @ Error::NoAdapter(_)) => {
            println!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// An I420 picture.
pub struct Picture {
    size: Size,
    planes: [Vec<u8>; 3],
}

impl Picture {
    /// A picture whose sample at x, y is `yuv(x, y)`. Chroma is evaluated at even luma positions.
    pub fn new(size: Size, yuv: impl Fn(u16, u16) -> [u8; 3]) -> Self {
        let plane = |size: Size, step: u16, channel: usize| {
            let at = |x, y| yuv(x * step, y * step)[channel];
            (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y))).map(|(x, y)| at(x, y)).collect()
        };
        let chroma = size.chroma();
        Self { size, planes: [plane(size, 1, 0), plane(chroma, 2, 1), plane(chroma, 2, 2)] }
    }

    pub fn publish(&self, feed: &Feed, colour: Colour, number: u64) -> bool {
        let plane =
            |index: usize, size: Size| PlaneRef { data: &self.planes[index], stride: usize::from(size.width), size };
        let chroma = self.size.chroma();
        let planes = [plane(0, self.size), plane(1, chroma), plane(2, chroma)];
        feed.show(planes, colour, number, Timestamp::from_micros(number * 1_000))
    }

    /// A tile that fills `width` by `height` pixels with this picture.
    pub fn tile(&self, colour: Colour, width: u16, height: u16, fit: Fit) -> Tile {
        let feed = Feed::new();
        assert!(self.publish(&feed, colour, 1));
        let area = Area::new(0.0, 0.0, f32::from(width), f32::from(height));
        Tile { feed: Some(feed), fit, ..Tile::new(1, area) }
    }
}

/// A drawn image.
pub struct Drawn {
    width: u32,
    bytes: Vec<u8>,
}

impl Drawn {
    pub fn pixel(&self, x: u32, y: u32) -> [u8; 4] {
        let at = ((y * self.width + x) * 4) as usize;
        self.bytes[at..at + 4].try_into().unwrap()
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

pub fn draw(target: &mut Offscreen, tiles: &[Tile], width: u32, height: u32) -> Drawn {
    target.draw(tiles, [width, height], 1.0, BLACK).unwrap();
    Drawn { width, bytes: target.read().unwrap() }
}

pub fn draw_on_cpu(tiles: &[Tile], width: u32, height: u32) -> Drawn {
    let mut canvas = cpu::Canvas::new(style());
    canvas.draw(tiles, [width, height], 1.0, BLACK);
    Drawn { width, bytes: canvas.pixels().to_vec() }
}

/// The equations of the recommendations in double precision: RGB code values, unclamped.
pub fn exact(colour: Colour, yuv: [u8; 3]) -> [f64; 3] {
    let (kr, kb) = match colour.matrix {
        Matrix::Bt601 => (0.299, 0.114),
        Matrix::Bt709 => (0.2126, 0.0722),
    };
    let [y, cb, cr] = yuv.map(f64::from);
    let (y, cb, cr) = if colour.full_range {
        (y / 255.0, (cb - 128.0) / 255.0, (cr - 128.0) / 255.0)
    } else {
        ((y - 16.0) / 219.0, (cb - 128.0) / 224.0, (cr - 128.0) / 224.0)
    };
    let red = y + 2.0 * (1.0 - kr) * cr;
    let blue = y + 2.0 * (1.0 - kb) * cb;
    let green = (y - kr * red - kb * blue) / (1.0 - kr - kb);
    [red, green, blue].map(|value| value * 255.0)
}

/// The largest difference of a pixel's channels from the exact values.
pub fn error(pixel: [u8; 4], colour: Colour, yuv: [u8; 3]) -> f64 {
    let wanted = exact(colour, yuv).map(|value| value.clamp(0.0, 255.0));
    pixel.iter().zip(wanted).map(|(got, wanted)| (f64::from(*got) - wanted).abs()).fold(0.0, f64::max)
}

//! Pictures of the screen as the X server stores it, and of clips as clients read and write them.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// Four colours that differ clearly and are not in the window: upper left, upper right, lower left, lower right.
pub const GUEST: [Rgb; 4] = [[200, 60, 50], [40, 150, 60], [50, 70, 190], [210, 190, 60]];
/// Four other colours.
pub const HOST: [Rgb; 4] = [[180, 70, 180], [60, 170, 170], [150, 100, 40], [140, 200, 120]];

/// A picture in memory: lines of pixels of four bytes, blue first, as in the X server.
pub struct Picture {
    pub width: usize,
    pub height: usize,
    start: usize,
    line: usize,
    bytes: Vec<u8>,
}

/// A rectangle, `right` and `bottom` included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    pub left: usize,
    pub top: usize,
    pub right: usize,
    pub bottom: usize,
}

impl Area {
    pub fn width(self) -> usize {
        self.right - self.left + 1
    }

    pub fn height(self) -> usize {
        self.bottom - self.top + 1
    }
}

impl Picture {
    /// Reads a screen from the file in which `Xvfb -fbdir` stores it. Returns `None` if the file is not complete yet.
    pub fn of_screen(path: &Path) -> Option<Self> {
        let bytes = fs::read(path).ok()?;
        let Layout { start, width, height, line, deep } = Layout::read(&bytes)?;
        let mut bytes = Some(bytes).filter(|bytes| bytes.len() >= start + line * height)?;
        if deep {
            shorten(&mut bytes[start..start + line * height]);
        }
        Some(Self { width, height, start, line, bytes })
    }

    /// Returns the last complete picture of each Y4M file in a folder: one for each size of each dumped track. Files may still
    /// be written to.
    pub fn last_of_clips(folder: &Path) -> Vec<Self> {
        let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let clips = files.filter(|path| path.extension().is_some_and(|ending| ending == "y4m"));
        clips.filter_map(|path| Self::last_of_clip(&path)).collect()
    }

    fn last_of_clip(path: &Path) -> Option<Self> {
        let mut clip = BufReader::new(File::open(path).ok()?);
        let mut header = String::new();
        let end = clip.read_line(&mut header).ok()?;
        let side = |mark: char| header.split_whitespace().find_map(|word| word.strip_prefix(mark)?.parse().ok());
        let (width, height): (usize, usize) = (side('W')?, side('H')?);
        let weights = if header.contains("XMATRIX=BT709") { BT709 } else { BT601 };
        let (luma, chroma) = (width * height, width.div_ceil(2) * height.div_ceil(2));
        let frame = FRAME.len() + luma + 2 * chroma;
        let length = usize::try_from(clip.seek(SeekFrom::End(0)).ok()?).ok()?;
        let count = length.checked_sub(end)? / frame;
        let start = end + count.checked_sub(1)? * frame + FRAME.len();
        clip.seek(SeekFrom::Start(u64::try_from(start).ok()?)).ok()?;
        let mut last = vec![0; luma + 2 * chroma];
        clip.read_exact(&mut last).ok()?;
        let pixel = |index: usize| {
            let at = index / width / 2 * width.div_ceil(2) + index % width / 2;
            let [red, green, blue] = to_rgb([last[index], last[luma + at], last[luma + chroma + at]], weights);
            [blue, green, red, 0]
        };
        Some(Self { width, height, start: 0, line: 4 * width, bytes: (0..luma).flat_map(pixel).collect() })
    }

    /// Writes the picture as a PPM file.
    pub fn save(&self, path: &Path) {
        let mut bytes = format!("P6 {} {} 255\n", self.width, self.height).into_bytes();
        for y in 0..self.height {
            bytes.extend((0..self.width).flat_map(|x| self.at(x, y)));
        }
        fs::write(path, bytes).expect("a picture can be written");
    }

    pub fn at(&self, x: usize, y: usize) -> Rgb {
        let at = self.start + y * self.line + 4 * x;
        [self.bytes[at + 2], self.bytes[at + 1], self.bytes[at]]
    }

    /// Returns the number of pixels of each colour, and the mean of their positions.
    fn count_colours(&self, colours: [Rgb; 4]) -> [(usize, [usize; 2]); 4] {
        let mut sums = [(0, [0, 0]); 4];
        for y in (0..self.height).step_by(STEP) {
            for x in (0..self.width).step_by(STEP) {
                let pixel = self.at(x, y);
                let Some(index) = colours.iter().position(|colour| near(pixel, *colour, TOLERANCE)) else { continue };
                let (count, middle) = &mut sums[index];
                *count += 1;
                middle[0] += x;
                middle[1] += y;
            }
        }
        sums.map(|(count, middle)| (count * STEP * STEP, middle.map(|sum| sum / count.max(1))))
    }

    /// Returns whether each of the four colours has at least `min` pixels, and whether the colours are in the right order.
    pub fn shows(&self, colours: [Rgb; 4], min: usize) -> bool {
        let counts = self.count_colours(colours);
        let [[a, b], [c, d]] = [[counts[0].1, counts[1].1], [counts[2].1, counts[3].1]];
        counts.iter().all(|(count, _)| *count >= min) && a[0] < b[0] && c[0] < d[0] && a[1] < c[1] && b[1] < d[1]
    }

    /// Returns whether none of the colours is visible.
    pub fn lacks(&self, colours: [Rgb; 4]) -> bool {
        self.count_colours(colours).iter().all(|(count, _)| *count < MIN_VISIBLE_PIXELS)
    }

    /// Returns whether all pixels of an area (left, top, width, height) have about the same colour.
    pub fn is_plain(&self, [left, top, width, height]: [i32; 4]) -> bool {
        let side = |value: i32| usize::try_from(value).unwrap_or(0);
        let first = self.at(side(left), side(top));
        let mut rows = side(top)..side(top + height);
        rows.all(|y| (side(left)..side(left + width)).all(|x| near(self.at(x, y), first, TOLERANCE)))
    }

    /// Returns the area that has `colour` here and did not have it in `before`.
    pub fn area_that_became(&self, colour: Rgb, before: &Self) -> Option<Area> {
        let mut changed: Option<Area> = None;
        for y in 0..self.height {
            let line = self.start + y * self.line..self.start + (y + 1) * self.line;
            if self.bytes[line.clone()] == before.bytes[line] {
                continue;
            }
            for x in (0..self.width).filter(|x| near(self.at(*x, y), colour, EXACT)) {
                if !near(before.at(x, y), colour, EXACT) {
                    let area = changed.get_or_insert(Area { left: x, top: y, right: x, bottom: y });
                    *area = Area { left: area.left.min(x), right: area.right.max(x), bottom: y, ..*area };
                }
            }
        }
        changed
    }
}

/// Paints four colours on the screen that `Xvfb -fbdir` stores in `path`.
pub fn paint_screen(path: &Path, colours: [Rgb; 4]) {
    let bytes = fs::read(path).expect("the screen");
    let layout = Layout::read(&bytes).expect("the screen's header");
    let mut painted = Vec::with_capacity(layout.line * layout.height);
    for y in 0..layout.height {
        for x in 0..layout.line / 4 {
            let [red, green, blue] = colours[quarter(x, y, layout.width, layout.height)];
            painted.extend([blue, green, red, 0]);
        }
    }
    let mut file = File::options().write(true).open(path).expect("the screen");
    file.seek(SeekFrom::Start(layout.start as u64)).expect("the screen");
    file.write_all(&painted).expect("the screen");
}

/// Writes a still clip of four colours, half a second long.
pub fn write_clip(path: &Path, colours: [Rgb; 4]) {
    let (width, height) = (640, 360);
    let colours = colours.map(|colour| to_yuv(colour, BT601));
    let mut bytes = format!("YUV4MPEG2 W{width} H{height} F20:1 Ip A1:1 C420jpeg XYSCSS=420JPEG\n").into_bytes();
    for _ in 0..10 {
        bytes.extend(FRAME.as_bytes());
        for (plane, step) in [(0, 1), (1, 2), (2, 2)] {
            for y in (0..height).step_by(step) {
                bytes.extend((0..width).step_by(step).map(|x| colours[quarter(x, y, width, height)][plane]));
            }
        }
    }
    fs::write(path, bytes).expect("a clip can be written");
}

/// Returns the four colours mirrored horizontally.
pub fn mirrored([a, b, c, d]: [Rgb; 4]) -> [Rgb; 4] {
    [b, a, d, c]
}

const FRAME: &str = "FRAME\n";
/// The maximum change of a colour component by codecs and conversions.
const TOLERANCE: u8 = 10;
/// The maximum change of a colour component that the window draws itself.
const EXACT: u8 = 2;
/// Every third pixel of every third line is checked.
const STEP: usize = 3;
/// If fewer pixels than this have a colour, the colour counts as not visible.
const MIN_VISIBLE_PIXELS: usize = 200;

fn quarter(x: usize, y: usize, width: usize, height: usize) -> usize {
    usize::from(x >= width / 2) + 2 * usize::from(y >= height / 2)
}

/// Returns whether no component of the two colours differs by more than `tolerance`.
pub fn near(one: Rgb, other: Rgb, tolerance: u8) -> bool {
    // Without a loop, because tests are not optimised and call this function for each pixel.
    one[0].abs_diff(other[0]) <= tolerance
        && one[1].abs_diff(other[1]) <= tolerance
        && one[2].abs_diff(other[2]) <= tolerance
}

/// The position of the pixels in an XWD file.
struct Layout {
    start: usize,
    width: usize,
    height: usize,
    line: usize,
    /// The screen has ten bits per colour.
    deep: bool,
}

impl Layout {
    fn read(bytes: &[u8]) -> Option<Self> {
        let word = |index: usize| {
            let four: [u8; 4] = bytes.get(index * 4..index * 4 + 4)?.try_into().ok()?;
            usize::try_from(u32::from_be_bytes(four)).ok()
        };
        // Length of the header, width, height, byte order (0 = little-endian), bits per pixel, bytes per line, mask of red,
        // colours.
        let [length, width, height, order, bits, line, red, colours] = [0, 4, 5, 7, 11, 12, 14, 19].map(word);
        let is_known = order == Some(0) && bits == Some(32) && width? > 0 && line? >= 4 * width?;
        let start = length? + colours? * 12;
        let deep = red == Some(0x3FF0_0000);
        is_known.then_some(Self { start, width: width?, height: height?, line: line?, deep })
    }
}

/// Shortens the colours of pixels from ten bits to eight.
fn shorten(pixels: &mut [u8]) {
    for pixel in pixels.as_chunks_mut::<4>().0 {
        let value = u32::from_le_bytes(*pixel);
        let colour = |shift: u32| (value >> (shift + 2)).to_le_bytes()[0];
        *pixel = [colour(0), colour(10), colour(20), 0];
    }
}

/// The weights of red and blue in the luma.
type Weights = (f64, f64);
const BT601: Weights = (0.299, 0.114);
const BT709: Weights = (0.2126, 0.0722);

fn to_yuv([red, green, blue]: Rgb, (kr, kb): Weights) -> [u8; 3] {
    let [red, green, blue] = [red, green, blue].map(|value| f64::from(value) / 255.0);
    let luma = kr * red + (1.0 - kr - kb) * green + kb * blue;
    let chroma = |value: f64, k: f64| 128.0 + 224.0 * (value - luma) / (2.0 * (1.0 - k));
    [16.0 + 219.0 * luma, chroma(blue, kb), chroma(red, kr)].map(to_byte)
}

fn to_rgb([y, u, v]: [u8; 3], (kr, kb): Weights) -> Rgb {
    let luma = (f64::from(y) - 16.0) / 219.0;
    let [u, v] = [u, v].map(|value| (f64::from(value) - 128.0) / 224.0);
    let (red, blue) = (luma + 2.0 * (1.0 - kr) * v, luma + 2.0 * (1.0 - kb) * u);
    let green = (luma - kr * red - kb * blue) / (1.0 - kr - kb);
    [red, green, blue].map(|value| to_byte(255.0 * value))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
fn to_byte(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

//! Y4M files: a clip whose frames all differ, and a reader for the dumps of a client.

use media::{PlaneRef, Size};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tests::quality::{Quality, Sample};

/// Width, height and number of the clip's frames.
pub const CLIP: (usize, usize, u64) = (320, 180, 30);

/// The level of each chroma plane in every frame of the clip.
pub const CHROMA: (u8, u8) = (100, 156);

/// Returns a clip of 15 frames a second. A light and a dark square have a different position in each frame, on a constant
/// gradient.
pub fn make() -> Vec<u8> {
    let (width, height, frames) = CLIP;
    let mut bytes = format!("YUV4MPEG2 W{width} H{height} F15:1 Ip A1:1 C420jpeg\n").into_bytes();
    for number in 0..frames {
        bytes.extend_from_slice(b"FRAME\n");
        bytes.extend(luma(number));
        bytes.extend(vec![CHROMA.0; width / 2 * (height / 2)]);
        bytes.extend(vec![CHROMA.1; width / 2 * (height / 2)]);
    }
    bytes
}

/// The luma plane of the clip's frame `number`.
pub fn luma(number: u64) -> Vec<u8> {
    let (width, height, frames) = CLIP;
    let n = usize::try_from(number % frames).expect("few frames");
    let light = (n * 37 % (width - SIDE), n * 23 % (height - SIDE));
    let dark = ((n * 61 + 100) % (width - SIDE), (n * 41 + 50) % (height - SIDE));
    let inside =
        |x: usize, y: usize, at: (usize, usize)| (at.0..at.0 + SIDE).contains(&x) && (at.1..at.1 + SIDE).contains(&y);
    let level = |x, y| match (inside(x, y, light), inside(x, y, dark)) {
        (true, _) => 210,
        (_, true) => 30,
        _ => u8::try_from(70 + x * 60 / width + y * 40 / height).expect("at most 170"),
    };
    (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| level(x, y)).collect()
}

/// A Y4M file with 4:2:0 planes.
pub struct Pictures {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Each frame's three planes, one after the other.
    pub frames: Vec<Vec<u8>>,
}

impl Pictures {
    /// Reads a whole file. Panics if the content does not match the header.
    pub fn read(path: &str) -> Self {
        let bytes = fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let (header, mut rest) = line(&bytes);
        let words: Vec<&str> = header.split(' ').collect();
        assert_eq!(words[0], "YUV4MPEG2", "{path}");
        let value = |key: char| words[1..].iter().find_map(|word| word.strip_prefix(key)).unwrap_or_default();
        let side = |key| value(key).parse::<usize>().unwrap_or_else(|_| panic!("{path}: no {key} in {header}"));
        let (width, height) = (side('W'), side('H'));
        assert!(value('C').starts_with("420"), "{header}");
        let (rate, per) = value('F').split_once(':').expect("a rate is a ratio");
        assert!(rate.parse::<u32>().is_ok_and(|rate| rate > 0) && per.parse::<u32>().is_ok_and(|per| per > 0));
        let frame_bytes = width * height + 2 * (width.div_ceil(2) * height.div_ceil(2));
        let mut frames = Vec::new();
        while !rest.is_empty() {
            let (marker, after) = line(rest);
            assert!(
                marker == "FRAME" && after.len() >= frame_bytes,
                "{path}: picture {} is not complete",
                frames.len()
            );
            frames.push(after[..frame_bytes].to_vec());
            rest = &after[frame_bytes..];
        }
        Self { width, height, frames }
    }

    /// The luma plane of the picture at `index`.
    pub fn luma(&self, index: usize) -> &[u8] {
        &self.frames[index][..self.width * self.height]
    }

    /// The mean of both chroma planes of the picture at `index`.
    pub fn chroma(&self, index: usize) -> (f64, f64) {
        let chroma = &self.frames[index][self.width * self.height..];
        let (blue, red) = chroma.split_at(chroma.len() / 2);
        (mean(blue), mean(red))
    }
}

/// One line of a dump's CSV file.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The source's number of the picture.
    pub frame: u64,
    /// When it was captured, in microseconds of the system's monotonic clock.
    pub captured: u64,
    /// When it was shown, by the same clock.
    pub shown: u64,
}

/// Returns the sorted paths, without extension, of a participant's camera dumps in `folder`: one Y4M file and one CSV file
/// for each size.
pub fn dumps(folder: &str, name: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.filter_map(|entry| entry.path().into_os_string().into_string().ok());
    let is_of_participant = |stem: &String| {
        let rest = stem.strip_prefix(&format!("{folder}/{name}"));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let mut stems: Vec<String> =
        paths.filter_map(|path| path.strip_suffix(".csv").map(str::to_owned)).filter(is_of_participant).collect();
    stems.sort();
    stems
}

/// Returns the rows of all pictures shown from a participant's camera so far, of all sizes.
pub fn shown(folder: &str, name: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = dumps(folder, name).iter().flat_map(|stem| rows(stem)).collect();
    rows.sort_by_key(|row| row.shown);
    rows
}

/// Reads the complete lines of a CSV file. Returns no rows if the file does not exist yet.
pub fn rows(stem: &str) -> Vec<Row> {
    let text = fs::read_to_string(format!("{stem}.csv")).unwrap_or_default();
    let complete = text.rsplit_once('\n').map_or("", |(complete, _)| complete);
    let mut lines = complete.lines();
    let Some(header) = lines.next() else { return Vec::new() };
    assert_eq!(header, "frame,captured_us,shown_us", "{stem}");
    lines.map(|line| read_row(line).unwrap_or_else(|| panic!("{stem}: {line:?}"))).collect()
}

fn read_row(line: &str) -> Option<Row> {
    let mut fields = line.split(',').map(|field| field.parse().ok());
    let read = Row { frame: fields.next()??, captured: fields.next()??, shown: fields.next()?? };
    fields.next().is_none().then_some(read)
}

/// Asserts that pictures are in order, that each was captured before it was shown, and that no number repeats.
pub fn check_order(rows: &[Row]) {
    for pair in rows.windows(2) {
        let (one, next) = (pair[0], pair[1]);
        assert!(one.frame < next.frame && one.captured < next.captured && one.shown <= next.shown, "{pair:?}");
    }
    for row in rows {
        assert!(row.captured < row.shown && row.shown - row.captured < 5_000_000, "{row:?}");
    }
}

/// Asserts that each picture matches its frame number, and not the next one.
pub fn check_numbers(pictures: &Pictures, rows: &[Row]) {
    let originals: BTreeMap<u64, Vec<u8>> = (0..CLIP.2).map(|number| (number, luma(number))).collect();
    assert_eq!((pictures.width, pictures.height), (CLIP.0, CLIP.1));
    assert_eq!(pictures.frames.len(), rows.len(), "one picture for each line of the CSV file");
    for (index, row) in rows.iter().enumerate() {
        let number = row.frame % CLIP.2;
        let right = psnr(pictures.luma(index), &originals[&number]);
        let neighbour = psnr(pictures.luma(index), &originals[&((number + 1) % CLIP.2)]);
        assert!(
            right > 28.0 && neighbour < 22.0,
            "frame {}: {right:.1} dB, its neighbour {neighbour:.1} dB",
            row.frame
        );
        let (blue, red) = pictures.chroma(index);
        assert!((blue - f64::from(CHROMA.0)).abs() < 3.0 && (red - f64::from(CHROMA.1)).abs() < 3.0, "{blue} {red}");
    }
}

/// Compares every fifteenth picture with the clip at `source`.
pub fn quality(pictures: &Pictures, rows: &[Row], source: &str) -> Quality {
    let size = size(pictures.width, pictures.height);
    let sample =
        |(index, row): (usize, &Row)| Sample { number: row.frame, size, luma: pictures.luma(index).to_owned() };
    let samples = rows.iter().enumerate().step_by(15).map(sample).collect();
    let quality = tests::quality::compare(Path::new(source), samples);
    quality.expect("the clip can be read").expect("pictures were shown")
}

fn psnr(one: &[u8], other: &[u8]) -> f64 {
    let size = size(CLIP.0, CLIP.1);
    let plane = |data| PlaneRef { data, stride: CLIP.0, size };
    tests::psnr::of(plane(one), plane(other)).expect("planes of one size")
}

fn size(width: usize, height: usize) -> Size {
    let side = |side| u16::try_from(side).expect("a small picture");
    Size::new(side(width), side(height))
}

fn mean(plane: &[u8]) -> f64 {
    plane.iter().map(|level| f64::from(*level)).sum::<f64>() / count(plane)
}

fn count(plane: &[u8]) -> f64 {
    f64::from(u32::try_from(plane.len()).expect("a small plane"))
}

fn line(bytes: &[u8]) -> (&str, &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').expect("a line ends");
    (std::str::from_utf8(&bytes[..end]).expect("headers are text"), &bytes[end + 1..])
}

/// The side of a square in the clip, in pixels.
const SIDE: usize = 56;

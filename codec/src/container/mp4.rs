//! The H.264 track of an MP4 file (ISO/IEC 14496-12 and -15), one picture at a time, as often as one likes.
//!
//! Absent: fragments, sound, and of an edit list all but the first edit. The whole table of pictures is read at the start and checked against the
//! file's length, so that reading a picture can fail by the disk's fault only.

mod boxes;
mod kinds;
mod table;
mod timeline;

use super::{Error, sane};
use crate::bitstream::{self, Kind, Malformed, Sps};
use boxes::Fields;
use media::{FrameRate, Rotation, Size};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;
use table::Sample;
use timeline::{Scales, Timeline};

/// The H.264 track of one file.
#[derive(Debug)]
pub struct Clip<R> {
    reader: R,
    samples: Vec<Sample>,
    timeline: Timeline,
    track: Track,
    /// The picture as it lies in the file.
    scratch: Vec<u8>,
}

/// All that the headers say about the track that is played.
struct Video {
    track: Track,
    samples: Vec<Sample>,
    timeline: Timeline,
}

/// What the headers say about a track's pictures.
#[derive(Debug)]
struct Track {
    size: Size,
    rate: FrameRate,
    rotation: Rotation,
    /// Bytes of each length in the file.
    width: usize,
    /// Units that stand before each key frame, each behind 4 bytes of length.
    parameters: Vec<u8>,
}

impl Clip<BufReader<File>> {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error`] where it cannot be read, is damaged, or holds no H.264.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::new(BufReader::new(File::open(path)?))
    }
}

impl<R: Read + Seek> Clip<R> {
    /// Reads the headers.
    ///
    /// # Errors
    /// As [`Clip::open`].
    pub fn new(mut reader: R) -> Result<Self, Error> {
        let length = reader.seek(SeekFrom::End(0))?;
        let movie = match movie(&mut reader, length) {
            Err(Error::Kind(_)) => return Err(kinds::container(&mut reader)?),
            movie => movie?,
        };
        let Video { track, samples, timeline } = video(&movie, length)?;
        Ok(Self { reader, samples, timeline, track, scratch: Vec::new() })
    }

    /// The size of the pictures, before rotation.
    pub fn size(&self) -> Size {
        self.track.size
    }

    /// Pictures in a second; the mean where they come unevenly.
    pub fn rate(&self) -> FrameRate {
        self.track.rate
    }

    /// How a viewer turns the pictures.
    pub fn rotation(&self) -> Rotation {
        self.track.rotation
    }

    /// The number of pictures, at least one.
    #[expect(clippy::len_without_is_empty, reason = "a clip without pictures does not open")]
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// How many pictures of a pass are shown, at least one: an edit list may cut some away.
    pub fn shown(&self) -> usize {
        self.timeline.shown()
    }

    /// When the picture is shown that comes as the `index`th in the order of showing, counted from the first one shown;
    /// `None` where an edit list cuts it away.
    pub fn time(&self, index: usize) -> Option<Duration> {
        self.timeline.time(index)
    }

    /// How long a pass takes, until the first picture is due again.
    pub fn duration(&self) -> Duration {
        self.timeline.length()
    }

    /// True where picture `index` can be decoded without any other.
    pub fn is_key(&self, index: usize) -> bool {
        self.samples.get(index).is_some_and(|sample| sample.key)
    }

    /// Reads picture `index`, counted in the order of decoding, into `bitstream`: NAL units, each behind its length in 4
    /// big-endian bytes, key frames with their parameter sets. Both buffers keep their memory from picture to picture.
    ///
    /// # Errors
    /// [`Error::Empty`] beyond the last picture, [`Error::Io`], and [`Error::Damaged`] where the picture is not a run of
    /// whole units.
    pub fn read(&mut self, index: usize, bitstream: &mut Vec<u8>) -> Result<(), Error> {
        let sample = *self.samples.get(index).ok_or(Error::Empty)?;
        self.reader.seek(SeekFrom::Start(sample.offset))?;
        // Checked against the file's length when it was opened.
        self.scratch.resize(usize::try_from(sample.size).map_err(|_| Error::Damaged(PICTURE))?, 0);
        self.reader.read_exact(&mut self.scratch)?;
        bitstream.clear();
        if sample.key {
            bitstream.extend_from_slice(&self.track.parameters);
        }
        for unit in bitstream::prefixed_by(&self.scratch, self.track.width) {
            append(unit.map_err(|_| Error::Damaged(PICTURE))?, bitstream);
        }
        Ok(())
    }
}

/// Finds the box that holds all headers, wherever it is, and reads it into memory.
fn movie(reader: &mut (impl Read + Seek), length: u64) -> Result<Vec<u8>, Error> {
    let mut at = 0;
    while let Some(header) = boxes::header(reader, at, length)? {
        if header.kind == *b"moov" {
            return boxes::payload(reader, &header);
        }
        at = header.end;
    }
    Err(if at == 0 { Error::Kind("MP4") } else { Error::Damaged("its table of contents is missing") })
}

/// The first track that is H.264.
fn video(movie: &[u8], length: u64) -> Result<Video, Error> {
    let scale = boxes::find(movie, &[*b"mvhd"]).and_then(|header| timescale(header).ok()).unwrap_or(1);
    let mut refused = None;
    for track in boxes::children(movie).filter(|child| child.kind == *b"trak") {
        match read_track(track.payload, length, scale) {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => (),
            Err(error) => drop(refused.get_or_insert(error)),
        }
    }
    // Fragments have their tables elsewhere.
    let fragmented = boxes::find(movie, &[*b"mvex"]).is_some() && !matches!(refused, Some(Error::Format(_)));
    Err(if fragmented { Error::Format("MP4 in fragments".into()) } else { refused.unwrap_or(Error::Empty) })
}

/// `None` for a track that holds no pictures at all.
fn read_track(track: &[u8], length: u64, movie: u32) -> Result<Option<Video>, Error> {
    let handler = boxes::find(track, &[*b"mdia", *b"hdlr"]).ok_or(Error::Damaged("a track without a kind"))?;
    if Fields::new(handler).skip(8).four()? != *b"vide" {
        return Ok(None);
    }
    let tables = boxes::find(track, &[*b"mdia", *b"minf", *b"stbl"]).ok_or(Error::Damaged(table::NAME))?;
    let entry = boxes::find(tables, &[*b"stsd"]).ok_or(Error::Damaged(table::NAME))?;
    let (width, parameters) = sample_entry(entry)?;
    let samples = table::samples(tables, length)?;
    let header = boxes::find(track, &[*b"mdia", *b"mdhd"]).ok_or(Error::Damaged("a track without a clock"))?;
    let scales = Scales { movie, track: timescale(header)? };
    let rate = table::rate(tables, scales.track)?;
    let timeline = Timeline::read(track, tables, scales, samples.len(), rate)?;
    let size = sane(shown_size(&parameters, entry)?)?;
    let track = Track { size, rate, rotation: rotation(track), width, parameters };
    Ok(Some(Video { track, samples, timeline }))
}

/// The width of lengths and the parameter sets (ISO/IEC 14496-15 5.3.3.1).
fn sample_entry(description: &[u8]) -> Result<(usize, Vec<u8>), Error> {
    let entry = boxes::children(description.get(8..).unwrap_or(&[])).next().ok_or(Error::Damaged(DESCRIPTION))?;
    if entry.kind != *b"avc1" && entry.kind != *b"avc3" {
        return Err(Error::Format(kinds::codec(entry.kind)));
    }
    let rest = entry.payload.get(VISUAL_ENTRY..).ok_or(Error::Damaged(DESCRIPTION))?;
    let configuration = boxes::find(rest, &[*b"avcC"]).ok_or(Error::Damaged(DESCRIPTION))?;
    let mut fields = Fields::new(configuration).skip(4);
    let width = usize::from(fields.byte()? & 3) + 1;
    let mut parameters = Vec::new();
    for mask in [0x1F, 0xFF] {
        for _ in 0..fields.byte()? & mask {
            let length = usize::from(fields.short()?);
            append(fields.bytes(length)?, &mut parameters);
        }
    }
    Ok((width, parameters))
}

/// The parameter set knows best; `avc3` tracks keep theirs elsewhere, and then the entry has to do.
fn shown_size(parameters: &[u8], description: &[u8]) -> Result<Size, Error> {
    let mut sets = bitstream::prefixed(parameters).flatten().filter(|unit| Kind::of(unit) == Ok(Kind::Sps));
    if let Some(unit) = sets.next() {
        let sps = Sps::parse(unit).map_err(refused)?;
        return Ok(sps.size);
    }
    let mut fields = Fields::new(description).skip(8 + 8 + 24);
    Ok(Size::new(fields.short()?, fields.short()?))
}

fn refused(error: Malformed) -> Error {
    match error {
        Malformed::Unsupported(what) => Error::Format(format!("H.264 {what}")),
        Malformed::CutOff | Malformed::NotAUnit | Malformed::ParameterSet => Error::Damaged(DESCRIPTION),
    }
}

/// Ticks in a second, from the header of a movie or of a track's media: both begin alike.
fn timescale(header: &[u8]) -> Result<u32, Error> {
    let mut fields = Fields::new(header);
    // Version 1 has times of 8 bytes.
    let times = if fields.byte()? == 1 { 16 } else { 8 };
    fields.skip(3 + times).word()
}

/// Quarter turns out of the track's matrix; anything else is shown upright.
fn rotation(track: &[u8]) -> Rotation {
    let matrix = || -> Result<[u32; 2], Error> {
        let header = boxes::find(track, &[*b"tkhd"]).ok_or(Error::Damaged("a track without a header"))?;
        let mut fields = Fields::new(header);
        let times = if fields.byte()? == 1 { 32 } else { 20 };
        let mut fields = fields.skip(3 + times + 16);
        Ok([fields.word()?, fields.word()?])
    };
    match matrix() {
        Ok([0, ONE]) => Rotation::Quarter,
        Ok([MINUS_ONE, 0]) => Rotation::Half,
        Ok([0, MINUS_ONE]) => Rotation::ThreeQuarters,
        Ok(_) | Err(_) => Rotation::Upright,
    }
}

fn append(unit: &[u8], bitstream: &mut Vec<u8>) {
    if let (Ok(length), false) = (u32::try_from(unit.len()), unit.is_empty()) {
        bitstream.extend_from_slice(&length.to_be_bytes());
        bitstream.extend_from_slice(unit);
    }
}

/// Bytes of a visual sample entry before the boxes in it.
const VISUAL_ENTRY: usize = 78;
/// 1.0 and -1.0 as 16.16 fixed point.
const ONE: u32 = 0x0001_0000;
const MINUS_ONE: u32 = 0xFFFF_0000;
const DESCRIPTION: &str = "the description of its pictures is broken";
const PICTURE: &str = "a picture is broken";

#[cfg(test)]
#[expect(clippy::similar_names, reason = "the format's own names of four letters")]
mod tests;

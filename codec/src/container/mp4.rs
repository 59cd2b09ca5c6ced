//! Reads the H.264 track of an MP4 file (ISO/IEC 14496-12 and -15), with random access to frames.
//!
//! Not supported: fragments, audio, and edits after the first one. The sample tables are read at the start and checked
//! against the file's length, so later reads fail only because of I/O errors or damaged frames.

mod boxes;
mod kinds;
mod table;
mod timeline;

use super::{Error, check_size};
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
    /// The frame as stored in the file.
    scratch: Vec<u8>,
}

/// The headers of the video track.
struct Video {
    track: Track,
    samples: Vec<Sample>,
    timeline: Timeline,
}

/// The properties of a track's frames.
#[derive(Debug)]
struct Track {
    size: Size,
    rate: FrameRate,
    rotation: Rotation,
    /// Bytes of each NAL unit length in the file.
    width: usize,
    /// The parameter sets to insert before each key frame, each after its length in 4 bytes.
    parameters: Vec<u8>,
}

impl Clip<BufReader<File>> {
    /// Opens a file.
    ///
    /// # Errors
    /// Returns an [`Error`] if the file cannot be read, is damaged, or contains no H.264.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::new(BufReader::new(File::open(path)?))
    }
}

impl<R: Read + Seek> Clip<R> {
    /// Reads the headers.
    ///
    /// # Errors
    /// Returns the errors of [`Clip::open`].
    pub fn new(mut reader: R) -> Result<Self, Error> {
        let length = reader.seek(SeekFrom::End(0))?;
        let movie = match movie(&mut reader, length) {
            Err(Error::Kind(_)) => return Err(kinds::container(&mut reader)?),
            movie => movie?,
        };
        let Video { track, samples, timeline } = video(&movie, length)?;
        Ok(Self { reader, samples, timeline, track, scratch: Vec::new() })
    }

    /// Returns the frame size before rotation.
    pub fn size(&self) -> Size {
        self.track.size
    }

    /// Returns the frame rate, or the mean of a variable rate.
    pub fn rate(&self) -> FrameRate {
        self.track.rate
    }

    /// Returns the rotation that a viewer applies.
    pub fn rotation(&self) -> Rotation {
        self.track.rotation
    }

    /// Returns the number of stored frames, at least one.
    #[expect(clippy::len_without_is_empty, reason = "a clip without frames does not open")]
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Returns the number of frames that are shown, at least one. An edit list may hide some.
    pub fn shown(&self) -> usize {
        self.timeline.shown()
    }

    /// Returns the presentation time of frame `index` in presentation order, relative to the first shown frame. Returns
    /// `None` if the edit list hides it.
    pub fn time(&self, index: usize) -> Option<Duration> {
        self.timeline.time(index)
    }

    /// Returns the duration of one pass.
    pub fn duration(&self) -> Duration {
        self.timeline.length()
    }

    /// Returns true if frame `index` (in decoding order) is a key frame.
    pub fn is_key(&self, index: usize) -> bool {
        self.samples.get(index).is_some_and(|sample| sample.key)
    }

    /// Reads frame `index` (in decoding order) into `bitstream`: NAL units, each after its length in 4 big-endian
    /// bytes, with the parameter sets before key frames. The buffers are reused.
    ///
    /// # Errors
    /// Returns [`Error::Empty`] after the last frame, [`Error::Io`] if reading fails, and [`Error::Damaged`] if the
    /// frame is not a sequence of complete units.
    pub fn read(&mut self, index: usize, bitstream: &mut Vec<u8>) -> Result<(), Error> {
        let sample = *self.samples.get(index).ok_or(Error::Empty)?;
        self.reader.seek(SeekFrom::Start(sample.offset))?;
        // The size was checked against the file's length when the file was opened.
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

/// Finds the `moov` box and reads it into memory.
fn movie(reader: &mut (impl Read + Seek), length: u64) -> Result<Vec<u8>, Error> {
    let mut at = 0;
    while let Some(header) = boxes::header(reader, at, length)? {
        if header.kind == *b"moov" {
            return boxes::payload(reader, &header);
        }
        at = header.end;
    }
    Err(if at == 0 { Error::Kind("MP4") } else { Error::Damaged("the moov box is missing") })
}

/// Returns the first H.264 track.
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
    // Fragmented files have no tables in the `moov` box.
    let fragmented = boxes::find(movie, &[*b"mvex"]).is_some() && !matches!(refused, Some(Error::Format(_)));
    Err(if fragmented { Error::Format("MP4 in fragments".into()) } else { refused.unwrap_or(Error::Empty) })
}

/// Returns `None` if the track is not video.
fn read_track(track: &[u8], length: u64, movie: u32) -> Result<Option<Video>, Error> {
    let handler = boxes::find(track, &[*b"mdia", *b"hdlr"]).ok_or(Error::Damaged("a track has no handler"))?;
    if Fields::new(handler).skip(8).four_cc()? != *b"vide" {
        return Ok(None);
    }
    let tables = boxes::find(track, &[*b"mdia", *b"minf", *b"stbl"]).ok_or(Error::Damaged(table::BROKEN))?;
    let entry = boxes::find(tables, &[*b"stsd"]).ok_or(Error::Damaged(table::BROKEN))?;
    let (width, parameters) = sample_entry(entry)?;
    let samples = table::samples(tables, length)?;
    let header = boxes::find(track, &[*b"mdia", *b"mdhd"]).ok_or(Error::Damaged("a track has no media header"))?;
    let scales = Scales { movie, track: timescale(header)? };
    let rate = table::rate(tables, scales.track)?;
    let timeline = Timeline::read(track, tables, scales, samples.len(), rate)?;
    let size = check_size(shown_size(&parameters, entry)?)?;
    let track = Track { size, rate, rotation: rotation(track), width, parameters };
    Ok(Some(Video { track, samples, timeline }))
}

/// Returns the bytes of a NAL unit length, and the parameter sets (ISO/IEC 14496-15 5.3.3.1).
fn sample_entry(description: &[u8]) -> Result<(usize, Vec<u8>), Error> {
    let entry = boxes::children(description.get(8..).unwrap_or(&[])).next().ok_or(Error::Damaged(DESCRIPTION))?;
    if entry.kind != *b"avc1" && entry.kind != *b"avc3" {
        return Err(Error::Format(kinds::codec(entry.kind)));
    }
    let rest = entry.payload.get(VISUAL_ENTRY..).ok_or(Error::Damaged(DESCRIPTION))?;
    let configuration = boxes::find(rest, &[*b"avcC"]).ok_or(Error::Damaged(DESCRIPTION))?;
    let mut fields = Fields::new(configuration).skip(4);
    let width = usize::from(fields.u8()? & 3) + 1;
    let mut parameters = Vec::new();
    for mask in [0x1F, 0xFF] {
        for _ in 0..fields.u8()? & mask {
            let length = usize::from(fields.u16()?);
            append(fields.bytes(length)?, &mut parameters);
        }
    }
    Ok((width, parameters))
}

/// Returns the size from the parameter set, or from the sample entry if there is none (`avc3`).
fn shown_size(parameters: &[u8], description: &[u8]) -> Result<Size, Error> {
    let mut sets = bitstream::prefixed(parameters).flatten().filter(|unit| Kind::of(unit) == Ok(Kind::Sps));
    if let Some(unit) = sets.next() {
        let sps = Sps::parse(unit).map_err(parameter_error)?;
        return Ok(sps.size);
    }
    let mut fields = Fields::new(description).skip(8 + 8 + 24);
    Ok(Size::new(fields.u16()?, fields.u16()?))
}

fn parameter_error(error: Malformed) -> Error {
    match error {
        Malformed::Unsupported(what) => Error::Format(format!("H.264 {what}")),
        Malformed::CutOff | Malformed::NotAUnit | Malformed::ParameterSet => Error::Damaged(DESCRIPTION),
    }
}

/// Ticks per second, from an `mvhd` or `mdhd` box: both begin with the same fields.
fn timescale(header: &[u8]) -> Result<u32, Error> {
    let mut fields = Fields::new(header);
    // Version 1 has times of 8 bytes each.
    let times = if fields.u8()? == 1 { 16 } else { 8 };
    fields.skip(3 + times).u32()
}

/// Returns the rotation in the track's matrix. Ignores a rotation that is not a multiple of 90 degrees.
fn rotation(track: &[u8]) -> Rotation {
    let matrix = || -> Result<[u32; 2], Error> {
        let header = boxes::find(track, &[*b"tkhd"]).ok_or(Error::Damaged("a track has no header"))?;
        let mut fields = Fields::new(header);
        let times = if fields.u8()? == 1 { 32 } else { 20 };
        let mut fields = fields.skip(3 + times + 16);
        Ok([fields.u32()?, fields.u32()?])
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

/// Bytes of a visual sample entry before its child boxes.
const VISUAL_ENTRY: usize = 78;
/// 1.0 and -1.0 as 16.16 fixed point.
const ONE: u32 = 0x0001_0000;
const MINUS_ONE: u32 = 0xFFFF_0000;
const DESCRIPTION: &str = "the sample description is invalid";
const PICTURE: &str = "a frame is invalid";

#[cfg(test)]
#[expect(clippy::similar_names, reason = "the format's own names of four letters")]
mod tests;

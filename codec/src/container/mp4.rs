//! Reads the H.264 track of an MP4 file (ISO/IEC 14496-12 and -15), with random access to frames.
//!
//! Not supported: fragments, audio, and edits that play backwards. The sample tables are read at the start and checked
//! against the file's length, so later reads fail only because of I/O errors or damaged frames.

mod boxes;
mod geometry;
mod kinds;
mod table;
mod timeline;

use super::{Error, check_size};
use crate::bitstream::{self, Kind, Malformed, Sps};
use crate::display::{Geometry, PixelAspect};
use boxes::Fields;
use media::{FrameRate, Size};
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
    geometry: Geometry,
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

    /// Returns the stored frame size. [`Clip::geometry`] says how it is displayed.
    pub fn size(&self) -> Size {
        self.track.size
    }

    /// Returns the frame rate, or the mean of a variable rate without its stills. It is in 1..=240; the real times are
    /// those of [`Clip::time`].
    pub fn rate(&self) -> FrameRate {
        self.track.rate
    }

    /// Returns how a viewer displays the frames.
    pub fn geometry(&self) -> Geometry {
        self.track.geometry
    }

    /// Returns the number of stored frames, at least one.
    #[expect(clippy::len_without_is_empty, reason = "a clip without frames does not open")]
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Returns the number of frames that one pass shows, at least one. An edit list may hide some, and repeat others.
    pub fn shown(&self) -> usize {
        self.timeline.shown()
    }

    /// Returns the frame that is shown as number `show` of a pass, as an index in presentation order. Returns `None` after
    /// the end of the pass.
    pub fn frame(&self, show: usize) -> Option<usize> {
        self.timeline.frame(show)
    }

    /// Returns when frame number `show` of a pass is shown, from the start of the pass.
    pub fn time(&self, show: usize) -> Option<Duration> {
        self.timeline.time(show)
    }

    /// Returns the first show of the part after that of `show`, or [`Clip::shown`] if there is none. A part shows
    /// successive frames.
    pub fn next_part(&self, show: usize) -> usize {
        self.timeline.next_segment(show)
    }

    /// Returns the last key frame that is not after frame `index`, both in decoding order.
    pub fn key_before(&self, index: usize) -> usize {
        let end = self.samples.len().min(index.saturating_add(1));
        self.samples[..end].iter().rposition(|sample| sample.key).unwrap_or(0)
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
    let rate = |speed| table::rate(tables, scales.track, speed);
    let timeline = Timeline::read(track, tables, scales, samples.len(), rate(NORMAL_SPEED)?)?;
    let (size, aspect) = stored_size(&parameters, entry)?;
    let geometry = geometry::read(track, visual_boxes(entry), check_size(size)?, aspect);
    let rate = rate(timeline.top_speed().fraction())?;
    let track = Track { size, rate, geometry, width, parameters };
    Ok(Some(Video { track, samples, timeline }))
}

/// Returns the bytes of a NAL unit length, and the parameter sets (ISO/IEC 14496-15 5.3.3.1).
fn sample_entry(description: &[u8]) -> Result<(usize, Vec<u8>), Error> {
    let entry = boxes::children(description.get(8..).unwrap_or(&[])).next().ok_or(Error::Damaged(DESCRIPTION))?;
    if entry.kind != *b"avc1" && entry.kind != *b"avc3" {
        return Err(Error::Format(kinds::codec(entry.kind)));
    }
    let configuration = boxes::find(visual_boxes(description), &[*b"avcC"]).ok_or(Error::Damaged(DESCRIPTION))?;
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

/// Returns the child boxes of the first sample entry.
fn visual_boxes(description: &[u8]) -> &[u8] {
    let entry = boxes::children(description.get(8..).unwrap_or(&[])).next();
    entry.and_then(|entry| entry.payload.get(VISUAL_ENTRY..)).unwrap_or(&[])
}

/// Returns the size and the shape of samples from the parameter set. If there is none (`avc3`), the sample entry has the
/// size.
fn stored_size(parameters: &[u8], description: &[u8]) -> Result<(Size, Option<PixelAspect>), Error> {
    let mut sets = bitstream::prefixed(parameters).flatten().filter(|unit| Kind::of(unit) == Ok(Kind::Sps));
    if let Some(unit) = sets.next() {
        let sps = Sps::parse(unit).map_err(parameter_error)?;
        return Ok((sps.size, sps.aspect));
    }
    let mut fields = Fields::new(description).skip(8 + 8 + 24);
    Ok((Size::new(fields.u16()?, fields.u16()?), None))
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

fn append(unit: &[u8], bitstream: &mut Vec<u8>) {
    if let (Ok(length), false) = (u32::try_from(unit.len()), unit.is_empty()) {
        bitstream.extend_from_slice(&length.to_be_bytes());
        bitstream.extend_from_slice(unit);
    }
}

/// Bytes of a visual sample entry before its child boxes.
const VISUAL_ENTRY: usize = 78;
/// The speed of media without edits.
const NORMAL_SPEED: (u32, u32) = (1, 1);
const DESCRIPTION: &str = "the sample description is invalid";
const PICTURE: &str = "a frame is invalid";

#[cfg(test)]
#[expect(clippy::similar_names, reason = "the format's own names of four letters")]
mod tests;

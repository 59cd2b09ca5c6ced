//! The frames of a file in a loop, without timing.

use crate::{BoxError, Error, Format};
use codec::bitstream::Malformed;
use codec::container::{self, mp4, y4m};
use codec::decode::{self, Decoder};
use media::{Colour, Frame, FrameMut, Pool, Rotation, Timestamp, VideoCodec};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An open media file.
pub struct Clip {
    path: PathBuf,
    pictures: Pictures,
    length: u64,
}

/// A decoded frame without a number.
pub struct Picture {
    frame: FrameMut,
    colour: Colour,
    rotation: Rotation,
}

enum Pictures {
    Mp4(Box<Mp4>),
    Y4m(y4m::Reader<BufReader<File>>),
}

struct Mp4 {
    clip: mp4::Clip<BufReader<File>>,
    decoder: Decoder,
    bitstream: Vec<u8>,
    next: usize,
    /// The number of frames of this pass that the decoder has returned.
    decoded: usize,
    /// When each frame of a pass is due.
    due: Vec<Duration>,
    /// Decoded frames that were not taken yet: several if the decoder reordered frames. `None` stands for a frame for
    /// which the pool had no buffer.
    ready: VecDeque<Option<Picture>>,
}

impl Clip {
    /// Opens a file and decodes its first frame.
    ///
    /// # Errors
    /// Returns [`Error::BadFile`] if the file cannot be read or is damaged, [`Error::FileFormat`] if its format is not
    /// supported.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let pictures = open(path).map_err(|source| file_error(path, source))?;
        let mut clip = Self { path: path.to_owned(), pictures, length: 0 };
        clip.length = clip.count()?;
        Ok(clip)
    }

    /// The size and rate of its frames.
    #[must_use]
    pub fn format(&self) -> Format {
        match &self.pictures {
            Pictures::Mp4(mp4) => Format { size: mp4.clip.size(), rate: mp4.clip.rate() },
            Pictures::Y4m(reader) => Format { size: reader.header().size, rate: reader.header().rate },
        }
    }

    /// The number of frames of one pass, at least one.
    #[expect(clippy::len_without_is_empty, reason = "a file without frames does not open")]
    #[must_use]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// When frame `number` is due, from the first frame of the first pass, by the file's timestamps.
    #[must_use]
    pub fn due(&self, number: u64) -> Duration {
        match &self.pictures {
            Pictures::Mp4(mp4) => mp4.due(number),
            Pictures::Y4m(reader) => reader.header().rate.due(number),
        }
    }

    /// Decodes the next frame; the first frame follows the last. Returns `None` if `pool` has no free buffer.
    ///
    /// # Errors
    /// Returns [`Error::BadFile`] if the file has become unreadable.
    pub fn next(&mut self, pool: &Pool) -> Result<Option<Picture>, Error> {
        let picture = match &mut self.pictures {
            Pictures::Mp4(mp4) => mp4.next(pool),
            Pictures::Y4m(reader) => next_y4m(reader, pool).map_err(Into::into),
        };
        picture.map_err(|source| file_error(&self.path, source))
    }

    /// Calls `each` with every frame of one pass and its index, until it returns [`ControlFlow::Break`].
    ///
    /// # Errors
    /// As [`Clip::next`].
    pub fn frames(&mut self, each: &mut dyn FnMut(u64, &Frame) -> ControlFlow<()>) -> Result<(), Error> {
        let pool = Pool::new(4);
        for index in 0..self.length {
            let Some(picture) = self.next(&pool)? else { continue };
            if each(index, &picture.freeze(index, Timestamp::default())).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The number of frames: an MP4 file contains it, a Y4M file must be read to its end.
    fn count(&mut self) -> Result<u64, Error> {
        match &mut self.pictures {
            Pictures::Mp4(mp4) => Ok(mp4.clip.shown() as u64),
            Pictures::Y4m(reader) => count_y4m(reader).map_err(|source| file_error(&self.path, source)),
        }
    }
}

impl Picture {
    /// Sets the frame number and the capture time.
    #[must_use]
    pub fn freeze(self, number: u64, captured: Timestamp) -> Frame {
        self.frame.freeze(number, captured, self.colour, self.rotation)
    }
}

impl Mp4 {
    fn next(&mut self, pool: &Pool) -> Result<Option<Picture>, BoxError> {
        // Bounds the loop for a file whose frames cannot be decoded: two passes without a frame are an error.
        for _ in 0..2 * (self.clip.len() + MAX_REORDERED_FRAMES) {
            if let Some(picture) = self.ready.pop_front() {
                return Ok(picture);
            }
            self.decode(pool)?;
        }
        Err("none of its frames can be decoded".into())
    }

    fn decode(&mut self, pool: &Pool) -> Result<(), BoxError> {
        let (ready, clip, decoded) = (&mut self.ready, &mut self.clip, &mut self.decoded);
        if self.next < clip.len() {
            clip.read(self.next, &mut self.bitstream)?;
        }
        let on_picture = &mut |picture: decode::Picture<'_>| {
            if clip.time(*decoded).is_some() {
                ready.push_back(copy(&picture, clip.rotation(), pool));
            }
            *decoded += 1;
        };
        if self.next < clip.len() {
            self.next += 1;
            self.decoder.decode(&self.bitstream, on_picture)?;
        } else if !self.decoder.flush(on_picture)? {
            (self.next, self.decoded) = (0, 0);
        }
        Ok(())
    }

    fn due(&self, number: u64) -> Duration {
        let length = self.due.len().max(1) as u64;
        let (pass, index) = (number / length, usize::try_from(number % length).unwrap_or(0));
        let passes = self.clip.duration().saturating_mul(u32::try_from(pass).unwrap_or(u32::MAX));
        passes.saturating_add(self.due.get(index).copied().unwrap_or_default())
    }
}

fn copy(picture: &decode::Picture<'_>, rotation: Rotation, pool: &Pool) -> Option<Picture> {
    let mut frame = pool.take(picture.size)?;
    for (to, from) in frame.planes_mut().iter_mut().zip(picture.planes) {
        to.copy_from(from);
    }
    Some(Picture { frame, colour: picture.colour, rotation })
}

fn next_y4m(reader: &mut y4m::Reader<BufReader<File>>, pool: &Pool) -> Result<Option<Picture>, container::Error> {
    let header = reader.header();
    // Without a free buffer the frame is read into a temporary one, so that the reader advances.
    let free = pool.take(header.size);
    let skipped = free.is_none();
    let Some(mut frame) = free.or_else(|| Pool::new(1).take(header.size)) else { return Ok(None) };
    if !reader.read(&mut frame)? {
        reader.rewind()?;
        reader.read(&mut frame)?;
    }
    let picture = Picture { frame, colour: header.colour, rotation: Rotation::Upright };
    Ok((!skipped).then_some(picture))
}

fn count_y4m(reader: &mut y4m::Reader<BufReader<File>>) -> Result<u64, BoxError> {
    let pool = Pool::new(1);
    let mut frame = pool.take(reader.header().size).ok_or("no memory for its frames")?;
    let mut count = 0;
    while reader.read(&mut frame)? {
        count += 1;
    }
    reader.rewind()?;
    Ok(count)
}

fn open(path: &Path) -> Result<Pictures, BoxError> {
    if is_y4m(path)? {
        return Ok(Pictures::Y4m(y4m::Reader::open(path)?));
    }
    let clip = mp4::Clip::open(path)?;
    let mut mp4 = Mp4 {
        due: (0..clip.len()).filter_map(|index| clip.time(index)).collect(),
        clip,
        decoder: Decoder::open(VideoCodec::H264)?,
        bitstream: Vec::new(),
        next: 0,
        decoded: 0,
        ready: VecDeque::new(),
    };
    // A damaged first frame is reported when the file is opened, not later.
    let first = mp4.next(&Pool::new(1))?;
    mp4.ready.push_front(first);
    Ok(Pictures::Mp4(Box::new(mp4)))
}

fn is_y4m(path: &Path) -> std::io::Result<bool> {
    let mut start = [0; 9];
    let read = File::open(path)?.read(&mut start)?;
    Ok(start[..read] == *b"YUV4MPEG2")
}

fn file_error(path: &Path, source: impl Into<BoxError>) -> Error {
    let (path, source) = (path.to_owned(), source.into());
    match unsupported_format(&source) {
        Some(format) => Error::FileFormat { path, format },
        None => Error::BadFile { path, source },
    }
}

/// The name of the format if the error says that the file is valid but its format is not supported.
fn unsupported_format(error: &BoxError) -> Option<String> {
    match (error.downcast_ref(), error.downcast_ref()) {
        (Some(container::Error::Format(format)), _) => Some(format.clone()),
        // Parameter sets may also be stored with the frames.
        (_, Some(decode::Error::Malformed(Malformed::Unsupported(what)))) => Some(format!("H.264 {what}")),
        (_, _) => None,
    }
}

/// Frames that a decoder may delay for reordering (ITU-T H.264 A.3.1), and one call that returns none.
const MAX_REORDERED_FRAMES: usize = 17;

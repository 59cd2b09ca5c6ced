//! The pictures of a file, one after the other and over again, without any pace.

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

/// An open file.
pub struct Clip {
    path: PathBuf,
    pictures: Pictures,
    length: u64,
}

/// A picture that has no number yet.
pub struct Picture {
    canvas: FrameMut,
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
    /// How many pictures of this pass the decoder has shown.
    came: usize,
    /// When each picture of a pass is due.
    due: Vec<Duration>,
    /// Pictures that the decoder has shown and nobody has taken: more than one where it held some back for order's sake.
    shown: VecDeque<Option<Picture>>,
}

impl Clip {
    /// Opens a file and looks whether it can be played.
    ///
    /// # Errors
    /// [`Error::BadFile`], [`Error::FileFormat`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        let pictures = open(path).map_err(|source| bad(path, source))?;
        let mut clip = Self { path: path.to_owned(), pictures, length: 0 };
        clip.length = clip.count()?;
        Ok(clip)
    }

    /// The size and rate of its pictures.
    #[must_use]
    pub fn format(&self) -> Format {
        match &self.pictures {
            Pictures::Mp4(mp4) => Format { size: mp4.clip.size(), rate: mp4.clip.rate() },
            Pictures::Y4m(reader) => Format { size: reader.header().size, rate: reader.header().rate },
        }
    }

    /// How many pictures there are in one pass; at least one.
    #[expect(clippy::len_without_is_empty, reason = "a file without pictures does not open")]
    #[must_use]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// When picture `number` is due, counted from the first one of the first pass: as evenly as the file says.
    #[must_use]
    pub fn due(&self, number: u64) -> Duration {
        match &self.pictures {
            Pictures::Mp4(mp4) => mp4.due(number),
            Pictures::Y4m(reader) => reader.header().rate.due(number),
        }
    }

    /// The next picture, the first one again after the last. `None` where `pool` has no buffer for it.
    ///
    /// # Errors
    /// [`Error::BadFile`] where the file has become unreadable.
    pub fn next(&mut self, pool: &Pool) -> Result<Option<Picture>, Error> {
        let picture = match &mut self.pictures {
            Pictures::Mp4(mp4) => mp4.next(pool),
            Pictures::Y4m(reader) => next_y4m(reader, pool).map_err(Into::into),
        };
        picture.map_err(|source| bad(&self.path, source))
    }

    /// Hands out each picture of one pass with its index, until `each` says break.
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

    /// An MP4 says how many pictures it has; a Y4M has to be walked through.
    fn count(&mut self) -> Result<u64, Error> {
        match &mut self.pictures {
            Pictures::Mp4(mp4) => Ok(mp4.clip.shown() as u64),
            Pictures::Y4m(reader) => count_y4m(reader).map_err(|source| bad(&self.path, source)),
        }
    }
}

impl Picture {
    /// Gives it a number and a time.
    #[must_use]
    pub fn freeze(self, number: u64, captured: Timestamp) -> Frame {
        self.canvas.freeze(number, captured, self.colour, self.rotation)
    }
}

impl Mp4 {
    fn next(&mut self, pool: &Pool) -> Result<Option<Picture>, BoxError> {
        // Every pass shows as many pictures as it has, so this ends; a file that shows none is refused at the second.
        for _ in 0..2 * (self.clip.len() + MAX_HELD_BACK) {
            if let Some(picture) = self.shown.pop_front() {
                return Ok(picture);
            }
            self.decode(pool)?;
        }
        Err("no picture of it can be decoded".into())
    }

    fn decode(&mut self, pool: &Pool) -> Result<(), BoxError> {
        let (shown, clip, came) = (&mut self.shown, &mut self.clip, &mut self.came);
        if self.next < clip.len() {
            clip.read(self.next, &mut self.bitstream)?;
        }
        let show = &mut |picture: decode::Picture<'_>| {
            if clip.time(*came).is_some() {
                shown.push_back(copy(&picture, clip.rotation(), pool));
            }
            *came += 1;
        };
        if self.next < clip.len() {
            self.next += 1;
            self.decoder.decode(&self.bitstream, show)?;
        } else if !self.decoder.flush(show)? {
            (self.next, self.came) = (0, 0);
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
    let mut canvas = pool.canvas(picture.size)?;
    for (to, from) in canvas.planes_mut().iter_mut().zip(picture.planes) {
        to.copy_from(from);
    }
    Some(Picture { canvas, colour: picture.colour, rotation })
}

fn next_y4m(reader: &mut y4m::Reader<BufReader<File>>, pool: &Pool) -> Result<Option<Picture>, container::Error> {
    let header = reader.header();
    // Without a free buffer the picture is read all the same, so that the next one is the next one.
    let free = pool.canvas(header.size);
    let skipped = free.is_none();
    let Some(mut canvas) = free.or_else(|| Pool::new(1).canvas(header.size)) else { return Ok(None) };
    if !reader.read(&mut canvas)? {
        reader.rewind()?;
        reader.read(&mut canvas)?;
    }
    let picture = Picture { canvas, colour: header.colour, rotation: Rotation::Upright };
    Ok((!skipped).then_some(picture))
}

fn count_y4m(reader: &mut y4m::Reader<BufReader<File>>) -> Result<u64, BoxError> {
    let pool = Pool::new(1);
    let mut canvas = pool.canvas(reader.header().size).ok_or("no memory for its pictures")?;
    let mut count = 0;
    while reader.read(&mut canvas)? {
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
        came: 0,
        shown: VecDeque::new(),
    };
    // A damaged first picture is told now, not in the meeting.
    let first = mp4.next(&Pool::new(1))?;
    mp4.shown.push_front(first);
    Ok(Pictures::Mp4(Box::new(mp4)))
}

fn is_y4m(path: &Path) -> std::io::Result<bool> {
    let mut start = [0; 9];
    let read = File::open(path)?.read(&mut start)?;
    Ok(start[..read] == *b"YUV4MPEG2")
}

fn bad(path: &Path, source: impl Into<BoxError>) -> Error {
    let (path, source) = (path.to_owned(), source.into());
    match foreign(&source) {
        Some(format) => Error::FileFormat { path, format },
        None => Error::BadFile { path, source },
    }
}

/// What a file is that is not damaged, only of a kind that is not played here.
fn foreign(error: &BoxError) -> Option<String> {
    match (error.downcast_ref(), error.downcast_ref()) {
        (Some(container::Error::Format(format)), _) => Some(format.clone()),
        // Parameter sets may also lie among the pictures.
        (_, Some(decode::Error::Malformed(Malformed::Unsupported(what)))) => Some(format!("H.264 {what}")),
        (_, _) => None,
    }
}

/// Pictures that a decoder may hold back for order's sake (ITU-T H.264 A.3.1), and the word that there are no more.
const MAX_HELD_BACK: usize = 17;

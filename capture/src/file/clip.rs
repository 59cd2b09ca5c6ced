//! The frames of a file in a loop, without timing.

use crate::{BoxError, Error, Format};
use codec::bitstream::{self, Malformed};
use codec::container::{self, mp4, y4m};
use codec::decode::{self, Decoder};
use codec::display::{Geometry, Transform};
use media::{Colour, Frame, FrameMut, Plane, Pool, Timestamp, VideoCodec};
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

/// A decoded frame without a number, as it is displayed: upright and with square samples.
pub struct Picture {
    frame: FrameMut,
    colour: Colour,
}

enum Pictures {
    Mp4(Box<Mp4>),
    Y4m(Box<Y4m>),
}

struct Mp4 {
    clip: mp4::Clip<BufReader<File>>,
    decoder: Decoder,
    transform: Transform,
    bitstream: Vec<u8>,
    /// The frame that is read next, in decoding order.
    next: usize,
    /// The frame that the decoder returns next, in presentation order.
    decoded: usize,
    /// The number in this pass of the frame that is shown next.
    show: usize,
    /// Decoded frames that were not taken yet: several if the decoder reordered frames. `None` stands for a frame for
    /// which the pool had no buffer.
    ready: VecDeque<Option<Picture>>,
}

struct Y4m {
    reader: y4m::Reader<BufReader<File>>,
    transform: Transform,
    /// The buffer for frames that are scaled, or for which the pool has no buffer.
    scratch: Pool,
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
            Pictures::Mp4(mp4) => Format { size: mp4.transform.displayed(mp4.clip.size()), rate: mp4.clip.rate() },
            Pictures::Y4m(y4m) => {
                let header = y4m.reader.header();
                Format { size: y4m.transform.displayed(header.size), rate: header.rate }
            }
        }
    }

    /// The number of frames of one pass, at least one.
    #[expect(clippy::len_without_is_empty, reason = "a file without frames does not open")]
    #[must_use]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// When frame `number` is due, from the start of the first pass, by the file's timestamps.
    #[must_use]
    pub fn due(&self, number: u64) -> Duration {
        match &self.pictures {
            Pictures::Mp4(mp4) => mp4.due(number),
            Pictures::Y4m(y4m) => y4m.reader.header().rate.due(number),
        }
    }

    /// Decodes the next frame; the first frame follows the last. Returns `None` if `pool` has no free buffer.
    ///
    /// # Errors
    /// Returns [`Error::BadFile`] if the file has become unreadable.
    pub fn next(&mut self, pool: &Pool) -> Result<Option<Picture>, Error> {
        let picture = match &mut self.pictures {
            Pictures::Mp4(mp4) => mp4.next(pool),
            Pictures::Y4m(y4m) => y4m.next(pool).map_err(Into::into),
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
            Pictures::Y4m(y4m) => y4m.count().map_err(|source| file_error(&self.path, source)),
        }
    }
}

impl Picture {
    /// Sets the frame number and the capture time.
    #[must_use]
    pub fn freeze(self, number: u64, captured: Timestamp) -> Frame {
        self.frame.freeze(number, captured, self.colour)
    }
}

impl Mp4 {
    fn next(&mut self, pool: &Pool) -> Result<Option<Picture>, BoxError> {
        // Bounds the loop for a file whose frames cannot be decoded: two passes without a frame are an error.
        for _ in 0..2 * (self.clip.len() + MAX_REORDERED_FRAMES) {
            if let Some(picture) = self.ready.pop_front() {
                return Ok(picture);
            }
            self.seek()?;
            self.decode(pool)?;
        }
        Err("none of its frames can be decoded".into())
    }

    /// Moves the decoder to a key frame if the next frame to show was decoded before, or if the frames before that key
    /// frame are not shown.
    fn seek(&mut self) -> Result<(), BoxError> {
        if self.show == self.clip.shown() {
            self.show = 0;
        }
        let wanted = self.clip.frame(self.show).unwrap_or(0);
        let ahead = wanted >= self.decoded;
        let mut key = self.clip.key_before(wanted);
        if ahead && key <= self.next {
            return Ok(());
        }
        // Some files call frames key frames from which no decoder can start.
        self.clip.read(key, &mut self.bitstream)?;
        while key > 0 && !bitstream::is_key(&self.bitstream) {
            key = self.clip.key_before(key - 1);
            self.clip.read(key, &mut self.bitstream)?;
        }
        if ahead && key <= self.next {
            return Ok(());
        }
        while self.decoder.flush(&mut |_| {})? {}
        // No frame before a key frame is displayed after it, so its index is the same in both orders.
        (self.next, self.decoded) = (key, key);
        Ok(())
    }

    /// Decodes one frame, or takes one from the decoder at the end of the file.
    fn decode(&mut self, pool: &Pool) -> Result<(), BoxError> {
        let Self { clip, decoder, transform, bitstream, next, decoded, show, ready } = self;
        let unread = *next < clip.len();
        if unread {
            clip.read(*next, bitstream)?;
            *next += 1;
        }
        let on_picture = &mut |picture: decode::Picture<'_>| {
            if clip.frame(*show) == Some(*decoded) {
                let frame = transform.copy(picture.planes, picture.size, pool);
                ready.push_back(frame.map(|frame| Picture { frame, colour: picture.colour }));
                *show += 1;
            }
            *decoded += 1;
        };
        if unread {
            decoder.decode(bitstream, on_picture)?;
        } else if !decoder.flush(on_picture)? {
            // The decoder returned fewer frames than the file has. The rest of this part cannot be shown.
            *show = clip.next_part(*show);
            *decoded = clip.len();
        }
        Ok(())
    }

    fn due(&self, number: u64) -> Duration {
        let length = self.clip.shown().max(1) as u64;
        let (pass, index) = (number / length, usize::try_from(number % length).unwrap_or(0));
        let passes = self.clip.duration().saturating_mul(u32::try_from(pass).unwrap_or(u32::MAX));
        passes.saturating_add(self.clip.time(index).unwrap_or_default())
    }
}

impl Y4m {
    fn open(path: &Path) -> Result<Self, container::Error> {
        let reader = y4m::Reader::open(path)?;
        let geometry = Geometry { aspect: reader.aspect(), ..Geometry::default() };
        Ok(Self { reader, transform: Transform::new(geometry), scratch: Pool::new(1) })
    }

    fn next(&mut self, pool: &Pool) -> Result<Option<Picture>, container::Error> {
        let header = self.reader.header();
        let scaled = self.transform.displayed(header.size) != header.size;
        // Without a free buffer the frame is read into the temporary one, so that the reader advances.
        let free = if scaled { None } else { pool.take(header.size) };
        let direct = free.is_some();
        let Some(mut frame) = free.or_else(|| self.scratch.take(header.size)) else { return Ok(None) };
        if !self.reader.read(&mut frame)? {
            self.reader.rewind()?;
            self.reader.read(&mut frame)?;
        }
        if direct {
            return Ok(Some(Picture { frame, colour: header.colour }));
        }
        if !scaled {
            return Ok(None);
        }
        let stored = frame.freeze(0, Timestamp::default(), header.colour);
        let planes = [Plane::Y, Plane::U, Plane::V].map(|plane| stored.plane(plane));
        let frame = self.transform.copy(planes, header.size, pool);
        Ok(frame.map(|frame| Picture { frame, colour: header.colour }))
    }

    fn count(&mut self) -> Result<u64, BoxError> {
        let mut frame = self.scratch.take(self.reader.header().size).ok_or("no memory for its frames")?;
        let mut count = 0;
        while self.reader.read(&mut frame)? {
            count += 1;
        }
        self.reader.rewind()?;
        Ok(count)
    }
}

fn open(path: &Path) -> Result<Pictures, BoxError> {
    if is_y4m(path)? {
        return Ok(Pictures::Y4m(Box::new(Y4m::open(path)?)));
    }
    let clip = mp4::Clip::open(path)?;
    let mut mp4 = Mp4 {
        transform: Transform::new(clip.geometry()),
        clip,
        decoder: Decoder::open(VideoCodec::H264)?,
        bitstream: Vec::new(),
        next: 0,
        decoded: 0,
        show: 0,
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

//! Restores pictures: one [`Decoder`] for each track that is shown.

pub mod null;
mod openh264;
pub mod probe;

use crate::BoxError;
use crate::bitstream::{self, Kind, Malformed, Sps};
use media::{Colour, PlaneRef, Size, VideoCodec};

pub use crate::encode::Refusal;

/// A restored picture, in the decoder's own memory: whoever wants it longer copies it.
#[derive(Clone, Copy)]
pub struct Picture<'a> {
    /// Y, U and V; chroma at half the size, rounded up.
    pub planes: [PlaneRef<'a>; 3],
    /// The size to show.
    pub size: Size,
    /// How samples stand for colours, from the stream; [`crate::colour::assumed`] where it does not say.
    pub colour: Colour,
}

/// Shows a picture as soon as it is restored.
pub type Show<'a> = dyn FnMut(Picture<'_>) + 'a;

/// One implementation of a decompressor. It lives on one thread. It is given only what [`Decoder`] has looked over.
pub trait Backend: Send {
    /// What people call it.
    fn name(&self) -> &'static str;

    /// Takes one picture as NAL units, each behind its length in 4 big-endian bytes, and shows what is ready: this
    /// picture, an earlier one where the stream is out of order, or none yet. `colour` is that of its parameter set.
    ///
    /// # Errors
    /// Where the picture could not be restored. The back-end lives on and takes the next key frame.
    fn decode(&mut self, bitstream: &[u8], colour: Colour, show: &mut Show<'_>) -> Result<(), BoxError>;

    /// Shows the next picture that was held back for order's sake: the stream has ended. `false` where there is none; then
    /// a key frame begins another stream.
    ///
    /// # Errors
    /// As [`Backend::decode`].
    fn flush(&mut self, colour: Colour, show: &mut Show<'_>) -> Result<bool, BoxError>;
}

/// Why a picture was not restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Every back-end refused.
    #[error("no decoder opened; tried {0:?}")]
    NoBackend(Vec<Refusal>),
    /// Nothing can be restored before the next key frame.
    #[error("waiting for a key frame")]
    NoKeyFrame,
    /// The bytes are not a picture. Whoever sent them is not one of us, or broken.
    #[error("not a picture: {0}")]
    Malformed(#[from] Malformed),
    /// The back-end could not restore it.
    #[error("{name} could not restore a picture")]
    Backend {
        /// Its name.
        name: &'static str,
        /// What it said.
        #[source]
        source: BoxError,
    },
}

impl Error {
    /// True where nothing more is shown until a key frame comes: the receiver asks for one.
    #[must_use]
    pub const fn needs_key_frame(&self) -> bool {
        !matches!(self, Self::NoBackend(_))
    }
}

/// Restores one track. Feed it whole pictures in order; drop discardable ones at will.
///
/// After an error it passes over everything up to the next key frame, so that nobody sees a smear.
pub struct Decoder {
    backend: Box<dyn Backend>,
    sps: Option<Sps>,
    broken: bool,
}

impl Decoder {
    /// Opens the first back-end for `codec`.
    ///
    /// # Errors
    /// [`Error::NoBackend`] with what each of them said.
    pub fn open(codec: VideoCodec) -> Result<Self, Error> {
        let mut refusals = Vec::new();
        for candidate in CANDIDATES.iter().filter(|candidate| candidate.codec == codec) {
            match (candidate.open)() {
                Ok(backend) => return Ok(Self::with(backend)),
                Err(reason) => refusals.push(Refusal { name: candidate.name, reason }),
            }
        }
        Err(Error::NoBackend(refusals))
    }

    /// A decoder over a back-end of the caller's choice.
    #[must_use]
    pub fn with(backend: Box<dyn Backend>) -> Self {
        Self { backend, sps: None, broken: true }
    }

    /// The name of the back-end at work.
    pub fn name(&self) -> &'static str {
        self.backend.name()
    }

    /// Takes one picture, as NAL units each behind its length in 4 big-endian bytes, and shows it; a stream whose order
    /// of pictures is not that of its bytes (files, never us) shows them later, at most one for each taken.
    ///
    /// # Errors
    /// [`Error::NoKeyFrame`] until the first key frame and after each error; [`Error::Malformed`], [`Error::Backend`].
    /// Bytes of any kind are answered with an error at worst.
    pub fn decode(&mut self, bitstream: &[u8], show: &mut Show<'_>) -> Result<(), Error> {
        let result = self.look_over(bitstream).and_then(|colour| self.restore(bitstream, colour, show));
        self.broken = match &result {
            Ok(()) => false,
            Err(error) => self.broken || error.needs_key_frame(),
        };
        result
    }

    /// Shows the next picture that was held back for order's sake, and waits for a key frame: the stream has ended, or
    /// starts over. `false` where there is none left.
    ///
    /// # Errors
    /// [`Error::Backend`].
    pub fn flush(&mut self, show: &mut Show<'_>) -> Result<bool, Error> {
        let Some(sps) = self.sps else { return Ok(false) };
        self.broken = true;
        self.backend.flush(sps.colour, show).map_err(|source| Error::Backend { name: self.backend.name(), source })
    }

    fn restore(&mut self, bitstream: &[u8], colour: Colour, show: &mut Show<'_>) -> Result<(), Error> {
        let name = self.backend.name();
        self.backend.decode(bitstream, colour, show).map_err(|source| Error::Backend { name, source })
    }

    /// Reads what a picture says about itself before any back-end sees it, so that each may trust the framing, the size
    /// and the kinds of units.
    fn look_over(&mut self, bitstream: &[u8]) -> Result<Colour, Error> {
        if bitstream.len() > MAX_BITSTREAM_BYTES {
            return Err(Malformed::Unsupported("pictures of more than 16 MiB").into());
        }
        let (mut slices, mut key) = (false, false);
        for unit in bitstream::prefixed(bitstream) {
            let unit = unit?;
            match Kind::of(unit)? {
                Kind::Sps => self.sps = Some(Sps::parse(unit)?),
                Kind::Slice => slices = true,
                Kind::Key => (slices, key) = (true, true),
                Kind::Partition => return Err(Malformed::Unsupported("data partitions").into()),
                Kind::Pps | Kind::Sei | Kind::Delimiter | Kind::Other => (),
            }
        }
        match self.sps {
            Some(sps) if slices && (key || !self.broken) => Ok(sps.colour),
            _ => Err(Error::NoKeyFrame),
        }
    }
}

/// One entry of the table of back-ends.
struct Candidate {
    name: &'static str,
    codec: VideoCodec,
    open: fn() -> Result<Box<dyn Backend>, BoxError>,
}

/// In order of preference. Hardware goes in front once it is here.
const CANDIDATES: &[Candidate] = &[openh264::CANDIDATE];

/// Bytes of one picture: more than any camera sends, less than would hurt.
const MAX_BITSTREAM_BYTES: usize = 16 << 20;

#[cfg(test)]
#[expect(clippy::similar_names, reason = "an encoder makes what is encoded")]
mod tests;

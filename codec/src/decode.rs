//! Decompresses pictures: one [`Decoder`] for each track that is shown.

mod backend;
pub mod null;
mod openh264;
pub mod probe;

pub use crate::backends::{Refusal, Replacement};
pub use backend::{Backend, Candidate, Picture, PictureCallback};

use crate::BoxError;
use crate::backends::{self, Active, list};
use crate::bitstream::{self, Kind, Malformed, Sps};
use media::{Colour, VideoCodec};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Decoders in order of preference.
pub type Backends = backends::Table<(), dyn Backend>;

impl Default for Backends {
    /// Returns the decoders of this machine, hardware first once there is any.
    fn default() -> Self {
        Self::new(vec![openh264::candidate()])
    }
}

/// The reason why a picture was not decoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No back-end is left: each one did not open, or failed later.
    #[error("no decoder is left; tried {}", list(.0))]
    NoBackend(Vec<Refusal>),
    /// Nothing can be decoded before the next key frame.
    #[error("waiting for a key frame")]
    NoKeyFrame,
    /// The bytes are not a picture. The sender is defective or malicious.
    #[error("not a picture: {0}")]
    Malformed(#[from] Malformed),
    /// The back-end could not decode the picture, and was replaced.
    #[error("{name} could not decode a picture: {reason}")]
    Backend {
        /// The name of the back-end.
        name: &'static str,
        /// The error of the back-end.
        reason: String,
    },
}

impl Error {
    /// Returns true if nothing is shown until the next key frame, so that the receiver must request one.
    #[must_use]
    pub const fn needs_key_frame(&self) -> bool {
        !matches!(self, Self::NoBackend(_))
    }
}

/// Decodes one track. It takes complete pictures in order. Discardable ones may be omitted.
///
/// After an error it skips everything up to the next key frame, so that no picture is shown with wrong references.
/// A back-end that returns an error or panics is replaced by the next one of the table, within the same call. If the
/// picture was a key frame, the replacement decodes it; else it waits for the next key frame.
pub struct Decoder {
    active: Active<(), dyn Backend>,
    sps: Option<Sps>,
    broken: bool,
}

/// The properties of a picture that are parsed before a back-end gets it.
#[derive(Clone, Copy)]
struct Overview {
    colour: Colour,
    key: bool,
}

impl Decoder {
    /// Opens the first back-end of this machine for `codec`.
    ///
    /// # Errors
    /// Returns [`Error::NoBackend`] with the reason of each one if none opens.
    pub fn open(codec: VideoCodec) -> Result<Self, Error> {
        Self::open_with(codec, &Backends::default())
    }

    /// Opens the first of `backends` for `codec`.
    ///
    /// # Errors
    /// Returns [`Error::NoBackend`] with the reason of each one if none opens.
    pub fn open_with(codec: VideoCodec, backends: &Backends) -> Result<Self, Error> {
        let active = Active::open(backends.clone(), codec, &()).map_err(Error::NoBackend)?;
        Ok(Self { active, sps: None, broken: true })
    }

    /// Returns a decoder that uses `backend` only.
    #[must_use]
    pub fn with(backend: Box<dyn Backend>) -> Self {
        Self { active: Active::only(backend.name(), VideoCodec::H264, backend), sps: None, broken: true }
    }

    /// Returns the name of the active back-end.
    pub fn name(&self) -> &'static str {
        self.active.get().name()
    }

    /// Returns the back-ends that failed and were replaced since the last call.
    pub fn take_replacements(&mut self) -> Vec<Replacement> {
        self.active.take_replacements()
    }

    /// Decodes and shows one picture: NAL units, each after its length in 4 big-endian bytes. If the stream is not in
    /// display order (files only), pictures are shown later, at most one per call. A panic of `show` is passed on.
    ///
    /// # Errors
    /// Returns [`Error::NoKeyFrame`] until the first key frame and after each error, [`Error::Malformed`] if the bytes
    /// are not a picture, [`Error::Backend`] if the back-end was replaced and the replacement needs a key frame, and
    /// [`Error::NoBackend`] if the last one failed several times in a row. Invalid bytes never cause a panic.
    pub fn decode(&mut self, bitstream: &[u8], show: &mut PictureCallback<'_>) -> Result<(), Error> {
        let result = self.check(bitstream).and_then(|overview| self.decode_picture(bitstream, overview, show));
        self.broken = result.is_err();
        result
    }

    /// Shows the next picture that was delayed for reordering. Returns `false` if there is none left. The caller calls
    /// it when the stream has ended or restarts. After it, the next picture must be a key frame.
    ///
    /// # Errors
    /// Returns [`Error::Backend`] or [`Error::NoBackend`] if the back-end failed.
    pub fn flush(&mut self, show: &mut PictureCallback<'_>) -> Result<bool, Error> {
        let Some(sps) = self.sps else { return Ok(false) };
        self.broken = true;
        let result = guard(show, |show| self.active.prepare(|backend| backend.flush(sps.colour, show)));
        result.map_err(|reason| self.replace(reason))
    }

    fn decode_picture(
        &mut self,
        bitstream: &[u8],
        overview: Overview,
        show: &mut PictureCallback<'_>,
    ) -> Result<(), Error> {
        loop {
            let failed = self.name();
            let result =
                guard(show, |show| self.active.call(|backend| backend.decode(bitstream, overview.colour, show)));
            let Err(reason) = result else { return Ok(()) };
            let error = self.replace(reason);
            // The same back-end would fail again at the same picture.
            let another = !matches!(error, Error::NoBackend(_)) && self.name() != failed;
            if !(another && overview.key) {
                return Err(error);
            }
        }
    }

    /// Replaces the back-end. Returns the error for the caller.
    fn replace(&mut self, reason: BoxError) -> Error {
        let (name, text) = (self.name(), reason.to_string());
        match self.active.replace(reason, &()) {
            Ok(()) => Error::Backend { name, reason: text },
            Err(refusals) => Error::NoBackend(refusals),
        }
    }

    /// Parses and checks a picture before a back-end gets it, so that back-ends can rely on the framing, the size and
    /// the types of units.
    fn check(&mut self, bitstream: &[u8]) -> Result<Overview, Error> {
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
            Some(sps) if slices && (key || !self.broken) => Ok(Overview { colour: sps.colour, key }),
            _ => Err(Error::NoKeyFrame),
        }
    }
}

/// Calls `work` with a `show` that catches panics, and resumes the panic after the back-end has returned. A panic of
/// `show` is not a failure of the back-end.
fn guard<T>(show: &mut PictureCallback<'_>, work: impl FnOnce(&mut PictureCallback<'_>) -> T) -> T {
    let mut panic: Option<Box<dyn Any + Send>> = None;
    let result = work(&mut |picture| {
        if panic.is_none() {
            panic = catch_unwind(AssertUnwindSafe(|| show(picture))).err();
        }
    });
    match panic {
        Some(panic) => resume_unwind(panic),
        None => result,
    }
}

/// The maximum length of one picture in bytes: more than any camera sends, but small enough to keep in memory.
const MAX_BITSTREAM_BYTES: usize = 16 << 20;

#[cfg(test)]
#[expect(clippy::similar_names, reason = "an encoder makes what is encoded")]
mod tests;

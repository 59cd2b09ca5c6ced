//! Compresses pictures: one [`Encoder`] for each spatial layer, over the first back-end that serves it.

pub mod null;
mod openh264;
pub mod probe;

pub use crate::layer::Content;

use crate::BoxError;
use crate::scale::Scaler;
use media::{Bitrate, Buffer, BufferPool, Encoded, Frame, FrameRate, Layer, Pool, Size, VideoCodec};

/// What to compress, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The format.
    pub codec: VideoCodec,
    /// The size of the compressed picture, 16 samples or more either way. An odd side loses its last row or column.
    pub size: Size,
    /// Pictures in a second that will be given, as nearly as is known.
    pub rate: FrameRate,
    /// The rate to aim at.
    pub bitrate: Bitrate,
    /// Temporal layers, 1..=3. A back-end that cannot make so many makes fewer.
    pub temporal_layers: u8,
    /// What the pictures show.
    pub content: Content,
    /// The number that pictures carry as their spatial layer.
    pub spatial: u8,
}

/// A compressed picture, as a back-end hands it out.
#[derive(Debug)]
pub struct Packet {
    /// NAL units, each behind its length in 4 big-endian bytes; key frames carry their parameter sets.
    pub payload: Buffer,
    /// The temporal layer.
    pub temporal: u8,
    /// True where the picture builds on no other.
    pub key: bool,
    /// True where no other picture builds on it.
    pub discardable: bool,
}

/// One implementation of a compressor. It lives on one thread.
pub trait Backend: Send {
    /// What people call it.
    fn name(&self) -> &'static str;

    /// What it was opened with, made possible: the size is even, and there are as many temporal layers as it makes.
    fn config(&self) -> &Config;

    /// Compresses a picture of exactly [`Backend::config`]'s size, or one that is a row or column larger: a key frame
    /// where `key` is set. `None` where it chose to leave this picture out.
    ///
    /// # Errors
    /// Where the back-end is broken; another one must take over.
    fn encode(&mut self, frame: &Frame, key: bool, pool: &BufferPool) -> Result<Option<Packet>, BoxError>;

    /// Aims at another rate from the next picture on.
    ///
    /// # Errors
    /// Where it cannot, or is broken; it goes on as before.
    fn set_target(&mut self, bitrate: Bitrate, rate: FrameRate) -> Result<(), BoxError>;
}

/// A back-end that did not open.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {reason}")]
pub struct Refusal {
    /// Its name.
    pub name: &'static str,
    /// What it said.
    pub reason: BoxError,
}

/// Why pictures are not compressed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Every back-end refused.
    #[error("no encoder opened; tried {}", list(.0))]
    NoBackend(Vec<Refusal>),
    /// The back-end broke down.
    #[error("{name} stopped")]
    Backend {
        /// Its name.
        name: &'static str,
        /// What it said.
        #[source]
        source: BoxError,
    },
    /// A scaled picture is still in use: cannot happen while the encoder is driven by one thread.
    #[error("no room to scale a picture")]
    NoRoom,
}

/// Compresses one spatial layer of a track.
pub struct Encoder {
    backend: Box<dyn Backend>,
    scaler: Scaler,
    pool: Pool,
}

impl Encoder {
    /// Opens the first back-end that takes `config`.
    ///
    /// # Errors
    /// [`Error::NoBackend`] with what each of them said.
    pub fn open(config: &Config) -> Result<Self, Error> {
        let mut refusals = Vec::new();
        for candidate in CANDIDATES.iter().filter(|candidate| candidate.codec == config.codec) {
            match (candidate.open)(config) {
                Ok(backend) => return Ok(Self::with(backend)),
                Err(reason) => refusals.push(Refusal { name: candidate.name, reason }),
            }
        }
        Err(Error::NoBackend(refusals))
    }

    /// An encoder over a back-end of the caller's choice.
    #[must_use]
    pub fn with(backend: Box<dyn Backend>) -> Self {
        Self { backend, scaler: Scaler::new(), pool: Pool::new(1) }
    }

    /// The name of the back-end at work.
    pub fn name(&self) -> &'static str {
        self.backend.name()
    }

    /// What it really does: the size after rounding to even, the temporal layers that the back-end makes.
    pub fn config(&self) -> &Config {
        self.backend.config()
    }

    /// Compresses `frame`, after stretching it to the configured size where it has another one. A key frame where `key`
    /// is set, and in any case for the first picture and after a change of colours. `None` where the back-end chose to
    /// leave this picture out. In steady state nothing is allocated but what `pool` lacks.
    ///
    /// # Errors
    /// [`Error::Backend`] where it is broken; another encoder must take over, with a key frame.
    pub fn encode(&mut self, frame: &Frame, key: bool, pool: &BufferPool) -> Result<Option<Encoded>, Error> {
        let size = self.backend.config().size;
        let packet = if even(frame.size()) == size {
            self.backend.encode(frame, key, pool)
        } else {
            let scaled = self.scaled(frame, size)?;
            self.backend.encode(&scaled, key, pool)
        };
        let packet = packet.map_err(|source| Error::Backend { name: self.name(), source })?;
        Ok(packet.map(|packet| self.describe(frame, packet)))
    }

    /// Aims at another rate from the next picture on.
    ///
    /// # Errors
    /// [`Error::Backend`] where it cannot; it goes on as before.
    pub fn set_target(&mut self, bitrate: Bitrate, rate: FrameRate) -> Result<(), Error> {
        let name = self.name();
        self.backend.set_target(bitrate, rate).map_err(|source| Error::Backend { name, source })
    }

    fn scaled(&mut self, frame: &Frame, size: Size) -> Result<Frame, Error> {
        let mut canvas = self.pool.take(size).ok_or(Error::NoRoom)?;
        self.scaler.scale(frame, &mut canvas);
        Ok(canvas.freeze(frame.number(), frame.captured(), frame.colour(), frame.rotation()))
    }

    fn describe(&self, frame: &Frame, packet: Packet) -> Encoded {
        let config = self.backend.config();
        Encoded {
            codec: config.codec,
            layer: Layer { spatial: config.spatial, temporal: packet.temporal },
            size: config.size,
            key: packet.key,
            discardable: packet.discardable,
            number: frame.number(),
            captured: frame.captured(),
            payload: packet.payload,
        }
    }
}

/// One entry of the table of back-ends.
struct Candidate {
    name: &'static str,
    codec: VideoCodec,
    open: fn(&Config) -> Result<Box<dyn Backend>, BoxError>,
}

/// In order of preference. Hardware goes in front once it is here.
const CANDIDATES: &[Candidate] = &[openh264::CANDIDATE];

/// A size without its odd row and column: 4:2:0 cropping counts in pairs.
fn even(size: Size) -> Size {
    Size::new(size.width & !1, size.height & !1)
}

fn list(refusals: &[Refusal]) -> String {
    refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
#[expect(clippy::similar_names, reason = "an encoder makes what is encoded")]
mod tests;

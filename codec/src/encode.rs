//! Compresses pictures: one [`Encoder`] for each spatial layer, over the first back-end that serves it.

mod backend;
pub mod null;
mod openh264;
pub mod probe;

pub use crate::backends::{Refusal, Replacement};
pub use crate::layer::Content;
pub use backend::{Backend, Candidate, Config, Packet};

use crate::BoxError;
use crate::backends::{self, Active, list};
use crate::rate::EncoderTarget;
use crate::scale::Scaler;
use backend::even;
use media::{BufferPool, Encoded, Frame, Layer, Pool, Size};

/// Encoders in order of preference.
pub type Backends = backends::Table<Config, dyn Backend>;

impl Default for Backends {
    /// Returns the encoders of this machine, hardware first once there is any.
    fn default() -> Self {
        Self::new(vec![openh264::candidate()])
    }
}

/// The reason why pictures are not compressed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No back-end is left: each one did not open, or failed later.
    #[error("no encoder is left; tried {}", list(.0))]
    NoBackend(Vec<Refusal>),
    /// A scaled picture is still in use. This does not happen if one thread uses the encoder.
    #[error("no room to scale a picture")]
    NoRoom,
}

/// Compresses one spatial layer of a track.
///
/// A back-end that returns an error or panics is replaced by the next one of the table, within the same call: the
/// replacement compresses the same picture, as a key frame.
pub struct Encoder {
    active: Active<Config, dyn Backend>,
    /// The configuration to open the next back-end with.
    config: Config,
    target: Option<EncoderTarget>,
    /// True if the next picture must be a key frame, because a back-end was replaced between two pictures.
    key_due: bool,
    scaler: Scaler,
    pool: Pool,
}

impl Encoder {
    /// Opens the first back-end of this machine that takes `config`.
    ///
    /// # Errors
    /// Returns [`Error::NoBackend`] with the reason of each one if none opens.
    pub fn open(config: &Config) -> Result<Self, Error> {
        Self::open_with(config, &Backends::default())
    }

    /// Opens the first of `backends` that takes `config`.
    ///
    /// # Errors
    /// Returns [`Error::NoBackend`] with the reason of each one if none opens.
    pub fn open_with(config: &Config, backends: &Backends) -> Result<Self, Error> {
        let active = Active::open(backends.clone(), config.codec, config).map_err(Error::NoBackend)?;
        Ok(Self::over(active, config.clone()))
    }

    /// Returns an encoder that uses `backend` only.
    #[must_use]
    pub fn with(backend: Box<dyn Backend>) -> Self {
        let config = backend.config().clone();
        Self::over(Active::only(backend.name(), config.codec, backend), config)
    }

    fn over(active: Active<Config, dyn Backend>, config: Config) -> Self {
        Self { active, config, target: None, key_due: false, scaler: Scaler::new(), pool: Pool::new(1) }
    }

    /// Returns the name of the active back-end.
    pub fn name(&self) -> &'static str {
        self.active.get().name()
    }

    /// Returns the configuration of the back-end: the size rounded to even, and its current number of temporal layers.
    pub fn config(&self) -> &Config {
        self.active.get().config()
    }

    /// Returns the back-ends that failed and were replaced since the last call.
    pub fn take_replacements(&mut self) -> Vec<Replacement> {
        self.active.take_replacements()
    }

    /// Compresses `frame`, stretched to the configured size if it has another one. The result is a key frame if `key`
    /// is set, for the first picture, after a change of colours, and after a back-end was replaced. Returns `None` if
    /// the back-end skips this picture. In steady state allocates only if `pool` is empty.
    ///
    /// # Errors
    /// Returns [`Error::NoBackend`] if the last back-end failed: the encoder is of no more use.
    pub fn encode(&mut self, frame: &Frame, key: bool, pool: &BufferPool) -> Result<Option<Encoded>, Error> {
        let mut key = key || self.key_due;
        loop {
            match self.attempt(frame, key, pool)? {
                Ok(packet) => {
                    self.key_due = false;
                    return Ok(packet.map(|packet| self.describe(frame, packet)));
                }
                Err(reason) => self.replace(reason)?,
            }
            key = true;
        }
    }

    /// Sets the target from the next picture on.
    ///
    /// # Errors
    /// Returns [`Error::NoBackend`] if the last back-end failed: the encoder is of no more use.
    pub fn set_target(&mut self, target: EncoderTarget) -> Result<(), Error> {
        self.target = Some(target);
        match self.active.prepare(|backend| backend.set_target(target)) {
            Ok(()) => Ok(()),
            Err(reason) => self.replace(reason),
        }
    }

    /// Encodes `frame` once. The outer error is the encoder's, the inner one that of the back-end.
    fn attempt(
        &mut self,
        frame: &Frame,
        key: bool,
        pool: &BufferPool,
    ) -> Result<Result<Option<Packet>, BoxError>, Error> {
        let size = self.config().size;
        if even(frame.size()) == size {
            return Ok(self.active.call(|backend| backend.encode(frame, key, pool)));
        }
        let scaled = self.scaled(frame, size)?;
        Ok(self.active.call(|backend| backend.encode(&scaled, key, pool)))
    }

    /// Opens the next back-end with the target of the one that failed.
    fn replace(&mut self, reason: BoxError) -> Result<(), Error> {
        self.key_due = true;
        let mut reason = reason;
        loop {
            self.active.replace(reason, &self.config).map_err(Error::NoBackend)?;
            let Some(target) = self.target else { return Ok(()) };
            match self.active.prepare(|backend| backend.set_target(target)) {
                Ok(()) => return Ok(()),
                Err(next) => reason = next,
            }
        }
    }

    fn scaled(&mut self, frame: &Frame, size: Size) -> Result<Frame, Error> {
        let mut scaled = self.pool.take(size).ok_or(Error::NoRoom)?;
        self.scaler.scale(frame, &mut scaled);
        Ok(scaled.freeze(frame.number(), frame.captured(), frame.colour()))
    }

    fn describe(&self, frame: &Frame, packet: Packet) -> Encoded {
        let config = self.config();
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

#[cfg(test)]
#[expect(clippy::similar_names, reason = "an encoder makes what is encoded")]
mod tests;

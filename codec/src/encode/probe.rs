//! An encoder for tests: it records its calls and their threads.
//!
//! Its packets are valid NAL units that contain the frame number instead of a picture. [`crate::decode::probe`] decodes
//! them.

use super::{Config, Packet};
use crate::BoxError;
use crate::call_log::CallLog;
use media::{Bitrate, BufferPool, Frame, FrameRate};

/// A call of the back-end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// A frame was encoded.
    Encode {
        /// The frame number.
        number: u64,
        /// True if a key frame was requested.
        key: bool,
    },
    /// A new target was set.
    SetTarget(Bitrate, FrameRate),
    /// The back-end was dropped.
    Dropped,
}

/// The calls of a back-end of this module.
pub type Log = CallLog<Call>;

/// Encodes each frame into a packet that contains its number.
#[derive(Debug)]
pub struct Backend {
    config: Config,
    log: Log,
    encoded: u64,
    breaks_after: u64,
}

impl Backend {
    /// Creates a back-end that records its calls in `log`.
    #[must_use]
    pub fn new(config: Config, log: Log) -> Self {
        Self { config, log, encoded: 0, breaks_after: u64::MAX }
    }

    /// Returns an error for every frame after the first `pictures` frames.
    #[must_use]
    pub fn that_breaks_after(mut self, pictures: u64) -> Self {
        self.breaks_after = pictures;
        self
    }
}

impl super::Backend for Backend {
    fn name(&self) -> &'static str {
        "probe"
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn encode(&mut self, frame: &Frame, key: bool, pool: &BufferPool) -> Result<Option<Packet>, BoxError> {
        self.log.note(Call::Encode { number: frame.number(), key });
        if self.encoded == self.breaks_after {
            return Err("the probe failed as configured".into());
        }
        let key = key || self.encoded == 0;
        self.encoded += 1;
        let mut payload = pool.take(SPS.len() + 13);
        if key {
            payload.append(SPS);
        }
        payload.append(&[0, 0, 0, 9, if key { 0x65 } else { 0x41 }]);
        payload.append(&frame.number().to_be_bytes());
        Ok(Some(Packet { payload, temporal: 0, key, discardable: false }))
    }

    fn set_target(&mut self, bitrate: Bitrate, rate: FrameRate) -> Result<(), BoxError> {
        self.log.note(Call::SetTarget(bitrate, rate));
        Ok(())
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.log.note(Call::Dropped);
    }
}

/// A sequence parameter set of 16x16, after its length. A decoder needs one to start.
const SPS: &[u8] = &[0, 0, 0, 6, 0x67, 0x42, 0xC0, 0x1F, 0xDA, 0x79];

//! Records what it is asked, and on which thread: for tests of whoever drives encoders.
//!
//! Its packets are well-formed NAL units that hold the picture's number instead of a picture;
//! [`crate::decode::probe`] reads them.

use super::{Config, Packet};
use crate::BoxError;
use media::{Bitrate, BufferPool, Frame, FrameRate};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

/// Something that was asked of the back-end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// A picture of this number, as a key frame or not.
    Encode {
        /// The picture's number.
        number: u64,
        /// Whether a key frame was asked for.
        key: bool,
    },
    /// Another target.
    SetTarget(Bitrate, FrameRate),
    /// The end.
    Dropped,
}

/// What was asked so far; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Log {
    calls: Arc<Mutex<Vec<(ThreadId, Call)>>>,
}

impl Log {
    /// Every call with the thread it came on, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<(ThreadId, Call)> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, call: Call) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push((thread::current().id(), call));
    }
}

/// Turns each picture into a packet that holds its number.
#[derive(Debug)]
pub struct Backend {
    config: Config,
    log: Log,
    encoded: u64,
    breaks_after: u64,
}

impl Backend {
    /// A back-end that notes down in `log` what it is asked.
    #[must_use]
    pub fn new(config: Config, log: Log) -> Self {
        Self { config, log, encoded: 0, breaks_after: u64::MAX }
    }

    /// Breaks down after `pictures`.
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
            return Err("the probe broke down as it was told".into());
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

/// A parameter set of the smallest picture there is, behind its length: without one no decoder starts.
const SPS: &[u8] = &[0, 0, 0, 6, 0x67, 0x42, 0xC0, 0x1F, 0xDA, 0x79];

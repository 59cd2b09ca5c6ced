//! Encoders for tests: one that records its calls and their threads, and one that fails on purpose.
//!
//! Its packets are valid NAL units that contain the frame number instead of a picture. [`crate::decode::probe`] decodes
//! them.

use super::{Candidate, Config, Packet};
use crate::BoxError;
use crate::call_log::CallLog;
use crate::rate::EncoderTarget;
use media::{BufferPool, Frame, VideoCodec};

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
    SetTarget(EncoderTarget),
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
}

impl Backend {
    /// Returns a back-end that records its calls in `log`.
    #[must_use]
    pub fn new(config: Config, log: Log) -> Self {
        Self { config, log, encoded: 0 }
    }
}

/// Returns a candidate called `name` whose back-ends record their calls in `log`.
#[must_use]
pub fn candidate(name: &'static str, log: Log) -> Candidate {
    Candidate::new(name, VideoCodec::H264, move |config| Ok(Box::new(Backend::new(config.clone(), log.clone()))))
}

/// The way in which a back-end fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not open.
    Open,
    /// It returns an error at this picture since it was opened, counted from 0, and at each later one.
    ErrorAt(u64),
    /// It panics at this picture since it was opened, counted from 0.
    PanicAt(u64),
}

/// Returns `candidate` under the name `name`, with `fault`.
#[must_use]
pub fn faulty(name: &'static str, candidate: Candidate, fault: Fault) -> Candidate {
    Candidate::new(name, candidate.codec(), move |config| match fault {
        Fault::Open => Err("the probe does not open".into()),
        Fault::ErrorAt(_) | Fault::PanicAt(_) => {
            Ok(Box::new(Faulty { name, inner: candidate.open(config)?, fault, encoded: 0 }))
        }
    })
}

struct Faulty {
    name: &'static str,
    inner: Box<dyn super::Backend>,
    fault: Fault,
    encoded: u64,
}

impl super::Backend for Faulty {
    fn name(&self) -> &'static str {
        self.name
    }

    fn config(&self) -> &Config {
        self.inner.config()
    }

    fn encode(&mut self, frame: &Frame, key: bool, pool: &BufferPool) -> Result<Option<Packet>, BoxError> {
        let number = self.encoded;
        self.encoded += 1;
        match self.fault {
            Fault::ErrorAt(at) if number >= at => Err("the probe fails".into()),
            Fault::PanicAt(at) if number == at => panic!("the probe panics"),
            Fault::Open | Fault::ErrorAt(_) | Fault::PanicAt(_) => self.inner.encode(frame, key, pool),
        }
    }

    fn set_target(&mut self, target: EncoderTarget) -> Result<(), BoxError> {
        self.inner.set_target(target)
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

    fn set_target(&mut self, target: EncoderTarget) -> Result<(), BoxError> {
        self.log.note(Call::SetTarget(target));
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

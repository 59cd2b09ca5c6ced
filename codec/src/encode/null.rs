//! An encoder without output, for measuring everything else.

use super::{Config, Packet};
use crate::BoxError;
use crate::rate::EncoderTarget;
use media::{BufferPool, Frame};

/// An encoder that skips every frame.
#[derive(Debug)]
pub struct Backend {
    config: Config,
}

impl Backend {
    /// Returns a back-end with this configuration.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config }
    }
}

impl super::Backend for Backend {
    fn name(&self) -> &'static str {
        "null"
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn encode(&mut self, _frame: &Frame, _key: bool, _pool: &BufferPool) -> Result<Option<Packet>, BoxError> {
        Ok(None)
    }

    fn set_target(&mut self, target: EncoderTarget) -> Result<(), BoxError> {
        self.config.bitrate = target.bitrate;
        self.config.rate = target.frame_rate;
        Ok(())
    }
}

//! Compresses nothing: for a layer that runs for its timing alone.

use super::{Config, Packet};
use crate::BoxError;
use media::{Bitrate, BufferPool, Frame, FrameRate};

/// Leaves every picture out.
#[derive(Debug)]
pub struct Backend {
    config: Config,
}

impl Backend {
    /// A back-end that claims to do what `config` says.
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

    fn set_target(&mut self, bitrate: Bitrate, rate: FrameRate) -> Result<(), BoxError> {
        self.config.bitrate = bitrate;
        self.config.rate = rate;
        Ok(())
    }
}

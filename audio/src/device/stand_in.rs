//! A stand-in for a device while the device thread has it.

use super::error::Error;
use super::interface::Device;
use crate::Block;
use std::time::{Duration, Instant};

/// A device that is never ready, with the name, latency and count of the device that it replaces. Meanwhile the sound of
/// a microphone waits in its device, and the sound for a speaker in the jitter buffers.
pub struct StandIn {
    name: String,
    latency: Duration,
    xruns: u64,
}

impl StandIn {
    /// Returns a stand-in for `device`.
    pub fn new(device: &dyn Device) -> Self {
        Self { name: device.name().to_owned(), latency: device.latency(), xruns: device.xruns() }
    }
}

impl Device for StandIn {
    fn name(&self) -> &str {
        &self.name
    }

    fn ready(&mut self, _: Instant) -> Result<usize, Error> {
        Ok(0)
    }

    fn pass(&mut self, _: &mut Block) -> Result<(), Error> {
        Ok(())
    }

    fn latency(&self) -> Duration {
        self.latency
    }

    fn xruns(&self) -> u64 {
        self.xruns
    }

    fn set_alone(&mut self, _: bool) -> Result<(), Error> {
        Ok(())
    }
}

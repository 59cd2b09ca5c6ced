//! The null device: a microphone that records nothing, or a speaker that plays nothing.

use super::direction::Direction;
use super::error::Error;
use super::interface::Device;
use super::pacer::Pacer;
use crate::{Block, SILENCE};
use std::time::{Duration, Instant};

/// A device without hardware. A null speaker takes a block every 10 ms, so that jitter buffers keep running. A null
/// microphone is never ready.
pub struct Null {
    direction: Direction,
    pacer: Pacer,
}

impl Null {
    /// Returns a null device. Its first block is due 10 ms after `now`.
    pub fn new(direction: Direction, now: Instant) -> Self {
        Self { direction, pacer: Pacer::new(now) }
    }
}

impl Device for Null {
    fn name(&self) -> &'static str {
        "null"
    }

    fn ready(&mut self, now: Instant) -> Result<usize, Error> {
        Ok(match self.direction {
            Direction::Microphone => 0,
            Direction::Speaker => self.pacer.due(now),
        })
    }

    fn pass(&mut self, block: &mut Block) -> Result<(), Error> {
        if self.direction == Direction::Microphone {
            *block = SILENCE;
        }
        self.pacer.pass();
        Ok(())
    }

    fn latency(&self) -> Duration {
        Duration::ZERO
    }

    fn xruns(&self) -> u64 {
        self.pacer.xruns()
    }

    fn set_alone(&mut self, _: bool) -> Result<(), Error> {
        Ok(())
    }
}

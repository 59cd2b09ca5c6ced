//! Restores what [`crate::encode::probe`] made, and records on which thread: for tests of whoever drives decoders.

use super::{Picture, Show};
use crate::BoxError;
use crate::bitstream::{self, Kind};
use media::{Colour, PlaneRef, Size};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

/// Something that was asked of the back-end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// A picture of this number.
    Decode(u64),
    /// What was held back.
    Flush,
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

/// Shows a flat picture whose luma is the low byte of the number that the packet holds.
#[derive(Debug)]
pub struct Backend {
    log: Log,
    size: Size,
    samples: Vec<u8>,
}

impl Backend {
    /// A back-end that shows pictures of `size` and notes down in `log` what it is asked.
    #[must_use]
    pub fn new(size: Size, log: Log) -> Self {
        let samples = vec![0; usize::from(size.width) * usize::from(size.height)];
        Self { log, size, samples }
    }
}

impl super::Backend for Backend {
    fn name(&self) -> &'static str {
        "probe"
    }

    fn decode(&mut self, bitstream: &[u8], colour: Colour, show: &mut Show<'_>) -> Result<(), BoxError> {
        let number = number(bitstream).ok_or("not a packet of the probe")?;
        self.log.note(Call::Decode(number));
        self.samples.fill(number.to_le_bytes()[0]);
        let plane = |size: Size| PlaneRef { data: &self.samples, stride: usize::from(size.width), size };
        let chroma = self.size.chroma();
        show(Picture { planes: [plane(self.size), plane(chroma), plane(chroma)], size: self.size, colour });
        Ok(())
    }

    fn flush(&mut self, _colour: Colour, _show: &mut Show<'_>) -> Result<bool, BoxError> {
        self.log.note(Call::Flush);
        Ok(false)
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.log.note(Call::Dropped);
    }
}

fn number(bitstream: &[u8]) -> Option<u64> {
    let slice = |unit: &&[u8]| matches!(Kind::of(unit), Ok(Kind::Slice | Kind::Key));
    let unit = bitstream::prefixed(bitstream).map_while(Result::ok).find(slice)?;
    Some(u64::from_be_bytes(unit.get(1..9)?.try_into().ok()?))
}

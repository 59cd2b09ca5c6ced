//! A source without frames.

use crate::{Error, Format, Source, Stop};
use media::{Frame, FrameRate, Pool, Size};
use std::time::{Duration, Instant};

/// Opens a source that never delivers a frame.
#[must_use]
pub fn open() -> Box<dyn Source> {
    Box::new(Null)
}

struct Null;

impl Source for Null {
    fn name(&self) -> &'static str {
        "nothing"
    }

    fn format(&self) -> Format {
        Format { size: Size::new(1280, 720), rate: FrameRate::THIRTY }
    }

    fn next(&mut self, _: &Pool, stop: &Stop) -> Result<Option<Frame>, Error> {
        // A stop request ends this wait. Otherwise the caller calls again.
        let _ = stop.wait_until(Instant::now() + Duration::from_hours(1));
        Ok(None)
    }
}

//! A source for tests that records its calls and their threads.

use crate::{Error, Format, Source, Stop};
use media::{Colour, Frame, FrameRate, Pool, Size, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};

/// The calls, each with the name of its thread.
pub type Log = Arc<Mutex<Vec<(&'static str, Option<String>)>>>;

/// Returns a function that opens a source, and the source's call log. The source delivers `pictures` grey frames and then
/// [`Error::Lost`].
pub fn open(pictures: u64) -> (impl FnOnce() -> Box<dyn Source> + Send, Log) {
    let log = Log::default();
    let probe_log = Arc::clone(&log);
    let open = move || {
        let probe = Probe { pictures, next: 0, log: probe_log };
        probe.record("open");
        Box::new(probe) as Box<dyn Source>
    };
    (open, log)
}

struct Probe {
    pictures: u64,
    next: u64,
    log: Log,
}

impl Probe {
    fn record(&self, what: &'static str) {
        let thread = std::thread::current().name().map(String::from);
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push((what, thread));
    }
}

impl Source for Probe {
    fn name(&self) -> &'static str {
        "probe"
    }

    fn format(&self) -> Format {
        Format { size: Size::new(32, 32), rate: FrameRate::THIRTY }
    }

    fn next(&mut self, pool: &Pool, _: &Stop) -> Result<Option<Frame>, Error> {
        self.record("next");
        if self.next == self.pictures {
            return Err(Error::Lost { name: "probe".into() });
        }
        let Some(mut frame) = pool.take(self.format().size) else { return Ok(None) };
        for mut plane in frame.planes_mut() {
            plane.rows_mut().for_each(|row| row.fill(128));
        }
        self.next += 1;
        Ok(Some(frame.freeze(self.next - 1, Timestamp::default(), Colour::default())))
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.record("drop");
    }
}

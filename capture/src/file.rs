//! A source that plays a file (MP4 with H.264, or Y4M) in a loop at the file's frame rate.

mod clip;

pub use clip::Clip;

use crate::{Error, Format, Source, Stop};
use media::{Clock, Frame, Pool};
use std::path::Path;
use std::time::{Duration, Instant};

/// Opens a file as a source. Frame numbers continue across loops: frame `n` of the source is frame `n % clip length` of
/// the file.
///
/// # Errors
/// Returns [`Error::BadFile`] if the file cannot be read or is damaged, [`Error::FileFormat`] if its format is not
/// supported.
pub fn open(path: &Path, clock: Clock) -> Result<Box<dyn Source>, Error> {
    let clip = Clip::open(path)?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    Ok(Box::new(FileCamera { clip, name, clock, start: None, next: 0 }))
}

struct FileCamera {
    clip: Clip,
    name: String,
    clock: Clock,
    start: Option<Instant>,
    next: u64,
}

impl Source for FileCamera {
    fn name(&self) -> &str {
        &self.name
    }

    fn format(&self) -> Format {
        self.clip.format()
    }

    fn next(&mut self, pool: &Pool, stop: &Stop) -> Result<Option<Frame>, Error> {
        // Decode before the frame is due, so that decoding adds no latency.
        let picture = self.clip.next(pool)?;
        let number = self.next;
        self.next += 1;
        let due = self.due(number);
        let late = Instant::now().saturating_duration_since(due);
        if stop.wait_until(due) || late > MAX_LATE {
            return Ok(None);
        }
        Ok(picture.map(|picture| picture.freeze(number, self.clock.now())))
    }
}

impl FileCamera {
    /// When frame `number` is due, by the file's timestamps. After a suspend the schedule restarts instead of catching
    /// up.
    fn due(&mut self, number: u64) -> Instant {
        let (now, offset) = (Instant::now(), self.clip.due(number));
        let due = *self.start.get_or_insert_with(|| now.checked_sub(offset).unwrap_or(now)) + offset;
        if now.saturating_duration_since(due) > MIN_SUSPEND {
            self.start = now.checked_sub(offset);
            return now;
        }
        due
    }
}

/// A frame later than this is decoded, because others reference it, but not delivered.
const MAX_LATE: Duration = Duration::from_millis(60);

/// If a frame is later than this, the machine was suspended or stopped in a debugger.
const MIN_SUSPEND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;

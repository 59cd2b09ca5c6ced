//! A camera that plays a file: MP4 with H.264 or Y4M, in a loop, at its own pace.

mod clip;

pub use clip::Clip;

use crate::{Error, Format, Source, Stop};
use media::{Clock, Frame, Pool};
use std::path::Path;
use std::time::{Duration, Instant};

/// Opens a file as a camera. The numbers of its frames go on over the loops: picture `n` of the camera is picture
/// `n % clip length` of the file.
///
/// # Errors
/// [`Error::BadFile`], [`Error::FileFormat`].
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
        // The picture is made before it is due, so that making it does not count as age.
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
    /// When picture `number` is due, as unevenly as the file says. A machine that was asleep starts counting again instead
    /// of racing after the clock.
    fn due(&mut self, number: u64) -> Instant {
        let (now, offset) = (Instant::now(), self.clip.due(number));
        let due = *self.start.get_or_insert_with(|| now.checked_sub(offset).unwrap_or(now)) + offset;
        if now.saturating_duration_since(due) > ASLEEP {
            self.start = now.checked_sub(offset);
            return now;
        }
        due
    }
}

/// A picture later than this is decoded, because others build on it, but not shown: a camera would have missed it.
const MAX_LATE: Duration = Duration::from_millis(60);

/// Beyond this the machine was asleep, or stopped in a debugger.
const ASLEEP: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;

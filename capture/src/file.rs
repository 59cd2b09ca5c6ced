//! A source that plays a file (MP4 with H.264, or Y4M) in a loop at the file's timestamps.
//!
//! Its frames are upright and have square samples, because no frame that is sent says how to display it.

mod clip;

pub use clip::Clip;

use crate::{Error, Format, Source, Stop};
use clip::Picture;
use media::{Clock, Frame, Plane, Pool};
use std::path::Path;
use std::time::{Duration, Instant};

/// Opens a file as a source. Frame numbers continue across loops: frame `n` of the source is frame `n % clip length` of
/// the file. A frame that is shown for longer than half a second is delivered again every half second with further
/// numbers, for new viewers and because the encoder improves it.
///
/// # Errors
/// Returns [`Error::BadFile`] if the file cannot be read or is damaged, [`Error::FileFormat`] if its format is not
/// supported.
pub fn open(path: &Path, clock: Clock) -> Result<Box<dyn Source>, Error> {
    Ok(Box::new(FileCamera::open(path, clock)?))
}

struct FileCamera {
    clip: Clip,
    name: String,
    clock: Clock,
    start: Option<Instant>,
    next: u64,
    /// How many frames were delivered again.
    repeated: u64,
    /// The next frame, decoded before it is due, so that decoding adds no latency.
    waiting: Option<Waiting>,
    /// The last frame, if the next one is not due soon.
    still: Option<Frame>,
}

struct Waiting {
    /// `None` if the pool had no buffer.
    picture: Option<Picture>,
    number: u64,
    due: Instant,
}

impl Source for FileCamera {
    fn name(&self) -> &str {
        &self.name
    }

    fn format(&self) -> Format {
        self.clip.format()
    }

    fn next(&mut self, pool: &Pool, stop: &Stop) -> Result<Option<Frame>, Error> {
        let waiting = match self.waiting.take() {
            Some(waiting) => waiting,
            // Decode before the frame is due, so that decoding adds no latency, but not at once: the encoders work on the
            // previous frame then, and a real camera leaves them all cores.
            None if self.decode_time().is_some_and(|time| stop.wait_until(time)) => return Ok(None),
            None => self.decode(pool)?,
        };
        if let Some(still) = &self.still
            && let Some(again) = Instant::now().checked_add(STILL_INTERVAL).filter(|again| *again < waiting.due)
        {
            let stopped = stop.wait_until(again);
            self.repeated += 1;
            let number = waiting.number - 1 + self.repeated;
            let frame = if stopped { None } else { repeat(still, number, pool, self.clock) };
            self.waiting = Some(waiting);
            return Ok(frame);
        }
        self.still = None;
        let Waiting { picture, number, due } = waiting;
        let late = Instant::now().saturating_duration_since(due);
        if stop.wait_until(due) || late > MAX_LATE {
            return Ok(None);
        }
        let frame = picture.map(|picture| picture.freeze(number + self.repeated, self.clock.now()));
        let shown_for = self.clip.due(number + 1).saturating_sub(self.clip.due(number));
        self.still = frame.clone().filter(|_| shown_for > STILL_INTERVAL);
        Ok(frame)
    }
}

impl FileCamera {
    fn open(path: &Path, clock: Clock) -> Result<Self, Error> {
        let clip = Clip::open(path)?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { clip, name, clock, start: None, next: 0, repeated: 0, waiting: None, still: None })
    }

    /// When the next frame is decoded: in the middle between the previous frame and it, or soon enough to repeat the previous
    /// one in between. `None` for the first frame.
    fn decode_time(&self) -> Option<Instant> {
        let previous = self.clip.due(self.next.checked_sub(1)?);
        let half = self.clip.due(self.next).saturating_sub(previous) / 2;
        Some(self.start? + previous + half.min(STILL_INTERVAL / 2))
    }

    fn decode(&mut self, pool: &Pool) -> Result<Waiting, Error> {
        let picture = self.clip.next(pool)?;
        let number = self.next;
        self.next += 1;
        Ok(Waiting { picture, number, due: self.due(number) })
    }

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

/// Returns a copy of a frame with another number and the current time. Returns `None` if `pool` has no free buffer.
fn repeat(still: &Frame, number: u64, pool: &Pool, clock: Clock) -> Option<Frame> {
    let mut copy = pool.take(still.size())?;
    for (to, plane) in copy.planes_mut().iter_mut().zip([Plane::Y, Plane::U, Plane::V]) {
        to.copy_from(still.plane(plane));
    }
    Some(copy.freeze(number, clock.now(), still.colour()))
}

/// The interval at which a still is delivered again: that of an unchanged screen.
const STILL_INTERVAL: Duration = Duration::from_millis(500);

/// A frame later than this is decoded, because others reference it, but not delivered.
const MAX_LATE: Duration = Duration::from_millis(60);

/// If a frame is later than this, the machine was suspended or stopped in a debugger.
const MIN_SUSPEND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;

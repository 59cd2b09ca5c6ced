//! Presentation times, from the tables of ISO/IEC 14496-12 8.6.1 and the edit list of 8.6.6.
//!
//! Not supported: edits after the first one, initial pauses, and speeds other than 1.

use super::boxes::{self, Fields};
use super::table;
use crate::container::Error;
use media::FrameRate;
use std::time::Duration;

/// The frames of a track in presentation order.
#[derive(Debug)]
pub(super) struct Timeline {
    /// The presentation time of each frame, relative to the first shown one. `None` if the edit list hides it.
    times: Vec<Option<Duration>>,
    shown: usize,
    /// The duration of one pass.
    length: Duration,
}

/// The range that the edit list shows, in ticks of the track.
#[derive(Clone, Copy, Debug)]
struct Edit {
    start: i64,
    end: i64,
}

impl Timeline {
    /// Reads the times of `count` frames. If they are invalid, the frames have a constant `rate`.
    pub(super) fn read(
        track: &[u8],
        tables: &[u8],
        scales: Scales,
        count: usize,
        rate: FrameRate,
    ) -> Result<Self, Error> {
        let (mut starts, last) = starts(tables, count)?;
        starts.sort_unstable();
        let edit = edit(track, scales).unwrap_or(Edit { start: i64::MIN, end: i64::MAX });
        Ok(Self::cut(&starts, last, edit, scales.track)
            .or_else(|| Self::cut(&starts, last, Edit { start: i64::MIN, end: i64::MAX }, scales.track))
            .unwrap_or_else(|| Self::even(count, rate)))
    }

    /// Applies the edit. Returns `None` if no frame is left, or if a frame would be shown for longer than
    /// `MAX_FRAME_DURATION`.
    fn cut(starts: &[i64], last: i64, edit: Edit, scale: u32) -> Option<Self> {
        let kept = |start: &&i64| (edit.start..edit.end).contains(*start);
        let first = *starts.iter().find(kept)?;
        let since = |start: i64| {
            let ticks = u64::try_from(start.checked_sub(first)?).ok()?;
            let micros = u128::from(ticks) * 1_000_000 / u128::from(scale.max(1));
            u64::try_from(micros).ok().map(Duration::from_micros)
        };
        let times: Vec<_> =
            starts.iter().map(|start| Some(start).filter(kept).and_then(|start| since(*start))).collect();
        let end = starts.iter().copied().rfind(|start| kept(&start)).and_then(|start| start.checked_add(last));
        let length = since(end?)?;
        let mut shown: Vec<Duration> = times.iter().flatten().copied().collect();
        let count = shown.len();
        shown.push(length);
        let plausible = shown.windows(2).all(|pair| pair[1].saturating_sub(pair[0]) <= MAX_FRAME_DURATION);
        (plausible && !length.is_zero()).then_some(Self { times, shown: count, length })
    }

    fn even(count: usize, rate: FrameRate) -> Self {
        let times = (0..count as u64).map(|index| Some(rate.due(index))).collect();
        Self { times, shown: count, length: rate.due(count as u64) }
    }

    /// Returns the number of shown frames, at least one.
    pub(super) fn shown(&self) -> usize {
        self.shown
    }

    /// Returns the presentation time of frame `index`. Returns `None` if it is hidden.
    pub(super) fn time(&self, index: usize) -> Option<Duration> {
        self.times.get(index).copied().flatten()
    }

    /// Returns the duration of one pass.
    pub(super) fn length(&self) -> Duration {
        self.length
    }
}

/// Ticks per second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scales {
    pub(super) movie: u32,
    pub(super) track: u32,
}

/// Returns the start time of each frame in decoding order, and the duration of the last frame.
fn starts(tables: &[u8], count: usize) -> Result<(Vec<i64>, i64), Error> {
    let mut starts = Vec::with_capacity(count);
    let (mut at, mut last) = (0_i64, 0);
    for (pictures, delta) in table::pairs(tables, *b"stts")? {
        for _ in 0..pictures {
            if starts.len() == count {
                break;
            }
            starts.push(at);
            last = i64::from(delta);
            at = at.saturating_add(last);
        }
    }
    // Frames that are missing in the table have the last duration.
    while starts.len() < count {
        starts.push(at);
        at = at.saturating_add(last);
    }
    if boxes::find(tables, &[*b"ctts"]).is_some() {
        let mut decoded = starts.iter_mut();
        for (pictures, offset) in table::pairs(tables, *b"ctts")? {
            for start in decoded.by_ref().take(usize::try_from(pictures).unwrap_or(usize::MAX)) {
                // Signed in version 1. Some writers also use signed values in version 0.
                *start = start.saturating_add(i64::from(offset.cast_signed()));
            }
        }
    }
    Ok((starts, last))
}

/// Returns the first edit that shows frames. Returns `None` if there is no list or it is invalid.
fn edit(track: &[u8], scales: Scales) -> Option<Edit> {
    let mut fields = Fields::new(boxes::find(track, &[*b"edts", *b"elst"])?);
    let long = fields.u8().ok()? == 1;
    let mut fields = fields.skip(3);
    for _ in 0..fields.u32().ok()? {
        let (duration, start) = if long {
            (read_u64(&mut fields)?, read_u64(&mut fields)?.cast_signed())
        } else {
            (u64::from(fields.u32().ok()?), i64::from(fields.u32().ok()?.cast_signed()))
        };
        // The speed.
        fields.u32().ok()?;
        if start >= 0 {
            let ticks = u128::from(duration) * u128::from(scales.track) / u128::from(scales.movie.max(1));
            let end = i64::try_from(ticks).ok().and_then(|ticks| start.checked_add(ticks));
            // A duration of 0 means until the end.
            return Some(Edit { start, end: end.filter(|_| duration > 0).unwrap_or(i64::MAX) });
        }
    }
    None
}

fn read_u64(fields: &mut Fields<'_>) -> Option<u64> {
    Some(u64::from(fields.u32().ok()?) << 32 | u64::from(fields.u32().ok()?))
}

/// A frame that is shown for longer indicates an invalid table.
const MAX_FRAME_DURATION: Duration = Duration::from_secs(10);

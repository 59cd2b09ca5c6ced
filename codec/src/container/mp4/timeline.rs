//! Presentation times, from the tables of ISO/IEC 14496-12 8.6.1 and the edit list of 8.6.6.
//!
//! An edit list is a sequence of segments: a part of the media at a speed, one still picture, or a pause. A pass plays
//! them in order. Each shown frame has an index in the pass, which is called its show. The memory is bounded by the
//! length of the tables, because a segment stores ranges only.

mod edits;
mod speed;

use super::{boxes, table};
use crate::container::Error;
use edits::Edit;
use media::FrameRate;
use speed::Speed;
use std::time::Duration;

pub(super) use speed::Scales;

/// The frames of a track in presentation order, and when they are shown.
#[derive(Debug)]
pub(super) struct Timeline {
    /// The start of each frame in presentation order, in ticks of the track.
    starts: Vec<i64>,
    /// Ticks per second.
    scale: u32,
    /// The segments that show frames, at least one.
    segments: Vec<Segment>,
    shown: usize,
    /// The duration of one pass.
    length: Duration,
}

/// Successive frames that are shown at one speed.
#[derive(Clone, Copy, Debug)]
struct Segment {
    /// The shows before this segment.
    before: usize,
    /// The first frame, in presentation order.
    first: usize,
    count: usize,
    /// When the segment begins in the pass.
    at: Duration,
    /// The tick of the media that is shown then.
    start: i64,
    speed: Speed,
}

impl Timeline {
    /// Reads the times of `count` frames. If they are invalid, the frames have a constant `rate`.
    ///
    /// # Errors
    /// Returns [`Error::Damaged`] if a table is, and [`Error::Unsupported`] if an edit plays backwards.
    pub(super) fn read(
        track: &[u8],
        tables: &[u8],
        scales: Scales,
        count: usize,
        rate: FrameRate,
    ) -> Result<Self, Error> {
        let (mut starts, last) = starts(tables, count)?;
        starts.sort_unstable();
        let edits = edits::read(track)?;
        let end = starts.last().map_or(0, |start| start.saturating_add(last));
        let media = Media { starts: &starts, end, scales };
        if !media.is_plausible() {
            return Ok(Self::even(count, rate));
        }
        // An edit list that shows nothing is ignored.
        let pass = Pass::build(&media, &edits).or_else(|| Pass::build(&media, &[Edit::WHOLE]));
        let Some(Pass { segments, shown, length }) = pass else { return Ok(Self::even(count, rate)) };
        Ok(Self { starts, scale: scales.track, segments, shown, length })
    }

    fn even(count: usize, rate: FrameRate) -> Self {
        let starts = (0..).map(|index| index * i64::from(rate.denominator())).take(count).collect();
        let segment = Segment { before: 0, first: 0, count, at: Duration::ZERO, start: 0, speed: Speed::NORMAL };
        let length = rate.due(count as u64);
        Self { starts, scale: rate.numerator(), segments: vec![segment], shown: count, length }
    }

    /// Returns the number of shows of a pass, at least one.
    pub(super) fn shown(&self) -> usize {
        self.shown
    }

    /// Returns the frame of a show, in presentation order.
    pub(super) fn frame(&self, show: usize) -> Option<usize> {
        let segment = self.segment(show)?;
        Some(segment.first + (show - segment.before))
    }

    /// Returns when a show begins, from the start of its pass.
    pub(super) fn time(&self, show: usize) -> Option<Duration> {
        let (segment, frame) = (self.segment(show)?, self.frame(show)?);
        let ticks = self.starts.get(frame)?.saturating_sub(segment.start);
        Some(segment.at.saturating_add(segment.speed.duration(ticks, self.scale)))
    }

    /// Returns the first show of the segment after that of `show`, or [`Timeline::shown`] if there is none.
    pub(super) fn next_segment(&self, show: usize) -> usize {
        self.segment(show).map_or(self.shown, |segment| segment.before + segment.count)
    }

    /// Returns the duration of one pass.
    pub(super) fn length(&self) -> Duration {
        self.length
    }

    /// Returns the highest speed of a segment that shows several frames.
    pub(super) fn top_speed(&self) -> Speed {
        let moving = self.segments.iter().filter(|segment| segment.count > 1).map(|segment| segment.speed);
        moving.max().unwrap_or(Speed::NORMAL)
    }

    fn segment(&self, show: usize) -> Option<&Segment> {
        let after = self.segments.partition_point(|segment| segment.before <= show);
        self.segments.get(after.checked_sub(1)?).filter(|segment| show < segment.before + segment.count)
    }
}

/// The frames of the media, without edits.
struct Media<'a> {
    /// The start of each frame, in presentation order.
    starts: &'a [i64],
    /// The end of the last frame.
    end: i64,
    scales: Scales,
}

impl Media<'_> {
    /// Returns false if there is no frame, all take no time, or one takes so long that the table must be invalid.
    fn is_plausible(&self) -> bool {
        let limit = i64::from(self.scales.track).saturating_mul(MAX_STILL_SECONDS);
        let ends = self.starts.iter().skip(1).chain([&self.end]);
        let mut lengths = self.starts.iter().zip(ends).map(|(start, end)| end.checked_sub(*start));
        let valid = lengths.all(|length| length.is_some_and(|length| (0..=limit).contains(&length)));
        valid && self.starts.first().is_some_and(|first| self.end > *first)
    }

    /// Returns the frame that is shown at `tick`, or the first one before it.
    fn frame_at(&self, tick: i64) -> usize {
        self.starts.partition_point(|start| *start <= tick).saturating_sub(1)
    }

    /// Returns the first frame of a segment that begins at `tick`. A frame that has begun before belongs to it, unless it
    /// would end at once: writers round the times in edit lists.
    fn first_at(&self, tick: i64) -> usize {
        let frame = self.frame_at(tick);
        let next = self.starts.get(frame + 1).copied().unwrap_or(i64::MAX);
        let begins = self.starts.get(frame).is_none_or(|start| *start >= tick);
        let rest = next.saturating_sub(tick).saturating_mul(1_000);
        if begins || rest >= i64::from(self.scales.track).saturating_mul(MIN_SHOWN_MILLIS) { frame } else { frame + 1 }
    }
}

/// The segments of one pass.
struct Pass {
    segments: Vec<Segment>,
    shown: usize,
    length: Duration,
}

impl Pass {
    /// Applies the edits. Returns `None` if no frame is left, or if a pass takes implausibly long.
    fn build(media: &Media<'_>, edits: &[Edit]) -> Option<Self> {
        let mut pass = Self { segments: Vec::new(), shown: 0, length: Duration::ZERO };
        let mut at = Duration::ZERO;
        for edit in edits {
            let duration = Speed::NORMAL.duration(i64::try_from(edit.duration).ok()?, media.scales.movie);
            let played = match edit.part {
                edits::Part::Pause => duration,
                edits::Part::Still(tick) => {
                    let frame = media.frame_at(tick);
                    let start = media.starts.get(frame).copied().unwrap_or(tick);
                    pass.add(frame..frame + 1, at, start, Speed::NORMAL);
                    duration
                }
                edits::Part::Moving(start, speed) => {
                    let (start, stop) = span(media, start, edit.duration, speed);
                    let frames = media.first_at(start)..media.starts.partition_point(|frame| *frame < stop);
                    pass.add(frames, at, start, speed);
                    speed.duration(stop.saturating_sub(start), media.scales.track)
                }
            };
            pass.length = at.saturating_add(played);
            // The last frame stays if the media ends before the edit does.
            at = if edit.duration == 0 { pass.length } else { at.saturating_add(duration) };
        }
        let valid = pass.shown > 0 && !pass.length.is_zero() && pass.length <= MAX_PASS;
        valid.then_some(pass)
    }

    fn add(&mut self, frames: std::ops::Range<usize>, at: Duration, start: i64, speed: Speed) {
        let latest = self.segments.last().map(|segment| segment.first + segment.count - 1);
        // A frame that is shown already stays.
        let first = if latest == Some(frames.start) { frames.start + 1 } else { frames.start };
        let count = frames.end.saturating_sub(first);
        if count > 0 {
            self.segments.push(Segment { before: self.shown, first, count, at, start, speed });
            self.shown = self.shown.saturating_add(count);
        }
    }
}

/// Returns the ticks at which an edit begins and ends, within the media. A duration of 0 means until the end.
fn span(media: &Media<'_>, start: i64, duration: u64, speed: Speed) -> (i64, i64) {
    let stop = if duration == 0 { i64::MAX } else { start.saturating_add(speed.ticks(duration, media.scales)) };
    // Durations are rounded to ticks of the movie, which are longer than those of the track.
    let tolerance = speed.ticks(1, media.scales).saturating_add(1);
    let stop = if stop.saturating_add(tolerance) >= media.end { media.end } else { stop };
    // If no frame is shown at the start of the media, do not wait for the first one.
    (start.max(media.starts.first().copied().unwrap_or(start)), stop)
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

/// A frame that is shown for longer indicates an invalid table.
const MAX_STILL_SECONDS: i64 = 6 * 3_600;
/// A pass that takes longer indicates an invalid edit list.
const MAX_PASS: Duration = Duration::from_hours(7 * 24);
/// A segment does not begin with a frame that would end sooner than this.
const MIN_SHOWN_MILLIS: i64 = 5;

#[cfg(test)]
mod tests;

//! Divides the processor's time among the tracks that are decoded. If it is not enough for all of them, the tiles at which
//! the user looks least get half the frame rate, then they are paused, so that the others do not stutter.

use super::backoff::Backoff;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How much the user looks at a tile. The order of the fields is that of their weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attention {
    /// The priority of the tile.
    pub priority: u8,
    /// The participant speaks, or has just spoken.
    pub speaks: bool,
    /// The size of the tile in pixels.
    pub pixels: u32,
}

/// The decode time of one second of a track. `Track` identifies it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackLoad<Track> {
    /// The track.
    pub track: Track,
    /// How much the user looks at it.
    pub attention: Attention,
    /// The time in which its pictures were decoded and shown.
    pub busy: Duration,
}

/// The work of all decode threads in one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// The time that the threads had together.
    pub capacity: Duration,
    /// Pictures that were skipped because they waited too long.
    pub skipped: u64,
}

/// How much of a track is decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// Nothing.
    Paused,
    /// Half the frame rate: without the highest temporal layer.
    HalfRate,
    /// Everything.
    #[default]
    Full,
}

/// Decides how much of each track is decoded.
#[derive(Debug)]
pub struct Budget<Track> {
    tracks: BTreeMap<Track, State>,
    backoff: Backoff,
    /// When a limit was changed last.
    changed_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    limit: Limit,
    attention: Attention,
    /// The decode time of a second at the full frame rate, when it was last measured.
    cost: Duration,
}

impl<Track> Default for Budget<Track> {
    fn default() -> Self {
        Self { tracks: BTreeMap::new(), backoff: Backoff::default(), changed_at: None }
    }
}

impl<Track: Copy + Ord> Budget<Track> {
    /// Returns how much of a track is decoded.
    pub fn limit(&self, track: Track) -> Limit {
        self.tracks.get(&track).map_or(Limit::Full, |state| state.limit)
    }

    /// Records one second of all tracks that the user wants to see, which ends at `now`. Returns true if a limit has changed. A
    /// track that is not in `loads` is forgotten.
    pub fn update(&mut self, loads: &[TrackLoad<Track>], load: Load, now: Instant) -> bool {
        let before: Vec<Limit> = loads.iter().map(|load| self.limit(load.track)).collect();
        self.measure(loads);
        self.swap();
        let settled = self.changed_at.is_none_or(|at| now.saturating_duration_since(at) >= SETTLE_TIME);
        if settled {
            self.judge(loads, load, now);
        }
        let changed = loads.iter().zip(before).any(|(load, before)| self.limit(load.track) != before);
        if changed {
            self.changed_at = Some(now);
        }
        changed
    }

    fn judge(&mut self, loads: &[TrackLoad<Track>], load: Load, now: Instant) {
        let busy: Duration = loads.iter().map(|load| load.busy).sum();
        let late = load.skipped > MAX_SKIPPED && percent_of(load.capacity, LATE_PERCENT) < busy;
        if late || percent_of(load.capacity, HIGH_PERCENT) < busy {
            self.reduce(busy, percent_of(load.capacity, TARGET_PERCENT), now);
        } else {
            self.restore(busy, percent_of(load.capacity, TARGET_PERCENT), load.skipped == 0, now);
        }
    }

    fn measure(&mut self, loads: &[TrackLoad<Track>]) {
        let state = |load: &TrackLoad<Track>| {
            let before = self.tracks.get(&load.track).copied().unwrap_or_default();
            let cost = match before.limit {
                Limit::Full => load.busy,
                // It may have been measured in a second with few pictures.
                Limit::HalfRate => before.cost.max(load.busy),
                Limit::Paused => before.cost,
            };
            (load.track, State { attention: load.attention, cost, ..before })
        };
        self.tracks = loads.iter().map(state).collect();
    }

    /// Gives the best limits to the tracks at which the user looks most. Tracks that are equal keep theirs.
    fn swap(&mut self) {
        let order = self.order();
        let mut limits: Vec<Limit> = self.tracks.values().map(|state| state.limit).collect();
        limits.sort_unstable();
        for (track, limit) in order.into_iter().zip(limits) {
            self.set(track, limit);
        }
    }

    /// Takes steps until the expected load is below `target`, at least one.
    fn reduce(&mut self, mut busy: Duration, target: Duration, now: Instant) {
        let mut steps = 0;
        while steps == 0 || busy > target {
            let Some((track, limit)) = self.next_reduction() else { break };
            let Some(state) = self.tracks.get(&track) else { break };
            let saved = cost_at(state, state.limit).saturating_sub(cost_at(state, limit));
            busy = busy.saturating_sub(saved);
            self.set(track, limit);
            steps += 1;
        }
        if steps > 0 {
            self.backoff.stepped_down(now);
        }
    }

    /// Undoes one step if the load has been low for long and the step fits.
    fn restore(&mut self, busy: Duration, target: Duration, punctual: bool, now: Instant) {
        let Some((track, limit)) = self.next_restoration() else { return };
        let Some(state) = self.tracks.get(&track) else { return };
        let more = cost_at(state, limit).saturating_sub(cost_at(state, state.limit));
        if self.backoff.record(punctual && busy + more <= target, now) {
            self.set(track, limit);
            self.backoff.undone(now);
        }
    }

    /// Returns the next step: half the frame rate for all tracks but the one at which the user looks most, then pauses for them,
    /// then half the frame rate for that one. The tracks at which the user looks least come first.
    fn next_reduction(&self) -> Option<(Track, Limit)> {
        let order = self.order();
        let (top, others) = order.split_last()?;
        let first = |wanted: Limit| others.iter().find(|track| self.limit(**track) == wanted).copied();
        let half = first(Limit::Full).map(|track| (track, Limit::HalfRate));
        let pause = || first(Limit::HalfRate).map(|track| (track, Limit::Paused));
        let last = || (self.limit(*top) == Limit::Full).then_some((*top, Limit::HalfRate));
        half.or_else(pause).or_else(last)
    }

    /// Returns the step to undo next, in the opposite order.
    fn next_restoration(&self) -> Option<(Track, Limit)> {
        let order = self.order();
        let (top, others) = order.split_last()?;
        let last = |wanted: Limit| others.iter().rev().find(|track| self.limit(**track) == wanted).copied();
        let top = (self.limit(*top) != Limit::Full).then_some((*top, Limit::Full));
        let resume = || last(Limit::Paused).map(|track| (track, Limit::HalfRate));
        let full = || last(Limit::HalfRate).map(|track| (track, Limit::Full));
        top.or_else(resume).or_else(full)
    }

    /// Returns the tracks, those at which the user looks least first.
    fn order(&self) -> Vec<Track> {
        let mut order: Vec<Track> = self.tracks.keys().copied().collect();
        order.sort_by_key(|track| self.tracks.get(track).map(|state| (state.attention, state.limit)));
        order
    }

    fn set(&mut self, track: Track, limit: Limit) {
        if let Some(state) = self.tracks.get_mut(&track) {
            state.limit = limit;
        }
    }
}

/// Returns the decode time of a second of a track with `limit`.
fn cost_at(state: &State, limit: Limit) -> Duration {
    match limit {
        Limit::Full => state.cost,
        Limit::HalfRate => percent_of(state.cost, HALF_RATE_PERCENT),
        Limit::Paused => Duration::ZERO,
    }
}

fn percent_of(time: Duration, percent: u32) -> Duration {
    time * percent / 100
}

/// The load above which pictures will soon wait, in percent of the capacity.
const HIGH_PERCENT: u32 = 80;
/// The load to which tracks are reduced, and up to which steps are undone, in percent of the capacity.
const TARGET_PERCENT: u32 = 65;
/// The decode time at half the frame rate, in percent of that at the full one. Pictures of the lower temporal layers are larger.
const HALF_RATE_PERCENT: u32 = 55;
/// If more pictures are skipped in a second, decoding is too slow: other programs may use the processor.
const MAX_SKIPPED: u64 = 3;
/// How long the load is not judged after a change, because pictures from before it are still decoded.
const SETTLE_TIME: Duration = Duration::from_secs(2);
/// Below this load, in percent of the capacity, pictures are skipped because the network delivers many at once.
const LATE_PERCENT: u32 = 40;

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;

//! All counters and times that are measured in one client's meeting.
//!
//! Threads update them while the meeting runs. [`crate::report`] reads them, also after the meeting.

pub mod histogram;
pub mod history;
mod known;
pub mod open_failures;
mod second;
pub mod timeline;
pub mod track_stats;
pub mod usage;

use history::History;
pub use known::ComputerLimits;
use known::Known;
use media::{Clock, Timestamp};
use net::MediaPath;
use proto::{ParticipantId, Slot, Totals, TrackId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use timeline::{Sample, Second, Timeline};
use track_stats::{ReceiveStats, SendStats, TrackStats};

/// The statistics of one client's meeting. Clones share them. Each lock is held only while a few values are copied, except
/// that of the timeline, which no thread of media takes.
#[derive(Clone)]
pub struct Stats {
    clock: Clock,
    tracks: TrackStats,
    facts: Arc<Mutex<Facts>>,
    timeline: Arc<Mutex<Timeline>>,
}

/// What is measured of the meeting as a whole.
#[derive(Clone)]
pub struct Facts {
    /// When entering began.
    pub started: Timestamp,
    /// When we were admitted.
    pub entered: Option<Timestamp>,
    /// Our own id.
    pub me: Option<ParticipantId>,
    /// The names of all people who were in the meeting at any time.
    pub names: BTreeMap<ParticipantId, String>,
    /// The number of epochs whose keys we had.
    pub epochs: u64,
    /// How many messages of each participant could not be read.
    pub malformed: BTreeMap<ParticipantId, u64>,
    /// The playback statistics of each voice.
    pub sound: BTreeMap<ParticipantId, audio::Statistics>,
    /// The server's newest totals.
    pub totals: Option<Totals>,
    /// The path by which media go now. `None` before media are connected.
    pub media_path: Option<MediaPath>,
}

impl Stats {
    /// Returns empty statistics of a meeting that we begin to enter now. Times are those of `clock`.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let facts = Facts {
            started: clock.now(),
            entered: None,
            me: None,
            names: BTreeMap::new(),
            epochs: 0,
            malformed: BTreeMap::new(),
            sound: BTreeMap::new(),
            totals: None,
            media_path: None,
        };
        Self { clock, tracks: TrackStats::default(), facts: Arc::new(Mutex::new(facts)), timeline: Arc::default() }
    }

    /// Returns a copy of the facts so far.
    #[must_use]
    pub fn facts(&self) -> Facts {
        lock(&self.facts).clone()
    }

    /// Returns the counters of all tracks, for the threads that count.
    #[must_use]
    pub fn tracks(&self) -> &TrackStats {
        &self.tracks
    }

    /// Returns the counters of all received tracks.
    #[must_use]
    pub fn received(&self) -> Vec<(TrackId, ReceiveStats)> {
        self.tracks.received()
    }

    /// Returns the counters of all sent layers, by slot and spatial layer.
    #[must_use]
    pub fn all_sent(&self) -> Vec<((Slot, u8), SendStats)> {
        self.tracks.all_sent()
    }

    /// Returns what changed in each second since we were admitted, the oldest first. Only the last ten minutes are kept.
    #[must_use]
    pub fn timeline(&self) -> Vec<Second> {
        lock(&self.timeline).seconds()
    }

    /// Returns what each flow did in each second, for the last hour or less.
    #[must_use]
    pub fn history(&self) -> History {
        lock(&self.timeline).history()
    }

    /// Returns true if a second of the timeline is over. The timeline begins when we are admitted.
    pub(crate) fn is_due(&self) -> bool {
        let entered = lock(&self.facts).entered;
        entered.is_some_and(|entered| lock(&self.timeline).is_due(entered, self.clock.now()))
    }

    /// Ends a second of the timeline. Returns it, and whether its figures differ from those of the second before. `None` before we
    /// are admitted.
    pub(crate) fn end_second(&self) -> Option<(Arc<Second>, bool)> {
        let now = self.clock.now();
        let entered = lock(&self.facts).entered?;
        let mut timeline = lock(&self.timeline);
        let (sound, names, me) = {
            let facts = lock(&self.facts);
            (facts.sound.clone(), facts.names.clone(), facts.me)
        };
        let sent = self.tracks.all_sent().into_iter().collect();
        let sample = Sample { tracks: self.tracks.counters(now), sound, sent, names, me };
        let second = timeline.end_second(now.since(entered), sample);
        let changed = timeline.is_changed(&second);
        Some((second, changed))
    }

    /// Changes what the timeline knows besides counters.
    pub(crate) fn learn(&self, change: impl FnOnce(&mut Known)) {
        change(lock(&self.timeline).known());
    }

    /// Records that we came back, perhaps as another participant.
    pub(crate) fn set_me(&self, me: ParticipantId) {
        lock(&self.facts).me = Some(me);
    }

    pub(crate) fn set_media_path(&self, path: MediaPath) {
        lock(&self.facts).media_path = Some(path);
        self.learn(|known| known.media_path = Some(path));
    }

    /// Records that we were admitted now, as `me`.
    pub(crate) fn set_entered(&self, me: ParticipantId) {
        let now = self.clock.now();
        let mut facts = lock(&self.facts);
        facts.me = Some(me);
        facts.entered = Some(now);
    }

    pub(crate) fn add_names(&self, names: impl Iterator<Item = (ParticipantId, String)>) {
        lock(&self.facts).names.extend(names);
    }

    pub(crate) fn add_epoch(&self) {
        lock(&self.facts).epochs += 1;
    }

    pub(crate) fn set_malformed(&self, from: ParticipantId, messages: u64) {
        lock(&self.facts).malformed.insert(from, messages);
    }

    pub(crate) fn set_sound(&self, of: ParticipantId, statistics: audio::Statistics) {
        lock(&self.facts).sound.insert(of, statistics);
    }

    pub(crate) fn set_totals(&self, totals: Totals) {
        lock(&self.facts).totals = Some(totals);
    }
}

// The values are consistent whenever a lock is free, so they are valid also after a panic.
fn lock<T>(values: &Mutex<T>) -> MutexGuard<'_, T> {
    values.lock().unwrap_or_else(PoisonError::into_inner)
}

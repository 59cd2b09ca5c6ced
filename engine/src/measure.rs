//! What a report is made of, gathered while the meeting runs.

use media::Timestamp;
use proto::{ParticipantId, Totals};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Facts about one client's meeting; clones share them.
#[derive(Clone)]
pub struct Shared {
    facts: Arc<Mutex<Facts>>,
}

/// Facts about one client, gathered while its meeting runs.
#[derive(Clone)]
pub struct Facts {
    /// When entering began.
    pub started: Timestamp,
    /// When we were let in.
    pub entered: Option<Timestamp>,
    /// Who we are.
    pub me: Option<ParticipantId>,
    /// What everybody who ever was here is called.
    pub names: BTreeMap<ParticipantId, String>,
    /// How many epochs' keys we held.
    pub epochs: u64,
    /// What was played of each voice.
    pub sound: BTreeMap<ParticipantId, audio::Statistics>,
    /// The server's newest totals.
    pub totals: Option<Totals>,
}

impl Shared {
    /// Nothing yet; entering begins at `started`.
    pub fn new(started: Timestamp) -> Self {
        let facts = Facts {
            started,
            entered: None,
            me: None,
            names: BTreeMap::new(),
            epochs: 0,
            sound: BTreeMap::new(),
            totals: None,
        };
        Self { facts: Arc::new(Mutex::new(facts)) }
    }

    /// A copy of all facts.
    pub fn facts(&self) -> Facts {
        self.lock().clone()
    }

    pub(crate) fn entered(&self, me: ParticipantId, now: Timestamp) {
        let mut facts = self.lock();
        facts.me = Some(me);
        facts.entered = Some(now);
    }

    pub(crate) fn since_entered(&self, now: Timestamp) -> Duration {
        self.lock().entered.map_or(Duration::ZERO, |entered| now.since(entered))
    }

    pub(crate) fn names(&self, names: impl Iterator<Item = (ParticipantId, String)>) {
        self.lock().names.extend(names);
    }

    pub(crate) fn rekeyed(&self) {
        self.lock().epochs += 1;
    }

    pub(crate) fn sound(&self, of: ParticipantId, statistics: audio::Statistics) {
        self.lock().sound.insert(of, statistics);
    }

    pub(crate) fn totals(&self, totals: Totals) {
        self.lock().totals = Some(totals);
    }

    fn lock(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The media keys of the epochs that are alive now, shared by every sealer and opener of a client.
//!
//! Readers look at an atomic number for each frame and take the lock only when it has changed. Keys are derived once for
//! each key id. Counters and replay windows belong to the epoch, not to a sealer or an opener, so that a camera that is
//! switched off and on again repeats no nonce, and a track that is subscribed again opens nothing twice.

use crate::Leaf;
use crate::frame::{Key, Kid, MOST_SPATIAL, Window, context};
use crate::memory::Secret;
use proto::{Epoch, Slot};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The secret that all media keys of one epoch come from, and whose leaf its holder is. No `Debug`, overwritten on drop.
pub struct MediaKeys {
    epoch: Epoch,
    me: Leaf,
    base: Secret,
    counters: Arc<Counters>,
}

impl MediaKeys {
    /// `counters` are the same ones for every export of an epoch: two rings may not seal with one nonce.
    pub(crate) fn new(epoch: Epoch, me: Leaf, base: Secret, counters: Arc<Counters>) -> Self {
        Self { epoch, me, base, counters }
    }

    /// The epoch that these keys belong to.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }
}

/// The next frame counter of each of a member's 64 key ids.
pub(crate) struct Counters([AtomicU64; 64]);

impl Counters {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(std::array::from_fn(|_| AtomicU64::new(0))))
    }
}

/// The keys of the epochs that are alive. Clones share them.
#[derive(Clone)]
pub struct KeyRing {
    shared: Arc<Shared>,
}

struct Shared {
    generation: AtomicU64,
    /// Newest last.
    epochs: Mutex<Vec<Alive>>,
}

struct Alive {
    keys: Arc<Keys>,
    /// Whose frames may be opened with them, and in which epoch its present owner took the leaf.
    leaves: Vec<(Leaf, Epoch)>,
    /// When they end; the newest epoch's do not.
    until: Option<Instant>,
}

/// The keys of one epoch.
pub(crate) struct Keys {
    media: MediaKeys,
    streams: Mutex<HashMap<Kid, Arc<Stream>>>,
}

/// What opens the frames of one key id.
pub(crate) struct Stream {
    pub(crate) key: Key,
    pub(crate) window: Mutex<Window>,
}

/// One epoch as an opener of one leaf sees it.
pub(crate) struct Known {
    pub(crate) keys: Arc<Keys>,
    /// Since which epoch the leaf has its owner; `None` where it has no say in this epoch.
    pub(crate) owned_since: Option<Epoch>,
    pub(crate) until: Option<Instant>,
    pub(crate) streams: [Option<Arc<Stream>>; MOST_SPATIAL],
}

impl KeyRing {
    /// A ring without keys: nothing is sealed or opened until the first [`KeyRing::install`].
    #[must_use]
    pub fn new() -> Self {
        let shared = Shared { generation: AtomicU64::new(0), epochs: Mutex::new(Vec::new()) };
        Self { shared: Arc::new(shared) }
    }

    /// Begins an epoch. Senders use its keys from their next frame on. The leaves in `removed` are heard no more, at once;
    /// the others may finish in the old epochs: for 300 ms where somebody was removed, else for 2 s. Does nothing for an
    /// epoch that is not newer than what is known.
    pub fn install(&self, keys: MediaKeys, leaves: &[Leaf], removed: &[Leaf], now: Instant) {
        let mut epochs = self.lock();
        if epochs.last().is_some_and(|newest| newest.keys.epoch() >= keys.epoch) {
            return;
        }
        let newest = epochs.last();
        let since = |leaf: Leaf| {
            let before = newest.and_then(|newest| newest.owned_since(leaf)).filter(|_| !removed.contains(&leaf));
            (leaf, before.unwrap_or(keys.epoch))
        };
        let leaves = leaves.iter().copied().map(since).collect();
        let grace = if removed.is_empty() { GRACE } else { GRACE_AFTER_REMOVAL };
        for old in epochs.iter_mut() {
            old.leaves.retain(|(leaf, _)| !removed.contains(leaf));
            let until = now + grace;
            old.until = Some(old.until.map_or(until, |earlier| earlier.min(until)));
        }
        epochs.retain(|old| old.until.is_none_or(|until| until > now));
        let keys = Arc::new(Keys { media: keys, streams: Mutex::default() });
        epochs.push(Alive { keys, leaves, until: None });
        self.changed();
    }

    /// Forgets the epochs whose time is over. Readers do so by themselves with the next frame; call it when none flows.
    pub fn expire(&self, now: Instant) {
        let mut epochs = self.lock();
        let before = epochs.len();
        epochs.retain(|old| old.until.is_none_or(|until| until > now));
        if epochs.len() != before {
            self.changed();
        }
    }

    /// Forgets every key, for a client that left or was put out.
    pub fn clear(&self) {
        self.lock().clear();
        self.changed();
    }

    /// The newest epoch, if there is one.
    pub fn epoch(&self) -> Option<Epoch> {
        self.lock().last().map(|newest| newest.keys.epoch())
    }

    pub(crate) fn generation(&self) -> u64 {
        self.shared.generation.load(Ordering::Acquire)
    }

    /// The newest epoch's keys, to seal with.
    pub(crate) fn newest(&self) -> Option<Arc<Keys>> {
        self.lock().last().map(|newest| Arc::clone(&newest.keys))
    }

    /// Every epoch, newest first, as `leaf` is concerned.
    pub(crate) fn known(&self, leaf: Leaf) -> Vec<Known> {
        let seen = |alive: &Alive| Known {
            keys: Arc::clone(&alive.keys),
            owned_since: alive.owned_since(leaf),
            until: alive.until,
            streams: Default::default(),
        };
        self.lock().iter().rev().map(seen).collect()
    }

    /// Called with the lock held, so that whoever sees the new number finds the new state.
    fn changed(&self) {
        self.shared.generation.fetch_add(1, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Alive>> {
        self.shared.epochs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for KeyRing {
    fn default() -> Self {
        Self::new()
    }
}

impl Alive {
    fn owned_since(&self, leaf: Leaf) -> Option<Epoch> {
        self.leaves.iter().find(|(other, _)| *other == leaf).map(|(_, since)| *since)
    }
}

impl Keys {
    pub(crate) fn epoch(&self) -> Epoch {
        self.media.epoch
    }

    /// Our own key id for a layer, and its key. `None` where the layer or our leaf has no key id.
    pub(crate) fn own(&self, slot: Slot, spatial: u8) -> Option<(Kid, Key)> {
        let kid = Kid::new(slot, spatial, self.media.me, self.media.epoch)?;
        Some((kid, Key::derive(self.media.base.expose(), kid.number())?))
    }

    /// A counter for the next frame of our own layer: never given twice in this epoch. `spatial` has a key id.
    pub(crate) fn next_counter(&self, slot: Slot, spatial: u8) -> u64 {
        self.media.counters.0[context(slot, spatial)].fetch_add(1, Ordering::Relaxed)
    }

    /// What opens the frames of `kid`, which is one of this epoch's.
    pub(crate) fn stream(&self, kid: Kid) -> Option<Arc<Stream>> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stream) = streams.get(&kid) {
            return Some(Arc::clone(stream));
        }
        let key = Key::derive(self.media.base.expose(), kid.number())?;
        let stream = Arc::new(Stream { key, window: Mutex::default() });
        streams.insert(kid, Arc::clone(&stream));
        Some(stream)
    }
}

/// How long an old epoch's frames are opened after a commit that removed nobody.
const GRACE: Duration = Duration::from_secs(2);

/// How long an old epoch's frames are opened after somebody was removed, for those who stay.
const GRACE_AFTER_REMOVAL: Duration = Duration::from_millis(300);

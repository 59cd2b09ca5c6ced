//! The media keys of the active epochs, shared by all sealers and openers of a client.
//!
//! Readers load an atomic generation for each frame and lock only if it changed. Each key is derived once. Counters and
//! replay windows belong to the epoch, not to a sealer or an opener. So switching a camera off and on never repeats a
//! nonce, and a new subscription never opens a frame twice.
//!
//! Only the ring owns keys. Readers have weak references. The keys of an expired epoch are overwritten even if a track
//! is silent.

use crate::Leaf;
use crate::frame::{Key, Kid, MAX_SPATIAL, ReplayWindow, context};
use crate::memory::Secret;
use proto::{Epoch, Slot};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// The base key of one epoch, and our leaf. It has no `Debug`, and is overwritten on drop.
pub struct MediaKeys {
    epoch: Epoch,
    me: Leaf,
    base: Secret,
    counters: Arc<Counters>,
}

impl MediaKeys {
    /// Returns the keys. All exports of an epoch share `counters`, so that two rings never use the same nonce.
    pub(crate) fn new(epoch: Epoch, me: Leaf, base: Secret, counters: Arc<Counters>) -> Self {
        Self { epoch, me, base, counters }
    }

    /// Returns the epoch that these keys belong to.
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

/// The keys of the active epochs. Clones share them.
#[derive(Clone)]
pub struct KeyRing {
    shared: Arc<Shared>,
}

struct Shared {
    generation: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Newest last.
    epochs: Vec<ActiveEpoch>,
    /// The epoch in which this member joined.
    first: Option<Epoch>,
    /// True after this member left or was removed.
    left: bool,
}

struct ActiveEpoch {
    keys: Arc<EpochKeys>,
    /// The leaves whose frames may be opened, with the epoch in which the owner got the leaf.
    leaves: Vec<(Leaf, Epoch)>,
    /// When the keys expire. `None` for the newest epoch.
    end: Option<Expiry>,
}

/// When an old epoch expires. A removed member still has its keys, so new frames are accepted only for a short time.
/// Frames that arrived in time may wait for their thread, until the keys are overwritten after [`KEY_LIFETIME`].
#[derive(Clone, Copy)]
pub(crate) struct Expiry {
    /// Frames that arrive later are rejected.
    pub(crate) accept_until: Instant,
    /// The keys are overwritten at this time.
    pub(crate) keep_until: Instant,
}

impl Expiry {
    fn min(self, other: Self) -> Self {
        Self {
            accept_until: self.accept_until.min(other.accept_until),
            keep_until: self.keep_until.min(other.keep_until),
        }
    }
}

/// The keys of one epoch.
pub(crate) struct EpochKeys {
    media: MediaKeys,
    streams: Mutex<HashMap<Kid, Arc<StreamKey>>>,
}

/// The key and replay window of one key id.
pub(crate) struct StreamKey {
    pub(crate) key: Key,
    pub(crate) window: Mutex<ReplayWindow>,
}

/// One epoch, for an opener of one leaf.
pub(crate) struct EpochView {
    pub(crate) epoch: Epoch,
    pub(crate) keys: Weak<EpochKeys>,
    /// The epoch in which the owner got the leaf. `None` if the leaf is not a member in this epoch.
    pub(crate) owned_since: Option<Epoch>,
    pub(crate) end: Option<Expiry>,
    pub(crate) streams: [Weak<StreamKey>; MAX_SPATIAL],
}

/// The state of the ring, for an opener of one leaf.
#[derive(Default)]
pub(crate) struct RingView {
    /// Newest first.
    pub(crate) epochs: Vec<EpochView>,
    /// The epoch in which this member joined.
    pub(crate) first: Option<Epoch>,
    /// True after this member left or was removed.
    pub(crate) left: bool,
}

impl KeyRing {
    /// Returns a ring without keys. Sealing and opening fail until the first [`KeyRing::install`].
    #[must_use]
    pub fn new() -> Self {
        let shared = Shared { generation: AtomicU64::new(0), state: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// Starts an epoch. Sealers use its keys from their next frame on. Frames of the leaves in `removed` are rejected
    /// immediately. Frames of other leaves with the old keys are accepted for another 1.5 s, or 300 ms if a member was
    /// removed. After 2 s the old keys are overwritten. Does nothing if the epoch is not newer than the newest one, or
    /// after [`KeyRing::clear`].
    pub fn install(&self, keys: MediaKeys, leaves: &[Leaf], removed: &[Leaf], now: Instant) {
        let mut state = self.lock();
        if state.left || state.epochs.last().is_some_and(|newest| newest.keys.epoch() >= keys.epoch) {
            return;
        }
        let newest = state.epochs.last();
        let since = |leaf: Leaf| {
            let before = newest.and_then(|newest| newest.owned_since(leaf)).filter(|_| !removed.contains(&leaf));
            (leaf, before.unwrap_or(keys.epoch))
        };
        let leaves = leaves.iter().copied().map(since).collect();
        let grace = if removed.is_empty() { GRACE } else { GRACE_AFTER_REMOVAL };
        let end = Expiry { accept_until: now + grace, keep_until: now + KEY_LIFETIME };
        for old in &mut state.epochs {
            old.leaves.retain(|(leaf, _)| !removed.contains(leaf));
            old.end = Some(old.end.map_or(end, |earlier| earlier.min(end)));
        }
        state.expire(now);
        state.first.get_or_insert(keys.epoch);
        let keys = Arc::new(EpochKeys { media: keys, streams: Mutex::default() });
        state.epochs.push(ActiveEpoch { keys, leaves, end: None });
        self.changed();
    }

    /// Drops all keys, because this member enters the group again. [`KeyRing::install`] then takes any epoch.
    pub fn restart(&self) {
        let mut state = self.lock();
        state.epochs.clear();
        state.first = None;
        self.changed();
    }

    /// Drops expired epochs. Openers do so with each frame. The caller does so in case no frames arrive.
    pub fn expire(&self, now: Instant) {
        if self.lock().expire(now) {
            self.changed();
        }
    }

    /// Drops all keys permanently, after this member left or was removed.
    pub fn clear(&self) {
        let mut state = self.lock();
        state.epochs.clear();
        state.left = true;
        self.changed();
    }

    /// Returns the newest epoch, if there is one.
    pub fn epoch(&self) -> Option<Epoch> {
        self.lock().epochs.last().map(|newest| newest.keys.epoch())
    }

    /// Returns the number of epochs whose keys are held: one, and those that ended less than two seconds ago.
    pub fn held(&self) -> usize {
        self.lock().epochs.len()
    }

    pub(crate) fn generation(&self) -> u64 {
        self.shared.generation.load(Ordering::Acquire)
    }

    /// Returns the keys of the newest epoch, for sealing.
    pub(crate) fn newest(&self) -> Option<(Epoch, Weak<EpochKeys>)> {
        self.lock().epochs.last().map(|newest| (newest.keys.epoch(), Arc::downgrade(&newest.keys)))
    }

    /// Returns true after this member left or was removed.
    pub(crate) fn has_left(&self) -> bool {
        self.lock().left
    }

    /// Returns the epochs from the point of view of `leaf`.
    pub(crate) fn view(&self, leaf: Leaf) -> RingView {
        let seen = |alive: &ActiveEpoch| EpochView {
            epoch: alive.keys.epoch(),
            keys: Arc::downgrade(&alive.keys),
            owned_since: alive.owned_since(leaf),
            end: alive.end,
            streams: Default::default(),
        };
        let state = self.lock();
        RingView { epochs: state.epochs.iter().rev().map(seen).collect(), first: state.first, left: state.left }
    }

    /// Starts a new generation. The caller holds the lock, so that readers of the new generation see the new state.
    fn changed(&self) {
        self.shared.generation.fetch_add(1, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Drops expired epochs. Returns true if there was one.
    fn expire(&mut self, now: Instant) -> bool {
        let before = self.epochs.len();
        self.epochs.retain(|old| old.end.is_none_or(|end| end.keep_until > now));
        self.epochs.len() != before
    }
}

impl Default for KeyRing {
    fn default() -> Self {
        Self::new()
    }
}

impl ActiveEpoch {
    fn owned_since(&self, leaf: Leaf) -> Option<Epoch> {
        self.leaves.iter().find(|(other, _)| *other == leaf).map(|(_, since)| *since)
    }
}

impl EpochKeys {
    pub(crate) fn epoch(&self) -> Epoch {
        self.media.epoch
    }

    /// Returns our key id for a layer, and its key. Returns `None` if the layer or our leaf is too large for a key id.
    pub(crate) fn own(&self, slot: Slot, spatial: u8) -> Option<(Kid, Arc<StreamKey>)> {
        let kid = Kid::new(slot, spatial, self.media.me, self.media.epoch)?;
        Some((kid, self.stream(kid)?))
    }

    /// Returns the counter for the next frame of our layer, unique in this epoch. `spatial` is below [`MAX_SPATIAL`].
    pub(crate) fn next_counter(&self, slot: Slot, spatial: u8) -> u64 {
        self.media.counters.0[context(slot, spatial)].fetch_add(1, Ordering::Relaxed)
    }

    /// Returns the key of `kid`, which belongs to this epoch. Derived at the first call.
    pub(crate) fn stream(&self, kid: Kid) -> Option<Arc<StreamKey>> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stream) = streams.get(&kid) {
            return Some(Arc::clone(stream));
        }
        let key = Key::derive(self.media.base.expose(), kid.number())?;
        let stream = Arc::new(StreamKey { key, window: Mutex::default() });
        streams.insert(kid, Arc::clone(&stream));
        Some(stream)
    }
}

/// How long frames of an old epoch are accepted after a commit without removals. Senders process the commit at
/// different times.
const GRACE: Duration = Duration::from_millis(1_500);

/// How long frames of an old epoch are accepted from the remaining members after a removal.
const GRACE_AFTER_REMOVAL: Duration = Duration::from_millis(300);

/// How long the keys of an old epoch are kept, so that a frame that arrived in time may wait at least 500 ms for its
/// thread.
const KEY_LIFETIME: Duration = Duration::from_secs(2);

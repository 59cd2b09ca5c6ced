//! The media keys of the epochs that are alive now, shared by every sealer and opener of a client.
//!
//! Readers look at an atomic number for each frame and take the lock only when it has changed. Keys are derived once for
//! each key id. Counters and replay windows belong to the epoch, not to a sealer or an opener, so that a camera that is
//! switched off and on again repeats no nonce, and a track that is subscribed again opens nothing twice.
//!
//! Only the ring holds keys. Readers hold weak handles: when an epoch is over, its keys are overwritten, though a track be
//! silent for hours.

use crate::Leaf;
use crate::frame::{Key, Kid, MAX_SPATIAL, ReplayWindow, context};
use crate::memory::Secret;
use proto::{Epoch, Slot};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
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
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Newest last.
    epochs: Vec<ActiveEpoch>,
    /// The epoch in which this member came in.
    first: Option<Epoch>,
    /// True once this member is out.
    left: bool,
}

struct ActiveEpoch {
    keys: Arc<EpochKeys>,
    /// Whose frames may be opened with them, and in which epoch its present owner took the leaf.
    leaves: Vec<(Leaf, Epoch)>,
    /// How they end; the newest epoch's do not.
    end: Option<Expiry>,
}

/// How an old epoch ends. A removed member still has its keys, so what comes in is believed for a short while only; what
/// did come in by then is opened even if it waited a little, for no key lives longer than [`KEY_LIFETIME`].
#[derive(Clone, Copy)]
pub(crate) struct Expiry {
    /// Frames that come in later are not opened.
    pub(crate) accept_until: Instant,
    /// The keys are overwritten.
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

/// What seals or opens the frames of one key id.
pub(crate) struct StreamKey {
    pub(crate) key: Key,
    pub(crate) window: Mutex<ReplayWindow>,
}

/// One epoch as an opener of one leaf sees it.
pub(crate) struct EpochView {
    pub(crate) epoch: Epoch,
    pub(crate) keys: Weak<EpochKeys>,
    /// Since which epoch the leaf has its owner; `None` where it has no say in this epoch.
    pub(crate) owned_since: Option<Epoch>,
    pub(crate) end: Option<Expiry>,
    pub(crate) streams: [Weak<StreamKey>; MAX_SPATIAL],
}

/// The ring as an opener of one leaf sees it.
#[derive(Default)]
pub(crate) struct RingView {
    /// Newest first.
    pub(crate) epochs: Vec<EpochView>,
    /// The epoch in which this member came in.
    pub(crate) first: Option<Epoch>,
    /// True once this member is out.
    pub(crate) left: bool,
}

impl KeyRing {
    /// A ring without keys: nothing is sealed or opened until the first [`KeyRing::install`].
    #[must_use]
    pub fn new() -> Self {
        let shared = Shared { generation: AtomicU64::new(0), state: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// Begins an epoch. Senders use its keys from their next frame on. The leaves in `removed` are heard no more, at once;
    /// of the others, what comes in during the next 1.5 s is opened with the old keys, or during 300 ms where somebody was
    /// removed. After 2 s the old keys are gone. Does nothing for an epoch that is not newer than what is known, nor once
    /// the ring was cleared.
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

    /// Forgets the epochs whose time is over. Readers do so by themselves with the next frame; call it when none flows.
    pub fn expire(&self, now: Instant) {
        if self.lock().expire(now) {
            self.changed();
        }
    }

    /// Forgets every key for good, for a client that left or was put out.
    pub fn clear(&self) {
        let mut state = self.lock();
        state.epochs.clear();
        state.left = true;
        self.changed();
    }

    /// The newest epoch, if there is one.
    pub fn epoch(&self) -> Option<Epoch> {
        self.lock().epochs.last().map(|newest| newest.keys.epoch())
    }

    pub(crate) fn generation(&self) -> u64 {
        self.shared.generation.load(Ordering::Acquire)
    }

    /// The newest epoch's keys, to seal with.
    pub(crate) fn newest(&self) -> Option<(Epoch, Weak<EpochKeys>)> {
        self.lock().epochs.last().map(|newest| (newest.keys.epoch(), Arc::downgrade(&newest.keys)))
    }

    /// True once this member is out.
    pub(crate) fn has_left(&self) -> bool {
        self.lock().left
    }

    /// What there is, as `leaf` is concerned.
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

    /// Called with the lock held, so that whoever sees the new number finds the new state.
    fn changed(&self) {
        self.shared.generation.fetch_add(1, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// True where an epoch's time was over.
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

    /// Our own key id for a layer, and its key. `None` where the layer or our leaf has no key id.
    pub(crate) fn own(&self, slot: Slot, spatial: u8) -> Option<(Kid, Arc<StreamKey>)> {
        let kid = Kid::new(slot, spatial, self.media.me, self.media.epoch)?;
        Some((kid, self.stream(kid)?))
    }

    /// A counter for the next frame of our own layer: never given twice in this epoch. `spatial` has a key id.
    pub(crate) fn next_counter(&self, slot: Slot, spatial: u8) -> u64 {
        self.media.counters.0[context(slot, spatial)].fetch_add(1, Ordering::Relaxed)
    }

    /// What seals or opens the frames of `kid`, which is one of this epoch's.
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

/// How long frames of an old epoch may come in after a commit that removed nobody: slow senders hear of it late.
const GRACE: Duration = Duration::from_millis(1_500);

/// How long they may come in after somebody was removed, from those who stay.
const GRACE_AFTER_REMOVAL: Duration = Duration::from_millis(300);

/// How long the keys of an old epoch live: what came in time may wait for its thread half a second at least.
const KEY_LIFETIME: Duration = Duration::from_secs(2);

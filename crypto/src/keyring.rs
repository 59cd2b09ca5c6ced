//! The media keys of the active epochs, shared by all sealers and openers of a client.
//!
//! Readers load an atomic generation for each frame and lock only if it changed. Each key is derived once. Counters and
//! replay windows belong to the epoch, not to a sealer or an opener. So switching a camera off and on never repeats a
//! nonce, and a new subscription never opens a frame twice.
//!
//! Only the ring owns keys. Readers have weak references. The keys of an expired epoch are overwritten even if a track
//! is silent.

use crate::Leaf;
use crate::frame::{DigestRange, Key, Kid, MAX_SPATIAL, ReplayWindow, SignedDigests, Trailer, context};
use crate::memory::Secret;
use crate::provider::{SigningKey, is_signed};
use proto::{Epoch, Rights, Slot};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use zeroize::zeroize_stack;

/// The base key of one epoch, and our leaf. It has no `Debug`, and is overwritten on drop.
pub struct MediaKeys {
    epoch: Epoch,
    me: Leaf,
    base: Secret,
    counters: Arc<Counters>,
    signatures: SignatureKeys,
}

impl MediaKeys {
    /// Returns the keys. All exports of an epoch share `counters`, so that two rings never use the same nonce.
    pub(crate) fn new(
        epoch: Epoch,
        me: Leaf,
        base: Secret,
        counters: Arc<Counters>,
        signatures: SignatureKeys,
    ) -> Self {
        Self { epoch, me, base, counters, signatures }
    }

    /// Returns these keys as if our leaf was `leaf`. Only attacks use it.
    pub(crate) fn of_another(self, leaf: Leaf) -> Self {
        Self { me: leaf, ..self }
    }

    /// Returns a copy. Only attacks use it.
    fn copy(&self) -> Self {
        let (counters, ours) = (Arc::clone(&self.counters), Arc::clone(&self.signatures.ours));
        let signatures = SignatureKeys { ours, members: self.signatures.members.clone() };
        Self::new(self.epoch, self.me, Secret::copy_of(self.base.expose()), counters, signatures)
    }

    /// Returns the base key.
    pub(crate) fn base(&self) -> &Secret {
        &self.base
    }

    /// Returns the epoch that these keys belong to.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }
}

/// The keys that sign the digests of frames: ours, and the public ones of all members.
pub(crate) struct SignatureKeys {
    pub(crate) ours: Arc<SigningKey>,
    pub(crate) members: HashMap<Leaf, [u8; 32]>,
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
    /// The rights of the members, sorted by leaf. A leaf that is not listed has all.
    rights: Vec<(Leaf, Rights)>,
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
pub(crate) struct RingView {
    /// Newest first.
    pub(crate) epochs: Vec<EpochView>,
    /// The epoch in which this member joined.
    pub(crate) first: Option<Epoch>,
    /// True after this member left or was removed.
    pub(crate) left: bool,
    /// What the owner of the leaf may send.
    pub(crate) rights: Rights,
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
        let leaves = state.owners(keys.epoch, leaves, removed);
        let grace = if removed.is_empty() { GRACE } else { GRACE_AFTER_REMOVAL };
        let end = Expiry { accept_until: now + grace, keep_until: now + KEY_LIFETIME };
        for old in &mut state.epochs {
            old.leaves.retain(|(leaf, _)| !removed.contains(leaf));
            old.end = Some(old.end.map_or(end, |earlier| earlier.min(end)));
        }
        state.expire(now);
        state.begin(keys, leaves);
        self.changed();
    }

    /// Drops all keys, and starts any epoch, because this member has entered the group again. The openers of a leaf that is
    /// not in `removed` go on: its owner is the same as before. The rights hold from the first frame on.
    pub fn install_again(&self, keys: MediaKeys, mut rights: Vec<(Leaf, Rights)>, removed: &[Leaf]) {
        rights.sort_unstable_by_key(|(leaf, _)| *leaf);
        let leaves: Vec<_> = rights.iter().map(|(leaf, _)| *leaf).collect();
        let mut state = self.lock();
        if state.left {
            return;
        }
        let leaves = state.owners(keys.epoch, &leaves, removed);
        state.restart();
        state.rights = rights;
        state.begin(keys, leaves);
        self.changed();
    }

    /// Sets what the members may send, by the policy in force and by floor control. From the next frame on, frames of a slot
    /// outside the rights of their sender are authenticated and dropped. A leaf that is not listed has all rights.
    pub fn set_rights(&self, mut rights: Vec<(Leaf, Rights)>) {
        rights.sort_unstable_by_key(|(leaf, _)| *leaf);
        let mut state = self.lock();
        if state.rights != rights {
            state.rights = rights;
            self.changed();
        }
    }

    /// Drops all keys, because this client is no member for now. [`KeyRing::install`] then takes any epoch.
    pub fn restart(&self) {
        self.lock().restart();
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

    /// Returns a ring with the newest keys, as if our leaf was `leaf`. Only attacks use it.
    pub(crate) fn of_another(&self, leaf: Leaf) -> Option<Self> {
        let keys = self.lock().epochs.last()?.keys.media.copy();
        let ring = Self::new();
        ring.lock().begin(keys.of_another(leaf), Vec::new());
        ring.changed();
        Some(ring)
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
        let rights = state.rights.binary_search_by_key(&leaf, |(other, _)| *other).ok();
        RingView {
            epochs: state.epochs.iter().rev().map(seen).collect(),
            first: state.first,
            left: state.left,
            rights: rights.map_or(Rights::ALL, |at| state.rights[at].1),
        }
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
    /// Returns `leaves` with the epochs in which their owners got them. `removed` have other owners in `epoch` than before.
    fn owners(&self, epoch: Epoch, leaves: &[Leaf], removed: &[Leaf]) -> Vec<(Leaf, Epoch)> {
        let newest = self.epochs.last();
        let since = |leaf: Leaf| {
            let before = newest.and_then(|newest| newest.owned_since(leaf)).filter(|_| !removed.contains(&leaf));
            (leaf, before.unwrap_or(epoch))
        };
        leaves.iter().copied().map(since).collect()
    }

    /// Makes `keys` the newest ones.
    fn begin(&mut self, keys: MediaKeys, leaves: Vec<(Leaf, Epoch)>) {
        self.first.get_or_insert(keys.epoch);
        let keys = Arc::new(EpochKeys { media: keys, streams: Mutex::default() });
        self.epochs.push(ActiveEpoch { keys, leaves, end: None });
    }

    fn restart(&mut self) {
        self.epochs.clear();
        self.rights.clear();
        self.first = None;
    }

    /// Drops expired epochs. Returns true if there was one.
    fn expire(&mut self, now: Instant) -> bool {
        let before = self.epochs.len();
        self.epochs.retain(|old| old.end.is_none_or(|end| end.keep_until > now));
        self.epochs.len() != before
    }
}

impl Default for RingView {
    fn default() -> Self {
        Self { epochs: Vec::new(), first: None, left: false, rights: Rights::ALL }
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

    /// Returns the digests of our frames with our signature.
    pub(crate) fn signed(&self, digests: &DigestRange, kid: Kid) -> Trailer {
        digests.signed(kid, self.media.epoch, |message| self.media.signatures.ours.signature(message))
    }

    /// Returns true if `owner` has signed the digests of its frames with `kid`.
    pub(crate) fn is_signed(&self, digests: &SignedDigests, kid: Kid, owner: Leaf) -> bool {
        let Some(public) = self.media.signatures.members.get(&owner) else { return false };
        digests.is_valid(kid, self.media.epoch, |message, signature| is_signed(public, message, signature))
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
        let stream = self.derive(kid)?;
        // The derivation has left copies of the key there.
        zeroize_stack::<DERIVATION_STACK>();
        streams.insert(kid, Arc::clone(&stream));
        Some(stream)
    }

    /// Derives a key. Its stack is erased afterwards, so it is a function of its own.
    #[inline(never)]
    fn derive(&self, kid: Kid) -> Option<Arc<StreamKey>> {
        let key = Key::derive(self.media.base.expose(), kid.number())?;
        Some(Arc::new(StreamKey { key, window: Mutex::default() }))
    }
}

/// How long frames of an old epoch are accepted after a commit without removals. Senders process the commit at
/// different times.
const GRACE: Duration = Duration::from_millis(1_500);

/// How long frames of an old epoch are accepted from the remaining members after a removal.
const GRACE_AFTER_REMOVAL: Duration = Duration::from_millis(300);

/// The bytes of stack that the derivation of a key uses at most.
const DERIVATION_STACK: usize = 16_384;

/// How long the keys of an old epoch are kept, so that a frame that arrived in time may wait at least 500 ms for its
/// thread.
const KEY_LIFETIME: Duration = Duration::from_secs(2);

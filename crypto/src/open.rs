//! Opens frames that arrived, in place, and believes only what stands inside the seal.

use crate::Leaf;
use crate::frame::{Aad, Cipher, Class, Kid, Picture, Prefix, Sound};
use crate::header::Arrived;
use crate::keyring::{KeyRing, Known, Stream};
use media::{Buffer, Clock, Encoded, EncodedAudio, Timestamp};
use proto::{Epoch, Slot};
use std::sync::{Arc, PoisonError};

/// Opens the frames of one track of one member, on the thread that decodes them.
pub struct Opener {
    ring: KeyRing,
    slot: Slot,
    leaf: Leaf,
    clock: Clock,
    generation: Option<u64>,
    /// Newest first.
    epochs: Vec<Known>,
    /// Since which epoch the member whose frames we open has its leaf: known from the first frame on. When somebody else
    /// takes the leaf, their frames are not this track's.
    owned_since: Option<Epoch>,
    /// The last number or position, to unwrap the next one's low bits.
    last: Option<u64>,
}

/// Why a frame was dropped. Count it and go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Error {
    /// A frame with this counter was opened before, or is too old to know.
    #[error("the frame was opened before")]
    Replayed,
    /// Its epoch is not known here: over, not begun yet, or one that the sender has no part in.
    #[error("no key for the frame")]
    UnknownKey,
    /// The seal is broken: changed on its way, or sealed by somebody without the key.
    #[error("the frame is not authentic")]
    NotAuthentic,
    /// Outside and inside, or the frame and its track, do not agree.
    #[error("the frame contradicts what was said about it")]
    Contradiction,
    /// It is no frame.
    #[error("not a frame")]
    Malformed,
}

impl Opener {
    /// An opener for what the member at `leaf` sends in `slot`. `clock` restores capture times.
    #[must_use]
    pub fn new(ring: KeyRing, slot: Slot, leaf: Leaf, clock: Clock) -> Self {
        Self { ring, slot, leaf, clock, generation: None, epochs: Vec::new(), owned_since: None, last: None }
    }

    /// True where the frame names an epoch that is to come: its commit travels by another connection, and may be a moment
    /// behind. Whoever keeps such a frame back a little loses nothing. False for whatever else is wrong with it.
    #[must_use]
    pub fn is_early(&self, arrived: &Arrived) -> bool {
        let prefix = match self.slot {
            Slot::Microphone => Some(Prefix::None),
            Slot::Camera | Slot::Screen => Prefix::read_video(&arrived.bytes),
        };
        let sealed = prefix.and_then(|prefix| arrived.bytes.get(prefix.bytes().len()..)).unwrap_or_default();
        let (Some((cipher, _)), Some(newest)) = (Cipher::decode(sealed), self.ring.epoch()) else { return false };
        let ahead = Kid::of_number(cipher.kid).epoch().wrapping_sub(crate::frame::low(newest));
        (1..=MOST_AHEAD).contains(&ahead)
    }

    /// Opens a picture.
    ///
    /// # Errors
    /// [`Error`]; the frame is gone then.
    pub fn open(&mut self, arrived: Arrived) -> Result<Encoded, Error> {
        let Arrived { header, mut bytes, .. } = arrived;
        let prefix = Prefix::read_video(&bytes).ok_or(Error::Malformed)?;
        let spatial = self.unseal(&mut bytes, Class::Video, prefix)?;
        let inner = Picture::decode(&bytes).ok_or(Error::Malformed)?;
        bytes.skip(Picture::LENGTH);
        let agree = header.slot == self.slot
            && header.layer == inner.layer
            && header.key == inner.key
            && spatial == inner.layer.spatial
            && prefix == Prefix::of(inner.codec, inner.key);
        if !agree {
            return Err(Error::Contradiction);
        }
        Ok(Encoded {
            codec: inner.codec,
            layer: inner.layer,
            size: header.size,
            key: inner.key,
            discardable: inner.discardable,
            number: self.unwrap(u64::from(inner.number), 1 << 16),
            captured: self.captured(inner.captured),
            payload: bytes,
        })
    }

    /// Opens a stretch of sound.
    ///
    /// # Errors
    /// [`Error`]; the frame is gone then.
    pub fn open_audio(&mut self, arrived: Arrived) -> Result<EncodedAudio, Error> {
        let Arrived { header, mut bytes, .. } = arrived;
        let spatial = self.unseal(&mut bytes, Class::Audio, Prefix::None)?;
        let inner = Sound::decode(&bytes).ok_or(Error::Malformed)?;
        bytes.skip(Sound::LENGTH);
        let length = bytes.len().checked_sub(usize::from(inner.padding)).ok_or(Error::Malformed)?;
        bytes.truncate(length);
        if header.slot != self.slot || spatial != 0 {
            return Err(Error::Contradiction);
        }
        Ok(EncodedAudio {
            codec: inner.codec,
            position: self.unwrap(u64::from(inner.position), 1 << 32),
            samples: inner.samples(),
            captured: self.captured(inner.captured),
            voice: inner.voice,
            level: inner.level,
            payload: bytes,
        })
    }

    /// Leaves the plaintext in `bytes`; the spatial layer that the key id names.
    fn unseal(&mut self, bytes: &mut Buffer, class: Class, prefix: Prefix) -> Result<u8, Error> {
        let start = prefix.bytes().len();
        let (cipher, length) = Cipher::decode(bytes.get(start..).unwrap_or_default()).ok_or(Error::Malformed)?;
        if bytes.len() < start + length + TAG {
            return Err(Error::Malformed);
        }
        let kid = Kid::of_number(cipher.kid);
        let spatial = kid.spatial_of(self.slot, self.leaf).ok_or(Error::Contradiction)?;
        let (stream, owned_since) = self.stream(kid, spatial)?;
        if !stream.window.lock().unwrap_or_else(PoisonError::into_inner).is_fresh(cipher.counter) {
            return Err(Error::Replayed);
        }
        let aad = Aad::new(&bytes[start..start + length], class, prefix.bytes());
        bytes.skip(start + length);
        let plain = stream.key.open(cipher.counter, aad.as_slice(), bytes).ok_or(Error::NotAuthentic)?;
        bytes.truncate(plain);
        // Only now: an unauthentic frame must not use up a counter.
        let first = stream.window.lock().unwrap_or_else(PoisonError::into_inner).record(cipher.counter);
        if !first {
            return Err(Error::Replayed);
        }
        self.owned_since = Some(owned_since);
        Ok(spatial)
    }

    /// What opens `kid`: that of the newest known epoch with the key id's low bits, if our member has a part in it.
    fn stream(&mut self, kid: Kid, spatial: u8) -> Result<(Arc<Stream>, Epoch), Error> {
        self.follow();
        let named = |known: &&mut Known| crate::frame::low(known.keys.epoch()) == kid.epoch();
        let known = self.epochs.iter_mut().find(named).ok_or(Error::UnknownKey)?;
        let owned_since = known.owned_since.ok_or(Error::UnknownKey)?;
        if self.owned_since.is_some_and(|ours| ours != owned_since) {
            return Err(Error::UnknownKey);
        }
        let cached = known.streams.get_mut(usize::from(spatial)).ok_or(Error::Contradiction)?;
        if cached.is_none() {
            *cached = known.keys.stream(kid);
        }
        cached.clone().map(|stream| (stream, owned_since)).ok_or(Error::UnknownKey)
    }

    /// Takes over what changed in the ring, and drops the epochs whose time is over.
    fn follow(&mut self) {
        let now = self.clock.now();
        let over = |known: &Known| known.until.is_some_and(|until| self.clock.at(until) <= now);
        if self.epochs.iter().any(over) {
            self.ring.expire(self.clock.instant(now));
        }
        let generation = self.ring.generation();
        if self.generation != Some(generation) {
            self.generation = Some(generation);
            self.epochs = self.ring.known(self.leaf);
        }
        self.epochs.retain(|known| known.until.is_none_or(|until| self.clock.at(until) > now));
    }

    /// The full number whose low bits came, nearest to the last one.
    fn unwrap(&mut self, low: u64, span: u64) -> u64 {
        let full = self.last.map_or(low, |last| nearest(last, low, span));
        self.last = Some(full);
        full
    }

    fn captured(&self, low: u32) -> Timestamp {
        Timestamp::from_micros(nearest(self.clock.now().as_micros(), u64::from(low), 1 << 32))
    }
}

/// The number nearest to `to` that leaves `low` when divided by `span`; never below zero.
fn nearest(to: u64, low: u64, span: u64) -> u64 {
    let ahead = low.wrapping_sub(to) % span;
    let behind = span - ahead;
    if ahead <= span / 2 || to < behind { to.saturating_add(ahead) } else { to - behind }
}

/// Epochs that may be on their way at once; more is no haste but an old epoch, or none.
const MOST_AHEAD: u8 = 16;

/// AES-GCM's tag, never shortened.
const TAG: usize = 16;

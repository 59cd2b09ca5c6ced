//! Opens frames that arrived, in place, and believes only what stands inside the seal.

use crate::Leaf;
use crate::frame::{Aad, AudioHeader, Class, Kid, Prefix, SframeHeader, VideoHeader};
use crate::header::ReceivedFrame;
use crate::keyring::{Expiry, KeyRing, RingView, StreamKey};
use media::{Buffer, Clock, Encoded, EncodedAudio, Timestamp};
use proto::{Epoch, Slot};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// Opens the frames of one track of one member, on the thread that decodes them.
pub struct Opener {
    ring: KeyRing,
    slot: Slot,
    leaf: Leaf,
    clock: Clock,
    generation: Option<u64>,
    view: RingView,
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
    /// It was sealed before this member came in: the frame is not for it. No fault.
    #[error("the frame was sealed before this member came in")]
    BeforeUs,
    /// This member is out: no frame is for it any more. No fault.
    #[error("this member is out")]
    AfterUs,
    /// Whose frames are opened here has no part in the frame's epoch, or no longer: it was removed. No fault.
    #[error("the sender has no part in the frame's epoch")]
    NotAMember,
    /// It came when the time of its epoch was over.
    #[error("the frame's epoch is over")]
    TooLate,
    /// Its epoch has not begun here.
    #[error("the frame's epoch has not begun here")]
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
        Self { ring, slot, leaf, clock, generation: None, view: RingView::default(), owned_since: None, last: None }
    }

    /// True where the frame names an epoch that is to come: its commit travels by another connection, and may be a moment
    /// behind. Whoever keeps such a frame back a little loses nothing. False for whatever else is wrong with it.
    #[must_use]
    pub fn is_early(&self, arrived: &ReceivedFrame) -> bool {
        let Some(newest) = self.ring.epoch() else { return false };
        matches!(self.kid(arrived).map(|kid| KidEpoch::of(kid, newest)), Some(KidEpoch::Future))
    }

    /// The key id that stands on the frame, believed by nobody.
    fn kid(&self, arrived: &ReceivedFrame) -> Option<Kid> {
        let prefix = match self.slot {
            Slot::Microphone => Prefix::None,
            Slot::Camera | Slot::Screen => Prefix::read_video(&arrived.bytes)?,
        };
        let (cipher, _) = SframeHeader::decode(arrived.bytes.get(prefix.bytes().len()..)?)?;
        Some(Kid::of_number(cipher.kid))
    }

    /// Opens a picture.
    ///
    /// # Errors
    /// [`Error`]; the frame is gone then.
    pub fn open(&mut self, arrived: ReceivedFrame) -> Result<Encoded, Error> {
        let ReceivedFrame { header, mut bytes, received, .. } = arrived;
        let prefix = Prefix::read_video(&bytes).ok_or(Error::Malformed)?;
        let spatial = self.unseal(&mut bytes, Class::Video, prefix, received)?;
        let inner = VideoHeader::decode(&bytes).ok_or(Error::Malformed)?;
        bytes.skip(VideoHeader::LENGTH);
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
    pub fn open_audio(&mut self, arrived: ReceivedFrame) -> Result<EncodedAudio, Error> {
        let ReceivedFrame { header, mut bytes, received, .. } = arrived;
        let spatial = self.unseal(&mut bytes, Class::Audio, Prefix::None, received)?;
        let inner = AudioHeader::decode(&bytes).ok_or(Error::Malformed)?;
        bytes.skip(AudioHeader::LENGTH);
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
    fn unseal(&mut self, bytes: &mut Buffer, class: Class, prefix: Prefix, received: Instant) -> Result<u8, Error> {
        let start = prefix.bytes().len();
        let (cipher, length) = SframeHeader::decode(bytes.get(start..).unwrap_or_default()).ok_or(Error::Malformed)?;
        if bytes.len() < start + length + TAG {
            return Err(Error::Malformed);
        }
        let kid = Kid::of_number(cipher.kid);
        let spatial = kid.spatial_of(self.slot, self.leaf).ok_or(Error::Contradiction)?;
        let (stream, owned_since) = self.stream(kid, spatial, received)?;
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

    /// What opens `kid`: that of the newest epoch with the key id's low bits, if we have its keys and our sender has a part
    /// in it.
    fn stream(&mut self, kid: Kid, spatial: u8, received: Instant) -> Result<(Arc<StreamKey>, Epoch), Error> {
        self.update_view();
        let Some(newest) = self.view.epochs.first().map(|known| known.epoch) else {
            return Err(if self.view.left { Error::AfterUs } else { Error::UnknownKey });
        };
        let KidEpoch::Begun(epoch) = KidEpoch::of(kid, newest) else { return Err(Error::UnknownKey) };
        if self.view.first.is_some_and(|first| epoch < first) {
            return Err(Error::BeforeUs);
        }
        let known = self.view.epochs.iter_mut().find(|known| known.epoch == epoch).ok_or(Error::TooLate)?;
        let owned_since = known.owned_since.ok_or(Error::NotAMember)?;
        if self.owned_since.is_some_and(|ours| ours != owned_since) {
            return Err(Error::NotAMember);
        }
        if known.end.is_some_and(|end| received > end.accept_until) {
            return Err(Error::TooLate);
        }
        let cached = known.streams.get_mut(usize::from(spatial)).ok_or(Error::Contradiction)?;
        if let Some(stream) = cached.upgrade() {
            return Ok((stream, owned_since));
        }
        let Some(keys) = known.keys.upgrade() else {
            return Err(if self.ring.has_left() { Error::AfterUs } else { Error::TooLate });
        };
        let stream = keys.stream(kid).ok_or(Error::UnknownKey)?;
        *cached = Arc::downgrade(&stream);
        Ok((stream, owned_since))
    }

    /// Takes over what changed in the ring, and drops the epochs whose time is over.
    fn update_view(&mut self) {
        let now = self.clock.now();
        let over = |end: Option<Expiry>| end.is_some_and(|end| self.clock.at(end.keep_until) <= now);
        if self.view.epochs.iter().any(|known| over(known.end)) {
            self.ring.expire(self.clock.instant(now));
        }
        let generation = self.ring.generation();
        if self.generation != Some(generation) {
            self.generation = Some(generation);
            self.view = self.ring.view(self.leaf);
        }
        self.view.epochs.retain(|known| !over(known.end));
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

/// Which epoch a key id means, of which it has the low bits.
enum KidEpoch {
    /// One to come.
    Future,
    /// The newest one that has begun and has these bits.
    Begun(Epoch),
    /// None that ever was.
    Unknown,
}

impl KidEpoch {
    fn of(kid: Kid, newest: Epoch) -> Self {
        let ahead = kid.epoch().wrapping_sub(crate::frame::low_bits(newest));
        if (1..=MAX_AHEAD).contains(&ahead) {
            return KidEpoch::Future;
        }
        let behind = u64::from(ahead.wrapping_neg());
        newest.0.checked_sub(behind).map_or(Self::Unknown, |epoch| KidEpoch::Begun(Epoch(epoch)))
    }
}

/// Epochs that may be on their way at once; more is no haste but an old epoch, or none.
const MAX_AHEAD: u8 = 64;

/// AES-GCM's tag, never shortened.
const TAG: usize = 16;

//! Decrypts received frames in place. Trusts only the authenticated header.

use crate::Leaf;
use crate::digest_check::{Authorship, DigestCheck};
use crate::frame::{
    Aad, Class, FrameDigest, Kid, Prefix, SframeHeader, SignedDigests, SoundLayout, VideoHeader, has_digests, low_bits,
};
use crate::header::ReceivedFrame;
use crate::keyring::{Expiry, KeyRing, RingView, StreamKey};
use crate::sound::OpenedSound;
use media::{Buffer, Clock, Encoded, EncodedAudio, Timestamp};
use proto::{Epoch, Slot};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// Decrypts the frames of one track of one member. Used on the thread that decodes them.
pub struct Opener {
    ring: KeyRing,
    slot: Slot,
    leaf: Leaf,
    clock: Clock,
    generation: Option<u64>,
    view: RingView,
    /// The epoch in which the sender got its leaf, known from the first frame on. Frames of a later owner of the leaf
    /// do not belong to this track.
    owned_since: Option<Epoch>,
    /// Whether the owner has signed the frames.
    digests: DigestCheck,
    authorship: Authorship,
    /// The last frame number or position, to extend the low bits of the next one.
    last: Option<u64>,
}

/// The reason why a frame was dropped. The caller counts it and continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Error {
    /// A frame with this counter was opened before, or the counter is older than the replay window.
    #[error("the frame was opened before")]
    Replayed,
    /// The frame was sealed before this member joined, so this member has no key for it. This is not a failure.
    #[error("the frame was sealed before this member joined")]
    BeforeUs,
    /// This member left or was removed. This is not a failure.
    #[error("this member is no longer in the group")]
    AfterUs,
    /// The sender is not a member in the frame's epoch, or was removed since. This is not a failure.
    #[error("the sender is not a member in the frame's epoch")]
    NotAMember,
    /// The frame is authentic, and its sender has no right to send in this slot. This is not a failure: the sender uses a
    /// changed program, or did not know yet. Or another member has forged the frame: see [`Opener::take_outside_rights`].
    #[error("the sender has no right to send this")]
    NotAllowed,
    /// The frame arrived after the grace period of its epoch.
    #[error("the frame's epoch has ended")]
    TooLate,
    /// This member has not processed the commit of the frame's epoch.
    #[error("the frame's epoch is not known yet")]
    UnknownKey,
    /// The authentication tag is wrong: the frame was modified, or sealed with another key.
    #[error("the frame is not authentic")]
    NotAuthentic,
    /// The packet headers do not match the authenticated header, or the frame does not belong to this track.
    #[error("the frame does not match its packets or its track")]
    Contradiction,
    /// The bytes are not a frame.
    #[error("not a frame")]
    Malformed,
    /// The owner of the track has not signed its last frames.
    #[error("the sender has not signed its last frames")]
    Unproven,
    /// Another member has sealed a frame of this track a short time ago, as the signatures of its owner show.
    #[error("another member has forged frames of this track")]
    Forged,
}

impl Opener {
    /// Returns an opener for the track in `slot` of the member at `leaf`. `clock` restores capture times.
    #[must_use]
    pub fn new(ring: KeyRing, slot: Slot, leaf: Leaf, clock: Clock) -> Self {
        Self {
            ring,
            slot,
            leaf,
            clock,
            generation: None,
            view: RingView::default(),
            owned_since: None,
            digests: DigestCheck::default(),
            authorship: Authorship::default(),
            last: None,
        }
    }

    /// Returns true if the frame belongs to a future epoch. Its commit travels on another connection and may arrive a
    /// little later, so the caller can keep the frame and try again. False for invalid frames.
    #[must_use]
    pub fn is_early(&self, arrived: &ReceivedFrame) -> bool {
        let Some(newest) = self.ring.epoch() else { return false };
        matches!(self.kid(arrived).map(|kid| KidEpoch::of(kid, newest)), Some(KidEpoch::Future))
    }

    /// Returns the key id in the header, not authenticated.
    fn kid(&self, arrived: &ReceivedFrame) -> Option<Kid> {
        let prefix = match self.slot {
            Slot::Microphone => Prefix::None,
            Slot::Camera | Slot::Screen => Prefix::read_video(&arrived.bytes)?,
        };
        let (cipher, _) = SframeHeader::decode(arrived.bytes.get(prefix.bytes().len()..)?)?;
        Some(Kid::of_number(cipher.kid))
    }

    /// Returns whether the owner of the track has sealed its frames, as of the newest one.
    #[must_use]
    pub const fn authorship(&self) -> Authorship {
        self.authorship
    }

    /// Returns how many of the frames that were dropped with [`Error::NotAllowed`] the owner of the track has signed, as digests
    /// have shown since the last call. The others may be those of another member.
    pub fn take_outside_rights(&mut self) -> u64 {
        self.digests.take_outside_rights()
    }

    /// Decrypts a picture.
    ///
    /// # Errors
    /// Returns [`Error`] if the frame cannot be opened. The frame is dropped.
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

    /// Decrypts an audio packet, without the copies in its frame.
    ///
    /// # Errors
    /// Returns [`Error`] if the frame cannot be opened. The frame is dropped.
    pub fn open_audio(&mut self, arrived: ReceivedFrame) -> Result<EncodedAudio, Error> {
        self.open_sound(arrived).map(OpenedSound::into_packet)
    }

    /// Decrypts a sound frame: a packet, and copies of packets before it.
    ///
    /// # Errors
    /// Returns [`Error`] if the frame cannot be opened. The frame is dropped.
    pub fn open_sound(&mut self, arrived: ReceivedFrame) -> Result<OpenedSound, Error> {
        let ReceivedFrame { header, mut bytes, received, .. } = arrived;
        let spatial = self.unseal(&mut bytes, Class::Audio, Prefix::None, received)?;
        let layout = SoundLayout::read(&bytes).ok_or(Error::Malformed)?;
        if header.slot != self.slot || spatial != 0 {
            return Err(Error::Contradiction);
        }
        let inner = layout.header;
        let audio = EncodedAudio {
            codec: inner.codec,
            position: self.unwrap(u64::from(inner.position), 1 << 32),
            samples: inner.samples(),
            captured: self.captured(inner.captured),
            voice: inner.voice,
            level: inner.level,
            payload: bytes,
        };
        Ok(OpenedSound::new(audio, layout))
    }

    /// Decrypts `bytes` in place. Returns the spatial layer of the key id.
    fn unseal(&mut self, bytes: &mut Buffer, class: Class, prefix: Prefix, received: Instant) -> Result<u8, Error> {
        let start = prefix.bytes().len();
        let digest = FrameDigest::of(bytes);
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
        // Record the counter only after authentication, so that a forged frame cannot block the real one.
        let first = stream.window.lock().unwrap_or_else(PoisonError::into_inner).record(cipher.counter);
        if !first {
            return Err(Error::Replayed);
        }
        self.owned_since = Some(owned_since);
        let is_allowed = self.view.rights.allow(self.slot);
        self.digests.set_allowed(is_allowed);
        self.check_digests(bytes, (kid, cipher.counter), digest, received)?;
        // The server cannot blame anybody, because the frame is authentic, and other members cannot, because only the digests
        // count against the sender. The frame is recorded, so it cannot be played after the right was given back.
        if is_allowed { Ok(spatial) } else { Err(Error::NotAllowed) }
    }

    /// Notes the digest of a decrypted frame, and removes and checks the digests of earlier frames at its end.
    fn check_digests(
        &mut self,
        plain: &mut Buffer,
        (kid, counter): (Kid, u64),
        digest: FrameDigest,
        received: Instant,
    ) -> Result<(), Error> {
        self.digests.handle_frame(kid, counter, digest, received);
        if has_digests(plain) {
            let (digests, length) = SignedDigests::read(plain).ok_or(Error::Malformed)?;
            plain.truncate(plain.len() - length);
            self.handle_digests(&digests, kid, received);
        }
        self.authorship = self.digests.authorship(received);
        match self.authorship {
            Authorship::Unchecked | Authorship::Proven => Ok(()),
            Authorship::Unproven => Err(Error::Unproven),
            Authorship::Forged => Err(Error::Forged),
        }
    }

    /// Handles digests in a frame with `kid`. They may be of the epoch before.
    fn handle_digests(&mut self, digests: &SignedDigests, kid: Kid, now: Instant) {
        let kid = kid.in_epoch(digests.epoch);
        let known = self.view.epochs.iter().find(|known| low_bits(known.epoch) == digests.epoch);
        let keys = known.filter(|known| known.owned_since == self.owned_since).and_then(|known| known.keys.upgrade());
        if keys.is_some_and(|keys| keys.is_signed(digests, kid, self.leaf)) {
            self.digests.handle_digests(kid, &digests.range, now);
        }
    }

    /// Returns the key for `kid` in the newest epoch with these low bits, and the epoch in which the sender got its
    /// leaf.
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

    /// Updates the view if the key ring changed, and drops expired epochs.
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

    /// Extends `low` to the full number nearest to the last one.
    fn unwrap(&mut self, low: u64, span: u64) -> u64 {
        let full = self.last.map_or(low, |last| nearest(last, low, span));
        self.last = Some(full);
        full
    }

    fn captured(&self, low: u32) -> Timestamp {
        Timestamp::from_micros(nearest(self.clock.now().as_micros(), u64::from(low), 1 << 32))
    }
}

/// Returns the number nearest to `to` that is `low` modulo `span`. Never negative.
fn nearest(to: u64, low: u64, span: u64) -> u64 {
    let ahead = low.wrapping_sub(to) % span;
    let behind = span - ahead;
    if ahead <= span / 2 || to < behind { to.saturating_add(ahead) } else { to - behind }
}

/// The epoch of a key id, which contains only the low 8 bits.
enum KidEpoch {
    /// A future epoch.
    Future,
    /// The newest past or current epoch with these bits.
    Begun(Epoch),
    /// No such epoch has existed.
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

/// The number of epochs by which a key id may be ahead to count as a future epoch. If it is further ahead, it is an old
/// epoch.
const MAX_AHEAD: u8 = 64;

/// Bytes of the AES-GCM tag.
const TAG: usize = 16;

//! Encrypts frames in place. The network accepts only the result.

use crate::digest_list::{DigestList, FrameKind};
use crate::frame::{
    Aad, AudioHeader, COPY_HEADER, Class, FrameDigest, Kid, MAX_COPIES, MAX_DIGESTS, MAX_SPATIAL, Prefix, SframeHeader,
    SignedDigests, SoundCopy, Trailer, VideoHeader, copy_header,
};
use crate::header::{Header, Sealed};
use crate::keyring::{EpochKeys, KeyRing, StreamKey};
use media::{Buffer, Encoded, EncodedAudio, Layer, NoRoom, Size, TAILROOM, Timestamp};
use proto::{Epoch, Slot};
use std::sync::{Arc, Weak};

/// Encrypts the frames of one of our tracks. It is used on the thread that encodes them. Several sealers of one track
/// never repeat a counter. After the first frame of an epoch, sealing does not allocate or copy a frame.
pub struct Sealer {
    ring: KeyRing,
    slot: Slot,
    generation: Option<u64>,
    epoch: Option<(Epoch, Weak<EpochKeys>)>,
    layers: [Option<(Kid, Weak<StreamKey>)>; MAX_SPATIAL],
    /// The digests of the last frames of each layer, until they are sent.
    digests: Box<[DigestList; MAX_SPATIAL]>,
    /// The position of the first packet of sound in this epoch. `None` before it.
    first_position: Option<u64>,
}

/// The reason why a frame was not sealed. The frame is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no epoch: this member has not joined yet, or has left.
    #[error("there are no keys to seal with")]
    NoKeys,
    /// The layer or our leaf is too large for a key id.
    #[error("this layer has no key")]
    NoLayer,
    /// The duration is not valid for an Opus packet.
    #[error("an Opus packet cannot last {0} samples")]
    Length(u16),
    /// The buffer has no room for the headers.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
}

impl Sealer {
    /// Returns a sealer for our track in `slot`.
    #[must_use]
    pub fn new(ring: KeyRing, slot: Slot) -> Self {
        Self {
            ring,
            slot,
            generation: None,
            epoch: None,
            layers: Default::default(),
            digests: Box::new([const { DigestList::new() }; MAX_SPATIAL]),
            first_position: None,
        }
    }

    /// Encrypts a picture.
    ///
    /// # Errors
    /// Returns [`Error`] if there is no key for it.
    pub fn seal(&mut self, picture: Encoded) -> Result<Sealed, Error> {
        self.update_keys();
        let layer = picture.layer;
        let digests =
            self.due_digests(layer.spatial, picture.captured, FrameKind::of_picture(layer, picture.key), false);
        let inner = VideoHeader {
            digests: digests.is_some(),
            codec: picture.codec,
            layer: picture.layer,
            key: picture.key,
            discardable: picture.discardable,
            number: low16(picture.number),
            captured: low32(picture.captured.as_micros()),
        };
        let header = Header {
            slot: self.slot,
            layer: picture.layer,
            size: picture.size,
            key: picture.key,
            discardable: picture.discardable,
            rtp_time: video_time(picture.captured),
            voice: false,
        };
        let mut bytes = picture.payload;
        bytes.prepend(&inner.encode())?;
        if let Some(digests) = digests {
            bytes.append(digests.as_slice());
        }
        let prefix = Prefix::of(picture.codec, picture.key);
        let bytes = self.seal_bytes(bytes, (layer.spatial, picture.captured), Class::Video, prefix)?;
        Ok(Sealed::new(header, bytes))
    }

    /// Encrypts an audio packet, padded to a multiple of 32 bytes so that its length reveals less about the speech.
    ///
    /// # Errors
    /// Returns [`Error`] if there is no key for it, or the duration is not valid for Opus.
    pub fn seal_audio(&mut self, audio: EncodedAudio) -> Result<Sealed, Error> {
        self.seal_sound(audio, [])
    }

    /// Encrypts an audio packet as [`Sealer::seal_audio`] does, with copies of packets before it, at most
    /// [`MAX_COPIES`]. Leaves out copies that do not fit: see [`SoundCopy`] for their limits. A frame with copies has at most
    /// 1,024 bytes of plaintext. Also leaves out copies of packets before the first one of the epoch: a member that joins
    /// with this epoch must not get sound from before.
    ///
    /// # Errors
    /// Returns [`Error`] if there is no key for it, or the duration is not valid for Opus.
    pub fn seal_sound<'a>(
        &mut self,
        audio: EncodedAudio,
        copies: impl IntoIterator<Item = SoundCopy<'a>>,
    ) -> Result<Sealed, Error> {
        let length = AudioHeader::units(audio.samples).ok_or(Error::Length(audio.samples))?;
        self.update_keys();
        let first = self.first_position.map_or(audio.position, |first| first.min(audio.position));
        self.first_position = Some(first);
        let mut bytes = audio.payload;
        let (mut headers, mut count) = ([[0; COPY_HEADER]; MAX_COPIES], 0_u8);
        for copy in copies.into_iter().filter(|copy| copy.position >= first) {
            let Some(place) = headers.get_mut(usize::from(count)) else { break };
            let size = AudioHeader::LENGTH + MAX_COPIES * COPY_HEADER + bytes.len() + copy.payload.len();
            if let Some(header) = copy_header(&copy, audio.position).filter(|_| size <= MAX_WITH_COPIES) {
                bytes.append(copy.payload);
                (*place, count) = (header, count + 1);
            }
        }
        let headers = &headers.as_flattened()[..usize::from(count) * COPY_HEADER];
        let digests = self.due_digests(0, audio.captured, FrameKind::Base, count > 0);
        let digests = digests.as_ref().map_or(&[][..], Trailer::as_slice);
        let padding = padding(AudioHeader::LENGTH + headers.len() + bytes.len() + digests.len());
        let inner = AudioHeader {
            digests: !digests.is_empty(),
            codec: audio.codec,
            voice: audio.voice,
            level: audio.level,
            copies: count,
            length,
            padding,
            captured: low32(audio.captured.as_micros()),
            position: low32(audio.position),
        };
        let header = Header {
            slot: self.slot,
            layer: Layer::default(),
            size: Size::default(),
            key: true,
            discardable: false,
            rtp_time: low32(audio.position),
            voice: audio.voice,
        };
        bytes.append(&[0; BUCKET][..usize::from(padding)]);
        bytes.append(digests);
        bytes.prepend(headers)?;
        bytes.prepend(&inner.encode())?;
        let bytes = self.seal_bytes(bytes, (0, audio.captured), Class::Audio, Prefix::None)?;
        Ok(Sealed::new(header, bytes))
    }

    /// Returns the signed digests of earlier frames of the layer that the frame captured at `captured` takes with it. `lossy` is
    /// true if receivers lose frames.
    fn due_digests(&mut self, spatial: u8, captured: Timestamp, kind: FrameKind, lossy: bool) -> Option<Trailer> {
        self.digests.get_mut(usize::from(spatial))?.take_due(captured, kind, lossy)?.signed()
    }

    /// Encrypts `bytes` with the keys of the last [`Self::update_keys`].
    fn seal_bytes(
        &mut self,
        mut bytes: Buffer,
        (spatial, captured): (u8, Timestamp),
        class: Class,
        prefix: Prefix,
    ) -> Result<Buffer, Error> {
        let epoch = self.epoch.as_ref().and_then(|(_, keys)| keys.upgrade()).ok_or(Error::NoKeys)?;
        let layer = self.layers.get_mut(usize::from(spatial)).ok_or(Error::NoLayer)?;
        let known = layer.as_ref().and_then(|(kid, stream)| Some((*kid, stream.upgrade()?)));
        let (kid, stream) = known.or_else(|| epoch.own(self.slot, spatial)).ok_or(Error::NoLayer)?;
        *layer = Some((kid, Arc::downgrade(&stream)));
        let counter = epoch.next_counter(self.slot, spatial);
        let (header, length) = SframeHeader { kid: kid.number(), counter }.encode();
        let aad = Aad::new(&header[..length], class, prefix.bytes());
        // AES-GCM fails only above 64 GiB, and no buffer is that long.
        let tag = stream.key.seal(counter, aad.as_slice(), &mut bytes).ok_or(Error::NoLayer)?;
        bytes.append(tag.as_ref());
        bytes.prepend(&header[..length])?;
        bytes.prepend(prefix.bytes())?;
        if let Some(digests) = self.digests.get_mut(usize::from(spatial)) {
            digests.add(&epoch, (kid, counter), FrameDigest::of(&bytes), captured);
        }
        Ok(bytes)
    }

    /// Switches to the newest epoch if there is a newer one.
    fn update_keys(&mut self) {
        let generation = self.ring.generation();
        if self.generation == Some(generation) {
            return;
        }
        self.generation = Some(generation);
        let newest = self.ring.newest();
        if newest.as_ref().map(|(epoch, _)| epoch) != self.epoch.as_ref().map(|(epoch, _)| epoch) {
            self.layers = Default::default();
            self.first_position = None;
        }
        self.epoch = newest;
    }
}

/// Returns the padding that extends `length` to a multiple of [`BUCKET`].
#[expect(clippy::cast_possible_truncation, reason = "below BUCKET")]
fn padding(length: usize) -> u8 {
    (length.next_multiple_of(BUCKET) - length) as u8
}

#[expect(clippy::cast_possible_truncation, reason = "keeps the low bits")]
fn low32(value: u64) -> u32 {
    value as u32
}

#[expect(clippy::cast_possible_truncation, reason = "keeps the low bits")]
fn low16(value: u64) -> u16 {
    value as u16
}

/// Returns the capture time in units of 90 kHz (RFC 6184).
#[expect(clippy::cast_possible_truncation, reason = "an RTP timestamp wraps")]
fn video_time(captured: Timestamp) -> u32 {
    (u128::from(captured.as_micros()) * 9 / 100) as u32
}

/// The plaintext length of audio is a multiple of this many bytes.
const BUCKET: usize = 32;

/// The maximum length of the plaintext of a frame with copies, without digests. With all headers a packet stays below 1,200
/// bytes.
const MAX_WITH_COPIES: usize = 1_024 - SignedDigests::length(MAX_DIGESTS);

const _: () = assert!(SignedDigests::length(MAX_DIGESTS) + BUCKET + 16 <= TAILROOM, "sealing does not move a frame");

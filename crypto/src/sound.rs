//! An opened sound frame: a packet, and copies of packets before it.

use crate::frame::{CopyLayout, MAX_COPIES, SoundCopy, SoundLayout};
use media::EncodedAudio;
use std::ops::Range;

/// A decrypted sound frame. It copies nothing: most copies are of packets that have arrived.
#[derive(Debug)]
pub struct OpenedSound {
    /// The packet. Its payload is the whole plaintext.
    audio: EncodedAudio,
    packet: Range<usize>,
    copies: [Option<CopyLayout>; MAX_COPIES],
}

impl OpenedSound {
    /// Returns the frame whose plaintext is the payload of `audio`.
    pub(crate) fn new(audio: EncodedAudio, layout: SoundLayout) -> Self {
        Self { audio, packet: layout.packet, copies: layout.copies }
    }

    /// Returns the packet, to read its other fields: its payload is still the whole plaintext.
    #[must_use]
    pub fn audio(&self) -> &EncodedAudio {
        &self.audio
    }

    /// Returns the copies of earlier packets, at most [`MAX_COPIES`]. A copy before the start of the track is left out.
    pub fn copies(&self) -> impl Iterator<Item = SoundCopy<'_>> {
        self.copies.iter().flatten().filter_map(|copy| {
            let position = self.audio.position.checked_sub(copy.distance)?;
            Some(SoundCopy { position, voice: copy.voice, payload: &self.audio.payload[copy.payload.clone()] })
        })
    }

    /// Returns the packet without the copies.
    #[must_use]
    pub fn into_packet(self) -> EncodedAudio {
        let Self { mut audio, packet, .. } = self;
        audio.payload.truncate(packet.end);
        audio.payload.skip(packet.start);
        audio
    }
}

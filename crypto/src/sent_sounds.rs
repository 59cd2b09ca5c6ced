//! The last packets of this client's voice, for the copies in later frames.

use crate::frame::{MAX_COPIES, MAX_COPY_BYTES, SoundCopy};
use media::EncodedAudio;

/// The last [`MAX_COPIES`] packets of a voice, for [`crate::Sealer::seal_sound`]. Adding one copies it and allocates nothing.
#[derive(Default)]
pub struct SentSounds {
    /// Newest first.
    packets: [SentSound; MAX_COPIES],
}

/// A packet that was sent.
pub struct SentSound {
    position: u64,
    voice: bool,
    /// 0 before the first packet, and for one that is too long.
    length: usize,
    bytes: [u8; MAX_COPY_BYTES],
}

impl SentSound {
    /// Returns what is kept of `packet`.
    #[must_use]
    pub fn new(packet: &EncodedAudio) -> Self {
        let mut kept = Self { position: packet.position, voice: packet.voice, ..Self::default() };
        if let Some(place) = kept.bytes.get_mut(..packet.payload.len()) {
            place.copy_from_slice(&packet.payload);
            kept.length = packet.payload.len();
        }
        kept
    }
}

impl SentSounds {
    /// Adds a packet.
    pub fn add(&mut self, packet: SentSound) {
        self.packets.rotate_right(1);
        self.packets[0] = packet;
    }

    /// Returns copies of the last `count` packets, newest first. A packet longer than [`MAX_COPY_BYTES`] is left out.
    pub fn newest(&self, count: usize) -> impl Iterator<Item = SoundCopy<'_>> {
        let packets = self.packets.iter().take(count).filter(|packet| packet.length > 0);
        packets.map(|packet| SoundCopy {
            position: packet.position,
            voice: packet.voice,
            payload: &packet.bytes[..packet.length],
        })
    }
}

impl Default for SentSound {
    fn default() -> Self {
        Self { position: 0, voice: false, length: 0, bytes: [0; MAX_COPY_BYTES] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::{AudioCodec, Buffer, Level, Timestamp};

    fn packet(number: u64, length: usize) -> EncodedAudio {
        EncodedAudio {
            codec: AudioCodec::Opus,
            position: number * 960,
            samples: 960,
            captured: Timestamp::default(),
            voice: number.is_multiple_of(2),
            level: Level::SILENCE,
            payload: Buffer::unpooled(&vec![7; length]),
        }
    }

    #[test]
    fn the_last_packets_are_kept_newest_first() {
        let mut sent = SentSounds::default();
        assert_eq!(sent.newest(3).count(), 0);
        for number in 0..10 {
            sent.add(SentSound::new(&packet(number, 50 + usize::try_from(number).unwrap())));
        }
        let found = |count| -> Vec<_> {
            sent.newest(count).map(|copy| (copy.position / 960, copy.voice, copy.payload.len())).collect()
        };
        assert_eq!(found(3), [(9, false, 59), (8, true, 58), (7, false, 57)]);
        assert_eq!((found(1).len(), found(0).len(), found(200).len()), (1, 0, 3));
    }

    #[test]
    fn a_long_packet_has_no_copy() {
        let mut sent = SentSounds::default();
        for (number, length) in [(0, MAX_COPY_BYTES), (1, MAX_COPY_BYTES + 1), (2, 1)] {
            sent.add(SentSound::new(&packet(number, length)));
        }
        let lengths: Vec<usize> = sent.newest(3).map(|copy| copy.payload.len()).collect();
        assert_eq!(lengths, [1, MAX_COPY_BYTES]);
    }
}

//! The header inside the encrypted part of a frame. The receiver trusts it, because it is authenticated.

use media::{AudioCodec, Layer, Level, VideoCodec};

/// The inner header of a picture, 8 bytes:
/// `digests 1 bit, version 3, codec 4 | spatial 3, temporal 3, key 1, discardable 1 | frame number 16 | capture time 32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VideoHeader {
    /// True if signed digests follow the bitstream.
    pub(crate) digests: bool,
    pub(crate) codec: VideoCodec,
    pub(crate) layer: Layer,
    pub(crate) key: bool,
    pub(crate) discardable: bool,
    /// The low 16 bits of the frame number.
    pub(crate) number: u16,
    /// Low 32 bits of the capture time in microseconds.
    pub(crate) captured: u32,
}

/// The inner header of an audio packet, 12 bytes:
/// `digests 1 bit, version 3, codec 4 | voice 1, level 7 | copies 2, length in 2.5 ms 6 | padding 8 | capture time 32 |
/// position 32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AudioHeader {
    /// True if signed digests follow the padding.
    pub(crate) digests: bool,
    pub(crate) codec: AudioCodec,
    pub(crate) voice: bool,
    pub(crate) level: Level,
    /// The number of copies of earlier packets, 0..=3.
    pub(crate) copies: u8,
    /// Samples per channel, in units of [`SAMPLES`].
    pub(crate) length: u8,
    /// The number of zero bytes after the bitstream.
    pub(crate) padding: u8,
    /// Low 32 bits of the capture time in microseconds.
    pub(crate) captured: u32,
    /// Low 32 bits of the position at 48 kHz.
    pub(crate) position: u32,
}

impl VideoHeader {
    pub(crate) const LENGTH: usize = 8;

    /// Encodes the header. Layer numbers are below 8.
    pub(crate) fn encode(self) -> [u8; Self::LENGTH] {
        let VideoCodec::H264 = self.codec;
        let flags = self.layer.spatial << 5
            | (self.layer.temporal & 7) << 2
            | u8::from(self.key) << 1
            | u8::from(self.discardable);
        let [n0, n1] = self.number.to_be_bytes();
        let [t0, t1, t2, t3] = self.captured.to_be_bytes();
        [kind(self.digests, VERSION, H264), flags, n0, n1, t0, t1, t2, t3]
    }

    /// Decodes the header. Returns `None` if the version or the codec is not supported.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let &[kind, flags, n0, n1, t0, t1, t2, t3] = bytes.first_chunk::<{ Self::LENGTH }>()?;
        (kind & !DIGESTS == VERSION << 4 | H264).then(|| Self {
            digests: kind & DIGESTS != 0,
            codec: VideoCodec::H264,
            layer: Layer { spatial: flags >> 5, temporal: flags >> 2 & 7 },
            key: flags & 2 != 0,
            discardable: flags & 1 != 0,
            number: u16::from_be_bytes([n0, n1]),
            captured: u32::from_be_bytes([t0, t1, t2, t3]),
        })
    }
}

impl AudioHeader {
    pub(crate) const LENGTH: usize = 12;

    /// Encodes the header.
    pub(crate) fn encode(self) -> [u8; Self::LENGTH] {
        let AudioCodec::Opus = self.codec;
        let flags = u8::from(self.voice) << 7 | self.level.minus_dbov();
        let length = self.copies << 6 | (self.length & LENGTH_BITS);
        let [t0, t1, t2, t3] = self.captured.to_be_bytes();
        let [p0, p1, p2, p3] = self.position.to_be_bytes();
        [kind(self.digests, SOUND_VERSION, OPUS), flags, length, self.padding, t0, t1, t2, t3, p0, p1, p2, p3]
    }

    /// Decodes the header. Returns `None` if the version, the codec or the duration is not supported.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let &[kind, flags, length, padding, t0, t1, t2, t3, p0, p1, p2, p3] =
            bytes.first_chunk::<{ Self::LENGTH }>()?;
        let (copies, length) = (length >> 6, length & LENGTH_BITS);
        (kind & !DIGESTS == SOUND_VERSION << 4 | OPUS && (1..=MAX_UNITS).contains(&length)).then(|| Self {
            digests: kind & DIGESTS != 0,
            codec: AudioCodec::Opus,
            voice: flags & 0x80 != 0,
            level: Level::new(flags & 0x7f),
            copies,
            length,
            padding,
            captured: u32::from_be_bytes([t0, t1, t2, t3]),
            position: u32::from_be_bytes([p0, p1, p2, p3]),
        })
    }

    /// Returns the length field for `samples`, or `None` if it is not a valid Opus duration.
    pub(crate) fn units(samples: u16) -> Option<u8> {
        let whole = samples.is_multiple_of(SAMPLES);
        u8::try_from(samples / SAMPLES).ok().filter(|units| whole && (1..=MAX_UNITS).contains(units))
    }

    /// Returns the samples per channel.
    pub(crate) fn samples(self) -> u16 {
        u16::from(self.length) * SAMPLES
    }
}

/// Returns true if signed digests are at the end of the plaintext, which begins with a header.
pub(crate) fn has_digests(plain: &[u8]) -> bool {
    plain.first().is_some_and(|kind| kind & DIGESTS != 0)
}

/// Returns the first byte of a header.
const fn kind(digests: bool, version: u8, codec: u8) -> u8 {
    version << 4 | codec | if digests { DIGESTS } else { 0 }
}

/// The bit that says that signed digests follow.
const DIGESTS: u8 = 0x80;
/// The version of the header of a picture. Version 1 had no digests.
const VERSION: u8 = 2;
/// The version of the header of sound. Version 1 had no copies, version 2 no digests.
const SOUND_VERSION: u8 = 3;
const H264: u8 = 1;
const OPUS: u8 = 1;

/// 2.5 ms at 48 kHz: the unit of Opus durations.
const SAMPLES: u16 = 120;
/// The bits of the length beside the number of copies.
const LENGTH_BITS: u8 = 0x3f;
/// The length field of the longest Opus packet, which has 120 ms.
const MAX_UNITS: u8 = 48;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_headers_round_trip() {
        let picture = VideoHeader {
            digests: false,
            codec: VideoCodec::H264,
            layer: Layer { spatial: 5, temporal: 2 },
            key: true,
            discardable: false,
            number: 0xfeed,
            captured: 0xdead_beef,
        };
        assert_eq!(VideoHeader::decode(&picture.encode()), Some(picture));
        let sound = AudioHeader {
            digests: true,
            codec: AudioCodec::Opus,
            voice: true,
            level: Level::new(33),
            copies: 3,
            length: 8,
            padding: 31,
            captured: 7,
            position: u32::MAX,
        };
        assert_eq!(AudioHeader::decode(&sound.encode()), Some(sound));
        assert_eq!(
            (has_digests(&picture.encode()), has_digests(&sound.encode()), has_digests(&[])),
            (false, true, false)
        );
        assert_eq!(sound.samples(), 960);
    }

    #[test]
    fn other_versions_codecs_and_lengths_are_rejected() {
        for kind in 0..=u8::MAX {
            assert_eq!(VideoHeader::decode(&[kind, 0, 0, 0, 0, 0, 0, 0]).is_some(), kind & 0x7f == 0x21);
            assert_eq!(AudioHeader::decode(&[kind, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]).is_some(), kind & 0x7f == 0x31);
        }
        assert_eq!(VideoHeader::decode(&[0x21; 7]), None);
        assert_eq!(AudioHeader::decode(&[0x31; 11]), None);
        assert_eq!(AudioHeader::decode(&[0x31, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(AudioHeader::decode(&[0x31, 0, 49, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!((AudioHeader::units(960), AudioHeader::units(961), AudioHeader::units(0)), (Some(8), None, None));
        assert_eq!(AudioHeader::units(u16::MAX), None);
    }
}

//! The unencrypted bytes before a sealed frame. They let an SFU that inspects payloads find key frames.

use media::VideoCodec;

/// The kind of prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prefix {
    /// No prefix: audio.
    None,
    /// A key frame of H.264: a STAP-A (RFC 6184, section 5.7.1) with a stub SPS and PPS, then an IDR slice's header.
    Key,
    /// Any other frame of H.264: a slice's header.
    Delta,
}

impl Prefix {
    /// Returns the prefix of a picture.
    pub(crate) const fn of(codec: VideoCodec, key: bool) -> Self {
        match (codec, key) {
            (VideoCodec::H264, true) => Self::Key,
            (VideoCodec::H264, false) => Self::Delta,
        }
    }

    /// Returns the prefix at the start of `frame`, or `None` if there is none.
    pub(crate) fn read_video(frame: &[u8]) -> Option<Self> {
        [Self::Key, Self::Delta].into_iter().find(|prefix| frame.starts_with(prefix.bytes()))
    }

    /// Returns the bytes.
    pub(crate) const fn bytes(self) -> &'static [u8] {
        match self {
            Self::None => &[],
            Self::Key => KEY,
            Self::Delta => DELTA,
        }
    }
}

/// The prefix of a key frame. Its SPS has Constrained Baseline, level 3.1 and one macroblock: it is valid, but
/// describes no real picture.
const KEY: &[u8] = &[0x78, 0x00, 0x06, 0x67, 0x42, 0xc0, 0x1f, 0xda, 0x79, 0x00, 0x04, 0x68, 0xce, 0x38, 0x80, 0x65];
const DELTA: &[u8] = &[0x41];

/// The length of the longest prefix in bytes.
pub(super) const MAX_BYTES: usize = KEY.len();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_distinguished() {
        for prefix in [Prefix::Key, Prefix::Delta] {
            assert_eq!(Prefix::read_video(&[prefix.bytes(), &[0xff]].concat()), Some(prefix));
        }
        for length in 0..KEY.len() {
            assert_eq!(Prefix::read_video(&KEY[..length]), None);
        }
        assert_eq!(Prefix::read_video(&[0x65]), None);
    }
}

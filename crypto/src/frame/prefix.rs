//! The clear bytes in front of a sealed frame: made up from public facts, so that an SFU that peeks finds key frames.

use media::VideoCodec;

/// Which clear bytes stand in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prefix {
    /// None: sound.
    None,
    /// A key frame of H.264: a STAP-A (RFC 6184, section 5.7.1) with a stub SPS and PPS, then an IDR slice's header.
    Key,
    /// Any other frame of H.264: a slice's header.
    Delta,
}

impl Prefix {
    /// What stands in front of a picture.
    pub(crate) const fn of(codec: VideoCodec, key: bool) -> Self {
        match (codec, key) {
            (VideoCodec::H264, true) => Self::Key,
            (VideoCodec::H264, false) => Self::Delta,
        }
    }

    /// What `frame` begins with; `None` where it is no frame of H.264 of ours.
    pub(crate) fn read_video(frame: &[u8]) -> Option<Self> {
        [Self::Key, Self::Delta].into_iter().find(|prefix| frame.starts_with(prefix.bytes()))
    }

    /// The bytes.
    pub(crate) const fn bytes(self) -> &'static [u8] {
        match self {
            Self::None => &[],
            Self::Key => KEY,
            Self::Delta => DELTA,
        }
    }
}

/// The SPS names Constrained Baseline, level 3.1 and a picture of one macroblock: it is a stub, and says so.
const KEY: &[u8] = &[0x78, 0x00, 0x06, 0x67, 0x42, 0xc0, 0x1f, 0xda, 0x79, 0x00, 0x04, 0x68, 0xce, 0x38, 0x80, 0x65];
const DELTA: &[u8] = &[0x41];

/// Bytes of the longest prefix.
pub(super) const MAX_BYTES: usize = KEY.len();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_prefix_is_told_from_the_others() {
        for prefix in [Prefix::Key, Prefix::Delta] {
            assert_eq!(Prefix::read_video(&[prefix.bytes(), &[0xff]].concat()), Some(prefix));
        }
        for length in 0..KEY.len() {
            assert_eq!(Prefix::read_video(&KEY[..length]), None);
        }
        assert_eq!(Prefix::read_video(&[0x65]), None);
    }
}

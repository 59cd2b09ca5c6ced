//! The plaintext of a sound frame: a packet, and copies of packets before it (redundancy as in RFC 2198, but inside the
//! encryption).
//!
//! `inner header | copy headers | bitstream | bitstreams of the copies | padding`. A copy header has 2 bytes:
//! `voice 1, distance 7 | length 8`.

use super::inner::AudioHeader;
use std::ops::Range;

/// The maximum number of copies in a frame.
pub const MAX_COPIES: usize = 3;

/// The longest packet of which a copy is sent, in bytes: 102 kbit/s.
pub const MAX_COPY_BYTES: usize = 255;

/// A copy of an earlier packet of the track: a redundant block, in the words of RFC 2198.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoundCopy<'a> {
    /// The position of its first sample at 48 kHz. It is 2.5 to 317.5 ms before that of the frame's packet.
    pub position: u64,
    /// True if voice activity was detected.
    pub voice: bool,
    /// The bitstream, 1 to [`MAX_COPY_BYTES`] bytes. It has as many samples as the frame's packet.
    pub payload: &'a [u8],
}

/// The parts of the plaintext of a sound frame, as ranges of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundLayout {
    pub(crate) header: AudioHeader,
    /// The bitstream of the packet.
    pub packet: Range<usize>,
    /// The copies. The list ends at the first `None`.
    pub copies: [Option<CopyLayout>; MAX_COPIES],
}

/// The place of a copy in the plaintext.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyLayout {
    /// How far its position is before that of the packet, in samples at 48 kHz.
    pub distance: u64,
    /// True if voice activity was detected.
    pub voice: bool,
    /// Its bitstream.
    pub payload: Range<usize>,
}

impl SoundLayout {
    /// Reads a decrypted frame. Returns `None` if the header is not supported, a copy has no distance or no bytes, or
    /// the parts are longer than the frame.
    #[must_use]
    pub fn read(plain: &[u8]) -> Option<Self> {
        let header = AudioHeader::decode(plain)?;
        let count = usize::from(header.copies);
        let headers = plain.get(AudioHeader::LENGTH..)?.get(..count * COPY_HEADER)?;
        let start = AudioHeader::LENGTH + headers.len();
        let end = plain.len().checked_sub(usize::from(header.padding))?;
        let length: usize = headers.chunks_exact(COPY_HEADER).map(|copy| usize::from(copy[1])).sum();
        let mut at = end.checked_sub(length).filter(|at| *at >= start)?;
        let packet = start..at;
        let mut copies = [const { None }; MAX_COPIES];
        for (place, copy) in copies.iter_mut().zip(headers.chunks_exact(COPY_HEADER)) {
            let (units, length) = (copy[0] & MAX_DISTANCE, usize::from(copy[1]));
            if units == 0 || length == 0 {
                return None;
            }
            let distance = u64::from(units) * SAMPLES;
            *place = Some(CopyLayout { distance, voice: copy[0] & VOICE != 0, payload: at..at + length });
            at += length;
        }
        Some(Self { header, packet, copies })
    }
}

/// Returns the header of a copy in a frame whose packet is at `position`. Returns `None` if the copy does not fit.
pub(crate) fn copy_header(copy: &SoundCopy<'_>, position: u64) -> Option<[u8; COPY_HEADER]> {
    let distance = position.checked_sub(copy.position).filter(|distance| distance.is_multiple_of(SAMPLES))?;
    let units = u8::try_from(distance / SAMPLES).ok().filter(|units| (1..=MAX_DISTANCE).contains(units))?;
    let length = u8::try_from(copy.payload.len()).ok().filter(|length| *length > 0)?;
    Some([if copy.voice { VOICE | units } else { units }, length])
}

/// Bytes of the header of a copy.
pub(crate) const COPY_HEADER: usize = 2;

/// The bit of the voice flag.
const VOICE: u8 = 0x80;

/// The largest distance, in units of [`SAMPLES`].
const MAX_DISTANCE: u8 = 0x7f;

/// 2.5 ms at 48 kHz: the unit of distances.
const SAMPLES: u64 = 120;

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(copies: u8, headers: &[u8], rest: usize, padding: u8) -> Vec<u8> {
        let mut bytes = vec![0x31, 0x80, copies << 6 | 8, padding, 0, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend_from_slice(headers);
        bytes.resize(bytes.len() + rest, 9);
        bytes
    }

    #[test]
    fn the_parts_of_a_frame_are_found() {
        let layout = SoundLayout::read(&plain(2, &[0x88, 5, 0x10, 7], 20, 3)).unwrap();
        assert_eq!(layout.packet, 16..21);
        let [Some(first), Some(second), None] = layout.copies else { panic!("two copies") };
        assert_eq!((first.distance, first.voice, first.payload), (960, true, 21..26));
        assert_eq!((second.distance, second.voice, second.payload), (1_920, false, 26..33));
        let layout = SoundLayout::read(&plain(0, &[], 20, 3)).unwrap();
        assert_eq!((layout.packet, layout.copies), (12..29, [None, None, None]));
    }

    #[test]
    fn copies_beyond_the_frame_and_empty_ones_are_refused() {
        assert!(SoundLayout::read(&plain(1, &[8, 20], 20, 0)).is_some(), "the packet may be empty");
        for (headers, rest, padding) in
            [(&[8, 21][..], 20, 0), (&[8, 20], 20, 1), (&[8, 0], 20, 0), (&[0x80, 5], 20, 0), (&[8], 0, 0), (&[], 0, 0)]
        {
            assert_eq!(SoundLayout::read(&plain(1, headers, rest, padding)), None, "{headers:?} {rest} {padding}");
        }
        for length in 0..12 {
            assert_eq!(SoundLayout::read(&plain(0, &[], 0, 0)[..length]), None);
        }
    }

    #[test]
    fn a_copy_that_does_not_fit_has_no_header() {
        let copy = |position, payload| copy_header(&SoundCopy { position, voice: true, payload }, 96_000);
        assert_eq!(copy(96_000 - 960, &[1, 2][..]), Some([0x88, 2]));
        for (position, payload) in
            [(96_000, 2), (96_960, 2), (95_999, 2), (96_000 - 128 * 120, 2), (95_040, 0), (95_040, 256)]
        {
            assert_eq!(copy(position, &[0; 256][..payload]), None, "{position} {payload}");
        }
    }
}

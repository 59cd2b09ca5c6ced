//! Frames with any plaintext, as a member can seal them as its own.

use crate::frame::{Aad, Class, DigestRange, FrameDigest, Prefix, SframeHeader, SignedDigests};
use crate::keyring::KeyRing;
use media::VideoCodec;
use proto::Slot;

/// What is sealed as a frame.
#[derive(Clone, Copy, Debug)]
pub struct PlainFrame<'a> {
    /// The slot, and the spatial layer in the key id.
    pub stream: (Slot, u8),
    /// True if a picture has the prefix of a key frame.
    pub key: bool,
    /// The plaintext: the inner header, the bitstream and digests.
    pub plain: &'a [u8],
    /// The counter of the first frame, and how many digests of it are signed and put after the plaintext. They are of other
    /// frames than those that were sent.
    pub digests: Option<(u64, u8)>,
}

/// Seals a frame with the newest keys of the ring. `None` if there are none, or no key for the layer.
#[must_use]
pub fn seal_frame(ring: &KeyRing, frame: &PlainFrame<'_>) -> Option<Vec<u8>> {
    let (_, epoch) = ring.newest()?;
    let (epoch, (slot, spatial)) = (epoch.upgrade()?, frame.stream);
    let (kid, stream) = epoch.own(slot, spatial)?;
    let (class, prefix) = match slot {
        Slot::Microphone => (Class::Audio, Prefix::None),
        Slot::Camera | Slot::Screen => (Class::Video, Prefix::of(VideoCodec::H264, frame.key)),
    };
    let mut plain = frame.plain.to_vec();
    if let Some((first, count)) = frame.digests {
        let mut range = DigestRange::starting_at(first);
        for number in 0..count {
            range.push(FrameDigest::of(&[number]));
        }
        plain.extend_from_slice(epoch.signed(&range, kid).as_slice());
    }
    let counter = epoch.next_counter(slot, spatial);
    let (header, length) = SframeHeader { kid: kid.number(), counter }.encode();
    let aad = Aad::new(&header[..length], class, prefix.bytes());
    let tag = stream.key.seal(counter, aad.as_slice(), &mut plain)?;
    Some([prefix.bytes(), &header[..length], &plain, tag.as_ref()].concat())
}

/// Reads signed digests at the end of a plaintext, and encodes them again. `None` if there are none.
#[must_use]
pub fn recoded_digests(plain: &[u8]) -> Option<Vec<u8>> {
    SignedDigests::read(plain).map(|(read, _)| read.encode().as_slice().to_vec())
}

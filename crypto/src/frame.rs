//! `SFrame` (RFC 9605): headers, key ids, keys and the replay window. docs/frames.md describes the format.

mod digests;
mod header;
mod inner;
mod key;
mod kid;
mod prefix;
mod replay;
mod sound;

pub(crate) use digests::{DigestRange, FrameDigest, MAX_DIGESTS, SignedDigests, Trailer};
pub(crate) use header::SframeHeader;
pub(crate) use inner::{AudioHeader, VideoHeader, has_digests};
pub(crate) use key::Key;
pub(crate) use kid::{Kid, MAX_LEAVES, MAX_SPATIAL, context, low_bits};
pub(crate) use prefix::Prefix;
pub(crate) use replay::ReplayWindow;
pub(crate) use sound::{COPY_HEADER, copy_header};
pub use sound::{CopyLayout, MAX_COPIES, MAX_COPY_BYTES, SoundCopy, SoundLayout};

/// The additional authenticated data of a frame, stored without allocation.
pub(crate) struct Aad {
    bytes: [u8; MAX_AAD],
    length: usize,
}

impl Aad {
    /// Returns the additional authenticated data: `SFrame header | "VSF1" | class | len(PREFIX) | PREFIX`.
    pub(crate) fn new(header: &[u8], class: Class, prefix: &[u8]) -> Self {
        let mut aad = Self { bytes: [0; MAX_AAD], length: 0 };
        let length = u8::try_from(prefix.len()).unwrap_or(u8::MAX);
        for part in [header, DOMAIN, &[class as u8, length], prefix] {
            let end = aad.length + part.len();
            aad.bytes[aad.length..end].copy_from_slice(part);
            aad.length = end;
        }
        aad
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The kind of media in a frame, as encoded in the additional data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Class {
    Audio = 0,
    Video = 1,
}

const DOMAIN: &[u8] = b"VSF1";
const MAX_AAD: usize = header::MAX_BYTES + DOMAIN.len() + 2 + prefix::MAX_BYTES;

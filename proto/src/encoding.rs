//! The encoding of messages, and the limits of their parts.

use crate::{MAX_BLOB, MAX_KNOCK, MAX_MESSAGE};
use minicbor::{CborLen, Decode, Encode};

/// Encrypted bytes that only participants can read. The server stores and relays them.
#[derive(Clone, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
#[cbor(transparent)]
pub struct Blob(#[cbor(with = "minicbor::bytes")] pub Vec<u8>);

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blob({} B)", self.0.len())
    }
}

/// The error that bytes are not a valid message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a message of this protocol")]
pub struct Malformed;

/// Encodes a message.
///
/// # Panics
/// Never: writing to memory does not fail.
#[must_use]
pub fn encode<M: Encode<()>>(message: &M) -> Vec<u8> {
    minicbor::to_vec(message).expect("writing to memory does not fail")
}

/// Decodes a message. Checks the length first, and allocates at most a small multiple of it.
///
/// # Errors
/// Returns [`Malformed`] if `bytes` are not exactly one message within the limits.
pub fn decode<M: for<'b> Decode<'b, ()> + Limited>(bytes: &[u8]) -> Result<M, Malformed> {
    if bytes.len() > MAX_MESSAGE {
        return Err(Malformed);
    }
    let mut decoder = minicbor::Decoder::new(bytes);
    let message: M = decoder.decode().map_err(|_| Malformed)?;
    if decoder.position() != bytes.len() || !message.within_limits() {
        return Err(Malformed);
    }
    Ok(message)
}

/// Returns true if `message` is within all limits, so that the receiver accepts it.
#[must_use]
pub fn is_sendable<M: CborLen<()> + Limited>(message: &M) -> bool {
    message.within_limits() && minicbor::len(message) <= MAX_MESSAGE
}

/// A message whose parts have limits.
pub trait Limited {
    /// Returns true if every part is within its limit.
    fn within_limits(&self) -> bool;
}

pub fn fits(blob: &Blob) -> bool {
    blob.0.len() <= MAX_BLOB
}

pub fn is_short(blob: &Blob) -> bool {
    blob.0.len() <= MAX_KNOCK
}

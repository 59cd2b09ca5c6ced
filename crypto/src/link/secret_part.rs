//! The secret part of a link, after the `#`.
//!
//! ```text
//! base64url, without padding, of:
//!     version and flags 1 B | binding 16 | secret 16 | meeting id 16 if flagged | fingerprint 16 if flagged
//! version = the lower 4 bits; flags = the upper 4
//! ```

use super::error::{Error, VERSION};
use super::fingerprint::Fingerprint;
use crate::admission_key::SECRET;
use crate::authority::Binding;
use crate::memory::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proto::MeetingId;
use std::str::FromStr;
use zeroize::Zeroizing;

/// The content of the secret part.
pub struct SecretPart {
    pub binding: Binding,
    pub secret: Secret,
    /// `None` if the binding determines the id.
    pub meeting: Option<MeetingId>,
    pub fingerprint: Option<Fingerprint>,
}

impl SecretPart {
    /// Returns the part as text.
    pub fn to_text(&self) -> Zeroizing<String> {
        let flag = |present: bool, flag: u8| if present { flag } else { 0 };
        let flags = flag(self.meeting.is_some(), HAS_MEETING) | flag(self.fingerprint.is_some(), HAS_FINGERPRINT);
        // The capacities are never exceeded: growing would leave a copy of the secret behind.
        let mut payload = Zeroizing::new(Vec::with_capacity(MAX_PAYLOAD));
        payload.push(VERSION | flags);
        payload.extend_from_slice(&self.binding.0);
        payload.extend_from_slice(self.secret.expose());
        payload.extend(self.meeting.iter().flat_map(|id| id.0));
        payload.extend(self.fingerprint.iter().flat_map(|fingerprint| fingerprint.0));
        let mut encoded = Zeroizing::new([0; 2 * MAX_PAYLOAD]);
        // The buffer is large enough, and base64 is ASCII.
        let length = URL_SAFE_NO_PAD.encode_slice(payload.as_slice(), encoded.as_mut_slice()).unwrap_or(0);
        Zeroizing::new(std::str::from_utf8(&encoded[..length]).unwrap_or_default().to_owned())
    }
}

impl FromStr for SecretPart {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            return Err(Error::Damaged);
        }
        if text.len() > MAX_SECRET {
            return Err(Error::TooLong);
        }
        if payload_length(text).is_some_and(|length| text.len() > length) {
            return Err(Error::TooLong);
        }
        // A truncated base64 text: decode the whole groups of four, which contain the version.
        let whole = &text[..text.len() / 4 * 4];
        let bytes = match decode(text) {
            Ok(bytes) => bytes,
            Err(_) => decode(whole).map_err(|_| Error::Damaged)?,
        };
        split_secret(&bytes)
    }
}

fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, base64::DecodeError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    URL_SAFE_NO_PAD.decode_vec(text, &mut bytes)?;
    Ok(bytes)
}

fn split_secret(bytes: &[u8]) -> Result<SecretPart, Error> {
    let (&first, rest) = bytes.split_first().ok_or(Error::Truncated)?;
    let (version, flags) = (first & VERSION_BITS, first & !VERSION_BITS);
    if version != VERSION {
        return Err(Error::OtherVersion(version));
    }
    if flags & !(HAS_MEETING | HAS_FINGERPRINT) != 0 {
        return Err(Error::Damaged);
    }
    let (binding, rest) = rest.split_first_chunk().ok_or(Error::Truncated)?;
    let (secret, rest) = rest.split_first_chunk::<SECRET>().ok_or(Error::Truncated)?;
    let (meeting, rest) = optional(flags & HAS_MEETING != 0, rest)?;
    let (fingerprint, rest) = optional(flags & HAS_FINGERPRINT != 0, rest)?;
    let (meeting, fingerprint) = (meeting.map(MeetingId), fingerprint.map(Fingerprint));
    let parts = SecretPart { binding: Binding(*binding), secret: Secret::copy_of(secret), meeting, fingerprint };
    if rest.is_empty() { Ok(parts) } else { Err(Error::TooLong) }
}

/// Returns the first 16 of `bytes` if they are `present`, and the rest.
fn optional(present: bool, bytes: &[u8]) -> Result<(Option<[u8; 16]>, &[u8]), Error> {
    if !present {
        return Ok((None, bytes));
    }
    bytes.split_first_chunk().map(|(part, rest)| (Some(*part), rest)).ok_or(Error::Truncated)
}

/// Returns how many characters a secret part has that begins with `text`; `None` if that is not known.
pub fn payload_length(text: &str) -> Option<usize> {
    let begin = text.get(..4)?;
    let first = *decode(begin).ok()?.first()?;
    let optional = |flag: u8| if first & flag == 0 { 0 } else { 16 };
    let bytes = 1 + 16 + SECRET + optional(HAS_MEETING) + optional(HAS_FINGERPRINT);
    let known = first & !(HAS_MEETING | HAS_FINGERPRINT) == VERSION;
    known.then(|| (bytes * 4).div_ceil(3))
}

const VERSION_BITS: u8 = 0x0f;
const HAS_FINGERPRINT: u8 = 0x10;
const HAS_MEETING: u8 = 0x20;
/// Bytes of the longest secret part.
const MAX_PAYLOAD: usize = 1 + 16 + SECRET + 16 + 16;
/// Maximum characters of the secret part, in any version.
const MAX_SECRET: usize = 512;

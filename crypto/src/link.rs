//! The invitation link: `conclave://HOST:PORT/#SECRET`. The part after `#` is never sent to a server.
//!
//! ```text
//! SECRET  = base64url, without padding, of:
//!           version and flags 1 B | binding 16 | secret 16 | meeting id 16 if flagged | fingerprint 16 if flagged
//! version = the lower 4 bits; flags = the upper 4
//! ```
//! A link without a meeting id belongs to the first keys of its meeting: the binding determines the id.

mod find;
#[cfg(test)]
mod tests;

pub use find::find_link;

use crate::admission_key::SECRET;
use crate::authority::{Binding, first_half};
use crate::memory::Secret;
use crate::provider::sha256;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proto::MeetingId;
use std::fmt::{self, Write as _};
use std::net::Ipv6Addr;
use std::str::FromStr;
use zeroize::Zeroizing;

/// An invitation to a meeting.
#[derive(Clone)]
pub struct Invitation {
    /// The server's name or address. An IPv6 address has no brackets here.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// The meeting id.
    pub meeting: MeetingId,
    /// The hash of the authority and the admission key for which this link was made. The joiner accepts only a group of
    /// this authority or of its successors.
    pub binding: Binding,
    /// The shared secret of all invited people, 16 bytes. Authenticates requests to join.
    pub secret: Secret,
    /// Identifies the server's certificate, if no certificate authority signed it.
    pub fingerprint: Option<Fingerprint>,
}

/// The first 16 bytes of the SHA-256 of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    /// Returns true if `certificate` (DER) has this fingerprint.
    #[must_use]
    pub fn is_of(&self, certificate: &[u8]) -> bool {
        Self::from(sha256(certificate)) == *self
    }
}

impl From<[u8; 32]> for Fingerprint {
    /// Returns the fingerprint of the certificate with this SHA-256.
    fn from(hash: [u8; 32]) -> Self {
        Self(first_half(hash))
    }
}

/// The reason why a text is not a valid invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It does not contain `conclave://`.
    #[error("this is not a Conclave link")]
    NotALink,
    /// The host is missing or invalid.
    #[error("the link has no valid server address")]
    BadHost,
    /// The port is missing or invalid.
    #[error("the link has no valid port")]
    BadPort,
    /// Something stands between the server's address and the `#`.
    #[error("the link has a path")]
    BadPath,
    /// Nothing follows `#`.
    #[error("the secret part of the link, after the #, is missing")]
    NoSecret,
    /// The secret part has characters outside base64url, or invalid flags.
    #[error("the link's secret part is damaged")]
    Damaged,
    /// The secret part is too short.
    #[error("the end of the link is missing")]
    Truncated,
    /// The secret part is too long.
    #[error("the link is too long")]
    TooLong,
    /// Another version of Conclave created the link.
    #[error("the link has version {0}, this program supports version {VERSION}")]
    OtherVersion(u8),
}

impl Invitation {
    /// Returns the same invitation at another server address.
    #[must_use]
    pub fn at(&self, host: &str, port: u16, fingerprint: Option<Fingerprint>) -> Self {
        Self { host: host.to_owned(), port, fingerprint, ..self.clone() }
    }

    /// Returns the link as text, overwritten when dropped. Made only where it is shown, copied or written for the user.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let meeting = (self.meeting != self.binding.meeting()).then_some(self.meeting);
        let flag = |present: bool, flag: u8| if present { flag } else { 0 };
        let flags = flag(meeting.is_some(), HAS_MEETING) | flag(self.fingerprint.is_some(), HAS_FINGERPRINT);
        let mut payload = Zeroizing::new(Vec::with_capacity(MAX_PAYLOAD));
        payload.push(VERSION | flags);
        payload.extend_from_slice(&self.binding.0);
        payload.extend_from_slice(self.secret.expose());
        payload.extend(meeting.iter().flat_map(|id| id.0));
        payload.extend(self.fingerprint.iter().flat_map(|fingerprint| fingerprint.0));
        // The capacity is never exceeded: growing would leave a copy of the secret behind.
        let mut text = Zeroizing::new(String::with_capacity(SCHEME.len() + self.host.len() + 16 + 2 * MAX_PAYLOAD));
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        // Writing to a string cannot fail.
        let _ = write!(text, "{SCHEME}{open}{}{close}:{}/#", self.host, self.port);
        let mut encoded = Zeroizing::new([0; 2 * MAX_PAYLOAD]);
        // The buffer is large enough, and base64 is ASCII.
        let length = URL_SAFE_NO_PAD.encode_slice(payload.as_slice(), encoded.as_mut_slice()).unwrap_or(0);
        text.push_str(std::str::from_utf8(&encoded[..length]).unwrap_or_default());
        text
    }
}

impl FromStr for Invitation {
    type Err = Error;

    /// Parses the first link in `text`, as [`find_link`] finds it.
    fn from_str(text: &str) -> Result<Self, Error> {
        let link = find_link(text).ok_or(Error::NotALink)?;
        let rest = &link[SCHEME.len()..];
        let (place, secret) = rest.split_once('#').map_or((rest, ""), |(place, secret)| (place, secret));
        let (authority, path) = place.split_once('/').unwrap_or((place, ""));
        let (host, port) = split_authority(authority)?;
        if secret.is_empty() {
            return Err(Error::NoSecret);
        }
        // The version first: links of version 1 have a path.
        let parts = read_secret(secret)?;
        if !path.is_empty() {
            return Err(Error::BadPath);
        }
        let Parts { binding, secret, meeting, fingerprint } = parts;
        Ok(Self { host, port, meeting: meeting.unwrap_or_else(|| binding.meeting()), binding, secret, fingerprint })
    }
}

impl fmt::Debug for Invitation {
    /// Shows only the server.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invitation({}:{})", self.host, self.port)
    }
}

fn split_authority(authority: &str) -> Result<(String, u16), Error> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or(Error::BadHost)?;
        address.parse::<Ipv6Addr>().map_err(|_| Error::BadHost)?;
        (address, port.strip_prefix(':').ok_or(Error::BadPort)?)
    } else {
        let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
        let plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
        if host.is_empty() || host.len() > MAX_HOST || !plain {
            return Err(Error::BadHost);
        }
        (host, port)
    };
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let number = port.parse().ok().filter(|number| digits && *number != 0).ok_or(Error::BadPort)?;
    Ok((host.to_owned(), number))
}

/// The content of the secret part.
struct Parts {
    binding: Binding,
    secret: Secret,
    meeting: Option<MeetingId>,
    fingerprint: Option<Fingerprint>,
}

fn read_secret(text: &str) -> Result<Parts, Error> {
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

fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, base64::DecodeError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    URL_SAFE_NO_PAD.decode_vec(text, &mut bytes)?;
    Ok(bytes)
}

fn split_secret(bytes: &[u8]) -> Result<Parts, Error> {
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
    let parts = Parts { binding: Binding(*binding), secret: Secret::copy_of(secret), meeting, fingerprint };
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
fn payload_length(text: &str) -> Option<usize> {
    let begin = text.get(..4)?;
    let first = *decode(begin).ok()?.first()?;
    let optional = |flag: u8| if first & flag == 0 { 0 } else { 16 };
    let bytes = 1 + 16 + SECRET + optional(HAS_MEETING) + optional(HAS_FINGERPRINT);
    let known = first & !(HAS_MEETING | HAS_FINGERPRINT) == VERSION;
    known.then(|| (bytes * 4).div_ceil(3))
}

const SCHEME: &str = "conclave://";
const VERSION: u8 = 2;
const VERSION_BITS: u8 = 0x0f;
const HAS_FINGERPRINT: u8 = 0x10;
const HAS_MEETING: u8 = 0x20;
/// Bytes of the longest secret part.
const MAX_PAYLOAD: usize = 1 + 16 + SECRET + 16 + 16;
/// RFC 1035, section 3.1.
const MAX_HOST: usize = 253;
/// Maximum characters of the secret part, in any version.
const MAX_SECRET: usize = 512;

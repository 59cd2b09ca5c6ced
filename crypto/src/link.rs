//! The invitation link: `conclave://HOST:PORT/m/ID#SECRET`. The part after `#` is never sent to a server.

use crate::memory::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proto::MeetingId;
use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;
use zeroize::Zeroize;

/// An invitation to a meeting.
#[derive(Clone)]
pub struct Invitation {
    /// The server's name or address. An IPv6 address has no brackets here.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// The meeting id.
    pub meeting: MeetingId,
    /// SHA-256 of the meeting's admission key. The joiner uses no other key.
    pub admission_hash: [u8; 32],
    /// The shared secret of all invited people. Decrypts the title and authenticates requests to join.
    pub secret: Secret,
    /// SHA-256 of the server's certificate, if no certificate authority signed it.
    pub fingerprint: Option<[u8; 32]>,
}

/// The reason why a text is not a valid invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It does not begin with `conclave://`.
    #[error("this is not a Conclave link")]
    NotALink,
    /// The host is missing or invalid.
    #[error("the link has no valid server address")]
    BadHost,
    /// The port is missing or invalid.
    #[error("the link has no valid port")]
    BadPort,
    /// The path is not `/m/` and 32 hexadecimal digits.
    #[error("the link has no valid meeting id")]
    BadMeeting,
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

impl FromStr for Invitation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let rest = strip_scheme(text.trim()).ok_or(Error::NotALink)?;
        let (place, secret) = rest.split_once('#').map_or((rest, None), |(place, secret)| (place, Some(secret)));
        let (authority, path) = place.split_once('/').unwrap_or((place, ""));
        let (host, port) = split_authority(authority)?;
        let meeting = path.strip_prefix("m/").and_then(|id| id.parse().ok()).ok_or(Error::BadMeeting)?;
        let secret = secret.filter(|secret| !secret.is_empty()).ok_or(Error::NoSecret)?;
        let (admission_hash, secret, fingerprint) = read_secret(secret)?;
        Ok(Self { host, port, meeting, admission_hash, secret, fingerprint })
    }
}

impl fmt::Display for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = if self.fingerprint.is_some() { HAS_FINGERPRINT } else { 0 };
        let fingerprint = self.fingerprint.as_ref().map_or([].as_slice(), |hash| hash);
        let parts = [[VERSION].as_slice(), &self.admission_hash, self.secret.expose(), &[flags], fingerprint];
        let mut bytes = parts.concat();
        let mut text = URL_SAFE_NO_PAD.encode(&bytes);
        bytes.zeroize();
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        let written = write!(f, "{SCHEME}{open}{}{close}:{}/m/{}#{text}", self.host, self.port, self.meeting);
        text.zeroize();
        written
    }
}

impl fmt::Debug for Invitation {
    /// Omits the secret part.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invitation({}:{}, {})", self.host, self.port, self.meeting)
    }
}

fn strip_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then_some(rest)
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

type Parts = ([u8; 32], Secret, Option<[u8; 32]>);

fn read_secret(text: &str) -> Result<Parts, Error> {
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return Err(Error::Damaged);
    }
    if text.len() > MAX_SECRET {
        return Err(Error::TooLong);
    }
    // A truncated base64 text: decode the whole groups of four, which contain the version.
    let whole = &text[..text.len() / 4 * 4];
    let mut bytes = match URL_SAFE_NO_PAD.decode(text) {
        Ok(bytes) => bytes,
        Err(_) => URL_SAFE_NO_PAD.decode(whole).map_err(|_| Error::Damaged)?,
    };
    let parts = split_secret(&bytes);
    bytes.zeroize();
    parts
}

fn split_secret(bytes: &[u8]) -> Result<Parts, Error> {
    let (&version, rest) = bytes.split_first().ok_or(Error::Truncated)?;
    if version != VERSION {
        return Err(Error::OtherVersion(version));
    }
    let (hash, rest) = rest.split_first_chunk::<32>().ok_or(Error::Truncated)?;
    let (secret, rest) = rest.split_first_chunk::<32>().ok_or(Error::Truncated)?;
    let (&flags, rest) = rest.split_first().ok_or(Error::Truncated)?;
    let (fingerprint, rest) = match flags {
        0 => (None, rest),
        HAS_FINGERPRINT => {
            rest.split_first_chunk::<32>().map(|(hash, rest)| (Some(*hash), rest)).ok_or(Error::Truncated)?
        }
        _ => return Err(Error::Damaged),
    };
    if rest.is_empty() { Ok((*hash, Secret::copy_of(secret), fingerprint)) } else { Err(Error::TooLong) }
}

const SCHEME: &str = "conclave://";
const VERSION: u8 = 1;
const HAS_FINGERPRINT: u8 = 1;
/// The maximum length of a host name (RFC 1035, section 3.1).
const MAX_HOST: usize = 253;
/// The maximum number of characters of the secret part.
const MAX_SECRET: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn invitation(host: &str, fingerprint: Option<[u8; 32]>) -> Invitation {
        let (meeting, secret) = (MeetingId([0xab; 16]), Secret::copy_of(&[7; 32]));
        Invitation { host: host.into(), port: 7000, meeting, admission_hash: [9; 32], secret, fingerprint }
    }

    fn error(text: &str) -> Error {
        text.parse::<Invitation>().unwrap_err()
    }

    #[test]
    fn links_round_trip() {
        for host in ["meet.example.org", "127.0.0.1", "::1", "localhost"] {
            for fingerprint in [None, Some([3; 32])] {
                let text = invitation(host, fingerprint).to_string();
                let read: Invitation = format!("  {text}\n").parse().unwrap();
                assert_eq!(read.to_string(), text);
                assert_eq!((read.host.as_str(), read.port, read.fingerprint), (host, 7000, fingerprint));
                assert_eq!((read.secret.expose(), read.admission_hash), ([7; 32].as_slice(), [9; 32]));
            }
        }
    }

    #[test]
    fn every_truncation_is_rejected_with_a_reason() {
        let text = invitation("host", Some([3; 32])).to_string();
        for length in 0..text.len() {
            let expected = match length {
                0..11 => Error::NotALink,
                11 => Error::BadHost,
                12..17 => Error::BadPort,
                17..20 => Error::BadMeeting,
                _ => error(&text[..length]),
            };
            assert_eq!(error(&text[..length]), expected, "{}", &text[..length]);
            let secret_begins = text.find('#').unwrap() + 1;
            if length > secret_begins + 1 {
                assert_eq!(expected, Error::Truncated);
            }
        }
        assert_eq!(error(&text[..text.find('#').unwrap()]), Error::NoSecret);
        assert_eq!(error(&text[..=text.find('#').unwrap()]), Error::NoSecret);
    }

    #[test]
    fn other_versions_and_damage_are_distinguished() {
        let link = invitation("host", None).to_string();
        let (place, secret) = link.split_once('#').unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(secret).unwrap();
        let with = |bytes: &[u8]| format!("{place}#{}", URL_SAFE_NO_PAD.encode(bytes));
        assert_eq!(error(&with(&[bytes.clone(), vec![0]].concat())), Error::TooLong);
        assert_eq!(error(&format!("{place}#{}", "A".repeat(600))), Error::TooLong);
        assert_eq!(error(&format!("{place}#ab%20")), Error::Damaged);
        bytes[65] = 4;
        assert_eq!(error(&with(&bytes)), Error::Damaged);
        bytes[0] = 2;
        assert_eq!(error(&with(&bytes)), Error::OtherVersion(2));
    }

    #[test]
    fn texts_that_are_not_a_link_are_rejected() {
        let id = "ab".repeat(16);
        assert_eq!(error("https://example.org"), Error::NotALink);
        assert_eq!(error("é".repeat(20).as_str()), Error::NotALink);
        assert_eq!(error("conclave:///m/"), Error::BadHost);
        assert_eq!(error("conclave://a b:1/m/"), Error::BadHost);
        assert_eq!(error("conclave://[::zz]:1/m/"), Error::BadHost);
        assert_eq!(error("conclave://[::1]/m/"), Error::BadPort);
        for port in ["", ":", ":0", ":65536", ":+1", ":x"] {
            assert_eq!(error(&format!("conclave://host{port}/m/{id}#A")), Error::BadPort);
        }
        assert_eq!(error("conclave://host:1/x/#A"), Error::BadMeeting);
    }

    #[test]
    fn debug_does_not_show_the_secret() {
        assert!(!format!("{:?}", invitation("host", None)).contains('#'));
    }
}

//! The invitation link: `conclave://HOST:PORT/#SECRET`. The part after `#` is never sent to a server.
//!
//! A link without a meeting id belongs to the first keys of its meeting: the binding determines the id.

mod error;
mod find;
mod fingerprint;
mod secret_link;
mod secret_part;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use find::find_link;
pub use fingerprint::Fingerprint;
pub use secret_link::SecretLink;

use crate::authority::Binding;
use crate::memory::Secret;
use find::SCHEME;
use proto::MeetingId;
use secret_part::SecretPart;
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

impl Invitation {
    /// Returns the same invitation at another server address.
    #[must_use]
    pub fn at(&self, host: &str, port: u16, fingerprint: Option<Fingerprint>) -> Self {
        Self { host: host.to_owned(), port, fingerprint, ..self.clone() }
    }

    /// Returns the link as text, overwritten when dropped. Made only where it is shown, copied or written for the user.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let Self { host, port, meeting, binding, secret, fingerprint } = self.clone();
        let meeting = (meeting != binding.meeting()).then_some(meeting);
        let part = SecretPart { binding, secret, meeting, fingerprint }.to_text();
        // The capacity is never exceeded: growing would leave a copy of the secret behind.
        let mut text = Zeroizing::new(String::with_capacity(SCHEME.len() + host.len() + PUNCTUATION + part.len()));
        let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
        // Writing to a string cannot fail.
        let _ = write!(text, "{SCHEME}{open}{host}{close}:{port}/#");
        text.push_str(&part);
        text
    }
}

impl SecretLink {
    /// Parses the link.
    ///
    /// # Errors
    /// Returns an error if the text is not a link, or one that is damaged.
    pub fn invitation(&self) -> Result<Invitation, Error> {
        self.expose().parse()
    }
}

impl From<&Invitation> for SecretLink {
    fn from(invitation: &Invitation) -> Self {
        Self::from(invitation.to_text().as_str())
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
        let content: SecretPart = secret.parse()?;
        if !path.is_empty() {
            return Err(Error::BadPath);
        }
        let SecretPart { binding, secret, meeting, fingerprint } = content;
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

/// Brackets, colon, port, slash and `#`.
const PUNCTUATION: usize = 10;
/// RFC 1035, section 3.1.
const MAX_HOST: usize = 253;

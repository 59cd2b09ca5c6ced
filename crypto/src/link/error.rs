//! Why a link is invalid.

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

/// The version of links that this program makes and reads.
pub const VERSION: u8 = 2;

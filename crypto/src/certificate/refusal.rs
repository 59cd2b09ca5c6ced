//! Why a certificate does not count, and how long a chain may be.

/// Why a certificate does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The bytes are no certificate.
    #[error("it cannot be read: expected X.509 certificates, the one of this device first")]
    Malformed,
    /// There are too many certificates, or too long ones.
    #[error("it is too long: at most {MAX_CERTIFICATES} certificates with {MAX_CHAIN} bytes together")]
    TooLong,
    /// It is for the key of another device.
    #[error("it is for the key of another device: request a new one on this device")]
    OtherKey,
    /// It is not valid any more, by this computer's clock.
    #[error("it has expired: request a new one")]
    Expired,
    /// It is not valid yet, by this computer's clock.
    #[error("it is not valid yet: check the clock of this computer")]
    NotYetValid,
    /// It may not be used to authenticate a person: it is one of an authority or of a server, for example.
    #[error("it may not be used for the authentication of a client: the authority must allow this usage")]
    WrongUsage,
    /// None of the trusted organisations has issued it, or a certificate between is missing.
    #[error("no trusted organisation has issued it, or a certificate of the chain is missing")]
    Untrusted,
    /// It names no person.
    #[error("it names no person: the authority must write a name or an e-mail address into it")]
    NoName,
    /// A rule of RFC 5280 is broken, such as a constraint of the authority.
    #[error("it does not keep a rule of its authority")]
    Invalid,
}

/// The maximum number of certificates of a chain.
pub const MAX_CERTIFICATES: usize = 4;
/// The maximum length of a chain in its encoding, in bytes. Every member gets it.
pub const MAX_CHAIN: usize = 4_096;

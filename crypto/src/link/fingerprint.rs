//! The fingerprint of a server's certificate.

use crate::authority::first_half;
use crate::provider::sha256;

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

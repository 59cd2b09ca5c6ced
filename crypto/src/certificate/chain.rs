//! A certificate with those of the authorities that lead to a root, as it is sent.

use super::device_check::check_key;
use super::refusal::{MAX_CERTIFICATES, MAX_CHAIN, Refusal};
use crate::device_key::DeviceKey;
use pki_types::CertificateDer;
use pki_types::pem::PemObject;
use std::fmt;
use std::sync::Arc;

/// A certificate of a device key, then those of the authorities that lead to a root. Bounded, and not verified.
///
/// The encoding is `length 2 B | certificate (DER)` for each.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CertificateChain(Arc<[u8]>);

impl CertificateChain {
    /// Returns the chain of certificates in DER, the one of the device first. Does not verify them.
    ///
    /// # Errors
    /// Returns [`Refusal::TooLong`] or [`Refusal::Malformed`].
    pub fn new<T: AsRef<[u8]>>(certificates: &[T]) -> Result<Self, Refusal> {
        let length: usize = certificates.iter().map(|one| one.as_ref().len() + 2).sum();
        if certificates.len() > MAX_CERTIFICATES || length > MAX_CHAIN {
            return Err(Refusal::TooLong);
        }
        let mut bytes = Vec::with_capacity(length);
        for one in certificates {
            let length = u16::try_from(one.as_ref().len()).map_err(|_| Refusal::TooLong)?;
            bytes.extend(length.to_be_bytes());
            bytes.extend(one.as_ref());
        }
        Self::decode(&bytes).ok_or(Refusal::Malformed)
    }

    /// Returns the chain in a PEM file (RFC 7468), the certificate of the device first. Skips other sections.
    ///
    /// # Errors
    /// Returns [`Refusal::TooLong`] or [`Refusal::Malformed`].
    pub fn from_pem(text: &[u8]) -> Result<Self, Refusal> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).take(MAX_CERTIFICATES + 1).collect();
        Self::new(&found.map_err(|_| Refusal::Malformed)?)
    }

    /// Returns the chain in its encoding; `None` if it is no chain of 1 to [`MAX_CERTIFICATES`] certificates.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (mut rest, mut count) = (bytes, 0);
        while !rest.is_empty() {
            let (length, after) = rest.split_first_chunk::<2>()?;
            let (one, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
            count += 1;
            rest = after;
            if one.is_empty() {
                return None;
            }
        }
        ((1..=MAX_CERTIFICATES).contains(&count) && bytes.len() <= MAX_CHAIN).then(|| Self(bytes.into()))
    }

    /// Returns the encoding.
    pub(crate) fn encoded(&self) -> &[u8] {
        &self.0
    }

    /// Returns the certificates in DER, the one of the device first.
    pub(super) fn certificates(&self) -> Vec<CertificateDer<'_>> {
        let (mut rest, mut found) = (&*self.0, Vec::new());
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let (one, after) = after.split_at(u16::from_be_bytes(*length).into());
            found.push(CertificateDer::from(one));
            rest = after;
        }
        found
    }

    /// Checks that the first certificate is for the key of `device`. Verifies nothing else.
    ///
    /// # Errors
    /// Returns [`Refusal::OtherKey`] or [`Refusal::Malformed`].
    pub fn check_key(&self, device: DeviceKey) -> Result<(), Refusal> {
        let certificates = self.certificates();
        let first = certificates.first().ok_or(Refusal::Malformed)?;
        let first = webpki::EndEntityCert::try_from(first).map_err(|_| Refusal::Malformed)?;
        check_key(&first, device)
    }
}

impl fmt::Debug for CertificateChain {
    /// Omits the names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificateChain({} bytes)", self.0.len())
    }
}

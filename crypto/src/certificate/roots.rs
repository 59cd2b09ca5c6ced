//! The organisations that a client trusts.

use super::refusal::Refusal;
use super::subject;
use pki_types::pem::PemObject;
use pki_types::{CertificateDer, TrustAnchor};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Certificates of authorities, chosen by the administrator or by the user, with the names of their organisations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roots(Vec<Root>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Root {
    certificate: CertificateDer<'static>,
    organisation: String,
}

impl Roots {
    /// Adds the certificates in a PEM file. Skips other sections, and those that it has already.
    ///
    /// # Errors
    /// Returns [`Refusal::Malformed`] if there is none or if one cannot be read, [`Refusal::TooLong`] if there would be more than
    /// [`MAX_ROOTS`], and [`Refusal::NoName`] if one has no name that can be shown. Nothing is added then.
    pub fn add_pem(&mut self, text: &[u8]) -> Result<(), Refusal> {
        let mut roots = self.0.clone();
        let before = roots.len();
        let mut count = 0;
        for found in CertificateDer::pem_slice_iter(text).take(MAX_ROOTS + 1) {
            let certificate: CertificateDer<'static> = found.map_err(|_| Refusal::Malformed)?;
            webpki::anchor_from_trusted_cert(&certificate).map_err(|_| Refusal::Malformed)?;
            let (_, parsed) = X509Certificate::from_der(&certificate).map_err(|_| Refusal::Malformed)?;
            let organisation = subject::of_authority(parsed.subject()).ok_or(Refusal::NoName)?;
            count += 1;
            if roots.iter().all(|root| root.certificate != certificate) {
                roots.push(Root { certificate, organisation });
            }
        }
        if count == 0 {
            return Err(Refusal::Malformed);
        }
        if roots.len() > MAX_ROOTS.max(before) {
            return Err(Refusal::TooLong);
        }
        self.0 = roots;
        Ok(())
    }

    /// Returns true if nobody is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the names of the organisations.
    pub fn organisations(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|root| root.organisation.as_str())
    }

    /// Returns the keys of the authorities with the names of their organisations.
    pub(super) fn anchors(&self) -> impl Iterator<Item = (TrustAnchor<'_>, &str)> {
        self.0.iter().filter_map(|root| {
            let anchor = webpki::anchor_from_trusted_cert(&root.certificate).ok()?;
            Some((anchor, root.organisation.as_str()))
        })
    }
}

/// The maximum number of roots.
pub const MAX_ROOTS: usize = 32;

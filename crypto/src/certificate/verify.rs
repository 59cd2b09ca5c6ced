//! The verification of a chain by a receiver: signatures, validity and usage (RFC 5280, section 6), and the device's key.

use super::chain::CertificateChain;
use super::device_check::check_key;
use super::refusal::Refusal;
use super::roots::Roots;
use super::subject::{self, Subject};
use crate::device_key::DeviceKey;
use pki_types::{CertificateDer, UnixTime};
use std::time::{Duration, SystemTime};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, Error, KeyUsage};
use x509_parser::prelude::{FromDer, X509Certificate};

impl CertificateChain {
    /// Returns whom the certificate names, if one of `roots` leads to it, it is for the key of `device`, it may be used to authenticate a
    /// client, and it is valid at `now`, with a tolerance of an hour. Revocation is not checked: that would need a connection to the
    /// organisation.
    ///
    /// # Errors
    /// Returns why it does not count. [`Refusal::OtherKey`] comes first.
    pub fn verify(&self, device: DeviceKey, roots: &Roots, now: SystemTime) -> Result<Subject, Refusal> {
        let certificates = self.certificates();
        let (first, others) = certificates.split_first().ok_or(Refusal::Malformed)?;
        let entity = EndEntityCert::try_from(first).map_err(|error| refusal(&error))?;
        check_key(&entity, device)?;
        let issuer = issuer(&entity, others, roots, now)?;
        let (_, parsed) = X509Certificate::from_der(first).map_err(|_| Refusal::Malformed)?;
        let usage = parsed.key_usage().map_err(|_| Refusal::Malformed)?;
        if usage.is_some_and(|usage| !usage.value.digital_signature()) {
            return Err(Refusal::WrongUsage);
        }
        subject::of(&parsed, issuer).ok_or(Refusal::NoName)
    }
}

/// Returns the name of the root that leads to `entity`.
fn issuer<'a>(
    entity: &EndEntityCert<'_>,
    others: &[CertificateDer<'_>],
    roots: &'a Roots,
    now: SystemTime,
) -> Result<&'a str, Refusal> {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let times = [now, now.saturating_sub(CLOCK_TOLERANCE), now.saturating_add(CLOCK_TOLERANCE)];
    let mut why = Refusal::Untrusted;
    for (anchor, name) in roots.anchors() {
        for time in times.map(UnixTime::since_unix_epoch) {
            let anchors = std::slice::from_ref(&anchor);
            let usage = KeyUsage::client_auth();
            match entity.verify_for_usage(ALL_VERIFICATION_ALGS, anchors, others, time, usage, None, None) {
                Ok(_) => return Ok(name),
                Err(Error::UnknownIssuer) => break,
                // The first time is the clock's: what it says is the reason.
                Err(error) if why == Refusal::Untrusted => why = refusal(&error),
                Err(_) => {}
            }
        }
    }
    Err(why)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the error type is non-exhaustive")]
fn refusal(error: &Error) -> Refusal {
    match error {
        Error::CertExpired { .. } => Refusal::Expired,
        Error::CertNotValidYet { .. } => Refusal::NotYetValid,
        Error::CaUsedAsEndEntity | Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => {
            Refusal::WrongUsage
        }
        Error::UnknownIssuer | Error::InvalidSignatureForPublicKey => Refusal::Untrusted,
        Error::BadDer
        | Error::BadDerTime
        | Error::MalformedExtensions
        | Error::ExtensionValueInvalid
        | Error::InvalidSerialNumber
        | Error::TrailingData(_)
        | Error::UnsupportedCertVersion => Refusal::Malformed,
        _ => Refusal::Invalid,
    }
}

/// How far the clocks of the receiver and of the authority may differ.
const CLOCK_TOLERANCE: Duration = Duration::from_hours(1);

//! The MLS credential of a leaf: participant, device and name.
//!
//! A credential is `version 1 B | device key 32 | participant 8 | issued 8 (seconds since 1970) | device's signature 64
//! | parts 1 | with bit 0: authority's signature 64 | with bit 1: length 2 and certificates of the device key | name (UTF-8)`.
//! The device signs the leaf's signature key for this meeting and time. The leaf's own signature covers the whole credential.
//!
//! **Certificates of an organisation** are evidence that each receiver verifies for itself ([`crate::certificate`]). They decide nothing
//! about the credential.
//!
//! **Time is checked once.** The certificate is valid for a day, and only the manager who admits compares it with a
//! clock. The MLS lifetime of the leaf, which openmls compares with each member's clock, is the fixed span of
//! [`MLS_LIFETIME`] before and after the time of issue, so it never decides.

use crate::authority::{Authority, AuthorityKey};
use crate::certificate::CertificateChain;
use crate::identity::{Claim, DeviceKey, Identity, Profile};
use crate::provider::SUITE;
use openmls::prelude::{
    BasicCredential, Capabilities, Credential, CredentialWithKey, ExtensionType, KeyPackage, LeafNode, Lifetime,
};
use proto::{MeetingId, ParticipantId};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The decoded credential of a leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeafCredential {
    pub(crate) participant: ParticipantId,
    pub(crate) device: DeviceKey,
    pub(crate) profile: Profile,
    /// When the device signed, by the clock of its owner. Seconds since 1970.
    pub(crate) issued: u64,
    certificate: [u8; 64],
    /// The authority's signature over the certificate if an organiser comes back.
    returning: Option<[u8; 64]>,
    /// Certificates of the device key by an organisation, which nobody has verified yet.
    pub(crate) organisation: Option<CertificateChain>,
}

/// A leaf's credential is invalid, or not signed by its device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a leaf has no valid credential")]
pub(crate) struct BadCredential;

impl LeafCredential {
    /// Issues our own credential for the signature key `leaf`.
    pub(crate) fn issue(
        identity: &Identity,
        profile: Profile,
        participant: ParticipantId,
        meeting: MeetingId,
        leaf: &[u8],
        now: SystemTime,
    ) -> Self {
        let issued = seconds(now);
        let certificate = identity.certify(Claim { meeting, participant, issued, leaf });
        let organisation = identity.certificate().cloned();
        Self { participant, device: identity.public(), profile, issued, certificate, returning: None, organisation }
    }

    /// Adds the authority's signature, by which any member may add this leaf.
    pub(crate) fn with_return(self, authority: &AuthorityKey) -> Self {
        Self { returning: Some(authority.sign(&return_message(&self.certificate))), ..self }
    }

    /// Returns true if `authority` signed that this organiser comes back.
    pub(crate) fn is_return_by(&self, authority: Authority) -> bool {
        let message = return_message(&self.certificate);
        self.returning.is_some_and(|signature| authority.signed(&message, &signature))
    }

    /// Decodes `credential` without verifying it. New leaves are verified with [`LeafCredential::verified`].
    pub(crate) fn read(credential: &Credential) -> Result<Self, BadCredential> {
        let basic = BasicCredential::try_from(credential.clone()).map_err(|_| BadCredential)?;
        Self::decode(basic.identity()).ok_or(BadCredential)
    }

    /// Decodes the credential of `leaf` and verifies the device's signature.
    pub(crate) fn verified(leaf: &LeafNode, meeting: MeetingId) -> Result<Self, BadCredential> {
        Self::verified_with(leaf.credential(), leaf.signature_key().as_slice(), meeting)
    }

    /// As [`LeafCredential::verified`], for a credential and a signature key.
    pub(crate) fn verified_with(
        credential: &Credential,
        key: &[u8],
        meeting: MeetingId,
    ) -> Result<Self, BadCredential> {
        let decoded = Self::read(credential)?;
        let claim = Claim { meeting, participant: decoded.participant, issued: decoded.issued, leaf: key };
        if claim.is_by(decoded.device, &decoded.certificate) { Ok(decoded) } else { Err(BadCredential) }
    }

    /// Returns the credential of a key package, verified. Its lifetime must be the one that follows from the time of
    /// issue: members whose clocks differ would not all accept a shorter one.
    pub(crate) fn of_package(package: &KeyPackage, meeting: MeetingId) -> Result<Self, BadCredential> {
        let credential = Self::verified(package.leaf_node(), meeting)?;
        let same = *package.life_time() == lifetime(credential.issued);
        if same && package.ciphersuite() == SUITE { Ok(credential) } else { Err(BadCredential) }
    }

    /// Returns how many seconds the clock of the device is ahead of `now`; `None` if the certificate is valid, with a
    /// tolerance of an hour.
    pub(crate) fn wrong_clock(&self, now: SystemTime) -> Option<i64> {
        let now = seconds(now);
        let begin = self.issued.saturating_sub(CLOCK_TOLERANCE.as_secs());
        let end = self.issued.saturating_add((CERTIFICATE_LIFETIME + CLOCK_TOLERANCE).as_secs());
        (!(begin..=end).contains(&now)).then(|| {
            let ahead = i128::from(self.issued) - i128::from(now);
            i64::try_from(ahead).unwrap_or(if ahead < 0 { i64::MIN } else { i64::MAX })
        })
    }

    /// Returns the MLS credential for the signature key `leaf`.
    pub(crate) fn credential(&self, leaf: &[u8]) -> CredentialWithKey {
        CredentialWithKey { credential: BasicCredential::new(self.encode()).into(), signature_key: leaf.into() }
    }

    /// Returns the MLS lifetime of our own new leaf.
    pub(crate) fn lifetime(&self) -> Lifetime {
        lifetime(self.issued)
    }

    /// Returns true if participant, device, name and certificates are equal. A member may not change them.
    pub(crate) fn has_same_identity(&self, other: &Self) -> bool {
        (self.participant, self.device, &self.profile, &self.organisation)
            == (other.participant, other.device, &other.profile, &other.organisation)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let (participant, issued) = (self.participant.0.to_be_bytes(), self.issued.to_be_bytes());
        let returning = self.returning.as_ref().map_or(&[][..], |signature| signature.as_slice());
        let organisation = self.organisation.as_ref().map_or(&[][..], CertificateChain::encoded);
        // A chain has at most 4 KiB.
        let length = u16::try_from(organisation.len()).unwrap_or(u16::MAX).to_be_bytes();
        let length = if self.organisation.is_some() { &length[..] } else { &[] };
        let returns = if self.returning.is_some() { RETURNING } else { 0 };
        let parts = [returns | if self.organisation.is_some() { CERTIFIED } else { 0 }];
        let head = [[VERSION].as_slice(), &self.device.0, &participant, &issued, &self.certificate, &parts].concat();
        [&head, returning, length, organisation, self.profile.name.as_bytes()].concat()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (&version, rest) = bytes.split_first()?;
        let (device, rest) = rest.split_first_chunk::<32>()?;
        let (participant, rest) = rest.split_first_chunk::<8>()?;
        let (issued, rest) = rest.split_first_chunk::<8>()?;
        let (certificate, rest) = rest.split_first_chunk::<64>()?;
        let (&parts, rest) = rest.split_first().filter(|(parts, _)| **parts <= RETURNING | CERTIFIED)?;
        let (returning, rest) = if parts & RETURNING == 0 {
            (None, rest)
        } else {
            let (signature, rest) = rest.split_first_chunk::<64>()?;
            (Some(*signature), rest)
        };
        let (organisation, name) = if parts & CERTIFIED == 0 {
            (None, rest)
        } else {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            let (chain, name) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
            (Some(CertificateChain::decode(chain)?), name)
        };
        let profile = Profile { name: std::str::from_utf8(name).ok()?.to_owned() };
        (version == VERSION && profile.is_valid()).then(|| Self {
            participant: ParticipantId(u64::from_be_bytes(*participant)),
            device: DeviceKey(*device),
            profile,
            issued: u64::from_be_bytes(*issued),
            certificate: *certificate,
            returning,
            organisation,
        })
    }
}

/// Returns the capabilities of every leaf.
pub(crate) fn capabilities() -> Capabilities {
    Capabilities::new(None, Some(&[SUITE]), Some(&[POLICY_TYPE]), None, None)
}

fn lifetime(issued: u64) -> Lifetime {
    let span = MLS_LIFETIME.as_secs();
    Lifetime::init(issued.saturating_sub(span), issued.saturating_add(span))
}

/// Returns the bytes that the authority signs. The certificate covers meeting, participant and leaf key, so the signature
/// is valid for one leaf only.
fn return_message(certificate: &[u8; 64]) -> Vec<u8> {
    [b"Conclave 1.0 return leaf\0".as_slice(), certificate].concat()
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

const VERSION: u8 = 2;
/// The bits of `parts`.
const RETURNING: u8 = 1;
const CERTIFIED: u8 = 2;

/// The extension type of the meeting's policy, from the range that RFC 9420, section 17.3 leaves to private use.
pub(crate) const POLICY: u16 = 0xf5c1;
/// The same for openmls.
pub(crate) const POLICY_TYPE: ExtensionType = ExtensionType::Unknown(POLICY);

/// How long a device's certificate is valid.
const CERTIFICATE_LIFETIME: Duration = Duration::from_hours(24);
/// How far the clocks of a joiner and of the manager who admits may differ beyond that.
const CLOCK_TOLERANCE: Duration = Duration::from_hours(1);
/// How long a leaf is valid for MLS before and after it was issued. openmls accepts at most 84 days together.
const MLS_LIFETIME: Duration = Duration::from_hours(40 * 24);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::SigningKey;

    const HOUR: u64 = 3_600;

    fn at(second: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(second)
    }

    fn issued(second: u64) -> LeafCredential {
        let (identity, profile) = (Identity::generate().unwrap(), Profile::new("Ada").unwrap());
        LeafCredential::issue(&identity, profile, ParticipantId(7), MeetingId([1; 16]), &[0; 32], at(second))
    }

    #[test]
    fn a_credential_is_bound_to_meeting_and_leaf() {
        let (identity, leaf) = (Identity::generate().unwrap(), SigningKey::generate().unwrap());
        let (meeting, profile) = (MeetingId([1; 16]), Profile::new("Ada").unwrap());
        let key = leaf.public();
        let person = LeafCredential::issue(&identity, profile, ParticipantId(7), meeting, &key, at(9));
        let credential = person.credential(&key).credential;
        assert_eq!(LeafCredential::verified_with(&credential, &key, meeting).unwrap(), person);
        assert!(LeafCredential::verified_with(&credential, &key, MeetingId([2; 16])).is_err());
        assert!(LeafCredential::verified_with(&credential, &identity.public().0, meeting).is_err());
        let moved = LeafCredential { participant: ParticipantId(8), ..person.clone() };
        assert!(LeafCredential::verified_with(&moved.credential(&key).credential, &key, meeting).is_err());
        let later = LeafCredential { issued: 10, ..person };
        assert!(LeafCredential::verified_with(&later.credential(&key).credential, &key, meeting).is_err());
    }

    #[test]
    fn every_truncation_is_refused() {
        let authority = AuthorityKey::generate().unwrap();
        let chain = CertificateChain::new(&[[1; 300].as_slice(), &[2; 5]]).unwrap();
        let certified = LeafCredential { organisation: Some(chain), ..issued(9) };
        for person in
            [issued(9), issued(9).with_return(&authority), certified.clone(), certified.with_return(&authority)]
        {
            let bytes = person.encode();
            assert_eq!(LeafCredential::decode(&bytes), Some(person));
            for length in 0..bytes.len() - 2 {
                assert_eq!(LeafCredential::decode(&bytes[..length]), None);
            }
            assert_eq!(LeafCredential::decode(&[bytes, vec![0]].concat()), None);
        }
    }

    #[test]
    fn the_signature_of_a_return_is_valid_for_one_leaf() {
        let authority = AuthorityKey::generate().unwrap();
        let (person, other) = (issued(9).with_return(&authority), issued(9));
        assert!(person.is_return_by(authority.public()));
        assert!(!person.is_return_by(AuthorityKey::generate().unwrap().public()));
        assert!(!other.is_return_by(authority.public()));
        let stolen = LeafCredential { returning: person.returning, ..other };
        assert!(!stolen.is_return_by(authority.public()));
    }

    #[test]
    fn a_wrong_clock_is_measured() {
        let now = 1_000 * HOUR;
        let ahead = |at_issue: u64| LeafCredential { issued: at_issue, ..issued(0) }.wrong_clock(at(now));
        for fine in [now, now + HOUR, now - HOUR, now - 25 * HOUR] {
            assert_eq!(ahead(fine), None, "{fine}");
        }
        assert_eq!(ahead(now + 2 * HOUR), Some(7_200));
        assert_eq!(ahead(now + HOUR + 1), Some(3_601));
        assert_eq!(ahead(now - 26 * HOUR), Some(-26 * 3_600));
        assert_eq!(ahead(u64::MAX), Some(i64::MAX));
        assert!(ahead(0).is_some_and(i64::is_negative));
    }
}

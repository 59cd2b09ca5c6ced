//! The MLS credential of a leaf: participant, device and name.
//!
//! A credential is `version 1 B | device key 32 | participant 8 | first second 8 | last second 8 | device's signature
//! 64 | name (UTF-8)`. The device signs the leaf's signature key for this meeting and lifetime. The leaf's own
//! signature covers the whole credential.

use super::error::Error;
use crate::identity::{Claim, DeviceKey, Identity, Profile};
use openmls::prelude::{BasicCredential, Credential, CredentialWithKey, LeafNode, Lifetime};
use proto::{MeetingId, ParticipantId};

/// The decoded credential of a leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeafCredential {
    pub(crate) participant: ParticipantId,
    pub(crate) device: DeviceKey,
    pub(crate) profile: Profile,
    pub(crate) valid: (u64, u64),
    certificate: [u8; 64],
}

impl LeafCredential {
    /// Issues our own credential for the signature key `leaf`.
    pub(crate) fn issue(
        identity: &Identity,
        profile: Profile,
        participant: ParticipantId,
        meeting: MeetingId,
        leaf: &[u8],
        lifetime: Lifetime,
    ) -> Self {
        let valid = (lifetime.not_before(), lifetime.not_after());
        let certificate = identity.certify(Claim { meeting, participant, valid, leaf });
        Self { participant, device: identity.public(), profile, valid, certificate }
    }

    /// Decodes `credential` without verifying it. New leaves are verified with [`LeafCredential::verified`].
    pub(crate) fn read(credential: &Credential) -> Result<Self, Error> {
        let basic = BasicCredential::try_from(credential.clone()).map_err(|_| Error::Credential)?;
        Self::decode(basic.identity()).ok_or(Error::Credential)
    }

    /// Decodes the credential of `leaf` and verifies the device's signature.
    pub(crate) fn verified(leaf: &LeafNode, meeting: MeetingId) -> Result<Self, Error> {
        Self::verified_with(leaf.credential(), leaf.signature_key().as_slice(), meeting)
    }

    /// Works like [`LeafCredential::verified`], for a credential and a signature key.
    pub(crate) fn verified_with(credential: &Credential, key: &[u8], meeting: MeetingId) -> Result<Self, Error> {
        let decoded = Self::read(credential)?;
        let claim = Claim { meeting, participant: decoded.participant, valid: decoded.valid, leaf: key };
        if claim.is_by(decoded.device, &decoded.certificate) { Ok(decoded) } else { Err(Error::Credential) }
    }

    /// Returns the MLS credential for the signature key `leaf`.
    pub(crate) fn credential(&self, leaf: &[u8]) -> CredentialWithKey {
        CredentialWithKey { credential: BasicCredential::new(self.encode()).into(), signature_key: leaf.into() }
    }

    /// Returns true if participant, device and name are equal. A member may not change them.
    pub(crate) fn has_same_identity(&self, other: &Self) -> bool {
        (self.participant, self.device, &self.profile) == (other.participant, other.device, &other.profile)
    }

    fn encode(&self) -> Vec<u8> {
        let (from, until) = (self.valid.0.to_be_bytes(), self.valid.1.to_be_bytes());
        let participant = self.participant.0.to_be_bytes();
        let name = self.profile.name.as_bytes();
        [[VERSION].as_slice(), &self.device.0, &participant, &from, &until, &self.certificate, name].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&version, rest) = bytes.split_first()?;
        let (device, rest) = rest.split_first_chunk::<32>()?;
        let (participant, rest) = rest.split_first_chunk::<8>()?;
        let (from, rest) = rest.split_first_chunk::<8>()?;
        let (until, rest) = rest.split_first_chunk::<8>()?;
        let (certificate, name) = rest.split_first_chunk::<64>()?;
        let profile = Profile { name: std::str::from_utf8(name).ok()?.to_owned() };
        (version == VERSION && profile.is_valid()).then(|| Self {
            participant: ParticipantId(u64::from_be_bytes(*participant)),
            device: DeviceKey(*device),
            profile,
            valid: (u64::from_be_bytes(*from), u64::from_be_bytes(*until)),
            certificate: *certificate,
        })
    }
}

const VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::SigningKey;

    #[test]
    fn a_credential_is_bound_to_meeting_and_leaf() {
        let (identity, leaf) = (Identity::generate().unwrap(), SigningKey::generate().unwrap());
        let (meeting, profile) = (MeetingId([1; 16]), Profile::new("Ada").unwrap());
        let key = leaf.public();
        let person = LeafCredential::issue(&identity, profile, ParticipantId(7), meeting, &key, Lifetime::new(60));
        let credential = person.credential(&key).credential;
        assert_eq!(LeafCredential::verified_with(&credential, &key, meeting).unwrap(), person);
        assert!(LeafCredential::verified_with(&credential, &key, MeetingId([2; 16])).is_err());
        assert!(LeafCredential::verified_with(&credential, &identity.public().0, meeting).is_err());
        let moved = LeafCredential { participant: ParticipantId(8), ..person.clone() };
        assert!(LeafCredential::verified_with(&moved.credential(&key).credential, &key, meeting).is_err());
    }

    #[test]
    fn every_truncation_is_refused() {
        let (identity, profile) = (Identity::generate().unwrap(), Profile::new("Ada").unwrap());
        let person = LeafCredential::issue(
            &identity,
            profile,
            ParticipantId(7),
            MeetingId([1; 16]),
            &[0; 32],
            Lifetime::new(60),
        );
        let bytes = person.encode();
        for length in 0..bytes.len() - 2 {
            assert_eq!(LeafCredential::decode(&bytes[..length]), None);
        }
        assert_eq!(LeafCredential::decode(&[bytes, vec![0]].concat()), None);
    }
}

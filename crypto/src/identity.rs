//! The device's long-term key, its signatures on leaves, and the user's profile.

use crate::certificate::{CertificateChain, Refusal};
pub use crate::device_key::DeviceKey;
use crate::name::{self, MAX_NAME};
use crate::provider::{NoRandomness, SigningKey, is_signed};
use crate::store::{self, Store};
use proto::{MeetingId, ParticipantId};

/// The device's long-term key pair. It signs the leaf key of each meeting, our lines, ballots and typed text of the chat, and requests
/// for a certificate, nothing else.
pub struct Identity {
    key: SigningKey,
    certificate: Option<CertificateChain>,
}

/// The reason why the identity is not available.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system returned no random bytes.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The store failed to read or write the key.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The stored bytes are not a key. They are not replaced, because a new device key looks like another device.
    #[error("the stored device key is damaged")]
    Damaged,
}

impl Identity {
    /// Generates a new device key.
    ///
    /// # Errors
    /// Returns [`Error::NoRandomness`] if the system returns no random bytes.
    pub fn generate() -> Result<Self, Error> {
        Ok(Self { key: SigningKey::generate()?, certificate: None })
    }

    /// Loads the device key from `store`, or generates and stores one.
    ///
    /// # Errors
    /// Returns [`Error`] if the key cannot be loaded or stored.
    pub fn load_or_create(store: &dyn Store) -> Result<Self, Error> {
        if let Some(seed) = store.get(NAME)? {
            return SigningKey::from_seed(seed).map(|key| Self { key, certificate: None }).ok_or(Error::Damaged);
        }
        let identity = Self::generate()?;
        store.put(NAME, identity.key.seed())?;
        Ok(identity)
    }

    /// Adds a certificate of the device's key, which every member then gets.
    ///
    /// # Errors
    /// Returns [`Refusal::OtherKey`] if it is for another key, and [`Refusal::Malformed`]. Nothing else is verified.
    pub fn set_certificate(&mut self, certificate: CertificateChain) -> Result<(), Refusal> {
        certificate.check_key(self.public())?;
        self.certificate = Some(certificate);
        Ok(())
    }

    /// Returns the certificate of the device's key.
    pub(crate) fn certificate(&self) -> Option<&CertificateChain> {
        self.certificate.as_ref()
    }

    /// Returns the public key.
    pub fn public(&self) -> DeviceKey {
        DeviceKey(self.key.public())
    }

    /// Signs `bytes`, which begin with the name of their purpose.
    pub(crate) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.key.signature(bytes)
    }

    /// Signs `claim`, which contains the signature key of one leaf.
    pub(crate) fn certify(&self, claim: Claim<'_>) -> [u8; 64] {
        self.key.signature(&claim.bytes())
    }
}

/// The content that a device signs for a leaf.
#[derive(Clone, Copy)]
pub(crate) struct Claim<'a> {
    pub(crate) meeting: MeetingId,
    pub(crate) participant: ParticipantId,
    /// When the device signs. Seconds since 1970.
    pub(crate) issued: u64,
    pub(crate) leaf: &'a [u8],
}

impl Claim<'_> {
    /// Returns true if `device` signed this claim.
    pub(crate) fn is_by(&self, device: DeviceKey, signature: &[u8]) -> bool {
        is_signed(&device.0, &self.bytes(), signature)
    }

    /// Returns the bytes to sign. All parts except the last have a fixed length, so the encoding is unambiguous.
    fn bytes(&self) -> Vec<u8> {
        let (participant, issued) = (self.participant.0.to_be_bytes(), self.issued.to_be_bytes());
        [b"Conclave 1.0 leaf\0".as_slice(), &self.meeting.0, &participant, &issued, self.leaf].concat()
    }
}

/// The profile of a participant. Sent only encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Profile {
    /// The display name, checked by [`Profile::new`].
    pub name: String,
}

/// The error that a name has no visible character, is too long, or holds control characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to {MAX_NAME} characters, at least one of them visible, and no control characters")]
pub struct BadName;

impl Profile {
    /// Creates a profile with `name`. Removes spaces at its ends, repeated spaces, and invisible characters that would
    /// make two names look alike; 1 to 64 characters must be left.
    ///
    /// # Errors
    /// Returns [`BadName`] if the name is not valid.
    pub fn new(name: &str) -> Result<Self, BadName> {
        name::normalised(name).map(|name| Self { name }).ok_or(BadName)
    }

    /// Returns true if the name is as [`Profile::new`] makes it. Names of other members are checked before they are
    /// shown.
    pub(crate) fn is_valid(&self) -> bool {
        name::normalised(&self.name).as_deref() == Some(self.name.as_str())
    }
}

/// The name of the device key in a [`Store`].
const NAME: &str = "device-key";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Secret;

    #[test]
    fn the_device_key_persists() {
        let store = store::Memory::new();
        let first = Identity::load_or_create(&store).unwrap().public();
        assert_eq!(Identity::load_or_create(&store).unwrap().public(), first);
        assert_ne!(Identity::generate().unwrap().public(), first);
    }

    #[test]
    fn a_damaged_key_is_reported_and_not_replaced() {
        let store = store::Memory::new();
        store.put(NAME, &Secret::copy_of(b"short")).unwrap();
        assert!(matches!(Identity::load_or_create(&store), Err(Error::Damaged)));
        assert_eq!(store.get(NAME).unwrap().unwrap().expose(), b"short");
    }

    #[test]
    fn invalid_names_are_rejected() {
        assert_eq!(Profile::new("  Zoé ").unwrap().name, "Zoé");
        for wrong in ["", "   ", "a\nb", "a\u{0}", "abc\u{202e}txt", &"x".repeat(65)] {
            assert_eq!(Profile::new(wrong), Err(BadName));
        }
        assert!(Profile::new(&"é".repeat(64)).is_ok());
    }

    #[test]
    fn a_device_key_is_written_in_groups() {
        let text = DeviceKey([0xab; 32]).to_string();
        assert_eq!(text.split(' ').count(), 16);
        assert!(text.starts_with("abab abab"));
    }
}

//! Who somebody is: the device's long-term key, and what it says about a leaf of one meeting.

use crate::provider::{NoRandomness, SigningKey, is_signed};
use crate::store::{self, Store};
use proto::{MeetingId, ParticipantId};
use std::fmt;

/// A device's public key (Ed25519): the only thing about it that lasts from meeting to meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceKey(pub [u8; 32]);

impl fmt::Display for DeviceKey {
    /// Sixteen groups of four hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pair) in self.0.chunks(2).enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{:02x}{:02x}", pair[0], pair[1])?;
        }
        Ok(())
    }
}

/// The device's long-term key. It signs a fresh key for each meeting and nothing else.
pub struct Identity {
    key: SigningKey,
}

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system has no randomness to give.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The store does not give or take the key.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// What the store keeps is not a key. It is left as it is: a changed device key would alarm everybody.
    #[error("the stored device key is damaged")]
    Damaged,
}

impl Identity {
    /// A new device.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn generate() -> Result<Self, Error> {
        Ok(Self { key: SigningKey::generate()? })
    }

    /// The device that `store` knows; a new one, stored at once, where it knows none.
    ///
    /// # Errors
    /// [`Error`]; nothing was stored then.
    pub fn load_or_create(store: &dyn Store) -> Result<Self, Error> {
        if let Some(seed) = store.get(NAME)? {
            return SigningKey::from_seed(seed).map(|key| Self { key }).ok_or(Error::Damaged);
        }
        let identity = Self::generate()?;
        store.put(NAME, identity.key.seed())?;
        Ok(identity)
    }

    /// The public key.
    pub fn public(&self) -> DeviceKey {
        DeviceKey(self.key.public())
    }

    /// Vouches for `leaf`, the signature key of one leaf of one meeting.
    pub(crate) fn certify(&self, claim: Claim<'_>) -> [u8; 64] {
        self.key.signature(&claim.bytes())
    }
}

/// What a device vouches for.
#[derive(Clone, Copy)]
pub(crate) struct Claim<'a> {
    pub(crate) meeting: MeetingId,
    pub(crate) participant: ParticipantId,
    /// Seconds since 1970, first and last.
    pub(crate) valid: (u64, u64),
    pub(crate) leaf: &'a [u8],
}

impl Claim<'_> {
    /// True where `device` signed this.
    pub(crate) fn is_by(&self, device: DeviceKey, signature: &[u8]) -> bool {
        is_signed(&device.0, &self.bytes(), signature)
    }

    /// Every part but the last has a fixed length, so no two claims share their bytes.
    fn bytes(&self) -> Vec<u8> {
        let (from, until) = (self.valid.0.to_be_bytes(), self.valid.1.to_be_bytes());
        let participant = self.participant.0.to_be_bytes();
        [b"Conclave 1.0 leaf\0".as_slice(), &self.meeting.0, &participant, &from, &until, self.leaf].concat()
    }
}

/// What somebody says about themselves. It travels only sealed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Profile {
    /// As [`Profile::new`] leaves it.
    pub name: String,
}

/// The name is empty, too long, or holds control characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to {MAX_NAME} characters and no control characters")]
pub struct BadName;

impl Profile {
    /// A profile with a trimmed `name` of 1 to 64 characters.
    ///
    /// # Errors
    /// [`BadName`].
    pub fn new(name: &str) -> Result<Self, BadName> {
        let profile = Self { name: name.trim().to_owned() };
        if profile.is_valid() { Ok(profile) } else { Err(BadName) }
    }

    /// True where the name keeps its limits. What others say of themselves is checked before it is shown.
    pub(crate) fn is_valid(&self) -> bool {
        let count = self.name.chars().count();
        let plain = self.name.chars().all(|character| !character.is_control() && !is_bidi_control(character));
        (1..=MAX_NAME).contains(&count) && plain && self.name.trim() == self.name
    }
}

/// Characters that change the direction of the text around them: a name may not rearrange a sentence.
fn is_bidi_control(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters in a name.
const MAX_NAME: usize = 64;

/// What the device key is called in a [`Store`].
const NAME: &str = "device-key";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Secret;

    #[test]
    fn a_device_is_the_same_the_next_time() {
        let store = store::Memory::new();
        let first = Identity::load_or_create(&store).unwrap().public();
        assert_eq!(Identity::load_or_create(&store).unwrap().public(), first);
        assert_ne!(Identity::generate().unwrap().public(), first);
    }

    #[test]
    fn a_damaged_key_is_said_and_left_alone() {
        let store = store::Memory::new();
        store.put(NAME, &Secret::copy_of(b"short")).unwrap();
        assert!(matches!(Identity::load_or_create(&store), Err(Error::Damaged)));
        assert_eq!(store.get(NAME).unwrap().unwrap().expose(), b"short");
    }

    #[test]
    fn names_keep_their_limits() {
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

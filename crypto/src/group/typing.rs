//! Text that a member shows to the others while it is typed.
//!
//! ```text
//! secret    = MLS-Exporter("Conclave 1.0 typing", "", 32)
//! key       = the first 32 bytes of HMAC-SHA-384(HKDF-Extract("Conclave 1.0 typing", secret), participant 8)
//! message   = epoch 8 | count 8 | AES-256-GCM of plain, nonce = zeros 4 | count 8 | tag 16
//! plain     = signature 64 | body
//! signature = Ed25519(device key of the author, AAD | body)
//! AAD       = "Conclave 1.0 typing" | 0 | meeting 16 | epoch 8 | participant 8 | count 8
//! ```
//! It is no MLS application message: the server may drop one of these messages, and a server that dropped many, or delivered
//! later ones first, could make the author's messages in the log unreadable for a member.

use super::Group;
use crate::identity::{DeviceKey, Identity};
use crate::memory::Secret;
use crate::provider::{Crypto, is_signed, tag};
use openmls_traits::OpenMlsProvider;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::AeadType;
use proto::{MeetingId, ParticipantId};
use zeroize::Zeroizing;

/// The key of one epoch. Has no `Debug`; the secret is in locked memory and overwritten on drop.
pub struct TypingKey {
    secret: Secret,
    meeting: MeetingId,
    epoch: u64,
}

impl TypingKey {
    /// Returns the key of this epoch of the group. `None` if we were removed.
    #[must_use]
    pub fn of(group: &Group) -> Option<Self> {
        let secret = group.mls.export_secret(group.provider.crypto(), PURPOSE, b"", SECRET).ok()?;
        let meeting = group.policy().chain().meeting();
        Some(Self::new(Secret::take(secret), meeting, group.epoch().0))
    }

    /// Returns the key with this secret.
    pub(crate) const fn new(secret: Secret, meeting: MeetingId, epoch: u64) -> Self {
        Self { secret, meeting, epoch }
    }

    /// Returns the MLS epoch.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Seals a body of this member, `from`. `count` must be higher than that of each message before in this epoch. `None` if a
    /// cryptographic operation fails unexpectedly.
    #[must_use]
    pub fn seal(&self, from: ParticipantId, count: u64, body: &[u8], identity: &Identity) -> Option<Vec<u8>> {
        let aad = self.aad(from, count);
        let signature = identity.sign(&Zeroizing::new([&aad, body].concat()));
        let plain = Zeroizing::new([signature.as_slice(), body].concat());
        let sealed = Crypto.aead_encrypt(AeadType::Aes256Gcm, &*self.key(from), &plain, &nonce(count), &aad).ok()?;
        Some([&self.epoch.to_be_bytes(), count.to_be_bytes().as_slice(), &sealed].concat())
    }

    /// Opens a message that the device of `from` has signed. Returns its count and its body. `None` if it is not valid.
    #[must_use]
    pub fn open(&self, from: ParticipantId, device: DeviceKey, message: &[u8]) -> Option<(u64, Zeroizing<Vec<u8>>)> {
        let (epoch, rest) = message.split_first_chunk::<8>()?;
        let (count, sealed) = rest.split_first_chunk::<8>()?;
        let count = u64::from_be_bytes(*count);
        if u64::from_be_bytes(*epoch) != self.epoch {
            return None;
        }
        let aad = self.aad(from, count);
        let plain = Crypto.aead_decrypt(AeadType::Aes256Gcm, &*self.key(from), sealed, &nonce(count), &aad).ok()?;
        let plain = Zeroizing::new(plain);
        let (signature, body) = plain.split_first_chunk::<64>()?;
        let is_authentic = is_signed(&device.0, &Zeroizing::new([&aad, body].concat()), signature);
        is_authentic.then(|| (count, Zeroizing::new(body.to_vec())))
    }

    fn key(&self, from: ParticipantId) -> Zeroizing<[u8; KEY]> {
        let tag = tag(self.secret.expose(), PURPOSE.as_bytes(), &from.0.to_be_bytes());
        let mut key = Zeroizing::new([0; KEY]);
        key.copy_from_slice(&tag.as_ref()[..KEY]);
        key
    }

    fn aad(&self, from: ParticipantId, count: u64) -> Vec<u8> {
        let (epoch, from, count) = (self.epoch.to_be_bytes(), from.0.to_be_bytes(), count.to_be_bytes());
        [PURPOSE.as_bytes(), b"\0", &self.meeting.0, &epoch, &from, &count].concat()
    }
}

fn nonce(count: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&count.to_be_bytes());
    nonce
}

const PURPOSE: &str = "Conclave 1.0 typing";
const SECRET: usize = 32;
const KEY: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(meeting: u8, epoch: u64) -> TypingKey {
        TypingKey::new(Secret::take(vec![7; SECRET]), MeetingId([meeting; 16]), epoch)
    }

    #[test]
    fn a_message_counts_for_its_author_count_epoch_and_meeting_only() {
        let (ada, eve) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        let (from, body) = (ParticipantId(1), b"hel");
        let message = key(1, 5).seal(from, 9, body, &ada).unwrap();
        let opened = key(1, 5).open(from, ada.public(), &message).unwrap();
        assert_eq!((opened.0, opened.1.as_slice()), (9, body.as_slice()));
        assert!(key(1, 5).open(ParticipantId(2), ada.public(), &message).is_none());
        assert!(key(1, 5).open(from, eve.public(), &message).is_none(), "another member has the key, not the device");
        assert!(key(2, 5).open(from, ada.public(), &message).is_none());
        assert!(key(1, 6).open(from, ada.public(), &message).is_none());
        for at in 0..message.len() {
            let mut changed = message.clone();
            changed[at] ^= 1;
            assert!(key(1, 5).open(from, ada.public(), &changed).is_none(), "byte {at}");
            assert!(key(1, 5).open(from, ada.public(), &message[..at]).is_none());
        }
        let forged = key(1, 5).seal(from, 10, b"forged", &eve).unwrap();
        assert!(key(1, 5).open(from, ada.public(), &forged).is_none());
    }
}

//! The key of a lobby chat: messages between one person who waits to be admitted and the managers of the meeting.
//!
//! ```text
//! key       = the first 32 bytes of HMAC-SHA-384(HKDF-Extract("Conclave 1.0 lobby", secret), direction 1 B | meeting 16 | joiner 8)
//! direction = 0 from the joiner, 1 to the joiner
//! message   = nonce 12 | AES-256-GCM of plain | tag 16
//! plain     = counter 4 | length of content 2 | content | zeros up to a multiple of 256 bytes
//! AAD       = "Conclave 1.0 lobby" | 0 | meeting 16 | joiner 8 | sender 8
//! ```
//! The joiner makes the secret and sends it inside its request (`admission_key`). So the joiner and the managers that open
//! the request know it, and nobody else. A manager could write in the name of another one.

use crate::memory::Secret;
use crate::provider::{Crypto, NoRandomness, Random, tag};
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::random::OpenMlsRand;
use openmls_traits::types::AeadType;
use proto::{MAX_LOBBY, MeetingId, ParticipantId};
use zeroize::Zeroizing;

/// The key of one person's lobby chat. Has no `Debug`; the secret is in locked memory and overwritten on drop.
#[derive(Clone)]
pub struct LobbyKey {
    secret: Secret,
    meeting: MeetingId,
    joiner: ParticipantId,
}

/// The reason why a message was not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The content is longer than [`MAX_LOBBY_CONTENT`].
    #[error("the message is too long")]
    TooLong,
    /// The system returned no random bytes.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// A cryptographic operation failed unexpectedly.
    #[error("encryption failed")]
    Crypto,
}

/// An opened message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LobbyMessage {
    /// The number of the message. It rises with each message of a sender, so that a receiver takes each message once.
    pub counter: u32,
    /// What the sender has sealed.
    pub content: Vec<u8>,
}

impl LobbyKey {
    /// Makes the key of a joiner.
    ///
    /// # Errors
    /// Returns [`NoRandomness`].
    pub fn generate(meeting: MeetingId, joiner: ParticipantId) -> Result<Self, NoRandomness> {
        Ok(Self::new(Secret::random(SECRET).ok_or(NoRandomness)?, meeting, joiner))
    }

    pub(crate) fn new(secret: Secret, meeting: MeetingId, joiner: ParticipantId) -> Self {
        Self { secret, meeting, joiner }
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Seals a message of `from`: the joiner or a manager. Its length shows only a multiple of 256 bytes.
    ///
    /// # Errors
    /// Returns [`Error::TooLong`], [`Error::NoRandomness`] or [`Error::Crypto`].
    pub fn seal(&self, from: ParticipantId, message: &LobbyMessage) -> Result<Vec<u8>, Error> {
        let LobbyMessage { counter, content } = message;
        let length = u16::try_from(content.len()).map_err(|_| Error::TooLong)?;
        if content.len() > MAX_LOBBY_CONTENT {
            return Err(Error::TooLong);
        }
        let mut plain = Zeroizing::new(Vec::with_capacity(MAX_LOBBY));
        plain.extend_from_slice(&counter.to_be_bytes());
        plain.extend_from_slice(&length.to_be_bytes());
        plain.extend_from_slice(content);
        let padded = plain.len().next_multiple_of(STEP);
        plain.resize(padded, 0);
        self.seal_plain(from, &plain)
    }

    /// Seals the plaintext of a message.
    pub(crate) fn seal_plain(&self, from: ParticipantId, plain: &[u8]) -> Result<Vec<u8>, Error> {
        // A key seals few messages, so random nonces do not repeat.
        let nonce: [u8; NONCE] = Random.random_array()?;
        let (key, aad) = (self.key(from), self.aad(from));
        let sealed = Crypto.aead_encrypt(AeadType::Aes256Gcm, &*key, plain, &nonce, &aad).map_err(|_| Error::Crypto)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens a message of `from`. `None` if it is not valid.
    #[must_use]
    pub fn open(&self, from: ParticipantId, sealed: &[u8]) -> Option<LobbyMessage> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().filter(|_| sealed.len() <= MAX_LOBBY)?;
        let (key, aad) = (self.key(from), self.aad(from));
        let plain = Crypto.aead_decrypt(AeadType::Aes256Gcm, &*key, sealed, nonce, &aad).ok()?;
        parse(&plain)
    }

    fn key(&self, from: ParticipantId) -> Zeroizing<[u8; KEY]> {
        let direction = [u8::from(from != self.joiner)];
        let context = [direction.as_slice(), &self.meeting.0, &self.joiner.0.to_be_bytes()].concat();
        let tag = tag(self.secret.expose(), PURPOSE, &context);
        let mut key = Zeroizing::new([0; KEY]);
        key.copy_from_slice(&tag.as_ref()[..KEY]);
        key
    }

    fn aad(&self, from: ParticipantId) -> Vec<u8> {
        let (joiner, from) = (self.joiner.0.to_be_bytes(), from.0.to_be_bytes());
        [PURPOSE, b"\0", &self.meeting.0, &joiner, &from].concat()
    }
}

/// Reads a decrypted message.
fn parse(plain: &[u8]) -> Option<LobbyMessage> {
    let (counter, rest) = plain.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (content, padding) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let is_padded = plain.len() == (HEADER + content.len()).next_multiple_of(STEP);
    let message = || LobbyMessage { counter: u32::from_be_bytes(*counter), content: content.to_vec() };
    (is_padded && padding.iter().all(|byte| *byte == 0)).then(message)
}

/// The length of the content of the longest message in bytes.
pub const MAX_LOBBY_CONTENT: usize = (MAX_LOBBY - NONCE - TAG) / STEP * STEP - HEADER;

/// The length of the secret in bytes.
pub(crate) const SECRET: usize = 32;
const PURPOSE: &[u8] = b"Conclave 1.0 lobby";
const KEY: usize = 32;
const NONCE: usize = 12;
const TAG: usize = 16;
/// Counter and length.
const HEADER: usize = 6;
/// Messages are padded to a multiple of this many bytes.
const STEP: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    const MEETING: MeetingId = MeetingId([1; 16]);
    const JOINER: ParticipantId = ParticipantId(7);
    const MANAGER: ParticipantId = ParticipantId(1);

    fn message(length: usize) -> LobbyMessage {
        LobbyMessage { counter: 3, content: vec![5; length] }
    }

    #[test]
    fn only_the_key_opens_a_message_and_only_from_its_sender() {
        let key = LobbyKey::generate(MEETING, JOINER).unwrap();
        for from in [JOINER, MANAGER] {
            let sealed = key.seal(from, &message(9)).unwrap();
            assert_eq!(key.open(from, &sealed), Some(message(9)));
            let other = if from == JOINER { MANAGER } else { JOINER };
            assert_eq!(key.open(other, &sealed), None, "in the other direction");
            assert_eq!(key.open(ParticipantId(2), &sealed), None, "in the name of another manager");
            assert_eq!(LobbyKey::generate(MEETING, JOINER).unwrap().open(from, &sealed), None);
            let secret = || Secret::copy_of(key.secret().expose());
            assert_eq!(LobbyKey::new(secret(), MeetingId([2; 16]), JOINER).open(from, &sealed), None);
            assert_eq!(LobbyKey::new(secret(), MEETING, ParticipantId(8)).open(from, &sealed), None);
            for length in 0..sealed.len() {
                assert_eq!(key.open(from, &sealed[..length]), None);
            }
            for byte in 0..sealed.len() {
                let mut changed = sealed.clone();
                changed[byte] ^= 1;
                assert_eq!(key.open(from, &changed), None);
            }
        }
    }

    #[test]
    fn the_length_of_a_message_shows_only_multiples_of_256_bytes() {
        let key = LobbyKey::generate(MEETING, JOINER).unwrap();
        let length = |content| key.seal(JOINER, &message(content)).unwrap().len();
        assert_eq!((length(0), length(250), length(251)), (284, 284, 540));
        let longest = key.seal(JOINER, &message(MAX_LOBBY_CONTENT)).unwrap();
        assert!(longest.len() <= MAX_LOBBY && longest.len() + STEP > MAX_LOBBY);
        assert_eq!(key.open(JOINER, &longest), Some(message(MAX_LOBBY_CONTENT)));
        assert_eq!(key.seal(JOINER, &message(MAX_LOBBY_CONTENT + 1)), Err(Error::TooLong));
        assert_ne!(key.seal(JOINER, &message(1)).unwrap(), key.seal(JOINER, &message(1)).unwrap());
    }

    #[test]
    fn a_message_has_one_encoding() {
        let plain = |length: u16, total: usize, last: u8| {
            let mut bytes = [&[0, 0, 0, 1][..], &length.to_be_bytes()].concat();
            bytes.resize(total, 0);
            bytes[total - 1] = last;
            parse(&bytes).is_some()
        };
        assert!(plain(2, 256, 0) && plain(250, 256, 9));
        assert!(!plain(2, 512, 0), "too much padding");
        assert!(!plain(2, 255, 0) && !plain(251, 256, 0) && !plain(2, 256, 1));
        assert_eq!((parse(&[]), parse(&[0; 5])), (None, None));
    }
}

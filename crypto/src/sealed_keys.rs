//! Keys for one member: the private half of the authority and the admission keys, which managers share.
//!
//! ```text
//! keys    = version 1 B (1) | seed of the authority 32 | number of links 1, at least 1 | links, the newest first
//! link    = seed of the admission key 32 | secret 16
//! sealed  = length of enc 2 | enc | ciphertext
//! HPKE(X-Wing, HKDF-SHA-384, AES-256-GCM), base mode,
//! info = "Conclave 1.0 manager keys" | 0 | meeting 16 | sender 8 | receiver 8, sealed = keys
//! ```
//! The receiver's public key travels in an MLS application message, so the leaf of the receiver has signed it. The sealed
//! keys travel in one as well. Sender and receiver in `info` keep one from passing on the message of another. A private
//! chat message is sealed in the same way, with another `info` (`chat`).

use crate::admission_key::{Error, LinkKeys, SECRET};
use crate::authority::{Authority, AuthorityKey, Pair};
use crate::authority_chain::AuthorityChain;
use crate::memory::Secret;
use crate::provider::{Crypto, NoRandomness, SEED, hpke_config, hpke_pair};
use openmls::prelude::OpenMlsCrypto;
use openmls_traits::types::HpkeCiphertext;
use proto::{MeetingId, ParticipantId};

/// The key pair of one leaf, to which others seal what only its owner may read. Has no `Debug`.
pub struct SealingKey {
    private: Secret,
    public: Vec<u8>,
}

/// Who seals for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The meeting.
    pub meeting: MeetingId,
    /// The sender.
    pub from: ParticipantId,
    /// The receiver.
    pub to: ParticipantId,
}

impl Envelope {
    /// Returns the `info` of HPKE. `purpose` keeps what is sealed for one purpose from being opened for another.
    pub(crate) fn info(&self, purpose: &[u8]) -> Vec<u8> {
        let (from, to) = (self.from.0.to_be_bytes(), self.to.0.to_be_bytes());
        [purpose, &self.meeting.0, &from, &to].concat()
    }
}

impl SealingKey {
    /// Makes a key pair.
    ///
    /// # Errors
    /// Returns [`Error::NoRandomness`] or [`Error::Crypto`].
    pub fn generate() -> Result<Self, Error> {
        Self::of(&Secret::random(SEED).ok_or(NoRandomness)?)
    }

    /// Returns the key pair of a seed.
    pub(crate) fn of(seed: &Secret) -> Result<Self, Error> {
        let (private, public) = hpke_pair(seed).map_err(|_| Error::Crypto)?;
        Ok(Self { private, public })
    }

    /// Returns the public half.
    #[must_use]
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// Opens keys that another manager has sealed for us. `None` if they are not valid.
    #[must_use]
    pub fn open(&self, sealed: &[u8], envelope: Envelope) -> Option<SharedKeys> {
        SharedKeys::checked(Secret::take(self.open_bytes(sealed, &envelope.info(PURPOSE), MAX_KEYS)?))
    }

    /// Opens at most `max` bytes that somebody has sealed for us with [`seal`]. `None` if they are not valid.
    pub(crate) fn open_bytes(&self, sealed: &[u8], info: &[u8], max: usize) -> Option<Vec<u8>> {
        let (length, rest) = sealed.split_first_chunk::<2>()?;
        let (kem_output, ciphertext) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        if ciphertext.len() > max + TAG {
            return None;
        }
        let sealed = HpkeCiphertext { kem_output: kem_output.into(), ciphertext: ciphertext.into() };
        Crypto.hpke_open(hpke_config(), &sealed, self.private.expose(), info, &[]).ok()
    }
}

/// Seals `plaintext` for the owner of the public key `to`.
pub(crate) fn seal(plaintext: &[u8], to: &[u8], info: &[u8]) -> Result<Vec<u8>, Error> {
    let sealed = Crypto.hpke_seal(hpke_config(), to, info, &[], plaintext).map_err(|_| Error::Crypto)?;
    let (enc, ciphertext) = (sealed.kem_output.as_slice(), sealed.ciphertext.as_slice());
    let length = u16::try_from(enc.len()).map_err(|_| Error::Crypto)?.to_be_bytes();
    Ok([length.as_slice(), enc, ciphertext].concat())
}

/// Seals the plaintext of shared keys for the owner of the public key `to`.
pub(crate) fn seal_plain(plaintext: &[u8], to: &[u8], envelope: Envelope) -> Result<Vec<u8>, Error> {
    seal(plaintext, to, &envelope.info(PURPOSE))
}

/// Keys of a manager on their way to another one. Has no `Debug`; in locked memory, overwritten on drop.
pub struct SharedKeys(Secret);

impl SharedKeys {
    /// Returns the authority and the newest links. Requests that were made with older ones are refused by a manager that
    /// has only these.
    pub(crate) fn new<'a>(authority: &AuthorityKey, links: impl Iterator<Item = &'a LinkKeys>) -> Self {
        let links: Vec<_> = links.take(MAX_LINKS).collect();
        let mut keys = Secret::zeroed(HEADER + links.len() * LINK);
        let bytes = keys.expose_mut();
        bytes[0] = VERSION;
        bytes[1..33].copy_from_slice(authority.seed().expose());
        bytes[33] = u8::try_from(links.len()).unwrap_or(u8::MAX);
        for (place, link) in bytes[HEADER..].chunks_exact_mut(LINK).zip(links) {
            place[..SEED].copy_from_slice(link.seed().expose());
            place[SEED..].copy_from_slice(link.secret.expose());
        }
        Self(keys)
    }

    /// Seals the keys for the owner of the public key `to`.
    ///
    /// # Errors
    /// Returns [`Error::Crypto`] if it is not a public key.
    pub fn seal(&self, to: &[u8], envelope: Envelope) -> Result<Vec<u8>, Error> {
        seal_plain(self.0.expose(), to, envelope)
    }

    /// Returns the encoded keys.
    pub(crate) fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    /// Returns the authority. It is not verified: only [`crate::ManagerKeys::adopt`] compares it with a policy.
    #[must_use]
    pub fn authority(&self) -> Option<Authority> {
        Some(self.authority_key()?.public())
    }

    fn checked(keys: Secret) -> Option<Self> {
        let bytes = keys.expose();
        let (head, links) = bytes.split_at_checked(HEADER)?;
        let count = usize::from(head[33]);
        let is_valid = head[0] == VERSION && (1..=MAX_LINKS).contains(&count) && links.len() == count * LINK;
        is_valid.then_some(Self(keys))
    }

    fn authority_key(&self) -> Option<AuthorityKey> {
        AuthorityKey::from_seed(Secret::copy_of(&self.0.expose()[1..33]))
    }

    /// Returns the keys if they are those of the newest pair of `chain`: the authority, the current link, and older ones.
    pub(crate) fn into_keys(self, chain: &AuthorityChain) -> Result<(AuthorityKey, LinkKeys, Vec<LinkKeys>), Error> {
        let authority = self.authority_key().ok_or(Error::Crypto)?;
        let link = |bytes: &[u8; LINK]| {
            let (seed, secret) = bytes.split_at(SEED);
            LinkKeys::new(Secret::copy_of(seed), Secret::copy_of(secret))
        };
        let links = self.0.expose()[HEADER..].as_chunks::<LINK>().0;
        let (current, old) = links.split_first().ok_or(Error::Malformed)?;
        let current = link(current)?;
        if Pair::new(authority.public(), &current.public) != chain.current() {
            return Err(Error::WrongAdmissionKey);
        }
        Ok((authority, current, old.iter().map(link).collect::<Result<_, _>>()?))
    }
}

const PURPOSE: &[u8] = b"Conclave 1.0 manager keys\0";
const VERSION: u8 = 1;
/// Version, seed of the authority, number of links.
const HEADER: usize = 1 + SEED + 1;
const LINK: usize = SEED + SECRET;
/// Links that are shared: the current one and the newest old ones.
const MAX_LINKS: usize = 32;
const MAX_KEYS: usize = HEADER + MAX_LINKS * LINK;
/// The tag of AES-256-GCM in bytes.
const TAG: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager_keys::ManagerKeys;

    fn envelope(from: u64, to: u64) -> Envelope {
        Envelope { meeting: MeetingId([1; 16]), from: ParticipantId(from), to: ParticipantId(to) }
    }

    #[test]
    fn only_the_receiver_opens_shared_keys_and_only_from_their_sender() {
        let (keys, bob, eve) = (ManagerKeys::new().unwrap(), SealingKey::generate(), SealingKey::generate().unwrap());
        let bob = bob.unwrap();
        let sealed = keys.shared().seal(bob.public(), envelope(1, 2)).unwrap();
        assert!(eve.open(&sealed, envelope(1, 2)).is_none());
        for other in [envelope(3, 2), envelope(1, 3), Envelope { meeting: MeetingId([2; 16]), ..envelope(1, 2) }] {
            assert!(bob.open(&sealed, other).is_none());
        }
        for length in (0..sealed.len()).step_by(97) {
            assert!(bob.open(&sealed[..length], envelope(1, 2)).is_none());
        }
        let opened = bob.open(&sealed, envelope(1, 2)).unwrap();
        assert_eq!(opened.authority(), Some(keys.authority()));
        let adopted = ManagerKeys::from_shared(opened, keys.chain()).unwrap();
        assert_eq!((adopted.authority(), adopted.public_key()), (keys.authority(), keys.public_key()));
        let link = |keys: &ManagerKeys| keys.invitation("h", 1, None).to_text().to_string();
        assert_eq!(link(&adopted), link(&keys));
    }

    #[test]
    fn keys_that_are_not_those_of_the_chain_are_not_adopted() {
        let (mut keys, other) = (ManagerKeys::new().unwrap(), ManagerKeys::new().unwrap());
        assert!(ManagerKeys::from_shared(other.shared(), keys.chain()).is_err());
        let before = keys.authority();
        let chain = keys.chain().clone();
        assert!(keys.adopt(other.shared(), &chain).is_err());
        assert_eq!(keys.authority(), before);
        // The prepared ones are those of the longer chain only.
        let mut second = ManagerKeys::from_shared(keys.shared(), keys.chain()).unwrap();
        keys.prepare_rotation().unwrap();
        assert!(second.adopt(keys.next_shared().unwrap(), &chain).is_err());
        let next = keys.next_shared().unwrap();
        keys.finish_rotation();
        second.adopt(next, keys.chain()).unwrap();
        assert_eq!((second.authority(), second.public_key()), (keys.authority(), keys.public_key()));
        assert_eq!(second.chain(), keys.chain());
    }

    #[test]
    fn as_many_links_are_shared_as_fit() {
        let mut keys = ManagerKeys::new().unwrap();
        for _ in 0..MAX_LINKS + 2 {
            keys.prepare_rotation().unwrap();
            keys.finish_rotation();
        }
        assert_eq!(keys.shared().0.expose().len(), MAX_KEYS);
        assert!(ManagerKeys::from_shared(keys.shared(), keys.chain()).is_ok());
    }
}

//! The crypto provider of openmls: `ring` for AES-256-GCM, SHA-2, HMAC, HKDF, Ed25519 and randomness, libcrux for the
//! KEM.
//!
//! It supports only suite 0x004E, and rejects all other algorithms.

mod crypto;
mod hpke;
mod primitives;
mod public_key;
mod random;
mod signing_key;
mod storage;
mod suite;
#[cfg(test)]
mod tests;

use crate::memory::Secret;
use openmls_traits::OpenMlsProvider;
use openmls_traits::types::CryptoError;

pub(crate) use crypto::Crypto;
pub(crate) use public_key::is_public_key;
pub use random::NoRandomness;
pub(crate) use random::Random;
pub(crate) use signing_key::SigningKey;
pub(crate) use storage::{Error as StorageError, Storage, Unread};
pub(crate) use suite::{SUITE, hpke_config};

/// The openmls provider of one member in one meeting.
#[derive(Default)]
pub(crate) struct Provider {
    crypto: Crypto,
    random: Random,
    storage: Storage,
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = Crypto;
    type RandProvider = Random;
    type StorageProvider = Storage;

    fn storage(&self) -> &Storage {
        &self.storage
    }

    fn crypto(&self) -> &Crypto {
        &self.crypto
    }

    fn rand(&self) -> &Random {
        &self.random
    }
}

/// Returns true if `signature` over `message` is valid for `public`.
pub(crate) fn is_signed(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    primitives::verify(public, message, signature).is_ok()
}

/// Returns the HMAC-SHA-384 of `message` with a key derived from `secret` for `purpose`.
pub(crate) fn tag(secret: &[u8], purpose: &[u8], message: &[u8]) -> ring::hmac::Tag {
    ring::hmac::sign(&purpose_key(secret, purpose), message)
}

/// Returns true if `tag` is the [`tag`] of these values. Compares in constant time.
pub(crate) fn is_tagged(secret: &[u8], purpose: &[u8], message: &[u8], tag: &[u8]) -> bool {
    ring::hmac::verify(&purpose_key(secret, purpose), message, tag).is_ok()
}

fn purpose_key(secret: &[u8], purpose: &[u8]) -> ring::hmac::Key {
    let derived = primitives::extract(ring::hmac::HMAC_SHA384, purpose, secret);
    ring::hmac::Key::new(ring::hmac::HMAC_SHA384, derived.as_ref())
}

/// Returns the SHA-256 of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    hash
}

/// Returns the HPKE key pair of the suite that follows from a seed: private, public.
pub(crate) fn hpke_pair(seed: &Secret) -> Result<(Secret, Vec<u8>), CryptoError> {
    use openmls_traits::crypto::OpenMlsCrypto;
    let pair = Crypto.derive_hpke_keypair(hpke_config(), seed.expose())?;
    Ok((Secret::copy_of(&pair.private), pair.public))
}

/// Returns the shared secret that `enc` encapsulates for the key pair of a seed. `None` if `enc` is not valid.
pub(crate) fn kem_secret(seed: &Secret, enc: &[u8]) -> Option<Vec<u8>> {
    let (private, _) = hpke_pair(seed).ok()?;
    hpke::decapsulate(enc, private.expose())
}

/// The length of the seed of an HPKE key pair in bytes.
pub(crate) const SEED: usize = 32;

//! What openmls computes with: `ring` for AES-256-GCM, SHA-2, HMAC, HKDF, Ed25519 and randomness, libcrux for the KEM.
//!
//! One suite and no negotiation: everything that suite 0x004E does not need is refused.

mod crypto;
mod hpke;
mod primitives;
mod storage;
#[cfg(test)]
mod tests;

use crate::memory::Secret;
use openmls_traits::OpenMlsProvider;
use openmls_traits::random::OpenMlsRand;
use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::types::{
    Ciphersuite, CryptoError, HpkeAeadType, HpkeConfig, HpkeKdfType, HpkeKemType, SignatureScheme,
};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};

pub(crate) use crypto::Crypto;
pub(crate) use storage::Storage;

/// X-Wing (ML-KEM-768 and X25519), AES-256-GCM, SHA-384, Ed25519.
pub(crate) const SUITE: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;

/// HPKE as the suite has it, in base mode.
pub(crate) const fn hpke() -> HpkeConfig {
    HpkeConfig(HpkeKemType::XWingKemDraft6, HpkeKdfType::HkdfSha384, HpkeAeadType::AesGcm256)
}

/// Everything that openmls needs for one member of one meeting.
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

/// The system's randomness.
#[derive(Default)]
pub(crate) struct Random;

/// The system has no randomness to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system has no randomness to give")]
pub struct NoRandomness;

impl OpenMlsRand for Random {
    type Error = NoRandomness;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], NoRandomness> {
        let mut bytes = [0; N];
        SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(bytes)
    }

    fn random_vec(&self, length: usize) -> Result<Vec<u8>, NoRandomness> {
        let mut bytes = vec![0; length];
        SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(bytes)
    }
}

/// An Ed25519 key (RFC 8032) whose seed stays in locked memory.
pub(crate) struct SigningKey {
    seed: Secret,
    public: [u8; 32],
}

impl SigningKey {
    pub(crate) fn generate() -> Result<Self, NoRandomness> {
        Self::from_seed(Secret::random(SEED).ok_or(NoRandomness)?).ok_or(NoRandomness)
    }

    /// The key of `seed`; `None` unless it is 32 bytes long.
    pub(crate) fn from_seed(seed: Secret) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose()).ok()?;
        let public = pair.public_key().as_ref().try_into().ok()?;
        Some(Self { seed, public })
    }

    pub(crate) fn seed(&self) -> &Secret {
        &self.seed
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        self.public
    }

    /// The signature of `message`.
    ///
    /// # Panics
    /// Never: the seed made a key before.
    pub(crate) fn signature(&self, message: &[u8]) -> [u8; 64] {
        let pair = Ed25519KeyPair::from_seed_unchecked(self.seed.expose()).expect("the seed made a key before");
        let mut signature = [0; 64];
        signature.copy_from_slice(pair.sign(message).as_ref());
        signature
    }
}

impl Signer for SigningKey {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.signature(payload).to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// True where `signature` over `message` was made by the holder of `public`.
pub(crate) fn is_signed(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    primitives::verify(public, message, signature).is_ok()
}

/// HMAC-SHA-384 of `message` under a key that is derived from `secret` for `purpose`.
pub(crate) fn tag(secret: &[u8], purpose: &[u8], message: &[u8]) -> ring::hmac::Tag {
    ring::hmac::sign(&purpose_key(secret, purpose), message)
}

/// True where `tag` is the [`tag`] of these; takes the same time whatever differs.
pub(crate) fn is_tagged(secret: &[u8], purpose: &[u8], message: &[u8], tag: &[u8]) -> bool {
    ring::hmac::verify(&purpose_key(secret, purpose), message, tag).is_ok()
}

fn purpose_key(secret: &[u8], purpose: &[u8]) -> ring::hmac::Key {
    let derived = primitives::extract(ring::hmac::HMAC_SHA384, purpose, secret);
    ring::hmac::Key::new(ring::hmac::HMAC_SHA384, derived.as_ref())
}

/// SHA-256 of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    hash
}

/// A fresh HPKE key pair of the suite: private, public.
pub(crate) fn hpke_pair() -> Result<(Secret, Vec<u8>), CryptoError> {
    use openmls_traits::crypto::OpenMlsCrypto;
    let seed = Secret::random(SEED).ok_or(CryptoError::InsufficientRandomness)?;
    let pair = Crypto.derive_hpke_keypair(hpke(), seed.expose())?;
    Ok((Secret::copy_of(&pair.private), pair.public))
}

const SEED: usize = 32;

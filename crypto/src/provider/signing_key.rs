//! Ed25519 key pairs.

use super::random::NoRandomness;
use crate::memory::Secret;
use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::types::SignatureScheme;
use ring::signature::{Ed25519KeyPair, KeyPair};

/// An Ed25519 key (RFC 8032). The seed stays in locked memory.
pub(crate) struct SigningKey {
    seed: Secret,
    public: [u8; 32],
}

impl SigningKey {
    pub(crate) fn generate() -> Result<Self, NoRandomness> {
        Self::from_seed(Secret::random(SEED).ok_or(NoRandomness)?).ok_or(NoRandomness)
    }

    /// Returns the key of `seed`, or `None` if it is not 32 bytes long.
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

    /// Returns the signature of `message`.
    ///
    /// # Panics
    /// Never: the seed was checked by [`SigningKey::from_seed`].
    pub(crate) fn signature(&self, message: &[u8]) -> [u8; 64] {
        let pair = Ed25519KeyPair::from_seed_unchecked(self.seed.expose()).expect("the seed was checked");
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

/// The length of an Ed25519 seed in bytes.
const SEED: usize = 32;

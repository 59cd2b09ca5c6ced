//! Wrappers around `ring`, shared by openmls and HPKE.

use openmls_traits::types::CryptoError;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{KeyType, Prk};
use ring::signature::{ED25519, UnparsedPublicKey};
use ring::{hkdf, hmac};

/// Computes HKDF-Extract (RFC 5869, section 2.2), which is also plain HMAC.
pub(super) fn extract(algorithm: hmac::Algorithm, salt: &[u8], secret: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(algorithm, salt), secret)
}

/// Computes HKDF-Expand (RFC 5869, section 2.3). Returns `None` if `length` is above the limit of HKDF.
pub(super) fn expand(algorithm: hkdf::Algorithm, prk: &[u8], info: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut out = vec![0; length];
    let prk = Prk::new_less_safe(algorithm, prk);
    prk.expand(&[info], Length(length)).ok()?.fill(&mut out).ok()?;
    Some(out)
}

/// Encrypts with AES-256-GCM. Returns the ciphertext, then the tag.
pub(super) fn seal(key: &[u8], nonce: &[u8], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut bytes = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
    bytes.extend_from_slice(plain);
    aead(key)?
        .seal_in_place_append_tag(unique(nonce)?, Aad::from(aad), &mut bytes)
        .map_err(|_| CryptoError::TooMuchData)?;
    Ok(bytes)
}

/// Decrypts the output of [`seal`].
pub(super) fn open(key: &[u8], nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut bytes = sealed.to_vec();
    let plain = aead(key)?
        .open_in_place(unique(nonce)?, Aad::from(aad), &mut bytes)
        .map_err(|_| CryptoError::AeadDecryptionError)?
        .len();
    bytes.truncate(plain);
    Ok(bytes)
}

/// Verifies an Ed25519 signature (RFC 8032).
pub(super) fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
    UnparsedPublicKey::new(&ED25519, public).verify(message, signature).map_err(|_| CryptoError::InvalidSignature)
}

fn aead(key: &[u8]) -> Result<LessSafeKey, CryptoError> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| CryptoError::InvalidLength)
}

/// Returns the nonce for `ring`. The callers derive every nonce from a ratchet, a key schedule or a counter, so no
/// nonce repeats for one key.
fn unique(nonce: &[u8]) -> Result<Nonce, CryptoError> {
    Nonce::try_assume_unique_for_key(nonce).map_err(|_| CryptoError::InvalidLength)
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

//! The key of one key id, derived as in RFC 9605, section 5.2, for suite 5 (`AES_256_GCM_SHA512_128`).

use crate::memory::Erased;
use ring::aead::{self, AES_256_GCM, LessSafeKey, Nonce, Tag, UnboundKey};
use ring::hkdf::{HKDF_SHA512, KeyType, Salt};
use zeroize::{Zeroize, Zeroizing};

/// Encrypts and decrypts the frames of one key id.
pub(crate) struct Key {
    aead: Erased<LessSafeKey>,
    salt: [u8; NONCE],
}

impl Key {
    /// Returns the key of `kid` under `base_key`. It is never `None` with these fixed lengths.
    pub(crate) fn derive(base_key: &[u8], kid: u64) -> Option<Self> {
        let mut salt = [0; NONCE];
        expand(base_key, b"SFrame 1.0 Secret salt ", kid, &mut salt)?;
        let key = Self::bytes(base_key, kid)?;
        let aead = UnboundKey::new(&AES_256_GCM, key.as_slice()).ok().map(|key| Erased::new(LessSafeKey::new(key)))?;
        Some(Self { aead, salt })
    }

    /// Returns the bytes of the key of `kid` under `base_key`.
    pub(crate) fn bytes(base_key: &[u8], kid: u64) -> Option<Zeroizing<[u8; KEY]>> {
        let mut key = Zeroizing::new([0; KEY]);
        expand(base_key, b"SFrame 1.0 Secret key ", kid, key.as_mut_slice())?;
        Some(key)
    }

    /// Encrypts `bytes` in place. Returns `None` if they exceed the limit of AES-GCM (64 GiB).
    pub(crate) fn seal(&self, counter: u64, aad: &[u8], bytes: &mut [u8]) -> Option<Tag> {
        self.aead.seal_in_place_separate_tag(self.nonce(counter), aead::Aad::from(aad), bytes).ok()
    }

    /// Decrypts `bytes` (ciphertext, then tag) in place. Returns the plaintext length, or `None` if the tag is wrong.
    pub(crate) fn open(&self, counter: u64, aad: &[u8], bytes: &mut [u8]) -> Option<usize> {
        let plain = self.aead.open_in_place(self.nonce(counter), aead::Aad::from(aad), bytes).ok()?;
        Some(plain.len())
    }

    fn nonce(&self, counter: u64) -> Nonce {
        let mut nonce = self.salt;
        for (byte, counter) in nonce[NONCE - 8..].iter_mut().zip(counter.to_be_bytes()) {
            *byte ^= counter;
        }
        Nonce::assume_unique_for_key(nonce)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.salt.zeroize();
    }
}

fn expand(base_key: &[u8], label: &[u8], kid: u64, out: &mut [u8]) -> Option<()> {
    let secret = Salt::new(HKDF_SHA512, &[]).extract(base_key);
    let info = [label, &kid.to_be_bytes(), &SUITE.to_be_bytes()];
    secret.expand(&info, Length(out.len())).ok()?.fill(out).ok()
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// `AES_256_GCM_SHA512_128` in the registry of RFC 9605, section 8.1.
const SUITE: u16 = 5;
const KEY: usize = 32;
const NONCE: usize = 12;

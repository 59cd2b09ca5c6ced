//! HPKE (RFC 9180) with libcrux's KEM and `ring` for the rest. `ring` cannot import private keys, so it cannot provide
//! the KEM.

use super::primitives::{expand, extract, open, seal};
use hpke_rs::{Hpke, Mode};
use hpke_rs_crypto::HpkeCrypto;
use hpke_rs_crypto::error::Error;
use hpke_rs_crypto::types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm};
use hpke_rs_libcrux::HpkeLibcrux;
use openmls_traits::types::{CryptoError, HpkeAeadType, HpkeConfig, HpkeKdfType, HpkeKemType};
use ring::{hkdf, hmac};
use zeroize::Zeroize;

/// Returns HPKE in base mode. Rejects all algorithms outside the suite.
pub(super) fn base(config: &HpkeConfig) -> Result<Hpke<Primitives>, CryptoError> {
    only_suite(config)?;
    Ok(Hpke::new(Mode::Base, KemAlgorithm::XWingDraft06, KdfAlgorithm::HkdfSha384, AeadAlgorithm::Aes256Gcm))
}

/// Derives a key pair of X-Wing (`DeriveKeyPair`): private, public. The function in hpke-rs does not return the private
/// key.
pub(super) fn derive_pair(config: &HpkeConfig, secret: &[u8]) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
    only_suite(config)?;
    let mut seed = libcrux_sha3::shake256::<32>(secret);
    let pair = HpkeLibcrux::kem_key_gen_derand(KemAlgorithm::XWingDraft06, &seed);
    seed.zeroize();
    pair.map(|(public, private)| (private, public)).map_err(|_| CryptoError::CryptoLibraryError)
}

/// Returns the shared secret that `enc` encapsulates for the owner of `private`.
pub(super) fn decapsulate(enc: &[u8], private: &[u8]) -> Option<Vec<u8>> {
    Primitives::kem_decaps(KemAlgorithm::XWingDraft06, enc, private).ok()
}

fn only_suite(config: &HpkeConfig) -> Result<(), CryptoError> {
    let suite = config.0 == HpkeKemType::XWingKemDraft6
        && config.1 == HpkeKdfType::HkdfSha384
        && config.2 == HpkeAeadType::AesGcm256;
    if suite { Ok(()) } else { Err(CryptoError::UnsupportedCiphersuite) }
}

/// The primitives of HPKE.
#[derive(Debug)]
pub(super) struct Primitives;

impl HpkeCrypto for Primitives {
    type HpkePrng = <HpkeLibcrux as HpkeCrypto>::HpkePrng;

    fn name() -> String {
        "ring and libcrux".into()
    }

    fn supports_kdf(_: KdfAlgorithm) -> Result<(), Error> {
        Ok(())
    }

    fn supports_kem(kem: KemAlgorithm) -> Result<(), Error> {
        HpkeLibcrux::supports_kem(kem)
    }

    fn supports_aead(cipher: AeadAlgorithm) -> Result<(), Error> {
        if cipher == AeadAlgorithm::Aes256Gcm { Ok(()) } else { Err(Error::UnknownAeadAlgorithm) }
    }

    fn prng() -> Self::HpkePrng {
        HpkeLibcrux::prng()
    }

    fn kdf_extract(kdf: KdfAlgorithm, salt: &[u8], secret: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(extract(hmac_of(kdf), salt, secret).as_ref().to_vec())
    }

    fn kdf_expand(kdf: KdfAlgorithm, prk: &[u8], info: &[u8], length: usize) -> Result<Vec<u8>, Error> {
        expand(hkdf_of(kdf), prk, info, length).ok_or(Error::HpkeInvalidOutputLength)
    }

    fn dh(kem: KemAlgorithm, public: &[u8], private: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeLibcrux::dh(kem, public, private)
    }

    fn secret_to_public(kem: KemAlgorithm, private: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeLibcrux::secret_to_public(kem, private)
    }

    fn kem_key_gen(kem: KemAlgorithm, random: &mut Self::HpkePrng) -> Result<(Vec<u8>, Vec<u8>), Error> {
        HpkeLibcrux::kem_key_gen(kem, random)
    }

    fn kem_key_gen_derand(kem: KemAlgorithm, seed: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Error> {
        HpkeLibcrux::kem_key_gen_derand(kem, seed)
    }

    fn kem_encaps(kem: KemAlgorithm, public: &[u8], random: &mut Self::HpkePrng) -> Result<(Vec<u8>, Vec<u8>), Error> {
        // libcrux panics if a public key is too short. Anybody can send one.
        if public.len() != PUBLIC_KEY {
            return Err(Error::KemInvalidPublicKey);
        }
        HpkeLibcrux::kem_encaps(kem, public, random)
    }

    fn kem_decaps(kem: KemAlgorithm, ciphertext: &[u8], private: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeLibcrux::kem_decaps(kem, ciphertext, private)
    }

    fn dh_validate_sk(kem: KemAlgorithm, private: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeLibcrux::dh_validate_sk(kem, private)
    }

    fn aead_seal(cipher: AeadAlgorithm, key: &[u8], nonce: &[u8], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
        Self::supports_aead(cipher)?;
        seal(key, nonce, aad, plain).map_err(|_| Error::AeadInvalidNonce)
    }

    fn aead_open(cipher: AeadAlgorithm, key: &[u8], nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Error> {
        Self::supports_aead(cipher)?;
        open(key, nonce, aad, sealed).map_err(|_| Error::AeadOpenError)
    }
}

/// The length of an X-Wing public key in bytes.
const PUBLIC_KEY: usize = 1_216;

// The suite uses only SHA-384. The trait requires the others.
fn hmac_of(kdf: KdfAlgorithm) -> hmac::Algorithm {
    match kdf {
        KdfAlgorithm::HkdfSha256 => hmac::HMAC_SHA256,
        KdfAlgorithm::HkdfSha384 => hmac::HMAC_SHA384,
        KdfAlgorithm::HkdfSha512 => hmac::HMAC_SHA512,
    }
}

fn hkdf_of(kdf: KdfAlgorithm) -> hkdf::Algorithm {
    match kdf {
        KdfAlgorithm::HkdfSha256 => hkdf::HKDF_SHA256,
        KdfAlgorithm::HkdfSha384 => hkdf::HKDF_SHA384,
        KdfAlgorithm::HkdfSha512 => hkdf::HKDF_SHA512,
    }
}

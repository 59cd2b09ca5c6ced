//! A provider of openmls for the suite that public vectors and other implementations have: X25519, AES-128-GCM, SHA-256, Ed25519
//! (0x0001). Our programs reject this suite. Hashes, HKDF and signatures are those of our provider.

use crate::provider::{Crypto, Random};
use hpke_rs::{Hpke, HpkePrivateKey, HpkePublicKey, Mode};
use hpke_rs_crypto::HpkeCrypto;
use hpke_rs_crypto::types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm};
use hpke_rs_libcrux::HpkeLibcrux;
use openmls_traits::OpenMlsProvider;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::storage::{CURRENT_VERSION, StorageProvider};
use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeAeadType, HpkeCiphertext, HpkeConfig,
    HpkeKdfType, HpkeKemType, HpkeKeyPair, KemOutput, SignatureScheme,
};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use tls_codec::SecretVLBytes;

pub(super) const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;

/// The provider of one member.
#[derive(Default)]
pub(super) struct Classical<S> {
    crypto: ClassicalCrypto,
    random: Random,
    pub(super) storage: S,
}

impl<S: StorageProvider<CURRENT_VERSION>> OpenMlsProvider for Classical<S> {
    type CryptoProvider = ClassicalCrypto;
    type RandProvider = Random;
    type StorageProvider = S;

    fn storage(&self) -> &S {
        &self.storage
    }

    fn crypto(&self) -> &ClassicalCrypto {
        &self.crypto
    }

    fn rand(&self) -> &Random {
        &self.random
    }
}

/// Our primitives, with AES-128-GCM, and libcrux's X25519 for HPKE.
#[derive(Default)]
pub(super) struct ClassicalCrypto(Crypto);

impl OpenMlsCrypto for ClassicalCrypto {
    fn supports(&self, suite: Ciphersuite) -> Result<(), CryptoError> {
        if suite == SUITE { Ok(()) } else { Err(CryptoError::UnsupportedCiphersuite) }
    }

    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        vec![SUITE]
    }

    fn hkdf_extract(&self, hash: HashType, salt: &[u8], secret: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        self.0.hkdf_extract(hash, salt, secret)
    }

    fn hmac(&self, hash: HashType, key: &[u8], message: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        self.0.hmac(hash, key, message)
    }

    fn hkdf_expand(
        &self,
        hash: HashType,
        prk: &[u8],
        info: &[u8],
        length: usize,
    ) -> Result<SecretVLBytes, CryptoError> {
        self.0.hkdf_expand(hash, prk, info, length)
    }

    fn hash(&self, hash: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.0.hash(hash, data)
    }

    fn aead_encrypt(
        &self,
        _: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let mut bytes = data.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| CryptoError::InvalidLength)?;
        aead(key)?.seal_in_place_append_tag(nonce, Aad::from(aad), &mut bytes).map_err(|_| CryptoError::TooMuchData)?;
        Ok(bytes)
    }

    fn aead_decrypt(
        &self,
        _: AeadType,
        key: &[u8],
        sealed: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let mut bytes = sealed.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| CryptoError::InvalidLength)?;
        let plain = aead(key)?
            .open_in_place(nonce, Aad::from(aad), &mut bytes)
            .map_err(|_| CryptoError::AeadDecryptionError)?;
        Ok(plain.to_vec())
    }

    fn signature_key_gen(&self, scheme: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        self.0.signature_key_gen(scheme)
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        data: &[u8],
        public: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.0.verify_signature(scheme, data, public, signature)
    }

    fn sign(&self, scheme: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.0.sign(scheme, data, key)
    }

    fn hpke_seal(
        &self,
        _: HpkeConfig,
        public: &[u8],
        info: &[u8],
        aad: &[u8],
        plain: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        let public = HpkePublicKey::new(public.to_vec());
        let (kem_output, ciphertext) =
            hpke().seal(&public, info, aad, plain, None, None, None).map_err(|_| CryptoError::HpkeEncryptionError)?;
        Ok(HpkeCiphertext { kem_output: kem_output.into(), ciphertext: ciphertext.into() })
    }

    fn hpke_open(
        &self,
        _: HpkeConfig,
        sealed: &HpkeCiphertext,
        private: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let private = HpkePrivateKey::new(private.to_vec());
        let (kem_output, ciphertext) = (sealed.kem_output.as_slice(), sealed.ciphertext.as_slice());
        hpke()
            .open(kem_output, &private, info, aad, ciphertext, None, None, None)
            .map_err(|_| CryptoError::HpkeDecryptionError)
    }

    fn hpke_setup_sender_and_export(
        &self,
        _: HpkeConfig,
        public: &[u8],
        info: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        let public = HpkePublicKey::new(public.to_vec());
        let (kem_output, sender) =
            hpke().setup_sender(&public, info, None, None, None).map_err(|_| CryptoError::SenderSetupError)?;
        let secret = sender.export(context, length).map_err(|_| CryptoError::ExporterError)?;
        Ok((kem_output, secret.into()))
    }

    fn hpke_setup_receiver_and_export(
        &self,
        _: HpkeConfig,
        kem_output: &[u8],
        private: &[u8],
        info: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        let private = HpkePrivateKey::new(private.to_vec());
        let receiver = hpke()
            .setup_receiver(kem_output, &private, info, None, None, None)
            .map_err(|_| CryptoError::ReceiverSetupError)?;
        let secret = receiver.export(context, length).map_err(|_| CryptoError::ExporterError)?;
        Ok(secret.into())
    }

    fn derive_hpke_keypair(&self, _: HpkeConfig, secret: &[u8]) -> Result<HpkeKeyPair, CryptoError> {
        // RFC 9180, section 7.1.3: hpke-rs does not return the private key.
        let labelled = |label: &[u8], rest: &[u8]| [b"HPKE-v1KEM\x00\x20".as_slice(), label, rest].concat();
        let prk = self.hkdf_extract(HashType::Sha2_256, &[], &labelled(b"dkp_prk", secret))?;
        let info = [&[0, 32], labelled(b"sk", &[]).as_slice()].concat();
        let private = self.hkdf_expand(HashType::Sha2_256, prk.as_slice(), &info, 32)?;
        let public = HpkeLibcrux::secret_to_public(KemAlgorithm::DhKem25519, private.as_slice())
            .map_err(|_| CryptoError::CryptoLibraryError)?;
        Ok(HpkeKeyPair { private: private.as_slice().to_vec().into(), public })
    }
}

/// Returns the algorithms of HPKE in the suite.
pub(super) fn config() -> HpkeConfig {
    HpkeConfig(HpkeKemType::DhKem25519, HpkeKdfType::HkdfSha256, HpkeAeadType::AesGcm128)
}

fn hpke() -> Hpke<HpkeLibcrux> {
    Hpke::new(Mode::Base, KemAlgorithm::DhKem25519, KdfAlgorithm::HkdfSha256, AeadAlgorithm::Aes128Gcm)
}

fn aead(key: &[u8]) -> Result<LessSafeKey, CryptoError> {
    UnboundKey::new(&AES_128_GCM, key).map(LessSafeKey::new).map_err(|_| CryptoError::InvalidLength)
}

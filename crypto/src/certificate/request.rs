//! The request for a certificate of this device's key (PKCS #10, RFC 2986).

use crate::identity::Identity;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyUsagePurpose};
use rcgen::{PKCS_ED25519, PublicKeyData, SignatureAlgorithm, SigningKey};

impl Identity {
    /// Returns a request for a certificate of the device's key in PEM, signed by the key. The authority decides which name it certifies;
    /// `name` is what this user asks for. The signed bytes begin with the tag of a DER sequence, unlike everything else that the key signs.
    ///
    /// # Errors
    /// Returns an error if `name` cannot be encoded.
    pub fn certificate_request(&self, name: &str) -> Result<String, rcgen::Error> {
        let mut wished = CertificateParams::default();
        wished.distinguished_name = DistinguishedName::new();
        wished.distinguished_name.push(DnType::CommonName, name);
        wished.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        wished.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        wished.serialize_request(&RequestKey { identity: self, public: self.public().0 })?.pem()
    }
}

/// The device's key as rcgen signs with it.
struct RequestKey<'a> {
    identity: &'a Identity,
    public: [u8; 32],
}

impl PublicKeyData for RequestKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

impl SigningKey for RequestKey<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.identity.sign(message).to_vec())
    }
}

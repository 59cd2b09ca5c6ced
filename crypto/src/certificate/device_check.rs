//! Whether a certificate is for the key of a device.

use super::refusal::Refusal;
use crate::device_key::DeviceKey;
use webpki::EndEntityCert;

/// Checks that a certificate is for the key of `device`.
pub(super) fn check_key(entity: &EndEntityCert<'_>, device: DeviceKey) -> Result<(), Refusal> {
    let key = entity.subject_public_key_info();
    if *key == [&ED25519_KEY[..], &device.0].concat() { Ok(()) } else { Err(Refusal::OtherKey) }
}

/// The beginning of the `SubjectPublicKeyInfo` of an Ed25519 key (RFC 8410, section 4); the 32 bytes of the key follow.
const ED25519_KEY: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

//! The attribute MESSAGE-INTEGRITY of STUN messages (RFC 8489, section 14.5): nobody can forge a message without the key.

use ring::hmac;

/// The result of the check of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegrityResult {
    /// Its sender knows the key.
    Valid,
    /// It was made with another key, or was changed.
    Wrong,
    /// It has no such attribute, or is no STUN message.
    Absent,
}

/// Returns the key of a password or of a hash (HMAC-SHA1, which STUN prescribes).
pub fn key(secret: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret)
}

/// Checks a message. Attributes after MESSAGE-INTEGRITY are not protected.
pub fn check(message: &[u8], key: &hmac::Key) -> IntegrityResult {
    let Some((before, tag)) = split_at_integrity(message) else { return IntegrityResult::Absent };
    let mut covered = before.to_vec();
    // The length up to and including the attribute is covered, whatever follows.
    set_length(&mut covered, INTEGRITY_LENGTH);
    if hmac::verify(key, &covered, tag).is_ok() { IntegrityResult::Valid } else { IntegrityResult::Wrong }
}

/// Appends the attribute to a message without it, whose length is set.
pub fn append(message: &mut Vec<u8>, key: &hmac::Key) {
    set_length(message, INTEGRITY_LENGTH);
    let tag = hmac::sign(key, message);
    message.extend(INTEGRITY.to_be_bytes());
    message.extend([0, 20]);
    message.extend(tag.as_ref());
}

/// Sets the length of a message to which `more` bytes will be appended.
pub fn set_length(message: &mut [u8], more: usize) {
    let length = u16::try_from(message.len().saturating_sub(HEADER) + more).unwrap_or(u16::MAX);
    if let Some(field) = message.get_mut(2..4) {
        field.copy_from_slice(&length.to_be_bytes());
    }
}

/// Returns the value of the first attribute with this number, and the offset of the attribute.
pub fn attribute(message: &[u8], number: u16) -> Option<(&[u8], usize)> {
    let [first, _, high, low, 0x21, 0x12, 0xa4, 0x42, ..] = message else { return None };
    let end = HEADER + usize::from(u16::from_be_bytes([*high, *low]));
    if *first > 3 || end > message.len() {
        return None;
    }
    let mut at = HEADER;
    while let Some([a, b, c, d]) = message.get(at..at + 4).filter(|_| at + 4 <= end) {
        let length = usize::from(u16::from_be_bytes([*c, *d]));
        let value = message.get(at + 4..at + 4 + length).filter(|_| at + 4 + length <= end)?;
        if u16::from_be_bytes([*a, *b]) == number {
            return Some((value, at));
        }
        at += 4 + length.next_multiple_of(4);
    }
    None
}

/// Returns the bytes before the attribute, and its value.
fn split_at_integrity(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let (tag, at) = attribute(message, INTEGRITY)?;
    Some((message.get(..at)?, tag))
}

/// The number of the attribute.
const INTEGRITY: u16 = 0x0008;

/// Bytes of the attribute with its header.
const INTEGRITY_LENGTH: usize = 24;

/// Bytes of the header of a message.
const HEADER: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    /// The sample response of RFC 5769, section 2.2, with its padding and FINGERPRINT.
    const SAMPLE: [u8; 80] = [
        0x01, 0x01, 0x00, 0x3c, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87,
        0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63, 0x74, 0x6f, 0x72, 0x20,
        0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43, 0x00, 0x08, 0x00, 0x14, 0x2b, 0x91,
        0xf5, 0x99, 0xfd, 0x9e, 0x90, 0xc3, 0x8c, 0x74, 0x89, 0xf9, 0x2a, 0xf9, 0xba, 0x53, 0xf0, 0x6b, 0xe7, 0xd7,
        0x80, 0x28, 0x00, 0x04, 0xc0, 0x7d, 0x4c, 0x96,
    ];

    #[test]
    fn the_sample_of_the_standard_is_valid_and_each_changed_byte_before_the_tag_is_noticed() {
        let key = key(b"VOkJxbRl1RmTxUk/WvJxBt");
        assert_eq!(check(&SAMPLE, &key), IntegrityResult::Valid);
        assert_eq!(check(&SAMPLE, &super::key(b"another")), IntegrityResult::Wrong);
        for index in (8..48).chain(52..72) {
            let mut changed = SAMPLE;
            changed[index] ^= 1;
            assert_ne!(check(&changed, &key), IntegrityResult::Valid, "byte {index}");
        }
        for length in 0..SAMPLE.len() {
            assert_eq!(check(&SAMPLE[..length], &key), IntegrityResult::Absent, "the first {length} bytes");
        }
    }

    #[test]
    fn a_message_that_gets_the_attribute_is_valid() {
        let key = key(b"password");
        let mut message = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12], &[0, 6, 0, 3, 1, 2, 3, 0]].concat();
        assert_eq!(check(&message, &key), IntegrityResult::Absent);
        append(&mut message, &key);
        assert_eq!(check(&message, &key), IntegrityResult::Valid);
        assert_eq!(attribute(&message, 6), Some((&[1, 2, 3][..], 20)));
    }
}

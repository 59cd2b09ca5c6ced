//! Validation of X-Wing public keys, before somebody encrypts to them.
//!
//! A key is the one of ML-KEM-768 (1,184 B) and the one of X25519 (32 B). The KEM checks the same before it encapsulates, at 20 times
//! the cost.

/// Returns true if the KEM of the suite can encapsulate for `key`.
pub(crate) fn is_public_key(key: &[u8]) -> bool {
    let Some((ml_kem, x25519)) = key.split_at_checked(ML_KEM) else { return false };
    let Ok(x25519) = <&[u8; X25519]>::try_from(x25519) else { return false };
    is_reduced(&ml_kem[..COEFFICIENTS]) && !has_low_order(*x25519)
}

/// Returns true if all coefficients are below the modulus (FIPS 203, section 7.2). Each has 12 bits.
fn is_reduced(coefficients: &[u8]) -> bool {
    coefficients.chunks_exact(3).all(|three| {
        let [low, middle, high] = [0, 1, 2].map(|at| u16::from(three[at]));
        (low | middle << 8) & 0xfff < MODULUS && (middle >> 4 | high << 4) < MODULUS
    })
}

/// Returns true if the shared secret with this key is zero for every private key (RFC 7748, section 6.1).
fn has_low_order(mut point: [u8; X25519]) -> bool {
    // X25519 ignores this bit.
    point[X25519 - 1] &= 0x7f;
    LOW_ORDER.contains(&point) || (point[1..X25519 - 1].iter().all(|byte| *byte == 0xff) && is_near_prime(point))
}

/// Returns true for -1, 0 and 1, written with the prime 2^255 - 19.
const fn is_near_prime(point: [u8; X25519]) -> bool {
    point[X25519 - 1] == 0x7f && matches!(point[0], 0xec..=0xee)
}

const ML_KEM: usize = 1_184;
/// Three polynomials of 256 coefficients. The seed of the matrix follows, which may have any value.
const COEFFICIENTS: usize = 1_152;
const MODULUS: u16 = 3_329;
const X25519: usize = 32;

/// 0, 1, and the points of order 8.
const LOW_ORDER: [[u8; X25519]; 4] = [
    [0; X25519],
    [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09,
        0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44,
        0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ],
];

#[cfg(test)]
mod tests {
    use super::super::{Crypto, hpke_config};
    use super::*;
    use openmls_traits::crypto::OpenMlsCrypto;

    /// Checks that the rule agrees with the KEM. Returns its answer.
    fn verdict(key: &[u8]) -> bool {
        let sealed = Crypto.hpke_seal(hpke_config(), key, b"", b"", b"x");
        assert_eq!(sealed.is_ok(), is_public_key(key), "{:?}", &key[..key.len().min(8)]);
        sealed.is_ok()
    }

    #[test]
    fn a_key_is_valid_if_the_kem_encapsulates_for_it() {
        let valid = Crypto.derive_hpke_keypair(hpke_config(), &[7; 32]).unwrap().public;
        assert!(verdict(&valid));
        for length in [0, 7, ML_KEM, valid.len() - 1] {
            assert!(!verdict(&valid[..length]));
        }
        assert!(!verdict(&[valid.as_slice(), &[0]].concat()));
        for (byte, expected) in [(0, false), (1, true), (0xff, false)] {
            assert_eq!(verdict(&vec![byte; valid.len()]), expected, "{byte}");
        }
        // The first, the second and the last coefficients, at the modulus and just below it.
        for (coefficient, at) in [(0, 0), (1, 1), (0, COEFFICIENTS - 3), (1, COEFFICIENTS - 2)] {
            for (value, expected) in [(MODULUS - 1, true), (MODULUS, false), (0xfff, false)] {
                let mut key = valid.clone();
                let kept = u16::from_le_bytes([key[at], key[at + 1]]);
                let new = if coefficient == 0 { kept & 0xf000 | value } else { kept & 0xf | value << 4 };
                key[at..at + 2].copy_from_slice(&new.to_le_bytes());
                assert_eq!(verdict(&key), expected, "{value} at {at}");
            }
        }
        let near = |byte: u8| {
            let mut point = [0xff; X25519];
            (point[0], point[X25519 - 1]) = (byte, 0x7f);
            point
        };
        let primes = [0xec, 0xed, 0xee].map(near);
        for mut point in LOW_ORDER.into_iter().chain(primes) {
            for _ in 0..2 {
                assert!(!verdict(&[&valid[..ML_KEM], &point].concat()), "{point:?}");
                point[X25519 - 1] ^= 0x80;
            }
        }
        for point in [near(0xeb), near(0xef), [2; X25519]] {
            assert!(verdict(&[&valid[..ML_KEM], &point].concat()), "{point:?}");
        }
    }
}

//! Hashes with a random number of this computer, for files that remember something without naming it.

use ring::digest::{Context, SHA256};
use ring::rand::{SecureRandom as _, SystemRandom};

/// Returns a new random number in hexadecimal digits; `None` if the system has no random numbers.
pub fn random_salt() -> Option<String> {
    let mut bytes = [0; SALT_BYTES];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(hex(&bytes))
}

/// Returns the hash of a salt and texts, in hexadecimal digits.
pub fn hash(salt: &str, texts: &[&str]) -> String {
    let mut hash = Context::new(&SHA256);
    for part in std::iter::once(&salt).chain(texts) {
        hash.update(part.as_bytes());
        hash.update(&[0]);
    }
    hex(&hash.finish().as_ref()[..HASH_BYTES])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The bytes of a salt.
pub const SALT_BYTES: usize = 16;

/// The bytes of a hash.
pub const HASH_BYTES: usize = 16;

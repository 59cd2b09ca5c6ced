//! Random numbers that identify streams. They are not for secrets.

use std::hash::{BuildHasher, RandomState};

/// Returns a random number from the standard library's hash seeds, which come from the system's generator.
pub fn number() -> u32 {
    let hash = RandomState::new().hash_one(0u8);
    u32::try_from(hash >> 32).unwrap_or(0)
}

/// Returns a random SSRC (RFC 3550, section 8). It is never 0, which some stacks treat as absent.
pub fn ssrc() -> u32 {
    number().max(1)
}

/// Returns a random id of a STUN transaction (RFC 8489, section 5).
pub fn transaction_id() -> [u8; 12] {
    let mut id = [0; 12];
    id.chunks_exact_mut(4).for_each(|part| part.copy_from_slice(&number().to_be_bytes()));
    id
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_differ() {
        assert!((0..8).map(|_| super::number()).collect::<std::collections::HashSet<_>>().len() > 4);
    }
}

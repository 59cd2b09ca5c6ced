//! Random bytes from the system.

use openmls_traits::random::OpenMlsRand;
use ring::rand::{SecureRandom, SystemRandom};

/// The system's random number generator.
#[derive(Default)]
pub(crate) struct Random;

/// The error that the system returned no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system returned no random bytes")]
pub struct NoRandomness;

impl OpenMlsRand for Random {
    type Error = NoRandomness;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], NoRandomness> {
        let mut bytes = [0; N];
        SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(bytes)
    }

    fn random_vec(&self, length: usize) -> Result<Vec<u8>, NoRandomness> {
        let mut bytes = vec![0; length];
        SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(bytes)
    }
}

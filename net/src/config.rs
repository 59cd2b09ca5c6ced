//! The configuration of a session.

use crate::meeting;
use crypto::KeyRing;
use media::BufferPool;

/// The meeting to enter, the server, and the parts that the session shares with the program.
pub struct Config {
    /// The meeting, and how to enter it.
    pub entry: meeting::Entry,
    /// The server's name or address.
    pub host: String,
    /// Its port, the same for TCP and UDP.
    pub port: u16,
    /// SHA-256 of the server's certificate, from the invitation. If `None`, the system's certificate authorities
    /// decide.
    pub fingerprint: Option<[u8; 32]>,
    /// Where new keys are installed, before any event about them.
    pub ring: KeyRing,
    /// Buffers for received frames.
    pub pool: BufferPool,
}

//! The configuration of a session.

use crate::meeting;
use crypto::{Fingerprint, KeyRing};
use media::BufferPool;

/// The meeting to enter, the server, and the parts that the session shares with the program.
pub struct Config {
    /// The meeting, and how to enter it.
    pub entry: meeting::Entry,
    /// The server's name or address.
    pub host: String,
    /// Its port, the same for TCP and UDP.
    pub port: u16,
    /// The fingerprint of the server's certificate, from the invitation. If `None`, the system's certificate
    /// authorities decide.
    pub fingerprint: Option<Fingerprint>,
    /// Where new keys are installed, before any event about them.
    pub ring: KeyRing,
    /// Buffers for received frames.
    pub pool: BufferPool,
}

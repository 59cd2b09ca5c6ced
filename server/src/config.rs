//! The configuration and the limits of a server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The configuration of a [`crate::Server`].
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on: TCP for the delivery service, UDP on the same port number for media. Port 0 takes any
    /// free port; an unspecified address takes all addresses of the machine.
    pub listen: SocketAddr,
    /// The folder for the self-signed certificate. Without a folder the server creates a new certificate at each start.
    pub data: Option<PathBuf>,
    /// PEM files of a certificate chain and its private key. Without them the certificate is self-signed.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// The limits for its clients.
    pub limits: Limits,
}

impl Config {
    /// Returns the configuration of a server on `listen` that stores nothing, with the default limits.
    pub fn new(listen: SocketAddr) -> Self {
        Self { listen, data: None, certificate: None, limits: Limits::default() }
    }
}

/// The limits of a server. A client that exceeds one is refused or disconnected; other clients are not affected.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Meetings at once.
    pub meetings: usize,
    /// Members of one meeting plus the people who wait to be admitted to it.
    pub members: usize,
    /// Entries that a meeting's log keeps for replay.
    pub log_entries: usize,
    /// Bytes that a meeting's log keeps for replay.
    pub log_bytes: usize,
    /// Bytes of a first message, of a request to be admitted and of an admission key: the server stores these for
    /// clients that no member has admitted.
    pub stranger_message: usize,
    /// Average messages per second from one connection.
    pub messages_per_second: u32,
    /// Messages that a connection may send at once after a pause.
    pub message_burst: u32,
    /// Average bytes per second from one connection.
    pub bytes_per_second: u32,
    /// Bytes that a connection may send at once after a pause.
    pub byte_burst: u32,
    /// Bytes that may wait to be sent to one connection. If there are more, the server closes the connection.
    pub outgoing_bytes: usize,
    /// Messages that may wait to be sent to one connection. If there are more, the server closes the connection.
    pub outgoing_messages: usize,
    /// How long the TLS and WebSocket handshakes may take together. The first message has the same limit.
    pub greeting: Duration,
    /// The interval between two pings.
    pub ping: Duration,
    /// How long a connection may send nothing before the server closes it.
    pub silence: Duration,
    /// How long one message may take to be written to a connection.
    pub write: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2_000,
            meetings: 500,
            members: 200,
            log_entries: 4_096,
            log_bytes: 16 << 20,
            stranger_message: proto::MAX_KNOCK,
            messages_per_second: 50,
            message_burst: 300,
            bytes_per_second: 2 << 20,
            byte_burst: 8 << 20,
            // Four of the largest messages. A burst of commits fits; the messages to a client that stopped reading do
            // not.
            outgoing_bytes: 4 * proto::MAX_MESSAGE,
            outgoing_messages: 2_048,
            greeting: Duration::from_secs(10),
            ping: Duration::from_secs(2),
            silence: Duration::from_secs(6),
            write: Duration::from_secs(20),
        }
    }
}

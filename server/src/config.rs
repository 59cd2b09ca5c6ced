//! What a server is told before it starts, and how much it lets others ask of it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How to start a [`crate::Server`].
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen: TCP for the delivery service, UDP on the same port number for media. Port 0 takes any free one;
    /// an unspecified address takes all of the machine's.
    pub listen: SocketAddr,
    /// Where the server keeps its own certificate. Without one it makes a new certificate at each start.
    pub data: Option<PathBuf>,
    /// PEM files of a certificate chain and its private key. Without them the server signs for itself.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// How much anybody may ask of it.
    pub limits: Limits,
}

impl Config {
    /// A server on `listen` that keeps nothing, with the usual limits.
    pub fn new(listen: SocketAddr) -> Self {
        Self { listen, data: None, certificate: None, limits: Limits::default() }
    }
}

/// How much anybody may ask of a server. Whoever asks more is refused or dropped; others do not notice.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Meetings at once.
    pub meetings: usize,
    /// Members and knockers of one meeting.
    pub members: usize,
    /// Entries that a meeting's log keeps for replay.
    pub log_entries: usize,
    /// Bytes that a meeting's log keeps for replay.
    pub log_bytes: usize,
    /// Bytes of a first message, of a request to be let in and of an admission key: what strangers may have kept.
    pub stranger_message: usize,
    /// Messages a second from one connection, averaged.
    pub messages_per_second: u32,
    /// Messages that a connection may send at once after a silence.
    pub message_burst: u32,
    /// Bytes a second from one connection, averaged.
    pub bytes_per_second: u32,
    /// Bytes that a connection may send at once after a silence.
    pub byte_burst: u32,
    /// Bytes that wait for one connection before it is dropped.
    pub outgoing_bytes: usize,
    /// Messages that wait for one connection before it is dropped.
    pub outgoing_messages: usize,
    /// For the TLS and WebSocket handshakes and the greeting.
    pub greeting: Duration,
    /// Between two pings.
    pub ping: Duration,
    /// Without a sign of life before a connection is dead.
    pub silence: Duration,
    /// For one message to be taken by the other end.
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
            // The largest message four times over: a burst of commits fits, a client that stopped reading does not.
            outgoing_bytes: 4 * proto::MAX_MESSAGE,
            outgoing_messages: 2_048,
            greeting: Duration::from_secs(10),
            ping: Duration::from_secs(2),
            silence: Duration::from_secs(6),
            write: Duration::from_secs(20),
        }
    }
}

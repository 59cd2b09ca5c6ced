//! The configuration and the limits of a server.

use crate::turn::TurnConfig;
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

/// The configuration of a [`crate::Server`].
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on: TCP for the delivery service, UDP on the same port number for media. Port 0 takes any
    /// free port; an unspecified address takes all addresses of the machine, `[::]` those of IPv4 as well.
    pub listen: SocketAddr,
    /// The folder for the self-signed certificate and for the meetings that run. Without a folder the server creates a new
    /// certificate at each start, and its meetings end with it.
    pub data: Option<PathBuf>,
    /// PEM files of a certificate chain and its private key. Without them the certificate is self-signed.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Names and addresses by which clients from other networks reach the server, for example that of a router that
    /// forwards the port. Media are offered at these, too. A name is resolved when the server starts.
    pub public: Vec<String>,
    /// True if clients whose UDP does not reach this server may send media through its TCP port.
    pub tunnels: bool,
    /// The TURN servers by which clients may reach this server.
    pub turn: Option<TurnConfig>,
    /// The limits for its clients.
    pub limits: Limits,
    /// The number of threads that forward media, at most eight. Each meeting belongs to one of them. If there are several, one
    /// more thread receives.
    /// `None`: one for each core except one, at most eight.
    pub media_threads: Option<NonZero<usize>>,
    /// The address at which Prometheus reads metrics, over HTTP without TLS or password. `None` if metrics are off.
    pub metrics: Option<SocketAddr>,
}

impl Config {
    /// Returns the configuration of a server on `listen` that stores nothing, with the default limits.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            data: None,
            certificate: None,
            public: Vec::new(),
            tunnels: true,
            turn: None,
            limits: Limits::default(),
            media_threads: None,
            metrics: None,
        }
    }
}

/// The limits of a server. A client that exceeds one is refused or disconnected; other clients are not affected.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Meetings at once.
    pub meetings: usize,
    /// Members of one meeting plus the people who wait to be admitted to it. An organiser who comes back may be one member more.
    pub members: usize,
    /// Connections at once from one address. An IPv6 address counts as its /64 network. One address has at most a
    /// quarter of `connections`.
    pub address_connections: usize,
    /// Handshakes per second from one address. Further handshakes wait.
    pub address_handshakes_per_second: u32,
    /// Handshakes that one address may start at once after a pause.
    pub address_handshake_burst: u32,
    /// Meetings at once that were created from one address.
    pub address_meetings: usize,
    /// Bytes of unfinished messages from one address, over all its connections.
    pub address_held_bytes: usize,
    /// Average bytes per second of long messages from one address, over all its connections. A connection
    /// that takes longer than `write` for one message is closed, so this also bounds the memory that the messages of one
    /// address use.
    pub address_bytes_per_second: u32,
    /// Bytes of long messages that one address may send at once after a pause.
    pub address_byte_burst: u32,
    /// Average signed commands per second from one address, over all its connections. Further ones wait. A manager sends at most 20
    /// refusals and 10 messages of lobby chats a second, and a few commits and beacons.
    pub address_commands_per_second: u32,
    /// Signed commands that one address may send at once after a pause.
    pub address_command_burst: u32,
    /// Average work that the media offers of one address cause per second. Further offers wait. An offer of n
    /// media descriptions costs n + n²/512, and 1 more for each new one. All addresses together have three times as much.
    pub address_offer_work_per_second: u32,
    /// Work that the media offers of one address may cause at once after a pause.
    pub address_offer_work_burst: u32,
    /// Bytes that the logs of all meetings keep that were created from one address.
    pub address_log_bytes: usize,
    /// Entries that a meeting's log keeps for members that have not acknowledged them.
    pub log_entries: usize,
    /// Bytes that a meeting's log keeps for members that have not acknowledged them.
    pub log_bytes: usize,
    /// Bytes of a message from a client that is no member.
    pub stranger_message: usize,
    /// Bytes of a meeting message from a member that has sent no signed command. Its signalling may be longer, and so may be its commit
    /// if `members` are many ([`Self::longest_member_message`]).
    pub member_message: usize,
    /// The average number of requests per second that the members of a meeting get from people who want to enter. Further
    /// requests wait. Client addresses take turns.
    pub knocks_per_second: u32,
    /// The number of such requests that the members of a meeting may get at once after a pause.
    pub knock_burst: u32,
    /// Average application messages per second from one member.
    pub tells_per_second: u32,
    /// Application messages that a member may send at once after a pause.
    pub tell_burst: u32,
    /// Average bytes of application messages per second from one member.
    pub tell_bytes_per_second: u32,
    /// Bytes of application messages that a member may send at once after a pause.
    pub tell_byte_burst: u32,
    /// The shortest time between two commits of one member without a signature. Also how long only managers may commit
    /// after one of their commits has lost.
    pub commit_interval: Duration,
    /// The shortest time between two commits of one member without a signature that neither remove somebody who has left nor answer an
    /// organiser who comes back.
    pub update_interval: Duration,
    /// How long a member that lost its connection may resume.
    pub absence: Duration,
    /// How long a client may stay in no meeting.
    pub idle: Duration,
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
    /// How long the TLS and WebSocket handshakes and the first message may take together.
    pub greeting: Duration,
    /// The interval between two pings.
    pub ping: Duration,
    /// How long a connection may take to complete its next message before the server closes it. WebSocket pings do not count.
    pub silence: Duration,
    /// How long one message may take to be written to a connection.
    pub write: Duration,
    /// How long a media tunnel may be idle. A client that uses it sends at least a check every half second.
    pub tunnel_idle: Duration,
    /// The maximum number of path tests at once, by clients that are in no meeting. Each
    /// takes up to 4.2 Mbit/s in each direction for a few seconds.
    pub path_tests: usize,
}

impl Limits {
    /// Returns the bytes of the longest meeting message from a member that has sent no signed command: a commit encrypts a
    /// secret for each other member if the nodes of the tree have no keys.
    pub fn longest_member_message(&self) -> usize {
        self.member_message.max(self.members * SECRET_BYTES + COMMIT_BYTES)
    }

    /// Returns the limits of a server whose clients all have one address, as in a demo or a benchmark: the quotas of an
    /// address do not restrict them.
    pub fn for_one_address() -> Self {
        let limits = Self::default();
        Self {
            connections: 4 * limits.connections,
            address_connections: limits.connections,
            address_handshakes_per_second: 10_000,
            address_handshake_burst: 10_000,
            address_meetings: limits.meetings,
            address_held_bytes: 1 << 30,
            address_bytes_per_second: 1 << 30,
            address_byte_burst: 1 << 30,
            address_commands_per_second: 10_000,
            address_command_burst: 10_000,
            address_offer_work_per_second: 1 << 30,
            address_offer_work_burst: 1 << 30,
            address_log_bytes: 1 << 30,
            knocks_per_second: 10_000,
            knock_burst: 10_000,
            ..limits
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2_000,
            meetings: 500,
            members: 200,
            address_connections: 64,
            address_handshakes_per_second: 20,
            address_handshake_burst: 40,
            address_meetings: 16,
            address_held_bytes: 8 << 20,
            address_bytes_per_second: 1 << 20,
            address_byte_burst: 16 << 20,
            address_commands_per_second: 100,
            address_command_burst: 200,
            // About 0.1 s of the media thread, see `offer_queue::work`. 100 participants of a meeting get their answers within 5 s.
            address_offer_work_per_second: 8 << 10,
            address_offer_work_burst: 12 << 10,
            address_log_bytes: 8 << 20,
            log_entries: 4_096,
            log_bytes: 4 << 20,
            stranger_message: proto::MAX_STRANGER_MESSAGE,
            member_message: proto::MAX_MEMBER_MESSAGE,
            knocks_per_second: 10,
            knock_burst: 100,
            tells_per_second: proto::MAX_TELLS_PER_SECOND,
            tell_burst: 200,
            tell_bytes_per_second: proto::MAX_TELL_BYTES_PER_SECOND,
            tell_byte_burst: 512 << 10,
            commit_interval: Duration::from_secs(2),
            update_interval: Duration::from_secs(30),
            absence: Duration::from_secs(20),
            idle: Duration::from_mins(1),
            messages_per_second: 50,
            message_burst: 300,
            bytes_per_second: 2 << 20,
            byte_burst: 8 << 20,
            // Four of the largest messages. A burst of commits fits; the messages to a client that stopped reading do
            // not.
            outgoing_bytes: 4 * proto::MAX_MESSAGE,
            // A log that is replayed to a resumed member fits.
            outgoing_messages: 8_192,
            greeting: Duration::from_secs(10),
            ping: Duration::from_secs(2),
            silence: Duration::from_secs(10),
            write: Duration::from_secs(20),
            tunnel_idle: Duration::from_secs(15),
            path_tests: 8,
        }
    }
}

/// Bytes of an encrypted secret in a commit: an output of the KEM, a secret, a tag and their lengths.
const SECRET_BYTES: usize = 1_190;

/// Bytes of the rest of the longest commit without a policy: ten levels of keys, the leaf and the frame.
const COMMIT_BYTES: usize = 16 << 10;

//! The messages between client and server: CBOR (RFC 8949) over one WebSocket, versioned and limited in length.
//!
//! Client and server use this crate. It has no key, no clock and no socket. Everything that a participant sends to
//! another one is a [`Blob`]: ciphertext that the server orders and relays. docs/protocol.md describes these types.

mod beacon;
pub mod descriptor;
mod downlink;
mod encoding;
mod envelope;
mod host;
mod ids;
mod limits;
mod manage;
mod message;
mod path_test;
mod problem;
mod reason;
mod rights;
mod signal;
pub mod signed;
mod track;
mod tunnel;
mod turn;
mod voice_source;

pub use beacon::MemberBeacon;
pub use downlink::{DownlinkReport, DownlinkSettings, LimitCause, LimitedTrack};
pub use encoding::{Blob, Limited, Malformed, decode, encode, is_sendable};
pub use envelope::{ClientMessage, Envelope, FromSfu, ServerMessage, ToSfu};
pub use host::split_host_port;
pub use ids::{Epoch, MeetingId, ParticipantId, Position, ResumeToken, Slot, TrackId, UnknownId};
pub use limits::{
    AUTHORITY_BYTES, MAX_BEACONS_PER_SECOND, MAX_BLOB, MAX_CHAIN, MAX_COMMAND, MAX_DESCRIPTION_BYTES, MAX_DESCRIPTIONS,
    MAX_KNOCK, MAX_LOBBY, MAX_MEMBER_MESSAGE, MAX_MEMBERS, MAX_MESSAGE, MAX_RELAY, MAX_ROTATIONS, MAX_SDP,
    MAX_SHARED_VOICES, MAX_SIGNAL, MAX_STRANGER_MESSAGE, MAX_TELL_BYTES_PER_SECOND, MAX_TELLS_PER_SECOND, MAX_TILES,
    MAX_TRACKS, MAX_TREE, MAX_TREE_PART, MAX_WELCOMES, ROTATION_BYTES, SIGNATURE_BYTES, VERSION,
};
pub use manage::{ManagerCommand, NextAuthority, PublicKey, Signature, SignedCommand};
pub use message::{Down, GoneMember, LogEntry, Up, Welcome};
pub use path_test::{
    MAX_TEST_ADDRESSES, MIN_PROBE, PATH_TEST_KEY_BYTES, PATH_TEST_PATH, PathTestGreeting, Probe, ProbeKind,
};
pub use problem::{Problem, Refusal};
pub use reason::{Fault, Reason};
pub use rights::{MeetingFlags, Rights, Role};
pub use signal::{ClientSignal, ServerSignal, decode_signal};
pub use track::{DemandedLayer, Kind, Published, SpatialLayer, Subscription, TileWish, Totals, TrackDemand};
pub use tunnel::{
    DatagramQueue, MAX_DATAGRAM, MAX_TUNNEL_AGE, MAX_TUNNEL_MESSAGE, MAX_TUNNEL_QUEUE, MAX_TUNNEL_TOKEN, MediaPath,
    TUNNEL_BATCH, TUNNEL_PATH, TUNNEL_UNSENT, datagrams, is_tunnel_token,
};
pub use turn::{MAX_TURN_SERVERS, TurnAccess, TurnServer, TurnTransport};
pub use voice_source::{voice_owner, voice_sources};

//! The messages between client and server: CBOR (RFC 8949) over one WebSocket, versioned and limited in length.
//!
//! Client and server use this crate. It has no key, no clock and no socket. Everything that a participant sends to
//! another one is a [`Blob`]: ciphertext that the server orders and relays. docs/protocol.md describes these types.

pub mod descriptor;
mod envelope;
mod ids;
mod limits;
mod message;
mod reason;
mod signal;
pub mod signed;
mod track;

pub use envelope::{ClientMessage, Envelope, FromSfu, ServerMessage, ToSfu};
pub use ids::{Epoch, MeetingId, ParticipantId, Position, Slot, TrackId, UnknownId};
pub use limits::{
    MAX_BLOB, MAX_KNOCK, MAX_MEMBERS, MAX_MESSAGE, MAX_SDP, MAX_SIGNAL, MAX_TILES, MAX_TRACKS, MAX_WELCOMES, VERSION,
};
pub use message::{
    Blob, Down, Limited, LogEntry, Malformed, Problem, Refusal, Up, Welcome, decode, encode, is_sendable,
};
pub use reason::{Fault, Reason};
pub use signal::{ClientSignal, ServerSignal, decode_signal};
pub use track::{DemandedLayer, Kind, Published, SpatialLayer, Subscription, TileWish, Totals, TrackDemand};

//! What client and server say to each other: CBOR (RFC 8949) messages over one WebSocket, versioned and limited in length.
//!
//! Shared by both ends, so it holds no key, no clock and no socket. Everything that a participant says to another one is
//! a [`Blob`]: ciphertext that the server orders and relays. docs/protocol.md is the prose to these types.

pub mod descriptor;
mod ids;
mod limits;
mod message;
mod reason;
mod track;

pub use ids::{Epoch, MeetingId, ParticipantId, Position, Slot, TrackId, UnknownId};
pub use limits::{
    MAX_BLOB, MAX_KNOCK, MAX_MEMBERS, MAX_MESSAGE, MAX_SDP, MAX_TILES, MAX_TRACKS, MAX_WELCOMES, VERSION,
};
pub use message::{Blob, Down, Entry, Limited, Malformed, Problem, Refusal, Up, Welcome, decode, encode, is_sendable};
pub use reason::{Fault, Reason};
pub use track::{Kind, Published, SenderLayers, SpatialLayer, Subscription, TileWish, Totals, WantedLayer};

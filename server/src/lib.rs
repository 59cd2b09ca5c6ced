//! The companion server: orders a meeting's messages and relays its media, and can open neither.
//!
//! Two halves that share nothing but ids: the delivery service (TLS, WebSocket, a log for each meeting, the first commit of an
//! epoch wins) and the SFU (one UDP port, ICE-lite, layers chosen by Dependency Descriptor). Deliberately absent: any
//! cryptography of the meeting and any codec; arrows.rs of the tests keeps it so.

pub mod bench;
mod bucket;
mod config;
mod connection;
mod delivery;
#[doc(hidden)]
pub mod fuzz;
mod hub;
mod outbox;
mod server;
mod sfu;
mod tls;

pub use config::{Config, Limits};
pub use server::{Error, Server};

//! The companion server: orders a meeting's messages and forwards its media. It cannot decrypt them.
//!
//! Two state machines that share only ids: the delivery service ([`delivery`]: TLS, WebSocket, a log for each meeting,
//! the first commit of an epoch is accepted) and the SFU ([`sfu`]: UDP, ICE-lite; layers chosen by tile
//! size and bandwidth). Both are sans-IO; [`Server`] runs them on sockets. Deliberately absent: the cryptography of meetings,
//! and any codec.

pub mod addresses;
mod bucket;
mod config;
mod connection;
pub mod delivery;
mod delivery_task;
mod error;
mod listener;
mod media_access;
pub mod media_socket;
mod media_sockets;
mod media_thread;
mod media_threads;
mod meeting_store;
mod metered;
mod metrics_listener;
mod origin;
mod outbox;
#[doc(hidden)]
pub mod path_test;
mod queued_writer;
mod quota;
mod receive_queue;
mod receive_thread;
mod server;
pub mod sfu;
mod stop;
mod tls;
mod tunnel;
mod turn;

pub use config::{Config, Limits};
pub use error::Error;
#[doc(hidden)]
pub use metrics_listener::is_metrics_request;
pub use origin::Origin;
pub use queued_writer::{FlushGuard, Lines, QueuedWriter};
pub use server::Server;
pub use stop::Stop;
pub use turn::{TURN_VALIDITY, TurnConfig};

//! The network of a client: the state machines of the meeting and of the SFU, and the driver that moves bytes for both.
//!
//! It moves sealed frames only: no function here takes a picture.
//!
//! | module | contents |
//! |---|---|
//! | `session` | the handle that the program holds: [`Session`], [`start`] |
//! | `config`, `backends` | what a session starts with: [`Config`], [`Backends`] |
//! | `event`, `error` | what a session reports: [`Event`], [`Error`] |
//! | `driver` | the session's main task, which moves messages between the parts below |
//! | [`meeting`] | the state machine of the meeting: joining, members, keys |
//! | `keys_thread` | the thread that owns this state machine |
//! | [`sfu`] | the interface to an SFU, with a file for each dialect |
//! | `demand` | decides when the wishes of our tiles are sent to an SFU |
//! | `media_requests` | the program's requests about media |
//! | `frame_sender` | the queue of sealed frames from an encoder to the network |
//! | `signalling` | the connection to a server: TLS, WebSocket, CBOR |
//! | `tunnel` | the media tunnel over TLS, and the choice between it and UDP |
//! | `path_test` | the test of the path to a server before a meeting |
//! | `turn` | TURN servers over UDP, TCP and TLS |
//! | `peer` | a peer connection: session descriptions, streams, bandwidth |
//! | `rtp` | RTP packets: made from frames, retransmitted, assembled to frames |
//! | `socket_runtime` | a runtime for the WebRTC stack that wraps its UDP sockets |
//! | `task`, `random` | tasks of a session; random numbers that identify streams |

mod backends;
mod bandwidth;
mod config;
mod demand;
mod driver;
mod error;
mod event;
mod frame_sender;
mod keys_thread;
mod media_requests;
pub mod meeting;
mod migration;
mod path_overhead;
mod path_test;
mod peer;
mod random;
mod received_batch;
mod route;
#[doc(hidden)]
pub mod rtp;
mod session;
pub mod sfu;
mod signalling;
mod socket_runtime;
mod stun_integrity;
mod task;
#[cfg(test)]
mod testing;
mod tunnel;
mod turn;

pub use backends::Backends;
pub use bandwidth::{LastRates, Limits};
pub use config::Config;
pub use error::Error;
pub use event::{Event, MediaPath};
#[doc(hidden)]
pub use frame_sender::{FrameQueue, frame_sender};
pub use frame_sender::{FrameSender, Full};
#[doc(hidden)]
pub use migration::check::{Credentials as IceCredentials, transaction_of_answer};
pub use path_test::{PathFigures, PathReport, PathTestError, PathTestTarget, test_path, test_path_on};
pub use rtp::inbound_stats::InboundRtpStats;
pub use session::{Busy, MAX_COMMANDS, MAX_EVENTS, Session, start, start_with};
#[doc(hidden)]
pub use signalling::proxy::Answer as ProxyAnswer;
#[doc(hidden)]
pub use signalling::proxy::socks5;
pub use signalling::proxy::{InvalidProxyUrl, ProxyAuthenticator, ProxySettings, ProxyUrl};
#[doc(hidden)]
pub use signalling::read_page;
#[doc(hidden)]
pub use socket_runtime::SocketRuntime;
#[doc(hidden)]
pub use turn::{
    Authentication as TurnAuthentication, MessageDecoder as TurnMessageDecoder, encode_message as encode_turn_message,
};

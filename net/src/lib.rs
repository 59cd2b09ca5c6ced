//! The network of a client: the state machines of the meeting and of the SFU, and the driver that moves bytes for both.
//!
//! It moves sealed frames only: no function here takes a picture.

mod backends;
mod config;
mod driver;
mod error;
mod event;
mod frame_sender;
mod keys_thread;
mod media_requests;
pub mod meeting;
mod peer;
mod random;
#[doc(hidden)]
pub mod rtp;
mod session;
pub mod sfu;
mod signalling;
mod task;
#[cfg(test)]
mod testing;

pub use backends::Backends;
pub use config::Config;
pub use error::Error;
pub use event::Event;
#[doc(hidden)]
pub use frame_sender::{FrameQueue, frame_sender};
pub use frame_sender::{FrameSender, Full};
pub use session::{Busy, MAX_COMMANDS, MAX_EVENTS, Session, start, start_with};

//! The network of a client: the meeting's state machine, the SFU's, and the driver that moves bytes for both.
//!
//! Only sealed frames pass: there is no function here that takes a picture.

mod driver;
mod error;
pub mod meeting;
mod frame_sender;
mod peer;
mod random;
#[doc(hidden)]
pub mod rtp;
mod session;
pub mod sfu;
mod signalling;
#[cfg(test)]
mod testing;

pub use error::{Error, Fault};
pub use frame_sender::{Full, FrameSender};
pub use session::{Busy, Config, Event, MAX_EVENTS, Session, start, start_over};

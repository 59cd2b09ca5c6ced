//! The network of a client: the meeting's state machine, the SFU's, and the driver that moves bytes for both.
//!
//! Only sealed frames pass: there is no function here that takes a picture.

mod driver;
mod error;
mod frame_sender;
pub mod meeting;
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
pub use frame_sender::{FrameSender, Full};
#[doc(hidden)]
pub use frame_sender::{Queue, frame_sender};
pub use session::{Busy, Config, Event, MAX_EVENTS, Session, start, start_over};

//! The network of a client: the machine of the meeting, the dialect of the SFU, and the driver that moves bytes for both.
//!
//! Only sealed frames are sent: no function here takes a picture.

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
pub use session::{Busy, Config, Event, MAX_EVENTS, Session, start, start_over, start_with};

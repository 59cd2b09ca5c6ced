//! Raw and compressed media as plain values: frames, pools, mailboxes, queues, clock and units.
//!
//! All media crates depend on this one; it uses the standard library only. It contains no `unsafe`, device, codec or
//! socket. A frame is written once, frozen and shared by handle. Its buffer returns to the pool when the last handle is
//! dropped.

mod buffer;
mod clock;
mod encoded;
mod frame;
mod mailbox;
#[cfg(all(test, loom))]
mod models;
mod notify;
mod panic;
mod queue;
mod sync;
mod units;

pub use buffer::{Buffer, BufferPool, HEADROOM, NoRoom, TAILROOM};
pub use clock::Clock;
pub use encoded::{AudioCodec, Encoded, EncodedAudio, Layer, VideoCodec};
pub use frame::{Colour, Frame, FrameMut, Matrix, Plane, PlaneMut, PlaneRef, Pool};
pub use mailbox::Mailbox;
pub use notify::Notify;
pub use panic::{Panicked, catch_panic};
pub use queue::{ByteSize, Full, Receiver, Sender, bounded};
pub use units::{Bitrate, FrameRate, Level, Size, Timestamp};

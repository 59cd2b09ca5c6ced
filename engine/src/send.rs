//! What leaves this machine: pictures by layers, each on a thread of its own, and the voice.

mod layer;
mod pictures;
mod voice;

pub use pictures::{Open, Pictures, Report, announced};
pub use voice::Uplink;

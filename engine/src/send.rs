//! Sends pictures in layers, each layer on its own thread, and the voice.

mod frame_skipper;
mod layer;
mod load;
mod pictures;
mod report;
#[cfg(test)]
mod tests;
mod voice;

pub use pictures::{PictureSource, announced};
pub use report::Report;
pub use voice::VoiceSender;

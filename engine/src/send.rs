//! What leaves this machine: pictures in layers, each layer on its own thread, and the voice.
//!
//! Pictures reach the layers in `PictureSource::start` (`send/pictures.rs`): the source's thread offers each picture to
//! every layer.

mod frame_skipper;
mod grouping;
mod layer;
mod pictures;
mod report;
#[cfg(test)]
mod tests;
mod voice;

pub use pictures::{PictureSource, announced};
pub use report::Report;
pub use voice::VoiceSender;

//! The Dependency Descriptor: an unencrypted RTP header extension from which an SFU learns how frames depend on each
//! other. Source: RTP Payload Format For AV1, appendix A. The server reads nothing else of a frame.
//!
//! Client and server use the same reader and writer. The reader never panics on any bytes. It allocates only for a
//! structure, which comes with a key frame, and then memory for at most 64 templates.
//!
//! Our convention within the specification: each simulcast stream has its own structure, and its template ids begin at
//! eight times its spatial layer. So each packet identifies its layer.

mod array_vec;
mod bits;
mod fields;
mod reader;
mod structure;
mod writer;

pub use array_vec::ArrayVec;
pub use bits::{BitReader, BitWriter};
pub use fields::{FrameDiffs, MANDATORY_BYTES, Mandatory};
pub use reader::{Descriptor, Error};
pub use structure::{Indication, MAX_FRAME_DIFFS, Resolution, Structure, Template};
pub use writer::{DescriptorWriter, FrameDescriptor, PacketPosition, ScalabilityMode};

/// The URI of the extension in a session description.
pub const URI: &str = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

#[cfg(test)]
mod tests;

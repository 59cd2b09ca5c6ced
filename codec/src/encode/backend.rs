//! The interface of the encoders: software, hardware, and those for tests.

use crate::layer::Content;
use crate::rate::EncoderTarget;
use crate::{BoxError, backends};
use media::{Bitrate, Buffer, BufferPool, Frame, FrameRate, Size, VideoCodec};

/// The configuration of an encoder.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The format.
    pub codec: VideoCodec,
    /// The size of the compressed picture, at least 16 samples each way. An odd side loses its last row or column.
    pub size: Size,
    /// The expected frame rate, in frames per second.
    pub rate: FrameRate,
    /// The target bitrate.
    pub bitrate: Bitrate,
    /// The number of temporal layers, 1..=3. A back-end that supports fewer uses fewer.
    pub temporal_layers: u8,
    /// The content of the pictures.
    pub content: Content,
    /// The spatial layer of the pictures.
    pub spatial: u8,
}

/// A compressed picture of a back-end.
#[derive(Debug)]
pub struct Packet {
    /// NAL units, each after its length in 4 big-endian bytes. Key frames contain their parameter sets.
    pub payload: Buffer,
    /// The temporal layer.
    pub temporal: u8,
    /// True if the picture references no other.
    pub key: bool,
    /// True if no other picture references it.
    pub discardable: bool,
}

/// An encoder. It is created, used and dropped on one thread.
pub trait Backend: Send {
    /// Returns the name for logs and messages.
    fn name(&self) -> &'static str;

    /// Returns its configuration, with an even size and its current number of temporal layers.
    fn config(&self) -> &Config;

    /// Compresses a picture of exactly [`Backend::config`]'s size, or one that is a row or column larger: a key frame
    /// if `key` is set. Returns `None` if it skips this picture.
    ///
    /// # Errors
    /// Returns the reason if the back-end is broken. Then another one replaces it.
    fn encode(&mut self, frame: &Frame, key: bool, pool: &BufferPool) -> Result<Option<Packet>, BoxError>;

    /// Sets the target from the next picture on. Encodes no temporal layer above `max_temporal`, and at most as many as
    /// at the start. A back-end that cannot change its temporal layers while running restarts with a key frame.
    ///
    /// # Errors
    /// Returns the reason if the back-end is broken. Then another one replaces it.
    fn set_target(&mut self, target: EncoderTarget) -> Result<(), BoxError>;
}

/// An encoder of a table.
pub type Candidate = backends::Candidate<Config, dyn Backend>;

/// Returns a size without its odd row and column: 4:2:0 cropping counts in pairs.
pub(super) fn even(size: Size) -> Size {
    Size::new(size.width & !1, size.height & !1)
}

//! Compressed media on its way between a codec and the sealer: still in clear, so it never reaches the network.

use crate::{Buffer, ByteSize, Level, Size, Timestamp};

/// How a picture is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    /// ITU-T H.264. Payloads are NAL units, each behind its length in 4 big-endian bytes; key frames carry SPS and PPS.
    H264,
}

/// How sound is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AudioCodec {
    /// RFC 6716 at 48 kHz.
    Opus,
}

/// Where a picture stands among the layers of its track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Layer {
    /// 0 is the smallest picture.
    pub spatial: u8,
    /// 0 is what every other temporal layer builds on.
    pub temporal: u8,
}

/// One compressed picture of one layer.
#[derive(Debug)]
pub struct Encoded {
    /// How the payload is compressed.
    pub codec: VideoCodec,
    /// Which layer it belongs to.
    pub layer: Layer,
    /// The picture's size.
    pub size: Size,
    /// True where it can be decoded without any other.
    pub key: bool,
    /// True where no other picture builds on it.
    pub discardable: bool,
    /// The source's number of this picture, the same on every layer.
    pub number: u64,
    /// When the source saw it.
    pub captured: Timestamp,
    /// The bitstream.
    pub payload: Buffer,
}

/// One compressed stretch of sound, 20 ms unless said otherwise.
#[derive(Debug)]
pub struct EncodedAudio {
    /// How the payload is compressed.
    pub codec: AudioCodec,
    /// Position of the first sample at 48 kHz since the track began; gaps are silence that was not sent.
    pub position: u64,
    /// Samples a channel in the payload.
    pub samples: u16,
    /// When the first sample was heard.
    pub captured: Timestamp,
    /// True while somebody speaks.
    pub voice: bool,
    /// How loud it is.
    pub level: Level,
    /// The bitstream.
    pub payload: Buffer,
}

impl ByteSize for Encoded {
    fn byte_size(&self) -> usize {
        self.payload.len()
    }
}

impl ByteSize for EncodedAudio {
    fn byte_size(&self) -> usize {
        self.payload.len()
    }
}

//! Compressed but unencrypted media, between a codec and the sealer. It never reaches the network.

use crate::{Buffer, ByteSize, Level, Size, Timestamp};

/// A video codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    /// ITU-T H.264. A payload is a sequence of NAL units, each after its length in 4 big-endian bytes. Key frames
    /// contain SPS and PPS.
    H264,
}

/// An audio codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AudioCodec {
    /// Opus (RFC 6716) at 48 kHz.
    Opus,
}

/// The spatial and temporal layer of a picture within its track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Layer {
    /// Spatial layer; 0 has the smallest size.
    pub spatial: u8,
    /// Temporal layer; 0 is the base layer.
    pub temporal: u8,
}

/// One compressed picture of one layer.
#[derive(Debug)]
pub struct Encoded {
    /// How the payload is compressed.
    pub codec: VideoCodec,
    /// The layer that it belongs to.
    pub layer: Layer,
    /// The picture's size.
    pub size: Size,
    /// True if it can be decoded without any other picture.
    pub key: bool,
    /// True if no other picture references it.
    pub discardable: bool,
    /// The source's frame number, the same on every layer.
    pub number: u64,
    /// Capture time.
    pub captured: Timestamp,
    /// The bitstream.
    pub payload: Buffer,
}

/// One compressed packet of audio, usually 20 ms.
#[derive(Debug)]
pub struct EncodedAudio {
    /// How the payload is compressed.
    pub codec: AudioCodec,
    /// The position of the first sample, in samples at 48 kHz since the track began. A gap between packets is silence
    /// that was not sent.
    pub position: u64,
    /// Samples per channel in the payload.
    pub samples: u16,
    /// Capture time of the first sample.
    pub captured: Timestamp,
    /// True if voice activity was detected.
    pub voice: bool,
    /// The audio level.
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

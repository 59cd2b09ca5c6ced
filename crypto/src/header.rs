//! Sealed frames, and the metadata that the network sees.

use media::{Buffer, ByteSize, Layer, Size};
use proto::Slot;
use std::time::Instant;

/// The unencrypted metadata of a frame, sent in the packet headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The slot of the track.
    pub slot: Slot,
    /// The layer. Zero for audio.
    pub layer: Layer,
    /// The picture size. Zero for audio.
    pub size: Size,
    /// True for a key frame.
    pub key: bool,
    /// True if no other picture references this one.
    pub discardable: bool,
    /// The RTP timestamp: the capture time at 90 kHz for pictures, the low 32 bits of the position for audio. Receivers
    /// use the encrypted capture time instead, because an SFU may rewrite this one.
    pub rtp_time: u32,
    /// True if the packet contains speech.
    pub voice: bool,
}

/// An encrypted frame. Only a [`crate::Sealer`] creates one.
#[derive(Debug)]
pub struct Sealed {
    header: Header,
    bytes: Buffer,
}

impl Sealed {
    pub(crate) fn new(header: Header, bytes: Buffer) -> Self {
        Self { header, bytes }
    }

    /// Returns the unencrypted metadata.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the encrypted bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the encrypted bytes, for the packetizer.
    pub fn into_bytes(self) -> Buffer {
        self.bytes
    }
}

/// A frame assembled from packets, not authenticated yet.
#[derive(Debug)]
pub struct ReceivedFrame {
    /// The metadata from the packet headers.
    pub header: Header,
    /// The encrypted bytes.
    pub bytes: Buffer,
    /// The Dependency Descriptor's frame number, unwrapped by the receiver, from 0 on.
    pub sequence: u64,
    /// The time when the last packet arrived. The grace period of an epoch counts from the arrival, not from
    /// decryption.
    pub received: Instant,
}

impl ByteSize for Sealed {
    fn byte_size(&self) -> usize {
        self.bytes.len()
    }
}

impl ByteSize for ReceivedFrame {
    fn byte_size(&self) -> usize {
        self.bytes.len()
    }
}

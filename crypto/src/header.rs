//! What the network may know about a frame, and a sealed frame itself.

use media::{Buffer, ByteSize, Layer, Size};
use proto::Slot;
use std::time::Instant;

/// What stands outside the seal, for packets to carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Which of the sender's tracks.
    pub slot: Slot,
    /// Which layer of it; zero for sound.
    pub layer: Layer,
    /// The picture's size; zero for sound.
    pub size: Size,
    /// True where the picture can be decoded without any other.
    pub key: bool,
    /// True where no other picture builds on it.
    pub discardable: bool,
    /// For packets only: 90 kHz of the capture time for pictures, low 32 bits of the position for sound. Receivers take
    /// the time from inside the seal, because a relay may rewrite this one.
    pub rtp_time: u32,
    /// True while somebody speaks.
    pub voice: bool,
}

/// A frame that only participants can read. Only a [`crate::Sealer`] makes one.
#[derive(Debug)]
pub struct Sealed {
    header: Header,
    bytes: Buffer,
}

impl Sealed {
    pub(crate) fn new(header: Header, bytes: Buffer) -> Self {
        Self { header, bytes }
    }

    /// What packets carry in clear.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The frame on the wire.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The frame on the wire, to be cut into packets.
    pub fn into_bytes(self) -> Buffer {
        self.bytes
    }
}

/// A frame put together from packets. Nothing about it is authentic yet.
#[derive(Debug)]
pub struct ReceivedFrame {
    /// As the packets said.
    pub header: Header,
    /// The frame on the wire.
    pub bytes: Buffer,
    /// The Dependency Descriptor's frame number, unwrapped by the receiver, from 0 on.
    pub sequence: u64,
    /// When it was whole, by the receiver's own clock: keys are owed to what came in their time, however long it waits.
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

//! Cuts sealed frames into RTP packets. It never looks for structure in ciphertext: a frame is a run of bytes, cut into
//! pieces of equal size; where frames begin and end is told by the Dependency Descriptor.

use super::descriptor::{Describer, Part, Shape};
use bytes::Bytes;
use crypto::{Header, Sealed};
use media::Buffer;
use rtc::rtp;

/// Ids of header extensions, as the session description gives them; `None` for one that was not agreed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// `urn:ietf:params:rtp-hdrext:sdes:mid` (RFC 9143).
    pub mid: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id` (RFC 8852).
    pub rid: Option<u8>,
    /// [`super::descriptor::URI`].
    pub descriptor: Option<u8>,
}

/// What the packets of one stream have in common.
#[derive(Clone, Debug)]
pub struct Labels {
    /// The stream's source.
    pub ssrc: u32,
    /// The payload type agreed on.
    pub payload_type: u8,
    /// The media description it belongs to.
    pub mid: Bytes,
    /// Which simulcast stream it is; `None` for sound.
    pub rid: Option<Bytes>,
    /// Ids of the header extensions.
    pub extensions: Extensions,
}

/// Packets of one simulcast stream, or of sound.
#[derive(Debug)]
pub struct Packetizer {
    labels: Labels,
    describer: Option<Describer>,
    sequence: u16,
    known: bool,
}

impl Packetizer {
    /// A stream of sound. `sequence` is its first number, random by RFC 3550, section 5.1.
    pub fn audio(labels: Labels, sequence: u16) -> Self {
        Self { labels, describer: None, sequence, known: false }
    }

    /// A stream of pictures of the spatial layer `spatial`.
    pub fn video(labels: Labels, sequence: u16, spatial: u8, shape: Shape) -> Self {
        Self { labels, describer: Some(Describer::new(spatial, shape)), sequence, known: false }
    }

    /// The stream's source.
    pub fn ssrc(&self) -> u32 {
        self.labels.ssrc
    }

    /// The receiver has answered for this source: it no longer needs to be told in each packet which stream it is.
    pub fn acknowledge(&mut self) {
        self.known = true;
    }

    /// The packets of one frame. None for a picture that builds on one that was never sent, and for an empty frame.
    ///
    /// Timestamps have no random offset: they are the capture clock's, the same on all layers, so that a relay may go
    /// from one layer to another without touching them. SRTP keeps RFC 3550's other reason for the offset.
    pub fn packets(&mut self, frame: Sealed) -> Vec<rtp::Packet> {
        let header = *frame.header();
        let described = match &mut self.describer {
            None => None,
            Some(describer) => match describer.describe(header.layer, header.key, header.size) {
                None => return Vec::new(),
                described => described,
            },
        };
        let whole = Bytes::from_owner(Owned(frame.into_bytes()));
        let count =
            if described.is_some() { whole.len().div_ceil(MOST_PAYLOAD) } else { usize::from(!whole.is_empty()) };
        let step = whole.len().div_ceil(count.max(1));
        let mut packets = Vec::with_capacity(count);
        for index in 0..count {
            let part = Part { first: index == 0, last: index + 1 == count };
            let payload = whole.slice(index * step..whole.len().min((index + 1) * step));
            let descriptor = self
                .describer
                .as_ref()
                .zip(described.as_ref())
                .map(|(describer, described)| Bytes::from(describer.bytes(described, part)));
            packets.push(rtp::Packet { header: self.header(&header, part, descriptor), payload });
        }
        packets
    }

    fn header(&mut self, frame: &Header, part: Part, descriptor: Option<Bytes>) -> rtp::Header {
        let mut header = rtp::Header {
            version: 2,
            marker: descriptor.is_some() && part.last,
            payload_type: self.labels.payload_type,
            sequence_number: self.sequence,
            timestamp: frame.rtp_time,
            ssrc: self.labels.ssrc,
            ..rtp::Header::default()
        };
        self.sequence = self.sequence.wrapping_add(1);
        let Extensions { mid, rid, descriptor: descriptor_id } = self.labels.extensions;
        // The descriptor goes first: it may be long enough to need the two-byte form (RFC 8285, section 4.3).
        set(&mut header, descriptor_id, descriptor);
        // A key frame's first packet always says what it is, for a receiver that has forgotten.
        if !self.known || (frame.key && part.first && self.describer.is_some()) {
            set(&mut header, mid, Some(self.labels.mid.clone()));
            set(&mut header, rid, self.labels.rid.clone());
        }
        header
    }
}

fn set(header: &mut rtp::Header, id: Option<u8>, value: Option<Bytes>) {
    if let (Some(id), Some(value)) = (id, value)
        && let Err(error) = header.set_extension(id, value)
    {
        tracing::debug!(id, %error, "header extension left out");
    }
}

/// Lends a pooled buffer to packets: it goes home when the last of them is dropped.
struct Owned(Buffer);

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Bytes of a frame in one packet: with all headers and the longest descriptor it stays below 1,200, which every path
/// of today's Internet carries whole.
pub const MOST_PAYLOAD: usize = 1_100;

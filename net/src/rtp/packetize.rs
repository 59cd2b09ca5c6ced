//! Cuts sealed frames into RTP packets. It never looks for structure in ciphertext: a frame is a run of bytes, cut into
//! pieces of equal size; where frames begin and end is told by the Dependency Descriptor.

use super::bits::Writer;
use super::descriptor::{Describer, Part, Shape};
use bytes::Bytes;
use crypto::{Header, Sealed};
use media::Buffer;
use rtc::rtp;
use std::ops::Range;

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
    /// Where descriptors are written.
    writer: Writer,
}

impl Packetizer {
    /// A stream of sound. `sequence` is its first number, random by RFC 3550, section 5.1.
    pub fn audio(labels: Labels, sequence: u16) -> Self {
        Self { labels, describer: None, sequence, known: false, writer: Writer::default() }
    }

    /// A stream of pictures of the spatial layer `spatial`.
    pub fn video(labels: Labels, sequence: u16, spatial: u8, shape: Shape) -> Self {
        let describer = Some(Describer::new(spatial, shape));
        Self { labels, describer, sequence, known: false, writer: Writer::default() }
    }

    /// The stream's source.
    pub fn ssrc(&self) -> u32 {
        self.labels.ssrc
    }

    /// The receiver has answered for this source: it no longer needs to be told in each packet which stream it is.
    pub fn acknowledge(&mut self) {
        self.known = true;
    }

    /// Adds the packets of one frame to `packets`. None for a picture that builds on one that was never sent, and for an
    /// empty frame. They share the frame's buffer, descriptors included; besides, the transport's types want one owner for
    /// it and a list of extensions for each packet.
    ///
    /// Timestamps have no random offset: they are the capture clock's, the same on all layers, so that a relay may go
    /// from one layer to another without touching them. SRTP keeps RFC 3550's other reason for the offset.
    pub fn packets(&mut self, frame: Sealed, packets: &mut Vec<rtp::Packet>) {
        let header = *frame.header();
        let mut bytes = frame.into_bytes();
        let length = bytes.len();
        let count = if self.describer.is_some() { length.div_ceil(MAX_PAYLOAD) } else { usize::from(length > 0) };
        let Some(descriptors) = self.describe(&header, count, &mut bytes) else { return };
        let whole = Bytes::from_owner(Owned(bytes));
        let step = length.div_ceil(count.max(1));
        for index in 0..count {
            let part = Part { first: index == 0, last: index + 1 == count };
            let payload = whole.slice(index * step..length.min((index + 1) * step));
            let descriptor = Some(whole.slice(descriptors.of(part))).filter(|descriptor| !descriptor.is_empty());
            packets.push(rtp::Packet { header: self.header(&header, part, descriptor), payload });
        }
    }

    /// Writes the descriptors of a frame of `count` packets behind its bytes; those of sound are empty. `None` where the
    /// frame cannot be described.
    fn describe(&mut self, frame: &Header, count: usize, bytes: &mut Buffer) -> Option<Descriptors> {
        let Some(describer) = &mut self.describer else { return Some(Descriptors::default()) };
        let picture = describer.describe(frame.layer, frame.key, frame.size)?;
        let mut write = |part: Part| {
            self.writer.clear();
            describer.write(&picture, part, &mut self.writer);
            let start = bytes.len();
            bytes.append(self.writer.as_bytes());
            start..bytes.len()
        };
        Some(Descriptors {
            first: write(Part { first: true, last: count == 1 }),
            inner: write(Part { first: false, last: false }),
            last: write(Part { first: false, last: true }),
        })
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

/// Where the descriptors of one frame's packets lie.
#[derive(Default)]
struct Descriptors {
    first: Range<usize>,
    inner: Range<usize>,
    last: Range<usize>,
}

impl Descriptors {
    fn of(&self, part: Part) -> Range<usize> {
        match part {
            Part { first: true, .. } => self.first.clone(),
            Part { last: true, .. } => self.last.clone(),
            Part { .. } => self.inner.clone(),
        }
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
pub const MAX_PAYLOAD: usize = 1_100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::rtp_receiver::extension;
    use crate::testing::Seal;

    fn packets(packetizer: &mut Packetizer, frame: Sealed) -> Vec<rtp::Packet> {
        let mut packets = Vec::new();
        packetizer.packets(frame, &mut packets);
        packets
    }

    fn packetizer() -> Packetizer {
        let extensions = Extensions { mid: Some(1), rid: Some(2), descriptor: Some(3) };
        let labels = Labels {
            ssrc: 9,
            payload_type: 102,
            mid: Bytes::from_static(b"4"),
            rid: Some(Bytes::from_static(b"1")),
            extensions,
        };
        Packetizer::video(labels, 65_535, 1, Shape::L1T3)
    }

    #[test]
    fn a_frame_is_cut_into_equal_pieces_that_make_it_again() {
        let (mut packetizer, seal) = (packetizer(), Seal::new());
        for length in [1, 1_000, 1_101, 5_000, 100_000] {
            let frame = seal.picture(1, 0, true, length);
            let sealed = frame.bytes().to_vec();
            let packets = packets(&mut packetizer, frame);
            assert_eq!(packets.len(), sealed.len().div_ceil(MAX_PAYLOAD));
            let joined: Vec<u8> = packets.iter().flat_map(|packet| packet.payload.iter().copied()).collect();
            assert_eq!(joined, sealed);
            let lengths: Vec<_> = packets.iter().map(|packet| packet.payload.len()).collect();
            assert!(lengths.windows(2).all(|pair| pair[0] >= pair[1]) && lengths[0] <= MAX_PAYLOAD);
            let markers = packets.iter().filter(|packet| packet.header.marker).count();
            assert!(markers == 1 && packets.last().unwrap().header.marker);
        }
    }

    #[test]
    fn a_stream_says_its_name_until_it_is_known_and_at_every_key_frame() {
        let (mut packetizer, seal) = (packetizer(), Seal::new());
        let named =
            |packet: &rtp::Packet| extension(&packet.header, 1).is_some() && extension(&packet.header, 2).is_some();
        let key = packets(&mut packetizer, seal.picture(1, 0, true, 3_000));
        assert!(key.len() == 3 && key.iter().all(named));
        assert_eq!((key[0].header.sequence_number, key[1].header.sequence_number), (65_535, 0));
        packetizer.acknowledge();
        assert!(!packets(&mut packetizer, seal.picture(1, 2, false, 100)).iter().any(named));
        let key = packets(&mut packetizer, seal.picture(1, 0, true, 3_000));
        assert_eq!(key.iter().map(named).collect::<Vec<_>>(), [true, false, false]);
        assert!(key.iter().all(|packet| extension(&packet.header, 3).is_some()));
    }

    #[test]
    fn a_packet_stays_below_what_every_path_carries() {
        use rtc::shared::marshal::MarshalSize;
        let (mut packetizer, seal) = (packetizer(), Seal::new());
        let packets = packets(&mut packetizer, seal.picture(1, 0, true, 50_000));
        // Transport-wide sequence number (4) and the GCM tag (16) come later; 28 for UDP over IPv4.
        assert!(packets.iter().all(|packet| packet.marshal_size() + 4 + 16 + 28 < 1_200));
    }

    #[test]
    fn nothing_is_sent_before_a_key_frame() {
        let (mut packetizer, seal) = (packetizer(), Seal::new());
        assert!(packets(&mut packetizer, seal.picture(1, 1, false, 100)).is_empty());
        assert_eq!(packets(&mut packetizer, seal.picture(1, 0, true, 100)).len(), 1);
    }
}

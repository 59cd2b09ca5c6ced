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
        let picture = match &mut self.describer {
            None => None,
            Some(describer) => match describer.describe(header.layer, header.key, header.size) {
                None => return Vec::new(),
                picture => picture,
            },
        };
        let whole = Bytes::from_owner(Owned(frame.into_bytes()));
        let count = if picture.is_some() { whole.len().div_ceil(MOST_PAYLOAD) } else { usize::from(!whole.is_empty()) };
        let step = whole.len().div_ceil(count.max(1));
        let mut packets = Vec::with_capacity(count);
        for index in 0..count {
            let part = Part { first: index == 0, last: index + 1 == count };
            let payload = whole.slice(index * step..whole.len().min((index + 1) * step));
            let descriptor = self
                .describer
                .as_ref()
                .zip(picture.as_ref())
                .map(|(describer, picture)| Bytes::from(describer.bytes(picture, part)));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::intake::extension;
    use crate::testing::Seal;

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
            let packets = packetizer.packets(frame);
            assert_eq!(packets.len(), sealed.len().div_ceil(MOST_PAYLOAD));
            let joined: Vec<u8> = packets.iter().flat_map(|packet| packet.payload.iter().copied()).collect();
            assert_eq!(joined, sealed);
            let lengths: Vec<_> = packets.iter().map(|packet| packet.payload.len()).collect();
            assert!(lengths.windows(2).all(|pair| pair[0] >= pair[1]) && lengths[0] <= MOST_PAYLOAD);
            let markers = packets.iter().filter(|packet| packet.header.marker).count();
            assert!(markers == 1 && packets.last().unwrap().header.marker);
        }
    }

    #[test]
    fn a_stream_says_its_name_until_it_is_known_and_at_every_key_frame() {
        let (mut packetizer, seal) = (packetizer(), Seal::new());
        let named =
            |packet: &rtp::Packet| extension(&packet.header, 1).is_some() && extension(&packet.header, 2).is_some();
        let key = packetizer.packets(seal.picture(1, 0, true, 3_000));
        assert!(key.len() == 3 && key.iter().all(named));
        assert_eq!((key[0].header.sequence_number, key[1].header.sequence_number), (65_535, 0));
        packetizer.acknowledge();
        assert!(!packetizer.packets(seal.picture(1, 2, false, 100)).iter().any(named));
        let key = packetizer.packets(seal.picture(1, 0, true, 3_000));
        assert_eq!(key.iter().map(named).collect::<Vec<_>>(), [true, false, false]);
        assert!(key.iter().all(|packet| extension(&packet.header, 3).is_some()));
    }

    #[test]
    fn a_packet_stays_below_what_every_path_carries() {
        use rtc::shared::marshal::MarshalSize;
        let (mut packetizer, seal) = (packetizer(), Seal::new());
        let packets = packetizer.packets(seal.picture(1, 0, true, 50_000));
        // Transport-wide sequence number (4) and the GCM tag (16) come later; 28 for UDP over IPv4.
        assert!(packets.iter().all(|packet| packet.marshal_size() + 4 + 16 + 28 < 1_200));
    }

    #[test]
    fn nothing_is_sent_before_a_key_frame() {
        let (mut packetizer, seal) = (packetizer(), Seal::new());
        assert!(packetizer.packets(seal.picture(1, 1, false, 100)).is_empty());
        assert_eq!(packetizer.packets(seal.picture(1, 0, true, 100)).len(), 1);
    }
}

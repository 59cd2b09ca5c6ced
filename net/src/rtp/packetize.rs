//! Splits sealed frames into RTP packets of equal size. The last one may be shorter. The payload is ciphertext, so it
//! does not show where a frame begins and ends. The Dependency Descriptor marks the first and the last packet of each
//! frame.

use bytes::Bytes;
use crypto::{Header, Sealed};
use media::Buffer;
use proto::descriptor::{BitWriter, DescriptorWriter, PacketPosition, Resolution, ScalabilityMode};
use rtc::rtp;
use std::ops::Range;

/// Ids of header extensions in the session description. `None` for an extension that was not negotiated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// `urn:ietf:params:rtp-hdrext:sdes:mid` (RFC 9143).
    pub mid: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id` (RFC 8852).
    pub rid: Option<u8>,
    /// [`proto::descriptor::URI`].
    pub descriptor: Option<u8>,
    /// The audio level with its voice-activity bit (RFC 6464).
    pub audio_level: Option<u8>,
}

/// The negotiated parameters of one stream.
#[derive(Clone, Debug)]
pub struct StreamParameters {
    /// The SSRC.
    pub ssrc: u32,
    /// The payload type.
    pub payload_type: u8,
    /// The mid of the media description.
    pub mid: Bytes,
    /// The RID of the simulcast stream; `None` for audio.
    pub rid: Option<Bytes>,
    /// Ids of the header extensions.
    pub extensions: Extensions,
}

/// Creates the packets of one simulcast stream, or of an audio stream.
#[derive(Debug)]
pub struct Packetizer {
    parameters: StreamParameters,
    /// `None` for audio.
    descriptors: Option<DescriptorWriter>,
    /// The next sequence number.
    sequence: u16,
    /// True after the receiver has reported the SSRC.
    acknowledged: bool,
    /// Scratch memory for descriptors.
    bits: BitWriter,
}

impl Packetizer {
    /// Returns a packetizer for audio. `sequence` is the first sequence number, which is random (RFC 3550, section
    /// 5.1).
    pub fn audio(parameters: StreamParameters, sequence: u16) -> Self {
        Self { parameters, descriptors: None, sequence, acknowledged: false, bits: BitWriter::default() }
    }

    /// Returns a packetizer for the spatial layer `spatial` of a video track.
    pub fn video(parameters: StreamParameters, sequence: u16, spatial: u8, mode: ScalabilityMode) -> Self {
        let descriptors = Some(DescriptorWriter::new(spatial, mode));
        Self { parameters, descriptors, sequence, acknowledged: false, bits: BitWriter::default() }
    }

    /// Returns the SSRC.
    pub fn ssrc(&self) -> u32 {
        self.parameters.ssrc
    }

    /// Omits MID and RID from most packets from now on, because the receiver has reported the SSRC.
    pub fn acknowledge(&mut self) {
        self.acknowledged = true;
    }

    /// Appends the packets of one frame to `packets`. Appends none for an empty frame, or for one that depends on a
    /// frame that was not sent. The packets share the frame's buffer, to which the descriptors are appended. Allocates
    /// one owner for that buffer, and a list of extensions for each packet, as the stack's types require.
    ///
    /// A packet of sound has the voice-activity bit, by which an SFU finds out who speaks. Its level is always that of silence,
    /// so that it reveals no more.
    ///
    /// Timestamps have no random offset (RFC 3550, section 5.1). They come from the capture clock and are the same on
    /// all layers, so that an SFU can change layers without rewriting them. SRTP protects against the attack for which
    /// the offset exists.
    pub fn packets(&mut self, frame: Sealed, packets: &mut Vec<rtp::Packet>) {
        let header = *frame.header();
        let mut bytes = frame.into_bytes();
        let length = bytes.len();
        let count = if self.descriptors.is_some() { length.div_ceil(MAX_PAYLOAD) } else { usize::from(length > 0) };
        let Some(descriptors) = self.describe(&header, count, &mut bytes) else { return };
        let whole = Bytes::from_owner(Owned(bytes));
        let step = length.div_ceil(count.max(1));
        for index in 0..count {
            let position = PacketPosition { first: index == 0, last: index + 1 == count };
            let payload = whole.slice(index * step..length.min((index + 1) * step));
            let descriptor = Some(whole.slice(descriptors.of(position))).filter(|descriptor| !descriptor.is_empty());
            packets.push(rtp::Packet { header: self.header(&header, position, descriptor), payload });
        }
    }

    /// Appends the descriptors of a frame of `count` packets to its bytes, and returns their ranges. Audio has none.
    /// Returns `None` if the frame cannot be described.
    fn describe(&mut self, frame: &Header, count: usize, bytes: &mut Buffer) -> Option<Descriptors> {
        let Some(writer) = &mut self.descriptors else { return Some(Descriptors::default()) };
        let described = if frame.key {
            writer.key_frame(Resolution { width: frame.size.width, height: frame.size.height })
        } else {
            writer.delta_frame(frame.layer.temporal)?
        };
        let mut write = |first: bool, last: bool| {
            self.bits.clear();
            writer.write(&described, PacketPosition { first, last }, &mut self.bits);
            let start = bytes.len();
            bytes.append(self.bits.as_bytes());
            start..bytes.len()
        };
        Some(Descriptors { first: write(true, count == 1), inner: write(false, false), last: write(false, true) })
    }

    fn header(&mut self, frame: &Header, position: PacketPosition, descriptor: Option<Bytes>) -> rtp::Header {
        let mut header = rtp::Header {
            version: 2,
            marker: descriptor.is_some() && position.last,
            payload_type: self.parameters.payload_type,
            sequence_number: self.sequence,
            timestamp: frame.rtp_time,
            ssrc: self.parameters.ssrc,
            ..rtp::Header::default()
        };
        self.sequence = self.sequence.wrapping_add(1);
        let Extensions { mid, rid, descriptor: descriptor_id, audio_level } = self.parameters.extensions;
        // The descriptor is set first: its length decides between the one-byte and the two-byte form (RFC 8285, section
        // 4.3).
        set(&mut header, descriptor_id, descriptor);
        if self.descriptors.is_none() {
            set(&mut header, audio_level, Some(Bytes::from_static(if frame.voice { &[VOICE] } else { &[NO_VOICE] })));
        }
        // The first packet of a key frame always carries them, in case the receiver has restarted and lost them.
        if !self.acknowledged || (frame.key && position.first && self.descriptors.is_some()) {
            set(&mut header, mid, Some(self.parameters.mid.clone()));
            set(&mut header, rid, self.parameters.rid.clone());
        }
        header
    }
}

/// The ranges of the descriptors of one frame in its buffer.
#[derive(Default)]
struct Descriptors {
    first: Range<usize>,
    inner: Range<usize>,
    last: Range<usize>,
}

impl Descriptors {
    fn of(&self, position: PacketPosition) -> Range<usize> {
        match position {
            PacketPosition { first: true, .. } => self.first.clone(),
            PacketPosition { last: true, .. } => self.last.clone(),
            PacketPosition { .. } => self.inner.clone(),
        }
    }
}

fn set(header: &mut rtp::Header, id: Option<u8>, value: Option<Bytes>) {
    if let (Some(id), Some(value)) = (id, value)
        && let Err(error) = header.set_extension(id, value)
    {
        tracing::debug!(id, %error, "header extension omitted");
    }
}

/// A pooled buffer that packets share. It returns to its pool when the last packet is dropped.
struct Owned(Buffer);

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The audio level of a packet with speech, and of another one: the bit, and the level of silence (RFC 6464, section 3).
const VOICE: u8 = 0xff;
const NO_VOICE: u8 = 0x7f;

/// The largest payload in bytes. With all headers and the longest descriptor a packet stays below 1,200 bytes, which
/// every usual path carries without fragmentation.
pub const MAX_PAYLOAD: usize = 1_100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::rtp_receiver::extension;
    use crate::testing::TestSealer;

    fn packets(packetizer: &mut Packetizer, frame: Sealed) -> Vec<rtp::Packet> {
        let mut packets = Vec::new();
        packetizer.packets(frame, &mut packets);
        packets
    }

    fn packetizer() -> Packetizer {
        let extensions = Extensions { mid: Some(1), rid: Some(2), descriptor: Some(3), audio_level: None };
        let parameters = StreamParameters {
            ssrc: 9,
            payload_type: 102,
            mid: Bytes::from_static(b"4"),
            rid: Some(Bytes::from_static(b"1")),
            extensions,
        };
        Packetizer::video(parameters, 65_535, 1, ScalabilityMode::L1T3)
    }

    #[test]
    fn a_frame_is_split_into_equal_payloads_that_join_to_it() {
        let (mut packetizer, seal) = (packetizer(), TestSealer::new());
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
    fn mid_and_rid_are_sent_until_acknowledged_and_with_each_key_frame() {
        let (mut packetizer, seal) = (packetizer(), TestSealer::new());
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
    fn a_packet_stays_below_1200_bytes() {
        use rtc::shared::marshal::MarshalSize;
        let (mut packetizer, seal) = (packetizer(), TestSealer::new());
        let packets = packets(&mut packetizer, seal.picture(1, 0, true, 50_000));
        // Added later: the transport-wide sequence number (4 bytes), the GCM tag (16), and the headers of UDP and IPv4
        // (28).
        assert!(packets.iter().all(|packet| packet.marshal_size() + 4 + 16 + 28 < 1_200));
    }

    #[test]
    fn nothing_is_sent_before_a_key_frame() {
        let (mut packetizer, seal) = (packetizer(), TestSealer::new());
        assert!(packets(&mut packetizer, seal.picture(1, 1, false, 100)).is_empty());
        assert_eq!(packets(&mut packetizer, seal.picture(1, 0, true, 100)).len(), 1);
    }
}

//! The sending end of one slot: a transceiver, and a packetizer for each of its simulcast streams.
//!
//! A stream is opened once per session. Video always has three simulcast streams in the description,
//! used or not, so that it never has to change.

use super::error::Error;
use super::stack;
use crate::random;
use crate::rtp::description::Section;
use crate::rtp::packetize::{Packetizer, StreamParameters};
use bytes::Bytes;
use crypto::Sealed;
use proto::descriptor::ScalabilityMode;
use proto::{Kind, Slot};
use rtc::media_stream::MediaStreamTrack;
use rtc::rtp;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpRtxParameters, RtpCodecKind,
};
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::PeerConnection;
use webrtc::rtp_transceiver::RtpTransceiver;

/// The sending end of one slot.
pub struct SendStream {
    slot: Slot,
    kind: Kind,
    transceiver: Arc<dyn RtpTransceiver>,
    track: Arc<TrackLocalStaticRTP>,
    /// The source of each layer.
    sources: Vec<u32>,
    /// Empty until an answer has said which ids to use.
    streams: Mutex<Vec<Packetizer>>,
}

impl SendStream {
    /// Adds a transceiver for `slot`.
    ///
    /// # Errors
    /// Returns [`Error`] if the stack refuses.
    pub async fn open(connection: &dyn PeerConnection, slot: Slot, kind: Kind) -> Result<Self, Error> {
        let layers = match kind {
            Kind::Audio => 1,
            Kind::Video => VIDEO_LAYERS,
        };
        let sources: Vec<u32> = (0..layers).map(|_| random::ssrc()).collect();
        let track = Arc::new(TrackLocalStaticRTP::new(media_track(slot, kind, &sources)));
        let init = RTCRtpTransceiverInit {
            direction: RTCRtpTransceiverDirection::Sendonly,
            streams: Vec::new(),
            send_encodings: Vec::new(),
        };
        let local: Arc<dyn TrackLocal> = Arc::clone(&track) as Arc<dyn TrackLocal>;
        let transceiver = connection.add_transceiver_from_track(local, Some(init)).await?;
        Ok(Self { slot, kind, transceiver, track, sources, streams: Mutex::default() })
    }

    /// Its `mid`; empty before the first offer.
    ///
    /// # Errors
    /// Returns [`Error`] if the connection is closed.
    pub async fn mid(&self) -> Result<String, Error> {
        Ok(self.transceiver.mid().await?.unwrap_or_default())
    }

    /// Takes what the first answer says. Later ones say the same.
    pub fn agree(&self, section: &Section) {
        let mut streams = self.streams();
        let Some(payload_type) = section.payload_types.first().copied().filter(|_| streams.is_empty()) else { return };
        // Screens have one temporal layer: openh264 has no more for them.
        let mode = if self.slot == Slot::Screen { ScalabilityMode::L1T1 } else { ScalabilityMode::L1T3 };
        for (spatial, ssrc) in (0u8..).zip(&self.sources) {
            let parameters = StreamParameters {
                ssrc: *ssrc,
                payload_type,
                mid: Bytes::copy_from_slice(section.mid.as_bytes()),
                rid: (self.kind == Kind::Video).then(|| Bytes::from(rid(spatial))),
                extensions: section.extensions,
            };
            let [_, _, high, low] = random::number().to_be_bytes();
            let first = u16::from_be_bytes([high, low]);
            streams.push(match self.kind {
                Kind::Audio => Packetizer::audio(parameters, first),
                Kind::Video => Packetizer::video(parameters, first, spatial, mode),
            });
        }
    }

    /// Cuts a frame into packets and sends them, one after the other. Waits while the stack takes no packet, so that frames
    /// queue before this call and not in the stack. Returns the number of packets: 0 if the frame depends on one that was not
    /// sent, or if its layer does not exist. `packets` is scratch memory, which the caller keeps between calls.
    pub async fn send(&self, frame: Sealed, packets: &mut Vec<rtp::Packet>) -> usize {
        self.packets(frame, packets);
        let count = packets.len();
        for packet in packets.drain(..) {
            if let Err(error) = self.track.write_rtp(packet).await {
                tracing::debug!(slot = ?self.slot, %error, "packet not sent");
            }
        }
        count
    }

    /// The other side knows `ssrc`.
    pub fn acknowledge(&self, ssrc: u32) {
        self.streams().iter_mut().filter(|stream| stream.ssrc() == ssrc).for_each(Packetizer::acknowledge);
    }

    /// The source of `layer`.
    pub fn source(&self, layer: u8) -> Option<u32> {
        self.sources.get(usize::from(layer)).copied()
    }

    /// Which layer's source `ssrc` is.
    pub fn layer_of(&self, ssrc: u32) -> Option<u8> {
        self.sources.iter().position(|source| *source == ssrc).and_then(|layer| u8::try_from(layer).ok())
    }

    fn packets(&self, frame: Sealed, packets: &mut Vec<rtp::Packet>) {
        let layer = usize::from(frame.header().layer.spatial);
        if let Some(stream) = self.streams().get_mut(layer) {
            stream.packets(frame, packets);
        }
    }

    fn streams(&self) -> MutexGuard<'_, Vec<Packetizer>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn media_track(slot: Slot, kind: Kind, sources: &[u32]) -> MediaStreamTrack {
    let (codec, codec_kind) = match kind {
        Kind::Audio => (stack::audio(), RtpCodecKind::Audio),
        Kind::Video => (stack::video(), RtpCodecKind::Video),
    };
    let encoding = |(spatial, ssrc): (u8, &u32)| RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            rid: if kind == Kind::Video { rid(spatial) } else { String::new() },
            ssrc: Some(*ssrc),
            rtx: (kind == Kind::Video).then(|| RTCRtpRtxParameters { ssrc: random::ssrc() }),
            fec: None,
        },
        active: true,
        codec: codec.clone(),
        ..RTCRtpEncodingParameters::default()
    };
    let encodings = (0u8..).zip(sources).map(encoding).collect();
    // The names say nothing about who sends: they are seen by the server.
    let name = format!("{slot:?}").to_lowercase();
    MediaStreamTrack::new("conclave".into(), name.clone(), name, codec_kind, encodings)
}

/// The simulcast stream's name of a layer (RFC 8851).
fn rid(spatial: u8) -> String {
    spatial.to_string()
}

/// Simulcast streams in every description of pictures.
const VIDEO_LAYERS: usize = 3;

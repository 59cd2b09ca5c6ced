//! The sending end of one slot: a transceiver, and a packetizer for each of its simulcast streams.
//!
//! A stream is opened once per session. Video always has three simulcast streams in the session description, used or
//! not, so that the description never has to change.

use super::error::Error;
use super::estimate::StreamIdentifiers;
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
    /// The SSRC of each layer.
    ssrcs: Vec<u32>,
    /// Empty until the first answer, which names the payload type and the extension ids.
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
        let ssrcs: Vec<u32> = (0..layers).map(|_| random::ssrc()).collect();
        let track = Arc::new(TrackLocalStaticRTP::new(media_track(slot, kind, &ssrcs)));
        let init = RTCRtpTransceiverInit {
            direction: RTCRtpTransceiverDirection::Sendonly,
            streams: Vec::new(),
            send_encodings: Vec::new(),
        };
        let local: Arc<dyn TrackLocal> = Arc::clone(&track) as Arc<dyn TrackLocal>;
        let transceiver = connection.add_transceiver_from_track(local, Some(init)).await?;
        Ok(Self { slot, kind, transceiver, track, ssrcs, streams: Mutex::default() })
    }

    /// Returns its `mid`, which is empty before the first offer.
    ///
    /// # Errors
    /// Returns [`Error`] if the connection is closed.
    pub async fn mid(&self) -> Result<String, Error> {
        Ok(self.transceiver.mid().await?.unwrap_or_default())
    }

    /// Creates the packetizers by the first answer. Later answers have the same parameters, so they change nothing.
    pub fn agree(&self, section: &Section) {
        let mut streams = self.streams();
        let Some(payload_type) = section.payload_types.first().copied().filter(|_| streams.is_empty()) else { return };
        // Screens have one temporal layer, because openh264 supports no more for them.
        let mode = if self.slot == Slot::Screen { ScalabilityMode::L1T1 } else { ScalabilityMode::L1T3 };
        for (spatial, ssrc) in (0u8..).zip(&self.ssrcs) {
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

    /// Splits a frame into packets and sends them. Waits while the stack accepts no packet, so that frames queue in the
    /// bounded queue before this call and not in the stack. Returns the number of packets: 0 if the frame depends on
    /// one that was not sent, or if its layer does not exist. `packets` is scratch memory, which the caller keeps
    /// between calls.
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

    /// Records that the remote side has received packets with `ssrc`.
    pub fn acknowledge(&self, ssrc: u32) {
        self.streams().iter_mut().filter(|stream| stream.ssrc() == ssrc).for_each(Packetizer::acknowledge);
    }

    /// Returns the identifiers of the smallest layer of video, which `section` of the answer describes. Returns `None` for sound.
    pub fn identifiers(&self, section: &Section) -> Option<StreamIdentifiers> {
        let ssrc = self.source(0).filter(|_| self.kind == Kind::Video)?;
        Some(StreamIdentifiers { ssrc, mid: Bytes::copy_from_slice(section.mid.as_bytes()), rid: Bytes::from(rid(0)) })
    }

    /// Returns the SSRC of `layer`.
    pub fn source(&self, layer: u8) -> Option<u32> {
        self.ssrcs.get(usize::from(layer)).copied()
    }

    /// Returns the layer that is sent with `ssrc`.
    pub fn layer_of(&self, ssrc: u32) -> Option<u8> {
        self.ssrcs.iter().position(|source| *source == ssrc).and_then(|layer| u8::try_from(layer).ok())
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

fn media_track(slot: Slot, kind: Kind, ssrcs: &[u32]) -> MediaStreamTrack {
    let (codec, codec_kind) = match kind {
        Kind::Audio => (stack::audio(), RtpCodecKind::Audio),
        Kind::Video => (stack::video(), RtpCodecKind::Video),
    };
    let encoding = |(spatial, ssrc): (u8, &u32)| RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            rid: if kind == Kind::Video { rid(spatial) } else { String::new() },
            ssrc: Some(*ssrc),
            // The stack declares no SSRC for the retransmissions of audio. The interceptor chooses one.
            rtx: (kind == Kind::Video).then(|| RTCRtpRtxParameters { ssrc: random::ssrc() }),
            fec: None,
        },
        active: true,
        codec: codec.clone(),
        ..RTCRtpEncodingParameters::default()
    };
    let encodings = (0u8..).zip(ssrcs).map(encoding).collect();
    // The names do not identify the sender, because the server sees them.
    let name = format!("{slot:?}").to_lowercase();
    MediaStreamTrack::new("conclave".into(), name.clone(), name, codec_kind, encodings)
}

/// Returns the RID of a layer's simulcast stream (RFC 8851).
fn rid(spatial: u8) -> String {
    spatial.to_string()
}

/// The number of simulcast streams of a video track.
const VIDEO_LAYERS: usize = 3;

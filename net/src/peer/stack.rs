//! How the WebRTC stack is set up: codecs, header extensions, transports, interceptors.

use super::estimate::Estimator;
use super::interceptor::RtpInterceptor;
use proto::descriptor;
use rtc::interceptor::{CongestionControlBuilder, Registry, Slot as Position, TwccReceiverBuilder, TwccSenderBuilder};
use rtc::peer_connection::configuration::interceptor_registry::configure_rtcp_reports;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_H264, MIME_TYPE_OPUS, MIME_TYPE_RTX, MediaEngine};
use rtc::peer_connection::configuration::setting_engine::{SettingEngine, SettingEngineBuilder};
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use rtc::shared::error::Error;
use std::net::IpAddr;
use std::time::Duration;
use webrtc::peer_connection::SrtpProtectionProfile;

/// The codec name under which sealed pictures go. An SFU knows it; what is inside is not for it to see.
pub fn video() -> RTCRtpCodec {
    let feedback = |typ: &str, parameter: &str| RTCPFeedback { typ: typ.into(), parameter: parameter.into() };
    RTCRtpCodec {
        mime_type: MIME_TYPE_H264.into(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f".into(),
        rtcp_feedback: vec![
            feedback("nack", ""),
            feedback("nack", "pli"),
            feedback("ccm", "fir"),
            feedback("transport-cc", ""),
        ],
    }
}

/// Sound.
pub fn audio() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.into(),
        clock_rate: 48_000,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".into(),
        rtcp_feedback: vec![RTCPFeedback { typ: "transport-cc".into(), parameter: String::new() }],
    }
}

/// The codecs and header extensions that we offer.
pub fn media() -> Result<MediaEngine, Error> {
    let mut engine = MediaEngine::default();
    let repair = RTCRtpCodec {
        mime_type: MIME_TYPE_RTX.into(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: format!("apt={VIDEO}"),
        rtcp_feedback: Vec::new(),
    };
    for (codec, payload_type, kind) in [
        (audio(), AUDIO, RtpCodecKind::Audio),
        (video(), VIDEO, RtpCodecKind::Video),
        (repair, REPAIR, RtpCodecKind::Video),
    ] {
        engine.register_codec(RTCRtpCodecParameters { rtp_codec: codec, payload_type }, kind)?;
    }
    for (uri, kinds) in [
        ("urn:ietf:params:rtp-hdrext:sdes:mid", &[RtpCodecKind::Audio, RtpCodecKind::Video][..]),
        (TRANSPORT_CC, &[RtpCodecKind::Audio, RtpCodecKind::Video]),
        ("urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", &[RtpCodecKind::Video]),
        ("urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id", &[RtpCodecKind::Video]),
        (descriptor::URI, &[RtpCodecKind::Video]),
    ] {
        for kind in kinds {
            let extension = RTCRtpHeaderExtensionCapability { uri: uri.into() };
            engine.register_header_extension(extension, *kind, None)?;
        }
    }
    Ok(engine)
}

/// The transports: the strongest cipher first, no name service for our addresses.
pub fn settings(address: IpAddr) -> SettingEngine {
    SettingEngineBuilder::new()
        .with_srtp_protection_profiles(vec![
            SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
        ])
        .with_multicast_dns_mode(rtc::ice::mdns::MulticastDnsMode::Disabled)
        .with_include_loopback_candidate(address.is_loopback())
        .with_ice_connection_attempts(Some(CHECK_INTERVAL), Some(MAX_CHECKS))
        .build()
}

/// The chain that every packet goes through. Reports and transport-wide feedback are the stack's; repair is ours.
///
/// No pacer: it would hold frames back to the stock estimator's slow start. The encoders follow the estimate instead.
pub fn interceptors(interceptor: RtpInterceptor, estimator: Estimator) -> Registry {
    configure_rtcp_reports(Registry::new())
        .with(Position::CongestionControl, CongestionControlBuilder::new(estimator).build())
        .with(Position::TwccSender, TwccSenderBuilder::new().build())
        .with(Position::TwccReceiver, TwccReceiverBuilder::new().build())
        .with(Position::from(APPLICATION_SIDE), interceptor)
}

/// Transport-wide congestion control (draft-holmer-rmcat-transport-wide-cc-extensions-01).
const TRANSPORT_CC: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

/// Between two connectivity checks: RFC 8445, section 14.2, allows no less. The stack's 200 ms would be most of the wait.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// Checks without an answer before a path is given up: ten seconds.
const MAX_CHECKS: u16 = 200;

/// Payload type of sound.
const AUDIO: u8 = 111;

/// Payload type of pictures.
const VIDEO: u8 = 102;

/// Payload type of pictures sent again.
const REPAIR: u8 = 103;

/// Behind all interceptors of the stack, as seen from the network.
const APPLICATION_SIDE: usize = 13_500;

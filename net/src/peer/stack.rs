//! The configuration of the WebRTC stack: codecs, header extensions, transports, interceptors.

use super::estimate::Estimator;
use super::interceptor::RtpInterceptor;
use super::with_rtx::WithRtx;
use crate::rtp::description::AUDIO_LEVEL;
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

/// Returns the codec that is declared for sealed pictures. An SFU has to know the codec's name, but cannot read the
/// payload.
pub fn video() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_H264.into(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f".into(),
        rtcp_feedback: vec![
            rtcp_feedback("nack", ""),
            rtcp_feedback("nack", "pli"),
            rtcp_feedback("ccm", "fir"),
            rtcp_feedback("transport-cc", ""),
        ],
    }
}

/// Returns the codec that is declared for sealed audio.
pub fn audio() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.into(),
        clock_rate: 48_000,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".into(),
        rtcp_feedback: vec![rtcp_feedback("nack", ""), rtcp_feedback("transport-cc", "")],
    }
}

fn rtcp_feedback(typ: &str, parameter: &str) -> RTCPFeedback {
    RTCPFeedback { typ: typ.into(), parameter: parameter.into() }
}

/// Returns the codecs and header extensions that we offer.
pub fn media() -> Result<MediaEngine, Error> {
    let mut engine = MediaEngine::default();
    let rtx = |mime_type: &str, clock_rate, media_payload_type| RTCRtpCodec {
        mime_type: mime_type.into(),
        clock_rate,
        channels: 0,
        sdp_fmtp_line: format!("apt={media_payload_type}"),
        rtcp_feedback: Vec::new(),
    };
    for (codec, payload_type, kind) in [
        (audio(), AUDIO_PAYLOAD_TYPE, RtpCodecKind::Audio),
        (rtx(MIME_TYPE_AUDIO_RTX, 48_000, AUDIO_PAYLOAD_TYPE), AUDIO_RTX_PAYLOAD_TYPE, RtpCodecKind::Audio),
        (video(), VIDEO_PAYLOAD_TYPE, RtpCodecKind::Video),
        (rtx(MIME_TYPE_RTX, 90_000, VIDEO_PAYLOAD_TYPE), RTX_PAYLOAD_TYPE, RtpCodecKind::Video),
    ] {
        engine.register_codec(RTCRtpCodecParameters { rtp_codec: codec, payload_type }, kind)?;
    }
    for (uri, kinds) in [
        ("urn:ietf:params:rtp-hdrext:sdes:mid", &[RtpCodecKind::Audio, RtpCodecKind::Video][..]),
        (AUDIO_LEVEL, &[RtpCodecKind::Audio]),
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

/// Returns the settings of the transports: the strongest cipher first, and no mDNS names instead of addresses.
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
        .with_ice_timeouts(None, None, Some(KEEPALIVE_INTERVAL))
        // TURN servers are set only if no other candidate works, so relay candidates need not wait for others.
        .with_relay_acceptance_min_wait(Some(Duration::ZERO))
        .build()
}

/// Returns the chain that every packet goes through. RTCP reports and transport-wide feedback are the stack's; the
/// estimator, the pacer and retransmission are ours. The pacer is part of our interceptor, because the stack's has no
/// priorities and no probes. Packets that the stack's other interceptors create are RTCP, which is not paced.
pub fn interceptors(interceptor: RtpInterceptor, estimator: Estimator) -> Registry {
    configure_rtcp_reports(Registry::new())
        .with(Position::CongestionControl, WithRtx(CongestionControlBuilder::new(estimator).build()))
        .with(Position::TwccSender, WithRtx(TwccSenderBuilder::new().build()))
        .with(Position::TwccReceiver, TwccReceiverBuilder::new().with_interval(FEEDBACK_INTERVAL).build())
        .with(Position::from(APPLICATION_SIDE), interceptor)
}

/// Transport-wide congestion control (draft-holmer-rmcat-transport-wide-cc-extensions-01).
pub const TRANSPORT_CC: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

/// The interval of the transport-wide feedback to the SFU. A link that suddenly becomes narrow fills its queue in less, so a longer
/// interval would delay the reaction further. It takes about 12 kbit/s.
const FEEDBACK_INTERVAL: Duration = Duration::from_millis(50);

/// The interval between two connectivity checks. The stack nominates a pair and begins the DTLS handshake only when the next
/// check is due, so joining takes two intervals longer than the packets need. RFC 8445, section 14.2, allows 5 ms and
/// recommends 50 ms, which is for many candidates; there is one for each address of the server. Until the first answer, each
/// takes 50 kbit/s.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// The interval between two checks of a path that works. The stack regards it as interrupted if none is answered in five
/// seconds. With its two seconds, that happens several times a minute if 30 % of the packets are lost.
const KEEPALIVE_INTERVAL: Duration = Duration::from_millis(500);

/// The number of checks without an answer before a path fails: twenty seconds, so that the media tunnel can still be opened
/// after several attempts.
const MAX_CHECKS: u16 = 1_000;

/// The payload type of audio.
const AUDIO_PAYLOAD_TYPE: u8 = 111;

/// The codec of retransmitted audio, as the stack names it when it reads a session description.
const MIME_TYPE_AUDIO_RTX: &str = "audio/rtx";

/// The payload type of retransmitted audio.
const AUDIO_RTX_PAYLOAD_TYPE: u8 = 112;

/// The payload type of video.
const VIDEO_PAYLOAD_TYPE: u8 = 102;

/// The payload type of retransmitted video.
const RTX_PAYLOAD_TYPE: u8 = 103;

/// The position next to the application, after all interceptors of the stack.
const APPLICATION_SIDE: usize = 13_500;

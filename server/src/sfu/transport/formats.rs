//! The formats of all transports.

use str0m::RtcConfig;
use str0m::format::{Codec, FormatParams};
use str0m::media::{Frequency, Pt};

/// Adds Opus with retransmission, which [`RtcConfig::enable_opus`] does not have. On a short path a retransmission arrives
/// in time to be played.
pub fn add_sound(config: &mut RtcConfig) {
    let format = FormatParams { min_p_time: Some(10), use_inband_fec: Some(true), ..FormatParams::default() };
    let (opus, repair) = (Pt::from(SOUND_PAYLOAD_TYPE), Some(Pt::from(SOUND_RTX_PAYLOAD_TYPE)));
    config.codec_config().add_config(opus, repair, Codec::Opus, Frequency::FORTY_EIGHT_KHZ, Some(2), format);
}

/// The payload types of sound and of its retransmissions if a client leaves them to the server. Clients choose their own.
const SOUND_PAYLOAD_TYPE: u8 = 111;
const SOUND_RTX_PAYLOAD_TYPE: u8 = 112;

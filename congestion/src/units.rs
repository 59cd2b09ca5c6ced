//! Conversions between units and the numbers that formulas use.

use media::Bitrate;

/// The bits of a full packet.
pub const PACKET_BITS: f64 = 9_600.0;

/// Returns a bitrate as a number of bits per second.
#[expect(clippy::cast_precision_loss, reason = "bitrates are far below 2^52")]
pub fn bps(rate: Bitrate) -> f64 {
    rate.as_bps() as f64
}

/// Returns the bitrate of `bits` per second. Zero if `bits` is negative or not a number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, and the sign is dropped")]
pub fn bitrate(bits: f64) -> Bitrate {
    Bitrate::bps(bits.max(0.0) as u64)
}

/// Returns a count as a number for formulas. A count above 32 bits is lowered to the largest of 32 bits.
pub fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

//! The Opus decoder of the jitter buffer.

use crate::jitter::{Decode, Frame};
use codec::opus::{Decoder, Error};

/// One remote's decoder.
pub struct Voice {
    decoder: Decoder,
}

impl Voice {
    /// Returns a new decoder.
    ///
    /// # Errors
    /// Returns the errors of [`Decoder::new`].
    pub fn new() -> Result<Self, Error> {
        Ok(Self { decoder: Decoder::new()? })
    }
}

impl Decode for Voice {
    fn decode(&mut self, packet: &[u8], out: &mut Frame) -> bool {
        match self.decoder.decode(Some(packet), out) {
            Ok(()) => true,
            Err(error) => {
                tracing::debug!(%error, "packet not decoded");
                self.conceal(out);
                false
            }
        }
    }

    fn recover(&mut self, successor: &[u8], out: &mut Frame) -> bool {
        carries_copy(successor) && self.decoder.decode_fec(successor, out).is_ok()
    }

    fn conceal(&mut self, out: &mut [f32]) {
        if self.decoder.conceal(out).is_err() {
            out.fill(0.0);
        }
    }
}

/// Returns true if a packet of 20 ms of one channel contains in-band FEC for the previous packet. This is the LBRR flag
/// of the SILK layer. It follows the voice-activity flag (RFC 6716, section 4.2.3), and each flag takes one bit of the
/// first byte because the range coder gives both values the same probability.
fn carries_copy(packet: &[u8]) -> bool {
    let [header, first, ..] = packet else { return false };
    let (configuration, stereo, frames) = (header >> 3, header & 0b100 != 0, header & 0b11);
    TWENTY_MS_WITH_SILK.contains(&configuration) && !stereo && frames == 0 && first & 0b0100_0000 != 0
}

/// The configurations with 20 ms and a SILK layer (RFC 6716, table 2): SILK in three bandwidths, hybrid in two.
const TWENTY_MS_WITH_SILK: [u8; 5] = [1, 5, 9, 13, 15];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PACKET;
    use codec::opus::Encoder;
    use media::BufferPool;

    fn vowel(packet: usize) -> Frame {
        std::array::from_fn(|index| {
            let time = (packet * PACKET + index) as f32 / 48_000.0;
            let pitch = 2.0 * std::f32::consts::PI * 140.0 * time + (5.0 * time).sin();
            (0.5 + 0.3 * (20.0 * time).sin())
                * 0.3
                * (pitch.sin() + 0.5 * (2.0 * pitch).sin() + 0.3 * (7.0 * pitch).sin())
        })
    }

    #[test]
    fn packets_with_in_band_fec_are_recognised() {
        let (pool, mut encoder) = (BufferPool::new(2), Encoder::new().unwrap());
        let mut copies = 0;
        for number in 0..50 {
            let packet = encoder.encode(&vowel(number), &pool).unwrap().unwrap();
            copies += usize::from(carries_copy(&packet));
        }
        assert!(copies > 25, "{copies} of 50 packets of a voice carry a copy");
        encoder.set_loss(0).unwrap();
        (0..3).for_each(|number| drop(encoder.encode(&vowel(number), &pool)));
        let packet = encoder.encode(&vowel(3), &pool).unwrap().unwrap();
        assert!(!carries_copy(&packet), "nothing is lost, so nothing is copied");
    }

    #[test]
    fn any_bytes_decode_to_finite_samples() {
        assert!(!carries_copy(&[]));
        for first in 0..=255 {
            assert!(!carries_copy(&[first]));
            let mut out = [0.0; PACKET];
            let mut voice = Voice::new().unwrap();
            voice.decode(&[first, 0xFF, 0x55, 3], &mut out);
            voice.recover(&[first, 0xFF, 0x55, 3], &mut out);
            assert!(out.iter().all(|sample| sample.is_finite()));
        }
    }
}

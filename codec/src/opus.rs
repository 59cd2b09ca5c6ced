//! Opus (RFC 6716) at 48 kHz, mono, in packets of 20 ms.
//!
//! A lost packet is restored from the in-band FEC data of the next packet. If that is lost, too, the decoder conceals
//! the loss. DTX sends almost nothing during silence.

use ::opus::{Application, Channels};
use media::{Bitrate, Buffer, BufferPool};

/// Samples per second.
pub const SAMPLE_RATE: u32 = 48_000;

/// Samples per packet: 20 ms.
pub const SAMPLES: usize = 960;

/// The reason why a packet could not be encoded or decoded. The codec accepts the next packet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller passed a number of samples other than [`SAMPLES`].
    #[error("{0} samples instead of {SAMPLES}")]
    Samples(usize),
    /// The packet is empty, too long, or not 20 ms long.
    #[error("not an Opus packet of 20 ms")]
    Packet,
    /// libopus returned an error.
    #[error("libopus: {0}")]
    Library(#[from] ::opus::Error),
}

/// Encodes the audio of one microphone.
pub struct Encoder {
    inner: ::opus::Encoder,
    scratch: [u8; MAX_PACKET_BYTES],
}

impl Encoder {
    /// Returns an encoder for speech with FEC and DTX.
    ///
    /// # Errors
    /// Returns [`Error::Library`] if memory is exhausted.
    pub fn new() -> Result<Self, Error> {
        let mut inner = ::opus::Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip)?;
        inner.set_bitrate(::opus::Bitrate::Bits(DEFAULT_BITRATE))?;
        inner.set_inband_fec(true)?;
        inner.set_packet_loss_perc(EXPECTED_LOSS)?;
        inner.set_dtx(true)?;
        inner.set_complexity(COMPLEXITY)?;
        Ok(Self { inner, scratch: [0; MAX_PACKET_BYTES] })
    }

    /// Encodes 20 ms of samples in -1.0..=1.0. Returns `None` during silence (DTX). Then nothing is sent, and the
    /// receiver conceals.
    ///
    /// # Errors
    /// Returns [`Error::Samples`] unless there are exactly [`SAMPLES`] samples, and [`Error::Library`] if libopus
    /// fails.
    pub fn encode(&mut self, samples: &[f32], pool: &BufferPool) -> Result<Option<Buffer>, Error> {
        if samples.len() != SAMPLES {
            return Err(Error::Samples(samples.len()));
        }
        let length = self.inner.encode_float(samples, &mut self.scratch)?;
        // A packet of one or two bytes repeats the previous state and need not be sent (RFC 6716 section 2.1.9).
        let packet = (length > MAX_DTX_BYTES).then(|| {
            // Room for the longest packet, so that the copies of earlier packets fit without growing the buffer.
            let mut packet = pool.take(MAX_PACKET_BYTES);
            packet.append(&self.scratch[..length]);
            packet
        });
        Ok(packet)
    }

    /// Sets the target bitrate.
    ///
    /// # Errors
    /// Returns [`Error::Library`] outside 500 bit/s..=512 kbit/s.
    pub fn set_bitrate(&mut self, bitrate: Bitrate) -> Result<(), Error> {
        let bits = i32::try_from(bitrate.as_bps()).unwrap_or(i32::MAX);
        self.inner.set_bitrate(::opus::Bitrate::Bits(bits))?;
        Ok(())
    }

    /// Sets the expected packet loss. A higher loss increases the share of the FEC data.
    ///
    /// # Errors
    /// Returns [`Error::Library`] above 100.
    pub fn set_loss(&mut self, percent: u8) -> Result<(), Error> {
        self.inner.set_packet_loss_perc(i32::from(percent))?;
        Ok(())
    }
}

/// Decodes the audio of one participant.
pub struct Decoder {
    inner: ::opus::Decoder,
}

impl Decoder {
    /// Returns a decoder.
    ///
    /// # Errors
    /// Returns [`Error::Library`] if memory is exhausted.
    pub fn new() -> Result<Self, Error> {
        Ok(Self { inner: ::opus::Decoder::new(SAMPLE_RATE, Channels::Mono)? })
    }

    /// Decodes a received packet. `None` is a lost packet, as in [`Decoder::conceal`].
    ///
    /// # Errors
    /// Returns [`Error::Packet`] if the packet is not 20 ms of Opus, and [`Error::Library`] if it is damaged. Then
    /// `out` is undefined.
    pub fn decode(&mut self, packet: Option<&[u8]>, out: &mut [f32; SAMPLES]) -> Result<(), Error> {
        match packet {
            Some(packet) => self.run(packet, out, false),
            None => self.conceal(out),
        }
    }

    /// Conceals the loss of as many samples as `out` has: 10 or 20 ms. Repeated calls fade out.
    ///
    /// # Errors
    /// Returns [`Error::Library`] for other lengths.
    pub fn conceal(&mut self, out: &mut [f32]) -> Result<(), Error> {
        // libopus conceals a loss if the packet is empty.
        self.inner.decode_float(&[], out, false)?;
        Ok(())
    }

    /// Restores a lost packet from the FEC data in its successor, or conceals it if there is no FEC data. The caller
    /// decodes the successor itself afterwards.
    ///
    /// # Errors
    /// Returns the errors of [`Decoder::decode`].
    pub fn decode_fec(&mut self, successor: &[u8], out: &mut [f32; SAMPLES]) -> Result<(), Error> {
        self.run(successor, out, true)
    }

    fn run(&mut self, packet: &[u8], out: &mut [f32; SAMPLES], fec: bool) -> Result<(), Error> {
        if packet.is_empty() || packet.len() > MAX_PACKET_BYTES || self.inner.get_nb_samples(packet)? != SAMPLES {
            return Err(Error::Packet);
        }
        match self.inner.decode_float(packet, out, fec)? {
            SAMPLES => Ok(()),
            _ => Err(Error::Packet),
        }
    }
}

/// The default bitrate: enough for clear speech with FEC data.
const DEFAULT_BITRATE: i32 = 32_000;

/// The expected loss in percent while the loss is unknown. It is enough for libopus to add FEC data.
const EXPECTED_LOSS: i32 = 10;

/// The complexity of encoding, 0..=10. Above 8 the difference is inaudible for speech and costs CPU time.
const COMPLEXITY: i32 = 8;

/// The maximum packet of 20 ms: a frame of 1275 bytes and one byte before it (RFC 6716 section 3.4).
const MAX_PACKET_BYTES: usize = 1_276;

/// Packets up to this length contain no audio.
const MAX_DTX_BYTES: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a voice-like sound: syllables of 80 ms with varying pitch and overtones.
    fn voice(packet: usize) -> [f32; SAMPLES] {
        std::array::from_fn(|index| {
            #[expect(clippy::cast_precision_loss, reason = "a few seconds of samples")]
            let time = (packet * SAMPLES + index) as f32 / SAMPLE_RATE as f32;
            let syllable = f32::from(u8::try_from(packet / SYLLABLE * 7 % 5).expect("under five"));
            let pitch = 2.0 * std::f32::consts::PI * (110.0 + 40.0 * syllable) * time;
            0.2 * (pitch.sin() + 0.5 * (2.0 * pitch).sin() + 0.3 * ((5.0 + syllable) * pitch).sin())
        })
    }

    const SYLLABLE: usize = 4;

    fn packets(count: usize) -> Vec<Buffer> {
        let (pool, mut encoder) = (BufferPool::new(4), Encoder::new().unwrap());
        (0..count).map(|number| encoder.encode(&voice(number), &pool).unwrap().expect("a voice is sent")).collect()
    }

    fn energy(samples: &[f32]) -> f32 {
        samples.iter().map(|sample| sample * sample).sum()
    }

    /// Decodes a stream in which `repair` replaces packet `lost`. Returns the energy of the error relative to the same
    /// stream without loss.
    fn error_after(lost: usize, repair: impl Fn(&mut Decoder, &[u8], &mut [f32; SAMPLES])) -> f32 {
        let packets = packets(lost + 2);
        let (mut complete, mut lossy) = (Decoder::new().unwrap(), Decoder::new().unwrap());
        let (mut truth, mut heard) = ([0.0; SAMPLES], [0.0; SAMPLES]);
        for packet in &packets[..=lost] {
            complete.decode(Some(packet), &mut truth).unwrap();
        }
        for packet in &packets[..lost] {
            lossy.decode(Some(packet), &mut heard).unwrap();
        }
        repair(&mut lossy, &packets[lost + 1], &mut heard);
        let error: Vec<f32> = truth.iter().zip(&heard).map(|(truth, heard)| truth - heard).collect();
        energy(&error) / energy(&truth)
    }

    #[test]
    fn a_voice_is_decoded_with_its_energy() {
        let mut decoder = Decoder::new().unwrap();
        let mut out = [0.0; SAMPLES];
        for packet in packets(20) {
            decoder.decode(Some(&packet), &mut out).unwrap();
        }
        let ratio = energy(&out) / energy(&voice(19));
        assert!((0.5..2.0).contains(&ratio), "{ratio}");
    }

    #[test]
    fn silence_is_not_sent_and_later_speech_is() {
        let (pool, mut encoder) = (BufferPool::new(4), Encoder::new().unwrap());
        let silence = [0.0; SAMPLES];
        let sent = (0..100).filter(|_| encoder.encode(&silence, &pool).unwrap().is_some()).count();
        assert!(sent < 30, "{sent} of 100 silent packets were sent");
        let sent = (0..10).filter(|number| encoder.encode(&voice(*number), &pool).unwrap().is_some()).count();
        assert_eq!(sent, 10);
    }

    #[test]
    fn fec_restores_a_lost_packet_better_than_concealment() {
        // Concealment cannot predict the first packet of a syllable.
        let onsets = || (20..60).step_by(SYLLABLE);
        let concealed: f32 =
            onsets().map(|lost| error_after(lost, |decoder, _, out| decoder.conceal(out).unwrap())).sum();
        let restored: f32 =
            onsets().map(|lost| error_after(lost, |decoder, next, out| decoder.decode_fec(next, out).unwrap())).sum();
        assert!(restored < concealed * 0.7, "restored {restored}, concealed {concealed}");
    }

    #[test]
    fn repeated_concealment_fades_out() {
        let mut decoder = Decoder::new().unwrap();
        let mut out = [0.0; SAMPLES];
        for packet in packets(20) {
            decoder.decode(Some(&packet), &mut out).unwrap();
        }
        let before = energy(&out);
        decoder.decode(None, &mut out).unwrap();
        assert!(energy(&out) > before * 0.05);
        (0..50).for_each(|_| decoder.conceal(&mut out).unwrap());
        assert!(energy(&out) < before * 0.01, "{} of {before}", energy(&out));
    }

    #[test]
    fn invalid_packets_are_errors_and_the_decoder_continues() {
        let good = packets(3);
        let mut decoder = Decoder::new().unwrap();
        let mut out = [0.0; SAMPLES];
        assert!(matches!(decoder.decode(Some(&[]), &mut out), Err(Error::Packet)));
        assert!(decoder.decode(Some(&[0xFF; 1_400]), &mut out).is_err());
        for length in 0..good[2].len() {
            drop(decoder.decode(Some(&good[2][..length]), &mut out));
            drop(decoder.decode_fec(&good[2][..length], &mut out));
        }
        for first in 0..=255 {
            drop(decoder.decode(Some(&[first, 3, 1, 4, 1, 5]), &mut out));
        }
        decoder.decode(Some(&good[0]), &mut out).unwrap();
    }

    #[test]
    fn a_wrong_number_of_samples_is_refused() {
        let refused = Encoder::new().unwrap().encode(&[0.0; 480], &BufferPool::new(1));
        assert!(matches!(refused, Err(Error::Samples(480))));
    }
}

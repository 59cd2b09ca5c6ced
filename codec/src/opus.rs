//! Opus (RFC 6716) as meetings use it: 48 kHz, one channel, 20 ms at a time.
//!
//! Lost packets are made good in two ways: the next packet carries a coarse copy of its forerunner (in-band FEC), and
//! where that is lost too the decoder invents something fitting. While nobody speaks nearly nothing is sent (DTX).

use ::opus::{Application, Channels};
use media::{Bitrate, Buffer, BufferPool};

/// Samples in a second.
pub const SAMPLE_RATE: u32 = 48_000;

/// Samples in one packet: 20 ms.
pub const SAMPLES: usize = 960;

/// Why sound could not be compressed or restored. The codec goes on with the next packet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller gave another count of samples than [`SAMPLES`].
    #[error("{0} samples given, {SAMPLES} wanted")]
    Samples(usize),
    /// A packet of another length than 20 ms, empty, or too long to be one: whoever made it is not one of us.
    #[error("not a packet of 20 ms")]
    Packet,
    /// The library refused.
    #[error("Opus refused: {0}")]
    Library(#[from] ::opus::Error),
}

/// Compresses the voice of one microphone.
pub struct Encoder {
    inner: ::opus::Encoder,
    scratch: [u8; MAX_PACKET_BYTES],
}

impl Encoder {
    /// An encoder for speech with forward error correction and silence suppression on.
    ///
    /// # Errors
    /// [`Error::Library`] where memory is short.
    pub fn new() -> Result<Self, Error> {
        let mut inner = ::opus::Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip)?;
        inner.set_bitrate(::opus::Bitrate::Bits(DEFAULT_BITRATE))?;
        inner.set_inband_fec(true)?;
        inner.set_packet_loss_perc(EXPECTED_LOSS)?;
        inner.set_dtx(true)?;
        inner.set_complexity(COMPLEXITY)?;
        Ok(Self { inner, scratch: [0; MAX_PACKET_BYTES] })
    }

    /// Compresses 20 ms, samples in -1.0..=1.0. `None` while there is nothing worth sending: the receiver conceals.
    ///
    /// # Errors
    /// [`Error::Samples`] unless exactly [`SAMPLES`] are given; [`Error::Library`].
    pub fn encode(&mut self, samples: &[f32], pool: &BufferPool) -> Result<Option<Buffer>, Error> {
        if samples.len() != SAMPLES {
            return Err(Error::Samples(samples.len()));
        }
        let length = self.inner.encode_float(samples, &mut self.scratch)?;
        // One or two bytes say "as before": RFC 6716 section 2.1.9 lets the sender keep them to itself.
        let packet = (length > NOTHING).then(|| pool.copy(&self.scratch[..length]));
        Ok(packet)
    }

    /// Aims at another rate.
    ///
    /// # Errors
    /// [`Error::Library`] outside 500 bit/s..=512 kbit/s.
    pub fn set_bitrate(&mut self, bitrate: Bitrate) -> Result<(), Error> {
        let bits = i32::try_from(bitrate.as_bps()).unwrap_or(i32::MAX);
        self.inner.set_bitrate(::opus::Bitrate::Bits(bits))?;
        Ok(())
    }

    /// Says how many packets in a hundred get lost; the more, the larger the share of the coarse copies.
    ///
    /// # Errors
    /// [`Error::Library`] beyond 100.
    pub fn set_loss(&mut self, percent: u8) -> Result<(), Error> {
        self.inner.set_packet_loss_perc(i32::from(percent))?;
        Ok(())
    }
}

/// Restores the voice of one participant.
pub struct Decoder {
    inner: ::opus::Decoder,
}

impl Decoder {
    /// A decoder that has heard nothing yet.
    ///
    /// # Errors
    /// [`Error::Library`] where memory is short.
    pub fn new() -> Result<Self, Error> {
        Ok(Self { inner: ::opus::Decoder::new(SAMPLE_RATE, Channels::Mono)? })
    }

    /// Restores a packet that arrived; `None` stands for one that is lost for good, as [`Decoder::conceal`].
    ///
    /// # Errors
    /// [`Error::Packet`] for anything but 20 ms of Opus, [`Error::Library`] for a damaged one; `out` holds no sound then.
    pub fn decode(&mut self, packet: Option<&[u8]>, out: &mut [f32; SAMPLES]) -> Result<(), Error> {
        match packet {
            Some(packet) => self.run(packet, out, false),
            None => self.conceal(out),
        }
    }

    /// Invents 20 ms that fit what was heard before; fades out where this goes on.
    ///
    /// # Errors
    /// [`Error::Library`], never seen.
    pub fn conceal(&mut self, out: &mut [f32; SAMPLES]) -> Result<(), Error> {
        // An empty packet is how the library is told of a loss.
        self.inner.decode_float(&[], out, false)?;
        Ok(())
    }

    /// Restores a lost packet from the coarse copy in its successor, which is decoded normally afterwards. Where the
    /// successor carries no copy this conceals.
    ///
    /// # Errors
    /// As [`Decoder::decode`].
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

/// Clear speech with room for the copies.
const DEFAULT_BITRATE: i32 = 32_000;

/// Percent. Enough for the library to add copies while the loss is not known.
const EXPECTED_LOSS: i32 = 10;

/// 0..=10. Beyond 8 nobody hears the difference on speech, and every participant pays for it.
const COMPLEXITY: i32 = 8;

/// The longest packet that 20 ms may take (RFC 6716 section 3.4 allows one frame 1275 bytes, and a byte before it).
const MAX_PACKET_BYTES: usize = 1_276;

/// Packets up to this length hold no sound.
const NOTHING: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    /// A voice-like sound: syllables of 80 ms, each of another pitch, with overtones.
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
        (0..count)
            .map(|number| encoder.encode(&voice(number), &pool).unwrap().expect("a voice is worth sending"))
            .collect()
    }

    fn energy(samples: &[f32]) -> f32 {
        samples.iter().map(|sample| sample * sample).sum()
    }

    /// Decodes with packet `lost` made good by `repair` and tells the energy of the error there, the same stream
    /// without a loss being the truth.
    fn error_after(lost: usize, repair: impl Fn(&mut Decoder, &[u8], &mut [f32; SAMPLES])) -> f32 {
        let packets = packets(lost + 2);
        let (mut whole, mut holed) = (Decoder::new().unwrap(), Decoder::new().unwrap());
        let (mut truth, mut heard) = ([0.0; SAMPLES], [0.0; SAMPLES]);
        for packet in &packets[..=lost] {
            whole.decode(Some(packet), &mut truth).unwrap();
        }
        for packet in &packets[..lost] {
            holed.decode(Some(packet), &mut heard).unwrap();
        }
        repair(&mut holed, &packets[lost + 1], &mut heard);
        let error: Vec<f32> = truth.iter().zip(&heard).map(|(truth, heard)| truth - heard).collect();
        energy(&error) / energy(&truth)
    }

    #[test]
    fn a_voice_comes_back() {
        let mut decoder = Decoder::new().unwrap();
        let mut out = [0.0; SAMPLES];
        for packet in packets(20) {
            decoder.decode(Some(&packet), &mut out).unwrap();
        }
        let ratio = energy(&out) / energy(&voice(19));
        assert!((0.5..2.0).contains(&ratio), "{ratio}");
    }

    #[test]
    fn silence_is_not_sent_and_speech_is_again() {
        let (pool, mut encoder) = (BufferPool::new(4), Encoder::new().unwrap());
        let silence = [0.0; SAMPLES];
        let sent = (0..100).filter(|_| encoder.encode(&silence, &pool).unwrap().is_some()).count();
        assert!(sent < 30, "{sent} of 100 silent packets were sent");
        let sent = (0..10).filter(|number| encoder.encode(&voice(*number), &pool).unwrap().is_some()).count();
        assert_eq!(sent, 10);
    }

    #[test]
    fn the_next_packet_restores_a_lost_one_better_than_guessing() {
        // The first packet of each syllable is what nobody can guess.
        let onsets = || (20..60).step_by(SYLLABLE);
        let guessed: f32 =
            onsets().map(|lost| error_after(lost, |decoder, _, out| decoder.conceal(out).unwrap())).sum();
        let copied: f32 =
            onsets().map(|lost| error_after(lost, |decoder, next, out| decoder.decode_fec(next, out).unwrap())).sum();
        assert!(copied < guessed * 0.7, "copied {copied}, guessed {guessed}");
    }

    #[test]
    fn concealment_goes_on_and_fades() {
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
    fn garbage_is_an_error_and_the_decoder_lives_on() {
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
    fn another_count_of_samples_is_refused() {
        let refused = Encoder::new().unwrap().encode(&[0.0; 480], &BufferPool::new(1));
        assert!(matches!(refused, Err(Error::Samples(480))));
    }
}

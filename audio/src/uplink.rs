//! Encodes microphone blocks into packets: Opus with DTX, level and voice flag.

use crate::speech::Detector;
use crate::{BLOCK, Block, PACKET};
use codec::opus::{Encoder, Error};
use media::{AudioCodec, Buffer, BufferPool, EncodedAudio, Level, Timestamp};

/// The function that is called with each packet on the audio thread. It must not block.
pub type Send = Box<dyn FnMut(EncodedAudio) + std::marker::Send>;

/// The send path of the microphone.
pub struct Uplink {
    encoder: Encoder,
    pool: BufferPool,
    send: Send,
    detector: Detector,
    samples: [f32; PACKET],
    collected: usize,
    /// The capture time of the first sample in `samples`.
    captured: Timestamp,
    /// The position of the next block in the track.
    position: u64,
    /// The first byte of the last packet if it had the voice flag. Used for the packet that ends the speech.
    last_voice_header: Option<u8>,
    /// False while muted.
    open: bool,
}

impl Uplink {
    /// Returns the send path of a track at position 0.
    ///
    /// # Errors
    /// Returns the errors of [`Encoder::new`].
    pub fn new(pool: BufferPool, send: Send) -> Result<Self, Error> {
        Ok(Self {
            encoder: Encoder::new()?,
            pool,
            send,
            detector: Detector::new(),
            samples: [0.0; PACKET],
            collected: 0,
            captured: Timestamp::default(),
            position: 0,
            last_voice_header: None,
            open: true,
        })
    }

    /// Adds a block captured at `captured`. Sends a packet after every second block.
    pub fn record(&mut self, block: &Block, captured: Timestamp) {
        if !self.open {
            self.reopen();
        }
        if self.collected == 0 {
            self.captured = captured;
        }
        self.samples[self.collected..self.collected + BLOCK].copy_from_slice(block);
        self.collected += BLOCK;
        self.position += BLOCK as u64;
        if self.collected == PACKET {
            self.collected = 0;
            self.send_packet();
        }
    }

    /// Advances the position by one block while muted. Drops an incomplete packet.
    pub fn pass(&mut self) {
        self.close();
        self.position += BLOCK as u64;
    }

    /// Advances to `position` after a time without a microphone.
    pub fn resume_at(&mut self, position: u64) {
        self.close();
        self.position = self.position.max(position);
    }

    fn close(&mut self) {
        self.open = false;
        self.collected = 0;
    }

    /// Resets the encoder and the voice detector after a mute. The next packet has no voice flag, so receivers do not
    /// treat the gap as a loss.
    fn reopen(&mut self) {
        self.open = true;
        self.last_voice_header = None;
        self.detector = Detector::new();
        match Encoder::new() {
            Ok(encoder) => self.encoder = encoder,
            Err(error) => tracing::debug!(%error, "cannot create a new encoder; keeping the old one"),
        }
    }

    fn send_packet(&mut self) {
        let level = Level::of(&self.samples);
        let voice = self.detector.update(level);
        let payload = match self.encoder.encode(&self.samples, &self.pool) {
            Ok(payload) => payload,
            Err(error) => {
                tracing::debug!(%error, "20 ms not sent");
                return;
            }
        };
        match payload {
            Some(payload) => {
                self.last_voice_header = payload.first().copied().filter(|_| voice);
                self.send_payload(payload, level, voice);
            }
            None => self.announce_pause(level),
        }
    }

    /// Sends a packet without the voice flag before a DTX pause, because receivers treat a gap after a packet with the
    /// flag as a loss. It is the header of the last packet without a payload, which decoders play as silence (RFC 6716,
    /// section 3.4).
    fn announce_pause(&mut self, level: Level) {
        if let Some(header) = self.last_voice_header.take() {
            let payload = self.pool.copy(&[header & ONE_FRAME]);
            self.send_payload(payload, level, false);
        }
    }

    fn send_payload(&mut self, payload: Buffer, level: Level, voice: bool) {
        let position = self.position - PACKET as u64;
        let (codec, captured, samples) = (AudioCodec::Opus, self.captured, SAMPLES);
        (self.send)(EncodedAudio { codec, position, samples, captured, voice, level, payload });
    }
}

/// [`PACKET`], as the type of the packet field.
const SAMPLES: u16 = 960;

const _: () = assert!(SAMPLES as usize == PACKET, "a packet declares its number of samples");

/// The mask for configuration and channels of an Opus header. A frame count of 0 means one frame (RFC 6716, section
/// 3.1).
const ONE_FRAME: u8 = 0b1111_1100;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    type Sent = Arc<Mutex<Vec<EncodedAudio>>>;

    fn uplink() -> (Uplink, Sent) {
        let sent = Sent::default();
        let outbox = Arc::clone(&sent);
        let send_payload = Box::new(move |packet| outbox.lock().unwrap().push(packet));
        (Uplink::new(BufferPool::new(8), send_payload).unwrap(), sent)
    }

    fn voice(number: usize) -> Block {
        std::array::from_fn(|index| {
            let time = (number * BLOCK + index) as f32 / 48_000.0;
            let pitch = 2.0 * std::f32::consts::PI * 150.0 * time;
            0.3 * (1.0 + (18.0 * time).sin()) * (pitch.sin() + 0.4 * (3.0 * pitch).sin())
        })
    }

    fn at(number: usize) -> Timestamp {
        Timestamp::from_micros(1_000_000 + number as u64 * 10_000)
    }

    #[test]
    fn packets_have_consecutive_positions_and_capture_times() {
        let (mut uplink, sent) = uplink();
        (0..20).for_each(|number| uplink.record(&voice(number), at(number)));
        let sent = sent.lock().unwrap();
        assert_eq!(sent.len(), 10);
        for (index, packet) in sent.iter().enumerate() {
            assert_eq!(packet.position, (index * PACKET) as u64);
            assert_eq!(packet.captured, at(2 * index));
            assert_eq!(packet.voice, index >= 1, "speech is detected in the second loud packet");
            assert!(packet.level.minus_dbov() < 20);
        }
    }

    #[test]
    fn silence_is_rarely_sent_and_never_after_a_voice_flag() {
        let (mut uplink, sent) = uplink();
        (0..100).for_each(|number| uplink.record(&voice(number), at(number)));
        (100..400).for_each(|number| uplink.record(&crate::SILENCE, at(number)));
        let sent = sent.lock().unwrap();
        let in_silence = sent.iter().filter(|packet| packet.position >= 100 * BLOCK as u64).count();
        assert!(in_silence < 40, "{in_silence} packets in three seconds of silence");
        for pair in sent.windows(2) {
            let gap = pair[1].position - pair[0].position > PACKET as u64;
            assert!(!(gap && pair[0].voice), "a gap after a packet with speech at {}", pair[0].position);
        }
    }

    #[test]
    fn muting_sends_nothing_and_advances_the_position() {
        let (mut uplink, sent) = uplink();
        (0..21).for_each(|number| uplink.record(&voice(number), at(number)));
        (21..71).for_each(|_| uplink.pass());
        assert_eq!(sent.lock().unwrap().len(), 10, "the half packet that was collected is dropped");
        (71..81).for_each(|number| uplink.record(&voice(number), at(number)));
        let sent = sent.lock().unwrap();
        assert_eq!(sent[10].position, 71 * BLOCK as u64);
        assert_eq!(sent[10].captured, at(71));
        assert!(!sent[10].voice, "the first packet after a mute has no voice flag");
    }
}

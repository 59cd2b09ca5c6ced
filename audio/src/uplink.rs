//! Encodes microphone blocks into packets: Opus with DTX, level and voice flag.

use crate::protection::Protection;
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
    protection: Protection,
    /// The first byte of the last packet if it had the voice flag. Used for the packets that end the speech.
    last_voice_header: Option<u8>,
    /// How many times the end of the speech is still to be announced.
    announcements: u8,
    /// False while muted.
    open: bool,
}

impl Uplink {
    /// Returns the send path of a track at position 0.
    ///
    /// # Errors
    /// Returns the errors of [`Encoder::new`].
    pub fn new(pool: BufferPool, send: Send) -> Result<Self, Error> {
        let protection = Protection::default();
        Ok(Self {
            encoder: encoder(protection)?,
            pool,
            send,
            detector: Detector::new(),
            samples: [0.0; PACKET],
            collected: 0,
            captured: Timestamp::default(),
            position: 0,
            protection,
            last_voice_header: None,
            announcements: 0,
            open: true,
        })
    }

    /// Changes the protection against loss, from the next packet on.
    pub fn set_protection(&mut self, protection: Protection) {
        if self.protection != protection {
            self.protection = protection;
            if let Err(error) = protect(&mut self.encoder, protection) {
                tracing::debug!(%error, "protection not changed");
            }
        }
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
        (self.last_voice_header, self.announcements) = (None, 0);
        self.detector = Detector::new();
        match encoder(self.protection) {
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
                self.announcements = 1 + self.protection.copies;
                self.send_payload(payload, level, voice);
            }
            None => self.announce_pause(level),
        }
    }

    /// Sends a packet without the voice flag before a DTX pause, because receivers treat a gap after a packet with the
    /// flag as a loss. It is the header of the last packet without a payload, which decoders play as silence (RFC 6716,
    /// section 3.4). If packets are lost, it is repeated, because no later packet has a copy of it.
    fn announce_pause(&mut self, level: Level) {
        let Some(header) = self.last_voice_header else { return };
        let payload = self.pool.copy(&[header & ONE_FRAME]);
        self.send_payload(payload, level, false);
        self.announcements = self.announcements.saturating_sub(1);
        if self.announcements == 0 {
            self.last_voice_header = None;
        }
    }

    fn send_payload(&mut self, payload: Buffer, level: Level, voice: bool) {
        let position = self.position - PACKET as u64;
        let (codec, captured, samples) = (AudioCodec::Opus, self.captured, SAMPLES);
        (self.send)(EncodedAudio { codec, position, samples, captured, voice, level, payload });
    }
}

/// Returns an encoder with this protection.
fn encoder(protection: Protection) -> Result<Encoder, Error> {
    let mut encoder = Encoder::new()?;
    protect(&mut encoder, protection)?;
    Ok(encoder)
}

fn protect(encoder: &mut Encoder, protection: Protection) -> Result<(), Error> {
    encoder.set_bitrate(protection.bitrate)?;
    encoder.set_loss(protection.fec)
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

    type SentPackets = Arc<Mutex<Vec<EncodedAudio>>>;

    fn uplink() -> (Uplink, SentPackets) {
        let sent = SentPackets::default();
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
    fn if_packets_are_lost_the_end_of_speech_is_announced_again() {
        for (loss, announcements) in [(0, 1), (2, 2), (30, 4)] {
            let (mut uplink, sent) = uplink();
            uplink.set_protection(Protection::for_loss(loss));
            (0..100).for_each(|number| uplink.record(&voice(number), at(number)));
            (100..200).for_each(|number| uplink.record(&crate::SILENCE, at(number)));
            let sent = sent.lock().unwrap();
            let empty = |packet: &&EncodedAudio| packet.payload.len() == 1;
            let ends: Vec<_> = sent.iter().filter(empty).map(|packet| packet.position / PACKET as u64).collect();
            assert_eq!(ends.len(), announcements, "{loss} %: {ends:?}");
            assert!(ends.windows(2).all(|pair| pair[1] == pair[0] + 1), "{ends:?}");
        }
    }

    #[test]
    fn more_protection_makes_smaller_packets() {
        let bytes = |loss| {
            let (mut uplink, sent) = uplink();
            uplink.set_protection(Protection::for_loss(loss));
            (0..100).for_each(|number| uplink.record(&voice(number), at(number)));
            sent.lock().unwrap().iter().map(|packet| packet.payload.len()).sum::<usize>()
        };
        assert!(bytes(30) * 10 < bytes(0) * 8, "{} and {}", bytes(30), bytes(0));
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

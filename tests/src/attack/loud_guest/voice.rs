//! The sound of a tone.

use super::seal::Seal;
use anyhow::Result;
use codec::opus::Encoder;
use crypto::KeyRing;
use media::{AudioCodec, BufferPool, Clock, EncodedAudio, Level};
use net::meeting::{Command, MediaState, Microphone};
use net::{FrameSender, Session};
use proto::Slot;
use std::time::Duration;

pub struct Voice {
    pub seal: Seal,
    sender: FrameSender,
    encoder: Encoder,
    pool: BufferPool,
    clock: Clock,
    frames: u64,
}

impl Voice {
    pub fn start(session: &Session, ring: &KeyRing) -> Result<Self> {
        let sender = session.publish(Slot::Microphone, Vec::new());
        session.send(Command::Announce(MediaState { microphone: Microphone::On, ..MediaState::default() }))?;
        let (encoder, pool, clock) = (Encoder::new()?, BufferPool::new(64), Clock::default());
        Ok(Self { seal: Seal::new(ring, Slot::Microphone), sender, encoder, pool, clock, frames: 0 })
    }

    pub fn send(&mut self) -> Result<()> {
        let position = self.frames * SAMPLES;
        self.frames += 1;
        let samples: Vec<f32> = (position..position + SAMPLES).map(sample).collect();
        let Some(payload) = self.encoder.encode(&samples, &self.pool)? else { return Ok(()) };
        let sound = EncodedAudio {
            codec: AudioCodec::Opus,
            position,
            samples: 960,
            captured: self.clock.now(),
            voice: true,
            level: Level::new(30),
            payload,
        };
        // Without keys or a transport, the frame is lost.
        if let Ok(sealed) = self.seal.sealer.seal_audio(sound) {
            let _ = self.sender.try_send(sealed);
        }
        Ok(())
    }
}

/// A tone of 440 Hz that comes and goes, as speech does.
fn sample(at: u64) -> f32 {
    let phase = |frequency: u64| {
        let step = u16::try_from(at * frequency % RATE).unwrap_or(0);
        f32::from(step) / 48_000.0 * std::f32::consts::TAU
    };
    0.3 * phase(440).sin() * (0.6 + 0.4 * phase(3).sin())
}

pub const FRAME: Duration = Duration::from_millis(20);
const SAMPLES: u64 = 960;
const RATE: u64 = 48_000;

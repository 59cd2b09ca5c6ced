//! The pictures of a camera that shows a moving bar.

use super::seal::Seal;
use anyhow::{Context, Result};
use codec::encode::{Config, Encoder};
use codec::layer::Content;
use crypto::KeyRing;
use media::{Bitrate, BufferPool, Clock, Colour, Frame, FrameRate, Pool, Size, VideoCodec};
use net::meeting::{Command, MediaState};
use net::{FrameSender, Session};
use proto::{Slot, SpatialLayer};
use std::time::Duration;

pub struct Pictures {
    pub seal: Seal,
    sender: FrameSender,
    encoder: Encoder,
    frames: Pool,
    pool: BufferPool,
    clock: Clock,
    number: u64,
}

impl Pictures {
    pub fn start(session: &Session, ring: &KeyRing) -> Result<Self> {
        let layer = SpatialLayer { spatial: 0, width: SIZE.width, height: SIZE.height, bitrate: BITRATE };
        let sender = session.publish(Slot::Camera, vec![layer]);
        session.send(Command::Announce(MediaState { camera: true, ..MediaState::default() }))?;
        let config = Config {
            codec: VideoCodec::H264,
            size: SIZE,
            rate: FrameRate::THIRTY,
            bitrate: Bitrate::kbps(u64::from(BITRATE) / 1_000),
            temporal_layers: 1,
            content: Content::Camera,
            spatial: 0,
        };
        let (frames, pool, clock) = (Pool::new(2), BufferPool::new(64), engine::clock::system());
        let encoder = Encoder::open(&config)?;
        Ok(Self { seal: Seal::new(ring, Slot::Camera), sender, encoder, frames, pool, clock, number: 0 })
    }

    pub fn send(&mut self) -> Result<()> {
        let frame = self.draw()?;
        // Nobody can ask it for a key frame in another member's name, so it sends many.
        let key = self.number.is_multiple_of(KEY_INTERVAL);
        self.number += 1;
        let Some(encoded) = self.encoder.encode(&frame, key, &self.pool)? else { return Ok(()) };
        // Without keys or a transport, the picture is lost.
        if let Ok(sealed) = self.seal.sealer.seal(encoded) {
            let _ = self.sender.try_send(sealed);
        }
        Ok(())
    }

    fn draw(&mut self) -> Result<Frame> {
        let mut frame = self.frames.take(SIZE).context("a frame is free")?;
        let at = usize::try_from(self.number % u64::from(SIZE.width))?;
        let [mut luma, blue, red] = frame.planes_mut();
        for row in luma.rows_mut() {
            for (x, pixel) in row.iter_mut().enumerate() {
                *pixel = if (at..at + BAR).contains(&x) { 220 } else { 40 };
            }
        }
        for mut chroma in [blue, red] {
            chroma.rows_mut().for_each(|row| row.fill(128));
        }
        Ok(frame.freeze(self.number, self.clock.now(), Colour::default()))
    }
}

const SIZE: Size = Size::new(160, 96);
const BAR: usize = 24;
/// In bits a second.
const BITRATE: u32 = 150_000;
const KEY_INTERVAL: u64 = 10;

/// The time between two pictures.
pub const INTERVAL: Duration = Duration::from_micros(33_333);

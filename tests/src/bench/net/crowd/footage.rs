//! A clip that is encoded once and sent by all simulated senders.

use crate::bench::net::clip::{self, SMALL};
use anyhow::{Context, Result};
use codec::container::y4m::Reader;
use codec::encode::{Config, Encoder};
use codec::layer::Content;
use media::{Bitrate, BufferPool, Encoded, FrameRate, Layer, Pool, Timestamp, VideoCodec};
use std::path::Path;
use std::time::Duration;

/// The pictures of the clip, in groups that begin with a key frame.
pub struct Footage {
    groups: Vec<Vec<Picture>>,
}

/// An encoded picture.
struct Picture {
    payload: Vec<u8>,
    temporal: u8,
    discardable: bool,
}

/// The next picture of a sender.
#[derive(Clone, Copy, Debug, Default)]
pub struct Position {
    group: usize,
    picture: usize,
}

impl Footage {
    /// Writes the small clip to `path`, and encodes it.
    ///
    /// # Errors
    /// Returns an error if the clip cannot be written, read or encoded.
    pub fn new(path: &Path) -> Result<Self> {
        clip::write(path, SMALL)?;
        let (mut reader, frames, buffers) = (Reader::open(path)?, Pool::new(2), BufferPool::new(4));
        let config = Config {
            codec: VideoCodec::H264,
            size: SMALL.size,
            rate: FrameRate::new(RATE, 1).context("a rate")?,
            bitrate: Bitrate::kbps(150),
            temporal_layers: 3,
            content: Content::Camera,
            spatial: 0,
        };
        let (mut h264, mut groups) = (Encoder::open(&config)?, Vec::<Vec<Picture>>::new());
        for index in 0.. {
            let mut frame = frames.take(SMALL.size).context("a frame is free")?;
            if !reader.read(&mut frame)? {
                break;
            }
            let frame = frame.freeze(index, Timestamp::default(), reader.header().colour);
            let key = index.is_multiple_of(GROUP);
            let Some(encoded) = h264.encode(&frame, key, &buffers)? else { continue };
            if encoded.key {
                groups.push(Vec::new());
            }
            let temporal = encoded.layer.temporal;
            let picture = Picture { payload: encoded.payload.to_vec(), temporal, discardable: encoded.discardable };
            groups.last_mut().context("the first picture is a key frame")?.push(picture);
        }
        Ok(Self { groups })
    }

    /// Returns the picture at `position`, and advances it. If `key` is true, goes on with the next key frame.
    pub fn next(
        &self,
        position: &mut Position,
        key: bool,
        number: u64,
        captured: Timestamp,
        pool: &BufferPool,
    ) -> Encoded {
        if position.picture >= self.groups[position.group].len() || (key && position.picture > 0) {
            *position = Position { group: (position.group + 1) % self.groups.len(), picture: 0 };
        }
        let picture = &self.groups[position.group][position.picture];
        let key = position.picture == 0;
        position.picture += 1;
        Encoded {
            codec: VideoCodec::H264,
            layer: Layer { spatial: 0, temporal: picture.temporal },
            size: SMALL.size,
            key,
            discardable: picture.discardable,
            number,
            captured,
            payload: pool.copy(&picture.payload),
        }
    }
}

const RATE: u32 = 15;

/// The time between two pictures.
pub const INTERVAL: Duration = Duration::from_micros(1_000_000 / RATE as u64);

/// The pictures from one key frame to the next one: three seconds.
const GROUP: u64 = 45;

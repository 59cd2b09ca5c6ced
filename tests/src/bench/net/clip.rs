//! The clips that cameras play: the demo's portrait with uniform noise of +-3 in its luma, as of a sensor.
//!
//! The portrait is a photograph that a virtual camera moves. Without noise it would be easier to encode than any camera's
//! picture. The clip has raw pictures, so that reading it costs little.

use super::call::assets;
use anyhow::{Context, Result};
use codec::container::mp4::Clip;
use codec::container::y4m::{Header, Writer};
use codec::decode::{Decoder, Picture};
use codec::scale::Scaler;
use media::{Colour, FrameRate, Plane, PlaneRef, Pool, Size, Timestamp, VideoCodec};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;

/// The pictures of a clip.
#[derive(Clone, Copy, Debug)]
pub struct ClipFormat {
    /// The size. The footage is scaled to it.
    pub size: Size,
    /// One of so many pictures of the footage is taken, whose rate is 30 a second.
    pub every: u32,
}

/// Writes a clip of the portrait.
///
/// # Errors
/// Returns an error if the portrait cannot be decoded, or if the clip cannot be written.
pub fn write(path: &Path, format: ClipFormat) -> Result<()> {
    let footage = &assets().join("footage/portrait.mp4");
    let mut clip = Clip::open(footage).with_context(|| format!("cannot read {}", footage.display()))?;
    let mut decoder = Decoder::open(VideoCodec::H264)?;
    let mut noisy = Noisy {
        writer: None,
        format,
        scaler: Scaler::new(),
        frames: Pool::new(1),
        random: ChaCha8Rng::seed_from_u64(1),
        luma: Vec::new(),
        count: 0,
        failed: None,
    };
    let mut bitstream = Vec::new();
    for index in 0..clip.len() {
        clip.read(index, &mut bitstream)?;
        decoder.decode(&bitstream, &mut |picture| noisy.write(path, &picture))?;
    }
    while decoder.flush(&mut |picture| noisy.write(path, &picture))? {}
    if let Some(error) = noisy.failed {
        return Err(error.into());
    }
    noisy.writer.context("the footage has no picture")?.finish()?;
    Ok(())
}

struct Noisy {
    writer: Option<Writer<std::io::BufWriter<std::fs::File>>>,
    format: ClipFormat,
    scaler: Scaler,
    frames: Pool,
    random: ChaCha8Rng,
    luma: Vec<u8>,
    /// The pictures of the footage so far.
    count: u32,
    failed: Option<codec::container::Error>,
}

impl Noisy {
    fn write(&mut self, path: &Path, picture: &Picture<'_>) {
        let taken = self.count.is_multiple_of(self.format.every);
        self.count += 1;
        if !taken || self.failed.is_some() {
            return;
        }
        let result = if picture.size == self.format.size {
            self.try_write(path, picture.planes, picture.colour)
        } else {
            let Some(mut scaled) = self.frames.take(self.format.size) else { return };
            self.scaler.scale_planes(picture.planes, &mut scaled);
            let scaled = scaled.freeze(0, Timestamp::default(), picture.colour);
            let planes = [Plane::Y, Plane::U, Plane::V].map(|plane| scaled.plane(plane));
            self.try_write(path, planes, picture.colour)
        };
        self.failed = result.err();
    }

    /// Adds noise to a picture, and writes it.
    fn try_write(
        &mut self,
        path: &Path,
        [luma, blue, red]: [PlaneRef<'_>; 3],
        colour: Colour,
    ) -> Result<(), codec::container::Error> {
        self.luma.clear();
        for row in luma.rows() {
            let random = &mut self.random;
            self.luma
                .extend(row.iter().map(|sample| sample.saturating_add_signed(random.random_range(-NOISE..=NOISE))));
        }
        let luma = PlaneRef { data: &self.luma, stride: usize::from(luma.size.width), size: luma.size };
        let writer = if let Some(writer) = &mut self.writer {
            writer
        } else {
            let rate = FrameRate::new(30, self.format.every).unwrap_or(FrameRate::THIRTY);
            let header = Header { size: luma.size, rate, colour };
            self.writer.insert(Writer::create(path, header)?)
        };
        writer.write([luma, blue, red])
    }
}

/// The camera of the calls.
pub const LARGE: ClipFormat = ClipFormat { size: Size { width: 1_280, height: 720 }, every: 1 };

/// A camera that costs little, for meetings of many clients.
pub const SMALL: ClipFormat = ClipFormat { size: Size { width: 320, height: 180 }, every: 2 };

/// A standard deviation of two, as of a camera in a room.
const NOISE: i8 = 3;

//! The clip that both cameras play: the demo's portrait with the noise of a sensor.
//!
//! The portrait is a photograph that a virtual camera moves. Without noise it would be easier to encode than any camera's
//! picture. The clip has raw pictures, so that reading it costs little.

use anyhow::{Context, Result};
use codec::container::mp4::Clip;
use codec::container::y4m::{Header, Writer};
use codec::decode::{Decoder, Picture};
use media::{FrameRate, PlaneRef, VideoCodec};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;

/// Writes the clip: `footage` at 30 pictures a second, with uniform noise of +-[`NOISE`] in its luma.
///
/// # Errors
/// Returns an error if `footage` cannot be decoded, or if the clip cannot be written.
pub fn write(footage: &Path, path: &Path) -> Result<()> {
    let mut clip = Clip::open(footage).with_context(|| format!("cannot read {}", footage.display()))?;
    let mut decoder = Decoder::open(VideoCodec::H264)?;
    let mut noisy = Noisy { writer: None, random: ChaCha8Rng::seed_from_u64(1), luma: Vec::new(), failed: None };
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
    random: ChaCha8Rng,
    luma: Vec<u8>,
    failed: Option<codec::container::Error>,
}

impl Noisy {
    fn write(&mut self, path: &Path, picture: &Picture<'_>) {
        if self.failed.is_none() {
            self.failed = self.try_write(path, picture).err();
        }
    }

    fn try_write(&mut self, path: &Path, picture: &Picture<'_>) -> Result<(), codec::container::Error> {
        let [luma, blue, red] = picture.planes;
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
            let header = Header { size: picture.size, rate: FrameRate::THIRTY, colour: picture.colour };
            self.writer.insert(Writer::create(path, header)?)
        };
        writer.write([luma, blue, red])
    }
}

/// A standard deviation of two, as of a camera in a room.
const NOISE: i8 = 3;

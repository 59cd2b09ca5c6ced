//! Encodes a clip at each rung of its ladder and prints cost and quality.

use crate::psnr;
use anyhow::{Context, Result};
use codec::container::mp4::Clip;
use codec::decode::Decoder;
use codec::encode::{Config, Content, Encoder};
use codec::layer::{Ladder, Rung};
use codec::scale::Scaler;
use media::{BufferPool, Frame, Plane, Pool, Timestamp, VideoCodec};
use std::path::Path;
use std::time::{Duration, Instant};

/// Prints a table for the MP4 file at `path`: a row per rung.
///
/// # Errors
/// Returns an error if the clip cannot be read, or if no encoder or decoder opens.
pub fn print(path: &Path) -> Result<()> {
    let frames = frames(path)?;
    let size = frames.first().context("the clip has no frames")?.size();
    println!("{} frames of {size}", frames.len());
    println!("layer      target  sent kbit/s  scale ms  encode ms  worst ms  decode ms  psnr mean  psnr worst");
    for rung in Ladder::for_source(size, Content::Camera).rungs() {
        measure(&frames, rung)?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand frames")]
fn frames(path: &Path) -> Result<Vec<Frame>> {
    let mut clip = Clip::open(path)?;
    let mut decoder = Decoder::open(VideoCodec::H264)?;
    let (rate, pool) = (clip.rate(), Pool::new(clip.len() + 1));
    let (mut bitstream, mut frames) = (Vec::new(), Vec::new());
    let mut keep = |picture: codec::decode::Picture<'_>| {
        let Some(mut target) = pool.take(picture.size) else { return };
        target.planes_mut().iter_mut().zip(picture.planes).for_each(|(to, from)| to.copy_from(from));
        let number = frames.len() as u64;
        frames.push(target.freeze(number, Timestamp::default() + rate.due(number), picture.colour));
    };
    let start = Instant::now();
    for index in 0..clip.len() {
        clip.read(index, &mut bitstream)?;
        decoder.decode(&bitstream, &mut keep)?;
    }
    while decoder.flush(&mut keep)? {}
    println!("clip decoded in {:.2} ms per frame", start.elapsed().as_secs_f64() * 1e3 / clip.len() as f64);
    Ok(frames)
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand frames")]
fn measure(frames: &[Frame], rung: &Rung) -> Result<()> {
    let rate = media::FrameRate::THIRTY;
    let config = Config {
        codec: VideoCodec::H264,
        size: rung.size,
        rate,
        bitrate: rung.bitrate,
        temporal_layers: rung.temporal_layers,
        content: Content::Camera,
        spatial: rung.spatial,
    };
    let (mut encoder, mut decoder) = (Encoder::open(&config)?, Decoder::open(VideoCodec::H264)?);
    let (pool, buffers, mut scaler) = (Pool::new(2), BufferPool::new(4), Scaler::new());
    let (mut scaling, mut encoding, mut decoding) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let (mut worst, mut bytes, mut ratios) = (Duration::ZERO, 0, Vec::new());
    for frame in frames {
        let start = Instant::now();
        let mut target = pool.take(rung.size).context("the pool has no buffer")?;
        scaler.scale(frame, &mut target);
        let at = Timestamp::default() + rate.due(frame.number());
        let truth = target.freeze(frame.number(), at, frame.colour());
        scaling += start.elapsed();
        let start = Instant::now();
        let packet = encoder.encode(&truth, false, &buffers)?.context("the encoder skipped a frame")?;
        encoding += start.elapsed();
        worst = worst.max(start.elapsed());
        bytes += packet.payload.len();
        let start = Instant::now();
        let mut spent = Duration::ZERO;
        decoder.decode(&packet.payload, &mut |picture| {
            spent = start.elapsed();
            ratios.extend(psnr::of(picture.planes[0], truth.plane(Plane::Y)));
        })?;
        decoding += spent;
    }
    let count = frames.len() as f64;
    let mean = |time: Duration| time.as_secs_f64() * 1e3 / count;
    println!(
        "{:>9} {:>4} kbit/s {:>9.0} {:>9.2} {:>10.2} {:>9.2} {:>10.2} {:>10.2} {:>11.2}",
        rung.size.to_string(),
        rung.bitrate.as_bps() / 1_000,
        bytes as f64 * 8.0 / (count / 30.0) / 1e3,
        mean(scaling),
        mean(encoding),
        worst.as_secs_f64() * 1e3,
        mean(decoding),
        ratios.iter().sum::<f64>() / ratios.len() as f64,
        ratios.iter().copied().fold(f64::MAX, f64::min)
    );
    Ok(())
}

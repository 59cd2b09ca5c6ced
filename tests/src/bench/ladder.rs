//! Encodes a clip at each rung of its ladder and prints cost and quality, and which rung looks best in a tile at each bitrate.

use crate::psnr;
use anyhow::{Context, Result};
use codec::container::mp4::Clip;
use codec::container::y4m::Reader;
use codec::decode::Decoder;
use codec::encode::{Config, Content, Encoder};
use codec::layer::{Ladder, Rung};
use codec::scale::Scaler;
use media::{Bitrate, BufferPool, Frame, Plane, Pool, Size, Timestamp, VideoCodec};
use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// Prints tables for the MP4 or Y4M file at `path`: a row per rung, and a row per bitrate.
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
    compare_in_tiles(&frames, &Ladder::for_source(size, Content::Camera))
}

/// Reads at most [`MAX_RAW`] pictures of a Y4M file.
fn raw_frames(path: &Path) -> Result<Vec<Frame>> {
    let mut reader = Reader::open(path)?;
    let (pool, header) = (Pool::new(MAX_RAW), reader.header());
    let mut frames = Vec::new();
    while let Some(mut frame) = pool.take(header.size).filter(|_| frames.len() < MAX_RAW) {
        if !reader.read(&mut frame)? {
            break;
        }
        let number = frames.len() as u64;
        frames.push(frame.freeze(number, Timestamp::default() + header.rate.due(number), header.colour));
    }
    Ok(frames)
}

/// Prints the PSNR of each rung at the size of a tile, a line per bitrate. The kbit/s that were sent follow in brackets.
fn compare_in_tiles(frames: &[Frame], ladder: &Ladder) -> Result<()> {
    for tile in TILES {
        let references: Vec<Frame> =
            frames.iter().step_by(COMPARED).map(|frame| scaled(frame, tile)).collect::<Result<_>>()?;
        println!("a tile of {tile}: dB at each bitrate (and the kbit/s that were sent)");
        for kilobits in RATES {
            let mut line = format!("{kilobits:>5} kbit/s");
            for rung in ladder.rungs() {
                let (psnr, sent) = quality(frames, &references, rung, Bitrate::kbps(kilobits))?;
                write!(line, "  {}: {psnr:.2} ({sent:.0})", rung.size)?;
            }
            println!("{line}");
        }
    }
    Ok(())
}

fn scaled(frame: &Frame, size: Size) -> Result<Frame> {
    let mut target = Pool::new(1).take(size).context("the pool has no buffer")?;
    Scaler::new().scale(frame, &mut target);
    Ok(target.freeze(frame.number(), frame.captured(), frame.colour()))
}

/// Returns the mean PSNR of one of [`COMPARED`] pictures in decibels, and the kbit/s that were sent.
#[expect(clippy::cast_precision_loss, reason = "a few thousand frames")]
fn quality(frames: &[Frame], references: &[Frame], rung: &Rung, bitrate: Bitrate) -> Result<(f64, f64)> {
    let config = Config { bitrate, ..config(rung) };
    let (mut encoder, mut decoder) = (Encoder::open(&config)?, Decoder::open(VideoCodec::H264)?);
    let (buffers, shown) = (BufferPool::new(4), Pool::new(1));
    let tile = references.first().context("the clip has no frames")?.size();
    let (mut ratios, mut bytes, mut scaler) = (Vec::new(), 0, Scaler::new());
    for (index, frame) in frames.iter().enumerate() {
        let frame = scaled(frame, rung.size)?;
        let Some(packet) = encoder.encode(&frame, false, &buffers)? else { continue };
        bytes += packet.payload.len();
        let reference = references.get(index / COMPARED).filter(|_| index.is_multiple_of(COMPARED));
        decoder.decode(&packet.payload, &mut |picture| {
            let Some((reference, mut target)) = reference.zip(shown.take(tile)) else { return };
            scaler.scale_planes(picture.planes, &mut target);
            let shown = target.freeze(0, Timestamp::default(), picture.colour);
            ratios.extend(psnr::of(shown.plane(Plane::Y), reference.plane(Plane::Y)));
        })?;
    }
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    Ok((mean, bytes as f64 * 8.0 / (frames.len() as f64 / 30.0) / 1e3))
}

fn config(rung: &Rung) -> Config {
    Config {
        codec: VideoCodec::H264,
        size: rung.size,
        rate: media::FrameRate::THIRTY,
        bitrate: rung.bitrate,
        temporal_layers: rung.temporal_layers,
        content: Content::Camera,
        spatial: rung.spatial,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand frames")]
fn frames(path: &Path) -> Result<Vec<Frame>> {
    if path.extension().is_some_and(|extension| extension == "y4m") {
        return raw_frames(path);
    }
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
    let (mut encoder, mut decoder) = (Encoder::open(&config(rung))?, Decoder::open(VideoCodec::H264)?);
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

/// The tiles in which rungs are compared.
const TILES: [Size; 2] = [Size::new(640, 360), Size::new(1_280, 720)];

/// The compared bitrates in kbit/s, without headers.
const RATES: [u64; 14] = [40, 60, 80, 100, 130, 160, 200, 250, 300, 400, 500, 700, 1_000, 1_500];

/// One of so many pictures is compared.
const COMPARED: usize = 5;

/// Raw pictures take much memory.
const MAX_RAW: usize = 300;

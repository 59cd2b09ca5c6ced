//! Encoding of three spatial layers with three temporal layers each, compared with the encoder alone.

use super::row::{Row, compare, cpu_ms};
use anyhow::{Context, Result};
use codec::encode::{Config, Encoder};
use codec::layer::{Content, Ladder, Rung};
use codec::scale::Scaler;
use media::{BufferPool, Clock, Colour, Frame, FrameRate, Plane, Pool, Size, Timestamp, VideoCodec};
use openh264::encoder::{BitRate, EncoderConfig, FrameRate as Rate, UsageType};
use openh264::formats::YUVSource;
use std::ops::ControlFlow;
use std::path::Path;

/// Measures all rows of the group `codec`. `clip` is a video of 1280x720.
///
/// # Errors
/// Returns an error if the clip cannot be read, or if no encoder opens.
///
/// # Panics
/// Panics if an encoder that opened once does not open again.
pub fn rows(clip: &Path) -> Result<Vec<Row>> {
    let frames = frames(clip)?;
    let ladder = Ladder::for_source(SOURCE, Content::Camera);
    let subject = || ours(&ladder, &frames).expect("the encoder opened before");
    let scaled: Vec<Vec<Frame>> = ladder.rungs().iter().map(|rung| scale(&frames, rung.size)).collect();
    let peer = || theirs(&ladder, &scaled).expect("the encoder opened before");
    ours(&ladder, &frames)?;
    theirs(&ladder, &scaled)?;
    let comparison = compare(RUNS, subject, peer);
    let peer = "openh264 alone, scaled before, no layers";
    Ok(vec![Row::at_most("encode S3T3 720p, scaling and wrapping included", "ms/frame", peer, comparison, 1.25)])
}

/// Returns the CPU time of one picture on all three layers, encoded as the layer threads encode it.
fn ours(ladder: &Ladder, frames: &[Frame]) -> Result<f64> {
    let pool = BufferPool::new(8);
    let mut encoders = ladder.rungs().iter().map(|rung| Encoder::open(&config(rung))).collect::<Result<Vec<_>, _>>()?;
    let mut failed = None;
    let ms = cpu_ms(|| {
        for frame in frames {
            for encoder in &mut encoders {
                failed = encoder.encode(frame, false, &pool).err().or(failed.take());
            }
        }
    });
    if let Some(error) = failed {
        return Err(error.into());
    }
    Ok(per_frame(ms, frames.len()))
}

/// Returns the CPU time of the same work with the plain wrapper of the library and with scaled pictures.
fn theirs(ladder: &Ladder, scaled: &[Vec<Frame>]) -> Result<f64> {
    let mut encoders = ladder.rungs().iter().map(plain).collect::<Result<Vec<_>>>()?;
    let pictures: Vec<Vec<Planes>> = scaled.iter().map(|frames| frames.iter().map(Planes::of).collect()).collect();
    let count = pictures.first().map_or(0, Vec::len);
    let mut failed = None;
    let ms = cpu_ms(|| {
        for index in 0..count {
            for (encoder, pictures) in encoders.iter_mut().zip(&pictures) {
                match encoder.encode(&pictures[index]) {
                    Ok(stream) => drop(std::hint::black_box(stream.to_vec())),
                    Err(error) => failed = Some(error),
                }
            }
        }
    });
    if let Some(error) = failed {
        return Err(error.into());
    }
    Ok(per_frame(ms, count))
}

fn plain(rung: &Rung) -> Result<openh264::encoder::Encoder> {
    let bitrate = u32::try_from(rung.bitrate.as_bps())?;
    let config = EncoderConfig::new()
        .usage_type(UsageType::CameraVideoRealTime)
        .bitrate(BitRate::from_bps(bitrate))
        .max_frame_rate(Rate::from_hz(30.0))
        .num_threads(1)
        .skip_frames(false);
    let api = openh264::OpenH264API::from_source();
    openh264::encoder::Encoder::with_api_config(api, config).context("the plain encoder did not open")
}

fn config(rung: &Rung) -> Config {
    Config {
        codec: VideoCodec::H264,
        size: rung.size,
        rate: FrameRate::THIRTY,
        bitrate: rung.bitrate,
        temporal_layers: rung.temporal_layers,
        content: Content::Camera,
        spatial: rung.spatial,
    }
}

/// Returns the first pictures of the clip.
fn frames(clip: &Path) -> Result<Vec<Frame>> {
    let (mut kept, clock) = (Vec::new(), Clock::default());
    capture::file::Clip::open(clip)?.frames(&mut |index, frame| {
        kept.push(copy(frame, index, clock.now()));
        if kept.len() < FRAMES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(kept)
}

fn copy(frame: &Frame, number: u64, now: Timestamp) -> Frame {
    let mut target = Pool::new(1).take(frame.size()).expect("a new pool has room");
    for (plane, to) in [Plane::Y, Plane::U, Plane::V].into_iter().zip(&mut target.planes_mut()) {
        to.copy_from(frame.plane(plane));
    }
    target.freeze(number, now, frame.colour())
}

fn scale(frames: &[Frame], size: Size) -> Vec<Frame> {
    let mut scaler = Scaler::new();
    let pictures = frames.iter().map(|frame| {
        let mut target = Pool::new(1).take(size).expect("a new pool has room");
        scaler.scale(frame, &mut target);
        target.freeze(frame.number(), frame.captured(), Colour::default())
    });
    pictures.collect()
}

/// A frame in the format of the plain wrapper.
struct Planes(Frame);

impl Planes {
    fn of(frame: &Frame) -> Self {
        Self(frame.clone())
    }
}

impl YUVSource for Planes {
    fn dimensions(&self) -> (usize, usize) {
        (self.0.size().width.into(), self.0.size().height.into())
    }
    fn strides(&self) -> (usize, usize, usize) {
        let stride = |plane| self.0.plane(plane).stride;
        (stride(Plane::Y), stride(Plane::U), stride(Plane::V))
    }
    fn y(&self) -> &[u8] {
        self.0.plane(Plane::Y).data
    }
    fn u(&self) -> &[u8] {
        self.0.plane(Plane::U).data
    }
    fn v(&self) -> &[u8] {
        self.0.plane(Plane::V).data
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few dozen frames")]
fn per_frame(ms: f64, frames: usize) -> f64 {
    ms / frames as f64
}

const SOURCE: Size = Size::new(1280, 720);
const FRAMES: usize = 40;
const RUNS: usize = 5;

//! OpenH264, the software encoder.
//!
//! Baseline profile, one slice, one thread, bitrate mode without frame skipping. Limitations of the library: screen
//! mode aborts the process if there is more than one temporal layer; its decoder delays profiles other than baseline by
//! one frame; the key-frame call needs a layer argument that the binding omits.

mod ffi;

use super::backend::{self, Candidate, Config, Packet, even};
use crate::layer::Content;
use crate::rate::EncoderTarget;
use crate::{BoxError, bitstream};
use ffi::{Handle, Picture, Settings};
use media::{Bitrate, Buffer, BufferPool, Colour, Frame, Plane, Size, VideoCodec};

pub(super) fn candidate() -> Candidate {
    Candidate::new(NAME, VideoCodec::H264, open)
}

fn open(config: &Config) -> Result<Box<dyn backend::Backend>, BoxError> {
    let size = even(config.size);
    let limit = if config.content == Content::Screen { 1 } else { MAX_TEMPORAL };
    let temporal_layers = config.temporal_layers.clamp(1, limit);
    let config = Config { size, temporal_layers, ..config.clone() };
    check(&config)?;
    let colour = Colour::default();
    let handle = Handle::open(&settings(&config, colour))?;
    Ok(Box::new(Backend { opened_layers: config.temporal_layers, config, colour, limits_due: false, handle }))
}

/// One OpenH264 encoder.
struct Backend {
    config: Config,
    /// The maximum number of temporal layers, because the library allocates its reference pictures when it is opened.
    opened_layers: u8,
    colour: Colour,
    /// True until the first picture after a change of the temporal layers is encoded.
    limits_due: bool,
    handle: Handle,
}

impl backend::Backend for Backend {
    fn name(&self) -> &'static str {
        NAME
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn encode(&mut self, frame: &Frame, key: bool, pool: &BufferPool) -> Result<Option<Packet>, BoxError> {
        if frame.colour() != self.colour {
            self.set_colour(frame.colour())?;
        } else if key {
            self.handle.force_key()?;
        }
        let planes = [Plane::Y, Plane::U, Plane::V].map(|plane| frame.plane(plane));
        let milliseconds = frame.captured().as_micros() / 1_000;
        let picture = self.handle.encode(planes, self.config.size, milliseconds)?;
        let layered = self.config.temporal_layers > 1;
        let packet = (!picture.is_skipped()).then(|| packet(&picture, layered, pool));
        if std::mem::take(&mut self.limits_due) {
            self.update_limits()?;
        }
        Ok(packet)
    }

    fn set_target(&mut self, target: EncoderTarget) -> Result<(), BoxError> {
        let EncoderTarget { bitrate, max_temporal, frame_rate } = target;
        let temporal_layers = max_temporal.saturating_add(1).min(self.opened_layers);
        if temporal_layers != self.config.temporal_layers {
            self.config = Config { bitrate, rate: frame_rate, temporal_layers, ..self.config.clone() };
            self.handle.adjust(&settings(&self.config, self.colour))?;
            self.limits_due = true;
            return Ok(());
        }
        if frame_rate != self.config.rate {
            self.handle.set_rate(frame_rate.as_f32())?;
            self.config.rate = frame_rate;
        }
        if bitrate != self.config.bitrate {
            self.handle.set_bitrate(bits(bitrate))?;
            self.config.bitrate = bitrate;
        }
        Ok(())
    }
}

impl Backend {
    /// Makes OpenH264 compute its limits for the pictures of each temporal layer again. It computes them before it knows the
    /// weights of new temporal layers, so these would get no bits (`RcUpdateBitrateFps`). It computes them again only if
    /// the bitrate changes.
    fn update_limits(&mut self) -> Result<(), BoxError> {
        self.handle.set_bitrate(bits(self.config.bitrate).saturating_add(1))?;
        Ok(())
    }

    /// Restarts the encoder with another colour space, because OpenH264 writes the parameter sets only at the start.
    /// The next frame is a key frame.
    fn set_colour(&mut self, colour: Colour) -> Result<(), BoxError> {
        self.handle.restart(&settings(&self.config, colour))?;
        self.colour = colour;
        Ok(())
    }
}

fn packet(picture: &Picture<'_>, layered: bool, pool: &BufferPool) -> Packet {
    let mut payload = pool.take(picture.length());
    let mut discardable = layered;
    for units in picture.units() {
        append(units, &mut payload, &mut discardable);
    }
    Packet { payload, temporal: picture.temporal(), key: picture.is_key(), discardable }
}

/// Appends the units of `bytes`. The picture is not discardable if one of its slices is a reference.
fn append(bytes: &[u8], payload: &mut Buffer, discardable: &mut bool) {
    for unit in bitstream::annex_b(bytes) {
        *discardable &= !bitstream::is_reference(unit);
        bitstream::append_prefixed(unit, payload);
    }
}

fn check(config: &Config) -> Result<(), BoxError> {
    let Size { width, height } = config.size;
    if width < MIN_SIDE || height < MIN_SIDE {
        return Err(format!("size {} under {MIN_SIDE}x{MIN_SIDE}", config.size).into());
    }
    Ok(())
}

fn settings(config: &Config, colour: Colour) -> Settings {
    Settings {
        size: config.size,
        rate: config.rate.as_f32(),
        bitrate: bits(config.bitrate),
        temporal_layers: config.temporal_layers,
        screen: config.content == Content::Screen,
        colour,
    }
}

/// Converts to OpenH264's 32-bit bitrate, which must not be zero.
fn bits(bitrate: Bitrate) -> i32 {
    i32::try_from(bitrate.as_bps()).unwrap_or(i32::MAX).max(MIN_BITRATE)
}

const NAME: &str = "openh264";
const MAX_TEMPORAL: u8 = 3;
const MIN_SIDE: u16 = 16;
const MIN_BITRATE: i32 = 10_000;

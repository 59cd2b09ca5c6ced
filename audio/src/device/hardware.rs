//! Microphones and speakers of the system by cpal: PulseAudio (and `PipeWire` behind it) or ALSA on Linux, Core Audio,
//! WASAPI.
//!
//! A callback brings anything from one frame to hundreds. It copies them between the device's buffer and a ring, mixes
//! or spreads the channels on the way, and touches nothing else but a few atomics. The engine's side of the ring cuts
//! blocks of 10 ms and changes the sample rate.

mod host;
mod microphone;
mod speaker;

use super::{Device, Direction, Error};
use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{BufferSize, ErrorKind, SampleFormat, StreamConfig, SupportedBufferSize};
use microphone::Microphone;
use speaker::Speaker;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A device as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// What [`super::Choice::Device`] takes; stable over restarts where the system allows it.
    pub id: String,
    /// What the user knows it by.
    pub name: String,
    /// True for the system's choice.
    pub default: bool,
}

/// The microphones there are now. Asks the sound server: may take a second. Empty where there is no sound at all.
pub fn microphones() -> Vec<Info> {
    list(Direction::Microphone)
}

/// The speakers there are now; as [`microphones`].
pub fn speakers() -> Vec<Info> {
    list(Direction::Speaker)
}

fn list(direction: Direction) -> Vec<Info> {
    let Some(host) = host::host() else { return Vec::new() };
    let default = default_device(&host, direction).and_then(|device| device.id().ok());
    let described = |device: cpal::Device| {
        let id = device.id().ok()?;
        let default = Some(&id) == default.as_ref();
        Some(Info { id: id.to_string(), name: name(&device), default })
    };
    devices(&host, direction).into_iter().filter_map(described).filter(is_for_people).collect()
}

/// To PulseAudio what a speaker plays is a source too, and ALSA lists its plug-ins beside the cards.
fn is_for_people(info: &Info) -> bool {
    let plugin = info.id.starts_with("alsa:") && !info.id.contains("CARD=");
    !plugin && !info.id.ends_with(".monitor")
}

fn devices(host: &cpal::Host, direction: Direction) -> Vec<cpal::Device> {
    match direction {
        Direction::Microphone => host.input_devices().map(Iterator::collect),
        Direction::Speaker => host.output_devices().map(Iterator::collect),
    }
    .unwrap_or_default()
}

fn default_device(host: &cpal::Host, direction: Direction) -> Option<cpal::Device> {
    match direction {
        Direction::Microphone => host.default_input_device(),
        Direction::Speaker => host.default_output_device(),
    }
}

fn name(device: &cpal::Device) -> String {
    device.description().map_or_else(|_| "?".to_owned(), |description| description.name().to_owned())
}

/// Opens the device of this identifier or name, or the system's choice.
///
/// # Errors
/// [`Error::Missing`], [`Error::Unknown`], [`Error::Format`], [`Error::Refused`].
pub fn open(direction: Direction, wanted: Option<&str>) -> Result<Box<dyn Device>, Error> {
    let host = host::host().ok_or(Error::Missing(direction))?;
    let device = match wanted {
        None => default_device(&host, direction).ok_or(Error::Missing(direction))?,
        Some(wanted) => find(&host, direction, wanted)?,
    };
    let name = name(&device);
    // ALSA has a default even where there is no card.
    let absent = |error: &cpal::Error| wanted.is_none() && error.kind() == ErrorKind::DeviceNotAvailable;
    let (config, format) = configure(&device, direction)
        .map_err(|error| if absent(&error) { Error::Missing(direction) } else { refused(&name, error) })?;
    match direction {
        Direction::Microphone => Ok(Box::new(Microphone::open(&device, name, config, format)?)),
        Direction::Speaker => Ok(Box::new(Speaker::open(&device, name, config, format)?)),
    }
}

fn find(host: &cpal::Host, direction: Direction, wanted: &str) -> Result<cpal::Device, Error> {
    let is_it = |device: &cpal::Device| {
        device.id().is_ok_and(|id| id.to_string() == wanted || id.id() == wanted) || name(device) == wanted
    };
    let unknown = || Error::Unknown { direction, name: wanted.to_owned() };
    devices(host, direction).into_iter().find(is_it).ok_or_else(unknown)
}

fn refused(name: &str, source: cpal::Error) -> Error {
    if source.kind() == ErrorKind::UnsupportedConfig {
        return Error::Format { name: name.to_owned() };
    }
    Error::Refused { name: name.to_owned(), source }
}

/// 48 kHz in a format we speak and the device's own channel count if it can, what it proposes otherwise.
fn configure(device: &cpal::Device, direction: Direction) -> Result<(StreamConfig, SampleFormat), cpal::Error> {
    let (proposed, ranges): (_, Vec<_>) = match direction {
        Direction::Microphone => (device.default_input_config()?, device.supported_input_configs()?.collect()),
        Direction::Speaker => (device.default_output_config()?, device.supported_output_configs()?.collect()),
    };
    let fits = |range: &&cpal::SupportedStreamConfigRange| {
        range.contains_rate(crate::SAMPLE_RATE) && FORMATS.contains(&range.sample_format())
    };
    let cost = |range: &&cpal::SupportedStreamConfigRange| {
        let format = FORMATS.iter().position(|format| *format == range.sample_format());
        (range.channels().abs_diff(proposed.channels()), format)
    };
    let best = ranges.iter().filter(fits).min_by_key(cost);
    let best = best.map_or(proposed, |range| range.with_sample_rate(crate::SAMPLE_RATE));
    let period = match direction {
        Direction::Microphone => best.sample_rate() / 100,
        Direction::Speaker => best.sample_rate() / 50,
    };
    let buffer_size = match best.buffer_size() {
        SupportedBufferSize::Range { min, max } if (min..=max).contains(&&period) => BufferSize::Fixed(period),
        SupportedBufferSize::Range { .. } | SupportedBufferSize::Unknown => BufferSize::Default,
    };
    let config = StreamConfig { channels: best.channels(), sample_rate: best.sample_rate(), buffer_size };
    Ok((config, best.sample_format()))
}

/// Tries again with a buffer of the driver's choice where it does not take ours.
fn with_any_buffer<T>(
    mut config: StreamConfig,
    open: impl Fn(StreamConfig) -> Result<T, cpal::Error>,
) -> Result<T, cpal::Error> {
    open(config).or_else(|error| {
        tracing::debug!(%error, "device opened with a buffer of its own choice");
        config.buffer_size = BufferSize::Default;
        open(config)
    })
}

/// What a callback and the engine tell each other.
#[derive(Default)]
struct Watch {
    /// Callbacks so far: a device that stops calling is gone, whatever it says.
    calls: AtomicU64,
    lost: AtomicBool,
    slips: AtomicU64,
    /// The largest callback, in frames.
    largest: AtomicUsize,
    latency_micros: AtomicU64,
}

impl Watch {
    fn called(&self, frames: usize, latency: Duration) {
        self.calls.fetch_add(1, Relaxed);
        self.largest.fetch_max(frames, Relaxed);
        self.latency_micros.store(u64::try_from(latency.as_micros()).unwrap_or(0), Relaxed);
    }

    fn latency(&self) -> Duration {
        // Some drivers tell nonsense while they start.
        Duration::from_micros(self.latency_micros.load(Relaxed)).min(Duration::from_secs(1))
    }

    fn failed(self: Arc<Self>) -> impl FnMut(cpal::Error) + Send + 'static {
        move |error| {
            let kind = error.kind();
            if kind == ErrorKind::Xrun {
                self.slips.fetch_add(1, Relaxed);
            } else if !HARMLESS.contains(&kind) {
                self.lost.store(true, Relaxed);
            }
        }
    }
}

/// Notices a device that went silent without saying so.
struct Pulse {
    calls: u64,
    since: Option<Instant>,
}

impl Pulse {
    fn is_alive(&mut self, watch: &Watch, now: Instant) -> bool {
        let calls = watch.calls.load(Relaxed);
        if calls != self.calls || self.since.is_none() {
            *self = Self { calls, since: Some(now) };
        }
        let silent = self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        !watch.lost.load(Relaxed) && silent < DEAD_AFTER
    }
}

/// Sample formats we speak, the best first; the tables of both directions follow this order.
const FORMATS: [SampleFormat; 6] =
    [SampleFormat::F32, SampleFormat::I16, SampleFormat::I32, SampleFormat::I24, SampleFormat::U16, SampleFormat::U8];

/// A sound server that does not answer within this time is not waited for.
const OPEN_WITHIN: Duration = Duration::from_secs(2);

/// A device that has not called for this long is gone.
const DEAD_AFTER: Duration = Duration::from_secs(2);

/// What a stream reports and survives.
const HARMLESS: [ErrorKind; 3] = [ErrorKind::DeviceChanged, ErrorKind::RealtimeDenied, ErrorKind::DeviceBusy];

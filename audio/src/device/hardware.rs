//! The system's microphones and speakers, through cpal: PulseAudio (also served by `PipeWire`) or ALSA on Linux, Core
//! Audio, WASAPI.
//!
//! A callback has from one to hundreds of frames. It copies them between the device's buffer and a ring buffer, mixes
//! or duplicates channels, and accesses only a few atomics besides. The engine's side of the ring buffer forms blocks
//! of 10 ms and converts the sample rate.

mod host;
mod microphone;
mod speaker;
mod stream;

use super::direction::Direction;
use super::error::Error;
use super::interface::Device;
use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{BufferSize, ErrorKind, SampleFormat, StreamConfig, SupportedBufferSize};
use microphone::Microphone;
use speaker::Speaker;
use stream::{FORMATS, refused};

/// An entry in a list of devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// The identifier for [`super::Choice::Device`]. It is stable over restarts if the system supports that.
    pub id: String,
    /// The name shown to users.
    pub name: String,
    /// True for the system's default device.
    pub default: bool,
}

/// Lists the microphones. Calls the sound server, which may take a second. The list is empty if there is no sound
/// system.
pub fn microphones() -> Vec<Info> {
    list(Direction::Microphone)
}

/// Lists the speakers, as [`microphones`] does.
pub fn speakers() -> Vec<Info> {
    list(Direction::Speaker)
}

/// Lists the devices again and again. Keeps one connection to the sound server: each connection of cpal has a thread
/// that stays when the connection is dropped.
#[derive(Default)]
pub struct Lister {
    /// `None` before the first list, and after the sound server stopped.
    server: Option<cpal::Host>,
}

impl Lister {
    /// Lists the microphones and the speakers, as [`microphones`] and [`speakers`] do.
    pub fn list(&mut self) -> [Vec<Info>; 2] {
        let directions = [Direction::Microphone, Direction::Speaker];
        let server = self.server.take().filter(|server| server.devices().is_ok());
        let Some(host) = server.or_else(|| host::host(Direction::Microphone).ok()) else { return Default::default() };
        let found = directions.map(|direction| list_on(&host, direction));
        self.server = host::is_server(&host).then_some(host);
        found
    }
}

fn list(direction: Direction) -> Vec<Info> {
    host::host(direction).map(|host| list_on(&host, direction)).unwrap_or_default()
}

fn list_on(host: &cpal::Host, direction: Direction) -> Vec<Info> {
    let default = default_device(host, direction).and_then(|device| device.id().ok());
    let described = |device: cpal::Device| {
        let id = device.id().ok()?;
        let default = Some(&id) == default.as_ref();
        Some(Info { id: id.to_string(), name: name(&device), default })
    };
    devices(host, direction).into_iter().filter_map(described).filter(is_listed).collect()
}

/// Returns false for PulseAudio's monitors of speakers, which it lists as sources, and for ALSA's plug-ins.
fn is_listed(info: &Info) -> bool {
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

/// Opens the device with this identifier or name, or the system's default device.
///
/// # Errors
/// Returns [`Error::Missing`] if the system has no such device, [`Error::ServerRefused`] if the sound server refuses this
/// program, [`Error::Unknown`] if no device has that name, [`Error::Format`] if its format is not supported, and
/// [`Error::Refused`] if the system refuses it.
pub fn open(direction: Direction, wanted: Option<&str>) -> Result<Box<dyn Device>, Error> {
    let host = host::host(direction)?;
    let device = match wanted {
        None => default_device(&host, direction).ok_or(Error::Missing(direction))?,
        Some(wanted) => find(&host, direction, wanted)?,
    };
    let name = name(&device);
    // ALSA has a default device even if there is no card.
    let absent = |error: &cpal::Error| wanted.is_none() && error.kind() == ErrorKind::DeviceNotAvailable;
    let (config, format) = configure(&device, direction)
        .map_err(|error| if absent(&error) { Error::Missing(direction) } else { refused(&name, error) })?;
    match direction {
        Direction::Microphone => Ok(Box::new(Microphone::open(device, name, config, format, host::is_server(&host))?)),
        Direction::Speaker => Ok(Box::new(Speaker::open(&device, name, config, format, host::is_server(&host))?)),
    }
}

fn find(host: &cpal::Host, direction: Direction, wanted: &str) -> Result<cpal::Device, Error> {
    let matches_name = |device: &cpal::Device| {
        device.id().is_ok_and(|id| id.to_string() == wanted || id.id() == wanted) || name(device) == wanted
    };
    let unknown = || Error::Unknown { direction, name: wanted.to_owned() };
    devices(host, direction).into_iter().find(matches_name).ok_or_else(unknown)
}

/// Returns 48 kHz in one of [`FORMATS`], with the device's default number of channels if possible. If the device does
/// not support 48 kHz, returns its default configuration.
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

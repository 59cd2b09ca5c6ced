//! What microphones and speakers share: the formats, and the state that a callback shares with the engine.

use crate::device::error::Error;
use cpal::{BufferSize, ErrorKind, SampleFormat, StreamConfig};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Converts an error of cpal for the device `name`.
pub fn refused(name: &str, source: cpal::Error) -> Error {
    if source.kind() == ErrorKind::UnsupportedConfig {
        return Error::Format { name: name.to_owned() };
    }
    Error::Refused { name: name.to_owned(), source }
}

/// Opens a stream. If the driver refuses our buffer size, tries again with its default size.
pub fn with_any_buffer<T>(
    mut config: StreamConfig,
    open: impl Fn(StreamConfig) -> Result<T, cpal::Error>,
) -> Result<T, cpal::Error> {
    open(config).or_else(|error| {
        tracing::debug!(%error, "buffer size refused, trying the default one");
        config.buffer_size = BufferSize::Default;
        open(config)
    })
}

/// The state shared by a callback and the engine.
#[derive(Default)]
pub struct StreamState {
    /// Callbacks so far. If it stops growing, the device is lost.
    pub calls: AtomicU64,
    /// True after an error from which the stream does not recover.
    pub lost: AtomicBool,
    /// Overruns or underruns so far.
    pub xruns: AtomicU64,
    /// The largest callback, in frames.
    pub largest: AtomicUsize,
    /// The latency that the driver reported in the last callback, in microseconds.
    pub latency_micros: AtomicU64,
}

impl StreamState {
    /// Records a callback. Called on the driver's thread.
    pub fn called(&self, frames: usize, latency: Duration) {
        self.calls.fetch_add(1, Relaxed);
        self.largest.fetch_max(frames, Relaxed);
        self.latency_micros.store(u64::try_from(latency.as_micros()).unwrap_or(0), Relaxed);
    }

    pub fn latency(&self) -> Duration {
        // Some drivers report a wrong latency while they start.
        Duration::from_micros(self.latency_micros.load(Relaxed)).min(Duration::from_secs(1))
    }

    /// Returns the error callback.
    pub fn failed(self: Arc<Self>) -> impl FnMut(cpal::Error) + Send + 'static {
        move |error| {
            let kind = error.kind();
            if kind == ErrorKind::Xrun {
                self.xruns.fetch_add(1, Relaxed);
            } else if !IGNORED_ERRORS.contains(&kind) {
                self.lost.store(true, Relaxed);
            }
        }
    }
}

/// Detects a device that stopped its callbacks without an error.
pub struct CallbackMonitor {
    /// Callbacks at the last check.
    pub calls: u64,
    /// Since when `calls` has not changed. `None` before the first check.
    pub since: Option<Instant>,
}

impl CallbackMonitor {
    /// Returns false if the device is lost, or had no callback for two seconds.
    pub fn is_alive(&mut self, state: &StreamState, now: Instant) -> bool {
        let calls = state.calls.load(Relaxed);
        if calls != self.calls || self.since.is_none() {
            *self = Self { calls, since: Some(now) };
        }
        let silent = self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        !state.lost.load(Relaxed) && silent < CALLBACK_TIMEOUT
    }
}

/// The supported sample formats, best first. The tables of both directions have this order.
pub const FORMATS: [SampleFormat; 6] =
    [SampleFormat::F32, SampleFormat::I16, SampleFormat::I32, SampleFormat::I24, SampleFormat::U16, SampleFormat::U8];

/// How long opening a stream waits for a sound server.
pub const OPEN_TIMEOUT: Duration = Duration::from_secs(2);

/// A device without a callback for this long is lost.
const CALLBACK_TIMEOUT: Duration = Duration::from_secs(2);

/// Errors after which a stream continues.
const IGNORED_ERRORS: [ErrorKind; 3] = [ErrorKind::DeviceChanged, ErrorKind::RealtimeDenied, ErrorKind::DeviceBusy];

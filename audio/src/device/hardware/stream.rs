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
    /// The last callback, in frames.
    last: AtomicUsize,
    /// The smaller one of the last two callbacks, in frames.
    repeated: AtomicUsize,
    /// The latency that the driver reported in the last callback, in microseconds.
    pub latency_micros: AtomicU64,
}

impl StreamState {
    /// Records a callback. Called on the driver's thread.
    pub fn called(&self, frames: usize, latency: Duration) {
        self.calls.fetch_add(1, Relaxed);
        self.largest.fetch_max(frames, Relaxed);
        self.repeated.store(self.last.swap(frames, Relaxed).min(frames), Relaxed);
        self.latency_micros.store(u64::try_from(latency.as_micros()).unwrap_or(0), Relaxed);
    }

    /// Returns the size of the callbacks of a slow device, in frames, or `None` if the device is not slow. A device is
    /// slow if its last two callbacks were longer than [`MAX_CALLBACK`]. One long callback follows a delay and means
    /// nothing.
    pub fn slow(&self, rate: u32) -> Option<usize> {
        let repeated = self.repeated.load(Relaxed);
        (repeated > max_callback(rate)).then_some(repeated)
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

/// Detects a device that stopped its callbacks without an error. It learns the interval of the callbacks: the null sinks
/// of PulseAudio may call back only every two seconds.
#[derive(Default)]
pub struct CallbackMonitor {
    /// Callbacks at the last check.
    calls: u64,
    /// Since when `calls` has not changed. `None` before the first check.
    since: Option<Instant>,
    /// The longest time between two callbacks so far. Zero before the second callback.
    longest: Duration,
}

impl CallbackMonitor {
    /// Returns false if the device is lost, or had no callback for several of its longest intervals.
    pub fn is_alive(&mut self, state: &StreamState, now: Instant) -> bool {
        let calls = state.calls.load(Relaxed);
        let mut silent = self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        if calls != self.calls || self.since.is_none() {
            // The time before the first callback is not an interval.
            if self.calls > 0 {
                self.longest = self.longest.max(silent);
            }
            (self.calls, self.since) = (calls, Some(now));
            silent = Duration::ZERO;
        }
        !state.lost.load(Relaxed) && silent < self.timeout()
    }

    fn timeout(&self) -> Duration {
        if self.longest.is_zero() {
            return MAX_CALLBACK_TIMEOUT;
        }
        (self.longest * MISSED_CALLBACKS).clamp(MIN_CALLBACK_TIMEOUT, MAX_CALLBACK_TIMEOUT)
    }
}

/// Returns the longest callback of a device that is not slow, in frames.
pub fn max_callback(rate: u32) -> usize {
    usize::try_from(u128::from(rate) * MAX_CALLBACK.as_millis() / 1_000).unwrap_or(usize::MAX)
}

/// Returns the number of frames in a ring buffer: two callbacks of the slowest devices.
pub fn ring_size(rate: u32) -> usize {
    rate as usize * 4
}

/// The supported sample formats, best first. The tables of both directions have this order.
pub const FORMATS: [SampleFormat; 6] =
    [SampleFormat::F32, SampleFormat::I16, SampleFormat::I32, SampleFormat::I24, SampleFormat::U16, SampleFormat::U8];

/// How long opening a stream waits for a sound server.
pub const OPEN_TIMEOUT: Duration = Duration::from_secs(2);

/// A device without a callback for this many of its longest intervals is lost.
const MISSED_CALLBACKS: u32 = 4;

/// A device that had a callback less than this long ago is not lost.
const MIN_CALLBACK_TIMEOUT: Duration = Duration::from_secs(2);

/// A device without a callback for this long is lost, however slow it is.
const MAX_CALLBACK_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest callback of a device that is not slow.
const MAX_CALLBACK: Duration = Duration::from_millis(375);

/// Errors after which a stream continues.
const IGNORED_ERRORS: [ErrorKind; 3] = [ErrorKind::DeviceChanged, ErrorKind::RealtimeDenied, ErrorKind::DeviceBusy];

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 48_000;

    /// Calls back every `interval` until `end`, checks every 10 ms, and returns the time of the first failed check.
    fn lost_at(interval: Duration, end: Duration) -> Option<Duration> {
        let (state, mut monitor, start) = (StreamState::default(), CallbackMonitor::default(), Instant::now());
        let mut next = interval;
        (0..6_000).map(|tick| Duration::from_millis(10) * tick).find(|now| {
            if *now >= next && *now <= end {
                state.called(480, Duration::ZERO);
                next += interval;
            }
            !monitor.is_alive(&state, start + *now)
        })
    }

    #[test]
    fn a_device_that_calls_back_every_two_seconds_is_alive() {
        for millis in [10, 100, 1_000, 1_990, 2_000, 2_100] {
            assert_eq!(lost_at(Duration::from_millis(millis), Duration::from_mins(1)), None, "every {millis} ms");
        }
    }

    #[test]
    fn a_device_that_stops_is_lost_after_a_time_that_depends_on_its_interval() {
        let end = Duration::from_secs(10);
        for (millis, timeout) in [(10, 2), (100, 2), (1_000, 4), (2_000, 8)] {
            let lost = lost_at(Duration::from_millis(millis), end).expect("it is lost");
            assert_eq!(lost, end + Duration::from_secs(timeout), "every {millis} ms");
        }
        assert_eq!(lost_at(Duration::MAX, end), Some(Duration::from_secs(10)), "it never called back");
    }

    #[test]
    fn a_failed_device_is_lost_at_once() {
        let (state, mut monitor) = (StreamState::default(), CallbackMonitor::default());
        assert!(monitor.is_alive(&state, Instant::now()));
        state.lost.store(true, Relaxed);
        assert!(!monitor.is_alive(&state, Instant::now()));
    }

    #[test]
    fn only_a_device_with_two_long_callbacks_in_a_row_is_slow() {
        let state = StreamState::default();
        for (frames, slow) in [
            (480, None),
            (96_000, None),
            (480, None),
            (96_000, None),
            (95_999, Some(95_999)),
            (96_000, Some(95_999)),
            (480, None),
        ] {
            state.called(frames, Duration::ZERO);
            assert_eq!(state.slow(RATE), slow, "{frames}");
        }
    }
}

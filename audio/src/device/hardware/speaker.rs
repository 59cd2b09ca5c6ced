//! Speakers: the engine keeps the ring buffer filled, and the callback copies each sample to all channels.

use super::stream::{
    CallbackMonitor, FORMATS, OPEN_TIMEOUT, StreamState, max_callback, refused, ring_size, with_any_buffer,
};
use crate::device::error::Error;
use crate::device::interface::Device;
use crate::device::pacer::Pacer;
use crate::resample::FromBlocks;
use crate::{BLOCK, Block, SAMPLE_RATE};
use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{FromSample, SampleFormat, SizedSample, StreamConfig};
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// A speaker that is playing.
pub struct Speaker {
    name: String,
    samples: Producer<f32>,
    convert: FromBlocks,
    rate: u32,
    state: Arc<StreamState>,
    monitor: CallbackMonitor,
    /// Underruns after which `target` was raised.
    xruns: u64,
    /// The number of frames to keep in the ring buffer.
    target: usize,
    /// Fills the buffer of a slow device with a block every 10 ms. `None` if the device is not slow.
    pacer: Option<Pacer>,
    stream: cpal::Stream,
    /// True for a stream of a sound server, which pauses and resumes at once.
    pausable: bool,
    paused: bool,
}

impl Speaker {
    /// Starts playing in `format`. `pausable` is true for a sound server.
    ///
    /// # Errors
    /// Returns [`Error::Format`] if the format is not supported, and [`Error::Refused`] if the system refuses the
    /// stream.
    pub fn open(
        device: &cpal::Device,
        name: String,
        config: StreamConfig,
        format: SampleFormat,
        pausable: bool,
    ) -> Result<Self, Error> {
        let convert = FromBlocks::new(config.sample_rate).ok_or_else(|| Error::Format { name: name.clone() })?;
        let state = Arc::<StreamState>::default();
        let (stream, samples) = with_any_buffer(config, |config| {
            let (producer, consumer) = RingBuffer::new(ring_size(config.sample_rate));
            let state = Arc::clone(&state);
            play_as(format)(device, config, consumer, state).map(|stream| (stream, producer))
        })
        .map_err(|source| refused(&name, source))?;
        stream.play().map_err(|source| refused(&name, source))?;
        let (rate, monitor) = (config.sample_rate, CallbackMonitor::default());
        Ok(Self {
            name,
            samples,
            convert,
            rate,
            state,
            monitor,
            xruns: 0,
            target: 0,
            pacer: None,
            stream,
            pausable,
            paused: false,
        })
    }

    /// Returns the number of frames to keep in the ring buffer: the largest callback and two ticks, and half a tick
    /// more after each underrun. A slow device takes a whole callback at once.
    fn target(&mut self) -> usize {
        let tick = self.rate as usize / 100;
        if let Some(callback) = self.state.slow(self.rate) {
            return callback + 2 * tick;
        }
        // One long callback follows a delay. Its size must not become the latency.
        let minimum = self.state.largest.load(Relaxed).min(max_callback(self.rate)) + 2 * tick;
        let xruns = self.state.xruns.load(Relaxed);
        if xruns > self.xruns {
            self.xruns = xruns;
            self.target += tick / 2;
        }
        self.target = self.target.clamp(minimum, minimum + MAX_RESERVE * tick);
        self.target
    }

    fn waiting(&self) -> usize {
        self.samples.buffer().capacity() - self.samples.slots()
    }
}

impl Device for Speaker {
    fn name(&self) -> &str {
        &self.name
    }

    fn ready(&mut self, now: Instant) -> Result<usize, Error> {
        // A paused stream has no callbacks. Only an error shows that it is lost.
        let alive = if self.paused { !self.state.lost.load(Relaxed) } else { self.monitor.is_alive(&self.state, now) };
        if !alive {
            return Err(Error::Lost { name: self.name.clone() });
        }
        let room = self.target().saturating_sub(self.waiting());
        let blocks = room.div_ceil((self.rate as usize * BLOCK / SAMPLE_RATE as usize).max(1));
        // The jitter buffers cannot deliver the seconds of a slow device at once.
        let due = Pacer::for_slow(&mut self.pacer, self.state.slow(self.rate).is_some(), now);
        Ok(due.map_or(blocks, |due| due.min(blocks)))
    }

    fn pass(&mut self, block: &mut Block) -> Result<(), Error> {
        let (_, lost) = self.samples.push_partial_slice(self.convert.convert(block));
        if !lost.is_empty() {
            tracing::debug!(samples = lost.len(), "the ring buffer of the speaker is full");
        }
        self.pacer.iter_mut().for_each(Pacer::pass);
        Ok(())
    }

    fn latency(&self) -> Duration {
        let waiting = self.waiting() as u64 * 1_000_000 / u64::from(self.rate.max(1));
        self.state.latency() + Duration::from_micros(waiting)
    }

    fn xruns(&self) -> u64 {
        self.state.xruns.load(Relaxed)
    }

    fn set_alone(&mut self, alone: bool) -> Result<(), Error> {
        if !self.pausable || self.paused == alone {
            return Ok(());
        }
        if !alone {
            self.stream.play().map_err(|source| refused(&self.name, source))?;
        } else if let Err(error) = self.stream.pause() {
            tracing::debug!(%error, "the speaker cannot pause");
            return Ok(());
        }
        (self.paused, self.monitor) = (alone, CallbackMonitor::default());
        Ok(())
    }
}

type Play = fn(&cpal::Device, StreamConfig, Consumer<f32>, Arc<StreamState>) -> Result<cpal::Stream, cpal::Error>;

fn play_as(format: SampleFormat) -> Play {
    let table: [Play; FORMATS.len()] =
        [play::<f32>, play::<i16>, play::<i32>, play::<cpal::I24>, play::<u16>, play::<u8>];
    FORMATS.iter().position(|known| *known == format).map_or(play::<f32>, |index| table[index])
}

fn play<T: SizedSample + FromSample<f32>>(
    device: &cpal::Device,
    config: StreamConfig,
    mut ring: Consumer<f32>,
    state: Arc<StreamState>,
) -> Result<cpal::Stream, cpal::Error> {
    let (channels, failed) = (usize::from(config.channels.max(1)), Arc::clone(&state).failed());
    // The device starts before the engine's first block. This is not an underrun.
    let mut started = false;
    let callback = move |data: &mut [T], info: &cpal::OutputCallbackInfo| {
        let frames = data.len() / channels;
        let time = info.timestamp();
        state.called(frames, time.playback.duration_since(time.callback));
        let ready = ring.slots().min(frames);
        if ready < frames && started {
            state.xruns.fetch_add(1, Relaxed);
        }
        started |= ready > 0;
        let mut frame = data.chunks_mut(channels);
        if let Ok(chunk) = ring.read_chunk(ready) {
            for (sample, frame) in chunk.into_iter().zip(&mut frame) {
                frame.fill(T::from_sample(sample));
            }
        }
        frame.for_each(|frame| frame.fill(T::EQUILIBRIUM));
    };
    device.build_output_stream(config, callback, failed, Some(OPEN_TIMEOUT))
}

/// The maximum number of blocks that underruns add to the ring buffer: 100 ms.
const MAX_RESERVE: usize = 10;

//! Microphones: the callback writes mono samples to the ring buffer, and the engine reads blocks from it.

use super::stream::{CallbackMonitor, FORMATS, OPEN_TIMEOUT, StreamState, refused, with_any_buffer};
use crate::Block;
use crate::device::error::Error;
use crate::device::interface::Device;
use crate::resample::ToBlocks;
use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{FromSample, Sample as _, SampleFormat, SizedSample, StreamConfig};
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// A microphone that is recording.
pub struct Microphone {
    name: String,
    samples: Consumer<f32>,
    convert: ToBlocks,
    rate: u32,
    state: Arc<StreamState>,
    monitor: CallbackMonitor,
    _stream: cpal::Stream,
}

impl Microphone {
    /// Starts recording in `format`.
    ///
    /// # Errors
    /// Returns [`Error::Format`] if the format is not supported, and [`Error::Refused`] if the system refuses the
    /// stream.
    pub fn open(
        device: &cpal::Device,
        name: String,
        config: StreamConfig,
        format: SampleFormat,
    ) -> Result<Self, Error> {
        let convert = ToBlocks::new(config.sample_rate).ok_or_else(|| Error::Format { name: name.clone() })?;
        let state = Arc::<StreamState>::default();
        let (stream, samples) = with_any_buffer(config, |config| {
            let (producer, consumer) = RingBuffer::new(config.sample_rate as usize / 2);
            let state = Arc::clone(&state);
            record_as(format)(device, config, producer, state).map(|stream| (stream, consumer))
        })
        .map_err(|source| refused(&name, source))?;
        stream.play().map_err(|source| refused(&name, source))?;
        let (rate, monitor) = (config.sample_rate, CallbackMonitor { calls: 0, since: None });
        Ok(Self { name, samples, convert, rate, state, monitor, _stream: stream })
    }
}

impl Device for Microphone {
    fn name(&self) -> &str {
        &self.name
    }

    fn ready(&mut self, now: Instant) -> Result<usize, Error> {
        if !self.monitor.is_alive(&self.state, now) {
            return Err(Error::Lost { name: self.name.clone() });
        }
        Ok(self.samples.slots() / self.convert.needed().max(1))
    }

    fn pass(&mut self, block: &mut Block) -> Result<(), Error> {
        let input = self.convert.input();
        // `ready` counted with the size of the block before. If this block needs more samples, the rest is silence.
        let (_, missing) = self.samples.pop_partial_slice(input);
        missing.fill(0.0);
        self.convert.convert(block);
        Ok(())
    }

    fn latency(&self) -> Duration {
        let waiting = self.samples.slots() as u64 * 1_000_000 / u64::from(self.rate.max(1));
        self.state.latency() + Duration::from_micros(waiting)
    }

    fn xruns(&self) -> u64 {
        self.state.xruns.load(Relaxed)
    }
}

type Record = fn(&cpal::Device, StreamConfig, Producer<f32>, Arc<StreamState>) -> Result<cpal::Stream, cpal::Error>;

fn record_as(format: SampleFormat) -> Record {
    let table: [Record; FORMATS.len()] =
        [record::<f32>, record::<i16>, record::<i32>, record::<cpal::I24>, record::<u16>, record::<u8>];
    FORMATS.iter().position(|known| *known == format).map_or(record::<f32>, |index| table[index])
}

fn record<T: SizedSample>(
    device: &cpal::Device,
    config: StreamConfig,
    mut ring: Producer<f32>,
    state: Arc<StreamState>,
) -> Result<cpal::Stream, cpal::Error>
where
    f32: FromSample<T>,
{
    let (channels, failed) = (usize::from(config.channels.max(1)), Arc::clone(&state).failed());
    let factor = 1.0 / f32::from(config.channels.max(1));
    let callback = move |data: &[T], info: &cpal::InputCallbackInfo| {
        let frames = data.len() / channels;
        let time = info.timestamp();
        state.called(frames, time.callback.duration_since(time.capture));
        let room = ring.slots().min(frames);
        if room < frames {
            state.xruns.fetch_add(1, Relaxed);
        }
        let mono = data.chunks_exact(channels).map(|frame| {
            let sum: f32 = frame.iter().map(|sample| f32::from_sample(*sample)).sum();
            sum * factor
        });
        if let Ok(chunk) = ring.write_chunk_uninit(room) {
            chunk.fill_from_iter(mono);
        }
    };
    device.build_input_stream(config, callback, failed, Some(OPEN_TIMEOUT))
}

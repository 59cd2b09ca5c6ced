//! Microphones: the callback writes mono samples to the ring buffer, and the engine reads blocks from it.

use super::stream::{CallbackMonitor, FORMATS, OPEN_TIMEOUT, StreamState, refused, ring_size, with_any_buffer};
use crate::Block;
use crate::device::error::Error;
use crate::device::interface::Device;
use crate::device::pacer::Pacer;
use crate::resample::ToBlocks;
use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{BufferSize, FromSample, Sample as _, SampleFormat, SizedSample, StreamConfig};
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// A microphone that is recording.
pub struct Microphone {
    name: String,
    device: cpal::Device,
    config: StreamConfig,
    format: SampleFormat,
    /// True if a sound server has the microphone. It can record the same source several times.
    shareable: bool,
    recording: Recording,
    convert: ToBlocks,
    monitor: CallbackMonitor,
    /// Divides the callbacks of a slow device into blocks every 10 ms. `None` if the device is not slow.
    pacer: Option<Pacer>,
}

/// A stream, and what it has recorded.
struct Recording {
    samples: Consumer<f32>,
    state: Arc<StreamState>,
    _stream: cpal::Stream,
}

impl Recording {
    fn start(device: &cpal::Device, config: StreamConfig, format: SampleFormat) -> Result<Self, cpal::Error> {
        let state = Arc::<StreamState>::default();
        let (stream, samples) = with_any_buffer(config, |config| {
            let (producer, consumer) = RingBuffer::new(ring_size(config.sample_rate));
            let state = Arc::clone(&state);
            record_as(format)(device, config, producer, state).map(|stream| (stream, consumer))
        })?;
        stream.play()?;
        Ok(Self { samples, state, _stream: stream })
    }
}

impl Microphone {
    /// Starts recording in `format`. `shareable` is true for a sound server.
    ///
    /// # Errors
    /// Returns [`Error::Format`] if the format is not supported, and [`Error::Refused`] if the system refuses the
    /// stream.
    pub fn open(
        device: cpal::Device,
        name: String,
        config: StreamConfig,
        format: SampleFormat,
        shareable: bool,
    ) -> Result<Self, Error> {
        let convert = ToBlocks::new(config.sample_rate).ok_or_else(|| Error::Format { name: name.clone() })?;
        let recording = Recording::start(&device, config, format).map_err(|source| refused(&name, source))?;
        let monitor = CallbackMonitor::default();
        Ok(Self { name, device, config, format, shareable, recording, convert, monitor, pacer: None })
    }
}

impl Device for Microphone {
    fn name(&self) -> &str {
        &self.name
    }

    fn ready(&mut self, now: Instant) -> Result<usize, Error> {
        if !self.monitor.is_alive(&self.recording.state, now) {
            return Err(Error::Lost { name: self.name.clone() });
        }
        let recorded = self.recording.samples.slots() / self.convert.needed().max(1);
        let due = Pacer::for_slow(&mut self.pacer, self.recording.state.slow(self.config.sample_rate).is_some(), now);
        Ok(due.map_or(recorded, |due| due.min(recorded)))
    }

    fn pass(&mut self, block: &mut Block) -> Result<(), Error> {
        let input = self.convert.input();
        // `ready` counted with the size of the block before. If this block needs more samples, the rest is silence.
        let (_, missing) = self.recording.samples.pop_partial_slice(input);
        missing.fill(0.0);
        self.convert.convert(block);
        self.pacer.iter_mut().for_each(Pacer::pass);
        Ok(())
    }

    fn latency(&self) -> Duration {
        let waiting = self.recording.samples.slots() as u64 * 1_000_000 / u64::from(self.config.sample_rate.max(1));
        self.recording.state.latency() + Duration::from_micros(waiting)
    }

    fn xruns(&self) -> u64 {
        self.recording.state.xruns.load(Relaxed)
    }

    /// Records with another callback size, if the size is ours to choose. cpal cannot change the size of a stream, so the
    /// old stream ends when a new one has started.
    fn set_alone(&mut self, alone: bool) -> Result<(), Error> {
        let BufferSize::Fixed(frames) = self.config.buffer_size else { return Ok(()) };
        if !self.shareable {
            return Ok(());
        }
        let frames = if alone { frames * METER_PERIODS } else { frames };
        let config = StreamConfig { buffer_size: BufferSize::Fixed(frames), ..self.config };
        match Recording::start(&self.device, config, self.format) {
            Ok(recording) => {
                recording.state.xruns.store(self.xruns(), Relaxed);
                (self.recording, self.monitor, self.pacer) = (recording, CallbackMonitor::default(), None);
                Ok(())
            }
            Err(error) if alone => {
                tracing::debug!(%error, "the microphone keeps its callback size");
                Ok(())
            }
            Err(source) => Err(refused(&self.name, source)),
        }
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

/// The length of a callback while nobody else is in the meeting, as a multiple of the usual 10 ms. A sound server wakes this
/// process for each callback. The meter is read every 100 ms.
const METER_PERIODS: u32 = 5;

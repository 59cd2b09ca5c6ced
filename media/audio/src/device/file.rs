//! WAV files as devices: one that is repeated as a microphone, one that is written as a speaker.

use super::pacer::Pacer;
use super::{Device, Error, file_name};
use crate::resample::ToBlocks;
use crate::{Block, SAMPLE_RATE};
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A WAV file of any rate and channel count that speaks in real time, again and again.
pub struct Microphone {
    path: PathBuf,
    name: String,
    reader: WavReader<BufReader<File>>,
    convert: ToBlocks,
    pacer: Pacer,
}

impl Microphone {
    /// Opens the file and reads its header; its first sample is heard at `now`.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Empty`] or [`Error::Format`].
    pub fn open(path: &Path, now: Instant) -> Result<Self, Error> {
        let reader = WavReader::open(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        let (spec, name) = (reader.spec(), file_name(path));
        if reader.duration() == 0 {
            return Err(Error::Empty(path.to_owned()));
        }
        let convert = ToBlocks::new(spec.sample_rate).filter(|_| spec.channels > 0);
        let convert = convert.ok_or_else(|| Error::Format { name: name.clone() })?;
        let mut microphone = Self { path: path.to_owned(), name, reader, convert, pacer: Pacer::new(now) };
        // A header may promise what the file does not hold: better told now than in the meeting.
        microphone.next_frame()?;
        microphone.rewind()?;
        Ok(microphone)
    }

    /// The next frame as one sample, from the start again where the file ends or breaks.
    fn next_frame(&mut self) -> Result<f32, Error> {
        if let Some(frame) = read_frame(&mut self.reader) {
            return Ok(frame);
        }
        self.rewind()?;
        read_frame(&mut self.reader).ok_or_else(|| Error::Empty(self.path.clone()))
    }

    fn rewind(&mut self) -> Result<(), Error> {
        self.reader.seek(0).map_err(|source| Error::Read { path: self.path.clone(), source: source.into() })
    }
}

impl Device for Microphone {
    fn name(&self) -> &str {
        &self.name
    }

    fn ready(&mut self, now: Instant) -> Result<usize, Error> {
        Ok(self.pacer.due(now))
    }

    fn pass(&mut self, block: &mut Block) -> Result<(), Error> {
        for index in 0..self.convert.needed() {
            let frame = self.next_frame()?;
            self.convert.input()[index] = frame;
        }
        self.convert.convert(block);
        self.pacer.pass();
        Ok(())
    }

    fn latency(&self) -> Duration {
        Duration::ZERO
    }

    fn slips(&self) -> u64 {
        self.pacer.slips()
    }
}

/// One frame, its channels averaged; `None` at the end and where the file is broken.
fn read_frame(reader: &mut WavReader<BufReader<File>>) -> Option<f32> {
    let spec = reader.spec();
    let channels = usize::from(spec.channels);
    let (sum, count) = match spec.sample_format {
        SampleFormat::Float => sum(reader.samples::<f32>().take(channels)),
        SampleFormat::Int => {
            let scale = 0.5f32.powi(i32::from(spec.bits_per_sample.clamp(1, 32)) - 1);
            let samples = reader.samples::<i32>().take(channels);
            sum(samples.map(|sample| sample.map(|sample| to_float(sample) * scale)))
        }
    };
    // A cut file may end within a frame; a float may be anything.
    (count == channels).then(|| sum / f32::from(spec.channels)).map(|frame| if frame.is_finite() { frame } else { 0.0 })
}

#[expect(clippy::cast_precision_loss, reason = "sound needs no more than 24 bits")]
fn to_float(sample: i32) -> f32 {
    sample as f32
}

fn sum(samples: impl Iterator<Item = hound::Result<f32>>) -> (f32, usize) {
    samples.map_while(Result::ok).fold((0.0, 0), |(sum, count), sample| (sum + sample, count + 1))
}

/// A WAV file that keeps what is played: 48 kHz, mono, 16 bits. Its header is brought up to date twice a second, so
/// that a reader finds a whole file even where the process was killed.
pub struct Speaker {
    path: PathBuf,
    name: String,
    writer: WavWriter<BufWriter<File>>,
    pacer: Pacer,
    blocks: u64,
}

impl Speaker {
    /// Creates the file, or empties it. Its first sample is that of `now`.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn create(path: &Path, now: Instant) -> Result<Self, Error> {
        let spec =
            WavSpec { channels: 1, sample_rate: SAMPLE_RATE, bits_per_sample: 16, sample_format: SampleFormat::Int };
        let failed = |source| Error::Write { path: path.to_owned(), source };
        let mut writer = WavWriter::create(path, spec).map_err(failed)?;
        writer.flush().map_err(failed)?;
        Ok(Self { path: path.to_owned(), name: file_name(path), writer, pacer: Pacer::new(now), blocks: 0 })
    }

    fn write(&mut self, block: &Block) -> hound::Result<()> {
        for sample in block {
            self.writer.write_sample(to_integer(*sample))?;
        }
        if self.blocks.is_multiple_of(FLUSH_EVERY) {
            self.writer.flush()?;
        }
        Ok(())
    }
}

impl Device for Speaker {
    fn name(&self) -> &str {
        &self.name
    }

    fn ready(&mut self, now: Instant) -> Result<usize, Error> {
        Ok(self.pacer.due(now))
    }

    fn pass(&mut self, block: &mut Block) -> Result<(), Error> {
        self.pacer.pass();
        self.blocks += 1;
        // A WAV file counts its bytes in 32 bits: what comes after twelve hours is not kept.
        if self.blocks > MOST_BLOCKS {
            return Ok(());
        }
        self.write(block).map_err(|source| Error::Write { path: self.path.clone(), source })
    }

    fn latency(&self) -> Duration {
        Duration::ZERO
    }

    fn slips(&self) -> u64 {
        self.pacer.slips()
    }
}

fn to_integer(sample: f32) -> i16 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped; what is no number becomes 0")]
    let sample = (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16;
    sample
}

/// Blocks from one update of the header to the next: half a second.
const FLUSH_EVERY: u64 = 50;

/// Twelve hours.
const MOST_BLOCKS: u64 = 12 * 3_600 * 100;

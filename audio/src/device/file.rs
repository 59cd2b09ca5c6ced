//! WAV files as devices: a microphone that repeats a file, and a speaker that records to a file.

use super::error::Error;
use super::interface::Device;
use super::pacer::Pacer;
use super::wav::{self, Reader, Writer};
use crate::resample::ToBlocks;
use crate::{BLOCK, Block, SAMPLE_RATE, SILENCE};
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A microphone that repeats a WAV file of any rate and channel count in real time.
pub struct Microphone {
    name: String,
    frames: Frames,
    converter: Converter,
    pacer: Pacer,
}

/// The frames of a file as single samples.
struct Frames {
    path: PathBuf,
    reader: Reader<BufReader<File>>,
}

/// Converts the samples of a file to blocks, without the delay of the resampler.
struct Converter {
    resampler: ToBlocks,
    /// How many samples of the resampler belong before the first one of the file.
    delay: usize,
    /// Samples that were not passed yet: less than two blocks.
    waiting: Vec<f32>,
}

impl Microphone {
    /// Opens the file and reads its header. Its first sample is recorded at `now`.
    ///
    /// # Errors
    /// Returns [`Error::Read`] if the file cannot be read, [`Error::Empty`] if it has no samples, and
    /// [`Error::FileFormat`] if its format or its sample rate is not supported.
    pub fn open(path: &Path, now: Instant) -> Result<Self, Error> {
        let reader = Reader::open(path).map_err(|error| read_error(path, error))?;
        let name = file_name(path);
        let unsupported =
            |rate| Error::FileFormat { path: path.to_owned(), format: format!("WAV with {rate} samples a second") };
        let resampler = ToBlocks::new(reader.rate()).ok_or_else(|| unsupported(reader.rate()))?;
        let mut frames = Frames { path: path.to_owned(), reader };
        // Check that the file contains samples.
        frames.next()?;
        frames.rewind()?;
        Ok(Self { name, frames, converter: Converter::new(resampler), pacer: Pacer::new(now) })
    }
}

impl Frames {
    /// Returns the next frame as one sample. At the end of the file, starts again.
    fn next(&mut self) -> Result<f32, Error> {
        if let Some(frame) = self.read()? {
            return Ok(frame);
        }
        self.rewind()?;
        self.read()?.ok_or_else(|| Error::Empty(self.path.clone()))
    }

    fn read(&mut self) -> Result<Option<f32>, Error> {
        self.reader.next().map_err(|error| read_error(&self.path, error.into()))
    }

    fn rewind(&mut self) -> Result<(), Error> {
        self.reader.rewind().map_err(|error| read_error(&self.path, error.into()))
    }
}

impl Converter {
    fn new(resampler: ToBlocks) -> Self {
        let delay = resampler.delay();
        Self { resampler, delay, waiting: Vec::with_capacity(2 * BLOCK) }
    }

    /// Converts as many samples as the next block needs.
    fn next_block(&mut self, block: &mut Block, mut sample: impl FnMut() -> Result<f32, Error>) -> Result<(), Error> {
        while self.waiting.len() < BLOCK {
            for input in self.resampler.input() {
                *input = sample()?;
            }
            self.resampler.convert(block);
            let before = self.delay.min(BLOCK);
            self.delay -= before;
            self.waiting.extend_from_slice(&block[before..]);
        }
        block.copy_from_slice(&self.waiting[..BLOCK]);
        self.waiting.drain(..BLOCK);
        Ok(())
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
        self.converter.next_block(block, || self.frames.next())?;
        self.pacer.pass();
        Ok(())
    }

    fn latency(&self) -> Duration {
        Duration::ZERO
    }

    fn xruns(&self) -> u64 {
        self.pacer.xruns()
    }

    fn set_alone(&mut self, _: bool) -> Result<(), Error> {
        Ok(())
    }
}

/// Reads a whole WAV file of any rate and channel count as mono at [`SAMPLE_RATE`]. The last block is filled up with silence.
///
/// # Errors
/// Returns an [`Error`] as a microphone of this file does.
pub fn read_wav(path: &Path) -> Result<Vec<f32>, Error> {
    let Microphone { mut frames, mut converter, .. } = Microphone::open(path, Instant::now())?;
    let rate = u64::from(frames.reader.rate());
    let (mut all, mut block, mut count, mut next) = (Vec::new(), SILENCE, 0_u64, frames.read()?);
    while next.is_some() || (all.len() as u64) < (count * u64::from(SAMPLE_RATE)).div_ceil(rate) {
        converter.next_block(&mut block, || {
            count += u64::from(next.is_some());
            let sample = next.unwrap_or(0.0);
            next = if next.is_some() { frames.read()? } else { None };
            Ok(sample)
        })?;
        all.extend_from_slice(&block);
    }
    Ok(all)
}

fn read_error(path: &Path, error: wav::Error) -> Error {
    let path = path.to_owned();
    match error {
        wav::Error::Format(format) => Error::FileFormat { path, format },
        source @ (wav::Error::Io(_) | wav::Error::NotWav | wav::Error::Damaged(_)) => Error::Read { path, source },
    }
}

/// A speaker that writes a WAV file: 48 kHz, mono, 16 bits. The header is updated twice a second, so that the file is
/// valid even if the process is killed.
pub struct Speaker {
    path: PathBuf,
    name: String,
    writer: Writer<BufWriter<File>>,
    pacer: Pacer,
    blocks: u64,
}

impl Speaker {
    /// Creates or truncates the file. Its first sample is played at `now`.
    ///
    /// # Errors
    /// Returns [`Error::Write`] if the file cannot be created or written.
    pub fn create(path: &Path, now: Instant) -> Result<Self, Error> {
        let writer = Writer::create(path, SAMPLE_RATE);
        let writer = writer.map_err(|source| Error::Write { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), name: file_name(path), writer, pacer: Pacer::new(now), blocks: 0 })
    }

    fn write(&mut self, block: &Block) -> std::io::Result<()> {
        self.writer.write(block.iter().map(|sample| to_integer(*sample)))?;
        if self.blocks.is_multiple_of(FLUSH_EVERY) {
            self.writer.flush()?;
        }
        Ok(())
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        // The error of an earlier flush was reported.
        let _ = self.writer.flush();
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
        // The size fields of a WAV file have 32 bits, so later samples are dropped.
        if self.blocks > MAX_BLOCKS {
            return Ok(());
        }
        self.write(block).map_err(|source| Error::Write { path: self.path.clone(), source })
    }

    fn latency(&self) -> Duration {
        Duration::ZERO
    }

    fn xruns(&self) -> u64 {
        self.pacer.xruns()
    }

    fn set_alone(&mut self, _: bool) -> Result<(), Error> {
        Ok(())
    }
}

fn to_integer(sample: f32) -> i16 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped, and NaN becomes 0")]
    let sample = (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16;
    sample
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Blocks between two updates of the header: half a second.
const FLUSH_EVERY: u64 = 50;

/// The largest number of blocks that is written: twelve hours.
const MAX_BLOCKS: u64 = 12 * 3_600 * 100;

#[cfg(test)]
mod tests {
    use super::*;
    use hound::{SampleFormat, WavSpec, WavWriter};
    use tempfile::TempDir;

    /// A file in its own temporary folder, which is removed on drop.
    struct Scratch(TempDir);

    impl Scratch {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn file(&self) -> PathBuf {
            self.0.path().join("sound.wav")
        }
    }

    fn write<S: hound::Sample>(path: &Path, spec: WavSpec, samples: impl Iterator<Item = S>) {
        let mut writer = WavWriter::create(path, spec).unwrap();
        samples.for_each(|sample| writer.write_sample(sample).unwrap());
        writer.finalize().unwrap();
    }

    fn record(microphone: &mut Microphone, blocks: usize) -> Vec<f32> {
        let mut sound = Vec::new();
        for _ in 0..blocks {
            let mut block = crate::SILENCE;
            microphone.pass(&mut block).unwrap();
            sound.extend_from_slice(&block);
        }
        sound
    }

    #[test]
    fn every_sample_format_has_the_same_level() {
        let scratch = Scratch::new();
        for (bits, float) in [(8, false), (16, false), (24, false), (32, false), (32, true)] {
            for channels in [1, 2, 6] {
                let sample_format = if float { SampleFormat::Float } else { SampleFormat::Int };
                let spec = WavSpec { channels, sample_rate: 44_100, bits_per_sample: bits, sample_format };
                let count = 22_050 * usize::from(channels);
                if float {
                    write(&scratch.file(), spec, (0..count).map(|_| 0.5f32));
                } else {
                    let half = 1i32 << (bits - 2);
                    write(&scratch.file(), spec, (0..count).map(|_| half));
                }
                let mut microphone = Microphone::open(&scratch.file(), Instant::now()).unwrap();
                let sound = record(&mut microphone, 100);
                // Two repetitions, without the start-up of the resampler.
                assert!(sound[4_800..].iter().all(|sample| (sample - 0.5).abs() < 0.02), "{bits} bits, {channels}");
            }
        }
    }

    /// The resampler delays sound by 1.5 ms at 44.1 kHz, and by 8 ms at 8 kHz.
    #[test]
    fn a_click_in_a_file_of_any_rate_is_heard_at_its_time_and_the_end_is_complete() {
        let scratch = Scratch::new();
        for rate in [4_000_u32, 8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000] {
            let spec =
                WavSpec { channels: 1, sample_rate: rate, bits_per_sample: 16, sample_format: SampleFormat::Int };
            // After a half, and 1 ms before the end.
            let clicks = [rate / 2, rate - rate / 1_000];
            write(&scratch.file(), spec, (0..rate).map(|at| if clicks.contains(&at) { 30_000i16 } else { 0 }));
            let sound = read_wav(&scratch.file()).unwrap();
            assert_eq!(sound.len(), 48_000, "{rate} Hz");
            let loudest = |range: std::ops::Range<usize>| {
                range.max_by(|one, other| sound[*one].abs().total_cmp(&sound[*other].abs())).unwrap()
            };
            for (click, found) in clicks.into_iter().zip([loudest(0..36_000), loudest(36_000..48_000)]) {
                let expected = click as usize * 48_000 / rate as usize;
                // Half of a sample of the lower rate.
                let tolerance = 24_000_usize.div_ceil(rate.min(48_000) as usize);
                assert!(found.abs_diff(expected) <= tolerance, "{rate} Hz: at {found} and not {expected}");
            }
        }
    }

    #[test]
    fn invalid_files_are_rejected_with_their_name() {
        let scratch = Scratch::new();
        let open = || Microphone::open(&scratch.file(), Instant::now()).err().unwrap();
        assert!(matches!(open(), Error::Read { .. }), "no file");
        std::fs::write(scratch.file(), b"this is not a WAV file").unwrap();
        assert!(matches!(open(), Error::Read { .. }));
        assert!(open().to_string().contains("sound.wav"));
        let spec = WavSpec { channels: 1, sample_rate: 16_000, bits_per_sample: 16, sample_format: SampleFormat::Int };
        write(&scratch.file(), spec, std::iter::empty::<i16>());
        assert!(matches!(open(), Error::Empty(_)));
        write(&scratch.file(), WavSpec { sample_rate: 7, ..spec }, [1i16].into_iter());
        assert!(open().to_string().contains("WAV with 7 samples a second is not supported"));
        std::fs::write(scratch.file(), b"fLaC\0\0\0\0").unwrap();
        let error = open();
        assert!(matches!(&error, Error::FileFormat { format, .. } if format == "FLAC"));
        assert!(error.to_string().contains("sound.wav: FLAC is not supported"), "{error}");
    }

    #[test]
    fn a_file_that_changes_while_it_is_played_ends_in_an_error_or_is_played_on() {
        let scratch = Scratch::new();
        let spec = WavSpec { channels: 1, sample_rate: 48_000, bits_per_sample: 16, sample_format: SampleFormat::Int };
        write(&scratch.file(), spec, (0..9_600).map(|_| 8_192i16));
        let mut microphone = Microphone::open(&scratch.file(), Instant::now()).unwrap();
        assert_eq!(record(&mut microphone, 1).len(), 480);
        std::fs::OpenOptions::new().write(true).open(scratch.file()).unwrap().set_len(0).unwrap();
        let mut block = crate::SILENCE;
        let ended = (0..100).find_map(|_| microphone.pass(&mut block).err());
        assert!(matches!(ended, Some(Error::Empty(_))), "{ended:?}");
    }

    #[test]
    fn a_full_disk_is_an_error_of_writing() {
        let full = Path::new("/dev/full");
        if !full.exists() {
            return;
        }
        let Err(error) = Speaker::create(full, Instant::now()) else { panic!("created") };
        assert!(matches!(&error, Error::Write { source, .. } if source.kind() == std::io::ErrorKind::StorageFull));
    }

    #[test]
    fn a_truncated_file_is_played_to_its_end() {
        let scratch = Scratch::new();
        let spec = WavSpec { channels: 2, sample_rate: 48_000, bits_per_sample: 16, sample_format: SampleFormat::Int };
        write(&scratch.file(), spec, (0..9_600).map(|_| 8_192i16));
        let whole = std::fs::read(scratch.file()).unwrap();
        for length in (0..whole.len()).step_by(487) {
            std::fs::write(scratch.file(), &whole[..length]).unwrap();
            if let Ok(mut microphone) = Microphone::open(&scratch.file(), Instant::now()) {
                assert!(record(&mut microphone, 30).iter().all(|sample| (sample - 0.25).abs() < 0.01));
            }
        }
    }

    #[test]
    fn the_written_file_is_valid_without_close() {
        let scratch = Scratch::new();
        let mut speaker = Speaker::create(&scratch.file(), Instant::now()).unwrap();
        assert_eq!(hound::WavReader::open(scratch.file()).unwrap().duration(), 0);
        for _ in 0..120 {
            speaker.pass(&mut [0.25; crate::BLOCK]).unwrap();
        }
        // As after a kill: nothing is flushed, and the header is not updated.
        std::mem::forget(speaker);
        let mut reader = hound::WavReader::open(scratch.file()).unwrap();
        assert_eq!(reader.spec().sample_rate, SAMPLE_RATE);
        assert_eq!(reader.duration(), 100 * 480);
        assert!(reader.samples::<i16>().all(|sample| (i32::from(sample.unwrap()) - 8_192).abs() <= 1));
    }

    #[test]
    fn a_file_that_cannot_be_created_is_rejected() {
        let path = Path::new("/nowhere/at/all.wav");
        assert!(matches!(Speaker::create(path, Instant::now()), Err(Error::Write { .. })));
    }
}

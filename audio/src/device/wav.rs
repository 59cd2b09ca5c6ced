//! WAV files: reads the samples of PCM and floating-point files, and writes 16-bit ones.

mod header;
mod writer;

pub use header::Error;
pub use writer::Writer;

use header::{Encoding, Header};
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

/// Reads the frames of a file in order. A frame has one sample of each channel.
pub struct Reader<R> {
    source: R,
    header: Header,
    /// Bytes of samples that were not read yet. `None` means up to the end of the file.
    rest: Option<u64>,
    /// The bytes of one frame.
    frame: Vec<u8>,
}

impl Reader<BufReader<File>> {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// Returns an [`Error`] if the file cannot be read, is damaged, or has another format.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::new(BufReader::new(File::open(path)?))
    }
}

impl<R: Read + Seek> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// Returns the errors of [`Reader::open`].
    pub fn new(mut source: R) -> Result<Self, Error> {
        let header = header::read(&mut source)?;
        let frame = vec![0; header.encoding.bytes() * usize::from(header.channels)];
        let mut reader = Self { source, header, rest: None, frame };
        reader.rewind()?;
        Ok(reader)
    }

    /// Returns the frames per second.
    pub fn rate(&self) -> u32 {
        self.header.rate
    }

    /// Returns the mean of the channels of the next frame, from -1.0 to 1.0. Floating-point samples beyond are clipped: the
    /// resampler would turn the largest ones into infinity. Returns `None` after the last complete frame.
    ///
    /// # Errors
    /// Returns the system's error if reading fails.
    pub fn next(&mut self) -> Result<Option<f32>, std::io::Error> {
        let length = self.frame.len() as u64;
        match &mut self.rest {
            Some(rest) if *rest < length => return Ok(None),
            Some(rest) => *rest -= length,
            None => {}
        }
        match self.source.read_exact(&mut self.frame) {
            Ok(()) => {}
            // A file that was cut off, or whose header declares no length.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let encoding = self.header.encoding;
        let sum: f32 = self.frame.chunks_exact(encoding.bytes()).map(|sample| encoding.decode(sample)).sum();
        let mean = sum / f32::from(self.header.channels);
        Ok(Some(if mean.is_finite() { mean.clamp(-1.0, 1.0) } else { 0.0 }))
    }

    /// Goes back to the first frame.
    ///
    /// # Errors
    /// Returns the system's error if seeking fails.
    pub fn rewind(&mut self) -> Result<(), std::io::Error> {
        self.source.seek(SeekFrom::Start(self.header.start))?;
        self.rest = self.header.length;
        Ok(())
    }
}

impl Encoding {
    /// Returns the bytes of one sample.
    const fn bytes(self) -> usize {
        match self {
            Self::Unsigned => 1,
            Self::Signed(bytes) => bytes.get() as usize,
            Self::Float => 4,
            Self::Double => 8,
        }
    }

    /// Returns the value of one sample, which has [`Encoding::bytes`] bytes.
    fn decode(self, sample: &[u8]) -> f32 {
        match self {
            Self::Unsigned => (f32::from(sample.first().copied().unwrap_or(128)) - 128.0) / 128.0,
            Self::Signed(_) => {
                // The sample is in the upper bytes, also if it has fewer valid bits than its bytes have: the lower
                // bits are 0 (Microsoft, Multiple Channel Audio Data and WAVE Files).
                let mut upper = [0; 4];
                let used = sample.len().min(4);
                upper[4 - used..].copy_from_slice(&sample[sample.len() - used..]);
                to_float(i32::from_le_bytes(upper))
            }
            Self::Float => sample.first_chunk().map_or(0.0, |bytes| f32::from_le_bytes(*bytes)),
            Self::Double => {
                #[expect(clippy::cast_possible_truncation, reason = "sound needs no more than 24 bits")]
                let narrow = sample.first_chunk().map_or(0.0, |bytes| f64::from_le_bytes(*bytes)) as f32;
                narrow
            }
        }
    }
}

fn to_float(sample: i32) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "sound needs no more than 24 bits")]
    let value = sample as f32;
    value / 2_147_483_648.0
}

#[cfg(test)]
mod tests;

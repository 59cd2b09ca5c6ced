//! Writes WAV files: 16 bits, mono.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

/// Writes a file of 16-bit mono samples.
pub struct Writer<W: Write + Seek> {
    target: W,
    /// Bytes of samples so far.
    length: u32,
}

impl Writer<BufWriter<File>> {
    /// Creates or truncates a file, and writes a header without samples.
    ///
    /// # Errors
    /// Returns the error of the system.
    pub fn create(path: &Path, rate: u32) -> io::Result<Self> {
        Self::new(BufWriter::new(File::create(path)?), rate)
    }
}

impl<W: Write + Seek> Writer<W> {
    /// Writes a header without samples.
    ///
    /// # Errors
    /// Returns the error of the system.
    pub fn new(mut target: W, rate: u32) -> io::Result<Self> {
        target.write_all(b"RIFF")?;
        target.write_all(&REST_OF_HEADER.to_le_bytes())?;
        target.write_all(b"WAVEfmt \x10\0\0\0\x01\0\x01\0")?;
        target.write_all(&rate.to_le_bytes())?;
        target.write_all(&(2 * rate).to_le_bytes())?;
        target.write_all(b"\x02\0\x10\0data\0\0\0\0")?;
        target.flush()?;
        Ok(Self { target, length: 0 })
    }

    /// Writes samples. [`Writer::flush`] makes them part of the file.
    ///
    /// # Errors
    /// Returns the error of the system, and [`io::ErrorKind::FileTooLarge`] after 4 GiB, the limit of the format.
    pub fn write(&mut self, samples: impl Iterator<Item = i16>) -> io::Result<()> {
        for sample in samples {
            self.length = self
                .length
                .checked_add(2)
                .filter(|length| *length <= u32::MAX - REST_OF_HEADER)
                .ok_or(io::ErrorKind::FileTooLarge)?;
            self.target.write_all(&sample.to_le_bytes())?;
        }
        Ok(())
    }

    /// Writes what is buffered, and the sizes into the header.
    ///
    /// # Errors
    /// Returns the error of the system.
    pub fn flush(&mut self) -> io::Result<()> {
        self.target.seek(SeekFrom::Start(4))?;
        self.target.write_all(&(self.length + REST_OF_HEADER).to_le_bytes())?;
        self.target.seek(SeekFrom::Start(40))?;
        self.target.write_all(&self.length.to_le_bytes())?;
        self.target.seek(SeekFrom::End(0))?;
        self.target.flush()
    }
}

/// The bytes of the header after the size of the file.
const REST_OF_HEADER: u32 = 36;

//! Y4M: raw 4:2:0 frames after one line of text.
//!
//! The chroma positions (`420jpeg`, `420mpeg2`, `420paldv`) are ignored, because they differ by less than half a
//! sample. The format does not specify the matrix. It is written as the extension `XMATRIX`, which other tools ignore.
//! If it is missing, [`colour::assumed`] applies.

use super::{Error, check_size};
use crate::colour;
use crate::display::PixelAspect;
use media::{Colour, FrameMut, FrameRate, Matrix, PlaneRef, Size};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// The stream header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The frame size.
    pub size: Size,
    /// The frame rate.
    pub rate: FrameRate,
    /// The colour space.
    pub colour: Colour,
}

/// Reads frames in order.
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    header: Header,
    aspect: PixelAspect,
    first: u64,
    line: Vec<u8>,
}

impl Reader<BufReader<File>> {
    /// Opens a file.
    ///
    /// # Errors
    /// Returns an [`Error`] if the file cannot be read, is not Y4M, or contains no complete 8-bit 4:2:0 frame.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::new(BufReader::with_capacity(1 << 16, File::open(path)?))
    }
}

impl<R: BufRead + Seek> Reader<R> {
    /// Reads the header and checks that a frame follows.
    ///
    /// # Errors
    /// Returns the errors of [`Reader::open`].
    pub fn new(mut reader: R) -> Result<Self, Error> {
        let length = reader.seek(SeekFrom::End(0))?;
        reader.seek(SeekFrom::Start(0))?;
        let mut line = Vec::new();
        read_line(&mut reader, &mut line)?;
        let (header, aspect) = parse(&line)?;
        let first = reader.stream_position()?;
        if length.saturating_sub(first) < picture_length(header.size) {
            return Err(Error::Empty);
        }
        Ok(Self { source: reader, header, aspect, first, line })
    }

    /// Returns the stream header.
    pub fn header(&self) -> Header {
        self.header
    }

    /// Returns the shape of the samples.
    pub fn aspect(&self) -> PixelAspect {
        self.aspect
    }

    /// Reads the next frame into `frame`. If the sizes differ, reads the part that both have. Returns `false` after the
    /// last frame. A truncated last frame is ignored.
    ///
    /// # Errors
    /// Returns [`Error::Damaged`] if the next bytes are not a frame header, and [`Error::Io`] if reading fails.
    pub fn read(&mut self, frame: &mut FrameMut) -> Result<bool, Error> {
        self.line.clear();
        if !read_line(&mut self.source, &mut self.line)? {
            return Ok(false);
        }
        if !self.line.starts_with(b"FRAME") {
            return Err(Error::Damaged("a frame header is missing"));
        }
        let sizes = [self.header.size, self.header.size.chroma(), self.header.size.chroma()];
        for (mut plane, size) in frame.planes_mut().into_iter().zip(sizes) {
            let mut rows = plane.rows_mut();
            for _ in 0..size.height {
                if !read_row(&mut self.source, rows.next().unwrap_or_default(), size.width)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Goes back to the first frame.
    ///
    /// # Errors
    /// Returns [`Error::Io`] if the system call fails.
    pub fn rewind(&mut self) -> Result<(), Error> {
        self.source.seek(SeekFrom::Start(self.first))?;
        Ok(())
    }
}

/// Writes frames in order.
#[derive(Debug)]
pub struct Writer<W: Write> {
    writer: W,
    size: Size,
}

impl Writer<BufWriter<File>> {
    /// Creates or truncates a file and writes the header.
    ///
    /// # Errors
    /// Returns [`Error::Write`] if the system call fails.
    pub fn create(path: &Path, header: Header) -> Result<Self, Error> {
        Self::new(BufWriter::new(File::create(path).map_err(Error::Write)?), header)
    }
}

impl<W: Write> Writer<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// Returns [`Error::Write`] if the system call fails.
    pub fn new(mut writer: W, header: Header) -> Result<Self, Error> {
        let Header { size, rate, colour } = header;
        let range = if colour.full_range { "FULL" } else { "LIMITED" };
        let matrix = match colour.matrix {
            Matrix::Bt601 => "BT601",
            Matrix::Bt709 => "BT709",
        };
        let (width, height, per, second) = (size.width, size.height, rate.numerator(), rate.denominator());
        writeln!(
            writer,
            "YUV4MPEG2 W{width} H{height} F{per}:{second} Ip A1:1 C420jpeg XYSCSS=420JPEG XCOLORRANGE={range} XMATRIX={matrix}"
        )
        .map_err(Error::Write)?;
        Ok(Self { writer, size })
    }

    /// Writes a frame.
    ///
    /// # Errors
    /// Returns [`Error::Unsupported`] if the size differs from the header's, and [`Error::Write`] if writing fails.
    pub fn write(&mut self, planes: [PlaneRef<'_>; 3]) -> Result<(), Error> {
        let sizes = [self.size, self.size.chroma(), self.size.chroma()];
        if planes.iter().zip(sizes).any(|(plane, size)| plane.size != size) {
            return Err(Error::Unsupported(format!("a frame of a size other than {}", self.size)));
        }
        let mut rows = planes.into_iter().flat_map(PlaneRef::rows);
        let written =
            self.writer.write_all(b"FRAME\n").and_then(|()| rows.try_for_each(|row| self.writer.write_all(row)));
        written.map_err(Error::Write)
    }

    /// Writes what is buffered.
    ///
    /// # Errors
    /// Returns [`Error::Write`] if writing fails.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.writer.flush().map_err(Error::Write)
    }

    /// Flushes the writer and returns it.
    ///
    /// # Errors
    /// Returns [`Error::Write`] if the system call fails.
    pub fn finish(mut self) -> Result<W, Error> {
        self.flush()?;
        Ok(self.writer)
    }
}

/// Reads a line without its newline into `line`. Returns `false` at the end of the file.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool, Error> {
    reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', line)?;
    if line.is_empty() {
        return Ok(false);
    }
    if line.pop() == Some(b'\n') { Ok(true) } else { Err(Error::Kind("Y4M")) }
}

/// Reads a row of `width` samples and stores those that fit into `row`. Returns `false` if the file ends within the
/// row.
fn read_row(reader: &mut impl BufRead, row: &mut [u8], width: u16) -> Result<bool, Error> {
    let wanted = usize::from(width).min(row.len());
    if let Err(error) = reader.read_exact(&mut row[..wanted]) {
        return if error.kind() == std::io::ErrorKind::UnexpectedEof { Ok(false) } else { Err(error.into()) };
    }
    let rest = usize::from(width) - wanted;
    let skipped = std::io::copy(&mut reader.by_ref().take(rest as u64), &mut std::io::sink())?;
    Ok(skipped == rest as u64)
}

fn parse(line: &[u8]) -> Result<(Header, PixelAspect), Error> {
    let line = std::str::from_utf8(line).map_err(|_| Error::Kind("Y4M"))?;
    let mut words = line.split_ascii_whitespace();
    if words.next() != Some("YUV4MPEG2") {
        return Err(Error::Kind("Y4M"));
    }
    let (mut size, mut rate) = (Size::default(), None);
    let (mut full_range, mut matrix, mut aspect) = (false, None, None);
    for word in words {
        match word.split_at_checked(1).unwrap_or((word, "")) {
            ("W", width) => size.width = width.parse().map_err(|_| HEADER)?,
            ("H", height) => size.height = height.parse().map_err(|_| HEADER)?,
            ("F", fraction) => rate = Some(parse_rate(fraction)?),
            ("C", format) => check_chroma(format)?,
            ("A", fraction) => aspect = parse_aspect(fraction),
            ("I", order) if !matches!(order, "p" | "?") => return Err(Error::Format("Y4M interlaced".into())),
            ("X", "COLORRANGE=FULL") => full_range = true,
            ("X", "MATRIX=BT601") => matrix = Some(Matrix::Bt601),
            ("X", "MATRIX=BT709") => matrix = Some(Matrix::Bt709),
            (_, _) => (),
        }
    }
    let size = check_size(size)?;
    let matrix = matrix.unwrap_or(colour::assumed(size).matrix);
    let header = Header { size, rate: rate.unwrap_or(FrameRate::THIRTY), colour: Colour { matrix, full_range } };
    Ok((header, aspect.unwrap_or_default()))
}

/// Returns `None` for an unknown shape, which is written as 0:0.
fn parse_aspect(fraction: &str) -> Option<PixelAspect> {
    let (width, height) = fraction.split_once(':')?;
    PixelAspect::new(width.parse().ok()?, height.parse().ok()?)
}

fn parse_rate(fraction: &str) -> Result<FrameRate, Error> {
    let (numerator, denominator) = fraction.split_once(':').ok_or(HEADER)?;
    let parse = |number: &str| number.parse().map_err(|_| HEADER);
    // 0:0 is an unknown rate.
    match (parse(numerator)?, parse(denominator)?) {
        (0, 0) => Ok(FrameRate::THIRTY),
        (numerator, denominator) => FrameRate::new(numerator, denominator).ok_or(HEADER),
    }
}

fn check_chroma(format: &str) -> Result<(), Error> {
    match format {
        "420" | "420jpeg" | "420mpeg2" | "420paldv" => Ok(()),
        other => Err(Error::Format(format!("Y4M C{}", printable(other)))),
    }
}

fn printable(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(16).collect()
}

fn picture_length(size: Size) -> u64 {
    "FRAME\n".len() as u64 + u64::from(size.area()) + 2 * u64::from(size.chroma().area())
}

const HEADER: Error = Error::Damaged("the header is invalid");
const MAX_LINE_BYTES: u64 = 1_024;

#[cfg(test)]
mod tests;

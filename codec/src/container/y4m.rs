//! Y4M: raw 4:2:0 pictures behind one line of text, which every video tool reads and writes.
//!
//! Where chroma samples lie between luma samples (`420jpeg`, `420mpeg2`, `420paldv`) is accepted and not acted upon: the
//! difference is under half a sample. The matrix has no place in the format; it is written as the extension `XMATRIX`,
//! which other tools pass over, and assumed by [`colour::assumed`] where it is missing.

use super::{Error, sane};
use crate::colour;
use media::{Colour, FrameMut, FrameRate, Matrix, PlaneRef, Size};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// What the first line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The size of the pictures.
    pub size: Size,
    /// Pictures in a second.
    pub rate: FrameRate,
    /// How samples stand for colours.
    pub colour: Colour,
}

/// Reads pictures one after the other.
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    header: Header,
    first: u64,
    line: Vec<u8>,
}

impl Reader<BufReader<File>> {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error`] where it cannot be read, is no Y4M, or holds no whole picture of 4:2:0 at 8 bits.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::new(BufReader::with_capacity(1 << 16, File::open(path)?))
    }
}

impl<R: BufRead + Seek> Reader<R> {
    /// Reads the first line, and sees that a picture follows.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn new(mut reader: R) -> Result<Self, Error> {
        let length = reader.seek(SeekFrom::End(0))?;
        reader.seek(SeekFrom::Start(0))?;
        let mut line = Vec::new();
        read_line(&mut reader, &mut line)?;
        let header = parse(&line)?;
        let first = reader.stream_position()?;
        if length.saturating_sub(first) < picture_length(header.size) {
            return Err(Error::Empty);
        }
        Ok(Self { source: reader, header, first, line })
    }

    /// What the first line says.
    pub fn header(&self) -> Header {
        self.header
    }

    /// Reads the next picture onto `canvas`, as far as both reach; `false` once there are no more. A last picture that
    /// is cut off does not count.
    ///
    /// # Errors
    /// [`Error::Damaged`] where no picture starts, [`Error::Io`].
    pub fn read(&mut self, canvas: &mut FrameMut) -> Result<bool, Error> {
        self.line.clear();
        if !read_line(&mut self.source, &mut self.line)? {
            return Ok(false);
        }
        if !self.line.starts_with(b"FRAME") {
            return Err(Error::Damaged("a picture is not where it should be"));
        }
        let sizes = [self.header.size, self.header.size.chroma(), self.header.size.chroma()];
        for (mut plane, size) in canvas.planes_mut().into_iter().zip(sizes) {
            let mut rows = plane.rows_mut();
            for _ in 0..size.height {
                if !read_row(&mut self.source, rows.next().unwrap_or_default(), size.width)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Goes back to the first picture.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn rewind(&mut self) -> Result<(), Error> {
        self.source.seek(SeekFrom::Start(self.first))?;
        Ok(())
    }
}

/// Writes pictures one after the other.
#[derive(Debug)]
pub struct Writer<W: Write> {
    writer: W,
    size: Size,
}

impl Writer<BufWriter<File>> {
    /// Creates a file, or empties it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn create(path: &Path, header: Header) -> Result<Self, Error> {
        Self::new(BufWriter::new(File::create(path)?), header)
    }
}

impl<W: Write> Writer<W> {
    /// Writes the first line.
    ///
    /// # Errors
    /// [`Error::Io`].
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
        )?;
        Ok(Self { writer, size })
    }

    /// Adds a picture.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where its planes have another size than the header says, [`Error::Io`].
    pub fn write(&mut self, planes: [PlaneRef<'_>; 3]) -> Result<(), Error> {
        let sizes = [self.size, self.size.chroma(), self.size.chroma()];
        if planes.iter().zip(sizes).any(|(plane, size)| plane.size != size) {
            return Err(Error::Unsupported(format!("a picture of another size than {}", self.size)));
        }
        self.writer.write_all(b"FRAME\n")?;
        for row in planes.into_iter().flat_map(PlaneRef::rows) {
            self.writer.write_all(row)?;
        }
        Ok(())
    }

    /// Sees to it that everything is written.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn finish(mut self) -> Result<W, Error> {
        self.writer.flush()?;
        Ok(self.writer)
    }
}

/// Reads a line without its end into `line`; `false` at the end of the file.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool, Error> {
    reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', line)?;
    if line.is_empty() {
        return Ok(false);
    }
    if line.pop() == Some(b'\n') { Ok(true) } else { Err(Error::Kind("Y4M")) }
}

/// Reads a row of `width` samples, of which `row` takes what it can; `false` where the file ends within.
fn read_row(reader: &mut impl BufRead, row: &mut [u8], width: u16) -> Result<bool, Error> {
    let wanted = usize::from(width).min(row.len());
    if let Err(error) = reader.read_exact(&mut row[..wanted]) {
        return if error.kind() == std::io::ErrorKind::UnexpectedEof { Ok(false) } else { Err(error.into()) };
    }
    let rest = usize::from(width) - wanted;
    let skipped = std::io::copy(&mut reader.by_ref().take(rest as u64), &mut std::io::sink())?;
    Ok(skipped == rest as u64)
}

fn parse(line: &[u8]) -> Result<Header, Error> {
    let line = std::str::from_utf8(line).map_err(|_| Error::Kind("Y4M"))?;
    let mut words = line.split_ascii_whitespace();
    if words.next() != Some("YUV4MPEG2") {
        return Err(Error::Kind("Y4M"));
    }
    let (mut size, mut rate) = (Size::default(), None);
    let (mut full_range, mut matrix) = (false, None);
    for word in words {
        match word.split_at_checked(1).unwrap_or((word, "")) {
            ("W", width) => size.width = width.parse().map_err(|_| HEADER)?,
            ("H", height) => size.height = height.parse().map_err(|_| HEADER)?,
            ("F", fraction) => rate = Some(parse_rate(fraction)?),
            ("C", format) => accept(format)?,
            ("I", order) if !matches!(order, "p" | "?") => return Err(Error::Format("Y4M interlaced".into())),
            ("X", "COLORRANGE=FULL") => full_range = true,
            ("X", "MATRIX=BT601") => matrix = Some(Matrix::Bt601),
            ("X", "MATRIX=BT709") => matrix = Some(Matrix::Bt709),
            (_, _) => (),
        }
    }
    let size = sane(size)?;
    let matrix = matrix.unwrap_or(colour::assumed(size).matrix);
    Ok(Header { size, rate: rate.unwrap_or(FrameRate::THIRTY), colour: Colour { matrix, full_range } })
}

fn parse_rate(fraction: &str) -> Result<FrameRate, Error> {
    let (numerator, denominator) = fraction.split_once(':').ok_or(HEADER)?;
    let parse = |number: &str| number.parse().map_err(|_| HEADER);
    // 0:0 stands for an unknown rate.
    match (parse(numerator)?, parse(denominator)?) {
        (0, 0) => Ok(FrameRate::THIRTY),
        (numerator, denominator) => FrameRate::new(numerator, denominator).ok_or(HEADER),
    }
}

fn accept(format: &str) -> Result<(), Error> {
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

const HEADER: Error = Error::Damaged("its first line makes no sense");
const MAX_LINE_BYTES: u64 = 1_024;

#[cfg(test)]
mod tests;

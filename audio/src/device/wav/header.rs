//! The header of a WAV file: its chunks up to the samples.
//!
//! Sources: Microsoft, Multimedia Programming Interface and Data Specifications 1.0 (RIFF), Multiple Channel Audio Data
//! and WAVE Files (`WAVE_FORMAT_EXTENSIBLE`); EBU Tech 3306 (RF64).

use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::num::NonZero;

/// The reason why a file cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of the system.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The file is not a WAV file, and its format is unknown.
    #[error("it is not a WAV file")]
    NotWav,
    /// The file is damaged or truncated.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    /// The format of the file or of its samples is not supported. Contains its common name.
    #[error("{0} is not supported")]
    Format(String),
}

/// The used fields of a header.
pub(super) struct Header {
    pub(super) channels: u16,
    /// Frames per second.
    pub(super) rate: u32,
    pub(super) encoding: Encoding,
    /// The offset of the samples in the file.
    pub(super) start: u64,
    /// The bytes of all samples. `None` means up to the end of the file.
    pub(super) length: Option<u64>,
}

/// The encoding of a sample. Bytes are in little-endian order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// 8 bits, with silence at 128.
    Unsigned,
    /// This many bytes, in two's complement. At most 8.
    Signed(NonZero<u8>),
    /// 32 bits, IEEE 754.
    Float,
    /// 64 bits, IEEE 754.
    Double,
}

/// The format in a `fmt ` chunk.
struct Format {
    channels: u16,
    rate: u32,
    encoding: Encoding,
}

/// Reads the chunks up to the samples.
///
/// # Errors
/// Returns an [`Error`] if there are no samples, or if they have an unsupported format.
pub(super) fn read(source: &mut (impl Read + Seek)) -> Result<Header, Error> {
    let file = source.seek(SeekFrom::End(0))?;
    let start = begin(source)?;
    let large = start.starts_with(b"RF64") || start.starts_with(b"BW64");
    let declared = number(&start[4..8]).saturating_add(8);
    let (mut at, mut format, mut large_length) = (RIFF_HEADER, None, None);
    loop {
        let Some((kind, size)) = chunk(source, at)? else {
            let missing = if format.is_none() { "its format is missing" } else { "it contains no samples" };
            return Err(Error::Damaged(missing));
        };
        let body = at + 8;
        match &kind {
            b"fmt " => format = Some(read_format(&bytes(source, size)?)?),
            b"ds64" if large => large_length = bytes(source, size)?.get(8..16).map(number),
            b"data" => {
                let Format { channels, rate, encoding } = format.ok_or(Error::Damaged("its format is missing"))?;
                let size = if large && size == UNKNOWN { large_length.unwrap_or(UNKNOWN) } else { size };
                // A program that writes to a pipe cannot return to the header, and one that was killed did not.
                let unfinished = size == 0 && (large || declared < file);
                let unknown = size == UNKNOWN || unfinished;
                return Ok(Header { channels, rate, encoding, start: body, length: (!unknown).then_some(size) });
            }
            _ => {}
        }
        at = after(source, body, size)?;
    }
}

/// Reads the first 12 bytes.
///
/// # Errors
/// Returns [`Error::Format`] for a known format that is not supported, [`Error::NotWav`] for an unknown one.
fn begin(source: &mut (impl Read + Seek)) -> Result<Vec<u8>, Error> {
    source.seek(SeekFrom::Start(0))?;
    let mut start = Vec::new();
    source.take(RIFF_HEADER).read_to_end(&mut start)?;
    let wave = start.get(8..12) == Some(b"WAVE");
    if wave && [b"RIFF", b"RF64", b"BW64"].iter().any(|kind| start.starts_with(*kind)) {
        return Ok(start);
    }
    let has = |(at, bytes): &(usize, &[u8])| start.get(*at..).is_some_and(|rest| rest.starts_with(bytes));
    let known = OTHERS.iter().find(|(signatures, _)| signatures.iter().all(has));
    Err(known.map_or(Error::NotWav, |(_, name)| Error::Format((*name).to_owned())))
}

/// Returns the type and the size of the chunk at `at`, or `None` at the end of the file.
fn chunk(source: &mut (impl Read + Seek), at: u64) -> Result<Option<([u8; 4], u64)>, Error> {
    source.seek(SeekFrom::Start(at))?;
    let mut header = [0; 8];
    match source.read_exact(&mut header) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let [a, b, c, d, size @ ..] = header;
    Ok(Some(([a, b, c, d], u64::from(u32::from_le_bytes(size)))))
}

/// Returns the offset of the chunk after one of `size` bytes at `body`. A byte of 0 follows an odd size. Some writers omit
/// it; then the next type follows, which has no byte of 0.
fn after(source: &mut (impl Read + Seek), body: u64, size: u64) -> Result<u64, Error> {
    let end = body.saturating_add(size);
    if size.is_multiple_of(2) {
        return Ok(end);
    }
    source.seek(SeekFrom::Start(end))?;
    let mut pad = [0];
    let read = source.read(&mut pad)?;
    Ok(if read == 1 && pad == [0] { end.saturating_add(1) } else { end })
}

/// Returns the bytes of a chunk, at most [`MAX_CHUNK`].
fn bytes(source: &mut impl Read, size: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    source.take(size.min(MAX_CHUNK)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Parses a `fmt ` chunk of any length: more than the format needs is ignored.
fn read_format(chunk: &[u8]) -> Result<Format, Error> {
    let field = |at: usize, length: usize| chunk.get(at..at + length).map(number).ok_or(TOO_SHORT);
    let (tag, channels, rate) = (field(0, 2)?, field(2, 2)?, field(4, 4)?);
    let (frame, bits) = (field(12, 2)?, field(14, 2)?);
    // The format of the samples is in the first bytes of an identifier.
    let tag = if tag == EXTENSIBLE { field(24, 2)? } else { tag };
    let (Ok(channels), Ok(rate)) = (u16::try_from(channels), u32::try_from(rate)) else { return Err(TOO_SHORT) };
    if channels == 0 {
        return Err(Error::Damaged("it has no channels"));
    }
    if channels > MAX_CHANNELS {
        return Err(Error::Format(format!("WAV with {channels} channels, more than {MAX_CHANNELS},")));
    }
    // The bytes of a sample may be more than its bits need.
    let whole = frame > 0 && frame.is_multiple_of(u64::from(channels));
    let sample = if whole { frame / u64::from(channels) } else { bits.div_ceil(8) };
    let encoding = match (tag, sample) {
        (PCM, 1) => Encoding::Unsigned,
        (PCM, 2..=8) if bits <= 8 * sample => {
            let bytes = u8::try_from(sample).ok().and_then(NonZero::new).ok_or(TOO_SHORT)?;
            Encoding::Signed(bytes)
        }
        (FLOAT, 4) => Encoding::Float,
        (FLOAT, 8) => Encoding::Double,
        (PCM | FLOAT, _) => return Err(Error::Damaged("the size of its samples is invalid")),
        _ => return Err(Error::Format(codec(tag))),
    };
    Ok(Format { channels, rate, encoding })
}

fn codec(tag: u64) -> String {
    let known = CODECS.iter().find(|(tags, _)| tags.contains(&tag)).map(|(_, name)| format!("WAV with {name}"));
    known.unwrap_or_else(|| format!("WAV with codec {tag:#06x}"))
}

/// Returns a number in little-endian order, of at most 8 bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The format tags of the samples that can be read.
const PCM: u64 = 1;
const FLOAT: u64 = 3;
/// The format tag that is followed by an identifier of the format.
const EXTENSIBLE: u64 = 0xFFFE;
/// The size of a chunk whose size was not known when it was written, or is elsewhere.
const UNKNOWN: u64 = 0xFFFF_FFFF;
/// The bytes of `RIFF`, a size and `WAVE`.
const RIFF_HEADER: u64 = 12;
/// The maximum number of channels. Each one takes processor time for each frame, and larger microphones do not exist.
const MAX_CHANNELS: u16 = 32;
/// The maximum number of bytes that are read of a chunk.
const MAX_CHUNK: u64 = 64;
const TOO_SHORT: Error = Error::Damaged("its format is too short");

/// The names of other format tags (RFC 2361).
const CODECS: &[(&[u64], &str)] = &[
    (&[0x02, 0x11], "ADPCM"),
    (&[0x06], "A-law"),
    (&[0x07], "µ-law"),
    (&[0x31], "GSM"),
    (&[0x50, 0x55], "MP3"),
    (&[0xFF, 0x1600, 0x1602, 0x706D], "AAC"),
    (&[0x2000], "AC-3"),
    (&[0xF1AC], "FLAC"),
];

/// An offset in a file, and the bytes at that offset.
type Signature = (usize, &'static [u8]);

/// The signatures of other formats.
const OTHERS: &[(&[Signature], &str)] = &[
    (&[(0, b"RIFX")], "WAV in big-endian order (RIFX)"),
    (&[(0, b"riff\x2E\x91\xCF\x11")], "Wave64"),
    (&[(0, b"RIFF"), (8, b"AVI ")], "AVI"),
    (&[(0, b"FORM"), (8, b"AIF")], "AIFF"),
    (&[(0, b"fLaC")], "FLAC"),
    (&[(0, b"OggS")], "Ogg"),
    (&[(0, b"ID3")], "MP3"),
    (&[(0, b"\xFF\xFB")], "MP3"),
    (&[(0, b"\xFF\xF3")], "MP3"),
    (&[(0, b"\xFF\xF1")], "AAC"),
    (&[(4, b"ftyp")], "MP4"),
    (&[(0, b"\x1A\x45\xDF\xA3")], "Matroska/WebM"),
    (&[(0, b".snd")], "AU"),
    (&[(0, b"caff")], "CAF"),
    (&[(0, b"wvpk")], "WavPack"),
];

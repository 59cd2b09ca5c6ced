//! MP4 boxes and their fields.

use crate::container::Error;
use std::io::{Read, Seek, SeekFrom};

/// The type of a box.
pub(super) type FourCc = [u8; 4];

/// The header of a top-level box.
pub(super) struct Header {
    pub(super) kind: FourCc,
    pub(super) start: u64,
    pub(super) end: u64,
}

/// Reads the header of the box at offset `at`. Returns `None` at the end of the file.
pub(super) fn header(reader: &mut (impl Read + Seek), at: u64, length: u64) -> Result<Option<Header>, Error> {
    if length.saturating_sub(at) < 8 {
        return Ok(None);
    }
    reader.seek(SeekFrom::Start(at))?;
    let mut bytes = [0; 8];
    reader.read_exact(&mut bytes)?;
    let [a, b, c, d, kind @ ..] = bytes;
    if at == 0 && !FIRST_BOXES.contains(&kind) {
        return Err(Error::Kind("MP4"));
    }
    let (size, head) = match u32::from_be_bytes([a, b, c, d]) {
        0 => (length - at, 8),
        1 => {
            let mut large = [0; 8];
            reader.read_exact(&mut large)?;
            (u64::from_be_bytes(large), 16)
        }
        size => (u64::from(size), 8),
    };
    let end = at.checked_add(size).filter(|end| size >= head && *end <= length);
    Ok(Some(Header { kind, start: at + head, end: end.ok_or(Error::Damaged("the file is truncated"))? }))
}

/// Reads the payload of a top-level box into memory.
pub(super) fn payload(reader: &mut (impl Read + Seek), header: &Header) -> Result<Vec<u8>, Error> {
    let length = header.end - header.start;
    if length > MAX_HEADER_BYTES {
        return Err(Error::Unsupported("headers of more than 64 MiB".into()));
    }
    reader.seek(SeekFrom::Start(header.start))?;
    let mut payload = vec![0; usize::try_from(length).map_err(|_| Error::Damaged("the file is truncated"))?];
    reader.read_exact(&mut payload)?;
    Ok(payload)
}

/// A child box.
pub(super) struct Child<'a> {
    pub(super) kind: FourCc,
    pub(super) payload: &'a [u8],
}

/// Returns the boxes in `bytes`, up to the first invalid one.
pub(super) fn children(bytes: &[u8]) -> impl Iterator<Item = Child<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (head, _) = rest.split_first_chunk::<8>()?;
        let [a, b, c, d, kind @ ..] = *head;
        let size = match u32::from_be_bytes([a, b, c, d]) {
            0 => rest.len(),
            size => usize::try_from(size).ok()?,
        };
        let payload = rest.get(8..size)?;
        rest = &rest[size..];
        Some(Child { kind, payload })
    })
}

/// Returns the payload of the box at `path`.
pub(super) fn find<'a>(bytes: &'a [u8], path: &[FourCc]) -> Option<&'a [u8]> {
    path.iter()
        .try_fold(bytes, |bytes, kind| children(bytes).find(|child| child.kind == *kind).map(|child| child.payload))
}

/// Reads big-endian fields in order. Reading past the end is an error.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(super) fn skip(self, count: usize) -> Self {
        Self { rest: self.rest.get(count..).unwrap_or(&[]) }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(TOO_SHORT)?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Error> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn four_cc(&mut self) -> Result<FourCc, Error> {
        self.array()
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(TOO_SHORT)?;
        self.rest = rest;
        Ok(*array)
    }
}

/// The types that the first box of an MP4 file may have.
const FIRST_BOXES: [FourCc; 8] = [*b"ftyp", *b"moov", *b"mdat", *b"free", *b"skip", *b"wide", *b"styp", *b"pdin"];

const MAX_HEADER_BYTES: u64 = 64 << 20;
const TOO_SHORT: Error = Error::Damaged("a box ends too early");

//! The common names of unsupported codecs and containers.

use super::boxes::FourCc;
use crate::container::Error;
use std::io::{Read, Seek, SeekFrom};

/// Returns the name of a codec, from the type of its sample entry.
pub(super) fn codec(kind: FourCc) -> String {
    let known = CODECS.iter().find(|(kinds, _)| kinds.contains(&kind)).map(|(_, name)| (*name).to_owned());
    known.unwrap_or_else(|| {
        kind.iter().map(|byte| char::from(*byte)).map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect()
    })
}

/// Returns the error for a file that is not MP4: [`Error::Format`] if its format is known, otherwise [`Error::Kind`].
///
/// # Errors
/// Returns [`Error::Io`] if the file cannot be read.
pub(super) fn container(reader: &mut (impl Read + Seek)) -> Result<Error, Error> {
    let mut start = Vec::with_capacity(MAX_START_BYTES);
    reader.seek(SeekFrom::Start(0))?;
    reader.take(MAX_START_BYTES as u64).read_to_end(&mut start)?;
    let has = |(at, bytes): &Signature| start.get(*at..).is_some_and(|rest| rest.starts_with(bytes));
    let known = CONTAINERS.iter().find(|(signatures, _)| signatures.iter().all(has));
    Ok(known.map_or(Error::Kind("MP4"), |(_, name)| Error::Format((*name).to_owned())))
}

/// Sample entry types registered at mp4ra.org, and those of `QuickTime`.
const CODECS: &[(&[FourCc], &str)] = &[
    (&[*b"hvc1", *b"hev1", *b"dvh1", *b"dvhe"], "HEVC (H.265)"),
    (&[*b"vvc1", *b"vvi1"], "VVC (H.266)"),
    (&[*b"av01"], "AV1"),
    (&[*b"vp09"], "VP9"),
    (&[*b"vp08"], "VP8"),
    (&[*b"avc2", *b"avc4", *b"svc1", *b"svc2", *b"mvc1", *b"mvc2"], "H.264 SVC/MVC"),
    (&[*b"mp4v"], "MPEG-4 Visual"),
    (&[*b"s263", *b"h263", *b"H263"], "H.263"),
    (&[*b"jpeg", *b"mjpa", *b"mjpb", *b"mjpg"], "Motion JPEG"),
    (&[*b"apch", *b"apcn", *b"apcs", *b"apco", *b"ap4h", *b"ap4x"], "Apple ProRes"),
    (&[*b"encv"], "DRM"),
];

/// An offset in a file, and the bytes at that offset.
type Signature = (usize, &'static [u8]);

/// The signatures of file formats.
const CONTAINERS: &[(&[Signature], &str)] = &[
    (&[(0, b"\x1A\x45\xDF\xA3")], "Matroska/WebM"),
    (&[(0, b"RIFF"), (8, b"AVI ")], "AVI"),
    (&[(0, b"FLV\x01")], "Flash Video"),
    (&[(0, b"OggS")], "Ogg"),
    (&[(0, b"\x30\x26\xB2\x75")], "Windows Media"),
    (&[(0, b"GIF8")], "GIF"),
    (&[(0, b"\x89PNG")], "PNG"),
    (&[(0, b"\xFF\xD8\xFF")], "JPEG"),
    (&[(0, b"\x00\x00\x01\xBA")], "MPEG-PS"),
    (&[(0, b"\x00\x00\x00\x01")], "H.264/H.265 (Annex B)"),
    (&[(0, b"\x47"), (188, b"\x47")], "MPEG-TS"),
];

const MAX_START_BYTES: usize = 192;

//! H.264 bitstreams: NAL units with lengths or start codes, and sequence parameter sets.
//!
//! In the application, a picture is a sequence of NAL units, each after its length in 4 big-endian bytes. Files and
//! OpenH264 use other framings, which are converted where they are read. Every function returns a value or an error for
//! any input and allocates at most a copy of it.

mod bits;
mod kind;
mod malformed;
mod sps;

pub use kind::Kind;
pub use malformed::Malformed;
pub use sps::Sps;

use media::Buffer;

/// Returns true if other pictures may reference the picture of `unit` (`nal_ref_idc`).
#[must_use]
pub fn is_reference(unit: &[u8]) -> bool {
    unit.first().is_some_and(|header| header & 0x60 != 0)
}

/// Returns true if the picture, as length-prefixed units, is an IDR picture.
#[must_use]
pub fn is_key(bitstream: &[u8]) -> bool {
    prefixed(bitstream).map_while(Result::ok).any(|unit| Kind::of(unit) == Ok(Kind::Key))
}

/// Returns the units of a length-prefixed picture. The iterator ends after an error.
#[must_use]
pub fn prefixed(bitstream: &[u8]) -> Prefixed<'_> {
    Prefixed { rest: bitstream, width: 4 }
}

/// Works like [`prefixed`], with lengths of `width` bytes, 1..=4 (ISO/IEC 14496-15 `lengthSizeMinusOne` + 1).
#[must_use]
pub fn prefixed_by(bitstream: &[u8], width: usize) -> Prefixed<'_> {
    Prefixed { rest: bitstream, width: width.clamp(1, 4) }
}

/// Iterates over length-prefixed units.
#[derive(Clone, Debug)]
pub struct Prefixed<'a> {
    rest: &'a [u8],
    width: usize,
}

impl<'a> Iterator for Prefixed<'a> {
    type Item = Result<&'a [u8], Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let unit = self.split();
        if unit.is_none() {
            self.rest = &[];
        }
        Some(unit.ok_or(Malformed::CutOff))
    }
}

impl<'a> Prefixed<'a> {
    fn split(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.rest.split_at_checked(self.width)?;
        let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let (unit, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some(unit)
    }
}

/// Returns the units of a byte stream with start codes (ITU-T H.264 annex B), without trailing zeros. Bytes before the
/// first start code are skipped.
#[must_use]
pub fn annex_b(stream: &[u8]) -> AnnexB<'_> {
    let rest = start_code(stream).map_or(&[][..], |at| &stream[at + START.len()..]);
    AnnexB { rest }
}

/// Iterates over units between start codes.
#[derive(Clone, Debug)]
pub struct AnnexB<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for AnnexB<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let end = start_code(self.rest);
            let unit = &self.rest[..end.unwrap_or(self.rest.len())];
            self.rest = end.map_or(&[], |end| &self.rest[end + START.len()..]);
            // A unit never ends with a zero byte, so trailing zeros are padding or belong to the next start code.
            let length = unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            if length > 0 {
                return Some(&unit[..length]);
            }
        }
        None
    }
}

fn start_code(stream: &[u8]) -> Option<usize> {
    // Most bytes are larger than 1, so usually only every third byte is read.
    let mut at = 0;
    while let Some(last) = stream.get(at + 2) {
        match (stream[at], stream[at + 1], last) {
            (0, 0, 1) => return Some(at),
            (_, _, 2..) => at += 3,
            (_, _, _) => at += 1,
        }
    }
    None
}

/// Replaces the content of `stream` with the units of a length-prefixed picture, with start codes.
///
/// # Errors
/// Returns [`Malformed`] if the picture is not a sequence of complete units. Then `stream` contains the units before
/// the error.
pub fn to_annex_b(bitstream: &[u8], stream: &mut Vec<u8>) -> Result<(), Malformed> {
    stream.clear();
    for unit in prefixed(bitstream) {
        append_annex_b(unit?, stream);
    }
    Ok(())
}

/// Appends a start code and a unit.
pub fn append_annex_b(unit: &[u8], stream: &mut Vec<u8>) {
    stream.extend_from_slice(&[0]);
    stream.extend_from_slice(&START);
    stream.extend_from_slice(unit);
}

/// Appends the units of a stream with start codes to `payload`, each after its length.
pub fn to_prefixed(stream: &[u8], payload: &mut Buffer) {
    for unit in annex_b(stream) {
        append_prefixed(unit, payload);
    }
}

/// Appends a unit after its length. Does nothing if it is 4 GiB or longer.
pub fn append_prefixed(unit: &[u8], payload: &mut Buffer) {
    if let Ok(length) = u32::try_from(unit.len()) {
        payload.append(&length.to_be_bytes());
        payload.append(unit);
    }
}

const START: [u8; 3] = [0, 0, 1];

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = &[9, 0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 0, 0, 1, 0x65, 4, 5, 0, 0];
    const PREFIXED: &[u8] = &[0, 0, 0, 3, 0x67, 1, 2, 0, 0, 0, 2, 0x68, 3, 0, 0, 0, 3, 0x65, 4, 5];

    #[test]
    fn start_codes_of_both_lengths_separate_units() {
        let units: Vec<_> = annex_b(STREAM).collect();
        assert_eq!(units, [&[0x67, 1, 2][..], &[0x68, 3], &[0x65, 4, 5]]);
    }

    #[test]
    fn framings_convert_both_ways() {
        let mut payload = Buffer::unpooled(&[]);
        to_prefixed(STREAM, &mut payload);
        assert_eq!(&*payload, PREFIXED);
        let mut stream = vec![1, 2, 3];
        to_annex_b(&payload, &mut stream).unwrap();
        assert_eq!(annex_b(&stream).collect::<Vec<_>>(), annex_b(STREAM).collect::<Vec<_>>());
    }

    #[test]
    fn a_truncation_within_a_unit_is_an_error() {
        for length in 0..PREFIXED.len() {
            let whole = prefixed(&PREFIXED[..length]).all(|unit| unit.is_ok());
            assert_eq!(whole, [0, 7, 13].contains(&length), "at {length}");
            assert_eq!(to_annex_b(&PREFIXED[..length], &mut Vec::new()).is_ok(), whole);
        }
        assert_eq!(prefixed(&[0xFF; 9]).collect::<Vec<_>>(), [Err(Malformed::CutOff)]);
        assert_eq!(prefixed_by(&[2, 7, 7, 1, 8], 1).collect::<Vec<_>>(), [Ok(&[7, 7][..]), Ok(&[8][..])]);
    }

    #[test]
    fn streams_without_units_yield_none() {
        for stream in [&[][..], &[0], &[0, 0], &[0, 0, 1], &[0, 0, 0, 0, 1, 0, 0, 1, 0], &[1, 2, 3, 4]] {
            assert_eq!(annex_b(stream).count(), 0, "{stream:?}");
        }
    }

    #[test]
    fn the_first_byte_determines_the_kind() {
        assert_eq!(Kind::of(&[0x65]), Ok(Kind::Key));
        assert_eq!(Kind::of(&[0x01]), Ok(Kind::Slice));
        assert_eq!(Kind::of(&[]), Err(Malformed::NotAUnit));
        assert_eq!(Kind::of(&[0x85]), Err(Malformed::NotAUnit));
        assert!(is_reference(&[0x65]) && !is_reference(&[0x01]) && !is_reference(&[]));
        assert!(is_key(PREFIXED) && !is_key(&PREFIXED[..13]) && !is_key(&[1]));
    }
}

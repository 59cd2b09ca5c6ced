//! The entries of an edit list (ISO/IEC 14496-12 8.6.6).

use super::super::boxes::{self, Fields};
use super::speed::Speed;
use crate::container::Error;

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    /// The duration in ticks of the movie. 0 means until the end of the media.
    pub(super) duration: u64,
    pub(super) part: Part,
}

/// The part of the media that an entry shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Nothing.
    Pause,
    /// The frame at this tick of the track.
    Still(i64),
    /// The frames from this tick of the track on, at a speed.
    Moving(i64, Speed),
}

impl Edit {
    /// Shows the whole media.
    pub(super) const WHOLE: Self = Self { duration: 0, part: Part::Moving(i64::MIN, Speed::NORMAL) };
}

/// Returns the entries, or one that shows the whole media if there is no list. Entries after an invalid one are ignored.
///
/// # Errors
/// Returns [`Error::Unsupported`] if an entry plays backwards.
pub(super) fn read(track: &[u8]) -> Result<Vec<Edit>, Error> {
    let mut edits = Vec::new();
    if let Some(list) = boxes::find(track, &[*b"edts", *b"elst"]) {
        let mut fields = Fields::new(list);
        let long = fields.u8().is_ok_and(|version| version == 1);
        let mut fields = fields.skip(3);
        // The list ends with its bytes, whatever its count is.
        for _ in 0..fields.u32().unwrap_or(0) {
            let Some((duration, start, rate)) = entry(&mut fields, long) else { break };
            let part = match (start, rate) {
                (..0, _) => Part::Pause,
                (_, 0) => Part::Still(start),
                (_, 1..) => Part::Moving(start, Speed(rate.unsigned_abs())),
                (_, ..0) => return Err(Error::Unsupported("an edit list that plays backwards".into())),
            };
            edits.push(Edit { duration, part });
        }
    }
    if edits.is_empty() {
        edits.push(Edit::WHOLE);
    }
    Ok(edits)
}

/// Returns the duration, the start and the rate of an entry.
fn entry(fields: &mut Fields<'_>, long: bool) -> Option<(u64, i64, i32)> {
    let (duration, start) = if long {
        (read_u64(fields)?, read_u64(fields)?.cast_signed())
    } else {
        (u64::from(fields.u32().ok()?), i64::from(fields.u32().ok()?.cast_signed()))
    };
    Some((duration, start, fields.u32().ok()?.cast_signed()))
}

fn read_u64(fields: &mut Fields<'_>) -> Option<u64> {
    Some(u64::from(fields.u32().ok()?) << 32 | u64::from(fields.u32().ok()?))
}

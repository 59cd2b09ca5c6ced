//! What a client has played so far, out of the WAV file that it still writes: 48 kHz, mono, 16 bits.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// A voice is heard at least once in so long.
pub const TALK: Duration = Duration::from_secs(1);
/// A voice that goes on does not pause for so long.
pub const PAUSE: Duration = Duration::from_millis(1_500);

/// Whether the last `span` holds something loud.
pub fn is_heard(path: &Path, span: Duration) -> bool {
    peak(path, span).is_some_and(|peak| peak > LOUD)
}

/// Whether the last `span` holds nothing but silence.
pub fn is_silent(path: &Path, span: Duration) -> bool {
    peak(path, span).is_some_and(|peak| peak < QUIET)
}

/// Of 32768; comfort noise is less.
const QUIET: u16 = 200;
const LOUD: u16 = 1_500;
/// Bytes of a WAV file before its first sample.
const HEADER: usize = 44;

/// The loudest sample of the last `span`; `None` where there is not as much yet.
fn peak(path: &Path, span: Duration) -> Option<u16> {
    let bytes = fs::read(path).ok()?;
    let samples: Vec<_> =
        bytes.get(HEADER..)?.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect();
    let count = usize::try_from(span.as_millis()).ok()? * 48;
    let last = samples.get(samples.len().checked_sub(count)?..)?;
    last.iter().map(|sample| sample.unsigned_abs()).max()
}

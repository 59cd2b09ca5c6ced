//! The sound that a client has played so far, from the WAV file that it is writing: 48 kHz, mono, 16 bits.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// While someone speaks, any part of this length has at least one loud sample.
pub const TALK: Duration = Duration::from_secs(1);
/// Longer than any pause of the demo voices: a silence of this length means that the voice has stopped.
pub const PAUSE: Duration = Duration::from_millis(1_500);

/// Returns whether the last `span` contains something loud.
pub fn is_loud(path: &Path, span: Duration) -> bool {
    peak(path, span).is_some_and(|peak| peak > LOUD)
}

/// Returns whether the last `span` is silent.
pub fn is_silent(path: &Path, span: Duration) -> bool {
    peak(path, span).is_some_and(|peak| peak < QUIET)
}

/// Samples below this are silence; the largest possible one is 32768. Comfort noise is below.
const QUIET: u16 = 200;
/// Samples above this are a voice.
const LOUD: u16 = 1_500;
/// Bytes of a WAV file before its first sample.
const HEADER: usize = 44;

/// Returns the loudest sample of the last `span`. Returns `None` if the file is shorter.
fn peak(path: &Path, span: Duration) -> Option<u16> {
    let bytes = fs::read(path).ok()?;
    let samples: Vec<_> =
        bytes.get(HEADER..)?.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect();
    let count = usize::try_from(span.as_millis()).ok()? * 48;
    let last = samples.get(samples.len().checked_sub(count)?..)?;
    last.iter().map(|sample| sample.unsigned_abs()).max()
}

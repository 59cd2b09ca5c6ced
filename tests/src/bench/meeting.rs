//! Measures what four people see of each other in a whole meeting on this machine.

use super::row::{Comparison, Row};
use crate::demo_meeting::{self, Outcome};
use anyhow::{Context, Result};
use media::Size;
use std::time::Duration;

/// Measures all rows of the group `meeting`: the worst of the twelve pairs of sender and receiver.
///
/// # Errors
/// Returns an error if the meeting does not start, or if a participant's pictures are missing.
pub fn rows() -> Result<Vec<Row>> {
    let Outcome { report, qualities } = demo_meeting::hold(SIZE, PICTURES, TIMEOUT)?;
    let mean = qualities.values().map(|quality| quality.mean_db).reduce(f64::min).context("pictures were compared")?;
    let share = |shown: u64, sent: u64| ratio(shown, sent.max(1));
    let shares = report.video.iter().map(|video| share(video.frames_shown, video.frames_sent));
    let shown = shares.reduce(f64::min).context("pictures were received")?;
    let latency = report.video.iter().filter_map(|video| video.latency_ms.p95).max().context("pictures were shown")?;
    let against = |subject, limit| Comparison { subject, peer: limit, runs: 1 };
    Ok(vec![
        Row::at_least("PSNR at 640x360, worst pair of four people", "dB", "limit: 32 dB", against(mean, 32.0), 1.0),
        Row::at_least("pictures shown of those sent, worst pair", "", "limit: nine of ten", against(shown, 0.9), 1.0),
        Row::at_most("capture to screen, p95, worst pair", "ms", G114, against(ratio(latency, 1), 150.0), 1.0),
    ])
}

#[expect(clippy::cast_precision_loss, reason = "counts of one meeting are small")]
fn ratio(count: u64, of: u64) -> f64 {
    count as f64 / of as f64
}

/// The size at which each participant shows the others.
const SIZE: Size = Size::new(640, 360);

/// The number of pictures that each participant shows of every other participant: 10 s of the footage.
const PICTURES: u64 = 300;

/// Longer than the meeting takes on a busy machine.
const TIMEOUT: Duration = Duration::from_mins(2);

/// ITU-T G.114: below this delay most conversations are not affected.
const G114: &str = "limit: 150 ms (ITU-T G.114)";

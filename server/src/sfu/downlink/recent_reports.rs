//! What was sent and how long it waited, in the last reports about a downlink.

use super::super::link_delay::{REPORT_INTERVAL, USUAL_DELAY};
use std::ops::Index;
use std::time::Duration;

/// The figures of an earlier report.
#[derive(Clone, Copy, Debug, Default)]
pub struct PastReport {
    /// Bits per second that were sent.
    pub sent: u64,
    /// How much of that arrived.
    pub arrived: u64,
    /// How much longer than usual the round trip was.
    pub delay: Duration,
}

/// The last reports, newest first.
#[derive(Debug, Default)]
pub struct RecentReports([PastReport; RECENT_REPORTS]);

impl RecentReports {
    /// Adds a report, and forgets the oldest one.
    pub fn push(&mut self, report: PastReport) {
        self.0.rotate_right(1);
        self.0[0] = report;
    }

    /// Returns the average bits per second that were sent in the last `reports` reports.
    pub fn sent(&self, reports: usize) -> u64 {
        average(&self.0[..reports], |report| report.sent)
    }

    /// Returns the average bits per second that were sent before the last `reports` reports.
    pub fn sent_before(&self, reports: usize) -> u64 {
        average(&self.0[reports..], |report| report.sent)
    }

    /// Returns the bits per second that left the queue of the link in the last reports: what was sent and not lost, without
    /// what the queue has grown.
    pub fn through(&self, lost: f32) -> u64 {
        let sent = self.sent(THROUGH_REPORTS);
        let growth = self.0[0].delay.saturating_sub(self.0[THROUGH_REPORTS].delay);
        let time = REPORT_INTERVAL * u32::try_from(THROUGH_REPORTS).unwrap_or(1);
        let percent = 100 * time.as_micros() / (time + growth).as_micros().max(1);
        arrived(sent, lost).saturating_mul(u64::try_from(percent).unwrap_or(100)) / 100
    }

    /// Returns what arrived in half a second of the last reports.
    pub fn proved(&self) -> u64 {
        let halves = self.0.windows(RECENT_REPORTS / 2);
        halves.map(|reports| average(reports, |report| report.arrived)).max().unwrap_or(0)
    }

    /// Returns whether packets were delayed in any of them.
    pub fn was_delayed(&self) -> bool {
        self.0.iter().any(|report| report.delay > USUAL_DELAY)
    }
}

impl Index<usize> for RecentReports {
    type Output = PastReport;

    fn index(&self, index: usize) -> &PastReport {
        &self.0[index]
    }
}

/// Returns how much of `sent` bits per second arrived.
pub fn arrived(sent: u64, lost: f32) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fraction of 1000")]
    let kept = ((1.0 - lost.clamp(0.0, 1.0)) * 1_000.0) as u64;
    sent.saturating_mul(kept) / 1_000
}

fn average(reports: &[PastReport], figure: impl Fn(&PastReport) -> u64) -> u64 {
    reports.iter().map(figure).sum::<u64>() / reports.len() as u64
}

/// The reports from which the capacity of a full link is computed.
pub const THROUGH_REPORTS: usize = 3;

/// The reports that are kept: those of a second. The frames of a camera are uneven within a report interval.
pub const RECENT_REPORTS: usize = 10;

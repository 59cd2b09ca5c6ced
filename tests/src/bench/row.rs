//! One figure of a benchmark, and how it is measured.

use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

/// One line of `cargo xtask bench --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// The median of the subject.
    pub value: f64,
    /// The unit of both values.
    pub unit: &'static str,
    /// What the subject is compared with.
    pub peer: String,
    /// The median of the peer, or the limit.
    pub peer_value: f64,
    /// `value / peer_value`.
    pub ratio: f64,
    /// The goal for the ratio, such as `<= 1.5`.
    pub goal: String,
    /// Whether the ratio meets the goal.
    pub goal_met: bool,
    /// The number of runs of each.
    pub runs: usize,
}

/// The medians of a subject and its peer.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    /// The subject's median.
    pub subject: f64,
    /// The peer's median, or the limit.
    pub peer: f64,
    /// The number of runs of each.
    pub runs: usize,
}

impl Row {
    /// Returns a row whose goal is at most `max` times the peer.
    #[must_use]
    pub fn at_most(name: &str, unit: &'static str, peer: &str, comparison: Comparison, max: f64) -> Self {
        let ratio = comparison.subject / comparison.peer;
        Self::of(name, unit, peer, comparison, format!("<= {max}"), ratio <= max)
    }

    /// Returns a row whose goal is at least `min` times the peer.
    #[must_use]
    pub fn at_least(name: &str, unit: &'static str, peer: &str, comparison: Comparison, min: f64) -> Self {
        let ratio = comparison.subject / comparison.peer;
        Self::of(name, unit, peer, comparison, format!(">= {min}"), ratio >= min)
    }

    /// Returns a row that is compared with a peer, without a goal.
    #[must_use]
    pub fn without_goal(name: &str, unit: &'static str, peer: &str, comparison: Comparison) -> Self {
        Self::of(name, unit, peer, comparison, "none".into(), true)
    }

    fn of(name: &str, unit: &'static str, peer: &str, comparison: Comparison, goal: String, goal_met: bool) -> Self {
        let round = |value: f64| (value * 1_000.0).round() / 1_000.0;
        Self {
            name: name.into(),
            value: round(comparison.subject),
            unit,
            peer: peer.into(),
            peer_value: round(comparison.peer),
            ratio: round(comparison.subject / comparison.peer),
            goal,
            goal_met,
            runs: comparison.runs,
        }
    }
}

/// Runs subject and peer in alternation, `runs` times each, and returns the medians. Before that, each runs
/// once without being measured.
pub fn compare(runs: usize, mut subject: impl FnMut() -> f64, mut peer: impl FnMut() -> f64) -> Comparison {
    let _warm_up = (subject(), peer());
    let (mut subjects, mut peers) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        subjects.push(subject());
        peers.push(peer());
    }
    Comparison { subject: median(subjects), peer: median(peers), runs }
}

/// Returns the CPU time of this thread that `work` takes, in milliseconds. Other programs hardly affect it.
pub fn cpu_ms(work: impl FnOnce()) -> f64 {
    let before = now(ClockId::ThreadCPUTime);
    work();
    (now(ClockId::ThreadCPUTime) - before) * 1_000.0
}

/// Returns the result of `work`, and the CPU time of this process that it takes, in milliseconds: `work` may use several threads.
pub fn process_cpu_ms<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let before = now(ClockId::ProcessCPUTime);
    let result = work();
    (result, (now(ClockId::ProcessCPUTime) - before) * 1_000.0)
}

/// Prints rows as JSON, or as a table.
///
/// # Errors
/// Returns an error if a row cannot be written as JSON.
pub fn print(rows: &[Row], json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(rows)?);
        return Ok(());
    }
    for row in rows {
        let verdict = if row.goal_met { "met" } else { "MISSED" };
        println!(
            "{:<44} {:>10.3} {:<12} {:<34} {:>10.3}  ratio {:>7.3}  goal {:<8} {verdict} ({} runs)",
            row.name, row.value, row.unit, row.peer, row.peer_value, row.ratio, row.goal, row.runs
        );
    }
    Ok(())
}

/// Returns the median: the mean of the two middle values if their count is even.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}

/// Returns a percentile of sorted values. Returns `None` if there are none.
pub fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied()
}

#[expect(clippy::cast_precision_loss, reason = "a process has less than 2^52 nanoseconds of CPU time")]
fn now(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_takes_the_medians_of_the_counted_runs() {
        let mut values = [9.0, 1.0, 5.0, 3.0].into_iter();
        let comparison = compare(3, move || values.next().unwrap(), || 2.0);
        assert!((comparison.subject - 3.0).abs() < 1e-9 && (comparison.peer - 2.0).abs() < 1e-9);
        assert!(Row::at_most("a", "ms", "b", comparison, 1.5).goal_met);
        assert!(!Row::at_least("a", "ms", "b", comparison, 1.6).goal_met);
    }
}

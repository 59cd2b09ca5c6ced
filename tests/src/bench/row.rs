//! One figure, and how it is found.

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
    /// What it is compared with.
    pub peer: String,
    /// The median of the peer, or the limit.
    pub peer_value: f64,
    /// `value / peer_value`.
    pub ratio: f64,
    /// What the ratio shall be, in words.
    pub goal: String,
    /// Whether it is.
    pub goal_met: bool,
    /// How many runs of each the medians are from.
    pub runs: usize,
}

/// The medians of a subject and its peer.
#[derive(Clone, Copy, Debug)]
pub struct Duel {
    /// Of the subject.
    pub subject: f64,
    /// Of the peer.
    pub peer: f64,
    /// How many runs of each.
    pub runs: usize,
}

impl Row {
    /// A figure that shall be at most `most` times its peer.
    #[must_use]
    pub fn at_most(name: &str, unit: &'static str, peer: &str, duel: Duel, most: f64) -> Self {
        let ratio = duel.subject / duel.peer;
        Self::of(name, unit, peer, duel, format!("<= {most}"), ratio <= most)
    }

    /// A figure that shall be at least `least` times its peer.
    #[must_use]
    pub fn at_least(name: &str, unit: &'static str, peer: &str, duel: Duel, least: f64) -> Self {
        let ratio = duel.subject / duel.peer;
        Self::of(name, unit, peer, duel, format!(">= {least}"), ratio >= least)
    }

    fn of(name: &str, unit: &'static str, peer: &str, duel: Duel, goal: String, goal_met: bool) -> Self {
        let round = |value: f64| (value * 1_000.0).round() / 1_000.0;
        Self {
            name: name.into(),
            value: round(duel.subject),
            unit,
            peer: peer.into(),
            peer_value: round(duel.peer),
            ratio: round(duel.subject / duel.peer),
            goal,
            goal_met,
            runs: duel.runs,
        }
    }
}

/// Runs subject and peer in turn, `runs` times each after one of each that does not count, and takes the medians.
pub fn duel(runs: usize, mut subject: impl FnMut() -> f64, mut peer: impl FnMut() -> f64) -> Duel {
    let _warm = (subject(), peer());
    let (mut subjects, mut peers) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        subjects.push(subject());
        peers.push(peer());
    }
    Duel { subject: median(subjects), peer: median(peers), runs }
}

/// Milliseconds of this thread's processor time that `work` takes: other programs on the machine hardly count.
pub fn cpu_ms(work: impl FnOnce()) -> f64 {
    let before = now();
    work();
    (now() - before) * 1_000.0
}

/// Prints rows as JSON, or as a table.
///
/// # Errors
/// Where standard output is closed.
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

/// The middle value; the mean of the two middle ones where their count is even.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}

#[expect(clippy::cast_precision_loss, reason = "a thread lives for less than 2^52 nanoseconds of processor time")]
fn now() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subject_and_peer_take_turns_and_the_median_counts() {
        let mut values = [9.0, 1.0, 5.0, 3.0].into_iter();
        let duel = duel(3, move || values.next().unwrap(), || 2.0);
        assert!((duel.subject - 3.0).abs() < 1e-9 && (duel.peer - 2.0).abs() < 1e-9);
        assert!(Row::at_most("a", "ms", "b", duel, 1.5).goal_met);
        assert!(!Row::at_least("a", "ms", "b", duel, 1.6).goal_met);
    }
}

//! What was tried, and what happened.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One message in one state.
#[derive(Clone, Debug)]
pub struct Row {
    /// Who sent it: `stranger`, `guest` or `server`.
    pub attacker: &'static str,
    /// The state of the attacker's connection, or of the client that a hostile server attacks.
    pub state: &'static str,
    /// The message.
    pub message: String,
    /// The kinds of the message.
    pub kinds: Vec<&'static str>,
    /// What happened.
    pub outcome: String,
    /// Whether the attack succeeded: a member was disconnected, misled or wrongly admitted, or a program crashed.
    pub success: bool,
}

/// A measurement or an observation with a limit.
#[derive(Clone, Debug)]
pub struct Check {
    /// What was measured.
    pub what: String,
    /// The value, with its unit.
    pub value: String,
    /// Whether it is within its limit.
    pub passed: bool,
}

/// All rows and checks.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The messages.
    pub rows: Vec<Row>,
    /// The measurements.
    pub checks: Vec<Check>,
}

impl Report {
    /// Adds a check.
    pub fn check(&mut self, what: impl Into<String>, value: impl Into<String>, passed: bool) {
        self.checks.push(Check { what: what.into(), value: value.into(), passed });
    }

    /// Returns how many attacks succeeded.
    pub fn successes(&self) -> usize {
        self.rows.iter().filter(|row| row.success).count()
    }

    /// Returns whether no attack succeeded, and each check passed.
    pub fn passed(&self) -> bool {
        self.successes() == 0 && self.checks.iter().all(|check| check.passed)
    }

    /// Returns a table: what each attacker tried in each state, and what happened how often; then the attacks that
    /// succeeded, and the checks.
    pub fn table(&self) -> String {
        let mut groups: BTreeMap<(&str, &str), Vec<&Row>> = BTreeMap::new();
        for row in &self.rows {
            groups.entry((row.attacker, row.state)).or_default().push(row);
        }
        let mut lines =
            vec![format!("{:<14}{:<16}{:>6}{:>11}  what happened", "attacker", "state", "tried", "successes")];
        for ((attacker, state), rows) in groups {
            let successes = rows.iter().filter(|row| row.success).count();
            lines.push(format!("{attacker:<14}{state:<16}{:>6}{successes:>11}  {}", rows.len(), outcomes(&rows)));
        }
        for row in self.rows.iter().filter(|row| row.success) {
            lines.push(format!("SUCCESS: {} {}: {}: {}", row.attacker, row.state, row.message, row.outcome));
        }
        lines.push(String::new());
        for Check { what, value, passed } in &self.checks {
            lines.push(format!("{:<7}{what}: {value}", if *passed { "ok" } else { "FAILED" }));
        }
        let tried = self.rows.len();
        lines.push(format!("\n{tried} messages tried, {} attacks succeeded", self.successes()));
        lines.join("\n")
    }

    /// Returns everything as JSON.
    pub fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let Row { attacker, state, message, outcome, success, .. } = row;
            json!({"attacker": attacker, "state": state, "message": message, "outcome": outcome, "success": success})
        });
        let checks = self
            .checks
            .iter()
            .map(|Check { what, value, passed }| json!({"what": what, "value": value, "passed": passed}));
        json!({
            "rows": rows.collect::<Vec<_>>(),
            "checks": checks.collect::<Vec<_>>(),
            "tried": self.rows.len(),
            "successes": self.successes(),
            "passed": self.passed(),
        })
    }
}

/// Returns how often each outcome happened, the most frequent first.
fn outcomes(rows: &[&Row]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        // Details follow a colon.
        *counts.entry(row.outcome.split(':').next().unwrap_or_default()).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(state: &'static str, outcome: &str, success: bool) -> Row {
        let (message, kinds, outcome) = ("Up::Leave".to_owned(), vec!["Up::Leave"], outcome.to_owned());
        Row { attacker: "guest", state, message, kinds, outcome, success }
    }

    #[test]
    fn a_success_or_a_failed_check_fails_the_report() {
        let mut report = Report { rows: vec![row("member", "ignored", false)], checks: Vec::new() };
        report.check("memory", "3 MiB", true);
        assert!(report.passed());
        let failed = Report { rows: vec![row("member", "admitted", true)], ..report.clone() };
        assert!(!failed.passed() && failed.table().contains("SUCCESS: guest member: Up::Leave: admitted"));
        report.check("pictures", "3 a second", false);
        assert!(!report.passed() && report.table().contains("FAILED pictures: 3 a second"));
        assert_eq!(report.json()["passed"], false);
    }
}

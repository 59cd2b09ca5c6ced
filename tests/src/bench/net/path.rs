//! The paths that are measured, and the limits of their figures.

use super::call::ExtraProgram;
use super::figures::{CallFigures, to_f64};
use crate::bench::row::median;
use crate::netlab::{NetworkSpec, SpecError};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// A network path and its limits.
#[derive(Clone, Debug)]
pub struct NetworkPath {
    /// The number of the row in docs/performance.md; `-` if it is none of them.
    pub row: Cow<'static, str>,
    /// What the links do.
    pub spec: Cow<'static, str>,
    limits: Vec<Limit>,
    /// The length of a call for which the limits hold, if it is longer than the usual one.
    min_length: Duration,
    /// What else runs during the call.
    pub extra: Option<ExtraProgram>,
}

/// A figure and its limit.
#[derive(Clone, Copy, Debug)]
struct Limit {
    name: &'static str,
    unit: &'static str,
    /// Returns `None` if the figure could not be measured, which misses the goal.
    figure: fn(&CallFigures) -> Option<f64>,
    bound: Bound,
}

#[derive(Clone, Copy, Debug)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// A figure compared with its limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// What was measured.
    pub name: &'static str,
    /// The median of the runs. `None` if a run could not measure it.
    pub value: Option<f64>,
    /// The unit of the value and of the limit.
    pub unit: &'static str,
    /// The limit.
    pub limit: f64,
    /// `value / limit`. `None` if there is no value, or if the limit is 0.
    pub ratio: Option<f64>,
    /// The goal for the value, such as `<= 250`.
    pub goal: String,
    /// Whether the value meets the goal.
    pub goal_met: bool,
}

impl NetworkPath {
    /// Returns a path without limits of its figures.
    ///
    /// # Errors
    /// Returns an error if `spec` does not describe links.
    pub fn new(spec: &str) -> Result<Self, SpecError> {
        spec.parse::<NetworkSpec>()?;
        Ok(Self {
            row: "-".into(),
            spec: spec.to_owned().into(),
            limits: Vec::new(),
            min_length: Duration::ZERO,
            extra: None,
        })
    }

    /// Returns the length of a call: `usual`, that of the path's limits if it is longer, or 20 s after the last change of the path
    /// if that is later.
    pub fn length(&self, usual: Duration) -> Duration {
        let spec: NetworkSpec = self.spec.parse().unwrap_or_default();
        let last = spec.changes.last().map(|change| change.at).filter(|at| !at.is_zero());
        let usual = usual.max(self.min_length);
        last.map_or(usual, |last| usual.max(last + AFTER_LAST_CHANGE))
    }

    /// Returns true if the quality of the pictures is compared with Chromium's, too: rows 2 to 6, whose rates are limited.
    pub fn has_picture_quality(&self) -> bool {
        self.row.parse().is_ok_and(|row: u32| (2..=6).contains(&row))
    }

    fn of(row: u32, spec: &'static str, limits: Vec<Limit>, extra: Option<ExtraProgram>) -> Self {
        let min_length = match row {
            9 => Duration::from_mins(1),
            13 => Duration::from_secs(30),
            _ => Duration::ZERO,
        };
        Self { row: row.to_string().into(), spec: spec.into(), limits, min_length, extra }
    }

    /// Returns true if the call is compared with one between two Chromium: rows 1 to 10, and paths of no row.
    pub fn has_chromium(&self) -> bool {
        self.row.parse().map_or(true, |row: u32| row <= 10)
    }

    /// Returns a name for a folder.
    pub fn file_name(&self) -> String {
        let safe = |sign: char| if sign.is_ascii_alphanumeric() || ".=-".contains(sign) { sign } else { '_' };
        let extra = match self.extra {
            None => "",
            Some(ExtraProgram::TurnServer) => "-turn",
            Some(ExtraProgram::TcpFlow) => "-tcp",
        };
        format!("{}-{}{extra}", self.row, self.spec).chars().map(safe).collect()
    }

    /// Compares the medians of the runs with the limits.
    pub fn goals(&self, runs: &[CallFigures]) -> Vec<Verdict> {
        self.limits.iter().map(|limit| limit.compare(runs)).collect()
    }
}

impl Limit {
    fn compare(&self, runs: &[CallFigures]) -> Verdict {
        let figure = |run: &CallFigures| if run.failed.is_none() { (self.figure)(run) } else { None };
        let values: Option<Vec<f64>> = runs.iter().map(figure).collect();
        let value = values.filter(|values| !values.is_empty()).map(median);
        let (limit, sign) = match self.bound {
            Bound::AtMost(limit) => (limit, "<="),
            Bound::AtLeast(limit) => (limit, ">="),
        };
        let met = |value: f64| match self.bound {
            Bound::AtMost(limit) => value <= limit,
            Bound::AtLeast(limit) => value >= limit,
        };
        let round = |value: f64| (value * 1_000.0).round() / 1_000.0;
        Verdict {
            name: self.name,
            value: value.map(round),
            unit: self.unit,
            limit,
            ratio: value.filter(|_| limit > 0.0).map(|value| round(value / limit)),
            goal: format!("{sign} {limit}"),
            goal_met: value.is_some_and(met),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.goal_met { "met" } else { "MISSED" };
        let value = self.value.map_or_else(|| "none".to_owned(), |value| value.to_string());
        write!(to, "{:<34} {value:>9} {:<3} goal {:<9} {verdict}", self.name, self.unit, self.goal)
    }
}

/// Returns all paths.
pub fn all() -> Vec<NetworkPath> {
    (1..=13).chain([16]).flat_map(of_row).collect()
}

/// Returns the paths of a row. The list is empty if the row is not measured here.
pub fn of_row(number: u32) -> Vec<NetworkPath> {
    let paths: Vec<(&'static str, Vec<Limit>)> = match number {
        1 => vec![("free", vec![moving(1.0), after_720_lines(1_500.0), first_picture(250.0)])],
        2 => vec![(
            "down=1500k",
            vec![moving(1.0), after_540_lines(4_000.0), sound(0.2), at_most("latency, median", "ms", latency, 80.0)],
        )],
        3 => ["down=800k", "down=500k"].map(|spec| (spec, limits_of_500k())).into(),
        4 => vec![("down=300k", limits_of_300k())],
        5 => vec![("down=150k", limits_of_150k())],
        6 => vec![("up=800k", limits_of_500k()), ("up=300k", limits_of_300k())],
        7 => vec![("down=10M,300k@40s,10M@55s", limits_of_a_drop())],
        8 => [
            ("loss=2%", 0.1),
            ("loss=5%", 0.3),
            ("loss=10%", 1.0),
            ("loss=2% delay=40ms", 0.1),
            ("loss=5% delay=40ms", 0.3),
            ("loss=10% delay=40ms", 1.0),
        ]
        .map(|(spec, max_concealed)| (spec, limits_of_loss(max_concealed)))
        .into(),
        9 => vec![("burst=5%x3-8 delay=40ms", vec![freezes(2.0), sound(1.0)])],
        10 => [("loss=30%", 26.0 / 30.0), ("loss=30% down=1M", 24.0 / 30.0)]
            .map(|(spec, share)| {
                let latency = at_most("latency, 95th percentile", "ms", |of| of.latency_p95_ms.map(to_f64), 500.0);
                (spec, vec![moving(share), freezes(10.0), latency, sound(4.0), intelligible()])
            })
            .into(),
        11 => vec![("loss=20% down=150k", vec![intelligible()])],
        12 => vec![("delay=60ms jitter=30ms reorder=2%", limits_of_loss(0.1))],
        13 => vec![("down=2M", limits_beside_a_flow())],
        // No UDP at all. Media take the tunnel on the server's TCP port; on the second path, TURN over TLS.
        16 => vec![("loss=100%", vec![moving(26.0 / 30.0), first_picture_over_tls(4_000.0)])],
        _ => Vec::new(),
    };
    let extra = (number == 13).then_some(ExtraProgram::TcpFlow);
    let mut paths: Vec<_> =
        paths.into_iter().map(|(spec, limits)| NetworkPath::of(number, spec, limits, extra)).collect();
    if number == 16 {
        let limits = vec![moving(26.0 / 30.0), first_picture_over_turn(4_000.0)];
        paths.push(NetworkPath::of(number, "loss=100%", limits, Some(ExtraProgram::TurnServer)));
    }
    paths
}

fn limits_of_a_drop() -> Vec<Limit> {
    let still = |of: &CallFigures| of.change.as_ref().map(|it| to_f64(it.still_ms));
    let concealed = |of: &CallFigures| of.change.as_ref().map(|it| to_f64(it.concealed_ms));
    vec![
        at_most("longest still after the drop", "ms", still, 1_500.0),
        at_most("sound concealed in a second of the drop", "ms", concealed, 60.0),
        at_most("80 % regained after the rise", "s", |of| of.change.as_ref()?.regained_s, 5.0),
    ]
}

fn limits_of_loss(max_concealed: f64) -> Vec<Limit> {
    vec![moving(1.0), freezes(0.0), sound(max_concealed)]
}

fn limits_of_500k() -> Vec<Limit> {
    let height = at_least("lines, median of the seconds", "", |of| of.median_height.map(|it| to_f64(it.into())), 360.0);
    vec![moving(1.0), height, frame_rate(24.0), sound(0.3)]
}

fn limits_of_300k() -> Vec<Limit> {
    vec![moving(1.0), frame_rate(15.0), sound(0.5)]
}

fn limits_of_150k() -> Vec<Limit> {
    vec![moving(1.0), frame_rate(12.0), sound(1.0)]
}

/// The queue of the path takes 200 ms, and the TCP connection fills it.
fn limits_beside_a_flow() -> Vec<Limit> {
    let share = |name, figure, min| at_least(name, "", figure, min);
    let spread = |of: &CallFigures| Some(to_f64(of.latency_p95_ms?.saturating_sub(of.latency_p50_ms?)));
    vec![
        share("share of the TCP connection", |of| of.competing.as_ref().map(|flow| flow.tcp_share), 0.4),
        share("share of the call", |of| of.competing.as_ref().map(|flow| flow.call_share), 0.3),
        at_most("latency, 95th percentile", "ms", |of| of.latency_p95_ms.map(to_f64), 300.0),
        at_most("latency, 95th percentile - median", "ms", spread, 100.0),
    ]
}

fn intelligible() -> Limit {
    at_least("STOI of the played sound", "", |of| of.stoi, 0.85)
}

fn moving(share: f64) -> Limit {
    at_least("share of moving seconds", "", |of| Some(to_f64(of.moving) / to_f64(of.seconds.max(1))), share)
}

fn frame_rate(min: f64) -> Limit {
    at_least("shown pictures a second", "", |of| Some(of.frames_per_second), min)
}

fn first_picture(max: f64) -> Limit {
    at_most("first picture after joining", "ms", |of| of.first_picture_ms.map(to_f64), max)
}

fn first_picture_over_tls(max: f64) -> Limit {
    at_most("first picture over TLS", "ms", |of| first_picture_by("tls", of), max)
}

fn first_picture_over_turn(max: f64) -> Limit {
    at_most("first picture over TURN", "ms", |of| first_picture_by("relay", of), max)
}

/// Returns the time from the command to the first picture in milliseconds, if media take this path.
fn first_picture_by(path: &str, of: &CallFigures) -> Option<f64> {
    let took = to_f64(of.join_ms? + of.first_picture_ms?);
    (of.media_path.as_deref() == Some(path)).then_some(took)
}

fn after_540_lines(max: f64) -> Limit {
    at_most("540 lines after joining", "ms", |of| of.height_after_ms(540).map(to_f64), max)
}

fn after_720_lines(max: f64) -> Limit {
    at_most("720 lines after joining", "ms", |of| of.height_after_ms(720).map(to_f64), max)
}

/// Freezes are not measured if no picture was shown.
fn freezes(max: f64) -> Limit {
    at_most("freezes", "", |of| of.first_picture_ms.map(|_| to_f64(of.freezes)), max)
}

fn sound(max: f64) -> Limit {
    at_most("sound concealed", "%", |of| of.concealed_percent, max)
}

fn latency(of: &CallFigures) -> Option<f64> {
    of.latency_p50_ms.map(to_f64)
}

fn at_most(name: &'static str, unit: &'static str, figure: fn(&CallFigures) -> Option<f64>, limit: f64) -> Limit {
    Limit { name, unit, figure, bound: Bound::AtMost(limit) }
}

fn at_least(name: &'static str, unit: &'static str, figure: fn(&CallFigures) -> Option<f64>, limit: f64) -> Limit {
    Limit { name, unit, figure, bound: Bound::AtLeast(limit) }
}

/// How long a call goes on after the last change, so that it can recover.
const AFTER_LAST_CHANGE: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_can_be_set_up_and_has_limits() {
        for path in all() {
            assert!(path.spec.parse::<NetworkSpec>().is_ok() && !path.limits.is_empty(), "{path:?}");
        }
    }

    #[test]
    fn the_first_ten_rows_are_compared_with_chromium() {
        let compared = |row| of_row(row).iter().all(NetworkPath::has_chromium);
        assert!(compared(1) && compared(10) && !compared(11) && !compared(16));
        let quality = |row| of_row(row).iter().all(NetworkPath::has_picture_quality);
        assert!(quality(2) && quality(6) && !quality(1) && !quality(7));
    }

    #[test]
    fn a_call_is_longer_than_the_schedule_of_its_path() {
        let length = |spec: &str| NetworkPath::new(spec).unwrap().length(Duration::from_secs(30)).as_secs();
        assert_eq!(of_row(9)[0].length(Duration::from_secs(30)).as_secs(), 60);
        assert_eq!((length("down=1M"), length("down=1M,2M@5s"), length("down=1M,2M@55s")), (30, 30, 75));
    }

    #[test]
    fn the_median_of_the_runs_meets_or_misses_a_goal() {
        let shown = CallFigures { first_picture_ms: Some(100), ..CallFigures::default() };
        let runs = [9, 0, 1].map(|freezes| CallFigures { freezes, ..shown.clone() });
        let goal = freezes(0.0).compare(&runs);
        assert_eq!((goal.value, goal.ratio, goal.goal_met), (Some(1.0), None, false));
        assert!(freezes(1.0).compare(&runs).goal_met);
        let goal = first_picture(250.0).compare(&[shown]);
        assert_eq!((goal.value, goal.ratio, goal.goal_met), (Some(100.0), Some(0.4), true));
    }

    #[test]
    fn a_figure_that_could_not_be_measured_misses_its_goal() {
        let goal = first_picture(250.0).compare(&[CallFigures::default()]);
        assert_eq!((goal.value, goal.goal_met), (None, false));
        assert!(!freezes(10.0).compare(&[CallFigures::default()]).goal_met, "no picture was shown");
        let shown = CallFigures { first_picture_ms: Some(100), ..CallFigures::default() };
        let failed = CallFigures { failed: Some("no server".into()), ..shown.clone() };
        let goal = freezes(10.0).compare(&[shown, failed]);
        assert_eq!((goal.value, goal.goal_met), (None, false));
    }
}

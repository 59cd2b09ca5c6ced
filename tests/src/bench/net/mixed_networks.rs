//! A meeting in which each client has another path: nobody's path must hurt the others (row 17).
//!
//! Two clients have a free path, a camera of 720 lines and a voice, and show everybody. Seven guests have narrow or lossy paths and a
//! small camera, and show the organiser as large as their path allows: nine cameras of 720 lines would need more than two cores. The
//! same meeting is held twice, first with free paths for all, so that a machine that is too slow is not taken for a bad network.

use super::call::{BenchClient, BenchFiles, Call, RECEIVER, SENDER};
use super::figures::{SecondFigures, per_second, processor_time, round, to_f64, used};
use super::running_meeting::RunningMeeting;
use crate::bench::wait;
use crate::netlab::{NetworkSpec, SpecError};
use anyhow::Result;
use engine::report::Report;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// The two meetings.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MixedNetworksFigures {
    /// Why a meeting could not be held. The other figures mean nothing then.
    pub failed: Option<String>,
    /// The meeting in which all paths are free.
    pub free: MeetingFigures,
    /// The meeting in which the guests have other paths.
    pub impaired: MeetingFigures,
}

/// What was shown in one meeting.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MeetingFigures {
    /// What the two clients with a free path show of each other.
    pub between_free: Vec<ShownFigures>,
    /// What each guest shows of the organiser.
    pub by_guests: Vec<ShownFigures>,
    /// The processor time of the whole machine, in percent of all cores.
    pub processor_percent: Option<f64>,
}

/// The pictures of one client that another one shows, in the last seconds of the meeting.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ShownFigures {
    /// The path of the client that shows them.
    pub path: String,
    /// Shown pictures a second.
    pub frames_per_second: f64,
    /// The seconds with pictures of 720 lines, and all seconds.
    pub large: (usize, usize),
    /// The median of the lines of the newest pictures.
    pub lines: u16,
    /// The longest time without a new picture.
    pub longest_gap_ms: u64,
}

impl MixedNetworksFigures {
    /// Holds both meetings. Each is measured for `length`.
    ///
    /// # Errors
    /// Returns a [`crate::netlab::Error`] if there is no network, or another error if a program does not start, fails, or does
    /// not end in time.
    pub fn measure(files: BenchFiles<'_>, length: Duration) -> Result<Self> {
        let free = MeetingFigures::measure(files, &["free"; GUESTS], "free", length)?;
        let impaired = MeetingFigures::measure(files, &PATHS, "impaired", length)?;
        Ok(Self { failed: None, free, impaired })
    }

    /// Returns figures for a meeting that could not be held.
    pub fn failure(error: &anyhow::Error) -> Self {
        Self { failed: Some(format!("{error:#}")), ..Self::default() }
    }

    /// Returns true if the free clients show each other with 720 lines in all seconds, and at a rate that is high enough.
    pub fn is_met(&self) -> bool {
        let shown = |shown: &ShownFigures| shown.frames_per_second >= MIN_RATE && shown.large.0 == shown.large.1;
        self.failed.is_none() && self.impaired.between_free.len() == 2 && self.impaired.between_free.iter().all(shown)
    }
}

impl MeetingFigures {
    fn measure(files: BenchFiles<'_>, paths: &[&str; GUESTS], name: &str, length: Duration) -> Result<Self> {
        let mut spec = NetworkSpec::default();
        paths.iter().try_for_each(|path| {
            spec.add_guest(&path.parse()?);
            Ok::<_, SpecError>(())
        })?;
        let (programs, clip, out) = (files.programs.to_owned(), files.clip.to_owned(), files.out.join(name));
        let call = Call { spec, length, out, ..Call::new(programs, clip) };
        let mut meeting = RunningMeeting::start(&call, SENDER, &[])?;
        for number in 0..u8::try_from(GUESTS)? {
            meeting.join(BenchClient::guest(number, None, files.small_clip), &["--layout", "one"])?;
        }
        meeting.join(RECEIVER, &[])?;
        wait(SETTLING_TIME);
        let processor = processor_time();
        wait(length);
        let processor = used(processor, processor_time());
        let reports = meeting.end()?;
        let seconds = usize::try_from(length.as_secs())?;
        let shown =
            |report: &Report, from: &BenchClient, path: &str| ShownFigures::new(report, from.name, path, seconds);
        let (Some(organiser), Some(last)) = (reports.first(), reports.last()) else { return Ok(Self::default()) };
        let guests = reports.iter().skip(1).zip(paths);
        Ok(Self {
            between_free: vec![shown(organiser, &RECEIVER, "free"), shown(last, &SENDER, "free")],
            by_guests: guests.map(|(report, path)| shown(report, &SENDER, path)).collect(),
            processor_percent: processor.map(|share| round(100.0 * share)),
        })
    }
}

impl ShownFigures {
    /// Returns what was shown of the participant `from` in the last `seconds`.
    fn new(report: &Report, from: &str, path: &str, seconds: usize) -> Self {
        let timeline = report.participants.first().map_or(&[][..], |participant| &participant.timeline);
        // The clients leave at the same time.
        let mut shown = per_second(timeline.iter(), from);
        shown.drain(..shown.len().saturating_sub(seconds));
        let mut lines: Vec<u16> = shown.iter().map(SecondFigures::new_lines).collect();
        lines.sort_unstable();
        let rates = shown.iter().map(|second| second.frames_per_second).sum::<f64>();
        Self {
            path: path.to_owned(),
            frames_per_second: round(rates / to_f64(shown.len().max(1) as u64)),
            large: (lines.iter().filter(|lines| **lines >= LARGE_LINES).count(), seconds),
            lines: lines.get(lines.len() / 2).copied().unwrap_or(0),
            longest_gap_ms: shown.iter().map(|second| second.longest_gap_ms).max().unwrap_or(0),
        }
    }
}

impl fmt::Display for MixedNetworksFigures {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(failed) = &self.failed {
            return write!(to, "17   nine clients on nine paths  FAILED: {failed}");
        }
        writeln!(to, "17   all paths free: {}", self.free)?;
        writeln!(to, "17   other paths for seven: {}", self.impaired)?;
        let verdict = if self.is_met() { "met" } else { "MISSED" };
        write!(to, "     goal: the free ones show each other with 720 lines and >= {MIN_RATE} a second  {verdict}")
    }
}

impl fmt::Display for MeetingFigures {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.processor_percent.map_or_else(|| "-".to_owned(), |percent| percent.to_string());
        let (free, guests) = (Shown(&self.between_free), Shown(&self.by_guests));
        write!(to, "the free ones show each other: {free}; the guests the organiser: {guests}; cpu {percent} %")
    }
}

struct Shown<'a>(&'a [ShownFigures]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, shown) in self.0.iter().enumerate() {
            let ShownFigures { path, frames_per_second, large, lines, longest_gap_ms } = shown;
            let separator = if number == 0 { "" } else { "; " };
            write!(
                to,
                "{separator}[{path}] {frames_per_second}/s, {lines} lines, 720 in {}/{} s, gap {longest_gap_ms} ms",
                large.0, large.1
            )?;
        }
        Ok(())
    }
}

/// The paths of the guests.
const PATHS: [&str; GUESTS] =
    ["down=1500k", "down=500k", "down=300k", "down=150k", "loss=5%", "loss=10% delay=40ms", "loss=30%"];

const GUESTS: usize = 7;

/// The goal.
const MIN_RATE: f64 = 28.0;
const LARGE_LINES: u16 = 720;

/// How long the meeting lasts before it is measured.
const SETTLING_TIME: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests {
    use super::*;
    use engine::report::Participant as Reporter;
    use engine::timeline::{Second, VideoStats};

    fn report(from: &str, seconds: &[(u64, u16)]) -> Report {
        let second = |(number, (shown, lines)): (u64, &(u64, u16))| {
            let (from, track, size) = (from.to_owned(), "camera".to_owned(), Some((lines / 9 * 16, *lines)));
            let video = VideoStats { from, track, shown: *shown, size, ..VideoStats::default() };
            Second { at_ms: 1_000 * (number + 1), video: vec![video], ..Second::default() }
        };
        let timeline = (0..).zip(seconds).map(second).collect();
        Report { participants: vec![Reporter { timeline, ..Reporter::default() }], ..Report::default() }
    }

    #[test]
    fn the_last_seconds_count() {
        let report = report("sender", &[(0, 0), (9, 180), (30, 720), (28, 360), (29, 720)]);
        let shown = ShownFigures::new(&report, "sender", "free", 3);
        assert_eq!((shown.frames_per_second, shown.large, shown.lines), (29.0, (2, 3), 720));
        assert_eq!(ShownFigures::new(&report, "nobody", "free", 3).large, (0, 3));
    }

    #[test]
    fn both_free_clients_must_show_720_lines_at_28_pictures_a_second() {
        let meeting = |rates: [f64; 2], large| MeetingFigures {
            between_free: rates
                .map(|frames_per_second| ShownFigures { frames_per_second, large, ..ShownFigures::default() })
                .into(),
            ..MeetingFigures::default()
        };
        let is_met = |impaired| MixedNetworksFigures { impaired, ..MixedNetworksFigures::default() }.is_met();
        assert!(is_met(meeting([28.0, 30.0], (20, 20))));
        assert!(!is_met(meeting([28.0, 27.9], (20, 20))) && !is_met(meeting([30.0, 30.0], (19, 20))));
        assert!(!is_met(MeetingFigures::default()));
    }
}

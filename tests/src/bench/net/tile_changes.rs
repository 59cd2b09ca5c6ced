//! What a viewer receives as its tiles change: nine tiles, then one large one, then a hidden window (row 14).
//!
//! Nine clients send a camera. The receiver has no window: it requests what a window would (`--layout`).

use super::call::{BenchClient, Call, RECEIVER, SENDER};
use super::figures::kbps;
use super::running::{OutputFolder, RunningProgram};
use crate::bench::wait;
use crate::netlab::{Netlab, Participant};
use anyhow::{Context, Result};
use engine::report::Report;
use engine::timeline::Second;
use serde::Serialize;
use std::fmt;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// What the receiver received. Times count from the change of its tiles. Rates include sound and all headers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TileChangeFigures {
    /// Why the call could not be held. The other figures mean nothing then.
    pub failed: Option<String>,
    /// The rate in the last seconds in which nine tiles were shown.
    pub nine_kbps: u64,
    /// The same with one large tile.
    pub one_kbps: u64,
    /// The same with a hidden window.
    pub hidden_kbps: u64,
    /// The time from nine tiles to one until the rate is that of one tile. `None` if it stays higher.
    pub one_after_ms: Option<u64>,
    /// The time from one tile to none until the rate is that of a hidden window. `None` if it stays higher.
    pub hidden_after_ms: Option<u64>,
    /// The bytes of pictures that arrived later than two seconds after the window was hidden.
    pub video_bytes_after_2_s: u64,
    /// The pictures that all senders together encoded later than three seconds after the window was hidden.
    pub encoded_after_3_s: u64,
    /// The pictures that the receiver showed in each second, of all tracks.
    pub pictures: Vec<u64>,
}

/// The bytes that had arrived at a time after the receiver was admitted.
type Reading = (Duration, u64);

impl TileChangeFigures {
    /// Holds the call, and returns what was measured.
    ///
    /// # Errors
    /// Returns a [`crate::netlab::Error`] if there is no network, or another error if a program does not start, fails, or does
    /// not end in time.
    pub fn measure(programs: &Path, clip: &Path, out: &Path) -> Result<Self> {
        let (programs, clip, out) = (programs.to_owned(), clip.to_owned(), out.to_owned());
        let call = Call { length: LENGTH, out, ..Call::new(programs, clip) };
        let folder = OutputFolder::new(Some(&call.out))?;
        // Declared before the programs, so that it is dropped after them.
        let lab = Netlab::new(&call.spec)?;
        let (_server, organiser, link) = call.start_meeting(&lab, &folder, &[], &SENDER, &["--layout", "hidden"])?;
        let mut senders = vec![organiser];
        for sender in &OTHERS {
            let join = ["join", &link, "--layout", "hidden"];
            senders.push(call.start_client(&lab, &folder, sender, &join)?);
        }
        senders.iter().skip(1).try_for_each(|sender| sender.first_line().map(drop))?;
        wait(SETTLING_TIME);
        let layout = format!("grid,one@{},hidden@{}", ONE_AT.as_secs(), HIDDEN_AT.as_secs());
        // One second more, because the last second of the timeline must be over.
        let seconds = (LENGTH.as_secs() + 1).to_string();
        let join = ["join", &link, "--for", &seconds, "--layout", &layout];
        let receiver = call.start_client(&lab, &folder, &RECEIVER, &join)?;
        receiver.first_line()?;
        let readings = read(&lab, Instant::now())?;
        receiver.end(JOIN_TIMEOUT)?;
        senders.iter().for_each(RunningProgram::interrupt);
        senders.into_iter().try_for_each(|sender| sender.end(END_TIMEOUT))?;
        let report = |client: &BenchClient| -> Result<Report> {
            let report = fs::read(folder.file(&client.report()))?;
            serde_json::from_slice(&report).with_context(|| format!("the report of {} cannot be read", client.name))
        };
        let sent = [SENDER].iter().chain(&OTHERS).map(report).collect::<Result<Vec<_>>>()?;
        Ok(Self::new(&readings, &report(&RECEIVER)?, &sent))
    }

    fn new(readings: &[Reading], receiver: &Report, senders: &[Report]) -> Self {
        let rate = |phase_end: Duration| rate(readings, phase_end.saturating_sub(STEADY_TIME), phase_end);
        let (nine_kbps, one_kbps, hidden_kbps) = (rate(ONE_AT), rate(HIDDEN_AT), rate(LENGTH));
        let timeline = timeline(receiver);
        let late = timeline.iter().filter(|second| begins(second) >= HIDDEN_AT + Duration::from_secs(2));
        // The senders were there before: their last seconds are those in which the window was hidden.
        let hidden_for = LENGTH.saturating_sub(HIDDEN_AT + Duration::from_secs(3)).as_secs();
        let last = usize::try_from(hidden_for).unwrap_or(0);
        let encoded = |report: &Report| -> u64 {
            let pictures = |second: &Second| -> u64 {
                second.sent.iter().filter(|sent| sent.track == "camera").map(|sent| sent.frames).sum()
            };
            self::timeline(report).iter().rev().take(last).map(pictures).sum()
        };
        Self {
            failed: None,
            nine_kbps,
            one_kbps,
            hidden_kbps,
            one_after_ms: settles_after(readings, ONE_AT, HIDDEN_AT, one_kbps),
            hidden_after_ms: settles_after(readings, HIDDEN_AT, LENGTH, hidden_kbps),
            video_bytes_after_2_s: late.flat_map(|second| &second.video).map(|video| video.bytes).sum(),
            encoded_after_3_s: senders.iter().map(encoded).sum(),
            pictures: timeline.iter().map(|second| second.video.iter().map(|video| video.shown).sum()).collect(),
        }
    }

    /// Returns figures for a call that could not be held.
    pub fn failure(error: &anyhow::Error) -> Self {
        Self { failed: Some(format!("{error:#}")), ..Self::default() }
    }

    /// Returns true if the rate falls to that of one tile within a second, and no picture arrives later than two seconds after the
    /// window was hidden.
    pub fn is_met(&self) -> bool {
        let falls = self.nine_kbps > self.one_kbps && self.one_kbps > self.hidden_kbps;
        self.failed.is_none()
            && falls
            && self.one_after_ms.is_some_and(|after| after <= 1_000)
            && self.video_bytes_after_2_s == 0
    }
}

impl fmt::Display for TileChangeFigures {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(failed) = &self.failed {
            return write!(to, "14   nine tiles, one, none  FAILED: {failed}");
        }
        let after = |time: Option<u64>| time.map_or_else(|| "never".to_owned(), |time| format!("{time} ms"));
        write!(
            to,
            "14   nine tiles: {} kbit/s; one: {} kbit/s after {} (goal 1 s); hidden: {} kbit/s after {}, {} bytes of \
             pictures after 2 s (goal 0), {} pictures encoded after 3 s  {}",
            self.nine_kbps,
            self.one_kbps,
            after(self.one_after_ms),
            self.hidden_kbps,
            after(self.hidden_after_ms),
            self.video_bytes_after_2_s,
            self.encoded_after_3_s,
            if self.is_met() { "met" } else { "MISSED" },
        )
    }
}

/// Reads the number of bytes that have arrived at the receiver until the end of the call. The receiver was admitted at `admitted`.
fn read(lab: &Netlab, admitted: Instant) -> Result<Vec<Reading>> {
    let mut readings = Vec::new();
    while admitted.elapsed() < LENGTH {
        wait(READ_INTERVAL);
        let bytes = lab.received_bytes(Participant::Receiver)?;
        readings.push((admitted.elapsed(), bytes));
    }
    Ok(readings)
}

/// Returns the rate between two times, in kbit/s.
fn rate(readings: &[Reading], from: Duration, to: Duration) -> u64 {
    let inside = || readings.iter().filter(|(at, _)| (from..=to).contains(at));
    let ends = inside().next().zip(inside().next_back());
    ends.map_or(0, |((first, before), (last, bytes))| kbps(bytes - before, last.saturating_sub(*first)))
}

/// Returns when the last [`WINDOW`] ends whose rate is more than a fifth above `steady`, counted from `change`. The rate falls
/// earlier than that by less than a window. `None` if that is less than a second before `end`.
fn settles_after(readings: &[Reading], change: Duration, end: Duration, steady: u64) -> Option<u64> {
    let after = readings.iter().filter(|(at, _)| *at >= change && *at <= end);
    let is_above = |(at, _): &&Reading| rate(readings, at.saturating_sub(WINDOW), *at) > steady * 6 / 5 + NOISE;
    let last = after.filter(is_above).map(|(at, _)| *at).next_back().unwrap_or(change);
    let settled = u64::try_from(last.saturating_sub(change).as_millis()).unwrap_or(u64::MAX);
    (last + Duration::from_secs(1) < end).then_some(settled)
}

fn timeline(report: &Report) -> &[Second] {
    report.participants.first().map_or(&[][..], |participant| &participant.timeline)
}

fn begins(second: &Second) -> Duration {
    Duration::from_millis(second.at_ms).saturating_sub(Duration::from_secs(1))
}

/// The senders besides the first one. They are muted.
const OTHERS: [BenchClient; 8] = [
    BenchClient::muted_sender("two"),
    BenchClient::muted_sender("three"),
    BenchClient::muted_sender("four"),
    BenchClient::muted_sender("five"),
    BenchClient::muted_sender("six"),
    BenchClient::muted_sender("seven"),
    BenchClient::muted_sender("eight"),
    BenchClient::muted_sender("nine"),
];

/// When the receiver shows one tile instead of nine, and when it hides its window.
const ONE_AT: Duration = Duration::from_secs(12);
const HIDDEN_AT: Duration = Duration::from_secs(22);

/// The length of the call.
const LENGTH: Duration = Duration::from_secs(30);

/// The last part of each layout, in which its rate is measured.
const STEADY_TIME: Duration = Duration::from_secs(4);

const READ_INTERVAL: Duration = Duration::from_millis(100);

/// The time over which the rate after a change is measured.
const WINDOW: Duration = Duration::from_millis(300);

/// By how much the rate of sound varies, in kbit/s.
const NOISE: u64 = 60;

/// How long the senders are in the meeting before the receiver joins.
const SETTLING_TIME: Duration = Duration::from_secs(2);

/// How long joining and leaving may take in addition to the call.
const JOIN_TIMEOUT: Duration = Duration::from_mins(1);
const END_TIMEOUT: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;
    use engine::report::Participant as Reporter;
    use engine::timeline::{SentLayerStats, VideoStats};

    /// Readings of a call with these rates in kbit/s, each from a time in milliseconds on.
    fn readings(rates: &[(u64, u64)]) -> Vec<Reading> {
        let mut bytes = 0;
        (1..=LENGTH.as_secs() * 10)
            .map(|tenth| {
                let rate = rates.iter().rev().find(|(from, _)| *from < tenth * 100).map_or(0, |(_, rate)| *rate);
                bytes += rate * 100 / 8;
                (Duration::from_millis(tenth * 100), bytes)
            })
            .collect()
    }

    fn report(seconds: impl Iterator<Item = (u64, u64)>) -> Report {
        let second = |(index, (bytes, frames)): (u64, (u64, u64))| {
            let video = VideoStats { bytes, shown: frames, ..VideoStats::default() };
            let sent = SentLayerStats { track: "camera".into(), frames, ..SentLayerStats::default() };
            Second { at_ms: (index + 1) * 1_000, video: vec![video], sent: vec![sent], ..Second::default() }
        };
        let timeline = (0..).zip(seconds).map(second).collect();
        Report { participants: vec![Reporter { timeline, ..Reporter::default() }], ..Report::default() }
    }

    #[test]
    fn a_change_takes_until_the_rate_has_fallen() {
        let quick = readings(&[(0, 4_000), (12_600, 1_500), (22_800, 40)]);
        let shown = |until: u64| report((0..30).map(move |second| if second < until { (9_000, 30) } else { (0, 0) }));
        let figures = TileChangeFigures::new(&quick, &shown(23), &[shown(24)]);
        assert_eq!((figures.nine_kbps, figures.one_kbps, figures.hidden_kbps), (4_000, 1_500, 40));
        assert!(figures.one_after_ms.is_some_and(|after| (600..=900).contains(&after)), "{figures:?}");
        assert_eq!((figures.video_bytes_after_2_s, figures.encoded_after_3_s), (0, 0));
        assert!(figures.is_met() && figures.to_string().ends_with("met"));
        let late =
            TileChangeFigures::new(&readings(&[(0, 4_000), (14_000, 1_500), (22_800, 40)]), &shown(23), &[shown(24)]);
        assert!(!late.is_met(), "{late:?}");
        let hidden = TileChangeFigures::new(&quick, &shown(26), &[shown(26)]);
        assert_eq!((hidden.video_bytes_after_2_s, hidden.encoded_after_3_s), (18_000, 30));
        assert!(!hidden.is_met());
        let never = TileChangeFigures::new(&readings(&[(0, 4_000), (22_800, 40)]), &shown(23), &[]);
        assert_eq!((never.one_after_ms, never.one_kbps), (Some(0), 4_000), "one tile needs as much as nine");
        assert!(!never.is_met());
    }
}

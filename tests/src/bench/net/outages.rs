//! Calls that are interrupted: the receiver's network interface is replaced, the server is killed and started again, the
//! receiver's process is stopped, UDP is cut off. Measures when pictures and sound of the sender move again, without a click.

use super::call::{Call, RECEIVER, SENDER};
use super::figures::round;
use super::running::{OutputFolder, RunningProgram};
use crate::bench::wait;
use crate::netlab::{Namespace, Netlab, NetworkSpec};
use anyhow::{Context, Result, bail};
use engine::report::Report;
use engine::timeline::Second;
use serde::Serialize;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// An interruption of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// The receiver's interface is removed, and another one with another address is added.
    Interface,
    /// An interface with another address is added, which the routes prefer, and the old one is removed a second later.
    Handover,
    /// The server is killed, and started again at the same address.
    Server,
    /// The receiver's process is stopped for this time, as by a computer that sleeps.
    Stopped(Duration),
    /// No UDP packet passes for this time.
    Udp(Duration),
}

/// The effects of an outage.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct OutageFigures {
    /// What happened.
    pub outage: String,
    /// Why the call could not be held. The other figures mean nothing then.
    pub failed: Option<String>,
    /// From the end of the outage to the next picture. `None` if the last seconds did not move.
    pub moving_again_ms: Option<u64>,
    /// From the end of the outage to the end of the first second with packets of the sender's voice.
    pub sound_again_s: Option<f64>,
    /// The longest time without a picture that ended in the seconds around the end of the outage.
    pub longest_gap_ms: u64,
    /// Speech that was concealed in these seconds.
    pub concealed_ms: u64,
    /// Key frames that were received in these seconds.
    pub key_frames: u64,
    /// Shown pictures of the sender in each second.
    pub pictures: Vec<u64>,
}

impl Outage {
    /// The outages of row 15. The process is stopped for `stop`.
    pub fn all(stop: Duration) -> [Self; 5] {
        [Self::Interface, Self::Handover, Self::Server, Self::Stopped(stop), Self::Udp(UDP_CUT)]
    }

    /// Returns the outage with this name.
    pub fn named(name: &str, stop: Duration) -> Option<Self> {
        Self::all(stop).into_iter().find(|outage| outage.file_name().strip_prefix("15-") == Some(name))
    }

    /// The time between the start and the end of the outage.
    fn length(self) -> Duration {
        match self {
            Self::Interface | Self::Handover | Self::Server => Duration::ZERO,
            Self::Stopped(length) | Self::Udp(length) => length,
        }
    }

    /// The goal for the next picture.
    fn limit(self) -> Duration {
        match self {
            Self::Interface | Self::Handover => Duration::from_secs(1),
            Self::Server | Self::Stopped(_) | Self::Udp(_) => Duration::from_secs(3),
        }
    }

    /// Returns a name for a folder.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Interface => "15-interface",
            Self::Handover => "15-handover",
            Self::Server => "15-server",
            Self::Stopped(_) => "15-stopped",
            Self::Udp(_) => "15-udp",
        }
    }

    /// Holds a call with this outage, and returns what the receiver measured.
    ///
    /// # Errors
    /// Returns a [`crate::netlab::Error`] if there is no network, or another error if a program does not start, fails, or does
    /// not end in time.
    pub fn measure(self, programs: &Path, clip: &Path, out: &Path) -> Result<OutageFigures> {
        let length = BEFORE + self.length() + AFTER;
        let call = Call { length, out: out.to_owned(), ..Call::new(programs.to_owned(), clip.to_owned()) };
        let folder = OutputFolder::new(Some(&call.out))?;
        // Declared before the programs, so that it is dropped after them.
        let lab = Netlab::new(&call.spec)?;
        let (mut server, sender, link) = call.start_meeting(&lab, &folder, &[], &SENDER, &[])?;
        let seconds = (length.as_secs() + 1).to_string();
        let receiver = call.start_client(&lab, &folder, &RECEIVER, &["join", &link, "--for", &seconds])?;
        let joined = Instant::now();
        wait(BEFORE);
        match self {
            Self::Interface => {
                remove_interface(&lab)?;
                add_interface(&lab)?;
            }
            Self::Handover => {
                add_interface(&lab)?;
                wait(HANDOVER);
                remove_interface(&lab)?;
            }
            Self::Server => {
                drop(server);
                server = call.start_server(&lab, &folder, "server-again", &[])?;
            }
            Self::Stopped(length) => {
                signal(&receiver, "STOP")?;
                wait(length);
                signal(&receiver, "CONT")?;
            }
            Self::Udp(length) => {
                apply(&lab, "loss=100%")?;
                wait(length);
                apply(&lab, "loss=0%")?;
            }
        }
        let ended = joined.elapsed();
        receiver.end(AFTER + END_TIMEOUT)?;
        sender.interrupt();
        sender.end(END_TIMEOUT)?;
        drop(server);
        let report = fs::read(folder.file(&RECEIVER.report()))?;
        let report: Report = serde_json::from_slice(&report).context("the receiver's report cannot be read")?;
        Ok(self.figures(&report, ended))
    }

    /// Returns the figures of a receiver that started `ended` before the end of the outage.
    fn figures(self, report: &Report, ended: Duration) -> OutageFigures {
        let receiver = report.participants.first();
        let timeline = receiver.map_or(&[][..], |receiver| &receiver.timeline);
        // The times of the timeline count from being admitted, `ended` from the start.
        let join = Duration::from_millis(receiver.and_then(|receiver| receiver.join_ms).unwrap_or(0));
        let end = |second: &Second| Duration::from_millis(second.at_ms) + join;
        let gaps =
            timeline.iter().filter(|second| end(second) > ended).map(|second| Duration::from_millis(gap(second)));
        // The outage is a part of the first gap. If old pictures are shown after it, a second gap follows.
        let lasts =
            |gap: Duration| if gap + TOLERANCE < self.length() { gap } else { gap.saturating_sub(self.length()) };
        let again = gaps.map(lasts).max();
        let pictures: Vec<u64> = timeline.iter().map(shown).collect();
        let moves =
            pictures.len() > SETTLED && pictures[pictures.len() - SETTLED..].iter().all(|shown| *shown >= MOVING);
        let speaks = |second: &Second| second.audio.iter().any(|voice| voice.from == SENDER.name && voice.received > 0);
        let heard = timeline.iter().find(|second| end(second) > ended + TOLERANCE && speaks(second));
        OutageFigures {
            outage: self.to_string(),
            failed: None,
            moving_again_ms: again.filter(|_| moves).and_then(|again| u64::try_from(again.as_millis()).ok()),
            sound_again_s: heard.map(|second| round(end(second).saturating_sub(ended).as_secs_f64())),
            longest_gap_ms: around(timeline, ended, join).map(gap).max().unwrap_or(0),
            concealed_ms: around(timeline, ended, join).map(concealed).sum(),
            key_frames: around(timeline, ended, join).map(key_frames).sum(),
            pictures,
        }
    }

    /// Returns figures for a call that could not be held.
    pub fn failure(self, error: &anyhow::Error) -> OutageFigures {
        OutageFigures { outage: self.to_string(), failed: Some(format!("{error:#}")), ..OutageFigures::default() }
    }

    /// Returns whether a picture came in time.
    pub fn is_met(self, figures: &OutageFigures) -> bool {
        figures.moving_again_ms.is_some_and(|again| Duration::from_millis(again) <= self.limit())
    }

    /// Returns one line with the figures.
    pub fn line(self, figures: &OutageFigures) -> String {
        if let Some(failed) = &figures.failed {
            return format!("15   {self:<34} FAILED: {failed}");
        }
        let again = figures.moving_again_ms.map_or_else(|| "never".to_owned(), |again| format!("{again} ms"));
        let sound = figures.sound_again_s.map_or_else(|| "never".to_owned(), |again| format!("{again} s"));
        let verdict = if self.is_met(figures) { "met" } else { "MISSED" };
        let limit = self.limit().as_secs();
        let OutageFigures { longest_gap_ms, concealed_ms, key_frames, .. } = figures;
        format!(
            "15   {self:<34} moving again after {again}, sound in the second that ends after {sound}; goal {limit} s {verdict}; \
             longest gap {longest_gap_ms} ms, {concealed_ms} ms of speech concealed, {key_frames} key frames"
        )
    }
}

impl fmt::Display for Outage {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Interface => "interface replaced".to_owned(),
            Self::Handover => "interface added, old one removed".to_owned(),
            Self::Server => "server killed and started again".to_owned(),
            Self::Stopped(length) => format!("process stopped for {} s", length.as_secs()),
            Self::Udp(length) => format!("UDP cut off for {} s", length.as_secs()),
        };
        to.pad(&text)
    }
}

/// Removes the receiver's interface.
fn remove_interface(lab: &Netlab) -> Result<()> {
    run("ip", &["-n", lab.name(Namespace::Receiver), "link", "del", "server"])
}

/// Adds an interface to the receiver, with an address in another network. The default route leads there.
fn add_interface(lab: &Netlab) -> Result<()> {
    let (receiver, server) = (lab.name(Namespace::Receiver), lab.name(Namespace::Server));
    let veth = ["type", "veth", "peer", "name", "receiver2", "netns", server];
    for arguments in [
        &[&["link", "add", "second", "netns", receiver][..], &veth].concat()[..],
        &["-n", server, "addr", "add", "10.77.3.1/24", "dev", "receiver2"],
        &["-n", server, "link", "set", "receiver2", "up"],
        &["-n", receiver, "addr", "add", "10.77.3.2/24", "dev", "second"],
        &["-n", receiver, "link", "set", "second", "up"],
        &["-n", receiver, "route", "replace", "default", "via", "10.77.3.1"],
    ] {
        run("ip", arguments)?;
    }
    Ok(())
}

/// Applies the settings of the receiver's link now.
fn apply(lab: &Netlab, spec: &str) -> Result<()> {
    let spec: NetworkSpec = spec.parse()?;
    Ok(spec.changes.iter().try_for_each(|change| lab.apply(change))?)
}

/// Sends a signal to the program.
fn signal(program: &RunningProgram, name: &str) -> Result<()> {
    run("kill", &[&format!("-{name}"), &program.id().to_string()])
}

fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output()?;
    if !output.status.success() {
        bail!("`{program} {}` failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// Returns the longest time without a picture of the sender.
fn gap(second: &Second) -> u64 {
    let of_sender = second.video.iter().filter(|video| video.from == SENDER.name && video.track == "camera");
    of_sender.map(|video| video.longest_gap_ms).max().unwrap_or(0)
}

/// Returns the seconds that end less than two seconds before the end of an outage, or less than three after it.
fn around(timeline: &[Second], ended: Duration, join: Duration) -> impl Iterator<Item = &Second> {
    timeline.iter().filter(move |second| {
        let end = Duration::from_millis(second.at_ms) + join;
        end + Duration::from_secs(2) > ended && end < ended + Duration::from_secs(3)
    })
}

fn concealed(second: &Second) -> u64 {
    second.audio.iter().filter(|voice| voice.from == SENDER.name).map(|voice| voice.concealed_ms).sum()
}

fn key_frames(second: &Second) -> u64 {
    let of_sender = second.video.iter().filter(|video| video.from == SENDER.name && video.track == "camera");
    of_sender.map(|video| video.key_frames).sum()
}

fn shown(second: &Second) -> u64 {
    let of_sender = second.video.iter().filter(|video| video.from == SENDER.name && video.track == "camera");
    of_sender.map(|video| video.shown).sum()
}

/// How long the call lasts before and after the outage.
const BEFORE: Duration = Duration::from_secs(6);
const AFTER: Duration = Duration::from_secs(12);

/// How long both interfaces are there.
const HANDOVER: Duration = Duration::from_secs(1);

/// How long UDP is cut off.
const UDP_CUT: Duration = Duration::from_secs(5);

/// The last seconds must move, each with this many pictures.
const SETTLED: usize = 2;
const MOVING: u64 = 12;

/// The tolerance of the times of an outage.
const TOLERANCE: Duration = Duration::from_millis(500);

/// How long leaving may take.
const END_TIMEOUT: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;
    use engine::report::Participant as Reporter;
    use engine::timeline::{AudioStats, VideoStats};

    /// A report with pictures, the longest gap, and packets of the voice in each second.
    fn report(seconds: &[(u64, u64, u64)]) -> Report {
        let second = |(index, (shown, longest_gap_ms, received)): (u64, &(u64, u64, u64))| {
            let (from, track) = (SENDER.name.to_owned(), "camera".to_owned());
            let video = VideoStats {
                from: from.clone(),
                track,
                shown: *shown,
                longest_gap_ms: *longest_gap_ms,
                ..VideoStats::default()
            };
            let audio = AudioStats { from, received: *received, ..AudioStats::default() };
            Second { at_ms: (index + 1) * 1_000, video: vec![video], audio: vec![audio], ..Second::default() }
        };
        let timeline = (0..).zip(seconds).map(second).collect();
        Report { participants: vec![Reporter { timeline, ..Reporter::default() }], ..Report::default() }
    }

    #[test]
    fn the_time_counts_from_the_end_of_the_outage() {
        let calm = (30, 40, 50);
        let outage = Outage::Stopped(Duration::from_secs(2));
        let interrupted = report(&[(30, 900, 50), calm, (3, 200, 0), (0, 1_200, 0), (12, 2_400, 9), calm, calm, calm]);
        let figures = outage.figures(&interrupted, Duration::from_millis(4_100));
        assert_eq!((figures.moving_again_ms, figures.sound_again_s), (Some(400), Some(0.9)));
        assert!(outage.is_met(&figures));
        let twice = report(&[calm, calm, (3, 200, 0), (4, 2_010, 2), (9, 900, 9), calm, calm, calm]);
        let figures = outage.figures(&twice, Duration::from_millis(3_900));
        assert_eq!(figures.moving_again_ms, Some(900), "old pictures are shown before the second gap");
        let still = report(&[calm, calm, (0, 1_000, 50), (0, 2_000, 50), (0, 3_000, 50)]);
        let figures = outage.figures(&still, Duration::from_secs(3));
        assert_eq!(figures.moving_again_ms, None, "it never moves again");
        assert!(!outage.is_met(&figures));
    }
}

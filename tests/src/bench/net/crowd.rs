//! A client in a meeting of 25, 200 and 300 participants that shows 25 of them: its processor time and memory (row 19).
//!
//! The server is ours, on real sockets. 25 simulated senders are real members of the group and send a clip that was encoded before. The
//! others ask to join with real keys, and publish a camera and a microphone that nobody wants. The client is a
//! real process.

mod footage;
mod sender;
mod silent;
mod transport;

use super::figures::{per_second, round, to_f64};
use super::running::{OutputFolder, RunningProgram};
use crate::bench::process::{processor_time, resident_kib_and_threads};
use crate::bench::wait;
use anyhow::{Context, Result};
use crypto::{Identity, Invitation, ManagerKeys, Profile};
use engine::report::Report;
use footage::Footage;
use net::meeting::Entry;
use sender::{ENTER_TIMEOUT, Sender};
use serde::Serialize;
use server::{Config, Limits, Server};
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// The client in each meeting.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CrowdFigures {
    /// Why a meeting could not be held. The other figures mean nothing then.
    pub failed: Option<String>,
    /// The client in a meeting of [`VISIBLE`] senders.
    pub small: ClientFigures,
    /// The client in a meeting as large as the server allows by default.
    pub middle: ClientFigures,
    /// The client in a meeting of [`ALL`] senders.
    pub large: ClientFigures,
}

/// What the client needs and shows in one meeting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ClientFigures {
    /// The senders in the meeting.
    pub senders: usize,
    /// The processor time, in percent of one core.
    pub processor_percent: f64,
    /// Resident memory, in MiB.
    pub resident_mib: f64,
    /// The tiles that showed a picture in the measured time.
    pub tiles: usize,
    /// The pictures that were shown a second, of all tiles.
    pub shown_per_second: f64,
    /// The time from its command to being admitted.
    pub joined_after_ms: u64,
}

impl CrowdFigures {
    /// Holds the meetings, one after the other.
    ///
    /// # Errors
    /// Returns an error if the server or the client does not start, or if somebody cannot join.
    pub fn measure(programs: &Path, out: &Path) -> Result<Self> {
        let folder = OutputFolder::new(Some(out))?;
        let footage = Arc::new(Footage::new(&folder.file("small.y4m"))?);
        fs::remove_file(folder.file("small.y4m"))?;
        let small = ClientFigures::measure(VISIBLE, programs, &folder, &footage)?;
        let middle = ClientFigures::measure(MIDDLE, programs, &folder, &footage)?;
        Ok(Self { failed: None, small, middle, large: ClientFigures::measure(ALL, programs, &folder, &footage)? })
    }

    /// Returns figures for a meeting that could not be held.
    pub fn failure(error: &anyhow::Error) -> Self {
        Self { failed: Some(format!("{error:#}")), ..Self::default() }
    }

    /// Returns true if the client shows all tiles in each meeting, and needs little more in the larger ones.
    pub fn is_met(&self) -> bool {
        let is_met = |cost: &ClientFigures| {
            let (processor, memory) = cost.ratios(&self.small);
            cost.tiles == VISIBLE && processor <= MAX_RATIO && memory <= MAX_RATIO
        };
        self.failed.is_none() && [self.small, self.middle, self.large].iter().all(is_met)
    }
}

impl ClientFigures {
    fn measure(senders: usize, programs: &Path, folder: &OutputFolder, footage: &Arc<Footage>) -> Result<Self> {
        let runtime = || Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let (runtime, members) = (runtime()?, runtime()?);
        let limits = Limits { members: ALL + 10, silence: Duration::from_hours(1), ..Limits::for_one_address() };
        let config = Config { limits, ..Config::new("127.0.0.1:0".parse()?) };
        let server = runtime.block_on(Server::start(config))?;
        let link = members.block_on(fill(&server, senders, footage, &members))?;
        let name = format!("client-{senders}");
        let path = programs.join("conclave");
        let mut command =
            Command::new(path.canonicalize().with_context(|| format!("{} is not built", path.display()))?);
        command.args(["join", link.to_text().as_str(), "--headless", "--no-recent", "--name", &name]);
        command.args(["--layout", "grid", "--tile", "1280x720"]);
        command.args(["--camera", "off", "--microphone", "off", "--speaker", "off"]);
        let report = folder.file(&format!("{name}.json"));
        command.arg("--report").arg(&report);
        let client = RunningProgram::start(&name, command, folder)?;
        client.first_line()?;
        wait(SETTLING_TIME);
        let (before, start) = (processor_time(client.id())?, Instant::now());
        wait(LENGTH);
        let used = processor_time(client.id())?.saturating_sub(before);
        let (took, resident) = (start.elapsed(), resident_kib_and_threads(client.id())?.0);
        client.interrupt();
        client.end(END_TIMEOUT)?;
        members.shutdown_timeout(Duration::from_secs(5));
        runtime.block_on(server.stop(Duration::from_secs(1)));
        runtime.shutdown_timeout(Duration::from_secs(5));
        let report: Report = serde_json::from_slice(&fs::read(&report)?).context("the report cannot be read")?;
        let shown = shown_by_tile(&report);
        Ok(Self {
            senders,
            processor_percent: round(100.0 * used.as_secs_f64() / took.as_secs_f64()),
            resident_mib: round(to_f64(resident) / 1_024.0),
            tiles: shown.iter().filter(|rate| **rate > 0.0).count(),
            shown_per_second: round(shown.iter().sum()),
            joined_after_ms: report.participants.first().and_then(|one| one.join_ms).unwrap_or(0),
        })
    }

    /// Returns the ratios of processor time and memory to those of another meeting.
    fn ratios(&self, other: &Self) -> (f64, f64) {
        (self.processor_percent / other.processor_percent, self.resident_mib / other.resident_mib)
    }
}

/// Lets all senders join, and returns the link of the meeting. They stay until the runtime ends.
async fn fill(server: &Server, senders: usize, footage: &Arc<Footage>, runtime: &Runtime) -> Result<Invitation> {
    let (address, certificate) = (server.address(), server.fingerprint().into());
    let (entered, mut links) = mpsc::channel(1);
    let start = async |entry: Entry| {
        let sender = Sender::connect(entry, address, Arc::clone(footage)).await?;
        runtime.spawn(report_failure(sender.run(address, certificate, entered.clone())));
        anyhow::Ok(())
    };
    let person = |name: &str| anyhow::Ok((Identity::generate()?, Profile::new(name)?));
    let (identity, profile) = person("organiser")?;
    start(Entry::Create { keys: ManagerKeys::new()?, identity, profile }).await?;
    let link: Invitation = timeout(ENTER_TIMEOUT, links.recv()).await?.context("the organiser failed")?;
    for number in 1..senders.min(VISIBLE) {
        let (identity, profile) = person(&format!("sender {number}"))?;
        start(Entry::Join { invitation: link.clone(), identity, profile }).await?;
    }
    for _ in 1..senders.min(VISIBLE) {
        timeout(ENTER_TIMEOUT, links.recv()).await.context("a sender does not join")?.context("a sender failed")?;
    }
    let (entered, mut silent) = mpsc::channel(BURST);
    let numbers: Vec<usize> = (VISIBLE..senders).collect();
    for burst in numbers.chunks(BURST) {
        for _ in burst {
            runtime.spawn(report_failure(silent::join_and_stay(link.clone(), address, entered.clone())));
        }
        for _ in burst {
            timeout(ENTER_TIMEOUT, silent.recv())
                .await
                .context("a member does not join")?
                .context("a member failed")?;
        }
    }
    Ok(link)
}

/// Prints why a member's task ended. Tasks of members that stay to the end are dropped with the runtime.
async fn report_failure(member: impl Future<Output = Result<()>>) {
    if let Err(error) = member.await {
        eprintln!("bench net: a simulated member ended: {error:#}");
    }
}

/// Returns the pictures a second of each sender in the last seconds.
fn shown_by_tile(report: &Report) -> Vec<f64> {
    let timeline = report.participants.first().map_or(&[][..], |participant| &participant.timeline);
    let seconds = usize::try_from(LENGTH.as_secs()).unwrap_or(usize::MAX);
    let last = &timeline[timeline.len().saturating_sub(seconds)..];
    let names = report.video.iter().map(|video| video.from.as_str());
    let rate = |name: &str| per_second(last.iter(), name).iter().map(|second| second.frames_per_second).sum::<f64>();
    names.map(|name| rate(name) / LENGTH.as_secs_f64()).collect()
}

impl fmt::Display for CrowdFigures {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(failed) = &self.failed {
            return write!(to, "19   {VISIBLE} tiles of {ALL} participants  FAILED: {failed}");
        }
        writeln!(to, "19   {}", self.small)?;
        for cost in [&self.middle, &self.large] {
            let (processor, memory) = cost.ratios(&self.small);
            writeln!(to, "19   {cost}; processor x {}, memory x {}", round(processor), round(memory))?;
        }
        let verdict = if self.is_met() { "met" } else { "MISSED" };
        write!(to, "     goal: all tiles, each ratio <= {MAX_RATIO}  {verdict}")
    }
}

impl fmt::Display for ClientFigures {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { senders, processor_percent, resident_mib, tiles, shown_per_second, joined_after_ms } = self;
        write!(
            to,
            "{senders} senders: {tiles} tiles, {shown_per_second} pictures a second, {processor_percent} % of a core, {resident_mib} \
             MiB, joined after {joined_after_ms} ms"
        )
    }
}

/// The senders whose tiles are visible, and all senders of the larger meetings.
const VISIBLE: usize = 25;
const MIDDLE: usize = 200;
const ALL: usize = 300;

/// How many silent members join at once.
const BURST: usize = 25;

/// The goal.
const MAX_RATIO: f64 = 1.2;

/// How long the client is in the meeting before it is measured, and for how long.
const SETTLING_TIME: Duration = Duration::from_secs(8);
const LENGTH: Duration = Duration::from_secs(12);

/// How long the client may take to leave.
const END_TIMEOUT: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_processor_time_and_memory_count() {
        let cost = |processor_percent, resident_mib, tiles| ClientFigures {
            processor_percent,
            resident_mib,
            tiles,
            ..ClientFigures::default()
        };
        let small = cost(50.0, 100.0, VISIBLE);
        let is_met = |large| CrowdFigures { failed: None, small, middle: small, large }.is_met();
        assert!(is_met(cost(59.0, 119.0, VISIBLE)));
        assert!(!is_met(cost(61.0, 100.0, VISIBLE)) && !is_met(cost(50.0, 121.0, VISIBLE)));
        assert!(!is_met(cost(50.0, 100.0, VISIBLE - 1)), "a tile shows nothing");
        assert!(!CrowdFigures::default().is_met(), "nothing was measured");
    }
}

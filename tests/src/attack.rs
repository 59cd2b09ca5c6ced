//! Attacks on a meeting by hostile strangers, guests and servers, against real processes over real sockets:
//! `cargo xtask attack`.
//!
//! Each attacker says every message of the protocol in every state. The honest members must not notice: nobody is thrown out,
//! misled or admitted, nothing crashes, memory is bounded, and pictures go on.

pub mod catalogue;
pub mod clients;
pub mod floods;
pub mod guest;
pub mod hostile_server;
pub mod kinds;
pub mod organiser;
pub mod report;
pub mod wire;
pub mod world;

use anyhow::{Context, Result};
use clients::Extent;
use crypto::Invitation;
use report::Report;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use world::{World, now_us};

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Which messages.
    pub extent: Extent,
    /// How many members flood the meeting at once.
    pub flooders: usize,
    /// How many void commits are sent.
    pub void_commits: usize,
    /// How long strangers flood the meeting with knocks.
    pub knock_seconds: u64,
    /// How many connections one address opens.
    pub connections: usize,
    /// How many messages never end.
    pub unfinished: usize,
}

impl Effort {
    /// Everything.
    pub const FULL: Self = Self {
        extent: Extent::All,
        flooders: 4,
        void_commits: 4,
        knock_seconds: 8,
        connections: 2_000,
        unfinished: 100,
    };

    /// Some of everything, for tests.
    pub const SHORT: Self = Self {
        extent: Extent::OneOf(9),
        flooders: 2,
        void_commits: 1,
        knock_seconds: 2,
        connections: 300,
        unfinished: 10,
    };
}

/// Attacks a meeting as strangers and guests do, by numbers, and clients as a hostile server does.
///
/// # Errors
/// Returns an error if a program does not start, or does not do what an honest program must.
pub fn run(effort: Effort) -> Result<Report> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut report = Report::default();
    runtime.block_on(meeting(effort, &mut report))?;
    hostile_servers(&runtime, effort.extent, &mut report)?;
    Ok(report)
}

/// The attacks on one meeting, whose members must not notice them.
async fn meeting(effort: Effort, report: &mut Report) -> Result<()> {
    let mut world = tokio::task::block_in_place(World::start)?;
    let meeting = world.link().context("there is a link")?.parse::<Invitation>()?.meeting;
    // The first seconds are those of joining.
    let calm = now_us() + 3_000_000;
    wait(&world, Duration::from_secs(8))?;
    let start = now_us();
    progress("strangers");
    let mut rows = clients::strangers(world.address, meeting, effort.extent).await?;
    clients::blame(&mut world, &mut rows);
    report.rows.extend(rows);
    progress("guests");
    report.rows.extend(clients::guests(&mut world, effort.extent).await?);
    progress("newcomers");
    floods::newcomers(&mut world, report).await?;
    progress("void commits");
    floods::void_commits(&mut world, effort.void_commits, report).await?;
    progress("removals");
    floods::removals(&mut world, effort.flooders, effort.extent, report).await?;
    progress("knocks");
    floods::knocks(&mut world, effort.knock_seconds, report).await?;
    progress("connections");
    floods::unfinished(&mut world, effort.unfinished, report).await?;
    floods::connections(&mut world, effort.connections, report).await?;
    let (before, during) = (world.min_pictures_per_second(calm, start), world.min_pictures_per_second(start, now_us()));
    report.check(
        "pictures a second of each honest member at each other, in any 4 s of the attacks",
        format!("{during:.1} (limit 28; {before:.1} before)"),
        during >= MIN_PICTURES.min(before * MIN_SHARE),
    );
    let (_, most) = world.grown_bytes();
    report.check(
        "memory of the server at most, over its idle size",
        format!("{} MiB (limit 96)", most >> 20),
        most < 96 << 20,
    );
    let complaints = tokio::task::block_in_place(|| world.end());
    let value = if complaints.is_empty() { "nothing".into() } else { complaints.join("; ") };
    report.check("what the honest members noticed", value, complaints.is_empty());
    Ok(())
}

fn hostile_servers(runtime: &Runtime, extent: Extent, report: &mut Report) -> Result<()> {
    progress("hostile servers");
    let states = hostile_server::State::ALL;
    // Each has three processes.
    for some in states.chunks(4) {
        let tasks: Vec<_> = some.iter().map(|state| runtime.spawn(hostile_server::attack(*state, extent))).collect();
        for task in tasks {
            report.rows.extend(runtime.block_on(task)??);
        }
    }
    Ok(())
}

fn wait(world: &World, time: Duration) -> Result<()> {
    let end = Instant::now() + time;
    tokio::task::block_in_place(|| world.wait(time + time, "time passes", |_| Instant::now() >= end))?;
    Ok(())
}

fn progress(what: &str) {
    eprintln!("{what} ...");
}

/// Returns the kinds of messages that the attacks say, of clients and servers.
#[must_use]
pub fn covered() -> BTreeSet<&'static str> {
    let facts = catalogue::Facts::of_meeting(proto::MeetingId([1; 16]));
    let attempts = catalogue::of_client(&facts).into_iter().chain(catalogue::of_server(&facts));
    attempts.flat_map(|attempt| attempt.kinds).collect()
}

/// The fewest pictures a second of a camera that sends 30.
const MIN_PICTURES: f64 = 28.0;

/// The share of what the machine manages without attacks, if that is less.
const MIN_SHARE: f64 = 0.85;

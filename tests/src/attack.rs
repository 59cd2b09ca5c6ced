//! Attacks on a meeting by hostile strangers, guests and servers, against real processes over real sockets:
//! `cargo xtask attack`.
//!
//! Each attacker sends every message of the protocol in every state. The honest members must not notice: none of them is
//! disconnected or misled, no attacker is admitted, no program crashes, memory is bounded, and pictures go on.

pub mod catalogue;
pub mod chat;
pub mod clients;
pub mod effort;
pub mod false_server;
pub mod floods;
pub mod forbidden;
pub mod forged;
pub mod forged_media;
pub mod fork;
pub mod guest;
pub mod half_valid;
pub mod hostile_server;
pub mod kinds;
pub mod loud_guest;
pub mod muted;
pub mod organiser;
pub mod path_greetings;
pub mod reorder;
pub mod report;
pub mod succession;
pub mod track_swap;
pub mod votes;
pub mod waiting_room;
pub mod wire;
pub mod world;

use anyhow::{Context, Result};
use crypto::Invitation;
use effort::{Effort, Extent};
use net::meeting::chat::{LineId, hostile};
use proto::ParticipantId;
use report::Report;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use world::{World, now_us};

/// Attacks a meeting as strangers and guests do, with single messages and with floods, and clients as a hostile server does.
///
/// # Errors
/// Returns an error if the honest programs do not start.
pub fn run(effort: Effort) -> Result<Report> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut report = Report::default();
    // If an attack cannot go on, the report has its results so far.
    let mut world = World::start()?;
    let ended = runtime.block_on(Box::pin(meeting(&mut world, effort, &mut report)));
    let complaints = world.end();
    let value = if complaints.is_empty() { "nothing".into() } else { complaints.join("; ") };
    report.check("what the honest members noticed", value, complaints.is_empty());
    for (what, ended) in [
        ("the meeting goes on to the end of the attacks", ended),
        ("the clients of hostile servers run", hostile_servers(&runtime, effort.extent, &mut report)),
        ("the meetings that a server forks run", runtime.block_on(Box::pin(fork::attack(effort.extent, &mut report)))),
        ("the meeting whose log a server re-orders runs", runtime.block_on(Box::pin(reorder::attack(&mut report)))),
        ("the meeting with half-valid commits runs", runtime.block_on(Box::pin(half_valid::attack(&mut report)))),
        ("the meeting with a waiting room runs", runtime.block_on(Box::pin(waiting_room::attack(&mut report)))),
        ("the tests of a path run", runtime.block_on(Box::pin(path_greetings::attack(&mut report)))),
    ] {
        let value = ended.as_ref().err().map_or_else(|| "yes".to_owned(), |error| format!("{error:#}"));
        report.check(what, value, ended.is_ok());
    }
    Ok(report)
}

/// The attacks on one meeting, whose members must not notice them.
async fn meeting(world: &mut World, effort: Effort, report: &mut Report) -> Result<()> {
    let meeting = world.link().context("there is a link")?.parse::<Invitation>()?.meeting;
    // The first seconds are those of joining.
    let calm = now_us() + 3_000_000;
    wait(world, Duration::from_secs(8))?;
    let start = now_us();
    progress("strangers");
    let mut rows = clients::strangers(world.address, meeting, effort.extent).await?;
    clients::blame(world, &mut rows);
    report.rows.extend(rows);
    progress("guests");
    Box::pin(clients::guests(world, effort.extent, report)).await?;
    progress("chat");
    Box::pin(chat::messages(world, report)).await?;
    progress("votes");
    Box::pin(votes::attack(world, report)).await?;
    progress("forged application messages");
    Box::pin(forged::members(world, report)).await?;
    progress("forbidden commits");
    Box::pin(forbidden::commits(world, report)).await?;
    progress("false beacons");
    Box::pin(forbidden::beacons(world, report)).await?;
    progress("a muted guest");
    tokio::task::block_in_place(|| muted::attack(world, report))?;
    progress("sound and pictures in another member's name");
    Box::pin(forged_media::attack(world, report)).await?;
    progress("newcomers");
    Box::pin(floods::newcomers(world, report)).await?;
    progress("void commits");
    Box::pin(floods::void_commits(world, effort.void_commits, report)).await?;
    progress("removals");
    Box::pin(floods::removals(world, effort, report)).await?;
    progress("knocks");
    floods::knocks(world, effort.knock_seconds, report).await?;
    progress("connections");
    floods::unfinished(world, effort.unfinished, report).await?;
    floods::tunnels(world, effort.unfinished, report).await?;
    floods::connections(world, effort, report).await?;
    let (before, during) = (world.min_pictures_per_second(calm, start), world.min_pictures_per_second(start, now_us()));
    // A co-organiser can have the organiser disconnected, so this is after the pictures were counted.
    progress("successions");
    Box::pin(succession::all(world, report)).await?;
    let share = if effort.is_beside_others { (before / 30.0).min(1.0) } else { 1.0 };
    let limit = effort.min_pictures * share;
    report.check(
        "pictures a second of each honest member at each other, in any 4 s of the attacks",
        format!("{during:.1} (limit {limit:.1}; {before:.1} before)"),
        during >= limit,
    );
    let (_, most) = world.grown_bytes();
    report.check(
        "memory of the server at most, over its idle size",
        format!("{} MiB (limit 96)", most >> 20),
        most < 96 << 20,
    );
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

/// Returns the kinds of messages of the chat that the attacks send. A member that is alone makes them.
fn chat_kinds() -> Vec<&'static str> {
    let Ok(mut member) = guest::alone() else { return Vec::new() };
    let line = LineId { device: crypto::DeviceKey([7; 32]), counter: 1 };
    let forged = hostile::messages(&member, line, "Anna", ParticipantId(2));
    let against_vote = hostile::against_vote(&member, line, 1);
    let private = hostile::private_messages(&mut member, line, None);
    forged.into_iter().chain(against_vote).chain(private).map(|forged| forged.kind).collect()
}

/// Returns the kinds of messages that the attacks send, of clients and servers.
#[must_use]
pub fn covered() -> BTreeSet<&'static str> {
    let facts = catalogue::Facts::of_meeting(proto::MeetingId([1; 16]));
    let attempts = catalogue::of_client(&facts).into_iter().chain(catalogue::of_server(&facts));
    let forged = net::meeting::hostile::all(facts.me, &facts.others);
    let forged = forged.into_iter().flat_map(|forged| forged.kinds);
    let members = forged
        .chain(chat::KINDS)
        .chain(chat::TYPING_KINDS)
        .chain(chat_kinds())
        .chain(net::meeting::hostile::LOBBY_KINDS.iter().copied())
        .chain(path_greetings::kinds());
    attempts.flat_map(|attempt| attempt.kinds).chain(members).collect()
}

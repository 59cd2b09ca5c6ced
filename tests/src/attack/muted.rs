//! A guest whose program speaks although it was muted. The honest guests count what they drop, and play none of it.

use super::clients::blame;
use super::loud_guest::NAME;
use super::report::{Report, Row};
use super::world::{VoiceCounters, World};
use crate::program::{Program, TIMEOUT, command};
use anyhow::{Context, Result, ensure};
use proto::ParticipantId;
use std::process::Stdio;

/// Lets the guest speak, mutes it, and lets it speak again.
///
/// # Errors
/// Returns an error if it is not admitted, or not heard before.
pub fn attack(world: &mut World, report: &mut Report) -> Result<()> {
    let before = world.people();
    let mut changed = command("attack", &["loud-guest"]);
    changed.stdin(Stdio::piped());
    let mut guest = Program::start(NAME, changed);
    guest.send_line(&world.link().context("there is a link")?);
    let is_new = |id: &ParticipantId| !before.contains(id);
    world.wait(TIMEOUT, "it is a member", |world| world.people().iter().any(is_new))?;
    let me = world.people().into_iter().find(is_new).context("it is a member")?;
    poll(world, "it is heard", |_, heard| heard.played > 50)?;
    world.command("mute", me);
    let mut last = poll(world, "it is dropped", |_, heard| heard.not_allowed > 0)?;
    // What arrived before is played for a moment.
    loop {
        let next = poll(world, "more is dropped", |at, heard| heard.not_allowed >= last[at].not_allowed + 50)?;
        let is_quiet = next.iter().zip(&last).all(|(next, last)| next.played == last.played);
        last = next;
        if is_quiet {
            break;
        }
    }
    let later = poll(world, "more is dropped", |at, heard| heard.not_allowed >= last[at].not_allowed + 100)?;
    let heard: u64 = later.iter().zip(&last).map(|(later, last)| later.played - last.played).sum();
    let outcome = format!("dropped: {}, played: {heard}", later.iter().map(|heard| heard.not_allowed).sum::<u64>());
    let (message, kinds) = ("frames of a muted microphone".to_owned(), Vec::new());
    let mut rows = vec![Row { attacker: "guest", state: "muted", message, kinds, outcome, success: heard > 0 }];
    world.command("allow", me);
    poll(world, "it is heard again", |at, heard| heard.played > later[at].played + 50)?;
    guest.close_input();
    let outcome = guest.end(TIMEOUT);
    ensure!(outcome.code == Some(0), "{outcome:?}");
    blame(world, &mut rows);
    report.rows.extend(rows);
    Ok(())
}

/// Polls what each honest guest has played of the voice, and dropped of all frames, until `done` for each.
fn poll(world: &mut World, what: &str, done: impl Fn(usize, VoiceCounters) -> bool) -> Result<Vec<VoiceCounters>> {
    let start = std::time::Instant::now();
    loop {
        let heard = world.heard(NAME)?;
        if heard.iter().enumerate().all(|(at, one)| done(at, *one)) {
            return Ok(heard);
        }
        ensure!(start.elapsed() < TIMEOUT, "{what}: {heard:?}");
    }
}

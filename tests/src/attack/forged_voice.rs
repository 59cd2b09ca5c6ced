//! A member that seals its voice with the keys of another one, and a server that presents it as the voice of that one. The viewer is an
//! honest program.

use super::clients::blame;
use super::effort::Effort;
use super::false_server::FalseServer;
use super::loud_guest::NAME;
use super::report::{Report, Row};
use super::track_swap::{Swap, relay};
use super::world::{VoiceCounters, World};
use crate::program::{Program, TIMEOUT, command};
use anyhow::{Context, Result, ensure};
use proto::ParticipantId;
use std::process::Stdio;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// Lets the viewer hear the forged voice until it drops it, and two seconds longer.
///
/// # Errors
/// Returns an error if a program is not admitted, or the viewer never drops a frame.
pub async fn attack(world: &mut World, effort: Effort, report: &mut Report) -> Result<()> {
    let (address, swap) = (world.address, Swap::default());
    let shared = Arc::clone(&swap);
    let server = FalseServer::start(move |socket| relay(socket, address, Arc::clone(&shared))).await?;
    let heard = tokio::task::block_in_place(|| listen(world, &server, &swap))?;
    let most = if effort.is_beside_others { MAX_PLAYED_BESIDE_OTHERS } else { MAX_PLAYED };
    let outcome = format!("dropped: {}, played before that: {} packets of 20 ms", heard.unproven, heard.played);
    let (message, kinds) = ("sound in the name of another member".to_owned(), Vec::new());
    let success = heard.played > most;
    let mut rows = vec![Row { attacker: "server", state: "with a member", message, kinds, outcome, success }];
    blame(world, &mut rows);
    report.rows.extend(rows);
    report.check(
        "packets of a forged voice that were played, each of 20 ms",
        format!("{} (limit {most})", heard.played),
        !success,
    );
    Ok(())
}

/// Returns what the viewer has heard of the victim.
fn listen(world: &mut World, server: &FalseServer, swap: &Swap) -> Result<VoiceCounters> {
    let before = world.people();
    let mut changed = command("attack", &["loud-guest", VICTIM]);
    changed.stdin(Stdio::piped());
    let mut insider = Program::start(NAME, changed);
    let link = world.link().context("there is a link")?;
    insider.send_line(&link);
    let is_new = |id: &ParticipantId| !before.contains(id);
    world.wait(TIMEOUT, "it is a member", |world| world.people().iter().any(is_new))?;
    let me = world.people().into_iter().find(is_new).context("it is a member")?;
    let victim = |_: &World| insider.output().iter().find_map(|line| line.strip_prefix("speaks as ")?.parse().ok());
    world.wait(TIMEOUT, "it has the victim's leaf", |world| victim(world).is_some())?;
    let victim = victim(world).map(ParticipantId).context("it has printed it")?;
    *swap.lock().unwrap_or_else(PoisonError::into_inner) = Some((victim, me));
    let mut viewer = world.join(VIEWER, &server.link(&link)?)?;
    let dropped = until_dropped(&mut viewer, 1)?;
    let later = until_dropped(&mut viewer, dropped.unproven + LATER)?;
    insider.close_input();
    for (who, outcome) in [(NAME, insider.end(TIMEOUT)), (VIEWER, viewer.leave())] {
        ensure!(outcome.code == Some(0), "{who}: {outcome:?}");
    }
    let is_alone = |world: &World| world.people().iter().all(|id| before.contains(id));
    world.wait(TIMEOUT, "both have left", is_alone)?;
    Ok(later)
}

/// Polls until the viewer has dropped this many frames.
fn until_dropped(viewer: &mut Program, frames: u64) -> Result<VoiceCounters> {
    let start = Instant::now();
    loop {
        let heard = VoiceCounters::by(viewer, VICTIM)?;
        if heard.unproven >= frames {
            return Ok(heard);
        }
        ensure!(start.elapsed() < TIMEOUT, "it does not drop {frames} frames: {heard:?}");
    }
}

/// The honest guest whose voice is forged, and who listens.
const VICTIM: &str = "Ben";
const VIEWER: &str = "Vera";

/// How many more frames are dropped until the end: those of two seconds.
const LATER: u64 = 100;

/// How many packets may be played: those of one second. More if the machine stops for a while, because then they come at once.
const MAX_PLAYED: u64 = 50;
const MAX_PLAYED_BESIDE_OTHERS: u64 = 150;

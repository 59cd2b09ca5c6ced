//! A member that seals its voice or its pictures with the keys of another one, and a server that presents them as those of that one. The
//! viewer is an honest program.

use super::clients::blame;
use super::false_server::FalseServer;
use super::loud_guest::NAME;
use super::report::{Report, Row};
use super::track_swap::{Swap, relay};
use super::world::{PictureCounters, VoiceCounters, World};
use crate::program::{Program, TIMEOUT, command};
use anyhow::{Context, Result, ensure};
use proto::ParticipantId;
use std::process::Stdio;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// Lets the viewer hear a forged voice until it drops it, and two seconds longer; then see forged pictures in the same way.
///
/// # Errors
/// Returns an error if a program is not admitted, or the viewer never drops a frame.
pub async fn attack(world: &mut World, report: &mut Report) -> Result<()> {
    for forgery in [&VOICE, &PICTURES] {
        one(world, forgery, report).await?;
    }
    Ok(())
}

async fn one(world: &mut World, forgery: &Forgery, report: &mut Report) -> Result<()> {
    let (address, swap) = (world.address, Swap::default());
    let shared = Arc::clone(&swap);
    let server = FalseServer::start(move |socket| relay(socket, address, Arc::clone(&shared))).await?;
    let Observed { through, dropped, silence } =
        tokio::task::block_in_place(|| observe(world, &server, &swap, forgery))?;
    let time = BLANKED + silence;
    let most = u64::try_from(time.as_micros() / forgery.interval.as_micros())?;
    let Forgery { message, unit, .. } = forgery;
    let outcome = format!("dropped: {dropped}, got through before that: {through} {unit}");
    let success = through > most;
    let (message, kinds) = ((*message).to_owned(), Vec::new());
    let mut rows = vec![Row { attacker: "server", state: "with a member", message, kinds, outcome, success }];
    blame(world, &mut rows);
    report.rows.extend(rows);
    let figure = format!("{through} (limit {most}: those of {:.2} s)", time.as_secs_f64());
    report.check(format!("{unit} in another member's name that got through"), figure, !success);
    Ok(())
}

/// What is forged.
struct Forgery {
    /// The role of the changed program.
    program: &'static str,
    message: &'static str,
    unit: &'static str,
    /// The time between two frames.
    interval: Duration,
    /// Returns how many frames of the victim have got through, and how many were dropped.
    count: fn(&mut Program) -> Result<(u64, u64)>,
}

const VOICE: Forgery = Forgery {
    program: "loud-guest",
    message: "sound in the name of another member",
    unit: "packets of sound, each of 20 ms,",
    interval: Duration::from_millis(20),
    count: |viewer| {
        let heard = VoiceCounters::by(viewer, VICTIM)?;
        Ok((heard.played, heard.unproven))
    },
};

const PICTURES: Forgery = Forgery {
    program: "camera-guest",
    message: "pictures in the name of another member",
    unit: "pictures, of 30 a second,",
    interval: Duration::from_micros(33_333),
    count: |viewer| {
        let seen = PictureCounters::by(viewer, VICTIM)?;
        Ok((seen.shown, seen.unproven))
    },
};

/// What the viewer has counted.
struct Observed {
    through: u64,
    dropped: u64,
    /// The longest time in which the viewer did not answer: so long its machine may have stopped, and what has come meanwhile arrived
    /// at once.
    silence: Duration,
}

/// Returns what the viewer has got of the victim.
fn observe(world: &mut World, server: &FalseServer, swap: &Swap, forgery: &Forgery) -> Result<Observed> {
    let before = world.people();
    let mut changed = command("attack", &[forgery.program, VICTIM]);
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
    let frames_of_two_seconds = u64::try_from(2_000_000 / forgery.interval.as_micros())?;
    let observed = until_dropped(&mut viewer, forgery, frames_of_two_seconds)?;
    insider.close_input();
    for (who, outcome) in [(NAME, insider.end(TIMEOUT)), (VIEWER, viewer.leave())] {
        ensure!(outcome.code == Some(0), "{who}: {outcome:?}");
    }
    let is_alone = |world: &World| world.people().iter().all(|id| before.contains(id));
    world.wait(TIMEOUT, "both have left", is_alone)?;
    Ok(observed)
}

/// Polls until the viewer has dropped this many frames.
fn until_dropped(viewer: &mut Program, forgery: &Forgery, frames: u64) -> Result<Observed> {
    let (start, mut silence) = (Instant::now(), Duration::ZERO);
    loop {
        let asked = Instant::now();
        let (through, dropped) = (forgery.count)(viewer)?;
        // Before the first frame, the viewer enters.
        if through > 0 {
            silence = silence.max(asked.elapsed());
        }
        if dropped >= frames {
            return Ok(Observed { through, dropped, silence });
        }
        ensure!(start.elapsed() < TIMEOUT, "it does not drop {frames} frames: {dropped}, and {through} got through");
    }
}

/// The honest guest whose voice and pictures are forged, and who listens and looks.
const VICTIM: &str = "Ben";
const VIEWER: &str = "Vera";

/// Within this time, a forged track is blanked: frames count for 900 ms without valid digests (docs/frames.md, "Digests"), and the next
/// ones may be on their way.
const BLANKED: Duration = Duration::from_secs(1);

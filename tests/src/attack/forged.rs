//! Application messages that a hostile guest and a hostile co-organiser encrypt with their real keys.

use super::clients::{blame, join};
use super::guest::Guest;
use super::report::{Report, Row};
use super::world::World;
use anyhow::{Context, Result};
use net::meeting::hostile::{self, Forged};
use std::time::Duration;

/// Tries all kinds of messages as a guest and as a co-organiser, and old orders of the organiser again. None may change the rights
/// of anybody.
///
/// # Errors
/// Returns an error if the guest is not admitted, or the organiser does not follow.
pub async fn members(world: &mut World, report: &mut Report) -> Result<()> {
    let mut guest = join(world).await?;
    let me = guest.me().context("it is a member")?;
    let organiser = *world.people().first().context("the organiser is listed")?;
    let victims: Vec<_> = [organiser].into_iter().chain(world.people()).filter(|id| *id != me).collect();
    let mut forged = hostile::all(me, &victims);
    forged.push(hostile::mute_all());
    try_all(world, &mut guest, "guest", &forged, report).await;
    // The organiser mutes it and lets it speak again: then the first order comes again.
    let is = |world: &World, word: &str| world.rights().iter().any(|line| line == &format!("{}:{word}", me.0));
    for (word, expected) in [("mute", "3:9fe"), ("allow", "3:9ff")] {
        world.command(word, me);
        follow(world, &mut guest, |world| is(world, expected)).await.context(word)?;
    }
    let before = world.rights();
    guest.repeat_others().await;
    guest.listen(ANSWER, |_| false).await;
    let (kinds, message) = (vec!["Message::Floor"], "Message::Floor (orders of the organiser again)".to_owned());
    let row = Row { attacker: "guest", state: "forged", message, kinds, outcome: "no effect".into(), success: false };
    judge(world, &before, row, report);
    world.command("promote", me);
    let is_manager = |world: &World| world.rights().iter().any(|line| line.starts_with(&format!("{}:1:", me.0)));
    follow(world, &mut guest, is_manager).await.context("it is a co-organiser")?;
    let forged = hostile::all(me, &[organiser]);
    try_all(world, &mut guest, "co-organiser", &forged, report).await;
    world.command("demote", me);
    follow(world, &mut guest, |world| !is_manager(world)).await.context("it is no co-organiser any more")?;
    Ok(())
}

async fn try_all(world: &mut World, guest: &mut Guest, attacker: &'static str, all: &[Forged], report: &mut Report) {
    for forged in all {
        let before = world.rights();
        let is_sent = guest.tell(forged).await;
        guest.listen(ANSWER, |guest| guest.seen.is_out()).await;
        let outcome = if is_sent { guest.seen.outcome() } else { "not sent".into() };
        let message = [forged.kinds.join(" "), format!("({})", forged.what)].join(" ");
        let row = Row { attacker, state: "forged", message, kinds: forged.kinds.clone(), outcome, success: false };
        judge(world, &before, row, report);
    }
}

/// Adds a row. The attack has succeeded if somebody has other rights or another role than before, or the honest members complain.
fn judge(world: &mut World, before: &[String], mut row: Row, report: &mut Report) {
    let id = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
    // Guests of earlier attacks may leave meanwhile.
    let changed = |line: &&String| before.iter().any(|other| id(other) == id(line) && other != *line);
    let after = world.rights();
    if let Some(line) = after.iter().find(changed) {
        row.success = true;
        row.outcome = format!("rights changed to {line}");
    }
    let mut rows = vec![row];
    blame(world, &mut rows);
    report.rows.extend(rows);
}

/// Behaves as a member until the organiser reports something.
async fn follow(world: &World, guest: &mut Guest, done: impl Fn(&World) -> bool) -> Result<()> {
    for _ in 0..MAX_WAITS {
        if done(world) {
            return Ok(());
        }
        guest.listen(ANSWER, |_| false).await;
    }
    anyhow::bail!("the organiser sees {:?}", world.rights())
}

/// How long the effect of a message is awaited: three round trips of the honest members, and the organiser's report.
const ANSWER: Duration = Duration::from_millis(400);

/// 20 s.
const MAX_WAITS: usize = 50;

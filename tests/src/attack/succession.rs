//! A co-organiser that has the organiser disconnected, by commands that the server obeys, and takes its place in the same breath.

use super::clients::join;
use super::forbidden::{LIMIT, follow, knows, promote};
use super::report::{Report, Row};
use super::world::World;
use anyhow::{Context, Result, ensure};
use net::meeting::hostile::Succession;
use proto::ParticipantId;
use std::collections::BTreeSet;

/// Tries each way, each with another device. The organiser must come back as the organiser, and the others stay.
///
/// # Errors
/// Returns an error if a guest is not admitted, or the commands cannot be made.
pub async fn all(world: &mut World, report: &mut Report) -> Result<()> {
    for how in Succession::ALL {
        let mut guest = join(world).await?;
        let me = guest.me().context("it is a member")?;
        knows(world, &mut guest, me).await?;
        promote(world, &mut guest, me).await?;
        let organiser = organiser(world).context("there is an organiser")?;
        let honest = others(world, &[me, organiser]);
        guest.catch_up().await?;
        ensure!(guest.succeed(how).await, "it can make a commit that {}", how.name());
        // Its honest part lets the organiser in again.
        let is_back = |world: &World| self::organiser(world).is_some_and(|id| id != organiser && id != me);
        let came_back = follow(world, &mut guest, is_back).await;
        let (mut outcome, mut success) = ("rejected by all; the organiser is back".to_owned(), false);
        if let Err(error) = came_back {
            (outcome, success) = (format!("the organiser is not back: {error}"), true);
        } else if let Some(lost) = honest.iter().find(|id| !world.people().contains(id)) {
            (outcome, success) = (format!("{lost:?} is gone"), true);
        }
        world.remove(me);
        let is_out = |world: &World| !world.people().contains(&me);
        tokio::task::block_in_place(|| world.wait(LIMIT, "the co-organiser is removed", is_out))?;
        // That the organiser has lost its connection is what the server obeys.
        let mut complaints = world.complaints();
        complaints.retain(|line| !line.contains("notice Reconnecting"));
        if !complaints.is_empty() {
            (outcome, success) = (complaints.join("; "), true);
        }
        let (state, kinds) = ("valid leaf key", vec!["Up::Manage"]);
        let message = format!("Up::Manage (a co-organiser {})", how.name());
        report.rows.push(Row { attacker: "co-organiser", state, message, kinds, outcome, success });
    }
    Ok(())
}

/// Returns the organiser, as its own program says.
fn organiser(world: &World) -> Option<ParticipantId> {
    let line = world.rights().into_iter().find(|line| line.split(':').nth(1) == Some("0"))?;
    line.split(':').next()?.parse().ok().map(ParticipantId)
}

fn others(world: &World, but: &[ParticipantId]) -> BTreeSet<ParticipantId> {
    world.people().into_iter().filter(|id| !but.contains(id)).collect()
}

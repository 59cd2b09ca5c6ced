//! Commits that MLS accepts and the rules forbid, of a guest and of a co-organiser with valid leaf keys; and beacons that lie, with valid
//! signatures. The server passes them on, so each honest program decides itself.

use super::clients::{blame, join};
use super::guest::Guest;
use super::report::{Report, Row};
use super::world::World;
use anyhow::{Context, Result, ensure};
use net::meeting::hostile::{Breach, FalseBeacon};
use proto::ParticipantId;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Tries each commit once as a guest, and those of managers as a co-organiser, each with another device: who has sent one is out.
///
/// # Errors
/// Returns an error if a guest is not admitted, a commit cannot be made, or the honest programs do not notice it.
pub async fn commits(world: &mut World, report: &mut Report) -> Result<()> {
    for breach in Breach::OF_GUESTS {
        let mut guest = join(world).await?;
        let me = guest.me().context("it is a member")?;
        knows(world, &mut guest, me).await?;
        if breach == Breach::Unmute {
            world.command("mute", me);
            let is_muted = |world: &World| rights(world, me).is_some_and(|rights| rights & 1 == 0);
            follow(world, &mut guest, is_muted).await.context("it may not speak")?;
        }
        try_commit(world, &mut guest, "guest", breach, report).await?;
    }
    for breach in Breach::OF_CO_ORGANISERS {
        let mut guest = join(world).await?;
        let me = guest.me().context("it is a member")?;
        knows(world, &mut guest, me).await?;
        promote(world, &mut guest, me).await?;
        try_commit(world, &mut guest, "co-organiser", breach, report).await?;
    }
    Ok(())
}

/// Makes the guest a co-organiser, and waits until it has the keys of a manager.
pub(super) async fn promote(world: &mut World, guest: &mut Guest, me: ParticipantId) -> Result<()> {
    world.command("promote", me);
    let is_manager = |world: &World| world.rights().iter().any(|line| line.starts_with(&format!("{}:1:", me.0)));
    follow(world, guest, is_manager).await.context("it is a co-organiser")?;
    guest.listen(LIMIT, Guest::has_keys).await;
    ensure!(guest.has_keys(), "it has the keys of a manager");
    Ok(())
}

/// Waits until the organiser lists the guest: its connection is slower.
pub(super) async fn knows(world: &World, guest: &mut Guest, me: ParticipantId) -> Result<()> {
    follow(world, guest, |world| world.people().contains(&me)).await.context("the organiser knows it")
}

/// Sends a commit. It has succeeded if anybody sees another name, role or right of somebody than before, a new member, or one of the
/// honest members less.
async fn try_commit(
    world: &mut World,
    guest: &mut Guest,
    attacker: &'static str,
    breach: Breach,
    report: &mut Report,
) -> Result<()> {
    let me = guest.me().context("it is a member")?;
    let knows_all = |world: &World| world.seen_members().iter().all(|seen| seen.len() == world.people().len());
    follow(world, guest, knows_all).await.context("all see the same members")?;
    let (before, rights_before) = (world.seen_members(), world.rights());
    guest.catch_up().await?;
    ensure!(guest.commit(breach).await, "it can make a commit that {}", breach.name());
    // The organiser's program finds that it is invalid, and the server closes the connection.
    guest.listen(LIMIT, |guest| guest.seen.is_out()).await;
    ensure!(guest.seen.is_out(), "nobody has noticed a commit that {}", breach.name());
    let message = format!("Up::Commit (that {}, with a valid signature)", breach.name());
    let outcome = format!("rejected by all: {}", guest.seen.outcome());
    let kinds = vec!["Up::Commit"];
    let mut row = Row { attacker, state: "valid leaf key", message, kinds, outcome, success: false };
    let is_gone = |world: &World| !world.people().contains(&me) && knows_all(world);
    tokio::task::block_in_place(|| world.wait(LIMIT, "all see that it is out", is_gone))?;
    let honest: Vec<String> = before[0].keys().filter(|id| **id != text(me)).cloned().collect();
    let changed =
        before.iter().zip(world.seen_members()).find_map(|(before, after)| difference(before, &after, &honest));
    let id = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
    let other = world
        .rights()
        .into_iter()
        .find(|line| !rights_before.iter().any(|before| before == line || id(before) != id(line)));
    if let Some(changed) = changed.or(other) {
        (row.success, row.outcome) = (true, changed);
    }
    let mut rows = vec![row];
    blame(world, &mut rows);
    report.rows.extend(rows);
    Ok(())
}

/// Returns what somebody sees differently. `honest` are still there.
fn difference(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    honest: &[String],
) -> Option<String> {
    if let Some(gone) = honest.iter().find(|id| !after.contains_key(*id)) {
        return Some(format!("{gone} is gone"));
    }
    let is_new = |(id, person): &(&String, &String)| before.get(*id) != Some(*person);
    after.iter().find(is_new).map(|(id, person)| format!("{id} is {person}"))
}

/// Sends beacons that lie. The alarm may name nobody but their author; it ends when the organiser has removed it, and the meeting
/// admits people again.
///
/// # Errors
/// Returns an error if a guest is not admitted, or if the alarm does not end.
pub async fn beacons(world: &mut World, report: &mut Report) -> Result<()> {
    let mut liars = Vec::new();
    for lie in FalseBeacon::ALL {
        let mut guest = join(world).await?;
        let me = guest.me().context("it is a member")?;
        liars.push(text(me));
        knows(world, &mut guest, me).await?;
        let names = |world: &World| world.differing().iter().all(|(_, now)| now.contains(&text(me)));
        let start = Instant::now();
        let mut counter = FIRST_COUNTER;
        while start.elapsed() < LYING && !names(world) {
            ensure!(guest.lie(lie, counter).await, "it can sign a beacon of {}", lie.name());
            counter += 1;
            guest.listen(BEACON_INTERVAL, |guest| guest.seen.is_out()).await;
        }
        let outcome = if names(world) { "alarm that names its author only" } else { "no effect" };
        let message = format!("Up::Beacon (a lie with a valid signature: {})", lie.name());
        let kinds = vec!["Up::Beacon"];
        let mut row =
            Row { attacker: "guest", state: "valid leaf key", message, kinds, outcome: outcome.into(), success: false };
        let seen = world.differing();
        if let Some(named) = seen.iter().flat_map(|(ever, _)| ever).find(|id| !liars.contains(id)) {
            (row.success, row.outcome) = (true, format!("an honest member is named: {named}"));
        }
        world.remove(me);
        let is_over =
            |world: &World| !world.people().contains(&me) && world.differing().iter().all(|(_, now)| now.is_empty());
        tokio::task::block_in_place(|| world.wait(LIMIT, "the alarm ends with the removal", is_over))?;
        // The alarm about the liar is what the others must see.
        let complaints = world.complaints().into_iter().filter(|line| !line.contains(ALARM)).collect::<Vec<_>>();
        if !complaints.is_empty() {
            (row.success, row.outcome) = (true, complaints.join("; "));
        }
        report.rows.push(row);
    }
    // Nobody is admitted during an alarm.
    let mut newcomer = join(world).await.context("the meeting admits people again")?;
    let me = newcomer.me().context("it is a member")?;
    knows(world, &mut newcomer, me).await?;
    newcomer.wire.send(&proto::Up::Leave).await;
    let has_left = |world: &World| !world.people().contains(&me);
    tokio::task::block_in_place(|| world.wait(LIMIT, "it has left", has_left))?;
    Ok(())
}

/// Returns an id as the programs print it.
fn text(id: ParticipantId) -> String {
    format!("{:016x}", id.0)
}

/// Returns the rights of a member, as the organiser sees them.
fn rights(world: &World, id: ParticipantId) -> Option<u32> {
    let prefix = format!("{}:", id.0);
    let line = world.rights().into_iter().find(|line| line.starts_with(&prefix))?;
    u32::from_str_radix(line.rsplit(':').next()?, 16).ok()
}

/// Behaves as a member until `done`.
pub(super) async fn follow(world: &World, guest: &mut Guest, done: impl Fn(&World) -> bool) -> Result<()> {
    let start = Instant::now();
    while !done(world) {
        ensure!(start.elapsed() < LIMIT, "they see {:?}, and {:?}", world.rights(), world.seen_members());
        ensure!(!guest.seen.is_out(), "it is out: {}", guest.seen.outcome());
        guest.listen(STEP, |guest| guest.seen.is_out()).await;
    }
    Ok(())
}

const STEP: Duration = Duration::from_millis(50);
pub(super) const LIMIT: Duration = Duration::from_secs(20);

/// What the programs print about a member that lies: its name is that of all hostile guests.
const ALARM: &str = "Your keys differ from those of Mallory (The server)";

/// How long it lies, at most: three beacons of the others.
const LYING: Duration = Duration::from_secs(15);

/// Between two beacons: as often as the server passes them on.
const BEACON_INTERVAL: Duration = Duration::from_secs(1);

/// Higher than the counters of the beacons that its honest part has sent.
const FIRST_COUNTER: u64 = 1_000;

//! A guest that sends keys which some members cannot read: first a guest, then the organiser. Of the others, only the smaller part may
//! lose the meeting, for a moment. The programs
//! are honest ones.

use super::guest::Guest;
use super::report::{Report, Row};
use super::waiting_room::{events, find, start};
use super::wire::another_address;
use super::world::Host;
use crate::program::{Program, client};
use crate::temp_folder::TempFolder;
use anyhow::{Context, Result, bail, ensure};
use proto::{ParticipantId, Up};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;

/// Sends both commits.
///
/// # Errors
/// Returns an error if a program does not start, or a victim does not come back.
pub async fn attack(report: &mut Report) -> Result<()> {
    let folder = TempFolder::create("attack-half-valid")?;
    let host = Host::start(&folder.path("data"))?;
    let server = host.address.to_string();
    let olga = start("Olga", client(&["meet", "--server", &server, "--fingerprint", &host.fingerprint]));
    let link = find(&olga, "the meeting is open", |event| event["entered"]["link"].as_str().map(str::to_owned))?;
    let mut guests = Vec::new();
    for name in ["Nina", "Paul"] {
        let mut guest = start(name, client(&["join", "-"]));
        guest.send_line(&link);
        find(&guest, "it is in", |event| event.get("entered").map(|_| ()))?;
        guests.push(guest);
    }
    let [nina, paul] = &guests[..] else { bail!("two guests") };
    let mut mallory = join(&olga, &link, host.address).await?;
    // Paul's leaf is the one beside Mallory's.
    ensure!(mallory.spoil(&[id(&olga, "Paul")?]).await, "it can send the commit");
    mallory.listen(STEP, |guest| guest.seen.is_out()).await;
    find(paul, "the victim is back", |event| (event["notice"] == "reconnected").then_some(()))?;
    find(&olga, "the organiser knows by whom", |event| (event["notice"] == "keys-reported").then_some(()))?;
    report.rows.push(row("a guest", &[("Olga", &olga), ("Nina", nina)], &mallory));
    mallory.wire.send(&Up::Leave).await;
    let (before_nina, before_paul) = (lost(nina), lost(paul));
    let mut mallory = join(&olga, &link, host.address).await?;
    ensure!(mallory.spoil(&[id(&olga, "Olga")?]).await, "it can send the commit");
    mallory.listen(LIMIT, |guest| guest.seen.is_out()).await;
    ensure!(mallory.seen.is_out(), "the organiser removes it");
    // Nina has the same key in the tree as the organiser, so no majority has merged it. Who has merged it joins again.
    find(paul, "Paul is back", |_| (lost(paul) > before_paul && lost(paul) == back(paul)).then_some(()))?;
    let mut row = row("the organiser", &[("Olga", &olga)], &mallory);
    row.success |= lost(nina) > before_nina;
    report.rows.push(row);
    Ok(())
}

/// Lets a hostile guest join, and waits until the organiser's program lists it.
async fn join(olga: &Program, link: &str, server: SocketAddr) -> Result<Guest> {
    let mut guest = Guest::join(link, another_address(), server).await?;
    let me = format!("{:016x}", guest.me().context("it is a member")?.0);
    let lists = |event: &Value| event["people"].as_array()?.iter().any(|person| person["id"] == me).then_some(());
    find(olga, "the organiser lists it", lists)?;
    guest.listen(STEP, |guest| guest.seen.is_out()).await;
    guest.catch_up().await?;
    Ok(guest)
}

/// Returns the id of a member, as the organiser sees it.
fn id(olga: &Program, name: &str) -> Result<ParticipantId> {
    let of = |event: &Value| {
        let people = event["people"].as_array()?;
        let person = people.iter().find(|person| person["name"] == name)?;
        person["id"].as_str().map(str::to_owned)
    };
    let id = events(olga).iter().rev().find_map(of).context("it is a member")?;
    Ok(ParticipantId(u64::from_str_radix(&id, 16)?))
}

/// Returns how often a program has lost the meeting.
fn lost(program: &Program) -> usize {
    events(program).iter().filter(|event| event["notice"] == "reconnecting").count()
}

/// Returns how often a program has come back.
fn back(program: &Program) -> usize {
    events(program).iter().filter(|event| event["notice"] == "reconnected").count()
}

/// Returns the row of an attack, which has succeeded if one of `others` has lost the meeting.
fn row(victim: &str, others: &[(&str, &Program)], mallory: &Guest) -> Row {
    let out: Vec<_> = others.iter().filter(|(_, program)| lost(program) > 0).map(|(name, _)| *name).collect();
    Row {
        attacker: "guest",
        state: "valid leaf key",
        message: format!("Up::Commit (whose path secret {victim} cannot decrypt)"),
        kinds: vec!["Up::Commit"],
        outcome: format!(
            "only the victim joins again; the author: {}; others: {}",
            mallory.seen.outcome(),
            out.join(", ")
        ),
        success: !out.is_empty(),
    }
}

const STEP: Duration = Duration::from_millis(500);
const LIMIT: Duration = Duration::from_secs(20);

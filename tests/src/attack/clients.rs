//! Hostile strangers and guests: every message in every state of their connections.

use super::catalogue::{self, Attempt, Facts};
use super::effort::Extent;
use super::guest::{Guest, knock};
use super::report::{Report, Row};
use super::wire::{Wire, another_address, problem};
use super::world::World;
use anyhow::{Context, Result};
use futures_util::{StreamExt, stream};
use proto::{Blob, Down, MeetingId, ServerMessage, Up};
use std::net::SocketAddr;
use std::time::Duration;

/// A state of a connection that does not belong to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OutsiderState {
    NotGreeted,
    Greeted,
    Approached,
    Knocking,
}

impl OutsiderState {
    const ALL: [Self; 4] = [Self::NotGreeted, Self::Greeted, Self::Approached, Self::Knocking];

    fn name(self) -> &'static str {
        match self {
            Self::NotGreeted => "not greeted",
            Self::Greeted => "greeted",
            Self::Approached => "approached",
            Self::Knocking => "knocking",
        }
    }

    /// Opens a connection in this state.
    async fn open(self, server: SocketAddr, facts: &Facts) -> Result<Wire> {
        let from = another_address();
        let approached = |message: &Down| matches!(message, Down::AdmissionKey { .. } | Down::Problem { .. });
        match self {
            Self::NotGreeted => Wire::connect(from, server).await,
            Self::Greeted => Wire::greeted(from, server).await,
            Self::Approached => {
                let mut wire = Wire::greeted(from, server).await?;
                wire.send(&Up::Approach { meeting: facts.meeting }).await;
                wire.wait_for(STEP, approached).await.context("no answer to an approach")?;
                Ok(wire)
            }
            Self::Knocking => knock(from, server, facts).await,
        }
    }
}

/// Tries every message in every state of a client that is not a member. `facts` is what it knows.
///
/// # Errors
/// Returns an error if the server does not accept connections.
pub async fn outsiders(attacker: &'static str, server: SocketAddr, facts: &Facts, extent: Extent) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for state in OutsiderState::ALL {
        let numbers = (0..catalogue::of_client(facts).len()).filter(|number| extent.includes(*number));
        let attempts = numbers.map(|number| async move {
            let mut wire = state.open(server, facts).await?;
            let facts = Facts { me: wire.me.unwrap_or(facts.me), ..facts.clone() };
            let attempt = catalogue::of_client(&facts).swap_remove(number);
            anyhow::Ok(try_outside(attacker, state.name(), &mut wire, attempt).await)
        });
        let results: Vec<_> = stream::iter(attempts).buffer_unordered(AT_ONCE).collect().await;
        rows.extend(results.into_iter().collect::<Result<Vec<_>>>()?);
    }
    Ok(rows)
}

/// Sends a message on a connection that does not belong to a member. The attack succeeds if the client becomes a member or
/// receives any message for members.
async fn try_outside(attacker: &'static str, state: &'static str, wire: &mut Wire, attempt: Attempt) -> Row {
    let (message, kinds) = (attempt.label(), attempt.kinds.clone());
    wire.send_bytes(attempt.bytes).await;
    let (answers, closed) = wire.answers(ANSWER).await;
    let success = answers.iter().any(|answer| match answer {
        ServerMessage::Sfu(_) => true,
        ServerMessage::Meeting(message) => is_of_members(message),
    });
    Row { attacker, state, message, kinds, outcome: describe(&answers, closed), success }
}

fn is_of_members(message: &Down) -> bool {
    match message {
        Down::Admitted { .. }
        | Down::Tree { .. }
        | Down::Knocked { .. }
        | Down::Withdrew { .. }
        | Down::Lobby { .. }
        | Down::Relayed { .. }
        | Down::Log { .. }
        | Down::CommitTooLate { .. }
        | Down::Removed { .. }
        | Down::Resumed
        | Down::Returned { .. }
        | Down::Beacon { .. }
        | Down::MemberBeacon { .. }
        | Down::Presence { .. }
        | Down::Skipped { .. }
        | Down::Ended { .. } => true,
        Down::Hello { .. }
        | Down::Created { .. }
        | Down::AdmissionKey { .. }
        | Down::Refused { .. }
        | Down::Ping
        | Down::Problem { .. } => false,
    }
}

fn describe(answers: &[ServerMessage], closed: bool) -> String {
    if let Some(problem) = problem(answers) {
        return format!("disconnected: {problem:?}");
    }
    let last = answers.iter().rev().find_map(|answer| match answer {
        ServerMessage::Meeting(Down::Refused { why }) => Some(format!("refused: {why:?}")),
        ServerMessage::Meeting(Down::Created { .. }) => Some("has a meeting of its own".to_owned()),
        ServerMessage::Meeting(message) if is_of_members(message) => Some("treated as a member".to_owned()),
        ServerMessage::Meeting(_) | ServerMessage::Sfu(_) => None,
    });
    last.unwrap_or_else(|| if closed { "disconnected".into() } else { "no effect".into() })
}

/// Tries every message of strangers, who know only the id of the meeting.
///
/// # Errors
/// Returns an error if the server does not accept connections.
pub async fn strangers(server: SocketAddr, meeting: MeetingId, extent: Extent) -> Result<Vec<Row>> {
    let facts = Facts { request: Blob(vec![0xa5; 1_500]), ..Facts::of_meeting(meeting) };
    outsiders("stranger", server, &facts, extent).await
}

/// Tries every message of a guest: of an accomplice outside that knows all that the guest knows, of the guest itself, after
/// it has resumed, and while its connection is lost.
///
/// # Errors
/// Returns an error if a guest is not admitted.
pub async fn guests(world: &mut World, extent: Extent, report: &mut Report) -> Result<()> {
    let spy = join(world).await?;
    let mut rows = outsiders("guest", world.address, &spy.facts, extent).await?;
    blame(world, &mut rows);
    report.rows.extend(rows);
    for state in [MemberState::Member, MemberState::Resumed] {
        report.rows.extend(Box::pin(members(world, extent, state)).await?);
    }
    report.rows.extend(absent(world, extent).await?);
    drop(spy);
    Ok(())
}

/// Joins as a guest, from an address of its own.
///
/// # Errors
/// Returns an error if it is not admitted.
pub async fn join(world: &World) -> Result<Guest> {
    let link = world.link().context("there is a link")?;
    Guest::join(&link, another_address(), world.address).await
}

/// Marks the last row as a success if something has gone wrong on the honest side.
pub fn blame(world: &mut World, rows: &mut [Row]) {
    let complaints = world.complaints();
    if let Some(last) = rows.last_mut()
        && !complaints.is_empty()
    {
        last.success = true;
        last.outcome = complaints.join("; ");
    }
}

/// A state of a member's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MemberState {
    Member,
    Resumed,
}

impl MemberState {
    fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Resumed => "resumed",
        }
    }

    async fn open(self, world: &World) -> Result<Guest> {
        let mut guest = join(world).await?;
        if self == Self::Resumed {
            let mut wire = Wire::greeted(another_address(), world.address).await?;
            let Facts { meeting, me: participant, token, position, .. } = guest.facts;
            wire.send(&Up::Resume { meeting, participant, token, position }).await;
            wire.wait_for(STEP, |message| *message == Down::Resumed).await.context("not resumed")?;
            // The participant is the one before.
            wire.me = Some(participant);
            guest.wire = wire;
        }
        Ok(guest)
    }
}

/// Tries every message on a member's connection. Joins again whenever the server has disconnected the member.
async fn members(world: &mut World, extent: Extent, state: MemberState) -> Result<Vec<Row>> {
    let (mut rows, mut member): (Vec<Row>, Option<Guest>) = (Vec::new(), None);
    for number in (0..MAX_ATTEMPTS).filter(|number| extent.includes(*number)) {
        let mut guest = match member.take() {
            Some(guest) => guest,
            None => match Box::pin(state.open(world)).await {
                Ok(guest) => guest,
                Err(error) => {
                    // A message that was sent before keeps others out.
                    let outcome = format!("no guest can join any more: {error:#}");
                    let message = "all messages so far".to_owned();
                    let (attacker, state) = ("guest", state.name());
                    rows.push(Row { attacker, state, message, kinds: Vec::new(), outcome, success: true });
                    break;
                }
            },
        };
        if guest.catch_up().await.is_err() {
            continue;
        }
        let Some(attempt) = catalogue::of_client(&guest.facts).into_iter().nth(number) else { break };
        let (message, kinds) = (attempt.label(), attempt.kinds.clone());
        guest.wire.send_bytes(attempt.bytes).await;
        let closed = guest.listen(ANSWER, |guest| guest.seen.is_out()).await;
        let outcome = guest.seen.outcome();
        rows.push(Row { attacker: "guest", state: state.name(), message, kinds, outcome, success: false });
        blame(world, &mut rows);
        member = (!closed).then_some(guest);
    }
    Ok(rows)
}

/// Tries every message on connections of a member that has lost its own.
async fn absent(world: &mut World, extent: Extent) -> Result<Vec<Row>> {
    let guest = join(world).await?;
    let (facts, server) = (guest.facts.clone(), world.address);
    drop(guest);
    let mut rows = from_outside(server, "absent", &facts, extent).await?;
    blame(world, &mut rows);
    Ok(rows)
}

/// Tries every message on new connections of a client that is, or was, a member with these facts.
///
/// # Errors
/// Returns an error if the server does not accept connections.
pub async fn from_outside(server: SocketAddr, state: &'static str, facts: &Facts, extent: Extent) -> Result<Vec<Row>> {
    let all = catalogue::of_client(facts).into_iter().enumerate();
    let attempts = all.filter(|(number, _)| extent.includes(*number)).map(|(_, attempt)| async move {
        let mut wire = Wire::greeted(another_address(), server).await?;
        anyhow::Ok(try_outside("guest", state, &mut wire, attempt).await)
    });
    let results: Vec<_> = stream::iter(attempts).buffer_unordered(AT_ONCE).collect().await;
    results.into_iter().collect()
}

/// The messages that are tried at once.
const AT_ONCE: usize = 8;

/// More than there are.
const MAX_ATTEMPTS: usize = 1_000;

/// How long the server's answer to an attempt is awaited.
const ANSWER: Duration = Duration::from_millis(150);

/// How long a step before an attempt may take.
const STEP: Duration = Duration::from_secs(10);

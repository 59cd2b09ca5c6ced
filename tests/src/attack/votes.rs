//! A hostile guest against votes: ballots without a right, twice, of another device, in another name, after the end, for an unknown vote,
//! and ends of somebody else's vote with invented sums; open and secret. Other members and the organiser vote meanwhile.

use super::chat::row;
use super::clients::{blame, join};
use super::guest::Guest;
use super::report::{Report, Row};
use super::world::World;
use anyhow::{Context, Result, bail};
use net::meeting::chat::LineId;
use proto::ParticipantId;
use std::time::Duration;

/// Attacks an open vote, then a secret one.
///
/// # Errors
/// Returns an error if the guest is not admitted, or the honest members do not see what they should.
pub async fn attack(world: &mut World, report: &mut Report) -> Result<()> {
    let mut guest = join(world).await?;
    let me = guest.me().context("it is a member")?;
    open(world, &mut guest, me, report).await?;
    secret(world, &mut guest, report).await?;
    flood(world, &mut guest, report).await
}

async fn open(world: &mut World, guest: &mut Guest, me: ParticipantId, report: &mut Report) -> Result<()> {
    let vote = ask(world, guest, "ask open").await?;
    world.choose(1)?;
    until(world, guest, ["false:1:0,1"; 3]).await?;
    // One ballot of its own counts.
    let own = guest.ballot(vote, 0, FIRST).context("it can vote")?;
    guest.send_chat(own).await;
    until(world, guest, ["false:2:1,1"; 3]).await?;
    try_all(world, guest, vote, "open vote", report).await;
    world.command("no-react", me);
    let has_none = |world: &World| {
        world.rights().iter().any(|line| line.starts_with(&format!("{}:", me.0)) && line.ends_with(":9bf"))
    };
    follow(world, guest, has_none).await.context("it has no right to vote")?;
    let body = guest.ballot(vote, 1, FIRST + 1).context("it can encrypt")?;
    try_one(world, guest, ("ChatMessage::Ballot", "without the right"), body, report).await;
    world.command("react", me);
    follow(world, guest, |world| !has_none(world)).await.context("it has the right again")?;
    world.say("end-votes now");
    until(world, guest, ["true:2:1,1"; 3]).await?;
    let body = guest.ballot(vote, 1, FIRST + 2).context("it can encrypt")?;
    try_one(world, guest, ("ChatMessage::Ballot", "after the end"), body, report).await;
    try_all(world, guest, vote, "vote that has ended", report).await;
    Ok(())
}

async fn secret(world: &mut World, guest: &mut Guest, report: &mut Report) -> Result<()> {
    let vote = ask(world, guest, "ask secret").await?;
    world.choose(1)?;
    until(world, guest, ["false:1:-,-", "false:0:-,-", "false:0:-,-"]).await?;
    let body = guest.ballot(vote, 0, FIRST).context("it can encrypt")?;
    try_one(world, guest, ("ChatMessage::Ballot", "that everybody can read, in a secret vote"), body, report).await;
    try_all(world, guest, vote, "secret vote", report).await;
    world.say("end-votes now");
    until(world, guest, ["true:1:0,1"; 3]).await?;
    Ok(())
}

/// Sends as many ballots as the server accepts. The last vote is still counted.
async fn flood(world: &mut World, guest: &mut Guest, report: &mut Report) -> Result<()> {
    let vote = ask(world, guest, "ask open").await?;
    let mut sent = 0;
    while sent < FLOOD && !guest.seen.is_out() {
        let body = guest.ballot(vote, 0, FIRST + sent).context("it can vote")?;
        if !guest.send_chat(body).await {
            break;
        }
        sent += 1;
    }
    guest.listen(AFTER_FLOOD, |guest| guest.seen.is_out()).await;
    let mut rows = vec![row(&["ChatMessage::Ballot"], "a flood", format!("{}, {sent} messages", guest.seen.outcome()))];
    world.choose(1)?;
    let counted = |world: &World| world.votes().iter().all(|vote| vote.ends_with(",1"));
    follow(world, guest, counted).await.context("the honest ballot counts after a flood")?;
    blame(world, &mut rows);
    report.rows.extend(rows);
    Ok(())
}

/// Lets the organiser ask, and waits until all know the vote.
async fn ask(world: &mut World, guest: &mut Guest, command: &str) -> Result<LineId> {
    let (before, known) = (world.vote_count(), guest.seen.votes.len());
    world.say(command);
    let is_new =
        |world: &World| world.vote_count() > before && world.votes().iter().all(|vote| vote.starts_with("false:0:"));
    follow(world, guest, is_new).await.context("all know the vote")?;
    guest.listen(LIMIT, |guest| guest.seen.votes.len() > known).await;
    guest.seen.votes.last().copied().context("the guest knows the vote")
}

async fn try_all(world: &mut World, guest: &mut Guest, vote: LineId, what: &str, report: &mut Report) {
    for forged in guest.against_vote(vote, FIRST) {
        let what = format!("{}, in an {what}", forged.what);
        try_one(world, guest, (forged.kind, &what), forged.body, report).await;
    }
}

/// Sends a message that may change nothing of the vote for anybody.
async fn try_one(
    world: &mut World,
    guest: &mut Guest,
    (kind, what): (&'static str, &str),
    body: Vec<u8>,
    report: &mut Report,
) {
    let before = world.votes();
    let is_sent = guest.send_chat(body).await;
    guest.listen(ANSWER, |guest| guest.seen.is_out()).await;
    let outcome = if is_sent { guest.seen.outcome() } else { "not sent".into() };
    let (after, mut row) = (world.votes(), row(&[kind], what, outcome));
    if after != before {
        row = Row { success: true, outcome: format!("the vote changed from {before:?} to {after:?}"), ..row };
    }
    let mut rows = vec![row];
    blame(world, &mut rows);
    report.rows.extend(rows);
}

/// Waits until the organiser and the honest guests know this of the last vote.
async fn until(world: &World, guest: &mut Guest, expected: [&str; 3]) -> Result<()> {
    follow(world, guest, |world| world.votes() == expected).await.with_context(|| format!("expected {expected:?}"))
}

async fn follow(world: &World, guest: &mut Guest, done: impl Fn(&World) -> bool) -> Result<()> {
    let end = std::time::Instant::now() + LIMIT;
    while !done(world) {
        if std::time::Instant::now() > end {
            bail!("they see {:?}, and {:?}", world.votes(), world.rights());
        }
        guest.listen(STEP, |_| false).await;
    }
    Ok(())
}

/// The number of its first ballot.
const FIRST: u64 = 50;
const STEP: Duration = Duration::from_millis(50);
/// How long the effect of a message is awaited: three round trips of the honest members.
const ANSWER: Duration = Duration::from_millis(400);
const AFTER_FLOOD: Duration = Duration::from_secs(1);
const LIMIT: Duration = Duration::from_secs(20);
/// More ballots than the server accepts at once.
const FLOOD: u64 = 400;

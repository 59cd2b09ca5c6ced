//! A hostile guest in the chat: forged edits, removals and lines from before, junk, messages that are too long, floods of lines and of
//! what is being typed.

use super::clients::{blame, join};
use super::report::{Report, Row};
use super::world::World;
use anyhow::{Context, Result};
use crypto::DeviceKey;
use net::meeting::chat::{LineId, samples, typing_samples};
use std::time::Duration;

/// Sends every hostile message of the chat, then as many as the server accepts.
///
/// # Errors
/// Returns an error if a guest is not admitted.
pub async fn messages(world: &mut World, report: &mut Report) -> Result<()> {
    let mut guest = join(world).await?;
    let victim = *guest.facts.others.first().context("there are others")?;
    let line = LineId { device: DeviceKey([7; 32]), counter: 1 };
    let mut rows = Vec::new();
    for forged in guest.hostile_chat(line, "Anna", victim) {
        guest.catch_up().await?;
        guest.send_chat(forged.body).await;
        guest.listen(STEP, |guest| guest.seen.is_out()).await;
        rows.push(row(&[forged.kind], forged.what, guest.seen.outcome()));
    }
    let private = guest.hostile_private(line, victim);
    anyhow::ensure!(!private.is_empty(), "the victim has answered with its key");
    for forged in private {
        guest.catch_up().await?;
        guest.send_chat(forged.body).await;
        guest.listen(STEP, |guest| guest.seen.is_out()).await;
        rows.push(row(&["ChatMessage::Private", forged.kind], forged.what, guest.seen.outcome()));
    }
    // Half a second as fast as its keys allow, which is more than the others show.
    let typed = typing_samples();
    for (count, body) in (1..).zip(typed.iter().cycle().take(20)) {
        guest.send_typing(count, body).await;
    }
    guest.listen(STEP, |guest| guest.seen.is_out()).await;
    rows.push(Row { kinds: vec!["Up::Relay"], ..row(&[], "typing", guest.seen.outcome()) });
    let body = samples().into_iter().next().context("there are samples")?;
    let mut sent = 0;
    while sent < FLOOD && !guest.seen.is_out() && guest.send_chat(body.clone()).await {
        sent += 1;
    }
    guest.listen(AFTER_FLOOD, |guest| guest.seen.is_out()).await;
    rows.push(row(&[], "a flood", format!("{}, {sent} messages", guest.seen.outcome())));
    blame(world, &mut rows);
    report.rows.extend(rows);
    Ok(())
}

/// [`blame`] finds out whether the honest members have noticed anything.
pub(super) fn row(kinds: &[&'static str], what: &str, outcome: String) -> Row {
    let (message, kinds) = (format!("{} ({what})", kinds.last().unwrap_or(&"Message::Chat")), [&KINDS, kinds].concat());
    Row { attacker: "guest", state: "member", message, kinds, outcome, success: false }
}

/// The kinds of its messages, from the outside in.
pub const KINDS: [&str; 2] = ["Up::Tell", "Message::Chat"];

const STEP: Duration = Duration::from_millis(50);
const AFTER_FLOOD: Duration = Duration::from_secs(1);
/// More messages than the server accepts at once.
const FLOOD: usize = 400;

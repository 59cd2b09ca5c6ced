//! A hostile guest in the chat: forged edits, removals and lines from before, junk, messages that are too long, floods of lines and of
//! what is being typed.

use super::clients::{blame, join};
use super::guest::Guest;
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
    let honest = typing_samples();
    for (count, body) in (1..).zip(honest.iter().cycle().take(20)) {
        guest.send_typing(count, body).await;
    }
    guest.listen(STEP, |guest| guest.seen.is_out()).await;
    rows.push(Row { kinds: TYPING_KINDS.into(), ..row(&[], "typing", guest.seen.outcome()) });
    blame(world, &mut rows);
    report.rows.append(&mut rows);
    typed(world, &mut guest, report).await;
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

/// Sends bodies of typed text that no honest program sends, sealed and signed with its real keys. Nobody may see anything of them.
async fn typed(world: &mut World, guest: &mut Guest, report: &mut Report) {
    // After what was typed before is shown.
    guest.listen(ANSWER, |guest| guest.seen.is_out()).await;
    for (count, (what, body)) in (100..).zip(typed_bodies()) {
        let before = world.typed();
        let is_sent = guest.send_typing(count, &body).await;
        guest.listen(ANSWER, |guest| guest.seen.is_out()).await;
        let outcome = if is_sent { guest.seen.outcome() } else { "not sent".into() };
        let mut row = Row { kinds: TYPING_KINDS.into(), ..row(&[], what, outcome) };
        row.message = format!("Up::Relay Body ({what})");
        if let Some(text) = world.typed().iter().zip(before).find_map(|(now, before)| now.get(before.len()).cloned()) {
            (row.success, row.outcome) = (true, format!("somebody sees {text:?}"));
        }
        let mut rows = vec![row];
        blame(world, &mut rows);
        report.rows.extend(rows);
    }
}

/// A body is an array of the number of the line, the characters before the text and the text (CBOR), with zeros up to 512 bytes.
fn typed_bodies() -> Vec<(&'static str, Vec<u8>)> {
    let padded = |mut bytes: Vec<u8>| {
        bytes.resize(512, 0);
        bytes
    };
    let text = |head: &[u8], length: usize| [&[0x83, 1, 0][..], head, &vec![b'x'; length]].concat();
    let mut dirty = padded(text(&[0x63], 3));
    dirty[511] = 1;
    vec![
        ("no bytes", Vec::new()),
        ("garbage", vec![0xff; 512]),
        ("zeros", vec![0; 512]),
        ("too short", text(&[0x63], 3)),
        ("longer than allowed", padded(text(&[0x79, 0x01, 0xe1], 481))),
        ("of endless length", padded(vec![0x83, 1, 0, 0x7b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
        ("with other padding", dirty),
        ("only characters that must not be shown", padded([&[0x83, 1, 0, 0x63][..], "\u{202e}".as_bytes()].concat())),
        ("too long", vec![0x83; 4_096]),
    ]
}

/// [`blame`] finds out whether the honest members have noticed anything.
pub(super) fn row(kinds: &[&'static str], what: &str, outcome: String) -> Row {
    let (message, kinds) = (format!("{} ({what})", kinds.last().unwrap_or(&"Message::Chat")), [&KINDS, kinds].concat());
    Row { attacker: "guest", state: "member", message, kinds, outcome, success: false }
}

/// The kinds of its messages, from the outside in.
pub const KINDS: [&str; 2] = ["Up::Tell", "Message::Chat"];

/// The kinds of a text that is being typed.
pub const TYPING_KINDS: [&str; 2] = ["Up::Relay", "Body"];

const STEP: Duration = Duration::from_millis(50);

/// How long the effect of a text is awaited: two round trips of the honest members. They show three a second of one member.
const ANSWER: Duration = Duration::from_millis(400);
const AFTER_FLOOD: Duration = Duration::from_secs(1);
/// More messages than the server accepts at once.
const FLOOD: usize = 400;

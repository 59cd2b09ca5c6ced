//! A hostile person in the waiting room, with the real key of its lobby chat: it sends every content, of the other side, too long, and
//! unclean. The manager is an honest program.

use super::guest::Guest;
use super::report::{Report, Row};
use super::wire::another_address;
use super::world::{Host, pause};
use crate::program::{NO_DEVICES, Program, TIMEOUT, client};
use crate::temp_folder::TempFolder;
use anyhow::{Context, Result, ensure};
use net::meeting::MAX_LOBBY_TEXT;
use net::meeting::hostile::FORGED_TEXT;
use proto::ParticipantId;
use serde_json::Value;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Sends each message. Then somebody honest is admitted.
///
/// # Errors
/// Returns an error if a program does not start, or the honest person is not admitted.
pub async fn attack(report: &mut Report) -> Result<()> {
    let folder = TempFolder::create("attack-waiting-room")?;
    let host = Host::start(&folder.path("data"))?;
    let server = host.address.to_string();
    let meet = ["meet", "--server", &server, "--fingerprint", &host.fingerprint, "--waiting-room"];
    let mut olga = start("Olga", client(&meet));
    let link = find(&olga, "the meeting is open", |event| event["entered"]["link"].as_str().map(str::to_owned))?;
    let id = find(&olga, "its id", |event| event["people"][0]["id"].as_str().map(str::to_owned))?;
    let manager = ParticipantId(u64::from_str_radix(&id, 16)?);
    let mut guest = Guest::knock(&link, another_address(), host.address).await?;
    let asks = |event: &Value| (event["asks"]["name"] == "Mallory").then_some(());
    find(&olga, "Mallory asks to join", asks)?;
    let messages = guest.lobby_messages(manager);
    ensure!(!messages.is_empty(), "it has the key of its lobby chat");
    for forged in messages {
        guest.wire.send(&forged.message).await;
        guest.listen(ANSWER, |guest| guest.seen.is_out()).await;
        let (mut outcome, mut success) = (guest.seen.outcome(), false);
        if let Some(text) = bad_text(&olga) {
            (outcome, success) = (format!("the manager reads {text:?}"), true);
        }
        let message = format!("Up::Lobby {} ({})", forged.kind, forged.what);
        let kinds = vec!["Up::Lobby", forged.kind];
        report.rows.push(Row { attacker: "stranger", state: "waiting room", message, kinds, outcome, success });
    }
    drop(guest);
    let mut nina = start("Nina", client(&["join", "-"]));
    nina.send_line(&link);
    find(&olga, "Nina asks to join", |event| (event["asks"]["name"] == "Nina").then_some(()))?;
    olga.send_line(r#"{"admit":{"name":"Nina"}}"#);
    find(&nina, "Nina is in", |event| event.get("entered").map(|_| ()))?;
    Ok(())
}

/// Starts a program that is controlled by lines, without devices.
pub(super) fn start(name: &str, mut command: Command) -> Program {
    command.args(NO_DEVICES).args(["--json", "--commands", "--no-recent", "--name", name]).stdin(Stdio::piped());
    Program::start(name, command)
}

/// Returns what a program has printed.
pub(super) fn events(program: &Program) -> Vec<Value> {
    program.output().iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Waits for an event of a program.
pub(super) fn find<T>(program: &Program, what: &str, wanted: impl Fn(&Value) -> Option<T>) -> Result<T> {
    tokio::task::block_in_place(|| {
        let start = Instant::now();
        loop {
            if let Some(found) = events(program).iter().rev().find_map(&wanted) {
                return Ok(found);
            }
            ensure!(program.is_running() && start.elapsed() < TIMEOUT, "{what}: {:?}", program.errors(0));
            pause();
        }
    })
    .with_context(|| format!("waiting for: {what}"))
}

/// Returns a text that the manager may not read.
fn bad_text(olga: &Program) -> Option<String> {
    let texts = events(olga).into_iter().filter_map(|event| event["lobby_text"]["text"].as_str().map(str::to_owned));
    let is_unclean = |text: &str| text.chars().any(|letter| letter.is_control() || letter == '\u{202e}');
    texts.into_iter().find(|text| text.contains(FORGED_TEXT) || text.len() > MAX_LOBBY_TEXT || is_unclean(text))
}

/// How long the effect of a message is awaited.
const ANSWER: Duration = Duration::from_millis(300);

//! A hostile server that gives one member two entries of the log in the other order: with their positions, or with those of the right
//! order. That member may not end up with another group, other roles or other rights than the others without a word.

use super::false_server::{FalseServer, Socket};
use super::report::{Report, Row};
use super::wire::{Received, Wire, another_address};
use super::world::{Host, pause};
use crate::program::{NO_DEVICES, Program, TIMEOUT, client};
use crate::temp_folder::TempFolder;
use anyhow::{Context, Result, ensure};
use futures_util::{SinkExt, StreamExt};
use proto::{Down, LogEntry, ServerMessage};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;

/// What is exchanged.
struct Case {
    what: &'static str,
    /// What the organiser does.
    commands: [&'static str; 2],
    /// True if the positions are those of the right order.
    renumbers: bool,
}

const COMMITS: [&str; 2] = [r#"{"role":{"of":"Carl","role":"presenter"}}"#, r#"{"role":{"of":"Carl","role":"guest"}}"#];
const COMMIT_AND_LINE: [&str; 2] = [r#"{"role":{"of":"Carl","role":"presenter"}}"#, r#"{"chat":"after the commit"}"#];
const ORDER_AND_LINE: [&str; 2] =
    [r#"{"stop-sending":{"of":"Carl","what":"microphone"}}"#, r#"{"chat":"after the order"}"#];
const CASES: [Case; 6] = [
    Case { what: "two commits, with their positions", commands: COMMITS, renumbers: false },
    Case { what: "two commits, renumbered", commands: COMMITS, renumbers: true },
    Case { what: "a commit and a line, with their positions", commands: COMMIT_AND_LINE, renumbers: false },
    Case { what: "a commit and a line, renumbered", commands: COMMIT_AND_LINE, renumbers: true },
    Case { what: "an order and a line, with their positions", commands: ORDER_AND_LINE, renumbers: false },
    Case { what: "an order and a line, renumbered", commands: ORDER_AND_LINE, renumbers: true },
];

/// Exchanges entries in each way, each time for another member.
///
/// # Errors
/// Returns an error if a program does not start, or is not admitted.
pub async fn attack(report: &mut Report) -> Result<()> {
    let folder = TempFolder::create("attack-reorder")?;
    let host = Host::start(&folder.path("data"))?;
    let server = host.address.to_string();
    let mut olga = start("Olga", client(&["meet", "--server", &server, "--fingerprint", &host.fingerprint]));
    let is_open = || events(&olga).iter().find_map(|event| event["entered"]["link"].as_str().map(str::to_owned));
    tokio::task::block_in_place(|| wait("the meeting is open", || is_open().is_some()))?;
    let link = is_open().context("a link")?;
    let mut carl = start("Carl", client(&["join", "-"]));
    carl.send_line(&link);
    for case in &CASES {
        let row = one(&mut olga, case, &link, host.address).await.with_context(|| case.what)?;
        report.rows.push(row);
        // The next member finds the meeting as it was.
        olga.send_line(r#"{"role":{"of":"Carl","role":"participant"}}"#);
        olga.send_line(r#"{"allow-sending":{"of":"Carl","what":"microphone"}}"#);
        let is_as_before =
            || roles(&olga).get("Carl").is_some_and(|role| role.contains("participant") && role.contains("microphone"));
        tokio::task::block_in_place(|| wait("the roles are as before", is_as_before))?;
    }
    Ok(())
}

async fn one(olga: &mut Program, case: &Case, link: &str, address: SocketAddr) -> Result<Row> {
    let shared = Arc::new(Mutex::new(State::default()));
    let relayed = Arc::clone(&shared);
    let relay = FalseServer::start(move |socket| serve(socket, address, Arc::clone(&relayed))).await?;
    let mut victor = start("Victor", client(&["join", "-"]));
    victor.send_line(&relay.link(link)?);
    let (outcome, success) = tokio::task::block_in_place(|| {
        wait("all are members", || roles(olga).len() == 3 && roles(&victor) == roles(olga))?;
        lock(&shared).renumbers = Some(case.renumbers);
        case.commands.iter().for_each(|command| olga.send_line(command));
        wait("two entries are exchanged", || lock(&shared).is_done)?;
        let start = Instant::now();
        // It may need a moment to come back.
        let is_decided = || !victor.is_running() || roles(&victor) == roles(olga);
        while start.elapsed() < AGREEMENT && !(is_decided() && start.elapsed() > MOMENT) {
            pause();
        }
        anyhow::Ok(judge(&victor, olga))
    })?;
    let is_running = victor.is_running();
    victor.send_line(r#"{"leave":true}"#);
    drop(victor);
    if is_running {
        tokio::task::block_in_place(|| wait("Victor has left", || !roles(olga).contains_key("Victor")))?;
    }
    let message = format!("Down::Log (in another order: {})", case.what);
    let kinds = vec!["Down::Log"];
    Ok(Row { attacker: "server", state: "re-ordering", message, kinds, outcome, success })
}

fn judge(victor: &Program, olga: &Program) -> (String, bool) {
    let lines = victor.errors(0);
    let printed = |part: &str| lines.iter().any(|line| line.contains(part));
    let last = lines.iter().rev().find(|line| !line.contains(" INFO ")).cloned().unwrap_or_default();
    if printed("panicked") {
        (format!("crashed: {last}"), true)
    } else if victor.is_running() {
        let agrees = roles(victor) == roles(olga);
        (if agrees { "goes on, and agrees with the others" } else { "goes on with other roles" }.into(), !agrees)
    } else if printed("(The server)") || printed("Server error") {
        (format!("ends and blames the server: {last}"), false)
    } else {
        (format!("blames the wrong party: {last}"), true)
    }
}

fn start(name: &str, mut command: Command) -> Program {
    command.args(NO_DEVICES).args(["--json", "--commands", "--no-recent", "--name", name]).stdin(Stdio::piped());
    Program::start(name, command)
}

fn events(program: &Program) -> Vec<Value> {
    program.output().iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Returns the role and the rights of everybody, by name, in the newest list that a program has printed.
fn roles(program: &Program) -> BTreeMap<String, String> {
    let people = events(program).iter().rev().find_map(|event| event["people"].as_array().cloned()).unwrap_or_default();
    let name = |person: &Value| person["name"].as_str().unwrap_or_default().to_owned();
    people.iter().map(|person| (name(person), format!("{} {}", person["role"], person["rights"]))).collect()
}

fn wait(what: &str, done: impl Fn() -> bool) -> Result<()> {
    let start = Instant::now();
    while !done() {
        ensure!(start.elapsed() < TIMEOUT, "not within {TIMEOUT:?}: {what}");
        pause();
    }
    Ok(())
}

#[derive(Default)]
struct State {
    /// Whether the exchanged entries get each other's positions. `None` until the attack begins.
    renumbers: Option<bool>,
    /// The entry that is kept back.
    held: Option<Down>,
    is_done: bool,
}

impl State {
    /// Returns what is sent to the client instead of a message.
    fn pass(&mut self, message: Down) -> Vec<Down> {
        let is_entry = matches!(message, Down::Log { entry: LogEntry::Managed { .. } | LogEntry::Told { .. }, .. });
        let Some(renumbers) = self.renumbers.filter(|_| !self.is_done) else { return vec![message] };
        match self.held.take() {
            None if is_entry => {
                self.held = Some(message);
                Vec::new()
            }
            // Nothing overtakes the entry that is kept back.
            Some(held) if is_entry => {
                self.is_done = true;
                exchanged(held, message, renumbers)
            }
            held => {
                self.held = held;
                vec![message]
            }
        }
    }
}

fn exchanged(first: Down, second: Down, renumbers: bool) -> Vec<Down> {
    match (first, second) {
        (Down::Log { position, entry }, Down::Log { position: later, entry: second }) if renumbers => {
            vec![Down::Log { position, entry: second }, Down::Log { position: later, entry }]
        }
        (first, second) => vec![second, first],
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(mut socket: Socket, real: SocketAddr, shared: Arc<Mutex<State>>) -> Result<()> {
    let mut wire = Wire::connect(another_address(), real).await?;
    loop {
        let far = tokio::time::Instant::now() + Duration::from_mins(1);
        tokio::select! {
            message = socket.next() => if let Message::Binary(bytes) = message.context("closed")?? {
                wire.send_bytes(bytes.to_vec()).await;
            },
            received = wire.next(far) => match received {
                Received::Message(ServerMessage::Meeting(message)) => {
                    let passed = lock(&shared).pass(message);
                    for message in passed {
                        socket.send(Message::Binary(proto::encode(&message).into())).await?;
                    }
                }
                Received::Message(message) => socket.send(Message::Binary(proto::encode(&message).into())).await?,
                Received::Closed | Received::Nothing => return Ok(()),
            },
        }
    }
}

/// How long it may take until the member agrees with the others: an order that it has lost is in the policy after five seconds.
const AGREEMENT: Duration = Duration::from_secs(15);

/// The effect of both entries.
const MOMENT: Duration = Duration::from_millis(500);

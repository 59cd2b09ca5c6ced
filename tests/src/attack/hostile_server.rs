//! A hostile server: every message of a server in every state of a client. It passes everything between the client and a
//! real server until the client is in the state that is attacked. Then it sends the messages of the attack.

use super::catalogue::{self, Facts};
use super::effort::Extent;
use super::false_server::{FalseServer, Socket};
use super::kinds;
use super::report::Row;
use super::wire::{Wire, another_address};
use super::world::{Host, pause};
use crate::program::{NO_DEVICES, Program, TIMEOUT, client};
use crate::temp_folder::TempFolder;
use anyhow::{Context, Result};
use crypto::Invitation;
use futures_util::{SinkExt, StreamExt};
use proto::{ClientMessage, Down, LogEntry, ManagerCommand, MeetingId, Position, ServerMessage, Up};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

/// A state of the client that is attacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has greeted.
    Greeting,
    /// It has asked for the admission key.
    Approaching,
    /// It waits to be admitted.
    Knocking,
    /// It is admitted, and waits for the tree.
    Admitted,
    /// It is a guest.
    Member,
    /// It has lost its connection, and resumes.
    Resuming,
    /// It could not resume, and knocks again.
    Rejoining,
    /// It has asked to open a meeting.
    Creating,
    /// It is the organiser.
    Organiser,
}

impl State {
    /// All states.
    pub const ALL: [Self; 9] = [
        Self::Greeting,
        Self::Approaching,
        Self::Knocking,
        Self::Admitted,
        Self::Member,
        Self::Resuming,
        Self::Rejoining,
        Self::Creating,
        Self::Organiser,
    ];

    /// Returns its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Greeting => "greeting",
            Self::Approaching => "approaching",
            Self::Knocking => "knocking",
            Self::Admitted => "admitted",
            Self::Member => "member",
            Self::Resuming => "resuming",
            Self::Rejoining => "rejoining",
            Self::Creating => "creating",
            Self::Organiser => "organiser",
        }
    }

    fn creates(self) -> bool {
        matches!(self, Self::Creating | Self::Organiser)
    }

    /// Returns true if the client is a member. Then it believes only the organiser's signature that it was removed or that the
    /// meeting was ended. The refusal of a client that knocks is not signed.
    fn is_inside(self) -> bool {
        matches!(self, Self::Member | Self::Resuming | Self::Organiser)
    }
}

/// Attacks clients in `state` until every message was sent.
///
/// # Errors
/// Returns an error if a program does not start.
pub async fn attack(state: State, extent: Extent) -> Result<Vec<Row>> {
    let folder = TempFolder::create(&format!("attack-{}", state.name()))?;
    let host = Host::start(&folder.path("data"))?;
    let organiser = start_organiser(&host);
    let link = tokio::task::block_in_place(|| organiser.first_line());
    let meeting = link.parse::<Invitation>()?.meeting;
    let all = catalogue::of_server(&Facts::of_meeting(meeting)).len();
    // With a signed command, there are four messages more.
    let numbers: VecDeque<usize> = (0..all + 4).filter(|number| extent.includes(*number)).collect();
    let numbers = Arc::new(Mutex::new(numbers));
    let mut workers = JoinSet::new();
    for _ in 0..VICTIMS_AT_ONCE {
        workers.spawn(attack_victims(state, host.address, link.clone(), Arc::clone(&numbers)));
    }
    let mut rows = Vec::new();
    while let Some(ended) = workers.join_next().await {
        rows.extend(ended??);
    }
    Ok(rows)
}

/// Attacks one client after the other, until all numbers are taken.
async fn attack_victims(state: State, server: SocketAddr, link: String, numbers: Numbers) -> Result<Vec<Row>> {
    let meeting = link.parse::<Invitation>()?.meeting;
    let mut rows = Vec::new();
    while !lock(&numbers).is_empty() {
        let shared = Arc::new(Shared { plan: Mutex::new(Plan::new(state, meeting, Arc::clone(&numbers))) });
        let relayed = Arc::clone(&shared);
        let relay = FalseServer::start(move |socket| serve(socket, server, Arc::clone(&relayed))).await?;
        let victim = start_victim(state, &link, &relay)?;
        rows.extend(tokio::task::block_in_place(|| observe(&victim, state, &shared)));
    }
    Ok(rows)
}

/// The numbers in the catalogue of the messages that are left to send.
type Numbers = Arc<Mutex<VecDeque<usize>>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn start_organiser(host: &Host) -> Program {
    let server = host.address.to_string();
    let meet = ["meet", "--server", &server, "--fingerprint", &host.fingerprint, "--no-recent", "--name", "Olga"];
    Program::start("organiser", client(&[&meet[..], NO_DEVICES.as_slice()].concat()))
}

fn start_victim(state: State, link: &str, relay: &FalseServer) -> Result<Program> {
    let mut command = if state.creates() {
        let (server, fingerprint) = (format!("127.0.0.1:{}", relay.port), hex(&relay.fingerprint));
        let meet = ["meet", "--server", &server, "--fingerprint", &fingerprint, "--no-recent"];
        client(&[&meet[..], NO_DEVICES.as_slice()].concat())
    } else {
        client(&[&["join", &relay.link(link)?, "--no-recent"], NO_DEVICES.as_slice()].concat())
    };
    command.env("CONCLAVE_LOG", "warn,conclave=info");
    Ok(Program::start("victim", command))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // A string accepts everything.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Waits for what happens to one victim, and returns a row for each message that was sent to it.
fn observe(victim: &Program, state: State, shared: &Shared) -> Vec<Row> {
    let start = Instant::now();
    let mut most = 0;
    loop {
        pause();
        most = most.max(victim.resident_bytes());
        let mut plan = shared.plan();
        let is_over = plan.is_over() || !victim.is_running();
        // A client that neither answers nor ends hangs.
        let hangs = start.elapsed() > HANG_TIMEOUT && plan.last_sent.is_none_or(|sent| sent.elapsed() > HANG_TIMEOUT);
        if !is_over && !hangs {
            continue;
        }
        let mut rows = std::mem::take(&mut plan.sent);
        plan.finished = true;
        let connections = plan.connections;
        drop(plan);
        let Some(last) = rows.last_mut() else {
            // Another worker may have taken the last message.
            if lock(&shared.plan().numbers).is_empty() {
                return rows;
            }
            let lines = victim.errors(0).join("; ");
            return vec![row(state, "nothing".into(), Vec::new(), format!("not in this state: {lines}"), true)];
        };
        if last.outcome.is_empty() {
            // It may print why it ends, or connect again.
            let start = Instant::now();
            let decided = || !victim.is_running() || shared.plan().connections > connections;
            while !hangs && !decided() && start.elapsed() < END_TIMEOUT {
                pause();
            }
            judge(victim, state, last, hangs);
        }
        if most > MAX_CLIENT_BYTES {
            (last.success, last.outcome) = (true, format!("{} MiB of memory", most >> 20));
        }
        return rows;
    }
}

/// Decides what became of a client whose connection ended after the last message.
fn judge(victim: &Program, state: State, row: &mut Row, hangs: bool) {
    let lines = victim.errors(0);
    let printed = |part: &str| lines.iter().any(|line| line.contains(part));
    let untrue = ["The organiser removed you", "The organiser ended the meeting"];
    let last = lines.iter().rev().find(|line| !line.contains(" INFO ")).cloned().unwrap_or_default();
    (row.outcome, row.success) = if printed("panicked") {
        (format!("crashed: {last}"), true)
    } else if hangs && victim.is_running() {
        (format!("hangs: {last}"), true)
    } else if state.is_inside() && untrue.iter().any(|part| printed(part)) {
        (format!("misled: {last}"), true)
    } else if victim.is_running() {
        ("comes back by another connection".into(), false)
    } else if words_for(state, &row.kinds).is_some_and(|words| !printed(words)) {
        (format!("blames the wrong party: {last}"), true)
    } else if ["declined your request", "removed you from"].iter().any(|part| printed(part)) {
        (format!("refused in the organiser's name: {last}"), false)
    } else if printed("(The server)") || printed("Server error") {
        (format!("ends and blames the server: {last}"), false)
    } else {
        (format!("ends: {last}"), false)
    };
}

/// Returns words of a client that ends because the server reported a problem; `None` for other messages. Only a client that
/// asked for a meeting believes that there is none.
fn words_for(state: State, kinds: &[&'static str]) -> Option<&'static str> {
    let problem = kinds.iter().find(|kind| kind.starts_with("Problem::"))?;
    let asks = matches!(state, State::Approaching | State::Knocking | State::Admitted | State::Rejoining);
    Some(match *problem {
        "Problem::NoMeeting" if asks => "This meeting no longer exists (The invitation)",
        // The host of a meeting runs the server.
        "Problem::HostStopped" => "The host ended the meeting",
        _ => "(The server)",
    })
}

fn row(state: State, message: String, kinds: Vec<&'static str>, outcome: String, success: bool) -> Row {
    Row { attacker: "server", state: state.name(), message, kinds, outcome, success }
}

struct Shared {
    plan: Mutex<Plan>,
}

impl Shared {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        lock(&self.plan)
    }
}

/// The messages that are left to send, and those that were sent to one client.
struct Plan {
    state: State,
    numbers: Numbers,
    facts: Facts,
    sent: Vec<Row>,
    last_sent: Option<Instant>,
    /// Whether a message waits for its effect.
    waiting: bool,
    /// Whether the connection on which it was sent has ended.
    closed: bool,
    /// Whether the victim is judged: nothing more is sent to it, also if it connects again.
    finished: bool,
    /// How many connections the victim has opened.
    connections: u32,
}

impl Plan {
    fn new(state: State, meeting: MeetingId, numbers: Numbers) -> Self {
        Self {
            state,
            numbers,
            facts: Facts::of_meeting(meeting),
            sent: Vec::new(),
            last_sent: None,
            waiting: false,
            closed: false,
            finished: false,
            connections: 0,
        }
    }

    /// Returns true if nothing more happens to this client.
    fn is_over(&self) -> bool {
        self.closed || !self.waiting && lock(&self.numbers).is_empty()
    }

    /// Returns the next message to send.
    fn next(&mut self) -> Option<Vec<u8>> {
        while !self.finished {
            let number = lock(&self.numbers).pop_front()?;
            let Some(attempt) = catalogue::of_server(&self.facts).into_iter().nth(number) else { continue };
            self.sent.push(row(self.state, attempt.label(), attempt.kinds, String::new(), false));
            (self.waiting, self.last_sent) = (true, Some(Instant::now()));
            return Some(attempt.bytes);
        }
        None
    }

    /// The client has answered a ping after the last message, so it goes on.
    fn handle_answer(&mut self) {
        if std::mem::take(&mut self.waiting)
            && let Some(last) = self.sent.last_mut()
        {
            last.outcome = "goes on".into();
            // An accepted entry changes what the client expects next.
            if last.kinds.contains(&"Down::Log") {
                self.facts.position.0 += 1;
                if last.kinds.iter().any(|kind| kind.ends_with("::Commit")) {
                    self.facts.epoch = self.facts.epoch.next();
                }
            }
        }
    }

    /// Learns from a message of the real server.
    fn note(&mut self, message: &ServerMessage) {
        let ServerMessage::Meeting(message) = message else { return };
        debug_assert!(!kinds::of_server(&ServerMessage::Meeting(message.clone())).is_empty(), "it has a kind");
        if let Down::Hello { participant, .. } = message {
            self.facts.me = *participant;
        } else if let Down::Admitted { position, epoch, resume, .. } = message {
            (self.facts.position, self.facts.epoch, self.facts.token) = (*position, *epoch, *resume);
        } else if let Down::AdmissionKey { admission_key, chain } = message {
            self.facts.admission = Some((admission_key.clone(), chain.clone()));
        } else if let Down::Beacon { signed } = message {
            (self.facts.others, self.facts.signed) = (vec![signed.from], Some(signed.clone()));
        } else if let Down::Log { position, entry } = message {
            self.facts.position = Position(position.0 + 1);
            if let LogEntry::Managed { signed } = entry {
                (self.facts.others, self.facts.signed) = (vec![signed.from], Some(signed.clone()));
                if let Ok(ManagerCommand::Commit { epoch, .. }) = signed.decode() {
                    self.facts.epoch = epoch.next();
                }
            }
        }
    }
}

/// One connection of the victim.
struct Connection<'a> {
    socket: Socket,
    wire: Wire,
    shared: &'a Shared,
    /// Its number: 1 for the first.
    number: u32,
    /// True once the client is a member on this connection.
    is_member: bool,
    /// Bytes of the tree that the client has not got yet, after its admission.
    tree: usize,
    /// How many pings the client has not answered before the attack.
    pings: u32,
    /// True once the client was attacked on this connection. Then only the SFU's messages of the real server are passed on, and
    /// only to a member.
    attacked: bool,
}

async fn serve(socket: Socket, real: SocketAddr, shared: Arc<Shared>) -> Result<()> {
    // The quotas of one address do not restrict the attack.
    let wire = Wire::connect(another_address(), real).await?;
    let number = {
        let mut plan = shared.plan();
        plan.connections += 1;
        plan.connections
    };
    let mut connection =
        Connection { socket, wire, shared: &shared, number, is_member: false, tree: 0, pings: 0, attacked: false };
    let result = connection.run().await;
    if connection.attacked {
        shared.plan().closed = true;
    }
    result
}

impl Connection<'_> {
    async fn run(&mut self) -> Result<()> {
        loop {
            let far = tokio::time::Instant::now() + Duration::from_mins(1);
            tokio::select! {
                message = self.socket.next() => match message.context("closed")?? {
                    Message::Binary(bytes) => self.handle_client(&bytes).await?,
                    Message::Close(_) => return Ok(()),
                    Message::Text(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                },
                received = self.wire.next(far) => match received {
                    super::wire::Received::Message(message) => self.handle_server(message).await?,
                    super::wire::Received::Closed | super::wire::Received::Nothing => {
                        // The real server sends nothing more. An attack goes on without it.
                        if !self.attacked {
                            return Ok(());
                        }
                        return self.without_server().await;
                    }
                },
            }
        }
    }

    async fn without_server(&mut self) -> Result<()> {
        while let Some(Ok(message)) = self.socket.next().await {
            if let Message::Binary(bytes) = message {
                self.handle_client(&bytes).await?;
            }
        }
        Ok(())
    }

    async fn handle_client(&mut self, bytes: &[u8]) -> Result<()> {
        let message: ClientMessage = proto::decode(bytes)?;
        if matches!(message, ClientMessage::Meeting(Up::Pong { .. })) {
            self.pings = self.pings.saturating_sub(1);
        }
        if self.is_time(&message) {
            if matches!(self.shared.plan().state, State::Resuming | State::Rejoining) && self.number == 1 {
                // The client resumes on another one.
                anyhow::bail!("the connection breaks");
            }
            self.shared.plan().handle_answer();
            self.attacked = true;
            let next = self.shared.plan().next();
            let Some(next) = next else { return Ok(()) };
            // The client answers each attempt once. If it answered twice, the next attempt would count as answered too early.
            let ping = proto::encode(&Down::Ping);
            let is_ping = next == ping;
            self.send(next).await?;
            return if is_ping { Ok(()) } else { self.send(ping).await };
        }
        if let ClientMessage::Meeting(Up::Resume { .. }) = &message
            && self.shared.plan().state == State::Rejoining
        {
            let refused = Down::Problem { problem: proto::Problem::NotResumable };
            return self.send(proto::encode(&refused)).await;
        }
        self.wire.send_bytes(bytes.to_vec()).await;
        Ok(())
    }

    /// Returns whether the client is in the state that is attacked, as its message shows. After the first attack, each
    /// answer to a ping is the time for the next.
    fn is_time(&self, message: &ClientMessage) -> bool {
        let ClientMessage::Meeting(message) = message else { return false };
        let pong = matches!(message, Up::Pong { .. });
        if self.attacked {
            return pong;
        }
        // An answer to an earlier ping is none to the attempt.
        let is_answered = pong && self.pings == 0;
        match self.shared.plan().state {
            State::Greeting => matches!(message, Up::Hello { .. }),
            State::Approaching => matches!(message, Up::Approach { .. }),
            State::Knocking => matches!(message, Up::Knock { .. }),
            State::Admitted => is_answered && self.tree > 0,
            State::Rejoining if self.number > 2 => matches!(message, Up::Knock { .. }),
            State::Resuming if self.number > 1 => matches!(message, Up::Resume { .. }),
            State::Creating => matches!(message, Up::Create { .. }),
            State::Rejoining if self.number == 2 => false,
            State::Member | State::Organiser | State::Resuming | State::Rejoining => is_answered && self.is_member,
        }
    }

    async fn handle_server(&mut self, message: ServerMessage) -> Result<()> {
        if self.attacked {
            // The log that the client knows is not the real one any more.
            let is_signal = matches!(message, ServerMessage::Sfu(_));
            return if is_signal && self.is_member { self.send(proto::encode(&message)).await } else { Ok(()) };
        }
        self.shared.plan().note(&message);
        let waits = self.shared.plan().state == State::Admitted;
        if waits && self.tree > 0 {
            // What follows the tree is in the wrong order without it.
            return Ok(());
        }
        self.pings += u32::from(matches!(message, ServerMessage::Meeting(Down::Ping)));
        self.send(proto::encode(&message)).await?;
        let was_member = self.is_member;
        let is_admitted = self.follow(&message);
        if self.is_member && !was_member || is_admitted && waits {
            // The answer shows that the client has entered, or waits for the tree.
            self.pings += 1;
            self.send(proto::encode(&Down::Ping)).await?;
        }
        Ok(())
    }

    /// Follows how the client becomes a member. Returns true for its admission.
    fn follow(&mut self, message: &ServerMessage) -> bool {
        let ServerMessage::Meeting(message) = message else { return false };
        if let Down::Created { .. } = message {
            self.is_member = true;
        } else if let Down::Admitted { tree, .. } = message {
            self.tree = *tree as usize;
            self.is_member = *tree == 0;
            return true;
        } else if let Down::Tree { part } = message {
            self.tree = self.tree.saturating_sub(part.0.len());
            self.is_member = self.tree == 0;
        }
        false
    }

    async fn send(&mut self, bytes: Vec<u8>) -> Result<()> {
        Ok(self.socket.send(Message::Binary(bytes.into())).await?)
    }
}

/// After how long without an answer a client hangs.
const HANG_TIMEOUT: Duration = TIMEOUT;

/// How long a client may take to end after its connection has ended, or to try again.
const END_TIMEOUT: Duration = Duration::from_secs(2);

/// How many clients are attacked at once in each state.
const VICTIMS_AT_ONCE: usize = 3;

/// The memory that a client without devices uses at most.
const MAX_CLIENT_BYTES: u64 = 256 << 20;

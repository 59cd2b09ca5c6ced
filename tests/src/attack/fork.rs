//! A hostile server that forks the group: it gives one member another commit than the others for the same epoch. Real
//! programs must name the fork on both sides.
//!
//! The server tells Victor that Carl is gone. Victor's program removes Carl, and the server accepts that commit for Victor
//! only. Then it accepts the organiser's commit that admits Dora for the others only.

use super::effort::Extent;
use super::false_server::{FalseServer, Socket};
use super::report::Report;
use super::wire::{Received, Wire, another_address};
use super::world::{Host, pause};
use crate::program::{NO_DEVICES, Program, TIMEOUT, client};
use crate::temp_folder::TempFolder;
use anyhow::{Context, Result, ensure};
use futures_util::{SinkExt, StreamExt};
use proto::{ClientMessage, Down, Epoch, LogEntry, ManagerCommand, ParticipantId, Position, ServerMessage, Up};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;

/// Forks a meeting, once with the members' beacons passed on, and in a full attack once without.
///
/// # Errors
/// Returns an error if a program does not start, or if the meeting does not fork.
pub async fn attack(extent: Extent, report: &mut Report) -> Result<()> {
    let named = fork(true, "Your keys differ from those of", MAX_NAMED).await?;
    check(report, "a server that forks the group is named on both sides", &named, MAX_NAMED);
    if extent == Extent::All {
        let silent = fork(false, "You receive nothing from", MAX_SILENCE).await?;
        check(report, "a server that keeps the beacons of a fork back is named on both sides", &silent, MAX_SILENCE);
    }
    Ok(())
}

fn check(report: &mut Report, what: &str, named: &[Option<Duration>; 2], limit: Duration) {
    let value =
        |time: Option<Duration>| time.map_or_else(|| "never".into(), |time| format!("{:.1} s", time.as_secs_f64()));
    let text = format!("{} and {} (limit {} s)", value(named[0]), value(named[1]), limit.as_secs());
    report.check(what, text, named.iter().all(|time| time.is_some_and(|time| time <= limit)));
}

/// Returns how long after the second commit each side has printed `words`: Victor, and the organiser.
async fn fork(passes_beacons: bool, words: &str, limit: Duration) -> Result<[Option<Duration>; 2]> {
    let folder = TempFolder::create("attack-fork")?;
    let host = Host::start(&folder.path("data"))?;
    let server = host.address.to_string();
    let meet = ["meet", "--server", &server, "--fingerprint", &host.fingerprint, "--no-recent", "--name", "Olga"];
    let organiser = Program::start("organiser", client(&[&meet[..], NO_DEVICES.as_slice()].concat()));
    let link = tokio::task::block_in_place(|| organiser.first_line());
    let carl = join("Carl", &link);
    let shared = Arc::new(Mutex::new(Fork { passes_beacons, ..Fork::default() }));
    let (relayed, address) = (Arc::clone(&shared), host.address);
    let relay = FalseServer::start(move |socket| serve(socket, address, Arc::clone(&relayed))).await?;
    let victor = join("Victor", &relay.link(&link)?);
    let dora = tokio::task::block_in_place(|| {
        carl.first_line();
        wait_for("Victor's commit", || lock(&shared).own_commit)?;
        Ok::<_, anyhow::Error>(join("Dora", &link))
    })?;
    let named = tokio::task::block_in_place(|| {
        let start = wait_for("the commit of the others", || lock(&shared).other_commit)?;
        Ok::<_, anyhow::Error>(watch([&victor, &organiser], words, start, limit))
    })?;
    drop((dora, carl));
    Ok(named)
}

fn join(name: &str, link: &str) -> Program {
    let arguments = [&["join", link, "--no-recent", "--name", name], NO_DEVICES.as_slice()].concat();
    Program::start(name, client(&arguments))
}

fn wait_for(what: &str, done: impl Fn() -> Option<Instant>) -> Result<Instant> {
    let start = Instant::now();
    loop {
        if let Some(at) = done() {
            return Ok(at);
        }
        ensure!(start.elapsed() < TIMEOUT, "{what} does not come");
        pause();
    }
}

fn watch(programs: [&Program; 2], words: &str, start: Instant, limit: Duration) -> [Option<Duration>; 2] {
    let mut named = [None; 2];
    while named.contains(&None) && start.elapsed() < limit + Duration::from_secs(5) {
        for (program, named) in programs.iter().zip(&mut named) {
            if named.is_none() && program.errors(0).iter().any(|line| line.contains(words)) {
                *named = Some(start.elapsed());
            }
        }
        pause();
    }
    named
}

fn lock(fork: &Mutex<Fork>) -> MutexGuard<'_, Fork> {
    fork.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the hostile server has done, and what it knows of the meeting.
#[derive(Default)]
struct Fork {
    passes_beacons: bool,
    me: Option<ParticipantId>,
    organiser: Option<ParticipantId>,
    other: Option<ParticipantId>,
    position: Position,
    epoch: Epoch,
    /// True once the log of the others is kept back.
    cut: bool,
    own_commit: Option<Instant>,
    other_commit: Option<Instant>,
}

async fn serve(socket: Socket, real: SocketAddr, shared: Arc<Mutex<Fork>>) -> Result<()> {
    // The quotas of one address do not restrict the attack.
    let wire = Wire::connect(another_address(), real).await?;
    Relay { socket, wire, shared }.run().await
}

struct Relay {
    socket: Socket,
    wire: Wire,
    shared: Arc<Mutex<Fork>>,
}

impl Relay {
    async fn run(&mut self) -> Result<()> {
        loop {
            let far = tokio::time::Instant::now() + Duration::from_mins(1);
            tokio::select! {
                message = self.socket.next() => if let Message::Binary(bytes) = message.context("closed")?? {
                    self.handle_client(bytes.to_vec()).await?;
                },
                received = self.wire.next(far) => match received {
                    Received::Message(message) => self.handle_server(message).await?,
                    Received::Closed | Received::Nothing => return Ok(()),
                },
            }
        }
    }

    async fn handle_client(&mut self, bytes: Vec<u8>) -> Result<()> {
        if !lock(&self.shared).cut {
            self.wire.send_bytes(bytes).await;
            return Ok(());
        }
        match proto::decode::<ClientMessage>(&bytes)? {
            ClientMessage::Meeting(Up::Commit { epoch, blob, .. }) => {
                let entry = {
                    let mut fork = lock(&self.shared);
                    fork.own_commit.get_or_insert_with(Instant::now);
                    let from = fork.me.context("a member")?;
                    next_entry(&mut fork, LogEntry::Commit { from, epoch, blob })
                };
                self.send(&entry).await?;
            }
            // The others' log has other positions, and cannot hold what is sealed in the fork.
            ClientMessage::Meeting(Up::Pong { .. }) => self.wire.send(&Up::Pong { position: Position(0) }).await,
            ClientMessage::Meeting(Up::Tell { .. }) => {}
            ClientMessage::Meeting(Up::Beacon { .. }) if !lock(&self.shared).passes_beacons => {}
            ClientMessage::Meeting(_) | ClientMessage::Sfu(_) => self.wire.send_bytes(bytes).await,
        }
        Ok(())
    }

    async fn handle_server(&mut self, message: ServerMessage) -> Result<()> {
        let ServerMessage::Meeting(down) = message else { return self.send_any(&message).await };
        let passes = {
            let mut fork = lock(&self.shared);
            note(&mut fork, &down);
            match &down {
                Down::Log { .. }
                | Down::CommitTooLate { .. }
                | Down::Beacon { .. }
                | Down::Skipped { .. }
                | Down::Knocked { .. }
                | Down::Withdrew { .. }
                | Down::Relayed { .. } => !fork.cut,
                Down::MemberBeacon { .. } => !fork.cut || fork.passes_beacons,
                Down::Hello { .. }
                | Down::Created { .. }
                | Down::AdmissionKey { .. }
                | Down::Admitted { .. }
                | Down::Tree { .. }
                | Down::Refused { .. }
                | Down::Removed { .. }
                | Down::Resumed
                | Down::Returned { .. }
                | Down::Ping
                | Down::Problem { .. }
                | Down::Presence { .. }
                | Down::Ended { .. }
                | Down::Lobby { .. } => true,
            }
        };
        if passes {
            self.send(&down).await?;
        }
        // All are members, and have sent a beacon: the fork begins.
        let lie = {
            let mut fork = lock(&self.shared);
            let known = fork.me.and(fork.organiser).and(fork.other).filter(|_| !fork.cut && fork.position.0 > 0);
            known.map(|participant| {
                fork.cut = true;
                next_entry(&mut fork, LogEntry::Gone { participant, by: None })
            })
        };
        if let Some(lie) = lie {
            self.send(&lie).await?;
        }
        Ok(())
    }

    async fn send(&mut self, down: &Down) -> Result<()> {
        Ok(self.socket.send(Message::Binary(proto::encode(down).into())).await?)
    }

    async fn send_any(&mut self, message: &ServerMessage) -> Result<()> {
        Ok(self.socket.send(Message::Binary(proto::encode(message).into())).await?)
    }
}

/// Returns the next entry of the log that only Victor gets.
fn next_entry(fork: &mut Fork, entry: LogEntry) -> Down {
    let position = fork.position;
    fork.position = Position(position.0 + 1);
    Down::Log { position, entry }
}

/// Learns from a message of the real server.
fn note(fork: &mut Fork, down: &Down) {
    if let Down::Hello { participant, .. } = down {
        fork.me = Some(*participant);
    } else if let Down::Admitted { position, epoch, .. } = down {
        (fork.position, fork.epoch) = (*position, *epoch);
    } else if let Down::Beacon { signed } = down {
        fork.organiser = Some(signed.from);
    } else if let Down::MemberBeacon { from, .. } = down {
        if fork.organiser.is_some_and(|organiser| organiser != *from) {
            fork.other = Some(*from);
        }
    } else if let Down::Log { position, entry } = down {
        if !fork.cut {
            fork.position = Position(position.0 + 1);
        }
        let LogEntry::Managed { signed } = entry else { return };
        fork.organiser = Some(signed.from);
        if let Ok(ManagerCommand::Commit { epoch, .. }) = signed.decode() {
            if fork.cut && epoch == fork.epoch {
                fork.other_commit.get_or_insert_with(Instant::now);
            } else if !fork.cut {
                fork.epoch = epoch.next();
            }
        }
    }
}

/// How long it may take to name a fork.
const MAX_NAMED: Duration = Duration::from_secs(5);

/// How long it may take to name a member of whom nothing is heard, after an epoch that it does not know has begun.
const MAX_SILENCE: Duration = Duration::from_secs(50);

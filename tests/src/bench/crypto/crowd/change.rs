//! A removal from a filled group: until everybody has read the commit, and the complete members have the new keys.
//!
//! The members of the group were added before, in memory. Here they only connect: the server cannot read what admits them.

use super::joins::report_failure;
use super::{HERE, LIMIT, REPORTS, Report, WAVE, answer, commit, latest, runtime, start_server};
use crate::attack::wire::{Received, Wire, another_address};
use crate::bench::crypto::group::Bench;
use anyhow::{Context, Result};
use crypto::{Group, ManagerKeys};
use proto::{
    Blob, Down, Epoch, MAX_WELCOMES, ManagerCommand, MeetingId, ParticipantId, Position, ServerMessage, Up, Welcome,
};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Measures the change in a group of `size` members.
pub fn measure(size: usize) -> Result<Duration> {
    let bench = Bench::filled(size)?;
    let (servers, clients) = (runtime()?, runtime()?);
    let server = servers.block_on(start_server(size))?;
    let measured = clients.block_on(change(server.address(), size, bench));
    clients.shutdown_timeout(Duration::from_secs(5));
    servers.block_on(server.stop(Duration::from_secs(1)));
    measured
}

async fn change(server: SocketAddr, size: usize, mut bench: Bench) -> Result<Duration> {
    let (reports, mut seen) = mpsc::channel(REPORTS * size);
    let mut manager = Manager::create(server, bench.keys).await?;
    let mut complete = bench.receivers.drain(..);
    let joiners: Vec<usize> = (1..size).collect();
    for wave in joiners.chunks(WAVE.min(MAX_WELCOMES)) {
        for _ in wave {
            let (meeting, group) = (manager.keys.meeting(), complete.next());
            tokio::spawn(report_failure(stay(server, meeting, group, reports.clone())));
        }
        timeout(LIMIT, manager.admit(wave.len())).await.context("not all have knocked")??;
        let is_admitted = |report| if let Report::Admitted(at) = report { Some(at) } else { None };
        latest(&mut seen, wave.len(), is_admitted).await?;
    }
    // Commits of the admissions are not counted.
    while seen.try_recv().is_ok() {}
    let victim = bench.organiser.members().get(size / 2).context("somebody is removed")?.leaf;
    let removal = bench.organiser.remove(&[victim])?;
    let begin = Instant::now();
    manager.commit(removal.commit, Vec::new()).await;
    let is_changed = |report| if let Report::Changed(at) = report { Some(at).filter(|at| *at > begin) } else { None };
    Ok(latest(&mut seen, size - 1, is_changed).await? - begin)
}

/// The organiser's connection.
struct Manager {
    wire: Wire,
    me: ParticipantId,
    keys: ManagerKeys,
    counter: u64,
    epoch: Epoch,
    next: Position,
}

impl Manager {
    async fn create(server: SocketAddr, keys: ManagerKeys) -> Result<Self> {
        let mut wire = Wire::greeted(HERE, server).await?;
        let me = wire.me.context("an id")?;
        let (meeting, admission_key, authority) =
            (keys.meeting(), Blob(keys.public_key().to_vec()), keys.authority().0);
        wire.send(&Up::Create { meeting, admission_key, authority }).await;
        Ok(Self { wire, me, keys, counter: 0, epoch: Epoch(0), next: Position::default() })
    }

    async fn commit(&mut self, commit: Vec<u8>, to: Vec<ParticipantId>) {
        self.counter += 1;
        let command =
            ManagerCommand::Commit { epoch: self.epoch, blob: Blob(commit), removed: Vec::new(), rotation: None };
        let command = Blob(proto::encode(&command));
        let signature = self.keys.sign_command(self.me, self.counter, &command.0);
        let welcomes = if to.is_empty() { Vec::new() } else { vec![Welcome { to, blob: Blob(vec![0; 400]) }] };
        self.epoch = Epoch(self.epoch.0 + 1);
        self.wire.send(&Up::Manage { counter: self.counter, command, signature, welcomes }).await;
    }

    /// Admits the next `count` who knock.
    async fn admit(&mut self, count: usize) -> Result<()> {
        let mut to = Vec::new();
        while to.len() < count {
            match self.wire.next(tokio::time::Instant::now() + LIMIT).await {
                Received::Message(ServerMessage::Meeting(message)) => {
                    if let Down::Knocked { participant, .. } = message {
                        to.push(participant);
                    }
                    if let Some(answer) = answer(&message, &mut self.next) {
                        self.wire.send(&answer).await;
                    }
                }
                Received::Message(ServerMessage::Sfu(_)) => {}
                Received::Nothing | Received::Closed => anyhow::bail!("the organiser has lost its connection"),
            }
        }
        self.commit(vec![0; 400], to).await;
        Ok(())
    }
}

/// Joins, and reads what the server sends. Merges the commit of the removal if it is a complete member.
async fn stay(
    server: SocketAddr,
    meeting: MeetingId,
    mut group: Option<Group>,
    reports: mpsc::Sender<Report>,
) -> Result<()> {
    // One address may have only a quarter of those who wait.
    let mut wire = Wire::greeted(another_address(), server).await?;
    wire.send(&Up::Knock { meeting, request: Blob(vec![0; 400]) }).await;
    let mut next = Position::default();
    loop {
        let message = match wire.next(tokio::time::Instant::now() + LIMIT).await {
            Received::Message(ServerMessage::Meeting(message)) => message,
            Received::Message(ServerMessage::Sfu(_)) | Received::Nothing => continue,
            Received::Closed => return Ok(()),
        };
        if matches!(message, Down::Admitted { .. }) {
            let _ = reports.try_send(Report::Admitted(Instant::now()));
        } else if let Some(blob) = commit(&message).filter(|blob| blob.0.len() > 400) {
            if let Some(group) = &mut group {
                group.process(&blob.0, &|_| None)?;
                std::hint::black_box(group.media_keys()?);
            }
            let _ = reports.try_send(Report::Changed(Instant::now()));
        }
        if let Some(answer) = answer(&message, &mut next) {
            wire.send(&answer).await;
        }
    }
}

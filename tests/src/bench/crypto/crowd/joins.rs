//! Everybody knocks at once.

use super::member::Member;
use super::{HERE, REPORTS, Report, WAVE, answer, latest, runtime, start_server};
use crate::attack::wire::{Received, Wire, another_address};
use anyhow::{Context, Result};
use crypto::{Identity, Invitation, ManagerKeys, Profile};
use net::meeting::Entry;
use proto::{Blob, Down, Position, ServerMessage, Up};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{mpsc, oneshot, watch};

/// What the joins took.
pub struct Joins {
    /// From the first knock until everybody is admitted and has the tree.
    pub admitted: Duration,
    /// Bytes of the longest tree.
    pub tree: usize,
}

/// Lets `size` people meet.
pub fn measure(size: usize) -> Result<Joins> {
    let (servers, clients) = (runtime()?, runtime()?);
    let server = servers.block_on(start_server(size))?;
    let measured = clients.block_on(meet(server.address(), size));
    clients.shutdown_timeout(Duration::from_secs(5));
    servers.block_on(server.stop(Duration::from_secs(1)));
    measured
}

async fn meet(server: SocketAddr, size: usize) -> Result<Joins> {
    let (reports, mut seen) = mpsc::channel(REPORTS * size);
    let (start, started) = watch::channel(false);
    let tree = Arc::new(AtomicUsize::new(0));
    let link = create(server, &reports).await?;
    latest(&mut seen, 1, admitted).await?;
    let joiners: Vec<usize> = (1..size).collect();
    for wave in joiners.chunks(WAVE) {
        for number in wave {
            let is_complete = number % (size / COMPLETE).max(1) == 0;
            if is_complete {
                let (identity, profile) = (Identity::generate()?, Profile::new("Member")?);
                let entry = Entry::Join { invitation: link.clone(), identity, profile };
                let member = Member::new(entry, Wire::connect(HERE, server).await?, reports.clone(), None);
                tokio::spawn(report_failure(member.run(started.clone())));
            } else {
                let joiner = join(server, link.clone(), reports.clone(), started.clone(), Arc::clone(&tree));
                tokio::spawn(report_failure(joiner));
            }
        }
        latest(&mut seen, wave.len(), |report| (report == Report::Ready).then(Instant::now)).await?;
    }
    let begin = Instant::now();
    start.send_replace(true);
    let end = latest(&mut seen, size - 1, admitted).await?;
    Ok(Joins { admitted: end - begin, tree: tree.load(Ordering::Relaxed) })
}

/// Starts the organiser, and returns the link.
async fn create(server: SocketAddr, reports: &mpsc::Sender<Report>) -> Result<Invitation> {
    let (identity, profile) = (Identity::generate()?, Profile::new("Organiser")?);
    let entry = Entry::Create { keys: ManagerKeys::new()?, identity, profile };
    let (link, invitation) = oneshot::channel();
    let organiser = Member::new(entry, Wire::connect(HERE, server).await?, reports.clone(), Some(link));
    let (go, gone) = watch::channel(true);
    tokio::spawn(async move {
        report_failure(organiser.run(gone)).await;
        drop(go);
    });
    invitation.await.context("the organiser does not enter")
}

/// Knocks with real keys, and reads what the server sends.
async fn join(
    server: SocketAddr,
    link: Invitation,
    reports: mpsc::Sender<Report>,
    mut start: watch::Receiver<bool>,
    longest: Arc<AtomicUsize>,
) -> Result<()> {
    // One address may have only a quarter of those who wait.
    let mut wire = Wire::greeted(another_address(), server).await?;
    wire.send(&Up::Approach { meeting: link.meeting }).await;
    let key = wire.wait_for(super::LIMIT, |message| matches!(message, Down::AdmissionKey { .. })).await;
    let Some(Down::AdmissionKey { admission_key, chain }) = key else { anyhow::bail!("no admission key") };
    let (identity, profile, me) = (Identity::generate()?, Profile::new("Joiner")?, wire.me.context("an id")?);
    let made = crypto::knock(&link, &admission_key.0, &chain.0, &identity, profile, me, SystemTime::now());
    let (_joiner, request) = made?;
    let _ = reports.try_send(Report::Ready);
    if start.wait_for(|started| *started).await.is_err() {
        return Ok(());
    }
    wire.send(&Up::Knock { meeting: link.meeting, request: Blob(request) }).await;
    let (mut next, mut left) = (Position::default(), 0);
    loop {
        let message = match wire.next(tokio::time::Instant::now() + super::LIMIT).await {
            Received::Message(ServerMessage::Meeting(message)) => message,
            Received::Message(ServerMessage::Sfu(_)) | Received::Nothing => continue,
            Received::Closed => return Ok(()),
        };
        if let Down::Admitted { tree, .. } = &message {
            left = usize::try_from(*tree)?;
            longest.fetch_max(left, Ordering::Relaxed);
        } else if let Down::Tree { part } = &message {
            left = left.checked_sub(part.0.len()).context("a tree is longer than announced")?;
            if left == 0 {
                let _ = reports.try_send(Report::Admitted(Instant::now()));
            }
        } else if let Down::Problem { problem } = &message {
            anyhow::bail!("a joiner is refused: {problem}");
        }
        if let Some(answer) = answer(&message, &mut next) {
            wire.send(&answer).await;
        }
    }
}

fn admitted(report: Report) -> Option<Instant> {
    if let Report::Admitted(at) = report { Some(at) } else { None }
}

/// Prints why a connection ended. Those that stay to the end are dropped with the runtime.
pub(super) async fn report_failure(connection: impl Future<Output = Result<()>>) {
    if let Err(error) = connection.await {
        eprintln!("bench crypto: a connection ended: {error:#}");
    }
}

/// How many joiners are complete members.
const COMPLETE: usize = 3;

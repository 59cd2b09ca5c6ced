//! A thousand people join a meeting over real sockets, and a change of keys reaches all of them.
//!
//! The server is ours. In the first meeting, the organiser and some of the joiners are complete members. The others knock with real keys
//! and read all that the server sends, but do not compute: on one machine, a thousand members would take each other's processor time.
//! In the second one, the members of a filled group of this size remove one of them: the commit has its real length.

mod change;
mod joins;
mod member;

use crate::bench::row::{Comparison, Row};
use anyhow::{Context, Result};
use proto::{Blob, Down, LogEntry, ManagerCommand, Position, Up};
use server::{Config, Limits, Server};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Measures meetings of `size` members.
///
/// # Errors
/// Returns an error if somebody is not admitted.
pub fn rows(size: usize) -> Result<Vec<Row>> {
    let joins = joins::measure(size)?;
    let change = change::measure(size)?;
    let name = |what: &str| format!("{size} members on real sockets: {what}");
    let against = |subject: Duration, limit| Comparison { subject: seconds(subject), peer: limit, runs: 1 };
    let count = |number: usize| u32::try_from(number).map(f64::from);
    let tree = Comparison { subject: count(joins.tree)? / 1_000.0, peer: count(size)?, runs: 1 };
    Ok(vec![
        Row::without_goal(&name("longest tree"), "kB", "1 kB a member", tree),
        Row::at_most(&name("all admitted"), "s", "limit: 20 s", against(joins.admitted, 20.0), 1.0),
        Row::at_most(&name("change of keys heard"), "s", "limit: 0.3 s", against(change, 0.3), 1.0),
    ])
}

/// What a connection of the bench has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Report {
    /// It can knock.
    Ready,
    /// It was admitted, and has read the tree.
    Admitted(Instant),
    /// It has read a commit, and has the new keys if it is a complete member.
    Changed(Instant),
}

/// Waits for `count` reports that `wanted` returns the time of. Returns the latest one.
async fn latest(
    reports: &mut mpsc::Receiver<Report>,
    count: usize,
    wanted: impl Fn(Report) -> Option<Instant>,
) -> Result<Instant> {
    let mut times = Vec::with_capacity(count);
    while times.len() < count {
        let report = timeout(LIMIT, reports.recv()).await;
        let report = report.with_context(|| format!("{} of {count} are ready", times.len()))?;
        times.extend(wanted(report.context("all connections have ended")?));
    }
    times.into_iter().max().context("somebody is there")
}

/// Starts a server whose meetings have room for `size` members.
async fn start_server(size: usize) -> Result<Server> {
    let limits = Limits { members: size + 10, silence: Duration::from_hours(1), ..Limits::for_one_address() };
    Ok(Server::start(Config { limits, ..Config::new("127.0.0.1:0".parse()?) }).await?)
}

/// Returns the answer to a message that every member answers, and counts the entries of the log.
fn answer(message: &Down, next: &mut Position) -> Option<Up> {
    if let Down::Log { position, .. } = message {
        *next = Position(position.0 + 1);
    } else if let Down::Skipped { position, count } = message {
        *next = Position(position.0 + count);
    } else if let Down::Ping = message {
        return Some(Up::Pong { position: *next });
    }
    None
}

/// Returns the commit of a manager in the log.
fn commit(message: &Down) -> Option<Blob> {
    let Down::Log { entry: LogEntry::Managed { signed }, .. } = message else { return None };
    match signed.decode() {
        Ok(ManagerCommand::Commit { blob, .. }) => Some(blob),
        Ok(_) | Err(_) => None,
    }
}

fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().worker_threads(1).enable_all().build()?)
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// How long everything may take.
const LIMIT: Duration = Duration::from_mins(2);

/// How many reports a connection makes at most.
const REPORTS: usize = 4;

/// How many connections are opened at once.
const WAVE: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree of these members has more bytes than one part.
    #[test]
    fn fifty_people_are_admitted_and_hear_a_change_of_keys() {
        let joins = joins::measure(50).unwrap();
        assert!(joins.tree > proto::MAX_TREE_PART, "{} bytes", joins.tree);
        change::measure(50).unwrap();
    }
}

//! Floods of commits, messages and knocks, thousands of connections, messages that never end; and what
//! the honest members notice of them.

use super::clients::{blame, from_outside, join};
use super::effort::Effort;
use super::guest::{Guest, Seen, void};
use super::report::{Report, Row};
use super::wire::{Wire, another_address, connect_tcp, connect_tls};
use super::world::{World, pause};
use crate::program::TIMEOUT;
use anyhow::{Context, Result};
use crypto::{Identity, Invitation, store};
use proto::{Blob, Down, Epoch, MeetingId, ParticipantId, TUNNEL_PATH, Up};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// Lets the organiser remove guests that flood the meeting, and measures how long that takes. Then a removed one tries
/// everything, with its device, its old link and the new one.
///
/// # Errors
/// Returns an error if a guest is not admitted, or a removed one stays.
pub async fn removals(world: &mut World, effort: Effort, report: &mut Report) -> Result<()> {
    let old_link = world.link().context("there is a link")?;
    let store = store::Memory::new();
    let device = || Identity::load_or_create(&store).context("a store in memory does not fail");
    let mut flooders = vec![Guest::join_as(&old_link, another_address(), world.address, device()?).await?];
    for _ in 1..effort.flooders {
        flooders.push(join(world).await?);
    }
    let facts = flooders[0].facts.clone();
    // Connections of several attackers do not share a thread with the measurement.
    let stop = Arc::new(AtomicBool::new(false));
    let (mut tasks, mut ids) = (JoinSet::new(), Vec::new());
    for flooder in flooders {
        ids.push(flooder.facts.me);
        tasks.spawn(flood(flooder, Arc::clone(&stop)));
    }
    let mut times = Vec::new();
    for id in ids {
        let asked = Instant::now();
        world.remove(id);
        let organiser =
            world.wait(TIMEOUT, "the organiser has removed the attacker", |world| !world.people().contains(&id))?;
        let all_agree = |world: &World| {
            let people = world.people();
            !people.contains(&id) && world.seen_by_guests().iter().all(|count| *count == people.len())
        };
        let others = world.wait(TIMEOUT, "the others have removed the attacker", all_agree)?;
        times.push(Removal { id, asked, organiser, all: organiser + others });
    }
    stop.store(true, Ordering::Relaxed);
    let mut out = HashMap::new();
    while let Some(Ok((id, at))) = tasks.join_next().await {
        out.insert(id, at);
    }
    check_removals(&times, &out, effort.max_delay, report);
    let mut rows = from_outside(world.address, "expelled", &facts, effort.extent).await?;
    let back =
        Up::Resume { meeting: facts.meeting, participant: facts.me, token: facts.token, position: facts.position };
    let mut wire = Wire::greeted(another_address(), world.address).await?;
    wire.send(&back).await;
    let resumed = wire.wait_for(Duration::from_millis(500), |message| *message == Down::Resumed).await.is_some();
    rows.push(row("expelled", "its own place", if resumed { "resumed" } else { "no effect" }, resumed));
    let new_link = world.link().context("there is a link")?;
    for (what, link) in [("the old link", &old_link), ("the new link", &new_link)] {
        let admitted = Guest::join_as(link, another_address(), world.address, device()?).await.is_ok();
        rows.push(row("expelled", what, if admitted { "admitted" } else { "refused" }, admitted));
    }
    blame(world, &mut rows);
    report.rows.extend(rows);
    Ok(())
}

/// When a removal was asked for, and how long it took.
struct Removal {
    id: ParticipantId,
    asked: Instant,
    /// Until the organiser had new keys.
    organiser: Duration,
    /// Until all had new keys.
    all: Duration,
}

fn check_removals(times: &[Removal], out: &HashMap<ParticipantId, Instant>, limit: Duration, report: &mut Report) {
    let disconnected = |removal: &Removal| {
        // An attacker that was disconnected before, for a void commit, is not disconnected again.
        out.get(&removal.id).map_or(Duration::MAX, |at| at.saturating_duration_since(removal.asked))
    };
    let count = times.len();
    let limits = "at 100 ms round trip, while all of them flood the meeting";
    for (what, all) in [
        ("disconnected", times.iter().map(disconnected).collect::<Vec<_>>()),
        ("removed at the organiser", times.iter().map(|removal| removal.organiser).collect()),
        ("removed at all members, which have new keys", times.iter().map(|removal| removal.all).collect()),
    ] {
        let milliseconds: Vec<u128> = all.iter().map(Duration::as_millis).collect();
        let slowest = all.iter().max().copied().unwrap_or_default();
        let what = format!("each of {count} attackers is {what}, {limits}");
        let value = format!("{} ms (limit {}; {milliseconds:?})", slowest.as_millis(), limit.as_millis());
        report.check(what, value, slowest <= limit);
    }
}

fn row(state: &'static str, message: &str, outcome: &str, success: bool) -> Row {
    Row { attacker: "guest", state, message: message.into(), kinds: Vec::new(), outcome: outcome.into(), success }
}

/// Sends commits and messages as fast as the server allows. Returns its id, and when the server disconnected it.
async fn flood(mut guest: Guest, stop: Arc<AtomicBool>) -> (ParticipantId, Instant) {
    let mut ticks = interval(Duration::from_millis(25));
    for number in 0_u64.. {
        ticks.tick().await;
        if stop.load(Ordering::Relaxed) || guest.seen.is_out() {
            break;
        }
        // Commits of other epochs have no effect; messages are garbage.
        let message = match number % 3 {
            0 => Up::Tell { epoch: guest.facts.epoch, blob: Blob(vec![0xa5; 2_000]) },
            1 => void(Epoch(guest.facts.epoch.0.saturating_sub(1))),
            _ => void(Epoch(guest.facts.epoch.0 + 1)),
        };
        guest.wire.send(&message).await;
        guest.listen(Duration::from_millis(1), |guest| guest.seen.is_out()).await;
    }
    (guest.facts.me, Instant::now())
}

/// Guests commit garbage for the current epoch, again and again, while others join. Each such commit costs its sender the
/// membership.
///
/// # Errors
/// Returns an error if a guest is not admitted.
pub async fn void_commits(world: &mut World, rounds: usize, report: &mut Report) -> Result<()> {
    let mut rows = Vec::new();
    for _ in 0..rounds {
        let mut guest = join(world).await?;
        guest.catch_up().await?;
        let (epoch, link) = (guest.facts.epoch, world.link());
        guest.wire.send(&void(epoch)).await;
        guest.listen(Duration::from_secs(2), |guest| guest.seen.is_out()).await;
        let outcome = guest.seen.outcome();
        rows.push(row("member", "a void commit of the current epoch", &outcome, false));
        report.check("a void commit costs its sender the membership", outcome, guest.seen.is_out());
        // Its device is barred, and whoever knocks by the link of before waits for a decision.
        let has_changed = |world: &World| world.link() != link;
        tokio::task::block_in_place(|| world.wait(TIMEOUT, "the link has changed", has_changed))?;
        blame(world, &mut rows);
    }
    report.rows.extend(rows);
    Ok(())
}

/// A member refuses and admits a newcomer as soon as the newcomer knocks. Only managers learn of a knock, so the newcomer, which is
/// honest otherwise, tells the attacker its id.
///
/// # Errors
/// Returns an error if the attacker is not admitted, or the newcomer cannot knock.
pub async fn newcomers(world: &mut World, report: &mut Report) -> Result<()> {
    let mut rows = Vec::new();
    for (attempt, what) in [(Bar::Refuse, "Refuse"), (Bar::Admit, "a garbage Welcome")] {
        let mut guest = join(world).await?;
        guest.catch_up().await?;
        let link = world.link().context("there is a link")?;
        let mut newcomer = Guest::knock(&link, another_address(), world.address).await?;
        let target = newcomer.facts.me;
        let (seen, joined) = tokio::join!(bar_newcomer(guest, attempt, target), newcomer.enter());
        let (outcome, success) = match &joined {
            Ok(()) => ("the newcomer was admitted by the organiser".to_owned(), false),
            Err(error) => (error.to_string(), true),
        };
        let attack = format!("{what}, to a newcomer that knocks");
        report.check(format!("{attack}, costs its sender the membership"), seen.outcome(), seen.is_out());
        rows.push(row("member", &attack, &outcome, success));
        blame(world, &mut rows);
    }
    report.rows.extend(rows);
    Ok(())
}

/// Refuses a newcomer that has just knocked, or admits it with a garbage Welcome; again if another commit was faster. Returns what the
/// attacker saw.
pub async fn bar_newcomer(mut guest: Guest, attempt: Bar, newcomer: ParticipantId) -> Seen {
    for counter in 1..=BAR_ATTEMPTS {
        let message = if attempt == Bar::Refuse {
            let command = proto::ManagerCommand::Refuse { participant: newcomer, why: proto::Refusal::Declined };
            let command = Blob(proto::encode(&command));
            Up::Manage { counter, command, signature: [7; 64], welcomes: Vec::new() }
        } else {
            let welcome = Some(proto::Welcome { to: vec![newcomer], blob: Blob(vec![0xa5; 400]) });
            guest.wire.send(&Up::Tree { first: true, part: Blob(vec![0xa5; 400]) }).await;
            Up::Commit { epoch: guest.facts.epoch, blob: Blob(vec![0xa5; 40]), removed: Vec::new(), welcome }
        };
        guest.wire.send(&message).await;
        if guest.listen(Duration::from_millis(500), |guest| guest.seen.is_out()).await {
            break;
        }
    }
    guest.seen
}

/// How a member keeps a newcomer out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// By a refusal.
    Refuse,
    /// By a garbage Welcome.
    Admit,
}

/// Garbage knocks from many addresses, each as often as the server allows. The organiser's client answers each that it
/// learns of; an honest newcomer still gets in, and the organiser stays.
///
/// # Errors
/// Returns an error if the link is no link.
pub async fn knocks(world: &mut World, seconds: u64, report: &mut Report) -> Result<()> {
    let meeting = world.link().context("there is a link")?.parse::<Invitation>()?.meeting;
    let (end, server) = (Instant::now() + Duration::from_secs(seconds), world.address);
    let mut tasks = JoinSet::new();
    for number in 0..FLOODING_ADDRESSES {
        tasks.spawn(knock_again_and_again(server, meeting, number, end));
    }
    let joined = tokio::task::block_in_place(|| world.newcomer(TIMEOUT));
    let mut sent = 0;
    while let Some(count) = tasks.join_next().await {
        sent += count.unwrap_or(0);
    }
    let value = match &joined {
        Ok(took) => format!("{sent} knocks; a newcomer joined within {} ms", took.as_millis()),
        Err(error) => error.to_string(),
    };
    report.check(format!("a flood of garbage knocks from {FLOODING_ADDRESSES} addresses"), value, joined.is_ok());
    let mut rows =
        vec![Row { attacker: "stranger", ..row("knocking", "a flood of garbage knocks", "refused", joined.is_err()) }];
    blame(world, &mut rows);
    report.rows.extend(rows);
    Ok(())
}

async fn knock_again_and_again(server: SocketAddr, meeting: MeetingId, number: u8, end: Instant) -> u32 {
    let from = IpAddr::V4(Ipv4Addr::new(127, 0, 9, number));
    let mut sent = 0;
    while Instant::now() < end {
        let Ok(mut wire) = Wire::greeted(from, server).await else { continue };
        // The server remembers those that wait, so half of them do not wait for the answer.
        wire.send(&Up::Knock { meeting, request: Blob(vec![number; 1_500]) }).await;
        sent += 1;
        if sent % 2 == 0 {
            let refused = |message: &Down| matches!(message, Down::Refused { .. } | Down::Problem { .. });
            wire.wait_for(Duration::from_secs(1), refused).await;
        }
    }
    sent
}

/// Opens thousands of connections from one address, and lets a newcomer join from another one, directly and not through the
/// slow connection of the others.
///
/// # Errors
/// Returns an error if the system refuses connections.
pub async fn connections(world: &mut World, effort: Effort, report: &mut Report) -> Result<()> {
    let Effort { connections: count, max_delay: limit, .. } = effort;
    let usual = tokio::task::block_in_place(|| world.direct_newcomer())?;
    let (before, _) = world.grown_bytes();
    let (from, mut open) = (IpAddr::V4(Ipv4Addr::new(127, 0, 8, 8)), Vec::new());
    for _ in 0..count {
        open.push(connect_tcp(from, world.address).await?);
    }
    let joined = tokio::task::block_in_place(|| world.direct_newcomer());
    let (after, _) = world.grown_bytes();
    drop(open);
    let took = joined.as_ref().map_or(Duration::MAX, |took| *took);
    let value = match joined {
        Ok(took) => format!("{} ms (limit {}; {} ms before)", took.as_millis(), limit.as_millis(), usual.as_millis()),
        Err(error) => error.to_string(),
    };
    report.check(format!("a newcomer joins while one address has opened {count} connections"), value, took <= limit);
    report.check(
        format!("memory of the server with {count} connections, over its idle size"),
        format!("{} MiB, {} MiB before (limit 64)", after >> 20, before >> 20),
        after < 64 << 20,
    );
    Ok(())
}

/// Sends messages that never end, from several addresses, and pings in between.
///
/// # Errors
/// Returns an error if the system refuses connections.
pub async fn unfinished(world: &mut World, count: usize, report: &mut Report) -> Result<()> {
    let (server, mut tasks) = (world.address, JoinSet::new());
    for _ in 0..count {
        tasks.spawn(async move {
            let mut wire = Wire::connect(another_address(), server).await.ok()?;
            let mut kind = Data::Binary;
            for _ in 0..4_000 {
                let frame = Frame::message(vec![0; 8 << 10], OpCode::Data(kind), false);
                let sent =
                    wire.send_raw(Message::Ping(Vec::new().into())).await && wire.send_raw(Message::Frame(frame)).await;
                if !sent {
                    return Some(());
                }
                kind = Data::Continue;
            }
            // The server took 32 MiB of one message.
            None
        });
    }
    let mut bounded = true;
    while let Some(ended) = tasks.join_next().await {
        bounded &= matches!(ended, Ok(Some(())));
        pause();
    }
    report.check(format!("{count} messages that never end are cut off"), if bounded { "yes" } else { "no" }, bounded);
    Ok(())
}

/// Asks for media tunnels without a token, with a false one, and with a request that never ends.
///
/// # Errors
/// Returns an error if the system refuses connections.
pub async fn tunnels(world: &mut World, count: usize, report: &mut Report) -> Result<()> {
    let (server, mut tasks) = (world.address, JoinSet::new());
    for number in 0..count {
        tasks.spawn(is_tunnel_refused(server, number % 3));
    }
    let mut refused = true;
    while let Some(ended) = tasks.join_next().await {
        refused &= matches!(ended, Ok(Ok(true)));
        pause();
    }
    let value = if refused { "yes" } else { "no" };
    report.check(format!("{count} requests of strangers for media tunnels are refused"), value, refused);
    Ok(())
}

/// Asks for a tunnel. Returns whether the server refuses: it answers 401, or does not read a request that never ends.
async fn is_tunnel_refused(server: SocketAddr, kind: usize) -> Result<bool> {
    let mut tls = connect_tls(another_address(), server).await?;
    let header = match kind {
        0 => "\r\n".to_owned(),
        1 => format!("Authorization: Bearer {}\r\n\r\n", "0a".repeat(32)),
        _ => "X: ".to_owned(),
    };
    let request = format!(
        "GET {TUNNEL_PATH} HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{header}"
    );
    tls.write_all(request.as_bytes()).await?;
    if kind > 1 {
        // 1 MiB of one line.
        for _ in 0..64 {
            if tls.write_all(&[b'x'; 16 << 10]).await.is_err() {
                return Ok(true);
            }
        }
    }
    let mut answer = Vec::new();
    // The server may close without the end of TLS.
    let ended = timeout(TIMEOUT, tls.read_to_end(&mut answer)).await.is_ok();
    Ok(ended && (answer.starts_with(b"HTTP/1.1 401") || kind > 1 && answer.is_empty()))
}

/// How many addresses flood the meeting with knocks.
const FLOODING_ADDRESSES: u8 = 20;

/// How often a member tries to keep a newcomer out.
const BAR_ATTEMPTS: u64 = 5;

//! Attacks of strangers on a server with real sockets, and what its limits do about them.

#[path = "strangers/client.rs"]
mod client;

use client::{Client, ELSEWHERE, HERE, TIMEOUT, connect_tcp, create, meeting, signed};
use futures_util::{SinkExt, StreamExt};
use proto::{Blob, Down, Epoch, LogEntry, ManagerCommand, Position, Problem, Up, Welcome};
use server::{Config, Limits, Server};
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// Each test measures the time or the memory of the whole process.
static ALONE: Mutex<()> = Mutex::const_new(());

async fn start(limits: Limits) -> Server {
    let listen = "127.0.0.1:0".parse().expect("an address");
    Server::start(Config { limits, ..Config::new(listen) }).await.expect("the server starts")
}

/// Returns the memory that this process uses, in bytes.
#[cfg(target_os = "linux")]
fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("a number") * 4_096
}

#[cfg(not(target_os = "linux"))]
fn resident_bytes() -> usize {
    0
}

fn fragment(opcode: Data, length: usize) -> Message {
    Message::Frame(Frame::message(vec![0; length], OpCode::Data(opcode), false))
}

/// Sends fragments of one message that never ends, and a ping before each. Returns how long the server allowed it, and
/// how many bytes it took.
async fn send_unfinished(mut client: Client, length: usize) -> (Duration, usize) {
    let (start, mut sent, mut ticks) = (Instant::now(), 0, interval(Duration::from_millis(50)));
    let mut opcode = Data::Binary;
    loop {
        let is_open = async {
            client.socket.send(Message::Ping(Vec::new().into())).await.ok()?;
            client.socket.send(fragment(opcode, length)).await.ok()
        };
        if timeout(TIMEOUT, is_open).await.expect("the server reads or closes").is_none() {
            return (start.elapsed(), sent);
        }
        (sent, opcode) = (sent + length, Data::Continue);
        tokio::select! {
            _ = ticks.tick() => {}
            message = client.socket.next() => {
                if !matches!(message, Some(Ok(_))) {
                    return (start.elapsed(), sent);
                }
            }
        }
    }
}

#[tokio::test]
async fn unfinished_messages_with_pings_are_dropped_in_time_and_use_little_memory() {
    let _alone = ALONE.lock().await;
    let limits = Limits {
        connections: 1_000,
        address_connections: 200,
        address_handshake_burst: 200,
        greeting: Duration::from_secs(5),
        ..Limits::default()
    };
    let server = start(limits).await;
    let before = resident_bytes();
    let mut attackers = JoinSet::new();
    for number in 0..100 {
        let address = server.address();
        // Half of them are slow. The others send as much as they can.
        let length = if number % 2 == 0 { 10 } else { 8 << 10 };
        attackers.spawn(async move {
            let client = Client::connect(HERE, address).await.expect("a place at the server");
            send_unfinished(client, length).await
        });
    }
    let (mut longest, mut most) = (Duration::ZERO, 0);
    while let Some(ended) = attackers.join_next().await {
        let (duration, sent) = ended.expect("no panic");
        (longest, most) = (longest.max(duration), most.max(sent));
    }
    let grown = resident_bytes().saturating_sub(before);
    assert!(longest < Duration::from_secs(20), "{longest:?}");
    // What the system buffers is not the server's memory.
    assert!(most < 1 << 20, "{most} bytes of one message");
    assert!(grown < 64 << 20, "{grown} bytes for both ends of 100 connections");
    server.stop(TIMEOUT).await;
}

#[tokio::test]
async fn a_stranger_that_never_greets_is_dropped_although_it_pings() {
    let _alone = ALONE.lock().await;
    let server = start(Limits { greeting: Duration::from_secs(2), ..Limits::default() }).await;
    let mut client = Client::connect(HERE, server.address()).await.expect("a place at the server");
    let (start, mut ticks) = (Instant::now(), interval(Duration::from_millis(50)));
    let pings = async {
        loop {
            ticks.tick().await;
            if client.socket.send(Message::Ping(Vec::new().into())).await.is_err() {
                return;
            }
        }
    };
    timeout(TIMEOUT, pings).await.expect("the server closes the connection");
    assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
    // So is a stranger that sends nothing at all, not even TLS.
    let mut silent = connect_tcp(HERE, server.address()).await.expect("listening");
    let closed = timeout(TIMEOUT, silent.read(&mut [0; 1])).await.expect("the server closes the connection");
    assert!(!matches!(closed, Ok(1..)));
    server.stop(TIMEOUT).await;
}

#[tokio::test]
async fn two_thousand_connections_from_one_address_keep_nobody_out() {
    let _alone = ALONE.lock().await;
    let server = start(Limits::default()).await;
    let address = server.address();
    let join = || async {
        let start = Instant::now();
        let mut client = Client::greeted(ELSEWHERE, address).await;
        client.send(&Up::Approach { meeting: meeting(1) }).await;
        let answered = client.receives(|message| *message == Down::Problem { problem: Problem::NoMeeting }).await;
        assert!(answered);
        start.elapsed()
    };
    let usual = join().await;
    let before = resident_bytes();
    let mut open = Vec::new();
    for _ in 0..2_000 {
        open.push(connect_tcp(HERE, address).await.expect("listening"));
    }
    let joined = join().await;
    assert!(joined < usual + Duration::from_secs(1), "{joined:?}, else {usual:?}");
    assert!(Client::connect(HERE, address).await.is_none(), "this address has no place left");
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes for both ends");
    server.stop(TIMEOUT).await;
}

#[tokio::test]
async fn meetings_of_strangers_cost_little() {
    let _alone = ALONE.lock().await;
    let server = start(Limits::default()).await;
    let before = resident_bytes();
    let (mut clients, mut refused) = (Vec::new(), 0);
    for number in 0..20 {
        let mut client = Client::greeted(HERE, server.address()).await;
        client.send(&create(number)).await;
        match client.next().await {
            Some(Down::Created { .. }) => clients.push(client),
            Some(Down::Problem { problem: Problem::ServerFull }) => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((clients.len(), refused), (16, 4));
    for client in &mut clients {
        // As much as the server takes: one attacker filled 16 MiB of log in each meeting.
        for _ in 0..4 {
            client.send(&Up::Tell { epoch: Epoch(0), blob: Blob(vec![0; 200 << 10]) }).await;
        }
        assert!(client.receives(|message| *message == Down::Problem { problem: Problem::TooFast }).await);
    }
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < 24 << 20, "{grown} bytes for both ends of {} meetings", clients.len());
    server.stop(TIMEOUT).await;
}

#[tokio::test]
async fn only_a_member_that_manages_may_send_long_messages() {
    let _alone = ALONE.lock().await;
    let server = start(Limits { tell_byte_burst: 8 << 20, ..Limits::default() }).await;
    let tell = |length| Up::Tell { epoch: Epoch(1), blob: Blob(vec![0; length]) };
    let (mut anna, mut ben) = pair(&server).await;
    let told =
        |message: &Down| matches!(message, Down::Log { entry: LogEntry::Told { .. }, .. } | Down::Skipped { .. });
    anna.send(&tell(proto::MAX_BLOB)).await;
    assert!(anna.receives(told).await, "she may send the longest commit");
    ben.send(&tell(proto::MAX_MEMBER_MESSAGE - 100)).await;
    assert!(ben.receives(told).await && ben.receives(told).await, "Anna's message and his own");
    ben.send(&tell(proto::MAX_MEMBER_MESSAGE)).await;
    assert!(ben.receives(|message| *message == Down::Problem { problem: Problem::Malformed }).await);
    server.stop(TIMEOUT).await;
}

#[tokio::test]
async fn one_address_sends_a_bounded_amount_of_long_messages() {
    let _alone = ALONE.lock().await;
    let limits = Limits {
        address_byte_burst: 3 << 20,
        address_bytes_per_second: 1,
        tell_byte_burst: 8 << 20,
        ..Limits::default()
    };
    let server = start(limits).await;
    let mut outcomes = Vec::new();
    for (number, from) in (1..).zip([HERE, HERE, ELSEWHERE]) {
        let mut client = Client::greeted(from, server.address()).await;
        client.send(&create(number)).await;
        assert!(client.receives(|message| matches!(message, Down::Created { .. })).await);
        client.send(&Up::Tell { epoch: Epoch(0), blob: Blob(vec![0; proto::MAX_BLOB]) }).await;
        let outcome = client.next().await;
        outcomes.push(outcome != Some(Down::Problem { problem: Problem::TooFast }));
    }
    assert_eq!(outcomes, [true, false, true]);
    server.stop(TIMEOUT).await;
}

/// Returns Anna, who has created meeting 1, and Ben, whom she admitted.
async fn pair(server: &Server) -> (Client, Client) {
    let (mut anna, mut ben) =
        (Client::greeted(HERE, server.address()).await, Client::greeted(HERE, server.address()).await);
    anna.send(&create(1)).await;
    assert!(anna.receives(|message| matches!(message, Down::Created { .. })).await);
    ben.send(&Up::Knock { meeting: meeting(1), request: Blob(vec![2]) }).await;
    assert!(anna.receives(|message| matches!(message, Down::Knocked { .. })).await);
    let command = ManagerCommand::Commit { epoch: Epoch(0), blob: Blob(vec![3]), removed: vec![], rotation: None };
    let welcome = Welcome { to: vec![ben.id], blob: Blob(vec![4]) };
    anna.send(&signed(anna.id, 1, &command, vec![welcome])).await;
    assert!(ben.receives(|message| matches!(message, Down::Admitted { .. })).await);
    (anna, ben)
}

#[tokio::test]
async fn a_member_whose_connection_is_lost_resumes() {
    let _alone = ALONE.lock().await;
    let server = start(Limits::default()).await;
    let mut anna = Client::greeted(HERE, server.address()).await;
    anna.send(&create(1)).await;
    let Some(Down::Created { resume: token }) = anna.next().await else { panic!("not created") };
    anna.send(&Up::Tell { epoch: Epoch(0), blob: Blob(vec![1]) }).await;
    assert!(anna.receives(|message| matches!(message, Down::Log { .. })).await);
    let participant = anna.id;
    drop(anna);
    let mut again = Client::greeted(HERE, server.address()).await;
    again.send(&Up::Resume { meeting: meeting(1), participant, token, position: Position(0) }).await;
    assert_eq!(again.next().await, Some(Down::Resumed));
    assert!(matches!(again.next().await, Some(Down::Log { position: Position(0), .. })));
    again.send(&Up::Tell { epoch: Epoch(0), blob: Blob(vec![2]) }).await;
    assert!(matches!(again.next().await, Some(Down::Log { position: Position(1), .. })));
    server.stop(TIMEOUT).await;
}

/// At the default level, the log of a server names no participant and no meeting.
#[test]
fn no_log_line_at_the_default_level_names_a_participant_or_a_meeting() {
    let mut files = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let mut lines = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a source file");
        for macro_name in ["tracing::info!(", "tracing::warn!(", "tracing::error!("] {
            for call in text.split(macro_name).skip(1) {
                let arguments = call.split(';').next().unwrap_or_default();
                let is_number = ["%participant", "?participant", "meeting =", "%id", "%meeting", "%address"];
                let found = is_number.iter().find(|number| arguments.contains(**number));
                assert_eq!(found, None, "{}: {arguments}", path.display());
                lines += 1;
            }
        }
    }
    assert!(lines > 10, "{lines} lines were found");
}

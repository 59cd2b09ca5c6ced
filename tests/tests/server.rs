//! A server on real sockets: TLS, WebSocket and UDP on loopback.

#[path = "server/connection.rs"]
mod connection;
#[path = "server/metrics.rs"]
mod metrics;
#[path = "server/threads.rs"]
mod threads;

use connection::{Connection, TestServer, commit, create, knock, manager_commit, tell};
use proto::{
    Blob, ClientSignal, Down, Epoch, FromSfu, Kind, LogEntry, ManagerCommand, ParticipantId, Problem, Published,
    ServerMessage, ServerSignal, Slot, Subscription, TileWish, ToSfu, Totals, TrackId, Up, VERSION,
};
use server::Limits;
use std::time::{Duration, Instant};
use tests::sfu::{Client, LAYERS, offer_of};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

fn gone(participant: ParticipantId) -> impl Fn(&Down) -> bool {
    move |message| matches!(message, Down::Log { entry: LogEntry::Gone { participant: who, .. }, .. } if *who == participant)
}

#[tokio::test]
async fn a_meeting_forms_and_commits_are_ordered() {
    let server = TestServer::start(Limits::default()).await;
    let (mut anna, mut ben) = server.pair().await;
    // Both commit for the same epoch. One commit wins, and both clients get the same one.
    anna.send(&commit(1)).await;
    ben.send(&commit(1)).await;
    let is_commit = |message: &Down| matches!(message, Down::Log { entry: LogEntry::Commit { .. }, .. });
    let (first, second) = (anna.receive(is_commit).await, ben.receive(is_commit).await);
    assert_eq!(first, second);
    let Down::Log { entry: LogEntry::Commit { from, .. }, .. } = first else {
        panic!("`receive` returns only a commit")
    };
    let loser = if from == anna.id { &mut ben } else { &mut anna };
    loser.receive(|message| matches!(message, Down::CommitTooLate { .. })).await;
    server.close().await;
}

#[tokio::test]
async fn a_client_that_disconnects_or_is_silent_is_logged_as_gone() {
    let server = TestServer::start(Limits {
        ping: Duration::from_millis(50),
        silence: Duration::from_millis(300),
        absence: Duration::from_millis(300),
        ..Limits::default()
    })
    .await;
    let (mut anna, ben) = server.pair().await;
    let cut_off = ben.id;
    drop(ben);
    anna.receive(gone(cut_off)).await;
    // This client does not answer pings, but its socket stays open.
    let silent = server.guest(&mut anna, 1).await;
    anna.receive(gone(silent.id)).await;
    server.close().await;
}

#[tokio::test]
async fn a_client_that_stops_reading_is_dropped_and_others_are_not_affected() {
    let limits = Limits {
        outgoing_bytes: 5 << 20,
        bytes_per_second: 100 << 20,
        byte_burst: 200 << 20,
        address_byte_burst: 200 << 20,
        silence: Duration::from_secs(20),
        absence: Duration::from_millis(100),
        ..Limits::default()
    };
    let server = TestServer::start(limits).await;
    let (mut anna, ben) = server.pair().await;
    let mut sent = 0;
    // The system buffers some megabytes for a socket before the server's queue fills.
    while sent < 60 {
        let blob = Blob(vec![5; 1 << 20]);
        anna.manage(&ManagerCommand::Commit { epoch: Epoch(1 + sent), blob, removed: vec![], rotation: None }, vec![])
            .await;
        sent += 1;
        let received = anna.receive(|message| matches!(message, Down::Log { .. })).await;
        if gone(ben.id)(&received) {
            break;
        }
    }
    assert!(sent < 60, "not dropped after {sent} MiB");
    server.close().await;
}

#[tokio::test]
async fn a_flood_of_application_messages_disconnects_no_slow_member() {
    let limits = Limits {
        outgoing_bytes: 5 << 20,
        message_burst: 10_000,
        tell_burst: 1_000,
        tell_byte_burst: 200 << 20,
        bytes_per_second: 100 << 20,
        byte_burst: 200 << 20,
        address_byte_burst: 200 << 20,
        silence: Duration::from_mins(1),
        write: Duration::from_mins(1),
        ..Limits::default()
    };
    let server = TestServer::start(limits).await;
    let (mut anna, mut ben) = server.pair().await;
    // Ben reads nothing while Anna sends 40 MiB. Her own messages may be skipped, too.
    for _ in 0..400 {
        anna.send(&tell(1, 100 << 10)).await;
        anna.receive(|message| matches!(message, Down::Log { .. } | Down::Skipped { .. })).await;
    }
    anna.manage(&manager_commit(1), vec![]).await;
    let (mut expected, mut skipped) = (None, 0);
    loop {
        let next = ben.find(|message| {
            if let ServerMessage::Meeting(Down::Skipped { position, count }) = message {
                return Some((position.0, count, None));
            }
            let ServerMessage::Meeting(Down::Log { position, entry }) = message else { return None };
            Some((position.0, 1, Some(entry)))
        });
        let (position, count, entry) = next.await;
        assert_eq!(expected.unwrap_or(position), position, "no gap");
        expected = Some(position + count);
        match entry {
            Some(LogEntry::Managed { .. }) => break,
            Some(_) => {}
            None => skipped += count,
        }
    }
    assert!(skipped > 0, "the flood was larger than the queue");
    server.close().await;
}

#[tokio::test]
async fn garbage_ends_only_its_own_connection() {
    let server = TestServer::start(Limits::default()).await;
    let (mut anna, mut ben) = server.pair().await;
    for bytes in [vec![], vec![0xff; 1_000], vec![0x82, 0x06, 0x82, 0x00, 0x5b, 0, 0, 1, 0, 0, 0, 0, 0]] {
        let mut stranger = server.connect().await;
        stranger.send_bytes(bytes).await;
        stranger.receive(|message| *message == Down::Problem { problem: Problem::Malformed }).await;
        assert!(stranger.ended().await);
    }
    // Longer than the longest message.
    let mut long = server.connect().await;
    long.send_bytes(vec![0; (4 << 20) + 1]).await;
    assert!(long.ended().await);
    // Neither TLS nor HTTP.
    let mut raw = TcpStream::connect(server.address()).await.expect("listening");
    raw.write_all(b"GET / HTTP/1.0\r\n\r\n").await.expect("written");
    let mut rest = Vec::new();
    let _ = timeout(connection::TIMEOUT, raw.read_to_end(&mut rest)).await.expect("closed");
    anna.send(&tell(1, 10)).await;
    ben.receive(|message| matches!(message, Down::Log { entry: LogEntry::Told { .. }, .. })).await;
    server.close().await;
}

/// A client that sends `before`, in that order.
async fn client(server: &TestServer, before: &[Up]) -> Connection {
    let mut client = server.connect().await;
    for message in before {
        client.send(message).await;
    }
    client
}

#[tokio::test]
async fn a_client_that_is_no_member_cannot_reach_the_sfu() {
    let server = TestServer::start(Limits::default()).await;
    let (mut anna, mut ben) = server.pair().await;
    let track = TrackId { owner: anna.id, slot: Slot::Camera };
    let wishes = ClientSignal::Wishes { tiles: Vec::new() };
    let offer = ClientSignal::Offer {
        number: 1,
        sdp: "v=0".into(),
        published: Vec::new(),
        subscriptions: vec![Subscription { mid: "0".into(), track }],
        voices: Vec::new(),
        downlink: None,
    };
    let signals = [proto::encode(&wishes), proto::encode(&offer), vec![0xff; 40], Vec::new()];
    let messages: Vec<ToSfu> =
        signals.into_iter().map(|bytes| ToSfu::Signal(Blob(bytes))).chain([ToSfu::Count]).collect();
    let hello = Up::Hello { version: VERSION };
    let approach = Up::Approach { meeting: connection::meeting(1) };
    let states = [vec![], vec![hello.clone()], vec![hello.clone(), approach], vec![hello.clone(), knock(1)]];
    for before in &states {
        for message in &messages {
            let mut stranger = client(&server, before).await;
            stranger.send_to_sfu(message).await;
            let reply = stranger.find(|reply| match reply {
                ServerMessage::Meeting(Down::Problem { problem }) => Some(Ok(problem)),
                ServerMessage::Sfu(reply) => Some(Err(reply)),
                ServerMessage::Meeting(_) => None,
            });
            assert_eq!(reply.await, Ok(Problem::Malformed), "{message:?} after {before:?}");
            assert!(stranger.ended().await);
        }
    }
    // After leaving, and after a first violation, nothing more is answered.
    let former = server.guest(&mut anna, 1).await;
    for (mut closing, last) in [(former, Up::Leave), (client(&server, std::slice::from_ref(&hello)).await, hello)] {
        closing.send(&last).await;
        for message in &messages {
            closing.send_to_sfu(message).await;
        }
        while let Some(reply) = closing.next_within(connection::TIMEOUT).await {
            assert!(!matches!(reply, ServerMessage::Sfu(_)), "{reply:?} after {last:?}");
        }
        assert!(closing.ended().await);
    }
    ben.send_to_sfu(&ToSfu::Count).await;
    let totals =
        ben.find(|reply| if let ServerMessage::Sfu(FromSfu::Totals { totals }) = reply { Some(totals) } else { None });
    assert_eq!(totals.await, Totals::default());
    server.close().await;
}

#[tokio::test]
async fn a_member_with_malformed_signalling_is_logged_as_gone() {
    let server = TestServer::start(Limits::default()).await;
    let (mut anna, mut ben) = server.pair().await;
    // The decoder of messages takes this, that of signals does not.
    ben.send_to_sfu(&ToSfu::Signal(Blob(vec![0x82, 0x18, 0x63, 0x80]))).await;
    ben.send(&tell(1, 10)).await;
    ben.receive(|message| *message == Down::Problem { problem: Problem::Malformed }).await;
    assert!(ben.ended().await);
    anna.receive(gone(ben.id)).await;
    server.close().await;
}

#[tokio::test]
async fn a_member_with_too_many_offers_is_disconnected_and_the_others_are_not() {
    let server = TestServer::start(Limits::default()).await;
    let (mut anna, ben) = server.pair().await;
    let mut ben = Member::new(ben).await;
    let mid = ben.client.add_camera(&LAYERS);
    let published = Published { slot: Slot::Camera, kind: Kind::Video, mid, layers: LAYERS.to_vec() };
    let sdp = ben.client.offer().expect("something to offer");
    for number in 0..100 {
        let published = if number % 2 == 0 { vec![published.clone()] } else { Vec::new() };
        ben.connection.signal(&offer_of(number, &sdp, published)).await;
    }
    ben.connection.receive(|message| *message == Down::Problem { problem: Problem::TooFast }).await;
    assert!(ben.connection.ended().await);
    let told = std::cell::Cell::new(0);
    anna.find(|message| match message {
        ServerMessage::Meeting(message) => gone(ben.connection.id)(&message).then_some(()),
        ServerMessage::Sfu(_) => {
            told.set(told.get() + 1);
            None
        }
    })
    .await;
    assert!(told.get() <= 50, "{} changes of Ben's tracks", told.get());
    server.close().await;
}

#[tokio::test]
async fn limits_are_enforced() {
    let limits = Limits { meetings: 1, members: 1, message_burst: 20, messages_per_second: 1, ..Limits::default() };
    let server = TestServer::start(limits).await;
    let mut anna = server.connect().await;
    anna.greet().await;
    anna.send(&create(1)).await;
    anna.receive(|message| matches!(message, Down::Created { .. })).await;
    let second =
        [(create(2), Problem::ServerFull), (create(1), Problem::MeetingExists), (knock(1), Problem::MeetingFull)];
    for (message, problem) in second.into_iter().chain([(knock(9), Problem::NoMeeting)]) {
        let mut other = server.connect().await;
        other.greet().await;
        other.send(&message).await;
        other.receive(|message| *message == Down::Problem { problem }).await;
        assert!(other.ended().await);
    }
    for _ in 0..30 {
        anna.send_to_sfu(&ToSfu::Count).await;
    }
    anna.receive(|message| *message == Down::Problem { problem: Problem::TooFast }).await;
    assert!(anna.ended().await);
    server.close().await;
}

#[tokio::test]
async fn another_version_or_path_is_refused() {
    let server = TestServer::start(Limits::default()).await;
    let mut newer = server.connect().await;
    newer.send(&Up::Hello { version: 99 }).await;
    newer.receive(|message| *message == Down::Problem { problem: Problem::Version }).await;
    assert!(newer.ended().await);
    assert!(server.refuses("/other").await);
    server.close().await;
}

#[tokio::test]
async fn a_server_that_stops_notifies_its_clients_and_stops_in_time() {
    let server = TestServer::start(Limits::default()).await;
    let (mut anna, mut ben) = server.pair().await;
    let closed = async {
        for connection in [&mut anna, &mut ben] {
            connection.receive(|message| *message == Down::Problem { problem: Problem::Draining }).await;
            assert!(connection.ended().await);
        }
    };
    let address = server.address();
    let start = Instant::now();
    tokio::join!(server.close(), closed);
    assert!(start.elapsed() < Duration::from_secs(12));
    assert!(TcpStream::connect(address).await.is_err());
}

/// A member with media: a WebSocket connection, a UDP socket and a transport.
struct Member {
    connection: Connection,
    socket: UdpSocket,
    client: Client,
}

impl Member {
    async fn new(connection: Connection) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let client = Client::new(socket.local_addr().expect("bound"), Instant::now());
        Self { connection, socket, client }
    }

    async fn offer(&mut self) {
        let sdp = self.client.offer().expect("something to offer");
        let (published, subscriptions) = (self.client.published.clone(), self.client.subscriptions.clone());
        let offer = ClientSignal::Offer {
            number: self.client.offers,
            sdp,
            published,
            subscriptions,
            voices: Vec::new(),
            downlink: None,
        };
        self.connection.signal(&offer).await;
    }

    /// Passes messages and datagrams between the client and the server. Waits at most a millisecond.
    async fn pump(&mut self) {
        if let Some(message) = self.connection.next_within(Duration::from_millis(1)).await
            && let Some(signal) = connection::signal(message)
        {
            self.client.handle_signal(signal);
        }
        let mut buffer = [0; 2_000];
        while let Ok((length, source)) = self.socket.try_recv_from(&mut buffer) {
            self.client.handle_datagram(source, &buffer[..length], Instant::now());
        }
        for (destination, bytes) in self.client.poll(Instant::now()) {
            // The system may refuse a candidate that has no route from this socket.
            let _ = self.socket.send_to(&bytes, destination).await;
        }
    }
}

#[tokio::test]
async fn media_flow_from_one_client_to_another() {
    let server = TestServer::start(Limits::default()).await;
    let (mut anna, _ben) = Box::pin(send_pictures(&server)).await;
    anna.connection.send_to_sfu(&ToSfu::Count).await;
    let totals = anna.connection.find(|message| match message {
        ServerMessage::Sfu(FromSfu::Totals { totals }) => Some(totals),
        ServerMessage::Sfu(FromSfu::Signal(_)) | ServerMessage::Meeting(_) => None,
    });
    let totals = totals.await;
    assert!(totals.packets_in > 50 && totals.packets_out >= 50);
    assert_eq!(server.server.totals(connection::meeting(1)).await.map(|totals| totals.packets_in > 50), Some(true));
    server.close().await;
}

/// Opens a meeting in which Anna has sent 50 packets of large pictures to Ben.
async fn send_pictures(server: &TestServer) -> (Member, Member) {
    Box::pin(send_pictures_in(server, 1)).await
}

/// Opens a meeting in which Anna has sent 50 packets of large pictures to Ben.
async fn send_pictures_in(server: &TestServer, meeting: u8) -> (Member, Member) {
    let (anna, ben) = server.pair_in(meeting).await;
    let (mut anna, mut ben) = (Member::new(anna).await, Member::new(ben).await);
    let mid = anna.client.add_camera(&LAYERS);
    let published = Published { slot: Slot::Camera, kind: Kind::Video, mid, layers: LAYERS.to_vec() };
    anna.client.published.push(published.clone());
    anna.offer().await;
    let track = TrackId { owner: anna.connection.id, slot: Slot::Camera };
    let tracks = ServerSignal::Tracks { owner: track.owner, tracks: vec![published] };
    ben.connection.find(|message| connection::signal(message).filter(|signal| *signal == tracks)).await;
    let mid = ben.client.add_receiver(str0m::media::MediaKind::Video);
    ben.client.subscriptions.push(Subscription { mid, track });
    ben.offer().await;
    let tile = TileWish { track, width: 1_280, height: 720, frames_per_second: 30, priority: 1, hidden: false };
    ben.connection.signal(&ClientSignal::Wishes { tiles: vec![tile] }).await;
    // The first byte of a payload is the number of packets in its frame.
    let large = |ben: &Client| ben.received.iter().filter(|packet| packet.payload[0] > 2).count() >= 50;
    send_until(&mut anna, &mut ben, large).await;
    (anna, ben)
}

/// Lets Anna send pictures until `done` returns true for Ben.
async fn send_until(anna: &mut Member, ben: &mut Member, done: impl Fn(&Client) -> bool) {
    let (deadline, mut frame) = (Instant::now() + Duration::from_secs(20), Instant::now());
    while !done(&ben.client) {
        assert!(Instant::now() < deadline, "{} packets", ben.client.received.len());
        anna.pump().await;
        ben.pump().await;
        if frame <= Instant::now() {
            anna.client.send_frame(Instant::now());
            frame += Duration::from_millis(33);
        }
    }
}

/// Returns the addresses in the ICE candidates of the answer to Anna's offer.
async fn offered_addresses(anna: &mut Member) -> Vec<String> {
    let mid = anna.client.add_camera(&LAYERS);
    anna.client.published.push(Published { slot: Slot::Camera, kind: Kind::Video, mid, layers: LAYERS.to_vec() });
    anna.offer().await;
    let answer = |message| connection::signal(message).filter(|signal| matches!(signal, ServerSignal::Answer { .. }));
    let answer = anna.connection.find(answer).await;
    anna.client.handle_signal(answer.clone());
    let ServerSignal::Answer { sdp, .. } = answer else { panic!("`find` returns only an answer") };
    let candidates = sdp.lines().filter(|line| line.starts_with("a=candidate:"));
    let mut addresses: Vec<String> = candidates.filter_map(|line| Some(line.split(' ').nth(4)?.to_owned())).collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

/// Every address of 127.0.0.0/8 is one of this machine there, and no route points to most of them.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn media_are_offered_at_the_address_by_which_the_client_came() {
    let server = TestServer::start_at("0.0.0.0:0", &["203.0.113.5"], Limits::default()).await;
    Box::pin(connect_at_several_addresses(server)).await;
}

/// Checks that members who come by different addresses are offered those, and connect.
#[cfg(target_os = "linux")]
async fn connect_at_several_addresses(server: TestServer) {
    let port = server.address().port();
    for (number, last) in [(1, 1), (2, 2), (3, 77), (4, 77), (5, 78), (6, 79)] {
        let mut anna = server.connect_to(std::net::SocketAddr::from(([127, 0, 0, last], port))).await;
        anna.greet().await;
        anna.send(&create(number)).await;
        anna.receive(|message| matches!(message, Down::Created { .. })).await;
        let mut anna = Member::new(anna).await;
        let expected = [format!("127.0.0.{last}"), "203.0.113.5".to_owned()];
        assert_eq!(offered_addresses(&mut anna).await, expected);
        let deadline = Instant::now() + Duration::from_secs(20);
        while !anna.client.connected() {
            assert!(Instant::now() < deadline, "media do not connect to {}", expected[0]);
            anna.pump().await;
        }
    }
    server.close().await;
}

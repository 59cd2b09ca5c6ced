//! The server behind real sockets: TLS, WebSocket and UDP on loopback.

#[path = "server/caller.rs"]
mod caller;

use caller::{Caller, Place, commit, create, knock, tell};
use proto::{
    ClientSignal, Down, Entry, FromSfu, Kind, ParticipantId, Problem, Published, ServerMessage, ServerSignal, Slot,
    Subscription, TileWish, ToSfu, TrackId, Up,
};
use server::Limits;
use server::bench::{Client, LAYERS};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

fn gone(participant: ParticipantId) -> impl Fn(&Down) -> bool {
    move |message| matches!(message, Down::Log { entry: Entry::Gone { participant: who }, .. } if *who == participant)
}

#[tokio::test]
async fn a_meeting_forms_and_commits_are_ordered() {
    let place = Place::open(Limits::default()).await;
    let (mut anna, mut ben) = place.pair().await;
    // Both commit for the same epoch: one wins, and both see the winner at the same place.
    anna.say(&commit(1, &[])).await;
    ben.say(&commit(1, &[])).await;
    let is_commit = |message: &Down| matches!(message, Down::Log { entry: Entry::Commit { .. }, .. });
    let (first, second) = (anna.hear(is_commit).await, ben.hear(is_commit).await);
    assert_eq!(first, second);
    let Down::Log { entry: Entry::Commit { from, .. }, .. } = first else { panic!("asked for a commit") };
    let loser = if from == anna.id { &mut ben } else { &mut anna };
    loser.hear(|message| matches!(message, Down::Lost { .. })).await;
    place.close().await;
}

#[tokio::test]
async fn a_client_that_is_cut_off_is_gone_and_one_that_is_silent_too() {
    let place = Place::open(Limits {
        ping: Duration::from_millis(50),
        silence: Duration::from_millis(300),
        ..Limits::default()
    })
    .await;
    let (mut anna, ben) = place.pair().await;
    let cut_off = ben.id;
    drop(ben);
    anna.hear(gone(cut_off)).await;
    // One whose process is stopped: the socket is open, and nobody answers a ping.
    let silent = place.guest(&mut anna, 1).await;
    anna.hear(gone(silent.id)).await;
    place.close().await;
}

#[tokio::test]
async fn a_client_that_stops_reading_is_dropped_and_others_go_on() {
    let limits = Limits {
        outgoing_bytes: 5 << 20,
        bytes_per_second: 100 << 20,
        byte_burst: 200 << 20,
        silence: Duration::from_secs(20),
        ..Limits::default()
    };
    let place = Place::open(limits).await;
    let (mut anna, ben) = place.pair().await;
    let mut told = 0;
    // The system holds some megabytes for a socket before the server's own queue fills.
    while told < 60 {
        anna.say(&tell(1, 1 << 20)).await;
        told += 1;
        let heard = anna.hear(|message| matches!(message, Down::Log { .. })).await;
        if gone(ben.id)(&heard) {
            break;
        }
    }
    assert!(told < 60, "dropped after {told} MiB");
    place.close().await;
}

#[tokio::test]
async fn garbage_ends_its_own_connection_only() {
    let place = Place::open(Limits::default()).await;
    let (mut anna, mut ben) = place.pair().await;
    for bytes in [vec![], vec![0xff; 1_000], vec![0x82, 0x06, 0x82, 0x00, 0x5b, 0, 0, 1, 0, 0, 0, 0, 0]] {
        let mut stranger = place.connect().await;
        stranger.send(bytes).await;
        stranger.hear(|message| *message == Down::Problem { problem: Problem::Malformed }).await;
        assert!(stranger.ended().await);
    }
    // Longer than any message: the length alone ends it.
    let mut long = place.connect().await;
    long.send(vec![0; (4 << 20) + 1]).await;
    assert!(long.ended().await);
    // Neither TLS nor HTTP.
    let mut raw = TcpStream::connect(place.address()).await.expect("listening");
    raw.write_all(b"GET / HTTP/1.0\r\n\r\n").await.expect("written");
    let mut rest = Vec::new();
    let _ = timeout(caller::PATIENCE, raw.read_to_end(&mut rest)).await.expect("closed");
    anna.say(&tell(1, 10)).await;
    ben.hear(|message| matches!(message, Down::Log { entry: Entry::Told { .. }, .. })).await;
    place.close().await;
}

#[tokio::test]
async fn limits_hold() {
    let limits = Limits { meetings: 1, members: 1, message_burst: 20, messages_per_second: 1, ..Limits::default() };
    let place = Place::open(limits).await;
    let mut anna = place.connect().await;
    anna.greet().await;
    anna.say(&create(1)).await;
    anna.hear(|message| *message == Down::Created).await;
    let second =
        [(create(2), Problem::ServerFull), (create(1), Problem::MeetingExists), (knock(1), Problem::MeetingFull)];
    for (message, problem) in second.into_iter().chain([(knock(9), Problem::NoMeeting)]) {
        let mut other = place.connect().await;
        other.greet().await;
        other.say(&message).await;
        other.hear(|heard| *heard == Down::Problem { problem }).await;
        assert!(other.ended().await);
    }
    for _ in 0..30 {
        anna.ask(&ToSfu::Count).await;
    }
    anna.hear(|heard| *heard == Down::Problem { problem: Problem::TooFast }).await;
    assert!(anna.ended().await);
    place.close().await;
}

#[tokio::test]
async fn another_version_or_path_is_told_so() {
    let place = Place::open(Limits::default()).await;
    let mut newer = place.connect().await;
    newer.say(&Up::Hello { version: 99 }).await;
    newer.hear(|heard| *heard == Down::Problem { problem: Problem::Version }).await;
    assert!(newer.ended().await);
    assert!(place.refuses("/other").await);
    place.close().await;
}

#[tokio::test]
async fn a_server_that_stops_says_so_and_ends_in_time() {
    let place = Place::open(Limits::default()).await;
    let (mut anna, mut ben) = place.pair().await;
    let listen = async {
        for caller in [&mut anna, &mut ben] {
            caller.hear(|heard| *heard == Down::Problem { problem: Problem::Draining }).await;
            assert!(caller.ended().await);
        }
    };
    let address = place.address();
    let began = Instant::now();
    tokio::join!(place.close(), listen);
    assert!(began.elapsed() < Duration::from_secs(4));
    assert!(TcpStream::connect(address).await.is_err());
}

/// A member with media: its WebSocket, its UDP socket, and a transport between them.
struct Phone {
    caller: Caller,
    socket: UdpSocket,
    client: Client,
}

impl Phone {
    async fn new(caller: Caller) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let client = Client::new(socket.local_addr().expect("bound"), Instant::now());
        Self { caller, socket, client }
    }

    async fn offer(&mut self) {
        let sdp = self.client.offer().expect("something to offer");
        let (published, subscriptions) = (self.client.published.clone(), self.client.subscriptions.clone());
        self.caller.signal(&ClientSignal::Offer { number: self.client.offers, sdp, published, subscriptions }).await;
    }

    /// Moves what there is to move, and waits a moment for more.
    async fn pump(&mut self) {
        if let Some(message) = self.caller.next_within(Duration::from_millis(1)).await {
            caller::signal(message).into_iter().for_each(|signal| self.client.hear(signal));
        }
        let mut buffer = [0; 2_000];
        while let Ok((length, source)) = self.socket.try_recv_from(&mut buffer) {
            self.client.take(source, &buffer[..length], Instant::now());
        }
        for (destination, bytes) in self.client.poll(Instant::now()) {
            self.socket.send_to(&bytes, destination).await.expect("sent");
        }
    }
}

#[tokio::test]
async fn media_flow_from_one_client_to_another() {
    let place = Place::open(Limits::default()).await;
    let (anna, ben) = place.pair().await;
    let (mut anna, mut ben) = (Phone::new(anna).await, Phone::new(ben).await);
    let mid = anna.client.add_camera(&LAYERS.map(|layer| layer.bitrate));
    let published = Published { slot: Slot::Camera, kind: Kind::Video, mid, layers: LAYERS.to_vec() };
    anna.client.published.push(published.clone());
    anna.offer().await;
    let track = TrackId { owner: anna.caller.id, slot: Slot::Camera };
    let tracks = ServerSignal::Tracks { owner: track.owner, tracks: vec![published] };
    ben.caller.find(|message| caller::signal(message).filter(|signal| *signal == tracks)).await;
    let mid = ben.client.add_receiver();
    ben.client.subscriptions.push(Subscription { mid, track });
    ben.offer().await;
    let tile = TileWish { track, width: 1_280, height: 720, frames_per_second: 30, priority: 1, paused: false };
    ben.caller.signal(&ClientSignal::Wishes { tiles: vec![tile] }).await;
    let (deadline, mut frame) = (Instant::now() + Duration::from_secs(20), Instant::now());
    // The largest layer's packets say that there are several for a picture.
    let large = |ben: &Phone| ben.client.received.iter().filter(|packet| packet.payload[0] > 2).count();
    while large(&ben) < 50 {
        assert!(Instant::now() < deadline, "{} packets, {} large", ben.client.received.len(), large(&ben));
        anna.pump().await;
        ben.pump().await;
        if frame <= Instant::now() {
            anna.client.send_frame(Instant::now());
            frame += Duration::from_millis(33);
        }
    }
    anna.caller.ask(&ToSfu::Count).await;
    let totals = anna.caller.find(|message| match message {
        ServerMessage::Sfu(FromSfu::Totals { totals }) => Some(totals),
        ServerMessage::Sfu(FromSfu::Signal(_)) | ServerMessage::Meeting(_) => None,
    });
    let totals = totals.await;
    assert!(totals.packets_in > 50 && totals.packets_out >= 50);
    assert_eq!(place.server.totals(caller::meeting(1)).await.map(|totals| totals.packets_in > 50), Some(true));
    place.close().await;
}

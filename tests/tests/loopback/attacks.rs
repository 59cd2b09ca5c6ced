//! Attacks over real sockets, by admitted members and by strangers. The other clients must continue, and the memory of the
//! process must not keep growing.

use crate::client::{Client, State};
use crate::insider::{Insider, SSRC, signal};
use crate::stranger::{self, frame};
use crate::{all_receive, meeting, opened, run, server};
use bytes::Bytes;
use proto::{ClientMessage, ClientSignal, MAX_MESSAGE, ParticipantId, Slot, ToSfu, TrackId, Up, VERSION};
use rtc::rtp;
use std::time::{Duration, Instant};
use tests::sfu::offer_of;
use tokio::io::AsyncWriteExt;

/// Pseudo-random bytes (the generator of Numerical Recipes, upper half).
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 16
    }

    fn bytes(&mut self, length: usize) -> Bytes {
        (0..length).map(|_| self.next().to_be_bytes()[3]).collect()
    }
}

/// Returns the packets that an insider sends instead of one good packet.
type Alter = fn(&rtp::Packet, u8, &mut Noise) -> Vec<rtp::Packet>;

fn with(packet: &rtp::Packet, change: impl FnOnce(&mut rtp::Packet)) -> rtp::Packet {
    let mut packet = packet.clone();
    change(&mut packet);
    packet
}

/// Returns payloads that are truncated, empty, changed, or larger than any network path supports.
fn payloads(packet: &rtp::Packet, _: u8, noise: &mut Noise) -> Vec<rtp::Packet> {
    let cuts = [0, 1, 2, packet.payload.len() / 2].map(|length| packet.payload.slice(..length));
    let changed = [packet.payload.len(), 20, 1_400, 9_000, 60_000].map(|length| noise.bytes(length));
    let payloads = cuts.into_iter().chain(changed).chain([packet.payload.clone()]);
    payloads.map(|payload| with(packet, |packet| packet.payload = payload)).collect()
}

/// Returns packets with malformed descriptors, and with descriptors whose flags, layers, numbers or templates are wrong.
fn descriptors(packet: &rtp::Packet, id: u8, noise: &mut Noise) -> Vec<rtp::Packet> {
    let good = packet.header.get_extension(id).unwrap_or_default();
    let mut wrong: Vec<Bytes> = [1, 2, 3, 4, 8, 40, 255].map(|length| noise.bytes(length)).to_vec();
    wrong.push(Bytes::from_static(&[0xff; 255]));
    for at in 0..good.len().min(6) {
        let mut bytes = good.to_vec();
        bytes[at] ^= noise.next().to_be_bytes()[3] | 1;
        wrong.push(Bytes::from(bytes));
    }
    wrong.extend((1..good.len()).step_by(3).map(|length| good.slice(..length)));
    let mut packets: Vec<_> = wrong
        .into_iter()
        .map(|bytes| with(packet, |new| extend(new, [vec![(id, bytes)], extensions_except(packet, id)].concat())))
        .collect();
    packets.push(with(packet, |new| extend(new, extensions_except(packet, id))));
    packets.push(packet.clone());
    packets
}

/// Replaces a packet's extensions. The length of the first one determines the form of all (RFC 8285, section 4.1.2).
fn extend(packet: &mut rtp::Packet, extensions: impl IntoIterator<Item = (u8, Bytes)>) {
    packet.header.extensions.clear();
    (packet.header.extension, packet.header.extensions_padding) = (false, 0);
    for (id, payload) in extensions {
        packet.header.set_extension(id, payload).unwrap();
    }
}

/// Returns a packet's extensions without one of them.
fn extensions_except(packet: &rtp::Packet, id: u8) -> Vec<(u8, Bytes)> {
    let others = packet.header.extensions.iter().filter(|extension| extension.id != id);
    others.map(|extension| (extension.id, extension.payload.clone())).collect()
}

/// Returns packets with wrong timestamps, contributing sources and markers, with names of streams that do not exist, and
/// repeated packets.
fn headers(packet: &rtp::Packet, id: u8, noise: &mut Noise) -> Vec<rtp::Packet> {
    let good = packet.header.get_extension(id).unwrap_or_default();
    let named = |name: &'static str| {
        let names = extensions_except(packet, id).into_iter().map(|(id, _)| (id, Bytes::from(name)));
        with(packet, |packet| extend(packet, [(id, good.clone())].into_iter().chain(names)))
    };
    let mut packets: Vec<_> = ["7", "1", "nobody", "\u{0}\u{0}"].map(named).to_vec();
    packets.push(with(packet, |packet| packet.header.timestamp = noise.next() << 16));
    packets.push(with(packet, |packet| packet.header.csrc = vec![SSRC; 15]));
    packets.push(with(packet, |packet| packet.header.marker = !packet.header.marker));
    packets.extend(vec![packet.clone(); 3]);
    packets
}

/// Returns RTCP packets of every type (RFC 3550, RFC 4585, and unassigned types): empty, truncated, too long, random.
fn reports(noise: &mut Noise) -> Vec<Vec<u8>> {
    let mut reports = Vec::new();
    for kind in 192..=223 {
        for (first, words, length) in [(0x80, 0, 0), (0x81, 1, 4), (0x9f, 6, 24), (0x8f, 0xffff, 40), (0xbf, 3, 1_200)]
        {
            let claims = u16::to_be_bytes(words);
            let mut report = vec![first, kind, claims[0], claims[1]];
            report.extend(SSRC.to_be_bytes().iter().chain(&noise.bytes(length)));
            reports.push(report);
        }
    }
    // A NACK for all sequence numbers, seventeen at a time.
    let mut nack = vec![0x81, 205, 1, 2];
    nack.extend([0x0b, 0xad, 0xca, 0xfe, 0x0b, 0xad, 0xca, 0xfe]);
    nack.extend((0..256u16).flat_map(|at| [(at * 17).to_be_bytes(), [0xff; 2]].concat()));
    reports.push(nack);
    reports
}

/// Waits until the two other clients have received 25 more pictures of each other, and asserts that no frame failed to open.
pub async fn assert_the_others_continue(clients: &[Client]) {
    let before = |client: &Client, track: TrackId| client.look(|state: &State| opened(state, track));
    for (one, other) in [(&clients[0], &clients[1]), (&clients[1], &clients[0])] {
        let tracks = [other.camera(), other.microphone()];
        let so_far = tracks.map(|track| before(one, track));
        one.until("the others receive each other", |state| {
            tracks.iter().zip(so_far).all(|(track, so_far)| opened(state, *track) > so_far + 25)
        })
        .await;
        let failed = one.look(|state| tracks.map(|track| state.received[&track].failed));
        assert_eq!(failed, [0, 0]);
    }
}

/// Returns the resident memory of this process in MiB.
pub fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1_024
}

/// An insider joins and sends 48 pictures in altered packets. Then it sends good packets, whose pictures must open: this
/// shows that its packets arrive and that the server did not block it.
async fn send_altered(clients: &[Client], alter: Alter) {
    let mut insider = Insider::join(&clients[0].link()).await;
    let (camera, mut noise, mut sequence) = (insider.camera(), Noise(7), 100u16);
    for _ in 0..48 {
        for packet in insider.picture() {
            for mut altered in alter(&packet, insider.descriptor, &mut noise) {
                // About every second packet repeats a sequence number, as in a replay attack.
                sequence = sequence.wrapping_add(u16::from(noise.next().is_multiple_of(2)));
                altered.header.sequence_number = sequence;
                insider.send(altered).await;
            }
        }
        insider.listen(Duration::from_millis(10)).await;
    }
    assert_the_others_continue(clients).await;
    let so_far = clients[0].look(|state| opened(state, camera));
    let end = Instant::now() + Duration::from_secs(20);
    while clients[0].look(|state| opened(state, camera)) < so_far + 3 {
        assert!(Instant::now() < end, "no picture of the insider opens any more");
        for mut packet in insider.picture() {
            sequence = sequence.wrapping_add(1);
            packet.header.sequence_number = sequence;
            insider.send(packet).await;
        }
        insider.listen(Duration::from_millis(40)).await;
    }
    insider.vanish().await;
}

#[test]
fn an_insider_with_broken_packets_disturbs_no_client() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        all_receive(&clients, 10).await;
        let mut used = Vec::new();
        for round in 0..2 {
            for attack in [payloads as Alter, descriptors, headers] {
                Box::pin(send_altered(&clients, attack)).await;
            }
            used.push(memory());
            println!("round {round}: {} MiB", memory());
        }
        // The first round grows pools and caches to their bounds. The second one may add little.
        assert!(used[1] <= used[0] + 24, "{used:?} MiB");
    });
}

#[test]
fn an_insider_with_wrong_rtcp_disturbs_no_client() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        all_receive(&clients, 10).await;
        let mut insider = Insider::join(&clients[0].link()).await;
        let mut noise = Noise(9);
        for _ in 0..10 {
            for packet in insider.picture() {
                insider.send(packet).await;
            }
            for report in reports(&mut noise) {
                insider.send_rtcp(report).await;
            }
            insider.listen(Duration::from_millis(10)).await;
        }
        assert_the_others_continue(&clients).await;
        insider.vanish().await;
        assert_the_others_continue(&clients).await;
    });
}

#[test]
fn an_insider_with_wrong_messages_disturbs_no_client() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        all_receive(&clients, 10).await;
        let [one, other] = [clients[0].camera(), clients[1].camera()];
        let offer = |sdp: &str| signal(&offer_of(2, sdp, vec![]));
        let stolen = |track: TrackId| {
            signal(&ClientSignal::Offer {
                number: 3,
                sdp: DATA_CHANNEL.into(),
                published: vec![proto::Published {
                    slot: track.slot,
                    kind: proto::Kind::Video,
                    mid: "9".into(),
                    layers: vec![proto::SpatialLayer { spatial: 0, width: 1, height: 1, bitrate: u32::MAX }],
                }],
                subscriptions: vec![proto::Subscription { mid: "nowhere".into(), track }; 300],
                voices: vec!["9".into()],
                downlink: None,
            })
        };
        let messages = [
            offer(""),
            offer("v=0"),
            offer(DATA_CHANNEL),
            offer(&"m=video 9 UDP/TLS/RTP/SAVPF 102\r\n".repeat(9_000)),
            stolen(one),
            stolen(other),
            stolen(TrackId { owner: ParticipantId(u64::MAX), slot: Slot::Screen }),
            ClientMessage::Sfu(ToSfu::Signal(proto::Blob(vec![0xff; 300]))),
            ClientMessage::Meeting(Up::Commit {
                epoch: proto::Epoch(0),
                blob: proto::Blob(vec![0; 9_000]),
                removed: vec![one.owner],
                welcome: None,
            }),
            ClientMessage::Meeting(Up::Tell { epoch: proto::Epoch(2), blob: proto::Blob(vec![0; 9_000]) }),
            ClientMessage::Meeting(Up::Hello { version: VERSION }),
        ];
        for message in &messages {
            let mut insider = Insider::join(&clients[0].link()).await;
            insider.send_message(message).await;
            insider.listen(Duration::from_millis(200)).await;
            insider.vanish().await;
        }
        assert_the_others_continue(&clients).await;
        for client in &clients {
            client.until("only the two are left", |state| state.members.len() == 2).await;
        }
    });
}

/// A session description that the server does not support.
const DATA_CHANNEL: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n\
                            m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:9\r\na=sctp-port:5000\r\n";

/// Each change makes every other client send an offer, and the server disconnects a client that sends too much.
#[test]
fn insiders_that_change_their_tracks_all_the_time_end_no_client() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        all_receive(&clients, 10).await;
        let mut insiders = Vec::new();
        for _ in 0..4 {
            insiders.push(Insider::join(&clients[0].link()).await);
        }
        let floods = insiders.iter_mut().map(|insider| {
            insider.flood(Duration::from_secs(15), |insider, number| insider.repeated_offer(number, number % 2 == 1))
        });
        let stayed = futures_util::future::join_all(floods).await;
        println!("insiders that were not disconnected: {stayed:?}");
        assert_the_others_continue(&clients).await;
        for insider in insiders {
            insider.vanish().await;
        }
        for client in &clients {
            client.until("only the two are left", |state| state.members.len() == 2).await;
            assert_eq!(client.look(|state| state.over.clone()), None);
        }
        assert_eq!(stayed, [false; 4]);
    });
}

/// Returns WebSocket frames that break the protocol, claim a wrong length, or never end; then too many valid messages.
fn wrong_frames() -> Vec<(&'static str, Vec<u8>)> {
    let hello = proto::encode(&Up::Hello { version: VERSION });
    let length = hello.len().try_into().unwrap();
    let unmasked = [&[0x82, hello.len().to_be_bytes()[7]][..], &hello].concat();
    let too_long = MAX_MESSAGE as u64 + 1;
    let greeting = frame(0x82, length, &hello);
    let pieces = [frame(0x02, 1_000, &[7; 1_000]), frame(0x00, 1_000, &[7; 1_000]).repeat(5_000)].concat();
    vec![
        ("text", frame(0x81, 4, b"text")),
        ("no mask", unmasked),
        ("a reserved kind", frame(0x83, 4, b"more")),
        ("reserved bits", frame(0xf2, 4, b"bits")),
        ("a long ping", frame(0x89, 126, &[0; 126])),
        ("a continuation of no message", frame(0x80, 4, b"rest")),
        ("garbage", frame(0x82, 40, &[0xa5; 40])),
        ("a cut greeting", frame(0x82, length - 1, &hello[..hello.len() - 1])),
        ("a stranger's long message", frame(0x82, 70_000, &[0x82; 70_000])),
        ("a length beyond the limit", [greeting.clone(), frame(0x82, too_long, &[0; 64])].concat()),
        ("a length beyond all memory", [greeting.clone(), frame(0x82, u64::MAX >> 1, &[0; 64])].concat()),
        ("a message that does not end", [greeting.clone(), pieces].concat()),
        ("a flood of greetings", greeting.repeat(2_000)),
        ("a flood of pongs", [greeting, frame(0x8a, 0, &[]).repeat(20_000)].concat()),
    ]
}

#[test]
fn strangers_at_the_server_disturb_no_client_and_are_disconnected() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        all_receive(&clients, 10).await;
        let before = memory();
        for (what, bytes) in wrong_frames() {
            assert!(stranger::send_raw(server.address(), &bytes).await, "{what}: not disconnected after ten seconds");
        }
        // Below the WebSocket: no TLS, and TLS without an HTTP request.
        let long = vec![0xa5; 70_000];
        for noise in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0x16, 0x03, 0x01, 0xff, 0xff], &long] {
            let mut tcp = tokio::net::TcpStream::connect(server.address()).await.unwrap();
            let _ = tcp.write_all(noise).await;
            let mut tls = stranger::connect_tls(server.address()).await;
            let _ = tls.write_all(noise).await;
            tokio::join!(stranger::is_closed(&mut tcp), stranger::is_closed(&mut tls));
        }
        assert_the_others_continue(&clients).await;
        let after = memory();
        assert!(after <= before + 48, "{before} MiB, then {after}");
        let late = Client::join(&clients[0].link(), "late");
        late.until("the late client is admitted", |state| state.members.len() == 3).await;
    });
}

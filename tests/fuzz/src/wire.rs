//! Fuzz targets for what the server may send, and what other clients may send through it.

use super::{joined, parts};
use ::media::BufferPool;
use bytes::Bytes;
use crypto::{Identity, ManagerKeys, Profile};
use net::meeting::{Command, Entry, Event, Meeting, chat};
use net::rtp::assemble::{Assembler, Packet};
use net::rtp::description;
use net::sfu::native::Native;
use net::sfu::{Input, Mids, Output, Sfu};
use net::{ProxyAnswer, TurnMessageDecoder, socks5};
use proto::descriptor::{
    BitReader, BitWriter, Descriptor, DescriptorWriter, MANDATORY_BYTES, Mandatory, PacketPosition, Resolution,
    ScalabilityMode, Structure,
};
use proto::{
    Blob, ClientMessage, ClientSignal, DemandedLayer, Down, DownlinkReport, DownlinkSettings, Epoch, FromSfu, Kind,
    LimitCause, LimitedTrack, ManagerCommand, MeetingId, ParticipantId, Position, Problem, Published, Refusal,
    ResumeToken, ServerMessage, ServerSignal, SignedCommand, Slot, SpatialLayer, Subscription, TileWish, ToSfu, Totals,
    TrackDemand, TrackId, TurnAccess, TurnServer, Up, VERSION, Welcome,
};
use std::time::{Duration, Instant, SystemTime};

const OTHER: ParticipantId = ParticipantId(7);

/// Decodes a message of a client. A decoded message that is encoded and decoded again is equal.
pub(super) fn client_message(bytes: &[u8]) {
    round_trip::<ClientMessage>(bytes);
}

/// Decodes a message of a server, as [`client_message`] does.
pub(super) fn server_message(bytes: &[u8]) {
    round_trip::<ServerMessage>(bytes);
}

/// Decodes media signalling of a client, as [`client_message`] does.
pub(super) fn client_signal(bytes: &[u8]) {
    round_trip::<ClientSignal>(bytes);
}

/// Decodes media signalling of a server, as [`client_message`] does.
pub(super) fn server_signal(bytes: &[u8]) {
    round_trip::<ServerSignal>(bytes);
}

/// Splits a message of a media tunnel. Its datagrams with their lengths are the message again.
pub(super) fn tunnel_message(bytes: &[u8]) {
    let Ok(datagrams) = proto::datagrams(bytes) else { return };
    let mut again = Vec::new();
    for datagram in datagrams {
        assert!((1..=proto::MAX_DATAGRAM).contains(&datagram.len()));
        again.extend(u16::try_from(datagram.len()).unwrap_or(0).to_be_bytes());
        again.extend(datagram);
    }
    assert_eq!(again, bytes);
}

/// Returns messages as the queue of a tunnel makes them.
pub(super) fn tunnel_messages() -> Vec<Vec<u8>> {
    let now = Instant::now();
    let message = |lengths: &[usize]| {
        let mut queue = proto::DatagramQueue::new(proto::MAX_TUNNEL_QUEUE, proto::MAX_TUNNEL_AGE);
        for length in lengths {
            queue.push(&vec![0x80; *length], now);
        }
        let mut message = Vec::new();
        queue.pop_batch(&mut message, now);
        message
    };
    vec![message(&[1]), message(&[20, 100, 1_200]), message(&[1_500, 1_500])]
}

/// Splits a stream of a TURN server, at once and in parts.
pub(super) fn turn_stream(bytes: &[u8]) {
    let (mut whole, mut cut) = (Vec::new(), Vec::new());
    let is_valid = TurnMessageDecoder::default().push(bytes, |frame| whole.push(frame.to_vec())).is_ok();
    let mut frames = TurnMessageDecoder::default();
    let is_cut_valid = bytes.chunks(7).all(|part| frames.push(part, |frame| cut.push(frame.to_vec())).is_ok());
    assert_eq!((is_valid, &whole), (is_cut_valid, &cut), "the parts do not matter");
    let mut stream = Vec::new();
    for frame in &whole {
        net::encode_turn_message(frame, &mut stream);
    }
    let mut again = Vec::new();
    TurnMessageDecoder::default().push(&stream, |frame| again.push(frame.to_vec())).expect("it is a stream");
    assert_eq!(again, whole);
}

/// Returns streams as a TURN server sends them.
pub(super) fn turn_streams() -> Vec<Vec<u8>> {
    let stun = [&[1, 3, 0, 8, 0x21, 0x12, 0xa4, 0x42][..], &[7; 20]].concat();
    let channel_data = [&[0x40, 1, 0, 5][..], &[9; 5], &[0; 3]].concat();
    vec![stun.clone(), channel_data.clone(), [stun, channel_data].concat()]
}

/// Parses the answer of a proxy, at once and as it arrives. An answer that is complete early is the same answer.
pub(super) fn proxy_answer(bytes: &[u8]) {
    let all = ProxyAnswer::parse(bytes);
    let first = (0..=bytes.len()).map(|length| ProxyAnswer::parse(&bytes[..length])).find(|answer| *answer != Ok(None));
    if let (Ok(Some(all)), Some(Ok(Some(first)))) = (&all, &first) {
        assert_eq!(all, first);
    }
    if let Ok(Some(answer)) = all {
        answer.schemes();
        answer.challenge("Basic");
    }
}

/// Returns answers of proxies.
pub(super) fn proxy_answers() -> Vec<Vec<u8>> {
    let answers: [&[u8]; 3] = [
        b"HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n",
        b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 403 Forbidden\r\n\r\n<html>",
    ];
    answers.map(<[u8]>::to_vec).into()
}

/// Parses the reply of a SOCKS5 proxy as it arrives. It is complete at one length only, which is bounded.
pub(super) fn socks5_reply(bytes: &[u8]) {
    let is_complete = |length: &usize| matches!(socks5::parse_reply(&bytes[..*length]), Ok(Some(_)));
    let lengths: Vec<usize> = (0..=bytes.len()).filter(is_complete).collect();
    assert!(lengths.len() <= 1 && lengths.iter().all(|length| *length <= socks5::MAX_REPLY), "{lengths:?}");
    let is_pending = |length: &usize| socks5::parse_reply(&bytes[..*length]) == Ok(None);
    assert!((0..=bytes.len()).filter(is_pending).all(|length| length < socks5::MAX_REPLY));
}

/// Returns replies of SOCKS5 proxies, with each kind of address.
pub(super) fn socks5_replies() -> Vec<Vec<u8>> {
    let name = b"\x05\x04\x00\x03\x0dproxy.example\x04\x38";
    vec![[&b"\x05\x00\x00\x01"[..], &[7; 6]].concat(), [&b"\x05\x02\x00\x04"[..], &[7; 18]].concat(), name.to_vec()]
}

/// Parses the answer of another web server, all of it and each part of it that may have arrived first.
pub(super) fn web_page(bytes: &[u8]) {
    let all = net::read_page(bytes);
    let first = (0..=bytes.len()).map(|length| net::read_page(&bytes[..length])).find(|page| *page != Ok(None));
    if let (Ok(Some(all)), Some(Ok(Some(first)))) = (&all, &first) {
        assert_eq!(all, first);
    }
    if let Ok(Some(Some(page))) = all {
        assert!(page.chars().count() < 200 && !page.chars().any(char::is_control), "{page:?}");
    }
}

/// Returns answers of networks that require a sign-in.
pub(super) fn web_pages() -> Vec<Vec<u8>> {
    let answers: [&[u8]; 3] = [
        b"HTTP/1.1 302 Found\r\nLocation: http://login.example/?x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>",
        b"HTTP/1.1 511 Network Authentication Required\r\n\r\n",
    ];
    answers.map(<[u8]>::to_vec).into()
}

/// Reads the answer to a connectivity check. Nobody can make one without the password, so only the seed is authentic.
pub(super) fn ice_answer(bytes: &[u8]) {
    let credentials = ice_credentials();
    let seed = ice_answers().remove(0);
    // MESSAGE-INTEGRITY does not cover the length of the message, which counts the attributes after it, too.
    let is_authentic = bytes.len() >= seed.len() && bytes[..2] == seed[..2] && bytes[4..seed.len()] == seed[4..];
    assert!(is_authentic || !credentials.is_answer(bytes), "forged");
    assert!(!bytes.starts_with(&seed) || credentials.is_answer(bytes), "refused");
    assert!(net::transaction_of_answer(bytes).is_some() || !credentials.is_answer(bytes));
    let text = String::from_utf8_lossy(bytes);
    let mut others = net::IceCredentials::default();
    others.read_local(&text);
    others.read_remote(&text);
    others.is_session(&text);
    others.check([7; 12], 1, true);
}

/// Returns an authentic answer to a check.
pub(super) fn ice_answers() -> Vec<Vec<u8>> {
    let mut message = [&[1, 1, 0, 24, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12]].concat();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"0123456789012345678901");
    let tag = ring::hmac::sign(&key, &message);
    message.extend([0, 8, 0, 20]);
    message.extend(tag.as_ref());
    vec![message]
}

/// Reads an answer of a TURN server to an authenticated request. Nobody can make a success response without the password, so only the seed
/// is authentic. Then reads the bytes as a message that the stack sends to the server.
pub(super) fn turn_answer(bytes: &[u8]) {
    let mut authentication = turn_authentication();
    let seed = turn_answers().remove(0);
    let is_success = bytes.len() >= 20 && bytes[0] <= 3 && u16::from_be_bytes([bytes[0], bytes[1]]) & 0x0110 == 0x0100;
    let is_stun = is_success && bytes[4..8] == seed[4..8];
    let is_authentic = bytes.len() >= seed.len() && bytes[..2] == seed[..2] && bytes[4..seed.len()] == seed[4..];
    assert!(!is_stun || is_authentic || !authentication.accepts(bytes), "forged");
    assert!(!bytes.starts_with(&seed) || authentication.accepts(bytes), "refused");
    for is_ipv6 in [false, true] {
        if let Some(amended) = turn_authentication().handle_sent(bytes, is_ipv6) {
            assert!(is_ipv6 && amended.len() <= bytes.len() + 64);
        }
    }
}

/// Returns an authentic success response, a question for credentials, and a request.
pub(super) fn turn_answers() -> Vec<Vec<u8>> {
    vec![
        turn_message([1, 4], &[], true),
        turn_message([1, 0x14], &[0, 9, 0, 4, 0, 0, 4, 1], false),
        turn_message([0, 4], &turn_user(), true),
        turn_message([0, 3], &[], false),
    ]
}

/// Returns the authentication after an authenticated request.
fn turn_authentication() -> net::TurnAuthentication {
    let mut authentication = net::TurnAuthentication::default();
    let (username, password) = ("user".to_owned(), "password".to_owned());
    authentication.set_access(&TurnAccess { username, password, servers: Vec::new() });
    authentication.handle_sent(&turn_message([0, 4], &turn_user(), true), false);
    authentication
}

/// Returns the attributes USERNAME and REALM.
fn turn_user() -> Vec<u8> {
    [&[0, 6, 0, 4][..], b"user", &[0, 0x14, 0, 4], b"real"].concat()
}

fn turn_message(kind: [u8; 2], body: &[u8], is_signed: bool) -> Vec<u8> {
    let signed = if is_signed { 24 } else { 0 };
    let length = u16::try_from(body.len() + signed).unwrap_or_default().to_be_bytes();
    let mut message = [&kind[..], &length, &[0x21, 0x12, 0xa4, 0x42], &[7; 12], body].concat();
    if is_signed {
        // MD5 of `user:real:password` (RFC 8489, section 9.2.2).
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &TURN_KEY);
        let tag = ring::hmac::sign(&key, &message);
        message.extend([0, 8, 0, 20]);
        message.extend(tag.as_ref());
    }
    message
}

/// The key of the user `user` of the realm `real` with the password `password`.
const TURN_KEY: [u8; 16] =
    [0x2a, 0x71, 0x01, 0x49, 0x0c, 0x5f, 0x95, 0x78, 0xe0, 0x67, 0xf8, 0x49, 0x29, 0x96, 0xce, 0x62];

fn ice_credentials() -> net::IceCredentials {
    let mut credentials = net::IceCredentials::default();
    credentials.read_remote("a=ice-ufrag:server\r\na=ice-pwd:0123456789012345678901\r\n");
    credentials
}

fn round_trip<M>(bytes: &[u8])
where
    M: for<'b> minicbor::Decode<'b, ()> + minicbor::Encode<()> + proto::Limited + PartialEq + std::fmt::Debug,
{
    if let Ok(message) = proto::decode::<M>(bytes) {
        assert_eq!(proto::decode::<M>(&proto::encode(&message)), Ok(message));
    }
}

/// Passes any signalling to the native dialect, and plays the part of the WebRTC stack in each negotiation.
pub(super) fn native(bytes: &[u8]) {
    let now = Instant::now();
    let mut native = Native::default();
    native.handle(Input::Entered(ParticipantId(1)), now);
    for (at, part) in (0u32..).zip(parts(bytes)) {
        let now = now + Duration::from_millis(50) * at;
        native.handle(Input::Signal(Bytes::copy_from_slice(part)), now);
        let mut outputs = 0;
        while let Some(output) = native.poll() {
            outputs += 1;
            match output {
                Output::Offer { transport, plan } => {
                    let mids = |count: usize| (0..count).map(|mid| mid.to_string()).collect();
                    let mids = Mids {
                        send: Vec::new(),
                        receive_audio: mids(plan.receive_audio),
                        receive_video: mids(plan.receive_video),
                    };
                    native.handle(Input::Local { transport, sdp: String::new(), mids }, now);
                }
                Output::Signal(bytes) => {
                    assert!(proto::decode_signal::<ClientSignal>(&bytes).is_ok(), "the server can read the signal");
                }
                Output::Apply { .. }
                | Output::Track(_)
                | Output::TrackEnded(_)
                | Output::SharedVoices { .. }
                | Output::LayersChanged(..)
                | Output::TrackDemand(_)
                | Output::SoundLoss { .. }
                | Output::Downlink(_)
                | Output::TunnelToken { .. }
                | Output::TurnServers { .. }
                | Output::Failed(_) => {}
                Output::Connect { .. } | Output::AddCandidate { .. } => panic!("the native dialect has no such output"),
            }
        }
        assert!(outputs <= 64, "one message has a bounded effect");
    }
}

/// Passes any messages and commands to a meeting. It reports its end exactly once, when it is over.
pub(super) fn meeting(bytes: &[u8]) {
    let now = Instant::now();
    let (Ok(identity), Ok(profile), Ok(keys)) = (Identity::generate(), Profile::new("Ada"), ManagerKeys::new()) else {
        return;
    };
    let mut meeting = Meeting::new(Entry::Create { keys, identity, profile }, Box::new(|_| SystemTime::now()), now);
    let mut ends = 0;
    for (at, part) in (0u32..).zip(parts(bytes)) {
        let now = now + Duration::from_millis(500) * at;
        match (proto::decode::<Down>(part), part) {
            (Ok(message), _) => meeting.handle_message(message, now),
            (Err(_), [1, ..]) => meeting.handle_command(Command::Refresh, now),
            (Err(_), [2, ..]) => meeting.handle_command(Command::Remove(OTHER), now),
            (Err(_), [3, ..]) => meeting.handle_malformed(),
            (Err(_), [4, ..]) => meeting.handle_disconnected(now),
            (Err(_), [5, ..]) => meeting.handle_connected(now),
            (Err(_), [6, ..]) => meeting.handle_command(Command::WriteLobby { to: Some(OTHER), text: "x".into() }, now),
            (Err(_), [7, ..]) => meeting.handle_command(Command::AdmitAll(vec![OTHER]), now),
            (Err(_), _) => meeting.handle_timeout(now),
        }
        while let Some(event) = meeting.poll_event() {
            ends += usize::from(matches!(event, Event::Ended(_)));
        }
        while let Some(message) = meeting.poll_transmit() {
            assert!(proto::is_sendable(&message));
        }
        assert_eq!(ends, usize::from(meeting.is_over()));
    }
}

/// Decodes a message of the chat. A decoded message has one form, except for lengths that CBOR writes in several ways.
pub(super) fn chat(bytes: &[u8]) {
    let Some(again) = chat::recode(bytes) else { return };
    assert!(again.len().is_power_of_two() && (64..=16 << 10).contains(&again.len()) && again.len() <= bytes.len());
    assert_eq!(chat::recode(&again), Some(again.clone()), "it is encoded to the same bytes");
}

/// Decodes a text that is being typed. It stays the same.
pub(super) fn typing(bytes: &[u8]) {
    let Some(again) = chat::recode_typing(bytes) else { return };
    assert_eq!(again.len(), bytes.len(), "all have one length");
    assert_eq!(chat::recode_typing(&again), Some(again.clone()), "it is encoded to the same bytes");
}

/// Returns texts that are being typed, as members send them.
pub(super) fn typings() -> Vec<Vec<u8>> {
    chat::typing_samples()
}

/// Returns messages of the chat as members send them.
pub(super) fn chats() -> Vec<Vec<u8>> {
    chat::samples()
}

/// Parses an SDP answer.
pub(super) fn description(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    assert!(description::sections(&text).len() <= text.matches("m=").count());
}

/// Reads the Dependency Descriptors of a track. A structure that is written and read again is the same.
pub(super) fn descriptor(bytes: &[u8]) {
    let mut structure: Option<Structure> = None;
    for part in parts(bytes) {
        assert_eq!(Mandatory::read(part).is_some(), part.len() >= MANDATORY_BYTES);
        let Ok(read) = Descriptor::read(part, structure.as_ref()) else { continue };
        if let Some(new) = read.structure {
            let mut bits = BitWriter::default();
            new.write(&mut bits);
            assert_eq!(Structure::read(&mut BitReader::new(bits.as_bytes())).as_ref(), Some(&new));
            structure = Some(new);
        }
    }
}

/// Assembles packets of one track.
pub(super) fn assembler(bytes: &[u8]) {
    let (pool, now, mut assembler) = (BufferPool::new(4), Instant::now(), Assembler::new());
    for (at, part) in (0u32..).zip(parts(bytes)) {
        let now = now + Duration::from_millis(7) * at;
        let Some((sequence, rest)) = part.split_first_chunk::<2>() else { continue };
        let length = usize::from(rest.first().copied().unwrap_or_default()).min(rest.len().saturating_sub(1));
        let (descriptor, payload) = rest.get(1..).unwrap_or_default().split_at(length);
        assembler.handle_packet(Packet {
            sequence: u16::from_be_bytes(*sequence),
            timestamp: at * 3_000,
            descriptor: Bytes::copy_from_slice(descriptor),
            payload: Bytes::copy_from_slice(payload),
            arrival: now,
        });
        let mut returned = 0;
        while let Some(frame) = assembler.poll_frame(&pool, now) {
            returned += frame.bytes.len();
        }
        assert!(returned <= bytes.len(), "no byte is returned twice");
        assembler.poll_key_request(at % 3 == 0, now);
    }
}

pub(super) fn client_messages() -> Vec<Vec<u8>> {
    let blob = || Blob(vec![5; 40]);
    let messages = [
        Up::Hello { version: VERSION },
        Up::Create { meeting: MeetingId([1; 16]), admission_key: blob(), authority: [6; 32] },
        Up::Knock { meeting: MeetingId([1; 16]), request: blob() },
        Up::Manage {
            counter: 1,
            command: Blob(proto::encode(&ManagerCommand::Refuse { participant: OTHER, why: Refusal::Unattended })),
            signature: [7; 64],
            welcomes: vec![Welcome { to: vec![OTHER, ParticipantId(u64::MAX)], blob: blob() }],
        },
        Up::Commit { epoch: Epoch(3), blob: blob(), removed: vec![OTHER], welcome: None },
        Up::Return { meeting: MeetingId([1; 16]), request: blob(), signature: [7; 64] },
        Up::Resume {
            meeting: MeetingId([1; 16]),
            participant: OTHER,
            token: ResumeToken([8; 32]),
            position: Position(4),
        },
        Up::Pong { position: Position(3) },
        Up::Tell { epoch: Epoch(300), blob: blob() },
        Up::Leave,
        Up::Lobby { blob: blob() },
        Up::Beacon { beacon: beacon() },
        Up::Relay { blob: blob() },
        Up::Tree { first: true, part: blob() },
    ];
    let media = client_signals().into_iter().map(|bytes| ToSfu::Signal(Blob(bytes))).chain([ToSfu::Count]);
    messages.iter().map(proto::encode).chain(media.map(|message| proto::encode(&message))).collect()
}

fn beacon() -> proto::MemberBeacon {
    proto::MemberBeacon { counter: 3, epoch: Epoch(2), mls_epoch: 2, transcript: [4; 32], signature: [5; 64] }
}

pub(super) fn client_signals() -> Vec<Vec<u8>> {
    let track = TrackId { owner: OTHER, slot: Slot::Camera };
    let tile = TileWish { track, width: 640, height: 360, frames_per_second: 30, priority: 1, hidden: false };
    let signals = [
        ClientSignal::Offer {
            number: 1,
            sdp: "v=0".into(),
            published: published(),
            subscriptions: vec![Subscription { mid: "1".into(), track }],
            voices: vec!["2".into()],
            downlink: Some(DownlinkSettings { max_bitrate: Some(300_000), last_bitrate: Some(4_000_000) }),
        },
        ClientSignal::Wishes { tiles: vec![tile] },
    ];
    signals.iter().map(proto::encode).collect()
}

pub(super) fn server_signals() -> Vec<Vec<u8>> {
    let wanted = vec![DemandedLayer { spatial: 0, temporal_layers: 3, max_bitrate: None }];
    let server = |url| TurnServer::parse(url).expect("it is a URL");
    let servers =
        vec![server("turn:a.example"), TurnServer { fingerprint: Some([7; 32]), ..server("turns:[::1]:443") }];
    let access = TurnAccess { username: "1400000000:1".into(), password: "cGFzc3dvcmQ=".into(), servers };
    let signals = [
        ServerSignal::Tracks { owner: OTHER, tracks: published() },
        ServerSignal::Answer { number: 1, sdp: "v=0".into(), tunnel: Some("0a".into()), turn: Some(access) },
        ServerSignal::TrackDemand { layers: TrackDemand { slot: Slot::Camera, wanted } },
        ServerSignal::Tracks { owner: OTHER, tracks: Vec::new() },
        ServerSignal::OfferRefused { number: 2 },
        ServerSignal::SoundLoss { percent: 12, max_bitrate: Some(40_000) },
        ServerSignal::Downlink { report: downlink_report() },
    ];
    signals.iter().map(proto::encode).collect()
}

fn downlink_report() -> DownlinkReport {
    let track = TrackId { owner: OTHER, slot: Slot::Camera };
    let limited = vec![LimitedTrack { track, cause: LimitCause::Downlink }];
    DownlinkReport { bitrate: 300_000, lost_down: 7, lost_up: 0, round_trip: Some(45), limited }
}

/// Returns a whole negotiation, and each signal alone.
pub(super) fn negotiations() -> Vec<Vec<u8>> {
    let signals = server_signals();
    let whole = joined(signals.iter().map(Vec::as_slice));
    signals.iter().map(|signal| joined([signal.as_slice()])).chain([whole]).collect()
}

fn published() -> Vec<Published> {
    let layer = SpatialLayer { spatial: 0, width: 320, height: 180, bitrate: 150_000 };
    vec![
        Published { slot: Slot::Microphone, kind: Kind::Audio, mid: "0".into(), layers: Vec::new() },
        Published { slot: Slot::Camera, kind: Kind::Video, mid: "1".into(), layers: vec![layer] },
    ]
}

pub(super) fn server_messages() -> Vec<Vec<u8>> {
    let blob = || Blob(vec![5; 40]);
    let log = |entry| Down::Log { position: Position(0), entry };
    let command = proto::encode(&ManagerCommand::Expel { participant: OTHER });
    let signed = || SignedCommand { from: OTHER, counter: 1, command: Blob(command.clone()), signature: [7; 64] };
    let messages = [
        Down::Hello { version: VERSION, participant: OTHER, time: 1_800_000_000 },
        Down::AdmissionKey { admission_key: blob(), chain: blob() },
        Down::Knocked { participant: ParticipantId(9), request: blob() },
        Down::Admitted {
            welcome: blob(),
            position: Position(4),
            epoch: Epoch(2),
            gone: vec![proto::GoneMember { participant: OTHER, by: Some(ParticipantId(9)) }],
            resume: ResumeToken([8; 32]),
            tree: 40,
        },
        Down::Tree { part: blob() },
        log(proto::LogEntry::Commit { from: OTHER, epoch: Epoch(0), blob: blob() }),
        log(proto::LogEntry::Told { from: OTHER, epoch: Epoch(0), blob: blob() }),
        log(proto::LogEntry::Gone { participant: OTHER, by: None }),
        log(proto::LogEntry::Gone { participant: OTHER, by: Some(ParticipantId(9)) }),
        log(proto::LogEntry::Managed { signed: signed() }),
        Down::Removed { signed: signed() },
        Down::Beacon { signed: signed() },
        Down::Ended { signed: signed() },
        Down::Returned { participant: OTHER, request: blob(), signature: [7; 64] },
        Down::Resumed,
        Down::Presence { participant: OTHER, connected: false },
        Down::MemberBeacon { from: OTHER, beacon: beacon() },
        Down::Skipped { position: Position(0), count: 2 },
        Down::Lobby { participant: ParticipantId(9), from: OTHER, blob: blob() },
        Down::Relayed { from: OTHER, blob: blob() },
        Down::CommitTooLate { epoch: Epoch(4) },
        Down::Problem { problem: Problem::TooFast },
    ];
    let media = server_signals().into_iter().map(|bytes| FromSfu::Signal(Blob(bytes)));
    let media = media.chain([FromSfu::Totals { totals: Totals::default() }]);
    messages.iter().map(proto::encode).chain(media.map(|message| proto::encode(&message))).collect()
}

/// Returns, for each server message, an organiser's first steps and then that message.
pub(super) fn conversations() -> Vec<Vec<u8>> {
    let hello = proto::encode(&Down::Hello { version: VERSION, participant: ParticipantId(1), time: 1_800_000_000 });
    let created = proto::encode(&Down::Created { resume: ResumeToken([8; 32]) });
    let conversation = |message: &Vec<u8>| {
        let steps = [&hello[..], &created, &[1], message, &[2], &[0], message];
        joined(steps)
    };
    server_messages().iter().map(conversation).collect()
}

pub(super) fn descriptions() -> Vec<Vec<u8>> {
    let lines = [
        "v=0",
        "m=video 9 UDP/TLS/RTP/SAVPF 102 103",
        "a=mid:1",
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=ssrc:1234 cname:x",
        "a=ssrc-group:FID 1234 5678",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "a=mid:0",
    ];
    vec![lines.join("\r\n").into_bytes()]
}

/// Returns the descriptors of five frames of one stream.
fn stream() -> Vec<Vec<u8>> {
    let mut writer = DescriptorWriter::new(0, ScalabilityMode::L1T3);
    let position = PacketPosition { first: true, last: true };
    let key = writer.key_frame(Resolution { width: 320, height: 180 });
    let mut descriptors = vec![writer.bytes(&key, position)];
    for temporal in [2, 1, 2, 0] {
        let frame = writer.delta_frame(temporal);
        descriptors.extend(frame.map(|frame| writer.bytes(&frame, position)));
    }
    descriptors
}

pub(super) fn descriptors() -> Vec<Vec<u8>> {
    let stream = stream();
    vec![joined(stream.iter().map(Vec::as_slice)), joined(stream.iter().skip(1).map(Vec::as_slice))]
}

pub(super) fn packets() -> Vec<Vec<u8>> {
    let packet = |(sequence, descriptor): (u16, &Vec<u8>)| {
        let length = u8::try_from(descriptor.len()).unwrap_or_default();
        [&sequence.to_be_bytes()[..], &[length], descriptor, &[9; 30]].concat()
    };
    let packets: Vec<_> = (65_534..=u16::MAX).chain(0..).zip(&stream()).map(packet).collect();
    vec![joined(packets.iter().map(Vec::as_slice)), joined(packets.iter().rev().map(Vec::as_slice))]
}

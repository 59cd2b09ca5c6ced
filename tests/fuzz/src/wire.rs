//! What the server may send, and what other clients may send through it.

use super::{joined, parts};
use ::media::BufferPool;
use bytes::Bytes;
use crypto::{Identity, Profile};
use net::meeting::{Command, Entry, Event, Meeting};
use net::rtp::assemble::{Assembler, Packet};
use net::rtp::description;
use proto::descriptor::{
    BitReader, BitWriter, Descriptor, DescriptorWriter, MANDATORY_BYTES, Mandatory, PacketPosition, Resolution,
    ScalabilityMode, Structure,
};
use proto::{
    Blob, Down, Epoch, MeetingId, ParticipantId, Position, Problem, Refusal, Slot, TileWish, TrackId, Up, Welcome,
};
use std::time::{Duration, Instant};

const OTHER: ParticipantId = ParticipantId(7);

/// A client's message: what is decoded can be encoded, and then decodes to the same.
pub(super) fn client_message(bytes: &[u8]) {
    if let Ok(message) = proto::decode::<Up>(bytes) {
        assert_eq!(proto::decode::<Up>(&proto::encode(&message)), Ok(message));
    }
}

/// A server's message.
pub(super) fn server_message(bytes: &[u8]) {
    if let Ok(message) = proto::decode::<Down>(bytes) {
        assert_eq!(proto::decode::<Down>(&proto::encode(&message)), Ok(message));
    }
}

/// A meeting that receives any messages and commands: it ends at most once, and reports nothing after that.
pub(super) fn meeting(bytes: &[u8]) {
    let now = Instant::now();
    let (Ok(identity), Ok(profile)) = (Identity::generate(), Profile::new("Ada")) else { return };
    let mut meeting = Meeting::new(Entry::Create { meeting: MeetingId([1; 16]), identity, profile }, now);
    let mut ends = 0;
    for (at, part) in (0u32..).zip(parts(bytes)) {
        let now = now + Duration::from_millis(500) * at;
        match (proto::decode::<Down>(part), part) {
            (Ok(message), _) => meeting.handle_message(message, now),
            (Err(_), [1, ..]) => meeting.handle_command(Command::Refresh, now),
            (Err(_), [2, ..]) => meeting.handle_command(Command::Remove(OTHER), now),
            (Err(_), [3, ..]) => meeting.handle_malformed(),
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

/// An SDP answer.
pub(super) fn description(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    assert!(description::sections(&text).len() <= text.matches("m=").count());
}

/// The Dependency Descriptors of a track: a structure that is read can be written, and is then read the same.
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

/// Packets of one track.
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
    let track = TrackId { owner: OTHER, slot: Slot::Camera };
    let tile = TileWish { track, width: 640, height: 360, frames_per_second: 30, priority: 1, paused: false };
    let messages = [
        Up::Hello { version: 1 },
        Up::Create { meeting: MeetingId([1; 16]), admission_key: blob() },
        Up::Knock { meeting: MeetingId([1; 16]), request: blob() },
        Up::Refuse { participant: OTHER, why: Refusal::Unattended },
        Up::Commit {
            epoch: Epoch(3),
            blob: blob(),
            welcomes: vec![Welcome { to: vec![OTHER, ParticipantId(u64::MAX)], blob: blob() }],
            removed: vec![OTHER],
        },
        Up::Tell { epoch: Epoch(300), blob: blob() },
        Up::Offer { number: 1, sdp: "v=0".into(), published: Vec::new(), subscriptions: Vec::new() },
        Up::Wishes { tiles: vec![tile] },
        Up::Leave,
    ];
    messages.iter().map(proto::encode).collect()
}

pub(super) fn server_messages() -> Vec<Vec<u8>> {
    let blob = || Blob(vec![5; 40]);
    let log = |entry| Down::Log { position: Position(0), entry };
    let messages = [
        Down::Hello { version: 1, participant: OTHER },
        Down::AdmissionKey { admission_key: blob() },
        Down::Knocked { participant: ParticipantId(9), request: blob() },
        Down::Admitted { welcome: blob(), position: Position(4), epoch: Epoch(2), gone: vec![OTHER] },
        log(proto::Entry::Commit { from: OTHER, epoch: Epoch(0), blob: blob() }),
        log(proto::Entry::Told { from: OTHER, epoch: Epoch(0), blob: blob() }),
        log(proto::Entry::Gone { participant: OTHER }),
        Down::Lost { epoch: Epoch(4) },
        Down::Tracks { owner: OTHER, tracks: Vec::new() },
        Down::Problem { problem: Problem::TooFast },
    ];
    messages.iter().map(proto::encode).collect()
}

/// For each server message: an organiser's first steps, then that message.
pub(super) fn conversations() -> Vec<Vec<u8>> {
    let hello = proto::encode(&Down::Hello { version: 1, participant: ParticipantId(1) });
    let created = proto::encode(&Down::Created);
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

/// The descriptors of five frames of one stream.
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

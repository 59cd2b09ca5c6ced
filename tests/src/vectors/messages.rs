//! Messages between clients and servers, and commands of managers.

use super::{hex, message};
use proto::{
    Blob, Down, Epoch, FromSfu, GoneMember, LogEntry, ManagerCommand, MeetingId, MemberBeacon, NextAuthority,
    ParticipantId, Position, Problem, Refusal, ResumeToken, SignedCommand, ToSfu, Totals, Up, Welcome,
};
use serde_json::{Value, json};

const MEETING: MeetingId = MeetingId([0x11; 16]);
const ONE: ParticipantId = ParticipantId(7);
const LAST: ParticipantId = ParticipantId(u64::MAX);
const TOKEN: ResumeToken = ResumeToken([0x44; 32]);
/// Needs each number of bytes in CBOR: 0, 1, 2, 4, 8.
const LONG: u64 = 1 << 40;

/// Returns each message of a client.
pub(super) fn of_clients() -> Vec<Value> {
    let enter = [
        (Up::Hello { version: 6 }, json!({"Hello": {"version": 6}})),
        (
            Up::Create { meeting: MEETING, admission_key: blob(300), authority: [0x22; 32] },
            json!({"Create": {"meeting": h(0x11, 16), "admission_key": h(5, 300), "authority": h(0x22, 32)}}),
        ),
        (Up::Approach { meeting: MEETING }, json!({"Approach": {"meeting": h(0x11, 16)}})),
        (
            Up::Knock { meeting: MEETING, request: blob(20) },
            json!({"Knock": {"meeting": h(0x11, 16), "request": h(5, 20)}}),
        ),
        (
            Up::Return { meeting: MEETING, request: blob(0), signature: [0x33; 64] },
            json!({"Return": {"meeting": h(0x11, 16), "request": "", "signature": h(0x33, 64)}}),
        ),
        (
            Up::Resume { meeting: MEETING, participant: LAST, token: TOKEN, position: Position(24) },
            json!({"Resume": {"meeting": h(0x11, 16), "participant": u64::MAX, "token": h(0x44, 32), "position": 24}}),
        ),
        (Up::Pong { position: Position(LONG) }, json!({"Pong": {"position": LONG}})),
        (Up::Leave, json!({"Leave": {}})),
        (Up::Lobby { blob: blob(284) }, json!({"Lobby": {"blob": h(5, 284)}})),
        (Up::Beacon { beacon: beacon().0 }, json!({"Beacon": {"beacon": beacon().1}})),
        (Up::Relay { blob: blob(70) }, json!({"Relay": {"blob": h(5, 70)}})),
        (Up::Tree { first: true, part: blob(30) }, json!({"Tree": {"first": true, "part": h(5, 30)}})),
        (Up::Tree { first: false, part: blob(1) }, json!({"Tree": {"first": false, "part": "05"}})),
    ];
    let enter = enter.iter().chain(&as_member()).map(|(up, says)| client(proto::encode(up), says)).collect::<Vec<_>>();
    let sfu = [
        client(proto::encode(&ToSfu::Signal(blob(3))), &json!({"Signal": {"bytes": "050505"}})),
        client(proto::encode(&ToSfu::Count), &json!({"Count": {}})),
    ];
    [enter, sfu.into()].concat()
}

fn as_member() -> [(Up, Value); 5] {
    let welcomes = vec![Welcome { to: vec![ONE, LAST], blob: blob(4) }];
    let welcome = json!({"to": [7, u64::MAX], "blob": "05050505"});
    [
        (
            Up::Manage { counter: 23, command: blob(5), signature: [0x33; 64], welcomes },
            json!({"Manage": {"counter": 23, "command": h(5, 5), "signature": h(0x33, 64), "welcomes": [welcome]}}),
        ),
        (
            Up::Manage { counter: 65_536, command: blob(1), signature: [0x33; 64], welcomes: Vec::new() },
            json!({"Manage": {"counter": 65_536, "command": "05", "signature": h(0x33, 64), "welcomes": []}}),
        ),
        (
            Up::Commit { epoch: Epoch(300), blob: blob(2), removed: vec![ONE], welcome: None },
            json!({"Commit": {"epoch": 300, "blob": "0505", "removed": [7], "welcome": null}}),
        ),
        (
            Up::Commit {
                epoch: Epoch(0),
                blob: blob(2),
                removed: Vec::new(),
                welcome: Some(Welcome { to: vec![ONE, LAST], blob: blob(4) }),
            },
            json!({"Commit": {"epoch": 0, "blob": "0505", "removed": [], "welcome": welcome}}),
        ),
        (Up::Tell { epoch: Epoch(255), blob: blob(256) }, json!({"Tell": {"epoch": 255, "blob": h(5, 256)}})),
    ]
}

/// Returns each message of a server.
pub(super) fn of_servers() -> Vec<Value> {
    let enter = [
        (
            Down::Hello { version: 6, participant: LAST, time: super::NOW },
            json!({"Hello": {"version": 6, "participant": u64::MAX, "time": super::NOW}}),
        ),
        (Down::Created { resume: TOKEN }, json!({"Created": {"resume": h(0x44, 32)}})),
        (
            Down::AdmissionKey { admission_key: blob(6), chain: blob(64) },
            json!({"AdmissionKey": {"admission_key": h(5, 6), "chain": h(5, 64)}}),
        ),
        (
            Down::Knocked { participant: ONE, request: blob(7) },
            json!({"Knocked": {"participant": 7, "request": h(5, 7)}}),
        ),
        (Down::Withdrew { participant: ONE }, json!({"Withdrew": {"participant": 7}})),
        (
            Down::Admitted {
                welcome: blob(8),
                position: Position(1_000),
                epoch: Epoch(2),
                gone: vec![GoneMember { participant: ONE, by: None }, GoneMember { participant: LAST, by: Some(ONE) }],
                resume: TOKEN,
                tree: 70_000,
            },
            json!({"Admitted": {
                "welcome": h(5, 8), "position": 1_000, "epoch": 2, "gone": [{"participant": 7, "by": null}, {"participant": u64::MAX, "by": 7}], "resume": h(0x44, 32), "tree": 70_000,
            }}),
        ),
        (Down::Tree { part: blob(30) }, json!({"Tree": {"part": h(5, 30)}})),
        (
            Down::Returned { participant: ONE, request: blob(9), signature: [0x33; 64] },
            json!({"Returned": {"participant": 7, "request": h(5, 9), "signature": h(0x33, 64)}}),
        ),
        (Down::Resumed, json!({"Resumed": {}})),
        (Down::Ping, json!({"Ping": {}})),
    ];
    let all =
        enter.iter().chain(&to_members()).map(|(down, says)| server(proto::encode(down), says)).collect::<Vec<_>>();
    let totals = Totals { packets_in: LONG, packets_out: 0, layers_stopped: 3 };
    let sfu = [
        server(proto::encode(&FromSfu::Signal(blob(3))), &json!({"Signal": {"bytes": "050505"}})),
        server(
            proto::encode(&FromSfu::Totals { totals }),
            &json!({"Totals": {"totals": {"packets_in": LONG, "packets_out": 0, "layers_stopped": 3}}}),
        ),
    ];
    [all, log(), refusals(), problems(), sfu.into()].concat()
}

fn to_members() -> [(Down, Value); 9] {
    let (command, proof) = signed();
    [
        (Down::CommitTooLate { epoch: Epoch(70_000) }, json!({"CommitTooLate": {"epoch": 70_000}})),
        (Down::Removed { signed: command.clone() }, json!({"Removed": {"signed": proof}})),
        (Down::Beacon { signed: command.clone() }, json!({"Beacon": {"signed": proof}})),
        (Down::Ended { signed: command }, json!({"Ended": {"signed": proof}})),
        (
            Down::Presence { participant: ONE, connected: false },
            json!({"Presence": {"participant": 7, "connected": false}}),
        ),
        (Down::Skipped { position: Position(10), count: LONG }, json!({"Skipped": {"position": 10, "count": LONG}})),
        (
            Down::Lobby { participant: ONE, from: LAST, blob: blob(10) },
            json!({"Lobby": {"participant": 7, "from": u64::MAX, "blob": h(5, 10)}}),
        ),
        (Down::Relayed { from: ONE, blob: blob(70) }, json!({"Relayed": {"from": 7, "blob": h(5, 70)}})),
        (
            Down::MemberBeacon { from: LAST, beacon: beacon().0 },
            json!({"MemberBeacon": {"from": u64::MAX, "beacon": beacon().1}}),
        ),
    ]
}

fn beacon() -> (MemberBeacon, Value) {
    let beacon =
        MemberBeacon { counter: 2, epoch: Epoch(300), mls_epoch: 299, transcript: [0x55; 32], signature: [0x33; 64] };
    let says = json!({
        "counter": 2, "epoch": 300, "mls_epoch": 299, "transcript": h(0x55, 32), "signature": h(0x33, 64),
    });
    (beacon, says)
}

fn signed() -> (SignedCommand, Value) {
    let command = SignedCommand { from: ONE, counter: 2, command: blob(12), signature: [0x33; 64] };
    (command, json!({"from": 7, "counter": 2, "command": h(5, 12), "signature": h(0x33, 64)}))
}

fn log() -> Vec<Value> {
    let (command, proof) = signed();
    let entries = [
        (
            LogEntry::Commit { from: ONE, epoch: Epoch(4), blob: blob(3) },
            json!({"Commit": {"from": 7, "epoch": 4, "blob": "050505"}}),
        ),
        (
            LogEntry::Told { from: LAST, epoch: Epoch(4), blob: blob(3) },
            json!({"Told": {"from": u64::MAX, "epoch": 4, "blob": "050505"}}),
        ),
        (LogEntry::Gone { participant: ONE, by: None }, json!({"Gone": {"participant": 7, "by": null}})),
        (LogEntry::Gone { participant: LAST, by: Some(ONE) }, json!({"Gone": {"participant": u64::MAX, "by": 7}})),
        (LogEntry::Managed { signed: command }, json!({"Managed": {"signed": proof}})),
    ];
    let entry = |(entry, says): (LogEntry, Value)| {
        let down = Down::Log { position: Position(99), entry };
        server(proto::encode(&down), &json!({"Log": {"position": 99, "entry": says}}))
    };
    entries.into_iter().map(entry).collect()
}

fn refusals() -> Vec<Value> {
    let plain = [
        (Refusal::Declined, "Declined"),
        (Refusal::Unattended, "Unattended"),
        (Refusal::Removed, "Removed"),
        (Refusal::OldLink, "OldLink"),
        (Refusal::Locked, "Locked"),
        (Refusal::NotNow, "NotNow"),
        (Refusal::NotInvited, "NotInvited"),
        (Refusal::Full, "Full"),
        (Refusal::Unreadable, "Unreadable"),
        (Refusal::NoGuests, "NoGuests"),
    ];
    let plain = plain.map(|(why, name)| (why, json!({ name: {} })));
    let clocks = [-25, 7_200].map(|ahead| (Refusal::Clock { ahead }, json!({"Clock": {"ahead": ahead}})));
    let refused = |(why, says): (Refusal, Value)| {
        server(proto::encode(&Down::Refused { why }), &json!({"Refused": {"why": says}}))
    };
    plain.into_iter().chain(clocks).map(refused).collect()
}

fn problems() -> Vec<Value> {
    let problems = [
        (Problem::Version, "Version"),
        (Problem::NoMeeting, "NoMeeting"),
        (Problem::MeetingExists, "MeetingExists"),
        (Problem::MeetingFull, "MeetingFull"),
        (Problem::ServerFull, "ServerFull"),
        (Problem::Malformed, "Malformed"),
        (Problem::TooFast, "TooFast"),
        (Problem::Draining, "Draining"),
        (Problem::NotAuthorised, "NotAuthorised"),
        (Problem::NotResumable, "NotResumable"),
        (Problem::Idle, "Idle"),
        (Problem::Superseded, "Superseded"),
        (Problem::HostStopped, "HostStopped"),
    ];
    let of =
        |(problem, name)| server(proto::encode(&Down::Problem { problem }), &json!({"Problem": {"problem": name}}));
    problems.map(of).into()
}

/// Returns each command of a manager.
pub(super) fn commands() -> Vec<Value> {
    let next = NextAuthority { rotation: [0x55; 128], admission_key: blob(20) };
    let rotation = json!({"rotation": h(0x55, 128), "admission_key": h(5, 20)});
    let commit = |rotation| ManagerCommand::Commit { epoch: Epoch(1), blob: blob(2), removed: vec![ONE], rotation };
    let commands = [
        (commit(None), json!({"Commit": {"epoch": 1, "blob": "0505", "removed": [7], "rotation": null}})),
        (commit(Some(next)), json!({"Commit": {"epoch": 1, "blob": "0505", "removed": [7], "rotation": rotation}})),
        (
            ManagerCommand::Refuse { participant: ONE, why: Refusal::NotNow },
            json!({"Refuse": {"participant": 7, "why": {"NotNow": {}}}}),
        ),
        (ManagerCommand::Expel { participant: ONE }, json!({"Expel": {"participant": 7}})),
        (
            ManagerCommand::Void { epoch: Epoch(5), participant: LAST },
            json!({"Void": {"epoch": 5, "participant": u64::MAX}}),
        ),
        (ManagerCommand::Lock { locked: true }, json!({"Lock": {"locked": true}})),
        (
            ManagerCommand::Beacon { epoch: Epoch(6), mls_epoch: 5, transcript: [0x66; 32] },
            json!({"Beacon": {"epoch": 6, "mls_epoch": 5, "transcript": h(0x66, 32)}}),
        ),
        (ManagerCommand::End, json!({"End": {}})),
        (
            ManagerCommand::Lobby { participant: ONE, blob: blob(3) },
            json!({"Lobby": {"participant": 7, "blob": "050505"}}),
        ),
    ];
    commands.iter().map(|(command, says)| message("ManagerCommand", proto::encode(command), says)).collect()
}

fn client(bytes: Vec<u8>, says: &Value) -> Value {
    message("ClientMessage", bytes, says)
}

fn server(bytes: Vec<u8>, says: &Value) -> Value {
    message("ServerMessage", bytes, says)
}

fn blob(length: usize) -> Blob {
    Blob(vec![5; length])
}

fn h(byte: u8, length: usize) -> String {
    hex(vec![byte; length])
}

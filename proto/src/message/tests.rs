//! Which messages are accepted, and their limits.

use super::*;
use crate::{
    MAX_BLOB, MAX_CHAIN, MAX_COMMAND, MAX_KNOCK, MAX_LOBBY, MAX_MEMBERS, MAX_RELAY, MAX_STRANGER_MESSAGE, MAX_TREE,
    MAX_TREE_PART, MAX_WELCOMES, Malformed, Problem, VERSION, decode, encode, is_sendable,
};

fn beacon(counter: u64) -> MemberBeacon {
    MemberBeacon { counter, epoch: Epoch(70_000), mls_epoch: 3, transcript: [5; 32], signature: [6; 64] }
}

#[test]
fn messages_round_trip() {
    let (participant, token, position) = (ParticipantId(7), ResumeToken([4; 32]), Position(5));
    let welcome = Welcome { to: vec![participant], blob: Blob(vec![3]) };
    let (epoch, blob, meeting, signature) = (Epoch(3), Blob(vec![1, 2]), MeetingId([2; 16]), [9; 64]);
    let removed = vec![ParticipantId(9)];
    let up = [
        Up::Hello { version: VERSION },
        Up::Create { meeting, admission_key: blob.clone(), authority: [8; 32] },
        Up::Manage { counter: 1, command: blob.clone(), signature, welcomes: vec![welcome.clone()] },
        Up::Commit { epoch, blob: blob.clone(), removed: removed.clone(), welcome: Some(welcome) },
        Up::Commit { epoch, blob: blob.clone(), removed, welcome: None },
        Up::Return { meeting, request: blob.clone(), signature },
        Up::Pong { position },
        Up::Resume { meeting, participant, token, position },
        Up::Leave,
        Up::Lobby { blob: blob.clone() },
        Up::Beacon { beacon: beacon(u64::MAX) },
        Up::Relay { blob: blob.clone() },
        Up::Tree { first: true, part: blob.clone() },
    ];
    for message in up {
        assert_eq!(decode::<Up>(&encode(&message)), Ok(message));
    }
    let signed = SignedCommand { from: participant, counter: 6, command: blob.clone(), signature };
    let entry = LogEntry::Told { from: participant, epoch, blob: Blob(vec![9; 300]) };
    let down = [
        Down::Hello { version: VERSION, participant, time: 1_800_000_000 },
        Down::Created { resume: token },
        Down::AdmissionKey { admission_key: blob.clone(), chain: Blob(vec![1; 64]) },
        Down::Admitted {
            welcome: blob.clone(),
            position,
            epoch,
            gone: vec![GoneMember { participant, by: Some(ParticipantId(9)) }],
            resume: token,
            tree: 9,
        },
        Down::Tree { part: blob.clone() },
        Down::Refused { why: Refusal::Clock { ahead: -3_601 } },
        Down::Refused { why: Refusal::OldLink },
        Down::Refused { why: Refusal::NotInvited },
        Down::Lobby { participant, from: ParticipantId(1), blob: blob.clone() },
        Down::Relayed { from: participant, blob: blob.clone() },
        Down::Log { position, entry },
        Down::Log { position, entry: LogEntry::Managed { signed: signed.clone() } },
        Down::Removed { signed: signed.clone() },
        Down::Resumed,
        Down::Returned { participant, request: blob, signature },
        Down::Beacon { signed: signed.clone() },
        Down::MemberBeacon { from: participant, beacon: beacon(1) },
        Down::Presence { participant, connected: false },
        Down::Skipped { position, count: 2 },
        Down::Ended { signed },
        Down::Problem { problem: Problem::NotAuthorised },
    ];
    for message in down {
        assert_eq!(decode::<Down>(&encode(&message)), Ok(message));
    }
}

#[test]
fn an_old_peer_skips_fields_that_it_does_not_know() {
    // Hello {0: version} with an additional field.
    let newer = [0x82, 0x00, 0x82, 0x01, 0x18, 0x2a];
    assert_eq!(decode::<Up>(&newer), Ok(Up::Hello { version: 1 }));
}

#[test]
fn every_truncation_and_any_trailing_byte_is_refused() {
    let bytes = encode(&Up::Tell { epoch: Epoch(70_000), blob: Blob(vec![1; 300]) });
    for length in 0..bytes.len() {
        assert_eq!(decode::<Up>(&bytes[..length]), Err(Malformed));
    }
    assert_eq!(decode::<Up>(&[bytes, vec![0]].concat()), Err(Malformed));
}

#[test]
fn a_message_above_a_limit_is_malformed() {
    let long = Up::Tell { epoch: Epoch(0), blob: Blob(vec![0; MAX_BLOB + 1]) };
    assert_eq!(decode::<Up>(&encode(&long)), Err(Malformed));
    let knock = |length| Up::Knock { meeting: MeetingId([0; 16]), request: Blob(vec![0; length]) };
    assert!(decode::<Up>(&encode(&knock(MAX_KNOCK))).is_ok());
    assert_eq!(decode::<Up>(&encode(&knock(MAX_KNOCK + 1))), Err(Malformed));
    let lobby = |length| Up::Lobby { blob: Blob(vec![0; length]) };
    let relayed = |length| {
        let (participant, from) = (ParticipantId(u64::MAX), ParticipantId(u64::MAX));
        Down::Lobby { participant, from, blob: Blob(vec![0; length]) }
    };
    assert!(decode::<Up>(&encode(&lobby(MAX_LOBBY))).is_ok() && decode::<Down>(&encode(&relayed(MAX_LOBBY))).is_ok());
    assert_eq!(decode::<Up>(&encode(&lobby(MAX_LOBBY + 1))), Err(Malformed));
    assert_eq!(decode::<Down>(&encode(&relayed(MAX_LOBBY + 1))), Err(Malformed));
}

#[test]
fn a_message_outside_the_log_has_a_limit() {
    let up = |length| decode::<Up>(&encode(&Up::Relay { blob: Blob(vec![0; length]) }));
    let from = ParticipantId(u64::MAX);
    let down = |length| decode::<Down>(&encode(&Down::Relayed { from, blob: Blob(vec![0; length]) }));
    assert!(up(MAX_RELAY).is_ok() && down(MAX_RELAY).is_ok());
    assert_eq!((up(MAX_RELAY + 1), down(MAX_RELAY + 1)), (Err(Malformed), Err(Malformed)));
}

#[test]
fn a_command_and_a_chain_have_limits() {
    let command = |length| {
        let command = Blob(vec![0; length]);
        Down::Beacon { signed: SignedCommand { from: ParticipantId(1), counter: 1, command, signature: [0; 64] } }
    };
    assert!(decode::<Down>(&encode(&command(MAX_COMMAND))).is_ok());
    assert_eq!(decode::<Down>(&encode(&command(MAX_COMMAND + 1))), Err(Malformed));
    let key = |length| Down::AdmissionKey { admission_key: Blob(Vec::new()), chain: Blob(vec![0; length]) };
    assert!(decode::<Down>(&encode(&key(MAX_CHAIN))).is_ok());
    assert_eq!(decode::<Down>(&encode(&key(MAX_CHAIN + 1))), Err(Malformed));
}

#[test]
fn what_a_stranger_may_send_fits_into_its_limit() {
    let (meeting, blob) = (MeetingId([0xff; 16]), Blob(vec![0; MAX_KNOCK]));
    let messages = [
        Up::Create { meeting, admission_key: blob.clone(), authority: [0xff; 32] },
        Up::Knock { meeting, request: blob.clone() },
        Up::Return { meeting, request: blob, signature: [0xff; 64] },
    ];
    for message in messages {
        assert!(encode(&message).len() <= MAX_STRANGER_MESSAGE);
    }
}

#[test]
fn a_resume_token_is_not_shown() {
    assert_eq!(format!("{:?}", Down::Created { resume: ResumeToken([0xab; 32]) }), "Created { resume: ResumeToken }");
}

#[test]
fn sendable_messages_are_those_that_the_receiver_accepts() {
    let commit = |count| Up::Manage {
        counter: 0,
        command: Blob(Vec::new()),
        signature: [0; 64],
        welcomes: vec![Welcome { to: ids(1), blob: Blob(vec![0; MAX_BLOB]) }; count],
    };
    for count in [1, 2] {
        let message = commit(count);
        assert_eq!(is_sendable(&message), decode::<Up>(&encode(&message)).is_ok());
    }
    assert!(is_sendable(&commit(1)) && !is_sendable(&commit(2)));
}

#[test]
fn a_commit_cannot_exceed_the_limit_of_new_members_with_several_welcomes() {
    let commit = |sizes: &[usize]| Up::Manage {
        counter: 0,
        command: Blob(vec![1]),
        signature: [0; 64],
        welcomes: sizes.iter().map(|&size| Welcome { to: ids(size), blob: Blob(vec![2]) }).collect(),
    };
    assert!(decode::<Up>(&encode(&commit(&[MAX_WELCOMES]))).is_ok());
    assert_eq!(decode::<Up>(&encode(&commit(&[MAX_WELCOMES, 1]))), Err(Malformed));
    assert_eq!(decode::<Up>(&encode(&commit(&[0; MAX_WELCOMES + 1]))), Err(Malformed));
}

#[test]
fn an_admission_names_at_most_as_many_gone_members_as_a_meeting_has() {
    let (welcome, resume) = (Blob(vec![1]), ResumeToken([2; 32]));
    let admitted = |gone| Down::Admitted {
        welcome: welcome.clone(),
        position: Position(9),
        epoch: Epoch(3),
        gone,
        resume,
        tree: 0,
    };
    let gone = |count| {
        ids(count)
            .into_iter()
            .map(|participant| GoneMember { participant, by: Some(ParticipantId(u64::MAX)) })
            .collect()
    };
    let message = admitted(gone(MAX_MEMBERS));
    assert_eq!(decode::<Down>(&encode(&message)), Ok(message));
    assert_eq!(decode::<Down>(&encode(&admitted(gone(MAX_MEMBERS + 1)))), Err(Malformed));
}

#[test]
fn a_tree_and_its_parts_have_limits() {
    let part = |length| Blob(vec![1; length]);
    for (length, is_valid) in [(0, false), (1, true), (MAX_TREE_PART, true), (MAX_TREE_PART + 1, false)] {
        let up = encode(&Up::Tree { first: false, part: part(length) });
        let down = encode(&Down::Tree { part: part(length) });
        assert_eq!((decode::<Up>(&up).is_ok(), decode::<Down>(&down).is_ok()), (is_valid, is_valid), "{length}");
    }
    let (position, epoch, resume) = (Position(9), Epoch(3), ResumeToken([2; 32]));
    let admitted = |tree| Down::Admitted { welcome: Blob(vec![1]), position, epoch, gone: Vec::new(), resume, tree };
    let longest = u32::try_from(MAX_TREE).unwrap();
    assert!(decode::<Down>(&encode(&admitted(longest))).is_ok());
    assert_eq!(decode::<Down>(&encode(&admitted(longest + 1))), Err(Malformed));
}

fn ids(count: usize) -> Vec<ParticipantId> {
    (0..count as u64).map(ParticipantId).collect()
}

#[test]
fn a_declared_length_beyond_the_message_is_malformed() {
    // Tell {epoch 0, blob of 2^40 bytes} in a dozen bytes.
    let wrong = [0x82, 0x06, 0x82, 0x00, 0x5b, 0, 0, 1, 0, 0, 0, 0, 0];
    assert_eq!(decode::<Up>(&wrong), Err(Malformed));
}

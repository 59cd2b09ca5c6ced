//! Fuzz targets for the delivery service: what clients may send, and what is stored of a meeting.

use super::{joined, parts};
use proto::{
    Blob, ClientMessage, ClientSignal, Down, Epoch, ManagerCommand, MeetingId, ParticipantId, Position, Problem,
    ResumeToken, Slot, TileWish, ToSfu, TrackId, Up, VERSION, Welcome,
};
use ring::signature::{Ed25519KeyPair, KeyPair};
use server::delivery::{Action, Change, ConnectionId, Delivery, Now};
use server::{Limits, Origin};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Runs a delivery service with eight connections. The input is a list of steps: a byte for the connection, the time that
/// passes and its action, a byte for the length of its message, and the message.
pub(super) fn delivery(bytes: &[u8]) {
    let mut delivery = Delivery::new(limits(), &SECRET);
    let instant = play(&mut delivery, bytes, Instant::now(), check_actions);
    assert_all_ended(&mut delivery, instant);
}

/// Restores a stored meeting, in which a member resumes. The input is the position of the log from which it resumes, and the
/// stored batches.
pub(super) fn stored(bytes: &[u8]) {
    let Some((position, batches)) = bytes.split_first() else { return };
    let (batches, instant) = (parts(batches).map(<[u8]>::to_vec).collect(), Instant::now());
    let mut delivery = Delivery::restore(limits(), &SECRET, &[(MEETING, batches)], instant);
    check_actions(&mut delivery);
    let position = Position((*position).into());
    let resume = Up::Resume { meeting: MEETING, participant: ParticipantId(1), token: *TOKEN, position };
    let steps = [
        Up::Hello { version: VERSION },
        resume,
        Up::Tell { epoch: Epoch(1), blob: Blob(vec![5]) },
        signed(
            9,
            &ManagerCommand::Commit { epoch: Epoch(1), blob: Blob(vec![3]), removed: Vec::new(), rotation: None },
            Vec::new(),
        ),
        Up::Pong { position },
    ];
    let steps = script(steps.map(|message| (4, ClientMessage::Meeting(message))));
    let instant = play(&mut delivery, &[&[4, 0], &steps[..]].concat(), instant, check_actions);
    assert_all_ended(&mut delivery, instant);
}

/// Returns what is stored of a small meeting after each of its changes.
pub(super) fn stored_meetings() -> Vec<Vec<u8>> {
    let mut delivery = Delivery::restore(limits(), &SECRET, &[], Instant::now());
    let (mut batches, mut seeds) = (Vec::new(), Vec::new());
    play(&mut delivery, &meeting(), Instant::now(), |delivery| {
        while let Some(action) = delivery.poll_action() {
            match action {
                Action::Store(_, Change::Append(batch)) => batches.push(batch),
                Action::Store(_, Change::Replace(batch)) => batches = vec![batch],
                Action::Store(_, Change::Remove)
                | Action::Send(..)
                | Action::Tell { .. }
                | Action::Relay { .. }
                | Action::Close(_)
                | Action::Trust(..)
                | Action::Sfu(..) => continue,
            }
            seeds.push([vec![1], joined(batches.iter().map(Vec::as_slice))].concat());
        }
    });
    seeds.into_iter().step_by(3).collect()
}

/// The token with which participant 1 resumes.
static TOKEN: LazyLock<ResumeToken> = LazyLock::new(|| {
    let (mut delivery, mut token) = (Delivery::new(limits(), &SECRET), ResumeToken([0; 32]));
    play(&mut delivery, &meeting(), Instant::now(), |delivery| {
        while let Some(action) = delivery.poll_action() {
            if let Action::Send(_, bytes) = action
                && let Ok(Down::Created { resume }) = proto::decode(&bytes)
            {
                token = resume;
            }
        }
    });
    token
});

fn limits() -> Limits {
    Limits { meetings: 2, members: 4, log_entries: 8, log_bytes: 300, ..Limits::default() }
}

/// Executes the steps of `bytes` from `instant` on. Calls `handle_actions` after each step. Returns the time at the end.
fn play(
    delivery: &mut Delivery,
    bytes: &[u8],
    mut instant: Instant,
    mut handle_actions: impl FnMut(&mut Delivery),
) -> Instant {
    let mut rest = bytes;
    while let [step, length, tail @ ..] = rest {
        let number = u64::from(step & 7);
        let (id, participant) = (ConnectionId(number), ParticipantId(number));
        let (message, next) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = next;
        instant += Duration::from_secs(u64::from(step >> 3 & 7));
        delivery.handle_timeout(instant);
        let now = Now { instant, unix_seconds: 0 };
        match step >> 6 {
            0 => delivery.handle_connected(id, participant, Origin::from(ADDRESS), now),
            1 => delivery.handle_disconnected(id, now),
            _ => match proto::decode::<ClientMessage>(message) {
                Ok(ClientMessage::Meeting(message)) => delivery.handle_message(id, message, now),
                Ok(ClientMessage::Sfu(message)) => delivery.handle_sfu_message(id, message),
                Err(proto::Malformed) => delivery.reject(id, Problem::Malformed),
            },
        }
        handle_actions(delivery);
    }
    instant
}

/// Ends all connections, and asserts that no meeting is left a minute after `instant`.
fn assert_all_ended(delivery: &mut Delivery, instant: Instant) {
    (0..8).for_each(|number| delivery.handle_disconnected(ConnectionId(number), Now { instant, unix_seconds: 0 }));
    delivery.handle_timeout(instant + Duration::from_mins(1));
    check_actions(delivery);
    assert_eq!((delivery.connections(), delivery.meetings()), (0, 0), "no meeting is left without connections");
}

fn check_actions(delivery: &mut Delivery) {
    while let Some(action) = delivery.poll_action() {
        if let Action::Send(_, bytes) | Action::Tell { message: bytes, .. } | Action::Relay { message: bytes, .. } =
            action
        {
            let message = proto::decode::<Down>(&bytes).expect("the server sends only valid messages");
            let failed = message == Down::Problem { problem: Problem::Draining };
            assert!(!failed, "the service catches panics, and ends their meetings");
        }
    }
}

/// Returns the steps of a complete small meeting, and of connections that send no message.
pub(super) fn scripts() -> Vec<Vec<u8>> {
    let connections = [1_u8, 2, 3, 4, 5, 0x41, 0x42, 1, 2, 0x43];
    vec![meeting(), connections.iter().flat_map(|step| [*step, 0]).collect()]
}

/// Returns the steps of a complete small meeting.
fn meeting() -> Vec<u8> {
    let track = TrackId { owner: ParticipantId(1), slot: Slot::Camera };
    let tile = TileWish { track, width: 640, height: 360, frames_per_second: 30, priority: 1, hidden: false };
    let welcome = Welcome { to: vec![ParticipantId(2)], blob: Blob(vec![4]) };
    let commit =
        |epoch, removed| ManagerCommand::Commit { epoch: Epoch(epoch), blob: Blob(vec![3]), removed, rotation: None };
    let wishes = ClientSignal::Wishes { tiles: vec![tile] };
    let wishes = ClientMessage::Sfu(ToSfu::Signal(Blob(proto::encode(&wishes))));
    let own = Up::Commit { epoch: Epoch(1), blob: Blob(vec![6]), removed: Vec::new(), welcome: None };
    let (participant, position) = (ParticipantId(2), Position(1));
    let resume = Up::Resume { meeting: MEETING, participant, token: ResumeToken([7; 32]), position };
    let authority = key().public_key().as_ref().try_into().unwrap_or_default();
    let messages = [
        (1, ClientMessage::Meeting(Up::Hello { version: VERSION })),
        (2, ClientMessage::Meeting(Up::Hello { version: VERSION })),
        (1, ClientMessage::Meeting(Up::Create { meeting: MEETING, admission_key: Blob(vec![1]), authority })),
        (2, ClientMessage::Meeting(Up::Knock { meeting: MEETING, request: Blob(vec![2]) })),
        (2, ClientMessage::Meeting(Up::Lobby { blob: Blob(vec![3; 40]) })),
        (1, ClientMessage::Meeting(Up::Tree { first: true, part: Blob(vec![8; 9]) })),
        (1, ClientMessage::Meeting(signed(1, &commit(0, Vec::new()), vec![welcome]))),
        (2, ClientMessage::Meeting(Up::Tell { epoch: Epoch(1), blob: Blob(vec![5]) })),
        (2, ClientMessage::Meeting(Up::Relay { blob: Blob(vec![5; 40]) })),
        (2, wishes),
        (2, ClientMessage::Meeting(own)),
        (2, ClientMessage::Meeting(Up::Pong { position })),
        (1, ClientMessage::Meeting(signed(2, &commit(2, vec![participant]), Vec::new()))),
        (1, ClientMessage::Meeting(signed(3, &ManagerCommand::Void { epoch: Epoch(1), participant }, Vec::new()))),
        (1, ClientMessage::Meeting(signed(4, &ManagerCommand::Lock { locked: true }, Vec::new()))),
        (3, ClientMessage::Meeting(resume)),
        (1, ClientMessage::Meeting(signed(5, &ManagerCommand::End, Vec::new()))),
        (2, ClientMessage::Meeting(Up::Leave)),
    ];
    [vec![1, 0, 2, 0, 3, 0], script(messages)].concat()
}

/// Returns steps that send messages, each on a connection.
fn script(messages: impl IntoIterator<Item = (u8, ClientMessage)>) -> Vec<u8> {
    let step = |(connection, message)| {
        let message = proto::encode(&message);
        [&[0x80 | connection, u8::try_from(message.len()).unwrap_or_default()], &message[..]].concat()
    };
    messages.into_iter().flat_map(step).collect()
}

/// Returns a command of participant 1.
fn signed(counter: u64, command: &ManagerCommand, welcomes: Vec<Welcome>) -> Up {
    let command = Blob(proto::encode(command));
    let message = proto::signed::command(MEETING, ParticipantId(1), counter, &command.0);
    let mut signature = [0; 64];
    signature.copy_from_slice(key().sign(&message).as_ref());
    Up::Manage { counter, command, signature, welcomes }
}

fn key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[1; 32]).expect("any 32 bytes are a seed")
}

const SECRET: [u8; 32] = [0; 32];

const MEETING: MeetingId = MeetingId([1; 16]);

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[cfg(test)]
mod tests {
    use super::*;

    /// Replaces each byte in turn, and requires that every damaged script is handled.
    #[test]
    fn every_changed_byte_of_a_meeting_is_handled() {
        let bytes = scripts().remove(0);
        delivery(&bytes);
        for at in 0..bytes.len() {
            for flip in [1, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] ^= flip;
                delivery(&damaged);
            }
        }
    }

    #[test]
    fn a_member_resumes_in_each_stored_meeting() {
        let seeds = stored_meetings();
        assert!(seeds.len() > 2);
        for seed in seeds {
            let (batches, now) = (parts(&seed[1..]).map(<[u8]>::to_vec).collect(), Instant::now());
            let mut delivery = Delivery::restore(limits(), &SECRET, &[(MEETING, batches)], now);
            assert_eq!(delivery.meetings(), 1);
            let resume = |position| Up::Resume {
                meeting: MEETING,
                participant: ParticipantId(1),
                token: *TOKEN,
                position: Position(position),
            };
            // The first position that the log reaches is not known here.
            let resumed = (0..8).any(|position| {
                let messages = [Up::Hello { version: VERSION }, resume(position)].map(ClientMessage::Meeting);
                let mut resumed = false;
                play(
                    &mut delivery,
                    &[&[4, 0], &script(messages.map(|message| (4, message)))[..]].concat(),
                    now,
                    |it| {
                        while let Some(action) = it.poll_action() {
                            let Action::Send(_, bytes) = action else { continue };
                            resumed |= proto::decode::<Down>(&bytes) == Ok(Down::Resumed);
                        }
                    },
                );
                resumed
            });
            assert!(resumed);
        }
    }
}

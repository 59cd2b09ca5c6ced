//! Behaviour of the delivery service: who receives what, in which order.

use super::*;
use proto::{Epoch, LogEntry, Position, Refusal, Welcome};

const MEETING: MeetingId = MeetingId([1; 16]);
const ANNA: ParticipantId = ParticipantId(1);
const BEN: ParticipantId = ParticipantId(2);
const CLEO: ParticipantId = ParticipantId(3);

/// A service that records its actions.
struct Service {
    delivery: Delivery,
    commands: Vec<sfu::Command>,
    closed: Vec<ParticipantId>,
}

impl Service {
    fn with(limits: Limits) -> Self {
        Self { delivery: Delivery::new(limits), commands: Vec::new(), closed: Vec::new() }
    }

    /// Returns a service in which Anna has a meeting, and Ben and Cleo are connected.
    fn with_a_meeting() -> Self {
        let mut service = Self::with(Limits::default());
        for participant in [ANNA, BEN, CLEO] {
            service.greet(participant);
        }
        assert_eq!(service.sends(ANNA, create(MEETING)), [(ANNA, Down::Created)]);
        service
    }

    /// Returns a service in which Anna, Ben and Cleo are members. Two commits added them.
    fn with_three_members() -> Self {
        let mut service = Self::with_a_meeting();
        for (epoch, participant) in [(0, BEN), (1, CLEO)] {
            service.sends(participant, knock());
            service.sends(ANNA, commit(epoch, &[participant], &[]));
        }
        service
    }

    fn greet(&mut self, participant: ParticipantId) -> Vec<(ParticipantId, Down)> {
        self.delivery.handle_connected(participant);
        self.sends(participant, Up::Hello { version: VERSION })
    }

    fn sends(&mut self, participant: ParticipantId, message: Up) -> Vec<(ParticipantId, Down)> {
        self.delivery.handle_message(participant, message);
        self.received()
    }

    fn disconnects(&mut self, participant: ParticipantId) -> Vec<(ParticipantId, Down)> {
        self.delivery.handle_disconnected(participant);
        self.received()
    }

    fn received(&mut self) -> Vec<(ParticipantId, Down)> {
        let mut received = Vec::new();
        while let Some(action) = self.delivery.poll_action() {
            match action {
                Action::Send(to, bytes) => received.push((to, proto::decode(&bytes).expect("a message"))),
                Action::Close(participant) => self.closed.push(participant),
                Action::Sfu(command) => self.commands.push(command),
            }
        }
        received
    }
}

fn blob(byte: u8) -> Blob {
    Blob(vec![byte])
}

/// Returns the content of the commit for `epoch`.
fn commit_blob(epoch: u64) -> Blob {
    Blob(epoch.to_be_bytes().to_vec())
}

fn create(meeting: MeetingId) -> Up {
    Up::Create { meeting, admission_key: blob(9) }
}

fn knock() -> Up {
    Up::Knock { meeting: MEETING, request: blob(5) }
}

fn commit(epoch: u64, add: &[ParticipantId], removed: &[ParticipantId]) -> Up {
    let welcomes = if add.is_empty() { vec![] } else { vec![Welcome { to: add.to_vec(), blob: blob(7) }] };
    Up::Commit { epoch: Epoch(epoch), blob: commit_blob(epoch), welcomes, removed: removed.to_vec() }
}

fn tell(epoch: u64, byte: u8) -> Up {
    Up::Tell { epoch: Epoch(epoch), blob: blob(byte) }
}

fn committed(position: u64, from: ParticipantId, epoch: u64) -> Down {
    let entry = LogEntry::Commit { from, epoch: Epoch(epoch), blob: commit_blob(epoch) };
    Down::Log { position: Position(position), entry }
}

fn gone(position: u64, participant: ParticipantId) -> Down {
    Down::Log { position: Position(position), entry: LogEntry::Gone { participant } }
}

fn problem(problem: Problem) -> Down {
    Down::Problem { problem }
}

#[test]
fn members_receive_a_knock_and_a_commit_admits() {
    let mut service = Service::with_a_meeting();
    let admission_key = service.sends(BEN, Up::Approach { meeting: MEETING });
    assert_eq!(admission_key, [(BEN, Down::AdmissionKey { admission_key: blob(9) })]);
    assert_eq!(service.sends(BEN, knock()), [(ANNA, Down::Knocked { participant: BEN, request: blob(5) })]);
    let admitted = Down::Admitted { welcome: blob(7), position: Position(1), epoch: Epoch(1), gone: vec![] };
    assert_eq!(service.sends(ANNA, commit(0, &[BEN], &[])), [(ANNA, committed(0, ANNA, 0)), (BEN, admitted)]);
    let joined = |participant| sfu::Command::Join { meeting: MEETING, participant };
    assert_eq!(service.commands, [joined(ANNA), joined(BEN)]);
    let received = service.sends(BEN, tell(1, 8));
    assert_eq!(received.len(), 2, "also to its author");
    assert_eq!(received[0].1, received[1].1);
}

#[test]
fn the_first_commit_of_an_epoch_wins_and_the_loser_receives_the_epoch() {
    let mut service = Service::with_three_members();
    let accepted = service.sends(BEN, commit(2, &[], &[]));
    assert_eq!(accepted, [ANNA, BEN, CLEO].map(|participant| (participant, committed(2, BEN, 2))));
    assert_eq!(service.sends(ANNA, commit(2, &[], &[])), [(ANNA, Down::CommitTooLate { epoch: Epoch(3) })]);
    assert_eq!(service.sends(ANNA, commit(9, &[], &[])), [(ANNA, Down::CommitTooLate { epoch: Epoch(3) })]);
    assert_eq!(service.sends(ANNA, commit(3, &[], &[])).len(), 3);
}

#[test]
fn a_removed_member_is_notified_and_receives_nothing_else() {
    let mut service = Service::with_three_members();
    let received = service.sends(ANNA, commit(2, &[], &[CLEO]));
    let entries = [ANNA, BEN].map(|participant| (participant, committed(2, ANNA, 2)));
    let after = [ANNA, BEN].map(|participant| (participant, gone(3, CLEO)));
    assert_eq!(received, [vec![(CLEO, Down::Removed)], entries.to_vec(), after.to_vec()].concat());
    assert_eq!(service.closed, [CLEO]);
    assert_eq!(service.commands.last(), Some(&sfu::Command::Leave { participant: CLEO }));
    assert!(service.sends(CLEO, tell(2, 1)).is_empty(), "its messages are ignored");
    assert!(service.disconnects(CLEO).is_empty(), "not logged again");
}

#[test]
fn a_member_that_leaves_is_logged_once() {
    let mut service = Service::with_three_members();
    assert_eq!(service.disconnects(BEN), [(ANNA, gone(2, BEN)), (CLEO, gone(2, BEN))]);
    assert_eq!(service.sends(CLEO, Up::Leave), [(ANNA, gone(3, CLEO))]);
    assert!(service.disconnects(CLEO).is_empty());
    assert_eq!(service.closed, [CLEO]);
}

#[test]
fn a_new_member_is_told_who_is_gone_and_who_else_waits() {
    let mut service = Service::with_three_members();
    service.disconnects(BEN);
    let (dora, emil) = (ParticipantId(4), ParticipantId(5));
    for participant in [dora, emil] {
        service.greet(participant);
        service.sends(participant, knock());
    }
    let received = service.sends(ANNA, commit(2, &[dora], &[]));
    let to_dora: Vec<Down> = received.into_iter().filter(|(to, _)| *to == dora).map(|(_, message)| message).collect();
    let admitted = Down::Admitted { welcome: blob(7), position: Position(4), epoch: Epoch(3), gone: vec![BEN] };
    assert_eq!(to_dora, [admitted, Down::Knocked { participant: emil, request: blob(5) }]);
    // A commit that removes those who are gone takes them off the list.
    let received = service.sends(ANNA, commit(3, &[emil], &[BEN]));
    let welcome = received.into_iter().find(|(to, _)| *to == emil).map(|(_, message)| message);
    let admitted = Down::Admitted { welcome: blob(7), position: Position(5), epoch: Epoch(4), gone: vec![] };
    assert_eq!(welcome, Some(admitted));
}

#[test]
fn a_waiting_person_who_gave_up_is_logged_as_gone_after_the_commit() {
    let mut service = Service::with_a_meeting();
    service.sends(BEN, knock());
    assert_eq!(service.disconnects(BEN), [(ANNA, Down::Withdrew { participant: BEN })]);
    let received = service.sends(ANNA, commit(0, &[BEN], &[]));
    assert_eq!(received, [(ANNA, committed(0, ANNA, 0)), (ANNA, gone(1, BEN))]);
}

#[test]
fn one_welcome_admits_several() {
    let mut service = Service::with_a_meeting();
    for participant in [BEN, CLEO] {
        service.sends(participant, knock());
    }
    let received = service.sends(ANNA, commit(0, &[BEN, CLEO], &[]));
    assert_eq!(received.iter().filter(|(_, message)| matches!(message, Down::Admitted { .. })).count(), 2);
    assert_eq!(service.sends(CLEO, tell(1, 1)).len(), 3);
}

#[test]
fn a_refused_person_is_told_why_and_disconnected() {
    let mut service = Service::with_a_meeting();
    service.sends(BEN, knock());
    let refuse = |participant| Up::Refuse { participant, why: Refusal::Declined };
    assert_eq!(service.sends(ANNA, refuse(BEN)), [(BEN, Down::Refused { why: Refusal::Declined })]);
    assert!(service.sends(ANNA, refuse(BEN)).is_empty());
    assert_eq!(service.closed, [BEN]);
    assert!(service.sends(BEN, knock()).is_empty());
}

#[test]
fn a_meeting_ends_with_its_last_member() {
    let mut service = Service::with_a_meeting();
    service.sends(BEN, knock());
    assert_eq!(service.disconnects(ANNA), [(BEN, problem(Problem::NoMeeting))]);
    assert_eq!(service.closed, [BEN]);
    assert_eq!(service.sends(CLEO, knock()), [(CLEO, problem(Problem::NoMeeting))]);
    assert_eq!(service.delivery.meetings(), 0);
}

#[test]
fn a_request_above_a_limit_is_rejected() {
    let mut service = Service::with(Limits { meetings: 1, members: 2, stranger_message: 10, ..Limits::default() });
    let people: Vec<ParticipantId> = (1..=6).map(ParticipantId).collect();
    for participant in &people {
        service.greet(*participant);
    }
    service.sends(ANNA, create(MEETING));
    assert_eq!(service.sends(BEN, create(MEETING)), [(BEN, problem(Problem::MeetingExists))]);
    assert_eq!(service.sends(CLEO, create(MeetingId([2; 16]))), [(CLEO, problem(Problem::ServerFull))]);
    assert_eq!(service.sends(people[3], knock()).len(), 1);
    assert_eq!(service.sends(people[4], knock()), [(people[4], problem(Problem::MeetingFull))]);
    let long = Up::Knock { meeting: MEETING, request: Blob(vec![0; 11]) };
    assert_eq!(service.sends(people[5], long), [(people[5], problem(Problem::Malformed))]);
}

#[test]
fn a_message_out_of_turn_ends_the_connection() {
    let strangers = [
        (Up::Hello { version: VERSION + 1 }, Problem::Version),
        (create(MEETING), Problem::Malformed),
        (tell(0, 1), Problem::Malformed),
    ];
    for (message, expected) in strangers {
        let mut service = Service::with(Limits::default());
        service.delivery.handle_connected(ANNA);
        assert_eq!(service.sends(ANNA, message), [(ANNA, problem(expected))]);
        assert_eq!(service.closed, [ANNA]);
    }
    let mut service = Service::with_a_meeting();
    assert_eq!(service.sends(BEN, commit(0, &[], &[])), [(BEN, problem(Problem::Malformed))], "not a member");
    let received = service.sends(ANNA, Up::Hello { version: VERSION });
    assert_eq!(received, [(ANNA, problem(Problem::Malformed))]);
}

#[test]
fn draining_closes_all_connections_and_each_new_one() {
    let mut service = Service::with_three_members();
    service.delivery.drain();
    let received = service.received();
    for participant in [ANNA, BEN, CLEO] {
        assert!(received.contains(&(participant, problem(Problem::Draining))));
    }
    service.delivery.handle_connected(ParticipantId(9));
    assert_eq!(service.received(), [(ParticipantId(9), problem(Problem::Draining))]);
    for participant in 1..=9 {
        service.disconnects(ParticipantId(participant));
    }
    assert_eq!((service.delivery.connections(), service.delivery.meetings()), (0, 0));
}

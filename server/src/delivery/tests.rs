//! Behaviour of the delivery service: who hears what, and in which order.

use super::*;
use proto::{Entry, Epoch, Position, Refusal, Welcome};

const MEETING: MeetingId = MeetingId([1; 16]);
const ANNA: ParticipantId = ParticipantId(1);
const BEN: ParticipantId = ParticipantId(2);
const CLEO: ParticipantId = ParticipantId(3);

/// A service, and what it says.
struct Service {
    delivery: Delivery,
    media: Vec<sfu::Order>,
    finished: Vec<ParticipantId>,
}

impl Service {
    fn with(limits: Limits) -> Self {
        Self { delivery: Delivery::new(limits), media: Vec::new(), finished: Vec::new() }
    }

    /// Anna has a meeting; the others are in the lobby.
    fn opened() -> Self {
        let mut service = Self::with(Limits::default());
        for who in [ANNA, BEN, CLEO] {
            service.greet(who);
        }
        assert_eq!(service.says(ANNA, create(MEETING)), [(ANNA, Down::Created)]);
        service
    }

    /// Anna, Ben and Cleo are in; two commits made.
    fn three() -> Self {
        let mut service = Self::opened();
        for (epoch, who) in [(0, BEN), (1, CLEO)] {
            service.says(who, knock());
            service.says(ANNA, commit(epoch, &[who], &[]));
        }
        service
    }

    fn greet(&mut self, who: ParticipantId) -> Vec<(ParticipantId, Down)> {
        self.delivery.handle_arrival(who);
        self.says(who, Up::Hello { version: VERSION })
    }

    fn says(&mut self, who: ParticipantId, message: Up) -> Vec<(ParticipantId, Down)> {
        self.delivery.handle_message(who, message);
        self.heard()
    }

    fn departs(&mut self, who: ParticipantId) -> Vec<(ParticipantId, Down)> {
        self.delivery.handle_departure(who);
        self.heard()
    }

    fn heard(&mut self) -> Vec<(ParticipantId, Down)> {
        let mut heard = Vec::new();
        while let Some(action) = self.delivery.poll_action() {
            match action {
                Action::Say(to, bytes) => heard.push((to, proto::decode(&bytes).expect("a message"))),
                Action::Finish(who) => self.finished.push(who),
                Action::Media(order) => self.media.push(order),
            }
        }
        heard
    }
}

fn blob(byte: u8) -> Blob {
    Blob(vec![byte])
}

/// What a commit for an epoch holds.
fn number(epoch: u64) -> Blob {
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
    Up::Commit { epoch: Epoch(epoch), blob: number(epoch), welcomes, removed: removed.to_vec() }
}

fn tell(epoch: u64, byte: u8) -> Up {
    Up::Tell { epoch: Epoch(epoch), blob: blob(byte) }
}

fn committed(position: u64, from: ParticipantId, epoch: u64) -> Down {
    let entry = Entry::Commit { from, epoch: Epoch(epoch), blob: number(epoch) };
    Down::Log { position: Position(position), entry }
}

fn gone(position: u64, participant: ParticipantId) -> Down {
    Down::Log { position: Position(position), entry: Entry::Gone { participant } }
}

fn problem(problem: Problem) -> Down {
    Down::Problem { problem }
}

#[test]
fn a_knock_is_heard_by_members_and_a_commit_lets_in() {
    let mut service = Service::opened();
    let admission_key = service.says(BEN, Up::Approach { meeting: MEETING });
    assert_eq!(admission_key, [(BEN, Down::AdmissionKey { admission_key: blob(9) })]);
    assert_eq!(service.says(BEN, knock()), [(ANNA, Down::Knocked { participant: BEN, request: blob(5) })]);
    let admitted = Down::Admitted { welcome: blob(7), position: Position(1), epoch: Epoch(1), gone: vec![] };
    assert_eq!(service.says(ANNA, commit(0, &[BEN], &[])), [(ANNA, committed(0, ANNA, 0)), (BEN, admitted)]);
    let joined = |participant| sfu::Order::Join { meeting: MEETING, participant };
    assert_eq!(service.media, [joined(ANNA), joined(BEN)]);
    let told = service.says(BEN, tell(1, 8));
    assert_eq!(told.len(), 2, "to its author, too");
    assert_eq!(told[0].1, told[1].1);
}

#[test]
fn the_first_commit_of_an_epoch_wins_and_the_loser_hears_the_epoch() {
    let mut service = Service::three();
    let won = service.says(BEN, commit(2, &[], &[]));
    assert_eq!(won, [ANNA, BEN, CLEO].map(|who| (who, committed(2, BEN, 2))));
    assert_eq!(service.says(ANNA, commit(2, &[], &[])), [(ANNA, Down::Lost { epoch: Epoch(3) })]);
    assert_eq!(service.says(ANNA, commit(9, &[], &[])), [(ANNA, Down::Lost { epoch: Epoch(3) })]);
    assert_eq!(service.says(ANNA, commit(3, &[], &[])).len(), 3);
}

#[test]
fn somebody_put_out_hears_so_and_nothing_else() {
    let mut service = Service::three();
    let heard = service.says(ANNA, commit(2, &[], &[CLEO]));
    let entries = [ANNA, BEN].map(|who| (who, committed(2, ANNA, 2)));
    let behind = [ANNA, BEN].map(|who| (who, gone(3, CLEO)));
    assert_eq!(heard, [vec![(CLEO, Down::Removed)], entries.to_vec(), behind.to_vec()].concat());
    assert_eq!(service.finished, [CLEO]);
    assert_eq!(service.media.last(), Some(&sfu::Order::Leave { participant: CLEO }));
    assert!(service.says(CLEO, tell(2, 1)).is_empty(), "not heard any more");
    assert!(service.departs(CLEO).is_empty(), "not logged a second time");
}

#[test]
fn a_member_that_goes_is_logged_once() {
    let mut service = Service::three();
    assert_eq!(service.departs(BEN), [(ANNA, gone(2, BEN)), (CLEO, gone(2, BEN))]);
    assert_eq!(service.says(CLEO, Up::Leave), [(ANNA, gone(3, CLEO))]);
    assert!(service.departs(CLEO).is_empty());
    assert_eq!(service.finished, [CLEO]);
}

#[test]
fn a_late_joiner_hears_who_is_gone_and_who_else_waits() {
    let mut service = Service::three();
    service.departs(BEN);
    let (dora, emil) = (ParticipantId(4), ParticipantId(5));
    for who in [dora, emil] {
        service.greet(who);
        service.says(who, knock());
    }
    let heard = service.says(ANNA, commit(2, &[dora], &[]));
    let to_dora: Vec<Down> = heard.into_iter().filter(|(to, _)| *to == dora).map(|(_, message)| message).collect();
    let admitted = Down::Admitted { welcome: blob(7), position: Position(4), epoch: Epoch(3), gone: vec![BEN] };
    assert_eq!(to_dora, [admitted, Down::Knocked { participant: emil, request: blob(5) }]);
    // A commit that names the gone takes them off the list.
    let heard = service.says(ANNA, commit(3, &[emil], &[BEN]));
    let welcome = heard.into_iter().find(|(to, _)| *to == emil).map(|(_, message)| message);
    let admitted = Down::Admitted { welcome: blob(7), position: Position(5), epoch: Epoch(4), gone: vec![] };
    assert_eq!(welcome, Some(admitted));
}

#[test]
fn a_joiner_who_gave_up_is_logged_as_gone_behind_the_commit() {
    let mut service = Service::opened();
    service.says(BEN, knock());
    assert_eq!(service.departs(BEN), [(ANNA, Down::Withdrew { participant: BEN })]);
    let heard = service.says(ANNA, commit(0, &[BEN], &[]));
    assert_eq!(heard, [(ANNA, committed(0, ANNA, 0)), (ANNA, gone(1, BEN))]);
}

#[test]
fn one_welcome_lets_several_in() {
    let mut service = Service::opened();
    for who in [BEN, CLEO] {
        service.says(who, knock());
    }
    let heard = service.says(ANNA, commit(0, &[BEN, CLEO], &[]));
    assert_eq!(heard.iter().filter(|(_, message)| matches!(message, Down::Admitted { .. })).count(), 2);
    assert_eq!(service.says(CLEO, tell(1, 1)).len(), 3);
}

#[test]
fn somebody_refused_hears_why_and_is_put_out() {
    let mut service = Service::opened();
    service.says(BEN, knock());
    let refuse = |participant| Up::Refuse { participant, why: Refusal::Declined };
    assert_eq!(service.says(ANNA, refuse(BEN)), [(BEN, Down::Refused { why: Refusal::Declined })]);
    assert!(service.says(ANNA, refuse(BEN)).is_empty());
    assert_eq!(service.finished, [BEN]);
    assert!(service.says(BEN, knock()).is_empty());
}

#[test]
fn a_meeting_ends_with_its_last_member() {
    let mut service = Service::opened();
    service.says(BEN, knock());
    assert_eq!(service.departs(ANNA), [(BEN, problem(Problem::NoMeeting))]);
    assert_eq!(service.finished, [BEN]);
    assert_eq!(service.says(CLEO, knock()), [(CLEO, problem(Problem::NoMeeting))]);
    assert_eq!(service.delivery.meetings(), 0);
}

#[test]
fn limits_hold() {
    let mut service = Service::with(Limits { meetings: 1, members: 2, stranger_message: 10, ..Limits::default() });
    let everybody: Vec<ParticipantId> = (1..=6).map(ParticipantId).collect();
    for who in &everybody {
        service.greet(*who);
    }
    service.says(ANNA, create(MEETING));
    assert_eq!(service.says(BEN, create(MEETING)), [(BEN, problem(Problem::MeetingExists))]);
    assert_eq!(service.says(CLEO, create(MeetingId([2; 16]))), [(CLEO, problem(Problem::ServerFull))]);
    assert_eq!(service.says(everybody[3], knock()).len(), 1);
    assert_eq!(service.says(everybody[4], knock()), [(everybody[4], problem(Problem::MeetingFull))]);
    let long = Up::Knock { meeting: MEETING, request: Blob(vec![0; 11]) };
    assert_eq!(service.says(everybody[5], long), [(everybody[5], problem(Problem::Malformed))]);
}

#[test]
fn what_does_not_fit_ends_the_connection() {
    let strangers = [
        (Up::Hello { version: VERSION + 1 }, Problem::Version),
        (create(MEETING), Problem::Malformed),
        (tell(0, 1), Problem::Malformed),
    ];
    for (message, expected) in strangers {
        let mut service = Service::with(Limits::default());
        service.delivery.handle_arrival(ANNA);
        assert_eq!(service.says(ANNA, message), [(ANNA, problem(expected))]);
        assert_eq!(service.finished, [ANNA]);
    }
    let mut service = Service::opened();
    assert_eq!(service.says(BEN, commit(0, &[], &[])), [(BEN, problem(Problem::Malformed))], "no member");
    let heard = service.says(ANNA, Up::Hello { version: VERSION });
    assert_eq!(heard, [(ANNA, problem(Problem::Malformed))]);
}

#[test]
fn draining_ends_every_connection_and_every_new_one() {
    let mut service = Service::three();
    service.delivery.drain();
    let heard = service.heard();
    for who in [ANNA, BEN, CLEO] {
        assert!(heard.contains(&(who, problem(Problem::Draining))));
    }
    service.delivery.handle_arrival(ParticipantId(9));
    assert_eq!(service.heard(), [(ParticipantId(9), problem(Problem::Draining))]);
    for who in 1..=9 {
        service.departs(ParticipantId(who));
    }
    assert_eq!((service.delivery.connections(), service.delivery.meetings()), (0, 0));
}

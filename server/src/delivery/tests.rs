//! Behaviour of the delivery service: who receives what, in which order.

mod attacks;
mod isolation;
mod resume;
pub(super) mod service;

use super::*;
use proto::{Blob, Epoch, ManagerCommand, Welcome};
use service::*;

#[test]
fn members_receive_a_knock_and_a_commit_admits() {
    let mut service = Service::with_a_meeting();
    let received = service.sends(BEN, Up::Approach { meeting: MEETING });
    let [(BEN, Down::AdmissionKey { admission_key, chain })] = received.as_slice() else { panic!("{received:?}") };
    assert_eq!((admission_key, chain.0.len()), (&blob(9), 64));
    assert_eq!(chain.0[..32], public(AUTHORITY));
    assert_eq!(service.sends(BEN, knock()), [(ANNA, Down::Knocked { participant: BEN, request: blob(5) })]);
    let received = service.commits(ANNA, 0, &[BEN], &[]);
    assert_eq!(received, [(ANNA, service.managed(0)), (BEN, service.admitted(BEN, 1, 1, &[]))]);
    let joined = |participant| sfu::Command::Join { meeting: MEETING, participant };
    assert_eq!(service.commands, [joined(ANNA), joined(BEN)]);
    let received = service.sends(BEN, tell(1, 8));
    assert_eq!(received.len(), 2, "also to its author");
    assert_eq!(received[0].1, received[1].1);
}

#[test]
fn the_first_commit_of_an_epoch_wins_and_the_loser_receives_the_epoch() {
    let mut service = Service::with_three_members();
    let accepted = service.sends(BEN, commit(2, &[]));
    assert_eq!(accepted, [ANNA, BEN, CLEO].map(|participant| (participant, committed(2, BEN, 2))));
    let lost = |epoch| Down::CommitTooLate { epoch: Epoch(epoch) };
    assert_eq!(service.sends(CLEO, commit(2, &[])), [(CLEO, lost(3))]);
    assert_eq!(service.commits(ANNA, 2, &[], &[]), [(ANNA, lost(3))]);
    assert_eq!(service.commits(ANNA, 9, &[], &[]), [(ANNA, lost(3))]);
    assert_eq!(service.commits(ANNA, 3, &[], &[]).len(), 3);
}

#[test]
fn a_removed_member_is_notified_and_receives_nothing_else() {
    let mut service = Service::with_three_members();
    let received = service.commits(ANNA, 2, &[], &[CLEO]);
    let entries = [ANNA, BEN].map(|participant| (participant, service.managed(2)));
    let after = [ANNA, BEN].map(|participant| (participant, gone(3, CLEO)));
    let removed = (CLEO, Down::Removed { signed: service.signed() });
    assert_eq!(received, [vec![removed], entries.to_vec(), after.to_vec()].concat());
    assert_eq!(service.closed, [CLEO]);
    assert_eq!(service.commands.last(), Some(&sfu::Command::Leave { participant: CLEO }));
    assert!(service.sends(CLEO, tell(2, 1)).is_empty(), "its messages are ignored");
    assert!(service.disconnects(CLEO).is_empty(), "not logged again");
}

#[test]
fn a_member_that_leaves_is_logged_once() {
    let mut service = Service::with_three_members();
    assert_eq!(service.sends(BEN, Up::Leave), [(ANNA, gone(2, BEN)), (CLEO, gone(2, BEN))]);
    assert!(service.disconnects(BEN).is_empty());
    assert_eq!(service.closed, [BEN]);
    assert_eq!(service.commands.last(), Some(&sfu::Command::Leave { participant: BEN }));
}

#[test]
fn a_new_member_is_told_who_is_gone_who_else_waits_and_who_is_absent() {
    let mut service = Service::with_three_members();
    service.sends(BEN, Up::Leave);
    service.disconnects(CLEO);
    let (dora, emil) = (ParticipantId(4), ParticipantId(5));
    for participant in [dora, emil] {
        service.greet(participant);
        service.sends(participant, knock());
    }
    let received = service.commits(ANNA, 2, &[dora], &[]);
    let to_dora: Vec<Down> = received.into_iter().filter(|(to, _)| *to == dora).map(|(_, message)| message).collect();
    let waits = Down::Knocked { participant: emil, request: blob(5) };
    let absent = Down::Presence { participant: CLEO, connected: false };
    assert_eq!(to_dora, [service.admitted(dora, 4, 3, &[BEN]), waits, absent]);
    // A manager's commit that removes those who are gone takes them off the list.
    let received = service.commits(ANNA, 3, &[emil], &[BEN]);
    let admitted = received.into_iter().find(|(to, _)| *to == emil).map(|(_, message)| message);
    assert_eq!(admitted, Some(service.admitted(emil, 5, 4, &[])));
}

#[test]
fn a_waiting_person_who_gave_up_is_logged_as_gone_after_the_commit() {
    let mut service = Service::with_a_meeting();
    service.sends(BEN, knock());
    assert_eq!(service.disconnects(BEN), [(ANNA, Down::Withdrew { participant: BEN })]);
    let received = service.commits(ANNA, 0, &[BEN], &[]);
    assert_eq!(received, [(ANNA, service.managed(0)), (ANNA, gone(1, BEN))]);
}

#[test]
fn one_welcome_admits_several() {
    let mut service = Service::with_a_meeting();
    for participant in [BEN, CLEO] {
        service.sends(participant, knock());
    }
    let received = service.commits(ANNA, 0, &[BEN, CLEO], &[]);
    assert_eq!(received.iter().filter(|(_, message)| matches!(message, Down::Admitted { .. })).count(), 2);
    assert_eq!(service.sends(CLEO, tell(1, 1)).len(), 3);
}

#[test]
fn a_refused_person_is_told_why_and_disconnected() {
    let mut service = Service::with_a_meeting();
    service.sends(BEN, knock());
    let why = Refusal::Clock { ahead: 7_200 };
    let refuse = ManagerCommand::Refuse { participant: BEN, why };
    assert_eq!(service.manages(ANNA, &refuse), [(BEN, Down::Refused { why })]);
    assert!(service.manages(ANNA, &refuse).is_empty());
    assert_eq!(service.closed, [BEN]);
    assert!(service.sends(BEN, knock()).is_empty());
}

#[test]
fn a_locked_meeting_refuses_knocks() {
    let mut service = Service::with_a_meeting();
    service.manages(ANNA, &ManagerCommand::Lock { locked: true });
    assert_eq!(service.sends(BEN, knock()), [(BEN, Down::Refused { why: Refusal::Locked })]);
    assert_eq!(service.closed, [BEN]);
    service.manages(ANNA, &ManagerCommand::Lock { locked: false });
    assert_eq!(service.sends(CLEO, knock()).len(), 1);
}

#[test]
fn a_manager_ends_the_meeting_for_all() {
    let mut service = Service::with_three_members();
    let dora = ParticipantId(4);
    service.greet(dora);
    service.sends(dora, knock());
    let received = service.manages(ANNA, &ManagerCommand::End);
    let ended = Down::Ended { signed: service.signed() };
    let members = [ANNA, BEN, CLEO].map(|participant| (participant, ended.clone()));
    assert_eq!(received, [members.to_vec(), vec![(dora, problem(Problem::NoMeeting))]].concat());
    assert_eq!(service.closed, [ANNA, BEN, CLEO, dora]);
    assert_eq!(service.delivery.meetings(), 0);
    assert_eq!(service.commands[3..], [ANNA, BEN, CLEO].map(|participant| sfu::Command::Leave { participant }));
}

#[test]
fn a_beacon_goes_to_the_others_and_not_into_the_log() {
    let mut service = Service::with_three_members();
    let beacon = ManagerCommand::Beacon { epoch: Epoch(2), mls_epoch: 2, transcript: [3; 32] };
    let received = service.manages(ANNA, &beacon);
    let beacon = Down::Beacon { signed: service.signed() };
    assert_eq!(received, [BEN, CLEO].map(|participant| (participant, beacon.clone())));
    assert_eq!(service.commits(ANNA, 2, &[], &[])[0], (ANNA, service.managed(2)));
}

#[test]
fn a_meeting_ends_with_its_last_member() {
    let mut service = Service::with_a_meeting();
    service.sends(BEN, knock());
    assert_eq!(service.sends(ANNA, Up::Leave), [(BEN, problem(Problem::NoMeeting))]);
    assert_eq!(service.closed, [BEN, ANNA]);
    assert_eq!(service.sends(CLEO, knock()), [(CLEO, problem(Problem::NoMeeting))]);
    assert_eq!(service.delivery.meetings(), 0);
}

#[test]
fn a_request_above_a_limit_is_rejected() {
    let mut service = Service::with(Limits { meetings: 1, members: 2, ..Limits::default() });
    let people: Vec<ParticipantId> = (1..=5).map(ParticipantId).collect();
    for participant in &people {
        service.greet(*participant);
    }
    service.sends(ANNA, create(MEETING));
    assert_eq!(service.sends(BEN, create(MEETING)), [(BEN, problem(Problem::MeetingExists))]);
    assert_eq!(service.sends(CLEO, create(MeetingId([2; 16]))), [(CLEO, problem(Problem::ServerFull))]);
    assert_eq!(service.sends(people[3], knock()).len(), 1);
    assert_eq!(service.sends(people[4], knock()), [(people[4], problem(Problem::MeetingFull))]);
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
        service.connects(ANNA);
        assert_eq!(service.sends(ANNA, message), [(ANNA, problem(expected))]);
        assert_eq!(service.closed, [ANNA]);
    }
    let mut service = Service::with_a_meeting();
    assert_eq!(service.sends(BEN, commit(0, &[])), [(BEN, problem(Problem::Malformed))], "not a member");
    let received = service.sends(ANNA, Up::Hello { version: VERSION });
    assert_eq!(received, [(ANNA, problem(Problem::Malformed))]);
}

#[test]
fn draining_closes_all_connections_and_each_new_one() {
    for why in [Problem::Draining, Problem::HostStopped] {
        let mut service = Service::with_three_members();
        service.disconnects(CLEO);
        service.delivery.drain(why);
        let received = service.received();
        for participant in [ANNA, BEN] {
            // First of all, so that the clients do not report the end of a member.
            let first = received.iter().find(|(to, _)| *to == participant);
            assert_eq!(first, Some(&(participant, problem(why))));
        }
        service.connects(ParticipantId(9));
        assert_eq!(service.received(), [(ParticipantId(9), problem(why))]);
        for participant in 1..=9 {
            service.disconnects(ParticipantId(participant));
        }
        assert_eq!((service.delivery.connections(), service.delivery.meetings()), (0, 0));
    }
}

#[test]
fn a_client_learns_the_servers_time() {
    let mut service = Service::with(Limits::default());
    let hello = Down::Hello { version: VERSION, participant: ANNA, time: UNIX_SECONDS };
    assert_eq!(service.greet(ANNA), [(ANNA, hello)]);
}

#[test]
fn a_rotation_replaces_the_admission_key_and_the_authority() {
    let mut service = Service::with_three_members();
    let rotation = rotation(AUTHORITY, 1, OTHER, &[7]);
    service.rotates(ANNA, 2, rotation, blob(7));
    let dora = ParticipantId(4);
    service.greet(dora);
    let received = service.sends(dora, Up::Approach { meeting: MEETING });
    let [(_, Down::AdmissionKey { admission_key, chain })] = received.as_slice() else { panic!("{received:?}") };
    assert_eq!((admission_key, &chain.0[64..]), (&blob(7), rotation.as_slice()));
    service.authority = OTHER;
    let expel = ManagerCommand::Expel { participant: CLEO };
    assert_eq!(service.manages(BEN, &expel)[0].0, CLEO, "any member with the new key is a manager");
    service.authority = AUTHORITY;
    // A manager that does not know yet is not punished. The old key is worthless all the same.
    let expel = ManagerCommand::Expel { participant: BEN };
    assert!(service.manages(ANNA, &expel).is_empty());
    assert_eq!(service.commits(ANNA, 3, &[], &[BEN]), [(ANNA, Down::CommitTooLate { epoch: Epoch(3) })]);
    service.authority = 3;
    assert_eq!(service.manages(ANNA, &expel)[0], (ANNA, problem(Problem::NotAuthorised)));
}

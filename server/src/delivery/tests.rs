//! Behaviour of the delivery service: who receives what, in which order.

mod attacks;
mod isolation;
mod lobby;
mod resume;
pub(super) mod service;

use super::*;
use proto::{Blob, Epoch, ManagerCommand, MemberBeacon, Welcome};
use service::*;
use std::time::Duration;

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
fn a_message_outside_the_log_goes_to_the_others_and_a_flood_of_them_is_dropped() {
    let mut service = Service::with_three_members();
    let relay = || Up::Relay { blob: blob(7) };
    let relayed = |to| (to, Down::Relayed { from: BEN, blob: blob(7) });
    assert_eq!(service.sends(BEN, relay()), [relayed(ANNA), relayed(CLEO)]);
    let passed = (0..1_000).filter(|_| !service.sends(BEN, relay()).is_empty()).count();
    assert_eq!(passed, 23);
    assert!(service.closed.is_empty(), "its network may have delivered them late");
    assert_eq!(service.sends(CLEO, relay()).len(), 2, "the others are not affected");
    let next = service.sends(BEN, Up::Leave);
    assert_eq!(next[0], (ANNA, gone(2, BEN)), "no position of the log was used");
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
    let after = [ANNA, BEN].map(|participant| (participant, expelled(3, CLEO)));
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
fn a_new_member_is_told_who_is_gone_and_who_is_absent() {
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
    let absent = Down::Presence { participant: CLEO, connected: false };
    assert_eq!(to_dora, [service.admitted(dora, 4, 3, &[BEN]), absent], "it cannot open the request of who waits");
    // A manager's commit that removes those who are gone takes them off the list.
    let received = service.commits(ANNA, 3, &[emil], &[BEN]);
    let admitted = received.into_iter().find(|(to, _)| *to == emil).map(|(_, message)| message);
    assert_eq!(admitted, Some(service.admitted(emil, 5, 4, &[])));
}

#[test]
fn knocks_go_to_those_who_have_shown_that_they_have_the_keys() {
    let mut service = Service::with_three_members();
    let (dora, emil) = (ParticipantId(4), ParticipantId(5));
    let knocked = |participant| Down::Knocked { participant, request: blob(5) };
    service.greet(dora);
    assert_eq!(service.sends(dora, knock()), [(ANNA, knocked(dora))]);
    let beacon = ManagerCommand::Beacon { epoch: Epoch(2), mls_epoch: 2, transcript: [1; 32] };
    let received = service.manages(BEN, &beacon);
    assert_eq!(received.iter().filter(|(to, _)| *to == BEN).collect::<Vec<_>>(), [&(BEN, knocked(dora))]);
    let again = service.manages(BEN, &beacon);
    assert!(again.iter().all(|(to, _)| *to != BEN), "once");
    service.greet(emil);
    assert_eq!(service.sends(emil, knock()), [(ANNA, knocked(emil)), (BEN, knocked(emil))]);
}

/// An organiser that is alone sends no command by itself.
#[test]
fn knocks_reach_a_lone_organiser_after_a_change_of_the_keys_and_at_a_server_that_was_started_again() {
    let mut service = Service::with_a_meeting();
    service.rotates(ANNA, 0, rotation(AUTHORITY, 1, OTHER, &[7]), blob(7));
    let knocked = |participant| Down::Knocked { participant, request: blob(5) };
    assert_eq!(service.sends(BEN, knock()), [(ANNA, knocked(BEN))]);
    service.restarts();
    let (again, dora) = (ParticipantId(11), ParticipantId(4));
    for participant in [again, dora] {
        service.greet(participant);
    }
    let (token, position) = (service.token(ANNA), Position(1));
    service.sends(again, Up::Resume { meeting: MEETING, participant: ANNA, token, position });
    assert_eq!(service.sends(dora, knock()), [(again, knocked(dora))]);
}

/// A former manager does not get them as soon as another one has shown that it has the newest keys.
#[test]
fn knocks_go_to_no_former_manager() {
    let mut service = Service::with_three_members();
    service.manages(BEN, &ManagerCommand::Beacon { epoch: Epoch(2), mls_epoch: 2, transcript: [1; 32] });
    service.rotates(ANNA, 2, rotation(AUTHORITY, 1, OTHER, &[7]), blob(7));
    let dora = ParticipantId(4);
    service.greet(dora);
    assert_eq!(service.sends(dora, knock()), [(ANNA, Down::Knocked { participant: dora, request: blob(5) })]);
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

/// Returns the parts of a tree that a joiner received.
fn parts(received: &[(ParticipantId, Down)], to: ParticipantId) -> Vec<Blob> {
    let part = |message: &Down| if let Down::Tree { part } = message { Some(part.clone()) } else { None };
    received.iter().filter(|(receiver, _)| *receiver == to).filter_map(|(_, message)| part(message)).collect()
}

#[test]
fn all_joiners_of_a_commit_get_its_tree_directly_after_their_admission() {
    let mut service = Service::with_a_meeting();
    let tree = [Blob(vec![1; proto::MAX_TREE_PART]), blob(2)];
    for (first, part) in [(true, &tree[1]), (true, &tree[0]), (false, &tree[1])] {
        assert!(service.sends(ANNA, Up::Tree { first, part: part.clone() }).is_empty());
    }
    for participant in [BEN, CLEO] {
        service.sends(participant, knock());
    }
    let received = service.commits(ANNA, 0, &[BEN, CLEO], &[]);
    for participant in [BEN, CLEO] {
        let own: Vec<_> = received.iter().filter(|(to, _)| *to == participant).map(|(_, message)| message).collect();
        let length = tree.iter().map(|part| part.0.len()).sum::<usize>();
        let at = own.iter().position(|message| matches!(message, Down::Admitted { .. })).expect("it is admitted");
        assert!(matches!(own[at], Down::Admitted { tree, .. } if *tree as usize == length));
        assert!(matches!(own[at + 1..at + 3], [Down::Tree { .. }, Down::Tree { .. }]), "{own:?}");
        assert_eq!(parts(&received, participant), tree);
    }
}

#[test]
fn a_tree_is_used_for_one_commit_whether_or_not_it_is_accepted() {
    let mut service = Service::with_three_members();
    let emil = ParticipantId(5);
    service.greet(emil);
    service.sends(emil, knock());
    service.sends(ANNA, Up::Tree { first: true, part: blob(1) });
    service.commits(ANNA, 1, &[emil], &[]);
    let received = service.commits(ANNA, 2, &[emil], &[]);
    assert!(received.iter().any(|(to, message)| *to == emil && matches!(message, Down::Admitted { tree: 0, .. })));
    assert!(parts(&received, emil).is_empty());
}

#[test]
fn the_tree_that_a_member_may_keep_at_the_service_is_bounded() {
    let mut service = Service::with_three_members();
    let part = || Blob(vec![7; proto::MAX_TREE_PART]);
    for number in 0..proto::MAX_TREE / proto::MAX_TREE_PART {
        assert!(service.sends(BEN, Up::Tree { first: number == 0, part: part() }).is_empty(), "{number}");
    }
    let refused = service.sends(BEN, Up::Tree { first: false, part: part() });
    assert!(refused.contains(&(BEN, Down::Problem { problem: Problem::Malformed })), "{refused:?}");
}

#[test]
fn a_tree_that_no_commit_follows_is_dropped() {
    let mut service = Service::with_three_members();
    service.sends(BEN, Up::Tree { first: true, part: Blob(vec![7; proto::MAX_TREE_PART]) });
    for _ in 0..6 {
        service.passes(Duration::from_secs(5));
        service.sends(BEN, Up::Pong { position: Position(2) });
    }
    let refused = service.sends(BEN, Up::Tree { first: false, part: blob(1) });
    assert!(refused.contains(&(BEN, Down::Problem { problem: Problem::Malformed })), "{refused:?}");
}

#[test]
fn the_parts_of_a_tree_are_full_but_the_last_one_and_so_they_are_few() {
    let full = || Blob(vec![7; proto::MAX_TREE_PART]);
    for parts in [
        vec![(false, full())],
        vec![(true, blob(1)), (false, blob(1))],
        vec![(true, full()), (false, blob(1)), (false, blob(1))],
    ] {
        let mut service = Service::with_three_members();
        let last = parts.len() - 1;
        for (number, (first, part)) in parts.into_iter().enumerate() {
            let refused = service.sends(BEN, Up::Tree { first, part });
            let is_refused = refused.contains(&(BEN, Down::Problem { problem: Problem::Malformed }));
            assert_eq!(is_refused, number == last, "{refused:?}");
        }
    }
}

#[test]
fn nothing_is_kept_of_the_tree_of_a_member_that_has_lost_its_connection() {
    for is_noticed in [true, false] {
        let (mut service, again) = (Service::with_three_members(), ParticipantId(21));
        let dora = ParticipantId(4);
        for participant in [dora, again] {
            service.greet(participant);
        }
        service.sends(dora, knock());
        service.sends(ANNA, Up::Tree { first: true, part: blob(1) });
        if is_noticed {
            service.disconnects(ANNA);
        }
        let (token, position) = (service.token(ANNA), Position(2));
        service.sends(again, Up::Resume { meeting: MEETING, participant: ANNA, token, position });
        let refused = service.sends(again, Up::Tree { first: false, part: blob(1) });
        assert!(refused.contains(&(again, Down::Problem { problem: Problem::Malformed })), "{refused:?}");
    }
}

#[test]
fn only_a_member_may_send_a_tree() {
    let mut service = Service::with_a_meeting();
    let tree = Up::Tree { first: true, part: blob(1) };
    assert_eq!(service.sends(BEN, tree.clone()), [(BEN, Down::Problem { problem: Problem::Malformed })]);
    service.sends(CLEO, knock());
    let refused = service.sends(CLEO, tree);
    assert!(refused.contains(&(CLEO, Down::Problem { problem: Problem::Malformed })), "{refused:?}");
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
fn a_members_beacons_go_to_the_others_and_those_that_come_too_often_are_dropped() {
    let mut service = Service::with_three_members();
    let beacon =
        |counter| MemberBeacon { counter, epoch: Epoch(2), mls_epoch: 2, transcript: [3; 32], signature: [4; 64] };
    let passed = Down::MemberBeacon { from: BEN, beacon: beacon(1) };
    assert_eq!(service.sends(BEN, Up::Beacon { beacon: beacon(1) }), [(ANNA, passed.clone()), (CLEO, passed)]);
    let flood: usize = (2..100).map(|counter| service.sends(BEN, Up::Beacon { beacon: beacon(counter) }).len()).sum();
    assert_eq!(flood, 2 * 9, "a burst of ten");
    assert!(service.closed.is_empty(), "the next one says the same, so nobody is closed for it");
    assert_eq!(service.sends(CLEO, Up::Beacon { beacon: beacon(1) }).len(), 2, "each has a limit of its own");
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
}

/// Another manager could otherwise have a manager disconnected by changing the keys several times at once, while a command of it is on
/// its way. The members would take it for gone.
#[test]
fn a_manager_that_does_not_know_the_last_rotations_stays_connected() {
    let mut service = Service::with_three_members();
    let beacon = ManagerCommand::Beacon { epoch: Epoch(2), mls_epoch: 2, transcript: [1; 32] };
    service.manages(BEN, &beacon);
    service.rotates(BEN, 2, rotation(AUTHORITY, 1, OTHER, &[7]), blob(7));
    service.authority = OTHER;
    service.rotates(BEN, 3, rotation(OTHER, 2, 3, &[8]), blob(8));
    service.authority = AUTHORITY;
    let expel = ManagerCommand::Expel { participant: BEN };
    assert!(service.manages(ANNA, &expel).is_empty());
    assert_eq!(service.commits(ANNA, 4, &[], &[BEN]), [(ANNA, Down::CommitTooLate { epoch: Epoch(4) })]);
    assert!(service.closed.is_empty());
    // Who has never been a manager is out.
    assert_eq!(service.manages(CLEO, &expel)[0], (CLEO, problem(Problem::NotAuthorised)));
}

//! Members that lose their connection and resume, and organisers that come back.

use super::*;
use std::time::Duration;

/// Ben's second connection.
const AGAIN: ParticipantId = ParticipantId(12);

fn resume(service: &Service, position: u64) -> Up {
    Up::Resume { meeting: MEETING, participant: BEN, token: service.token(BEN), position: Position(position) }
}

fn presence(participant: ParticipantId, connected: bool) -> Down {
    Down::Presence { participant, connected }
}

#[test]
fn a_member_that_lost_its_connection_resumes_as_the_same_participant() {
    let mut service = Service::with_three_members();
    let absent = presence(BEN, false);
    assert_eq!(service.disconnects(BEN), [(ANNA, absent.clone()), (CLEO, absent)]);
    service.sends(CLEO, tell(2, 1));
    service.commits(ANNA, 2, &[], &[]);
    let commit = service.managed(3);
    service.passes(Duration::from_secs(19));
    service.greet(AGAIN);
    let message = resume(&service, 2);
    let received = service.sends(AGAIN, message);
    let told = proto::LogEntry::Told { from: CLEO, epoch: Epoch(2), blob: blob(1) };
    let told = Down::Log { position: Position(2), entry: told };
    let replayed = [Down::Resumed, told, commit].map(|message| (AGAIN, message));
    let back = [ANNA, CLEO].map(|participant| (participant, presence(BEN, true)));
    assert_eq!(received, [replayed.to_vec(), back.to_vec()].concat());
    let joined = sfu::Command::Join { meeting: MEETING, participant: BEN };
    assert_eq!(service.commands[3..], [joined]);
    let received = service.sends(AGAIN, tell(3, 2));
    let from_ben = |message: &Down| matches!(message, Down::Log { entry: proto::LogEntry::Told { from: BEN, .. }, .. });
    assert_eq!(received.iter().filter(|(_, message)| from_ben(message)).count(), 3);
    assert!(service.passes(Duration::from_mins(5)).is_empty(), "it is a member again");
}

#[test]
fn a_member_that_does_not_resume_is_gone() {
    let mut service = Service::with_three_members();
    service.disconnects(BEN);
    assert!(service.passes(Duration::from_millis(19_900)).is_empty());
    assert_eq!(service.passes(Duration::from_millis(100)), [(ANNA, gone(2, BEN)), (CLEO, gone(2, BEN))]);
    assert_eq!(service.commands.last(), Some(&sfu::Command::Leave { participant: BEN }));
    service.greet(AGAIN);
    let message = resume(&service, 2);
    assert_eq!(service.sends(AGAIN, message), [(AGAIN, problem(Problem::NotResumable))]);
}

#[test]
fn a_meeting_whose_members_are_all_absent_waits_for_them() {
    let mut service = Service::with_three_members();
    for participant in [ANNA, BEN, CLEO] {
        service.disconnects(participant);
    }
    service.passes(Duration::from_secs(10));
    assert_eq!(service.delivery.meetings(), 1);
    service.passes(Duration::from_secs(10));
    assert_eq!((service.delivery.meetings(), service.delivery.connections()), (0, 0));
}

#[test]
fn a_token_is_valid_for_its_member_only() {
    let mut service = Service::with_three_members();
    service.disconnects(BEN);
    let token = service.token(CLEO);
    service.greet(AGAIN);
    let stolen = Up::Resume { meeting: MEETING, participant: BEN, token, position: Position(2) };
    assert_eq!(service.sends(AGAIN, stolen), [(AGAIN, problem(Problem::NotResumable))]);
    let third = ParticipantId(13);
    service.greet(third);
    let message = resume(&service, 2);
    assert_eq!(service.sends(third, message)[0], (third, Down::Resumed), "Ben himself still can");
}

#[test]
fn a_resumed_member_replaces_its_old_connection() {
    let mut service = Service::with_three_members();
    service.greet(AGAIN);
    let message = resume(&service, 2);
    let received = service.sends(AGAIN, message);
    assert_eq!(received, [(AGAIN, Down::Resumed), (BEN, problem(Problem::Superseded))]);
    assert_eq!(service.closed, [BEN]);
    assert!(service.disconnects(BEN).is_empty(), "the old connection ends without an effect");
    assert!(service.sends(AGAIN, tell(2, 1)).len() == 3);
}

#[test]
fn entries_that_a_member_has_acknowledged_or_that_never_were_cannot_be_replayed() {
    for position in [1, 9] {
        let mut service = Service::with_three_members();
        for participant in [ANNA, BEN, CLEO] {
            service.sends(participant, Up::Pong { position: Position(2) });
        }
        service.greet(AGAIN);
        let message = resume(&service, position);
        assert_eq!(service.sends(AGAIN, message), [(AGAIN, problem(Problem::NotResumable))]);
        assert!(service.sends(BEN, tell(2, 1)).len() == 3, "the old connection goes on");
    }
}

#[test]
fn a_flood_does_not_keep_an_absent_member_from_resuming() {
    let mut service = Service::with_three_members();
    service.disconnects(BEN);
    let message = Up::Tell { epoch: Epoch(2), blob: Blob(vec![0; 3_000]) };
    // What a hostile member may send: 60 kB/s for 19 s, after a burst.
    for _ in 0..190 {
        service.sends(CLEO, message.clone());
        service.sends(CLEO, message.clone());
        service.passes(Duration::from_millis(100));
    }
    service.commits(ANNA, 2, &[], &[]);
    let commit = service.managed(2 + 380);
    service.greet(AGAIN);
    let resume = resume(&service, 2);
    let received = service.sends(AGAIN, resume);
    assert!(received.contains(&(AGAIN, commit)));
    assert!(service.delivery.log_bytes() <= 4 << 20);
}

#[test]
fn a_counter_rises_also_after_a_resume() {
    let mut service = Service::with_three_members();
    service.manages(ANNA, &ManagerCommand::Lock { locked: true });
    let SignedCommand { counter, command, signature, .. } = service.signed();
    service.disconnects(ANNA);
    service.greet(AGAIN);
    let token = service.token(ANNA);
    let resume = Up::Resume { meeting: MEETING, participant: ANNA, token, position: Position(2) };
    assert_eq!(service.sends(AGAIN, resume)[0], (AGAIN, Down::Resumed));
    assert_eq!(service.trusted.last(), Some(&(AGAIN, Trust::Manager)));
    let copy = Up::Manage { counter, command, signature, welcomes: vec![] };
    assert_eq!(service.sends(AGAIN, copy)[0], (AGAIN, problem(Problem::NotAuthorised)));
}

#[test]
fn a_resumed_member_is_told_who_waits_and_who_is_absent() {
    let mut service = Service::with_three_members();
    service.disconnects(BEN);
    service.disconnects(CLEO);
    let dora = ParticipantId(4);
    service.greet(dora);
    service.sends(dora, knock());
    service.greet(AGAIN);
    let message = resume(&service, 2);
    let to_ben: Vec<Down> =
        service.sends(AGAIN, message).into_iter().filter(|(to, _)| *to == AGAIN).map(|(_, message)| message).collect();
    assert_eq!(to_ben, [Down::Resumed, presence(CLEO, false)]);
    service.disconnects(ANNA);
    let second = ParticipantId(30);
    service.greet(second);
    let (token, position) = (service.token(ANNA), Position(2));
    let message = Up::Resume { meeting: MEETING, participant: ANNA, token, position };
    let waits = Down::Knocked { participant: dora, request: blob(5) };
    assert!(service.sends(second, message).contains(&(second, waits)), "a manager is asked again");
}

/// Returns the request of `participant` to come back, signed by the key of a seed.
fn return_request(participant: ParticipantId, seed: u8) -> Up {
    let signature = sign(seed, &proto::signed::return_request(MEETING, participant, &[6]));
    Up::Return { meeting: MEETING, request: blob(6), signature }
}

#[test]
fn an_organiser_that_left_comes_back_by_the_commit_of_any_member() {
    let mut service = Service::with_three_members();
    service.sends(ANNA, Up::Leave);
    let back = ParticipantId(14);
    service.greet(back);
    let received = service.sends(back, return_request(back, AUTHORITY));
    let [(BEN, first @ Down::Returned { participant, .. }), (CLEO, second)] = received.as_slice() else {
        panic!("{received:?}")
    };
    assert_eq!((*participant, first), (back, second));
    let welcome = Some(Welcome { to: vec![back], blob: blob(7) });
    let commit = Up::Commit { epoch: Epoch(2), blob: blob(1), removed: vec![ANNA], welcome };
    let received = service.sends(BEN, commit);
    assert_eq!(received.last(), Some(&(back, service.admitted(back, 4, 3, &[ANNA]))));
    assert_eq!(service.commits(back, 3, &[], &[]).len(), 3, "it manages again");
}

#[test]
fn a_request_to_come_back_needs_the_authority_and_its_own_connection() {
    let mut service = Service::with_three_members();
    let (stranger, back) = (ParticipantId(9), ParticipantId(14));
    for (participant, message) in [(stranger, return_request(stranger, OTHER)), (back, return_request(ANNA, AUTHORITY))]
    {
        service.greet(participant);
        assert_eq!(service.sends(participant, message), [(participant, problem(Problem::NotAuthorised))]);
    }
}

/// Connects the participant `organiser`, which sends a valid `Return`.
fn sends_return(service: &mut Service, organiser: ParticipantId) {
    service.greet(organiser);
    service.sends(organiser, return_request(organiser, AUTHORITY));
}

/// Sends a member's commit that admits `organiser`. Returns whether the server accepts it.
fn answers(service: &mut Service, from: ParticipantId, epoch: u64, organiser: ParticipantId) -> bool {
    let welcome = Some(Welcome { to: vec![organiser], blob: blob(7) });
    let commit = Up::Commit { epoch: Epoch(epoch), blob: blob(1), removed: vec![], welcome };
    let received = service.sends(from, commit);
    received.iter().any(|(to, message)| *to == organiser && matches!(message, Down::Admitted { .. }))
}

const RETURNING: [ParticipantId; 4] = [ParticipantId(14), ParticipantId(15), ParticipantId(16), ParticipantId(17)];

/// Returns a meeting of Ben and Cleo in epoch 3. Ben has admitted the first organiser, which has left without a signed
/// command: the Welcome was a false one. The second organiser waits.
fn after_a_false_welcome() -> Service {
    let mut service = Service::with_three_members();
    service.sends(ANNA, Up::Leave);
    sends_return(&mut service, RETURNING[0]);
    assert!(answers(&mut service, BEN, 2, RETURNING[0]));
    service.sends(RETURNING[0], Up::Leave);
    sends_return(&mut service, RETURNING[1]);
    service
}

/// Otherwise one member could keep the organiser out, because it is always faster than the others.
#[test]
fn a_member_whose_welcome_was_not_accepted_answers_again_after_the_others() {
    let mut service = after_a_false_welcome();
    service.passes(Duration::from_secs(3));
    assert!(!answers(&mut service, BEN, 3, RETURNING[1]), "Ben has had his turn");
    assert!(answers(&mut service, CLEO, 3, RETURNING[1]));
    assert_eq!(service.commits(RETURNING[1], 4, &[], &[]).len(), 3, "it is in the group");
    service.sends(RETURNING[1], Up::Leave);
    // Its signed command has confirmed Cleo's answer, not Ben's.
    sends_return(&mut service, RETURNING[2]);
    service.passes(Duration::from_secs(3));
    assert!(!answers(&mut service, BEN, 5, RETURNING[2]));
    assert!(answers(&mut service, CLEO, 5, RETURNING[2]));
}

#[test]
fn all_turns_start_again_after_every_connected_member_has_answered() {
    let mut service = Service::with_three_members();
    service.sends(ANNA, Up::Leave);
    for (epoch, from, back) in [(2, BEN, RETURNING[0]), (3, CLEO, RETURNING[1]), (4, BEN, RETURNING[2])] {
        sends_return(&mut service, back);
        service.passes(Duration::from_secs(3));
        assert!(answers(&mut service, from, epoch, back), "{from:?} at {epoch}");
        service.sends(back, Up::Leave);
    }
    // A member that is not connected cannot answer.
    service.disconnects(CLEO);
    sends_return(&mut service, RETURNING[3]);
    service.passes(Duration::from_secs(3));
    assert!(answers(&mut service, BEN, 5, RETURNING[3]));
}

/// Otherwise a member could add the organiser without a Welcome, again and again: the others would take it for a member, and it
/// would wait for ever. The server cannot see what a commit adds.
#[test]
fn while_an_organiser_waits_members_commit_nothing_but_answers() {
    let mut service = after_a_false_welcome();
    service.passes(Duration::from_secs(3));
    let lost = Down::CommitTooLate { epoch: Epoch(3) };
    // If the next commit is reserved for this member, it must be an answer, too.
    assert!(!answers(&mut service, CLEO, 2, RETURNING[1]), "an old epoch");
    for member in [BEN, CLEO] {
        assert_eq!(service.sends(member, commit(3, &[ANNA])), [(member, lost.clone())]);
    }
    assert!(answers(&mut service, CLEO, 3, RETURNING[1]));
    assert_eq!(service.commits(RETURNING[1], 4, &[], &[]).len(), 3, "it is in the group");
    service.passes(Duration::from_secs(3));
    assert_eq!(service.sends(CLEO, commit(5, &[ANNA])).len(), 3, "nobody waits any more");
    // An organiser whom nobody answers does not keep the members from their commits.
    sends_return(&mut service, RETURNING[2]);
    service.passes(Duration::from_secs(39));
    assert_eq!(service.sends(CLEO, commit(6, &[])).len(), 1);
    service.passes(Duration::from_secs(2));
    assert_eq!(service.sends(CLEO, commit(6, &[])).len(), 3);
}

/// A member could otherwise add its leaf afterwards, and nobody would know that it is not there.
#[test]
fn an_organiser_that_gave_up_is_logged_as_gone_and_no_answer_admits_it() {
    let mut service = Service::with_three_members();
    service.sends(ANNA, Up::Leave);
    sends_return(&mut service, RETURNING[0]);
    let withdrew = Down::Withdrew { participant: RETURNING[0] };
    let told = [BEN, CLEO].map(|member| (member, withdrew.clone()));
    let logged = [BEN, CLEO].map(|member| (member, gone(3, RETURNING[0])));
    assert_eq!(service.disconnects(RETURNING[0]), [told, logged].concat());
    let welcome = Some(Welcome { to: vec![RETURNING[0]], blob: blob(7) });
    let answer = Up::Commit { epoch: Epoch(2), blob: blob(1), removed: vec![], welcome };
    assert_eq!(service.sends(BEN, answer), [(BEN, Down::CommitTooLate { epoch: Epoch(2) })]);
    // Newcomers know it as well, also after a manager's commit has named it.
    sends_return(&mut service, RETURNING[1]);
    assert!(answers(&mut service, BEN, 2, RETURNING[1]));
    service.commits(RETURNING[1], 3, &[], &[ANNA, RETURNING[0]]);
    sends_return(&mut service, RETURNING[2]);
    let received = service.commits(RETURNING[1], 4, &[RETURNING[2]], &[]);
    let list = [ANNA, RETURNING[0]];
    assert!(received.contains(&(RETURNING[2], service.admitted(RETURNING[2], 7, 5, &list))), "{received:?}");
}

/// Otherwise a member without a turn could end each epoch just before the others answer.
#[test]
fn the_next_commit_is_reserved_for_an_answer_that_came_too_late() {
    let mut service = after_a_false_welcome();
    // So long that others may commit.
    service.passes(Duration::from_secs(41));
    assert_eq!(service.sends(BEN, commit(3, &[])).len(), 2, "Ben ends the epoch");
    assert!(!answers(&mut service, CLEO, 3, RETURNING[1]), "too late");
    service.passes(Duration::from_millis(2_100));
    let lost = Down::CommitTooLate { epoch: Epoch(4) };
    assert_eq!(service.sends(BEN, commit(4, &[])), [(BEN, lost)]);
    assert!(answers(&mut service, CLEO, 4, RETURNING[1]));
    // A reservation that is not used is a turn as well.
    service.sends(RETURNING[1], Up::Leave);
    service.passes(Duration::from_mins(6));
    sends_return(&mut service, RETURNING[2]);
    assert!(!answers(&mut service, CLEO, 2, RETURNING[2]), "an old epoch");
    service.passes(Duration::from_secs(5));
    assert!(!answers(&mut service, CLEO, 2, RETURNING[2]));
    service.passes(Duration::from_secs(36));
    assert_eq!(service.sends(BEN, commit(5, &[])).len(), 2, "nothing is reserved any more");
}

/// The member's connection after the server was killed and started again.
fn resume_after_restart(
    service: &mut Service,
    of: ParticipantId,
    again: u64,
    position: u64,
) -> Vec<(ParticipantId, Down)> {
    let again = ParticipantId(again);
    service.greet(again);
    let token = service.token(of);
    service.sends(again, Up::Resume { meeting: MEETING, participant: of, token, position: Position(position) })
}

#[test]
fn members_resume_at_a_server_that_was_killed_and_get_what_they_missed() {
    let mut service = Service::with_three_members();
    service.sends(CLEO, tell(2, 1));
    service.commits(ANNA, 2, &[], &[]);
    let commit = service.managed(3);
    service.restarts();
    assert_eq!((service.delivery.meetings(), service.delivery.connections()), (1, 0));
    service.passes(Duration::from_secs(19));
    let told = proto::LogEntry::Told { from: CLEO, epoch: Epoch(2), blob: blob(1) };
    let told = Down::Log { position: Position(2), entry: told };
    let received = resume_after_restart(&mut service, BEN, 12, 2);
    let absent = [ANNA, CLEO].map(|participant| presence(participant, false));
    let expected = [Down::Resumed, told, commit].into_iter().chain(absent);
    assert_eq!(received, expected.map(|message| (AGAIN, message)).collect::<Vec<_>>());
    let received = resume_after_restart(&mut service, CLEO, 13, 4);
    assert!(
        received.contains(&(ParticipantId(13), Down::Resumed)) && received.contains(&(AGAIN, presence(CLEO, true)))
    );
    let received = service.sends(AGAIN, super::commit(3, &[]));
    assert_eq!(received.len(), 2, "the epoch goes on: {received:?}");
    // The third one does not come back.
    assert!(service.passes(Duration::from_secs(1)).contains(&(AGAIN, gone(5, ANNA))));
}

#[test]
fn a_server_that_was_killed_gives_nobody_more_rights_than_before() {
    let mut service = Service::with_three_members();
    service.manages(ANNA, &ManagerCommand::Expel { participant: CLEO });
    let rotation = rotation(AUTHORITY, 1, OTHER, b"new");
    service.rotates(ANNA, 2, rotation, Blob(b"new".to_vec()));
    service.authority = OTHER;
    service.manages(ANNA, &ManagerCommand::Lock { locked: true });
    let SignedCommand { counter, command, signature, .. } = service.signed();
    service.restarts();
    assert_eq!(
        resume_after_restart(&mut service, CLEO, 13, 2),
        [(ParticipantId(13), problem(Problem::NotResumable))],
        "she was expelled"
    );
    service.greet(ParticipantId(14));
    let [(_, Down::AdmissionKey { admission_key, .. })] =
        &service.sends(ParticipantId(14), Up::Approach { meeting: MEETING })[..]
    else {
        panic!("the meeting goes on")
    };
    assert_eq!(admission_key.0, b"new");
    assert_eq!(
        service.sends(ParticipantId(14), knock()),
        [(ParticipantId(14), Down::Refused { why: Refusal::Locked })]
    );
    service.greet(ParticipantId(15));
    assert_eq!(
        service.sends(ParticipantId(15), create(MEETING)),
        [(ParticipantId(15), problem(Problem::MeetingExists))]
    );
    resume_after_restart(&mut service, ANNA, 11, 3);
    let copy = Up::Manage { counter, command, signature, welcomes: vec![] };
    assert_eq!(
        service.sends(ParticipantId(11), copy).last(),
        Some(&(ParticipantId(11), problem(Problem::NotAuthorised)))
    );
}

#[test]
fn nothing_is_stored_of_a_meeting_that_is_over_and_little_of_a_long_one() {
    let mut service = Service::with_three_members();
    let message = Up::Tell { epoch: Epoch(2), blob: Blob(vec![0; 3_000]) };
    for round in 0..1_000 {
        service.sends(CLEO, message.clone());
        for participant in [ANNA, BEN, CLEO] {
            service.sends(participant, Up::Pong { position: Position(3 + round) });
        }
        service.passes(Duration::from_millis(100));
    }
    let stored: usize = service.stored[&MEETING].iter().map(Vec::len).sum();
    assert!(stored < 300_000, "{stored} bytes of {}", 1_000 * 3_000);
    service.restarts();
    assert!(resume_after_restart(&mut service, BEN, 12, 1_002).contains(&(AGAIN, Down::Resumed)));
    service.passes(Duration::from_secs(20));
    service.sends(AGAIN, Up::Leave);
    assert!(service.stored.is_empty());
}

#[test]
fn damaged_bytes_of_a_meeting_are_removed_and_do_not_panic() {
    let service = Service::with_three_members();
    let stored = service.stored[&MEETING].clone();
    let restore = |id, batches: Vec<Vec<u8>>| {
        let mut delivery = Delivery::restore(Limits::default(), &[3; 32], &[(id, batches)], service.now);
        (delivery.meetings(), delivery.poll_action())
    };
    let removed = |id| (0, Some(Action::Store(id, Change::Remove)));
    assert_eq!(restore(MEETING, stored.clone()).0, 1);
    let other = MeetingId([2; 16]);
    assert_eq!(restore(other, stored.clone()), removed(other), "another meeting");
    assert_eq!(restore(MEETING, Vec::new()), removed(MEETING));
    for batch in 0..stored.len() {
        for length in 0..stored[batch].len() {
            let mut damaged = stored.clone();
            damaged[batch].truncate(length);
            assert_eq!(restore(MEETING, damaged), removed(MEETING));
        }
    }
}

/// Otherwise a flood of commands that change nothing writes the whole state for each of them.
#[test]
fn counters_that_change_alone_are_stored_once_in_a_tick_and_are_known_after_it() {
    let mut service = Service::with_three_members();
    let batches = |service: &Service| service.stored[&MEETING].len();
    let refuse = ManagerCommand::Refuse { participant: ParticipantId(99), why: Refusal::Declined };
    let before = batches(&service);
    for _ in 0..100 {
        assert!(service.manages(ANNA, &refuse).is_empty());
        service.manages(ANNA, &ManagerCommand::Lock { locked: false });
    }
    assert_eq!(batches(&service), before, "nothing else has changed");
    service.passes(Duration::from_millis(250));
    service.passes(Duration::from_millis(250));
    assert_eq!(batches(&service), before + 1, "once");
    let SignedCommand { counter, command, signature, .. } = service.signed();
    service.restarts();
    resume_after_restart(&mut service, ANNA, 11, 2);
    let again = ParticipantId(11);
    let copy = Up::Manage { counter, command, signature, welcomes: vec![] };
    assert_eq!(service.sends(again, copy).last(), Some(&(again, problem(Problem::NotAuthorised))));
}

/// The counters of commands that have changed something are stored with what they have changed. The others change nothing when
/// their author sends them again: those who waited are gone.
#[test]
fn a_counter_that_a_killed_server_has_not_stored_repeats_nothing() {
    let mut service = Service::with_three_members();
    let dora = ParticipantId(4);
    service.greet(dora);
    service.sends(dora, knock());
    service.manages(ANNA, &ManagerCommand::Lock { locked: true });
    let locked = service.signed();
    service.manages(ANNA, &ManagerCommand::Refuse { participant: dora, why: Refusal::Declined });
    let refused = service.signed();
    service.restarts();
    for (number, position, signed, accepted) in [(11, 2, refused, true), (12, 2, locked, false)] {
        let again = ParticipantId(number);
        resume_after_restart(&mut service, ANNA, number, position);
        let SignedCommand { counter, command, signature, .. } = signed;
        let received = service.sends(again, Up::Manage { counter, command, signature, welcomes: vec![] });
        let refusal = [(again, problem(Problem::NotAuthorised))];
        assert_eq!(received, if accepted { &[][..] } else { &refusal[..] });
    }
}

#[test]
fn organisers_who_come_back_take_one_place_more_than_a_meeting_has() {
    let mut service = Service::with(Limits { members: 3, ..Limits::default() });
    let dora = ParticipantId(4);
    for participant in [ANNA, BEN, dora] {
        service.greet(participant);
    }
    service.sends(ANNA, create(MEETING));
    service.sends(BEN, knock());
    service.commits(ANNA, 0, &[BEN], &[]);
    assert_eq!(service.sends(dora, knock()).len(), 1, "the last place");
    let full = |participant| [(participant, problem(Problem::MeetingFull))];
    for (participant, is_full) in RETURNING.into_iter().zip([false, false, true]) {
        service.greet(participant);
        let received = service.sends(participant, return_request(participant, AUTHORITY));
        assert_eq!(received == full(participant), is_full, "{received:?}");
    }
    let received = service.commits(ANNA, 1, &[RETURNING[0], RETURNING[1], dora], &[]);
    let got = |participant| received.iter().filter(move |(to, _)| *to == participant).map(|(_, message)| message);
    assert!(RETURNING[..2].iter().all(|back| got(*back).any(|message| matches!(message, Down::Admitted { .. }))));
    assert_eq!(got(dora).collect::<Vec<_>>(), [&problem(Problem::MeetingFull)], "they have taken her place");
    assert_eq!(received.last(), Some(&(RETURNING[1], gone(2, dora))), "the commit has a leaf for her");
    assert_eq!(service.delivery.meeting_of(ANNA).map(|(members, waiting)| (members.len(), waiting)), Some((4, 0)));
    for participant in [ParticipantId(30), ParticipantId(31)] {
        service.greet(participant);
        assert_eq!(service.sends(participant, return_request(participant, AUTHORITY)), full(participant));
    }
}

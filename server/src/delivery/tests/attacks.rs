//! Attacks of hostile members and strangers on the delivery service. Each one succeeds if the server executes commands
//! without a signature.

use super::*;
use proto::{GoneMember, LogEntry};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

const MALLORY: ParticipantId = ParticipantId(9);

/// Returns a meeting of Anna, Ben, Cleo and Mallory at epoch 3.
fn with_mallory() -> Service {
    let mut service = Service::with_three_members();
    service.greet(MALLORY);
    service.sends(MALLORY, knock());
    service.commits(ANNA, 2, &[MALLORY], &[]);
    service
}

#[test]
fn a_member_cannot_remove_members_that_are_present() {
    let mut service = with_mallory();
    let received = service.sends(MALLORY, commit(3, &[ANNA, BEN, CLEO]));
    assert_eq!(received[0], (MALLORY, problem(Problem::NotAuthorised)));
    assert_eq!(service.closed, [MALLORY]);
    assert_eq!(received[1..], [ANNA, BEN, CLEO].map(|participant| (participant, gone(3, MALLORY))));
    assert_eq!(service.commits(ANNA, 3, &[], &[MALLORY]).len(), 3, "the epoch has not ended");
}

#[test]
fn a_member_removes_those_that_are_gone_also_after_an_invalid_commit_named_them() {
    let mut service = with_mallory();
    service.sends(CLEO, Up::Leave);
    let accepted = service.sends(MALLORY, commit(3, &[CLEO]));
    assert_eq!(accepted.len(), 3);
    // The members reject Mallory's commit. Ben's is accepted.
    assert_eq!(service.sends(BEN, commit(4, &[CLEO])).len(), 3);
    assert!(service.closed.iter().all(|closed| *closed == CLEO));
}

#[test]
fn a_member_cannot_refuse_or_admit_newcomers() {
    let dora = ParticipantId(4);
    let refuse = ManagerCommand::Refuse { participant: dora, why: Refusal::Declined };
    let mut service = with_mallory();
    service.greet(dora);
    service.sends(dora, knock());
    service.authority = OTHER;
    let received = service.manages(MALLORY, &refuse);
    assert_eq!(received[0], (MALLORY, problem(Problem::NotAuthorised)));
    assert!(received.iter().all(|(to, _)| *to != dora));
    let mut service = with_mallory();
    service.greet(dora);
    service.sends(dora, knock());
    let welcome = Some(Welcome { to: vec![dora], blob: blob(0) });
    let garbage = Up::Commit { epoch: Epoch(3), blob: blob(0), removed: vec![], welcome };
    let received = service.sends(MALLORY, garbage);
    assert_eq!(received[0], (MALLORY, problem(Problem::NotAuthorised)));
    assert!(received.iter().all(|(to, _)| *to != dora));
    service.commits(ANNA, 3, &[dora], &[]);
    assert_eq!(service.sends(dora, tell(4, 1)).len(), 4, "Anna's Welcome is the only one");
}

#[test]
fn void_commits_cannot_starve_a_manager() {
    let mut service = Service::with_three_members();
    let mut accepted = 0;
    // For 10 s, 45 commits a second for the current epoch.
    let mut epoch = 2;
    for _ in 0..450 {
        let is_accepted = |(to, message): &(ParticipantId, Down)| *to == ANNA && matches!(message, Down::Log { .. });
        if service.sends(BEN, commit(epoch, &[])).iter().any(is_accepted) {
            accepted += 1;
            epoch += 1;
        }
        service.passes(Duration::from_millis(22));
    }
    assert_eq!(accepted, 1, "one in half a minute");
}

/// A commit of a member may be one that a victim cannot read. So a member that throws out one after the other takes its time.
#[test]
fn a_member_updates_its_keys_once_in_half_a_minute() {
    let mut service = with_mallory();
    assert_eq!(service.sends(MALLORY, commit(3, &[])).len(), 4);
    for seconds in [3, 26] {
        service.passes(Duration::from_secs(seconds));
        let late = Down::CommitTooLate { epoch: Epoch(4) };
        assert_eq!(service.sends(MALLORY, commit(4, &[])), [(MALLORY, late)]);
        service.sends(BEN, Up::Pong { position: Position(0) });
    }
    assert_eq!(service.sends(BEN, commit(4, &[])).len(), 4, "others may");
    service.passes(Duration::from_secs(1));
    assert_eq!(service.sends(MALLORY, commit(5, &[])).len(), 4);
}

#[test]
fn the_first_removal_of_somebody_who_has_left_is_accepted_early_and_no_further_one() {
    let mut service = with_mallory();
    assert_eq!(service.sends(MALLORY, commit(3, &[])).len(), 4);
    service.sends(CLEO, Up::Leave);
    let late = |epoch| [(MALLORY, Down::CommitTooLate { epoch: Epoch(epoch) })];
    assert_eq!(service.sends(MALLORY, commit(4, &[CLEO])), late(4), "not within two seconds");
    service.passes(Duration::from_secs(2));
    assert_eq!(service.sends(MALLORY, commit(4, &[CLEO])).len(), 3, "somebody has left");
    service.passes(Duration::from_secs(2));
    assert_eq!(service.sends(MALLORY, commit(5, &[CLEO])), late(5), "the server cannot see that it removes nobody");
    assert_eq!(service.sends(BEN, commit(5, &[CLEO])).len(), 3, "the members rejected the first one");
}

#[test]
fn a_managers_second_try_wins_against_any_number_of_members() {
    let limits = Limits { commit_interval: Duration::from_secs(2), ..Limits::default() };
    let mut service = Service::with(limits);
    let members: Vec<ParticipantId> = (2..60).map(ParticipantId).collect();
    service.greet(ANNA);
    service.sends(ANNA, create(MEETING));
    for (epoch, member) in (0..).zip(&members) {
        service.greet(*member);
        service.sends(*member, knock());
        service.commits(ANNA, epoch, &[*member], &[]);
    }
    let epoch = members.len() as u64;
    // A member was faster. Anna learns the next epoch and commits 100 ms later; meanwhile all others commit for it.
    service.sends(members[0], commit(epoch, &[]));
    assert_eq!(
        service.commits(ANNA, epoch, &[], &[members[0]]),
        [(ANNA, Down::CommitTooLate { epoch: Epoch(epoch + 1) })]
    );
    for member in &members[1..] {
        let lost = Down::CommitTooLate { epoch: Epoch(epoch + 1) };
        assert_eq!(service.sends(*member, commit(epoch + 1, &[])), [(*member, lost)]);
    }
    service.passes(Duration::from_millis(100));
    let received = service.commits(ANNA, epoch + 1, &[], &[members[0]]);
    assert_eq!(received[0], (members[0], Down::Removed { signed: service.signed() }));
    // Then members commit again.
    assert!(service.sends(members[1], commit(epoch + 2, &[])).len() > 1);
}

#[test]
fn an_expelled_member_is_out_at_once_in_any_epoch() {
    let mut service = with_mallory();
    service.sends(MALLORY, commit(3, &[]));
    let received = service.manages(ANNA, &ManagerCommand::Expel { participant: MALLORY });
    assert_eq!(received[0], (MALLORY, Down::Removed { signed: service.signed() }));
    assert_eq!(received[1..], [ANNA, BEN, CLEO].map(|participant| (participant, expelled(4, MALLORY))));
    assert_eq!(service.closed, [MALLORY]);
    assert_eq!(service.commands.last(), Some(&sfu::Command::Leave { participant: MALLORY }));
    assert!(service.sends(MALLORY, tell(3, 1)).is_empty());
    service.disconnects(MALLORY);
    let again = ParticipantId(10);
    service.greet(again);
    let (token, position) = (service.token(MALLORY), Position(4));
    let resume = Up::Resume { meeting: MEETING, participant: MALLORY, token, position };
    assert_eq!(service.sends(again, resume), [(again, problem(Problem::NotResumable))]);
}

#[test]
fn a_void_is_logged_and_its_sender_is_out() {
    let mut service = with_mallory();
    service.sends(MALLORY, commit(3, &[]));
    let too_early = ManagerCommand::Void { epoch: Epoch(4), participant: MALLORY };
    assert!(service.manages(ANNA, &too_early).is_empty(), "no such commit yet");
    let received = service.manages(ANNA, &ManagerCommand::Void { epoch: Epoch(3), participant: MALLORY });
    assert_eq!(received[0], (MALLORY, Down::Removed { signed: service.signed() }));
    assert_eq!(received[1], (ANNA, service.managed(4)));
    assert_eq!(received[4], (ANNA, expelled(5, MALLORY)));
    assert_eq!(service.closed, [MALLORY]);
}

#[test]
fn a_command_is_valid_once_and_for_its_sender_only() {
    let mut service = with_mallory();
    service.manages(ANNA, &ManagerCommand::Lock { locked: true });
    let SignedCommand { counter, command, signature, .. } = service.signed();
    let copy = Up::Manage { counter, command, signature, welcomes: vec![] };
    let received = service.sends(MALLORY, copy.clone());
    assert_eq!(received[0], (MALLORY, problem(Problem::NotAuthorised)), "a stolen command");
    let received = service.sends(ANNA, copy);
    assert_eq!(received[0], (ANNA, problem(Problem::NotAuthorised)), "a repeated command");
}

#[test]
fn a_flood_of_application_messages_ends_its_sender() {
    let mut service = Service::with_three_members();
    let flood = |service: &mut Service, count: usize, length: usize| {
        let message = Up::Tell { epoch: Epoch(2), blob: Blob(vec![0; length]) };
        (0..count).all(|_| service.sends(BEN, message.clone()).len() == 3)
    };
    assert!(flood(&mut service, 200, 1));
    service.passes(Duration::from_secs(1));
    assert!(flood(&mut service, 20, 1), "twenty in a second");
    let received = service.sends(BEN, tell(2, 1));
    assert_eq!(received[0], (BEN, problem(Problem::TooFast)));
    let mut service = Service::with_three_members();
    assert!(flood(&mut service, 8, 64 << 10));
    let received = service.sends(BEN, Up::Tell { epoch: Epoch(2), blob: Blob(vec![0; 1_000]) });
    assert_eq!(received[0], (BEN, problem(Problem::TooFast)), "too many bytes");
    assert_eq!(service.closed, [BEN]);
}

#[test]
fn meetings_of_one_address_are_bounded_in_number_and_bytes() {
    let mut service = Service::with(Limits::default());
    let people = (1..=20).map(ParticipantId);
    let meeting = |participant: ParticipantId| MeetingId([u8::try_from(participant.0).expect("small"); 16]);
    let mut created = 0;
    for participant in people.clone() {
        service.greet(participant);
        let received = service.sends(participant, create(meeting(participant)));
        created += usize::from(matches!(received[..], [(_, Down::Created { .. })]));
    }
    assert_eq!((created, service.delivery.meetings()), (16, 16));
    // Each commits for itself, and acknowledges nothing.
    for (participant, number) in
        people.take(16).flat_map(|participant| (0..16).map(move |number| (participant, number)))
    {
        let blob = Blob(vec![0; 200 << 10]);
        service.sends(participant, Up::Commit { epoch: Epoch(number), blob, removed: vec![], welcome: None });
        service.passes(Duration::from_secs(2));
    }
    assert!(service.delivery.log_bytes() <= 8 << 20, "{} bytes", service.delivery.log_bytes());
}

#[test]
fn waiting_clients_from_one_address_take_a_quarter_of_a_meeting() {
    let mut service = Service::with(Limits { members: 20, ..Limits::default() });
    service.greet(ANNA);
    service.sends(ANNA, create(MEETING));
    let refused = (10..20).map(ParticipantId).filter(|participant| {
        service.greet(*participant);
        let received = service.sends(*participant, knock());
        received == [(*participant, problem(Problem::MeetingFull))]
    });
    assert_eq!(refused.count(), 5);
    let elsewhere = ParticipantId(30);
    service.connects_from(elsewhere, IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
    service.sends(elsewhere, Up::Hello { version: VERSION });
    assert_eq!(service.sends(elsewhere, knock())[0].0, ANNA);
}

#[test]
fn a_log_keeps_nothing_that_all_members_have() {
    let mut service = Service::with_three_members();
    (0..100).for_each(|_| drop(service.sends(BEN, tell(2, 1))));
    assert!(service.delivery.log_bytes() > 0);
    for participant in [ANNA, BEN, CLEO] {
        service.sends(participant, Up::Pong { position: Position(102) });
    }
    assert_eq!(service.delivery.log_bytes(), 0);
}

#[test]
fn a_stranger_that_enters_no_meeting_is_disconnected() {
    let mut service = Service::with_three_members();
    service.greet(MALLORY);
    for _ in 0..5 {
        service.passes(Duration::from_secs(10));
        service.sends(MALLORY, Up::Pong { position: Position(0) });
        service.sends(MALLORY, Up::Approach { meeting: MEETING });
    }
    assert_eq!(service.passes(Duration::from_secs(10)), [(MALLORY, problem(Problem::Idle))]);
    assert_eq!(service.closed, [MALLORY]);
}

#[test]
fn a_stranger_cannot_ask_for_admission_keys_forever() {
    let mut service = Service::with_three_members();
    service.greet(MALLORY);
    let answers = (0..100).map(|_| service.sends(MALLORY, Up::Approach { meeting: MEETING }));
    assert_eq!(answers.filter(|answer| !answer.is_empty()).count(), 9, "eight keys and the end");
}

#[test]
fn only_members_that_manage_may_send_long_messages() {
    let mut service = Service::with_three_members();
    let trusted = [(ANNA, Trust::Manager), (BEN, Trust::Member), (CLEO, Trust::Member)];
    assert_eq!(service.trusted, trusted);
    service.manages(BEN, &ManagerCommand::Lock { locked: false });
    assert_eq!(service.trusted[3..], [(BEN, Trust::Manager)]);
}

#[test]
fn a_commit_that_names_a_thousand_unknown_participants_removes_nobody_else() {
    let mut service = with_mallory();
    service.sends(CLEO, Up::Leave);
    let unknown: Vec<_> = (1_000..2_023).map(ParticipantId).collect();
    service.commits(ANNA, 3, &[], &unknown);
    assert_eq!(service.sends(BEN, commit(4, &[CLEO])).len(), 3, "she is listed as gone");
    service.passes(Duration::from_secs(2));
    service.commits(ANNA, 5, &[], &[&unknown[..], &[CLEO]].concat());
    service.passes(Duration::from_secs(30));
    assert_eq!(service.sends(BEN, commit(6, &[CLEO])).len(), 3, "that commit may have been invalid");
    service.passes(Duration::from_secs(30));
    let named = [&unknown[..], &[CLEO]].concat();
    assert_eq!(service.sends(BEN, commit(7, &named))[0], (BEN, problem(Problem::NotAuthorised)));
}

/// Returns the entries about members that are gone, and by whose command.
fn gone_members(received: &[(ParticipantId, Down)]) -> Vec<GoneMember> {
    let entry = |(to, message): &(ParticipantId, Down)| {
        let Down::Log { entry: LogEntry::Gone { participant, by }, .. } = message else { return None };
        (*to == MALLORY).then_some(GoneMember { participant: *participant, by: *by })
    };
    received.iter().filter_map(entry).collect()
}

/// The members decide whether the manager has power over it.
#[test]
fn who_was_removed_by_a_command_is_named_with_the_manager() {
    let by_mallory = |participant| GoneMember { participant, by: Some(MALLORY) };
    let mut service = with_mallory();
    let received = service.manages(MALLORY, &ManagerCommand::Expel { participant: ANNA });
    assert_eq!(gone_members(&received), [by_mallory(ANNA)]);
    let received = service.manages(MALLORY, &ManagerCommand::Void { epoch: Epoch(0), participant: BEN });
    assert_eq!(gone_members(&received), [by_mallory(BEN)]);
    // A newcomer learns the same.
    let dora = ParticipantId(4);
    service.greet(dora);
    service.sends(dora, knock());
    let received = service.commits(MALLORY, 3, &[dora], &[CLEO]);
    assert_eq!(gone_members(&received), [by_mallory(CLEO)]);
    let told = received.into_iter().find_map(|(to, message)| {
        let Down::Admitted { gone, .. } = message else { return None };
        (to == dora).then_some(gone)
    });
    assert_eq!(told, Some(vec![by_mallory(ANNA), by_mallory(BEN), by_mallory(CLEO)]));
}

/// An expulsion could otherwise look like a departure.
#[test]
fn a_welcome_cannot_change_why_a_member_is_gone() {
    let mut service = with_mallory();
    service.manages(MALLORY, &ManagerCommand::Expel { participant: ANNA });
    assert!(gone_members(&service.commits(MALLORY, 3, &[ANNA], &[])).is_empty(), "nothing new");
    // A commit takes nobody off the list, because it may be invalid.
    service.commits(MALLORY, 4, &[], &[ANNA]);
    let by_mallory = |participant| GoneMember { participant, by: Some(MALLORY) };
    assert!(gone_members(&service.commits(MALLORY, 5, &[ANNA], &[])).is_empty(), "nothing new");
    // Who was refused has not left by itself either.
    let dora = ParticipantId(4);
    service.greet(dora);
    service.sends(dora, knock());
    service.manages(MALLORY, &ManagerCommand::Refuse { participant: dora, why: Refusal::Declined });
    assert_eq!(gone_members(&service.commits(MALLORY, 6, &[dora], &[])), [by_mallory(dora)]);
}

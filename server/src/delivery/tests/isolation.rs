//! A panic while the service handles a meeting ends that meeting only.

use super::*;
use std::time::Duration;

const OTHER_MEETING: MeetingId = MeetingId([2; 16]);
const DORA: ParticipantId = ParticipantId(4);
const EMIL: ParticipantId = ParticipantId(5);

/// Returns a service with a meeting of Anna, Ben and Cleo whose next step panics, and one of Dora.
fn with_a_fault() -> Service {
    let mut service = Service::with_three_members();
    for participant in [DORA, EMIL] {
        service.greet(participant);
    }
    service.sends(DORA, create(OTHER_MEETING));
    service.commands.clear();
    service.delivery.meetings.get_mut(MEETING).expect("it runs").panics = true;
    service
}

/// Checks that the meeting has ended for its `members`, and that Dora's goes on.
fn check(service: &mut Service, mut received: Vec<(ParticipantId, Down)>, members: &[ParticipantId]) {
    received.retain(|(_, message)| matches!(message, Down::Problem { problem: Problem::Draining }));
    let mut told: Vec<ParticipantId> = received.into_iter().map(|(to, _)| to).collect();
    told.sort();
    service.closed.sort();
    assert_eq!((told.as_slice(), service.closed.as_slice()), (members, members));
    let leaves = [ANNA, BEN, CLEO].map(|participant| sfu::Command::Leave { participant });
    assert_eq!(service.commands, leaves, "the SFU forgets all members");
    assert_eq!((service.delivery.meetings(), service.stored.contains_key(&MEETING)), (1, false), "it is not restored");
    assert_eq!(service.sends(DORA, Up::Tell { epoch: Epoch(0), blob: blob(1) }).len(), 1, "the other meeting goes on");
    service.connects(ANNA);
    service.sends(ANNA, Up::Hello { version: VERSION });
    let created = service.sends(ANNA, create(MEETING));
    assert!(matches!(created[..], [(ANNA, Down::Created { .. })]), "its number is free: {created:?}");
}

#[test]
fn a_panic_in_a_message_of_a_member_ends_its_meeting_and_others_go_on() {
    let mut service = with_a_fault();
    let received = service.sends(BEN, tell(2, 8));
    check(&mut service, received, &[ANNA, BEN, CLEO]);
}

#[test]
fn a_panic_in_a_request_to_enter_ends_that_meeting_and_others_go_on() {
    let mut service = with_a_fault();
    let received = service.sends(EMIL, knock());
    check(&mut service, received, &[ANNA, BEN, CLEO, EMIL]);
}

#[test]
fn a_panic_while_a_stranger_asks_for_the_admission_key_closes_only_its_connection() {
    let mut service = with_a_fault();
    let received = service.sends(EMIL, Up::Approach { meeting: MEETING });
    assert_eq!(received, [(EMIL, Down::Problem { problem: Problem::Draining })]);
    assert_eq!((service.closed.as_slice(), service.delivery.meetings()), (&[EMIL][..], 2));
    assert!(service.commands.is_empty(), "the media go on");
}

#[test]
fn a_panic_after_a_lost_connection_ends_its_meeting_and_others_go_on() {
    let mut service = with_a_fault();
    let received = service.disconnects(BEN);
    check(&mut service, received, &[ANNA, CLEO]);
}

#[test]
fn a_panic_in_a_timer_of_a_meeting_ends_it_and_others_go_on() {
    let mut service = with_a_fault();
    let received = service.passes(Duration::from_millis(250));
    check(&mut service, received, &[ANNA, BEN, CLEO]);
}

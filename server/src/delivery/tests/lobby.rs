//! Messages between clients that wait and managers: who gets them, and how many.

use super::*;

const DORA: ParticipantId = ParticipantId(4);

/// Returns a meeting of Anna, Ben and Cleo, at which Dora has knocked.
fn with_dora() -> Service {
    let mut service = Service::with_three_members();
    service.greet(DORA);
    service.sends(DORA, knock());
    service
}

fn relayed(from: ParticipantId, byte: u8) -> Down {
    Down::Lobby { participant: DORA, from, blob: blob(byte) }
}

fn to_dora(byte: u8) -> ManagerCommand {
    ManagerCommand::Lobby { participant: DORA, blob: blob(byte) }
}

#[test]
fn messages_go_between_the_waiting_client_and_the_managers() {
    let mut service = with_dora();
    let ask = |byte| Up::Lobby { blob: blob(byte) };
    assert_eq!(service.sends(DORA, ask(1)), [(ANNA, relayed(DORA, 1))], "Ben and Cleo are no managers");
    assert_eq!(service.manages(ANNA, &to_dora(2)), [(ANNA, relayed(ANNA, 2)), (DORA, relayed(ANNA, 2))]);
    // Ben shows that he is a manager.
    service.manages(BEN, &ManagerCommand::Beacon { epoch: Epoch(2), mls_epoch: 2, transcript: [0; 32] });
    assert_eq!(service.sends(DORA, ask(3)), [ANNA, BEN].map(|to| (to, relayed(DORA, 3))));
    assert_eq!(service.manages(BEN, &to_dora(4)), [ANNA, BEN, DORA].map(|to| (to, relayed(BEN, 4))));
    // Nobody waits any more.
    service.commits(ANNA, 2, &[DORA], &[]);
    assert!(service.manages(ANNA, &to_dora(5)).is_empty());
    assert!(service.sends(DORA, ask(6)).is_empty() && service.closed.is_empty(), "it was on its way");
}

#[test]
fn a_member_without_the_keys_of_the_meeting_neither_writes_to_a_waiting_client_nor_reads() {
    let mut service = with_dora();
    service.authority = OTHER;
    let received = service.manages(CLEO, &to_dora(1));
    assert_eq!(received[0], (CLEO, problem(Problem::NotAuthorised)));
    assert!(received.iter().all(|(to, message)| *to != DORA && !matches!(message, Down::Lobby { .. })));
    assert_eq!(service.closed, [CLEO]);
}

/// A former manager has old keys only, also if it opened the request while it was a manager.
#[test]
fn a_former_manager_gets_no_messages_of_waiting_clients() {
    let mut service = with_dora();
    service.manages(BEN, &ManagerCommand::Beacon { epoch: Epoch(2), mls_epoch: 2, transcript: [0; 32] });
    service.rotates(ANNA, 2, rotation(AUTHORITY, 1, OTHER, &[7]), blob(7));
    assert!(service.manages(BEN, &to_dora(1)).is_empty(), "signed by the authority before");
    service.authority = OTHER;
    service.manages(ANNA, &ManagerCommand::Beacon { epoch: Epoch(3), mls_epoch: 3, transcript: [0; 32] });
    assert_eq!(service.sends(DORA, Up::Lobby { blob: blob(2) }), [(ANNA, relayed(DORA, 2))]);
}

#[test]
fn a_client_that_does_not_wait_cannot_write_and_one_that_writes_too_much_is_closed() {
    let mut service = with_dora();
    let stranger = ParticipantId(5);
    service.greet(stranger);
    assert_eq!(service.sends(stranger, Up::Lobby { blob: blob(1) }), [(stranger, problem(Problem::Malformed))]);
    let answers: Vec<_> = (0..21).flat_map(|_| service.sends(DORA, Up::Lobby { blob: blob(1) })).collect();
    assert_eq!(answers.iter().filter(|(to, _)| *to == ANNA).count(), 21, "20 messages, and the end");
    assert!(answers.contains(&(DORA, problem(Problem::TooFast))));
    assert_eq!(answers.last(), Some(&(CLEO, Down::Withdrew { participant: DORA })));
    assert_eq!(service.closed, [stranger, DORA]);
}

/// An organiser that comes back is not in a waiting room: any member may add it.
#[test]
fn an_organiser_that_comes_back_has_no_lobby_chat() {
    let mut service = with_dora();
    let organiser = ParticipantId(6);
    service.greet(organiser);
    let signature = sign(AUTHORITY, &proto::signed::return_request(MEETING, organiser, &[5]));
    service.sends(organiser, Up::Return { meeting: MEETING, request: blob(5), signature });
    assert!(service.sends(organiser, Up::Lobby { blob: blob(1) }).is_empty());
    assert!(service.manages(ANNA, &ManagerCommand::Lobby { participant: organiser, blob: blob(1) }).is_empty());
}

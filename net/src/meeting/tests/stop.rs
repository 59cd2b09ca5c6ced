//! The stop of everything.

use super::room::Room;
use super::*;
use proto::{MeetingFlags, Role};

fn is_sent_back(event: &Event) -> bool {
    matches!(event, Event::Lobby(LobbyEvent::SentBack))
}

#[test]
fn one_commit_removes_all_others_without_barring_them_and_changes_the_link() {
    let mut room = Room::new(3);
    let co_organiser = room.id(1);
    room.command(0, Command::SetRole(co_organiser, Role::CoOrganiser));
    room.forget();
    let before = room.clients[0].1.keys().authority();
    let link = room.clients[0].1.meeting.invitation("meet.example", 443, None).unwrap();
    room.at(0).command(Command::StopEverything);
    let commit = room.at(0).committed();
    let mut removed = commit.removed.clone();
    removed.sort_unstable();
    assert_eq!(removed, [ParticipantId(2), ParticipantId(3), ParticipantId(4)]);
    let LogEntry::Managed { signed } = &commit.entry else { panic!("the organiser has signed it") };
    for number in 1..4 {
        let client = room.at(number);
        client.receive(Down::Removed { signed: signed.clone() });
        assert!(client.events().iter().any(is_sent_back));
    }
    room.clients.truncate(1);
    room.log(&commit.entry);
    let policy = room.clients[0].1.meeting.policy().unwrap().clone();
    assert!(policy.flags().contains(MeetingFlags::WAITING_ROOM) && policy.barred().is_empty());
    assert_eq!(policy.people().len(), 1, "no co-organiser can come back without asking");
    assert_ne!(room.clients[0].1.keys().authority(), before);
    let events = room.at(0).events();
    assert!(events.iter().any(|event| matches!(event, Event::LinkChanged)));
    assert!(events.iter().any(|event| matches!(event, Event::Keys { .. })));
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Left { removed: true, .. })).count(), 3);
    assert!(room.at(0).sent().iter().all(|message| as_commit(message.clone(), ADA).is_none()), "it is done");
    // With the old link or the new one, a person decides.
    let new_link = room.clients[0].1.meeting.invitation("meet.example", 443, None).unwrap();
    for (id, link) in [(8, link), (9, new_link)] {
        let mut client = Client::new(join_by(link));
        let request = client.knock(&room.clients[0].1, id);
        room.at(0).receive(Down::Knocked { participant: ParticipantId(id), request });
        assert!(room.at(0).events().iter().any(|event| matches!(event, Event::AsksToJoin { .. })));
        assert!(room.at(0).sent().iter().all(|message| as_commit(message.clone(), ADA).is_none()));
    }
}

#[test]
fn a_member_that_gets_the_commit_from_the_log_may_ask_to_join_again_too() {
    let mut room = Room::new(1);
    room.command(0, Command::StopEverything);
    assert!(room.at(1).events().iter().any(is_sent_back));
}

#[test]
fn only_the_organiser_stops_everything() {
    let mut room = Room::new(2);
    let co_organiser = room.id(1);
    room.command(0, Command::SetRole(co_organiser, Role::CoOrganiser));
    room.forget();
    for number in [1, 2] {
        room.command(number, Command::StopEverything);
        assert!(matches!(room.at(number).events()[..], [Event::Notice(Notice::NotAllowed)]));
    }
    let mut alone = Client::organiser();
    alone.command(Command::StopEverything);
    let commit = alone.committed();
    alone.log(0, commit.entry);
    assert!(alone.meeting.policy().unwrap().flags().contains(MeetingFlags::WAITING_ROOM));
    alone.wait(Duration::from_secs(1));
    assert!(alone.sent().is_empty());
}

#[test]
fn somebody_whom_a_co_organiser_removed_learns_who_it_was() {
    let mut room = Room::new(2);
    let (co_organiser, guest) = (room.id(1), room.id(2));
    room.command(0, Command::SetRole(co_organiser, Role::CoOrganiser));
    room.at(1).command(Command::Remove(guest));
    let sent = room.at(1).sent();
    let expel = sent.into_iter().find_map(|message| {
        signed(message, co_organiser).filter(|signed| matches!(signed.decode(), Ok(ManagerCommand::Expel { .. })))
    });
    let guest = room.at(2);
    guest.events();
    guest.receive(Down::Removed { signed: expel.expect("the server closes the connection") });
    assert_eq!(guest.reason(), Some(Reason::RemovedBy("Bob".into())));
}

#[test]
fn a_commit_that_removes_somebody_names_its_committer_whoever_the_server_says_it_was() {
    let mut room = Room::new(2);
    let (bob, guest) = (room.id(1), room.id(2));
    room.command(0, Command::SetRole(bob, Role::CoOrganiser));
    room.at(1).command(Command::Remove(guest));
    let commit = room.at(1).committed();
    let LogEntry::Managed { signed } = commit.entry else { panic!("a manager signs it") };
    // All managers have the key of the authority, so one of them and the server can name another one.
    let SignedCommand { counter, command, .. } = signed;
    let signature = room.clients[1].1.keys().sign_command(ADA, counter, &command.0);
    let forged = SignedCommand { from: ADA, counter, command, signature };
    room.at(2).events();
    room.at(2).receive(Down::Removed { signed: forged });
    assert_eq!(room.at(2).reason(), Some(Reason::RemovedBy("Bob".into())));
}

//! A co-organiser that has the server close the connections of those above it, or tells lies about the group. It shares the
//! authority, so the server obeys it. The members do not believe it.

use super::roles::{BOB, role};
use super::room::Room;
use super::*;
use crate::meeting::hostile::{self, Succession};
use proto::{GoneMember, Role};

/// The numbers in the room after the organiser was expelled.
const CO_ORGANISER: usize = 0;
const GUEST: usize = 1;

const BACK: ParticipantId = ParticipantId(9);

/// Returns the organiser Ada, the co-organiser Bob and a guest.
fn room() -> Room {
    let mut room = Room::new(2);
    room.command(0, Command::SetRole(BOB, Role::CoOrganiser));
    room.wait(Duration::from_secs(1));
    room.forget();
    room
}

/// Signs a command as a hostile manager.
fn command(client: &mut Client, command: &ManagerCommand) -> SignedCommand {
    let me = client.meeting.me().expect("it is a member");
    signed(hostile::command(&mut client.meeting, command).expect("it has the keys"), me).unwrap()
}

/// Has the server expel the organiser. Returns the organiser, which comes back.
fn expel_organiser(room: &mut Room) -> Client {
    let expel = command(room.at(1), &ManagerCommand::Expel { participant: ADA });
    let (_, mut ada) = room.clients.remove(0);
    ada.events();
    ada.receive(Down::Removed { signed: expel });
    assert!(matches!(ada.events()[..], [Event::Reconnecting]));
    room.log(&LogEntry::Gone { participant: ADA, by: Some(BOB) });
    room.exchange();
    ada
}

/// Lets the co-organiser admit a newcomer, who learns from the server who is gone. Returns its number.
fn admit(room: &mut Room, id: u64) -> usize {
    let (mut client, request) = Client::knocking(&room.clients[CO_ORGANISER].1, id);
    room.at(CO_ORGANISER).receive(Down::Knocked { participant: ParticipantId(id), request });
    room.at(CO_ORGANISER).receive(Down::Ping);
    room.at(CO_ORGANISER).wait(timing::ADMISSION_INTERVAL);
    let commit = room.at(CO_ORGANISER).committed();
    room.log(&commit.entry);
    let mut admission = commit.admission(room.next);
    if let Down::Admitted { gone, .. } = &mut admission {
        gone.push(GoneMember { participant: ADA, by: Some(BOB) });
    }
    client.receive(admission);
    commit.tree.into_iter().for_each(|part| client.receive(Down::Tree { part }));
    room.clients.push((ParticipantId(id), client));
    room.exchange();
    room.clients.len() - 1
}

/// Returns the signed commit with which the co-organiser removes the organiser's leaf and becomes the organiser.
fn usurpation(client: &mut Client) -> LogEntry {
    let sent = hostile::succeed(&mut client.meeting, Succession::ExpelAndSucceed).expect("it can sign");
    as_commit(sent.last().expect("a commit").clone(), BOB).expect("a commit").entry
}

/// The members reject the commit, and stay.
fn assert_rejected(room: &mut Room, numbers: &[usize]) {
    room.forget();
    let entry = usurpation(room.at(CO_ORGANISER));
    room.log(&entry);
    for number in numbers {
        let events = room.at(*number).events();
        let rejects = events.iter().any(|event| matches!(event, Event::Notice(Notice::CommitRejected(BOB))));
        assert!(rejects && !events.iter().any(|event| matches!(event, Event::Reconnecting)), "{number}");
        assert_eq!((role(room.at(*number), ADA), role(room.at(*number), BOB)), (Role::Organiser, Role::CoOrganiser));
    }
    room.exchange();
}

fn roster(client: &Client) -> Vec<Member> {
    let Phase::Member(joined) = &client.meeting.phase else { panic!("it is a member") };
    joined.roster.list()
}

/// Lets the expelled organiser ask to come back.
fn ask_to_return(ada: &mut Client, chain: Down) -> Down {
    ada.meeting.handle_disconnected(ada.now);
    while !ada.meeting.poll_reconnect() {
        ada.wait(timing::FIRST_RETRY);
    }
    ada.meeting.handle_connected(ada.now);
    ada.receive(hello(BACK));
    ada.receive(chain);
    let Some(Up::Return { request, signature, .. }) = ada.sent().pop() else { panic!("it comes back") };
    Down::Returned { participant: BACK, request, signature }
}

#[test]
fn a_co_organiser_that_expels_the_organiser_does_not_succeed_it_and_the_organiser_comes_back() {
    let mut room = room();
    let mut ada = expel_organiser(&mut room);
    let between = admit(&mut room, 4);
    assert_rejected(&mut room, &[GUEST, between]);
    let after = admit(&mut room, 5);
    assert_rejected(&mut room, &[GUEST, between, after]);
    // Nobody removes the leaf, however long it lasts, and it is shown without a connection.
    for _ in 0..30 {
        room.wait(Duration::from_secs(4));
    }
    for number in 0..=after {
        let person = roster(room.at(number)).into_iter().find(|person| person.id == ADA).expect("it is a member");
        assert!(person.is_organiser() && !person.connected, "{number}");
        let events = room.at(number).events();
        assert!(!events.iter().any(|event| matches!(event, Event::Notice(Notice::Unattended))), "{number}");
    }
    // The guest lets the organiser in.
    let chain = room.at(CO_ORGANISER).admission_key();
    let request = ask_to_return(&mut ada, chain);
    room.at(GUEST).receive(request);
    room.at(GUEST).receive(Down::Ping);
    room.at(GUEST).wait(timing::REMOVAL_INTERVAL);
    let commit = room.at(GUEST).committed();
    assert!(commit.removed.is_empty(), "only the organiser itself removes its old leaf");
    room.log(&commit.entry);
    let mut admission = commit.admission(room.next);
    if let Down::Admitted { gone, .. } = &mut admission {
        gone.push(GoneMember { participant: ADA, by: Some(BOB) });
    }
    ada.receive(admission);
    commit.tree.into_iter().for_each(|part| ada.receive(Down::Tree { part }));
    // It is not removed before it has its role again.
    let expel = command(room.at(CO_ORGANISER), &ManagerCommand::Expel { participant: BACK });
    room.clients.push((BACK, ada));
    room.exchange();
    for number in 0..room.clients.len() {
        let people = roster(room.at(number));
        let organisers: Vec<_> = people.iter().filter(|person| person.is_organiser()).map(|one| one.id).collect();
        assert_eq!((&organisers[..], people.len()), (&[BACK][..], 5), "{number}");
    }
    let mut ada = room.clients.pop().unwrap().1;
    ada.events();
    ada.receive(Down::Removed { signed: expel });
    assert!(matches!(ada.events()[..], [Event::Reconnecting]), "again and again");
}

#[test]
fn the_organisers_client_removes_whom_a_co_organiser_had_no_power_to_expel() {
    let mut room = Room::new(3);
    let other = room.id(2);
    room.command(0, Command::SetRole(BOB, Role::CoOrganiser));
    room.command(0, Command::SetRole(other, Role::CoOrganiser));
    room.wait(Duration::from_secs(1));
    room.clients.remove(2);
    room.log(&LogEntry::Gone { participant: other, by: Some(BOB) });
    let commit = room.at(0).committed();
    assert_eq!(commit.removed, [other]);
    assert!(room.at(1).sent().iter().all(|message| as_commit(message.clone(), BOB).is_none()));
    room.log(&commit.entry);
    room.exchange();
    for number in 0..3 {
        assert!(!roster(room.at(number)).iter().any(|person| person.id == other), "{number}");
    }
}

/// A void, a beacon and a commit that nobody can merge: each of them made every member leave, and the co-organiser alone was left.
#[test]
fn a_co_organiser_cuts_nobody_off_while_somebody_above_it_is_a_member() {
    for expels in [false, true] {
        for lie in 0..3 {
            let mut room = room();
            room.command(2, Command::Refresh);
            let ada = expels.then(|| expel_organiser(&mut room));
            let liar = usize::from(!expels);
            room.forget();
            let epoch = {
                let Phase::Member(joined) = &room.at(liar).meeting.phase else { panic!("it is a member") };
                joined.log.epoch()
            };
            let before = Epoch(epoch.0 - 1);
            let guest = room.id(liar + 1);
            match lie {
                0 => {
                    let void = ManagerCommand::Void { epoch: before, participant: guest };
                    let signed = command(room.at(liar), &void);
                    room.log(&LogEntry::Managed { signed });
                }
                1 => {
                    for epoch in [before, epoch, epoch.next()] {
                        let beacon = ManagerCommand::Beacon { epoch, mls_epoch: 1, transcript: [7; 32] };
                        let signed = command(room.at(liar), &beacon);
                        for (_, client) in room.clients.iter_mut().filter(|(id, _)| *id != BOB) {
                            client.receive(Down::Beacon { signed: signed.clone() });
                        }
                    }
                    // The next commit compares what the beacon has said of it.
                    room.wait(timing::COMMIT_INTERVAL);
                    let last = room.clients.len() - 1;
                    room.command(last, Command::Refresh);
                }
                _ => {
                    let blob = Blob(vec![1; 40]);
                    let commit = ManagerCommand::Commit { epoch, blob, removed: Vec::new(), rotation: None };
                    let signed = command(room.at(liar), &commit);
                    room.log(&LogEntry::Managed { signed });
                }
            }
            for (id, client) in &mut room.clients {
                let events = client.events();
                let is_cut_off = events.iter().any(|event| matches!(event, Event::Reconnecting));
                assert!(!is_cut_off, "{id:?} was cut off by lie {lie}, expelled: {expels}");
            }
            drop(ada);
        }
    }
}

/// When the organiser has left, the first co-organiser leads, so that the members find one group again.
#[test]
fn the_first_co_organiser_cuts_members_off_after_the_organiser_has_left() {
    let mut room = room();
    room.clients.remove(0);
    room.log(&LogEntry::Gone { participant: ADA, by: None });
    room.exchange();
    room.forget();
    let Phase::Member(joined) = &room.at(CO_ORGANISER).meeting.phase else { panic!("it is a member") };
    let beacon = ManagerCommand::Beacon { epoch: joined.log.epoch(), mls_epoch: 1, transcript: [7; 32] };
    let signed = command(room.at(CO_ORGANISER), &beacon);
    room.at(GUEST).receive(Down::Beacon { signed });
    assert!(room.at(GUEST).events().iter().any(|event| matches!(event, Event::Reconnecting)));
}

//! Floor control: who may give orders, what they do, and how they become part of the policy.

use super::super::moderation_message::FloorMessage;
use super::super::roster;
use super::super::state::Message;
use super::room::Room;
use super::*;
use proto::{Rights, Role};

const BOB: usize = 1;
const CAROL: usize = 2;

pub(super) fn order(target: FloorTarget, rights: Rights, allow: bool) -> Command {
    Command::Floor(FloorOrder { target, rights, allow })
}

pub(super) fn mute(id: ParticipantId) -> Command {
    order(FloorTarget::Person(id), Rights::MICROPHONE, false)
}

/// Returns the rights of a member as a client sees them.
pub(super) fn rights(client: &Client, id: ParticipantId) -> Rights {
    let Phase::Member(joined) = &client.meeting.phase else { panic!("it is a member") };
    roster::member(&joined.roster, id).expect("a member").rights
}

/// Returns true if all clients see that the member may send this.
pub(super) fn may(room: &Room, id: ParticipantId, right: Rights) -> bool {
    let views: Vec<bool> = room.clients.iter().map(|(_, client)| rights(client, id).contains(right)).collect();
    assert!(views.iter().all(|view| *view == views[0]), "{views:?}");
    views[0]
}

/// Returns the rights that the policy gives to a member.
pub(super) fn by_policy(room: &Room, number: usize) -> Rights {
    let (id, client) = &room.clients[number];
    let Phase::Member(joined) = &client.meeting.phase else { panic!("it is a member") };
    client.meeting.policy().unwrap().rights_of(joined.roster.device(*id).unwrap(), *id)
}

/// Returns who changed the client's own rights, and what it may send then.
fn own_changes(client: &mut Client) -> Vec<(Option<ParticipantId>, Rights)> {
    let change = |event| {
        if let Event::OwnRightsChanged { by, now, .. } = event { Some((by, now.1 & Rights::MEDIA)) } else { None }
    };
    client.events().into_iter().filter_map(change).collect()
}

/// A client that does not ask whether it may: sends an order all the same.
pub(super) fn forge(room: &mut Room, number: usize, message: FloorMessage) {
    let from = room.id(number);
    let Phase::Member(joined) = &mut room.at(number).meeting.phase else { panic!("it is a member") };
    let Some(Up::Tell { epoch, blob }) = joined.log.seal(&Message::Floor(message)) else { panic!("it can encrypt") };
    room.log(&LogEntry::Told { from, epoch, blob });
    room.exchange();
}

#[test]
fn a_mute_counts_for_all_at_once_and_becomes_part_of_the_policy() {
    let mut room = Room::new(2);
    room.forget();
    let bob = room.id(BOB);
    room.at(0).command(mute(bob));
    assert!(!rights(&room.clients[0].1, bob).contains(Rights::MICROPHONE), "at once for who did it");
    let sent = room.at(0).sent();
    assert!(matches!(sent[..], [Up::Tell { .. }]), "one message, no commit: {sent:?}");
    for message in sent {
        let Up::Tell { epoch, blob } = message else { unreachable!() };
        room.log(&LogEntry::Told { from: ADA, epoch, blob });
    }
    assert!(!may(&room, bob, Rights::MICROPHONE) && may(&room, bob, Rights::CAMERA));
    assert_eq!(own_changes(room.at(BOB)), [(Some(ADA), Rights::MEDIA.without(Rights::MICROPHONE))]);
    assert!(by_policy(&room, BOB).contains(Rights::MICROPHONE));
    room.wait(timing::FOLD_INTERVAL);
    assert!(!by_policy(&room, BOB).contains(Rights::MICROPHONE) && !may(&room, bob, Rights::MICROPHONE));
    assert!(own_changes(room.at(BOB)).is_empty(), "nothing has changed");
    let dave = room.join();
    assert!(!rights(&room.clients[dave].1, bob).contains(Rights::MICROPHONE), "those who come later know it");
    room.command(0, order(FloorTarget::Person(bob), Rights::MICROPHONE, true));
    assert!(may(&room, bob, Rights::MICROPHONE));
    assert_eq!(own_changes(room.at(BOB)), [(Some(ADA), Rights::MEDIA)]);
    room.wait(timing::FOLD_INTERVAL);
    assert!(by_policy(&room, BOB).contains(Rights::MEDIA));
    assert_eq!(room.clients[0].1.meeting.policy().unwrap().people().len(), 1, "nobody is listed without a reason");
}

#[test]
fn somebody_who_comes_before_the_order_is_part_of_the_policy_knows_it_all_the_same() {
    let mut room = Room::new(2);
    let bob = room.id(BOB);
    room.command(0, mute(bob));
    assert!(by_policy(&room, BOB).contains(Rights::MICROPHONE));
    let dave = room.join();
    assert!(!rights(&room.clients[dave].1, bob).contains(Rights::MICROPHONE));
    assert!(!may(&room, bob, Rights::MICROPHONE));
}

#[test]
fn all_are_muted_except_managers_and_those_who_come_later_too() {
    let mut room = Room::new(3);
    let (bob, carol, dave) = (room.id(BOB), room.id(CAROL), room.id(3));
    room.command(0, Command::SetRole(bob, Role::CoOrganiser));
    room.command(BOB, order(FloorTarget::Everyone, Rights::MICROPHONE, false));
    let muted = |room: &Room| [ADA, bob, carol, dave].map(|id| !may(room, id, Rights::MICROPHONE));
    assert_eq!(muted(&room), [false, false, true, true]);
    room.command(0, order(FloorTarget::Person(carol), Rights::MICROPHONE, true));
    assert_eq!(muted(&room), [false, false, false, true]);
    let late = room.join();
    let late_id = room.id(late);
    assert!(!may(&room, late_id, Rights::MICROPHONE));
    assert_eq!(muted(&room), [false, false, false, true]);
    room.wait(timing::FOLD_INTERVAL);
    assert_eq!(muted(&room), [false, false, false, true]);
    room.command(0, order(FloorTarget::Everyone, Rights::MICROPHONE, true));
    room.wait(timing::FOLD_INTERVAL);
    assert_eq!(muted(&room), [false; 4]);
    assert!(may(&room, late_id, Rights::MICROPHONE));
    assert!(
        by_policy(&room, CAROL).contains(Rights::MICROPHONE) && by_policy(&room, late).contains(Rights::MICROPHONE)
    );
}

#[test]
fn a_share_is_stopped_and_given_back_with_both_of_its_rights() {
    let mut room = Room::new(1);
    let bob = room.id(BOB);
    room.command(0, order(FloorTarget::Person(bob), Rights::SCREEN, false));
    assert!(rights(&room.clients[BOB].1, bob).without(Rights::SHARE) == rights(&room.clients[BOB].1, bob));
    room.command(0, order(FloorTarget::Person(bob), Rights::SCREEN | Rights::CAMERA, true));
    assert!(may(&room, bob, Rights::SHARE | Rights::CAMERA));
}

#[test]
fn one_order_about_several_rights_is_one_message_and_one_change_for_those_concerned() {
    let mut room = Room::new(1);
    let bob = room.id(BOB);
    room.forget();
    room.command(0, order(FloorTarget::Person(bob), Rights::MEDIA, false));
    assert_eq!(room.told.len(), 1);
    assert_eq!(own_changes(room.at(BOB)), [(Some(ADA), Rights::NONE)]);
}

#[test]
fn forged_orders_change_nothing() {
    let mut room = Room::new(3);
    let (bob, carol) = (room.id(BOB), room.id(CAROL));
    room.command(0, Command::SetRole(bob, Role::CoOrganiser));
    room.command(0, mute(carol));
    room.wait(timing::FOLD_INTERVAL);
    room.forget();
    let before: Vec<Rights> = room.clients.iter().map(|(id, _)| rights(&room.clients[0].1, *id)).collect();
    let set =
        |target, rights: Rights, allow| FloorMessage::Set { lamport: 65_535, target, rights: rights.bits(), allow };
    // A guest unmutes itself, mutes others, mutes all.
    forge(&mut room, CAROL, set(Some(carol), Rights::MICROPHONE, true));
    forge(&mut room, CAROL, set(Some(ADA), Rights::MEDIA, false));
    forge(&mut room, CAROL, set(None, Rights::MEDIA, false));
    // A co-organiser against the organiser, and for itself.
    forge(&mut room, BOB, set(Some(ADA), Rights::MICROPHONE, false));
    forge(&mut room, BOB, set(Some(bob), Rights::MEDIA, false));
    // Rights that floor control is not about, and bits that are no rights.
    forge(&mut room, BOB, set(Some(carol), Rights::ADMIT | Rights::RECORD, true));
    forge(&mut room, BOB, FloorMessage::Set { lamport: 1, target: Some(carol), rights: 1 << 20, allow: true });
    // The server delivers an order again.
    let told = room.told.clone();
    for entry in &told {
        room.log(entry);
    }
    room.exchange();
    for (number, before) in (0..).zip(before) {
        let id = room.id(number);
        for (_, client) in &room.clients {
            assert_eq!(rights(client, id), before, "{number}");
        }
        assert!(own_changes(room.at(number)).is_empty());
    }
    // The user of an honest client is told why.
    let refused = |why| vec![Notice::PolicyRefused(why)];
    for (by, command, why) in [
        (CAROL, mute(bob), PolicyRefusal::NotAllowed),
        (BOB, mute(ADA), PolicyRefusal::NotBelow),
        (BOB, mute(bob), PolicyRefusal::NotBelow),
        (0, mute(ParticipantId(99)), PolicyRefusal::NoMember),
    ] {
        room.command(by, command.clone());
        let notice = |event| if let Event::Notice(notice) = event { Some(notice) } else { None };
        assert_eq!(
            room.at(by).events().into_iter().filter_map(notice).collect::<Vec<_>>(),
            refused(why),
            "{command:?}"
        );
    }
}

#[test]
fn of_two_orders_at_once_the_higher_rank_wins_and_the_loser_is_told_nothing_false() {
    let mut room = Room::new(2);
    let (bob, carol) = (room.id(BOB), room.id(CAROL));
    room.command(0, Command::SetRole(bob, Role::CoOrganiser));
    // Both have seen the same orders, so they use the same number.
    room.at(0).command(mute(carol));
    room.at(BOB).command(order(FloorTarget::Person(carol), Rights::MICROPHONE, true));
    room.exchange();
    assert!(!may(&room, carol, Rights::MICROPHONE));
    room.at(BOB).command(mute(carol));
    room.at(0).command(order(FloorTarget::Person(carol), Rights::MICROPHONE, true));
    room.exchange();
    assert!(may(&room, carol, Rights::MICROPHONE));
    // One that follows counts, whoever gives it.
    room.command(BOB, mute(carol));
    assert!(!may(&room, carol, Rights::MICROPHONE));
}

#[test]
fn an_order_that_a_commit_overtook_is_given_again() {
    let mut room = Room::new(2);
    let (bob, carol) = (room.id(BOB), room.id(CAROL));
    room.command(0, Command::SetRole(bob, Role::CoOrganiser));
    // The organiser changes Carol's role, and does not know yet that she was muted.
    room.at(0).command(Command::SetRole(carol, Role::Presenter));
    room.at(BOB).command(mute(carol));
    room.exchange();
    assert!(!may(&room, carol, Rights::MICROPHONE));
    room.wait(timing::FOLD_INTERVAL);
    assert!(!by_policy(&room, CAROL).contains(Rights::MICROPHONE));
}

/// Bob may make his order part of the policy, and not the one about Carol, who has his role. His commit loses.
#[test]
fn an_order_becomes_part_of_the_policy_although_the_first_commit_with_it_was_lost() {
    let mut room = Room::new(3);
    let (bob, carol, dave) = (room.id(BOB), room.id(CAROL), room.id(3));
    for manager in [bob, carol] {
        room.command(0, Command::SetRole(manager, Role::CoOrganiser));
    }
    room.command(0, mute(carol));
    room.command(BOB, mute(dave));
    room.at(BOB).wait(timing::FOLD_INTERVAL);
    room.at(0).command(Command::Refresh);
    room.exchange();
    assert!(by_policy(&room, 3).contains(Rights::MICROPHONE), "the organiser's commit came first");
    room.at(BOB).wait(timing::FOLD_INTERVAL);
    room.exchange();
    assert!(!by_policy(&room, 3).contains(Rights::MICROPHONE));
    assert!(by_policy(&room, CAROL).contains(Rights::MICROPHONE), "this is the organiser's");
}

#[test]
fn an_order_outlives_the_role_of_its_author() {
    let mut room = Room::new(2);
    let (bob, carol) = (room.id(BOB), room.id(CAROL));
    room.command(0, Command::SetRole(bob, Role::CoOrganiser));
    room.command(BOB, mute(carol));
    room.command(0, Command::SetRole(bob, Role::Participant));
    assert!(!may(&room, carol, Rights::MICROPHONE) && !by_policy(&room, CAROL).contains(Rights::MICROPHONE));
    // Also if the organiser hands over right after it.
    room.command(0, order(FloorTarget::Person(carol), Rights::CAMERA, false));
    room.command(0, Command::HandOver(bob));
    assert!(!may(&room, carol, Rights::CAMERA) && !by_policy(&room, CAROL).contains(Rights::CAMERA));
    assert_eq!(room.clients[0].1.meeting.policy().unwrap().people()[0].participant, bob);
}

#[test]
fn an_order_that_was_lost_with_the_connection_is_sent_again() {
    let mut room = Room::new(1);
    let bob = room.id(BOB);
    room.at(0).command(mute(bob));
    assert_eq!(room.at(0).sent().len(), 1, "lost");
    let organiser = room.at(0);
    organiser.meeting.handle_disconnected(organiser.now);
    organiser.wait(Duration::ZERO);
    assert!(organiser.meeting.poll_reconnect());
    organiser.meeting.handle_connected(organiser.now);
    organiser.receive(hello(ParticipantId(77)));
    organiser.receive(Down::Resumed);
    organiser.receive(Down::Ping);
    organiser.sent().into_iter().for_each(|message| {
        if let Up::Tell { epoch, blob } = message {
            let next = room.next;
            room.at(BOB).log(next, LogEntry::Told { from: ADA, epoch, blob });
            room.next += 1;
        }
    });
    assert!(!rights(&room.clients[BOB].1, bob).contains(Rights::MICROPHONE));
}

/// Bob gives these orders, and only they say that Carol may speak and nobody else.
fn give_orders_of_all_kinds(room: &mut Room) {
    let (carol, dave) = (room.id(CAROL), room.id(3));
    for command in [
        order(FloorTarget::Everyone, Rights::MICROPHONE, false),
        order(FloorTarget::Person(carol), Rights::MICROPHONE, true),
        order(FloorTarget::Person(dave), Rights::CAMERA, false),
    ] {
        room.at(BOB).command(command);
    }
}

#[test]
fn somebody_who_is_admitted_by_a_manager_who_did_not_know_the_orders_gets_them_from_their_author() {
    let mut room = Room::new(3);
    let (bob, carol, dave, erin) = (room.id(BOB), room.id(CAROL), room.id(3), ParticipantId(5));
    room.command(0, Command::SetRole(bob, Role::CoOrganiser));
    let (mut client, request) = Client::knocking(&room.clients[0].1, erin.0);
    room.at(0).receive(Down::Knocked { participant: erin, request });
    let admission = room.at(0).committed();
    give_orders_of_all_kinds(&mut room);
    for message in room.at(BOB).sent() {
        if let Up::Tell { epoch, blob } = message {
            room.log(&LogEntry::Told { from: bob, epoch, blob });
        }
    }
    room.log(&admission.entry);
    client.admit(&admission, room.next);
    room.clients.push((erin, client));
    room.exchange();
    let seen = |id, right| may(&room, id, right);
    assert_eq!([ADA, bob, carol, dave, erin].map(|id| seen(id, Rights::MICROPHONE)), [true, true, true, false, false]);
    assert!(!seen(dave, Rights::CAMERA) && seen(erin, Rights::CAMERA));
    room.wait(timing::FOLD_INTERVAL);
    assert!(by_policy(&room, CAROL).contains(Rights::MICROPHONE) && !by_policy(&room, 4).contains(Rights::MICROPHONE));
}

#[test]
fn the_first_order_of_a_new_manager_follows_the_orders_that_it_does_not_know() {
    let mut room = Room::new(2);
    let carol = room.id(CAROL);
    // The policy says the same as the last one of these, so they are never a part of it.
    for allow in [false, true, false, true] {
        room.command(0, order(FloorTarget::Person(carol), Rights::MICROPHONE, allow));
    }
    let late = room.join();
    let late_id = room.id(late);
    room.command(0, Command::SetRole(late_id, Role::CoOrganiser));
    room.command(late, mute(carol));
    assert!(!may(&room, carol, Rights::MICROPHONE));
}

#[test]
fn nobody_gets_rid_of_an_order_by_leaving_and_coming_back_at_once() {
    let mut room = Room::new(2);
    let bob = room.id(BOB);
    room.command(0, mute(bob));
    // Bob cannot follow the group any more, or says so, and enters it again as participant 9.
    let next = Position(room.next);
    room.at(BOB).receive(Down::Log { position: next, entry: LogEntry::Gone { participant: bob, by: None } });
    let mut client = room.clients.remove(BOB).1;
    room.log(&LogEntry::Gone { participant: bob, by: None });
    room.exchange();
    client.wait(Duration::from_secs(1));
    assert!(client.meeting.poll_reconnect());
    client.meeting.handle_connected(client.now);
    let back = ParticipantId(9);
    let request = client.knock(&room.clients[0].1, back.0);
    room.at(0).receive(Down::Knocked { participant: back, request });
    room.admit(client, back);
    assert!(!may(&room, back, Rights::MICROPHONE) && may(&room, back, Rights::CAMERA));
    room.command(0, order(FloorTarget::Person(back), Rights::MICROPHONE, true));
    room.wait(timing::FOLD_INTERVAL);
    assert!(may(&room, back, Rights::MICROPHONE) && by_policy(&room, 2).contains(Rights::MICROPHONE));
    assert_eq!(room.clients[0].1.meeting.policy().unwrap().people().len(), 1, "nobody is listed without a reason");
}

#[test]
fn an_organiser_who_comes_back_is_told_nothing_about_its_role() {
    let (mut organiser, mut guest) = Client::two();
    let chain = organiser.admission_key();
    let request = recovery::come_back(&mut organiser, chain);
    guest.log(1, LogEntry::Gone { participant: ADA, by: None });
    let removal = guest.committed();
    guest.log(2, removal.entry);
    guest.receive(request);
    guest.wait(timing::COMMIT_INTERVAL);
    let commit = guest.committed();
    organiser.admit(&commit, 4);
    let claim = organiser.committed();
    organiser.log(4, claim.entry);
    let Phase::Member(joined) = &organiser.meeting.phase else { panic!("it is a member") };
    assert_eq!(joined.roster.own().0, Role::Organiser);
    assert!(own_changes(&mut organiser).is_empty());
}

//! What users want is not lost if the group changes at that moment, or the connection ends.

use super::super::moderation_message::FloorMessage;
use super::floor::{by_policy, forge, may, mute, order, rights};
use super::lobby::{again, asked, refused_by_rule, send_back};
use super::roles::{BOB, Pair, refusals};
use super::room::Room;
use super::*;
use proto::{MeetingFlags, NextAuthority, Rights, Role};

/// Returns a meeting of the organiser, the co-organiser Bob, Carol and Dave.
fn with_co_organiser() -> (Room, [ParticipantId; 3]) {
    let mut room = Room::new(3);
    let ids = [1, 2, 3].map(|number| room.id(number));
    room.command(0, Command::SetRole(ids[0], Role::CoOrganiser));
    room.forget();
    (room, ids)
}

/// Returns the rights that the policy takes from the person of a device.
fn withdrawn(room: &Room, device: crypto::DeviceKey) -> Rights {
    let policy = room.clients[0].1.meeting.policy().expect("it is a member");
    policy.people().iter().find(|person| person.device == device).map_or(Rights::NONE, |person| person.withdrawn)
}

fn device(room: &Room, number: usize) -> crypto::DeviceKey {
    room.clients[number].1.meeting.entrant.identity.public()
}

#[test]
fn an_order_about_somebody_who_is_sent_back_counts_for_the_device_that_comes_back() {
    let (mut room, [_, carol, _]) = with_co_organiser();
    let device = device(&room, 2);
    room.command(0, mute(carol));
    room.command(0, Command::SendBack(carol));
    assert!(room.at(2).meeting.me().is_none(), "it is sent back");
    assert_eq!(withdrawn(&room, device), Rights::MICROPHONE);
}

#[test]
fn an_order_of_a_manager_outlives_its_removal() {
    let (mut room, [bob, carol, dave]) = with_co_organiser();
    room.command(1, mute(carol));
    room.command(1, order(FloorTarget::Person(dave), Rights::CAMERA, false));
    room.command(0, Command::Remove(bob));
    room.clients.remove(1);
    assert!(!may(&room, carol, Rights::MICROPHONE) && !may(&room, dave, Rights::CAMERA));
    assert!(!by_policy(&room, 1).contains(Rights::MICROPHONE) && may(&room, carol, Rights::CAMERA));
}

#[test]
fn orders_outlive_the_leaves_of_their_author_and_of_those_whom_they_are_about() {
    let (mut room, [bob, carol, dave]) = with_co_organiser();
    let device = device(&room, 2);
    room.command(1, mute(carol));
    room.command(1, mute(dave));
    // Both leave at the same time.
    for id in [bob, carol] {
        room.clients.retain(|(other, _)| *other != id);
        room.log(&LogEntry::Gone { participant: id, by: None });
    }
    room.exchange();
    assert_eq!(withdrawn(&room, device), Rights::MICROPHONE);
    assert!(!may(&room, dave, Rights::MICROPHONE));
}

#[test]
fn the_orders_before_a_stop_of_everything_count_after_it() {
    let (mut room, [_, carol, _]) = with_co_organiser();
    let device = device(&room, 2);
    room.at(1).command(order(FloorTarget::Everyone, Rights::CAMERA, false));
    room.exchange();
    room.command(0, mute(carol));
    room.command(0, Command::StopEverything);
    room.clients.truncate(1);
    let policy = room.clients[0].1.meeting.policy().unwrap();
    assert!(!policy.default_rights(Role::Participant).contains(Rights::CAMERA));
    assert!(policy.flags().contains(MeetingFlags::WAITING_ROOM));
    assert_eq!(withdrawn(&room, device), Rights::MICROPHONE);
}

/// Lets the organiser of a pair lose its place, and the guest admit it again. Returns the commit by which it is the organiser
/// again, which is not in the log yet.
fn lose_the_place(pair: &mut Pair) -> Commit {
    let chain = pair.organiser.admission_key();
    pair.organiser.events();
    let request = recovery::come_back(&mut pair.organiser, chain);
    pair.guest.log(pair.next, LogEntry::Gone { participant: ADA, by: None });
    let removal = pair.guest.committed();
    pair.guest.log(pair.next + 1, removal.entry);
    pair.guest.receive(request);
    pair.guest.wait(timing::COMMIT_INTERVAL);
    let admission = pair.guest.committed();
    pair.guest.log(pair.next + 2, admission.entry.clone());
    pair.next += 3;
    pair.organiser.admit(&admission, pair.next);
    pair.organiser.committed()
}

#[test]
fn a_stop_of_everything_happens_after_the_organiser_is_back() {
    let mut pair = Pair::new();
    pair.organiser.command(Command::StopEverything);
    assert_eq!(pair.organiser.committed().removed, [BOB], "lost");
    let claim = lose_the_place(&mut pair);
    pair.log(&claim.entry);
    let stop = pair.organiser.committed();
    assert_eq!(stop.removed, [BOB]);
    pair.log(&stop.entry);
    assert!(pair.organiser.meeting.policy().unwrap().flags().contains(MeetingFlags::WAITING_ROOM));
    assert!(pair.guest.events().iter().any(|event| matches!(event, Event::Lobby(LobbyEvent::SentBack))));
    assert!(refusals(&mut pair.organiser).is_empty());
}

/// A command in the moment between the return and the commit for it was refused, although the user is the organiser.
#[test]
fn commands_wait_until_the_organiser_is_one_again() {
    for (command, is_end) in [(Command::Remove(BOB), false), (Command::StopEverything, false), (Command::End, true)] {
        let mut pair = Pair::new();
        let claim = lose_the_place(&mut pair);
        pair.organiser.command(command);
        assert!(refusals(&mut pair.organiser).is_empty());
        pair.organiser.sent();
        pair.log(&claim.entry);
        if is_end {
            let is_end = |message: &Up| {
                let Up::Manage { command, .. } = message else { return false };
                matches!(proto::decode(&command.0), Ok(ManagerCommand::End))
            };
            assert!(pair.organiser.sent().iter().any(is_end));
        } else {
            assert_eq!(pair.organiser.committed().removed, [BOB]);
        }
        assert!(refusals(&mut pair.organiser).is_empty());
    }
}

#[test]
fn who_is_not_the_organiser_any_more_learns_that_nothing_is_stopped() {
    let mut pair = Pair::new();
    pair.promote();
    pair.organiser.events();
    pair.organiser.command(Command::HandOver(BOB));
    let hand_over = pair.organiser.committed();
    pair.organiser.command(Command::StopEverything);
    pair.log(&hand_over.entry);
    assert_eq!(refusals(&mut pair.organiser), [Notice::PolicyRefused(PolicyRefusal::NotAllowed)]);
    pair.organiser.wait(Duration::from_secs(1));
    assert!(pair.organiser.sent().into_iter().all(|message| as_commit(message, ADA).is_none()));
}

#[test]
fn an_order_counts_after_its_author_has_lost_its_place_and_is_back() {
    let mut pair = Pair::new();
    pair.organiser.command(mute(BOB));
    pair.exchange();
    let claim = lose_the_place(&mut pair);
    pair.log(&claim.entry);
    pair.exchange();
    assert!(!rights(&pair.guest, BOB).contains(Rights::MICROPHONE));
    for client in [&mut pair.organiser, &mut pair.guest] {
        client.receive(Down::Ping);
        client.wait(timing::FOLD_INTERVAL);
    }
    pair.exchange();
    let device = pair.guest.meeting.entrant.identity.public();
    assert!(!pair.organiser.meeting.policy().unwrap().rights_of(device, BOB).contains(Rights::MICROPHONE));
}

#[test]
fn the_meeting_ends_although_another_manager_changes_the_keys_at_that_moment() {
    let mut pair = Pair::new();
    pair.promote();
    pair.organiser.events();
    let ends = |client: &mut Client| {
        let signed = client.sent().into_iter().filter_map(|message| signed(message, ADA));
        signed.filter(|signed| matches!(signed.decode(), Ok(ManagerCommand::End))).collect::<Vec<_>>()
    };
    pair.guest.command(Command::ChangeLink);
    pair.organiser.command(Command::End);
    assert_eq!(ends(&mut pair.organiser).len(), 1, "the server ignores it: the keys before have signed it");
    pair.exchange_of_guest();
    assert!(pair.organiser.reason().is_none(), "it has not ended");
    let end = ends(&mut pair.organiser);
    assert_eq!(end.len(), 1, "signed with the new keys");
    for client in [&mut pair.organiser, &mut pair.guest] {
        client.receive(Down::Ended { signed: end[0].clone() });
    }
    assert_eq!((pair.organiser.reason(), pair.guest.reason()), (Some(Reason::Left), Some(Reason::Ended)));
}

#[test]
fn the_end_of_the_meeting_is_sent_again_after_the_connection_was_lost() {
    let (mut organiser, _) = Client::two();
    organiser.command(Command::End);
    organiser.sent();
    organiser.meeting.handle_disconnected(organiser.now);
    organiser.wait(Duration::ZERO);
    assert!(organiser.meeting.poll_reconnect());
    organiser.meeting.handle_connected(organiser.now);
    organiser.receive(hello(ParticipantId(77)));
    organiser.sent();
    organiser.receive(Down::Resumed);
    assert_eq!(organiser.commands()[0], ManagerCommand::End);
    organiser.events();
    // If the server had obeyed, there is no meeting any more.
    recovery::lose(&mut organiser);
    organiser.meeting.handle_connected(organiser.now);
    organiser.receive(hello(ParticipantId(78)));
    organiser.receive(Down::Problem { problem: Problem::NotResumable });
    organiser.meeting.handle_disconnected(organiser.now);
    organiser.wait(Duration::ZERO);
    organiser.meeting.handle_connected(organiser.now);
    organiser.receive(hello(ParticipantId(79)));
    organiser.receive(Down::Problem { problem: Problem::NoMeeting });
    assert_eq!(organiser.reason(), Some(Reason::Left));
}

/// The highest number that a manager may use, and a higher one.
#[test]
fn no_number_of_a_manager_keeps_others_from_giving_later_orders() {
    for is_allowed in [true, false] {
        let (mut room, [bob, carol, dave]) = with_co_organiser();
        room.command(0, Command::SetRole(dave, Role::CoOrganiser));
        // Carol is muted by the policy, so an order that says the same never becomes a part of it.
        room.command(0, mute(carol));
        room.wait(timing::FOLD_INTERVAL);
        let epoch = mls_epoch(&room);
        let lamport = if is_allowed { (epoch + 1) * 65_536 - 1 } else { u64::MAX };
        let rights = Rights::MICROPHONE.bits();
        forge(&mut room, 1, FloorMessage::Set { lamport, target: Some(carol), rights, allow: false });
        // Dave is the second co-organiser.
        room.command(3, order(FloorTarget::Person(carol), Rights::MICROPHONE, true));
        assert!(may(&room, carol, Rights::MICROPHONE), "{bob:?} used {lamport}");
        room.wait(timing::FOLD_INTERVAL);
        assert!(may(&room, carol, Rights::MICROPHONE) && by_policy(&room, 2).contains(Rights::MICROPHONE));
    }
}

fn mls_epoch(room: &Room) -> u64 {
    let Phase::Member(joined) = &room.clients[0].1.meeting.phase else { panic!("it is a member") };
    joined.log.group().epoch().0
}

#[test]
fn a_manager_who_is_appointed_later_knows_who_was_sent_back() {
    let mut pair = Pair::new();
    send_back(&mut pair);
    pair.organiser.sent();
    let device = pair.guest.meeting.entrant.identity.public();
    // Carl joins later, becomes a manager, and the waiting room is off again.
    pair.organiser.command(Command::SetFlags { flags: MeetingFlags::WAITING_ROOM, set: false });
    let commit = pair.organiser.committed();
    pair.organiser.log(pair.next, commit.entry);
    pair.next += 1;
    let (mut carl, request) = Client::knocking(&pair.organiser, 3);
    pair.organiser.receive(Down::Knocked { participant: ParticipantId(3), request });
    let admission = pair.organiser.sent().into_iter().find_map(|message| as_commit(message, ADA)).unwrap();
    let admission = Commit { tree: pair.organiser.tree.clone(), ..admission };
    pair.organiser.log(pair.next, admission.entry.clone());
    carl.admit(&admission, pair.next + 1);
    let mut room =
        Room { clients: vec![(ADA, pair.organiser), (ParticipantId(3), carl)], next: pair.next + 1, told: Vec::new() };
    room.exchange();
    room.command(0, Command::SetRole(ParticipantId(3), Role::CoOrganiser));
    room.forget();
    let entry = again(pair.guest.meeting);
    let mut guest = Client::new(entry);
    let request = guest.knock(&room.clients[0].1, 9);
    assert_eq!(guest.meeting.entrant.identity.public(), device);
    let carl = room.at(1);
    carl.receive(Down::Knocked { participant: ParticipantId(9), request });
    carl.wait(timing::ADMISSION_INTERVAL * 2);
    assert!(refused_by_rule(carl), "no rule admits it");
    let [(_, evidence)] = &asked(carl)[..] else { panic!("the user is asked") };
    assert!(evidence.sent_back);
}

#[test]
fn a_removal_that_cannot_be_merged_lets_the_member_ask_again() {
    let mut pair = Pair::new();
    pair.guest.events();
    let command =
        ManagerCommand::Commit { epoch: Epoch(1), blob: Blob(vec![1; 40]), removed: vec![BOB], rotation: None };
    let manager = pair.organiser.meeting.manager.as_mut().unwrap();
    let removal = signed(manager.command(&command, Vec::new()), ADA).unwrap();
    pair.guest.receive(Down::Removed { signed: removal });
    assert!(matches!(pair.guest.events()[..], [Event::Lobby(LobbyEvent::SentBack)]));
    pair.guest.wait(Duration::from_millis(200));
    assert!(pair.guest.meeting.poll_reconnect(), "it asks again");
}

#[test]
fn the_keys_of_a_lost_commit_are_not_those_of_a_commit_that_takes_the_role_of_their_receiver() {
    let (mut room, [bob, ..]) = with_co_organiser();
    room.at(0).command(Command::ChangeLink);
    let sent = room.at(0).sent();
    assert!(sent.iter().any(|message| matches!(message, Up::Tell { .. })), "Bob gets the next keys");
    let lost = sent.into_iter().find_map(|message| as_commit(message, ADA)).unwrap();
    room.at(0).command(Command::SetRole(bob, Role::Participant));
    // Carol's commit wins the epoch. Then the organiser takes the role from Bob.
    room.at(2).wait(timing::COMMIT_INTERVAL);
    room.at(2).command(Command::Refresh);
    let winning = room.at(2).committed();
    room.log(&winning.entry);
    let next = room.at(0).sent().into_iter().find_map(|message| as_commit(message, ADA)).unwrap();
    room.log(&next.entry);
    let policy = room.clients[0].1.meeting.policy().unwrap();
    assert_eq!(policy.people().len(), 1, "Bob is no manager any more");
    let authority = |commit| next_authority(commit).expect("the keys change").rotation[..32].to_vec();
    assert_ne!(authority(&next), authority(&lost), "Bob has the keys of the lost commit");
}

fn next_authority(commit: &Commit) -> Option<NextAuthority> {
    let LogEntry::Managed { signed } = &commit.entry else { return None };
    let Ok(ManagerCommand::Commit { rotation, .. }) = signed.decode() else { return None };
    rotation
}

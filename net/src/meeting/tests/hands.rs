//! Raised hands: their order, who lowers them, and what those learn who come later.

use super::super::moderation_message::HandMessage;
use super::super::state::Message;
use super::room::Room;
use super::*;
use proto::{Rights, Role};

/// Returns the last queue that a client reported.
fn queue(client: &mut Client) -> Vec<ParticipantId> {
    let hands = |event| if let Event::Hands(hands) = event { Some(hands) } else { None };
    client.events().into_iter().filter_map(hands).next_back().unwrap_or_default()
}

fn all_see(room: &mut Room, expected: &[ParticipantId]) {
    for number in 0..room.clients.len() {
        assert_eq!(queue(room.at(number)), expected, "client {number}");
    }
}

/// A client that does not ask whether it may: sends a message all the same.
fn forge(room: &mut Room, number: usize, message: HandMessage) {
    let from = room.id(number);
    let Phase::Member(joined) = &mut room.at(number).meeting.phase else { panic!("it is a member") };
    let Some(Up::Tell { epoch, blob }) = joined.log.seal(&Message::Hands(message)) else { panic!("it can encrypt") };
    room.log(&LogEntry::Told { from, epoch, blob });
    room.exchange();
}

#[test]
fn hands_are_in_the_order_of_the_log_for_all() {
    let mut room = Room::new(3);
    let [bob, carol, dave] = [1, 2, 3].map(|number| room.id(number));
    room.forget();
    // Dave and Bob raise theirs before either has heard of the other.
    room.at(3).command(Command::RaiseHand(true));
    room.at(1).command(Command::RaiseHand(true));
    room.exchange();
    room.command(2, Command::RaiseHand(true));
    all_see(&mut room, &[bob, dave, carol]);
    room.command(1, Command::RaiseHand(false));
    all_see(&mut room, &[dave, carol]);
    room.command(1, Command::RaiseHand(true));
    all_see(&mut room, &[dave, carol, bob]);
    room.command(1, Command::RaiseHand(true));
    for number in 0..4 {
        assert!(room.at(number).events().is_empty(), "it is up already");
    }
}

#[test]
fn managers_lower_hands_and_others_only_their_own() {
    let mut room = Room::new(3);
    let [bob, carol, dave] = [1, 2, 3].map(|number| room.id(number));
    room.command(0, Command::SetRole(bob, Role::CoOrganiser));
    for number in 0..4 {
        room.command(number, Command::RaiseHand(true));
    }
    room.forget();
    room.command(2, Command::LowerHand(Some(dave)));
    assert!(matches!(room.at(2).events()[..], [Event::Notice(Notice::NotAllowed)]));
    forge(&mut room, 2, HandMessage::LowerOf { participant: dave });
    forge(&mut room, 2, HandMessage::LowerAll);
    forge(&mut room, 1, HandMessage::LowerOf { participant: ADA });
    assert!(room.at(0).events().is_empty());
    room.command(1, Command::LowerHand(Some(carol)));
    let lowered = room.at(2).events();
    assert!(lowered.iter().any(|event| matches!(event, Event::HandLowered { by } if *by == bob)), "{}", lowered.len());
    room.forget();
    room.command(1, Command::LowerHand(None));
    all_see(&mut room, &[ADA]);
    room.command(2, Command::RaiseHand(true));
    room.command(0, Command::LowerHand(None));
    all_see(&mut room, &[]);
}

#[test]
fn somebody_who_comes_later_learns_the_queue_and_nobody_gets_ahead_by_claiming_it() {
    let mut room = Room::new(3);
    let [bob, carol, dave] = [1, 2, 3].map(|number| room.id(number));
    room.command(2, Command::RaiseHand(true));
    room.command(1, Command::RaiseHand(true));
    room.forget();
    let late = room.join();
    assert_eq!(queue(room.at(late)), [carol, bob]);
    for number in 0..4 {
        assert!(queue(room.at(number)).is_empty(), "nothing changed for those who knew it");
    }
    forge(&mut room, 3, HandMessage::Raise { since: Some(Position(0)) });
    for number in 0..3 {
        assert_eq!(queue(room.at(number)), [carol, bob, dave]);
    }
}

#[test]
fn a_hand_goes_down_with_its_owner_and_keeps_its_place_if_the_owner_comes_back() {
    let mut room = Room::new(3);
    let [bob, carol, dave] = [1, 2, 3].map(|number| room.id(number));
    for number in [2, 3, 1] {
        room.command(number, Command::RaiseHand(true));
    }
    room.forget();
    // Carol cannot follow the group any more, and enters it again as participant 9.
    let next = Position(room.next);
    room.at(2).receive(Down::Log { position: next, entry: LogEntry::Gone { participant: carol, by: None } });
    let mut client = room.clients.remove(2).1;
    room.log(&LogEntry::Gone { participant: carol, by: None });
    room.exchange();
    for number in 0..3 {
        assert_eq!(queue(room.at(number)), [dave, bob]);
    }
    client.wait(Duration::from_secs(1));
    assert!(client.meeting.poll_reconnect());
    client.meeting.handle_connected(client.now);
    let request = client.knock(&room.clients[0].1, 9);
    room.at(0).receive(Down::Knocked { participant: ParticipantId(9), request });
    room.admit(client, ParticipantId(9));
    let back = ParticipantId(9);
    for number in 0..3 {
        assert_eq!(queue(room.at(number)), [back, dave, bob]);
    }
    assert_eq!(queue(room.at(3)), [back, dave, bob]);
}

#[test]
fn somebody_without_the_right_to_react_has_no_hand_whatever_it_sends() {
    let mut room = Room::new(2);
    let [bob, carol] = [1, 2].map(|number| room.id(number));
    room.command(1, Command::RaiseHand(true));
    room.command(2, Command::RaiseHand(true));
    all_see(&mut room, &[bob, carol]);
    room.command(0, Command::WithdrawRights(carol, Rights::REACT));
    all_see(&mut room, &[bob]);
    room.command(2, Command::RaiseHand(true));
    assert!(room.at(2).events().iter().any(|event| matches!(event, Event::Notice(Notice::NotAllowed))));
    for since in [None, Some(Position(0)), Some(Position(u64::MAX))] {
        forge(&mut room, 2, HandMessage::Raise { since });
    }
    for number in 0..3 {
        assert!(room.at(number).events().is_empty());
    }
}

#[test]
fn a_manager_who_has_lowered_all_hands_can_raise_its_own_again() {
    let mut room = Room::new(1);
    room.forget();
    let bob = room.id(1);
    for command in [Command::LowerHand(None), Command::LowerHand(Some(ADA))] {
        room.command(0, Command::RaiseHand(true));
        room.command(1, Command::RaiseHand(true));
        room.command(0, command);
        room.command(1, Command::RaiseHand(false));
        assert!(room.at(0).events().iter().all(|event| !matches!(event, Event::HandLowered { .. })), "it knows");
        room.command(0, Command::RaiseHand(true));
        room.command(1, Command::RaiseHand(true));
        all_see(&mut room, &[ADA, bob]);
        room.command(0, Command::LowerHand(None));
        room.forget();
    }
}

/// Some members have deleted the secrets of the epoch in which a manager lowered a hand, the owner of the hand among them.
#[test]
fn a_hand_that_a_manager_has_lowered_is_down_also_for_those_who_could_not_read_it() {
    for all in [false, true] {
        let mut room = Room::new(2);
        let bob = room.id(1);
        room.command(1, Command::RaiseHand(true));
        room.at(0).command(Command::LowerHand(Some(bob).filter(|_| !all)));
        let late = room.at(0).sent();
        // Two seconds after a commit of Carol's, Bob cannot read it any more.
        room.at(2).wait(timing::COMMIT_INTERVAL);
        room.at(2).command(Command::Refresh);
        let commit = room.at(2).committed();
        room.log(&commit.entry);
        room.forget();
        room.at(1).wait(timing::PAST_EPOCH_TIMEOUT);
        for message in late {
            if let Up::Tell { epoch, blob } = message {
                room.log(&LogEntry::Told { from: ADA, epoch, blob });
            }
        }
        assert!(room.at(1).events().is_empty(), "Bob does not know");
        room.exchange();
        let events = room.at(1).events();
        assert!(events.iter().any(|event| matches!(event, Event::HandLowered { by: ADA })), "all: {all}");
    }
}

#[test]
fn a_hand_is_up_or_down_for_somebody_who_joins_while_it_changes() {
    for up in [true, false] {
        let mut room = Room::new(1);
        let bob = room.id(1);
        if !up {
            room.command(1, Command::RaiseHand(true));
        }
        let erin = ParticipantId(5);
        let (mut client, request) = Client::knocking(&room.clients[0].1, erin.0);
        room.at(0).receive(Down::Knocked { participant: erin, request });
        let admission = room.at(0).committed();
        // Bob does not know yet that somebody joins, who cannot read his message therefore.
        room.at(1).command(Command::RaiseHand(up));
        let sent = room.at(1).sent();
        room.log(&admission.entry);
        client.admit(&admission, room.next);
        room.clients.push((erin, client));
        let announced = room.at(1).sent();
        for message in sent.into_iter().chain(announced) {
            if let Up::Tell { epoch, blob } = message {
                room.log(&LogEntry::Told { from: bob, epoch, blob });
            }
        }
        room.exchange();
        let expected: &[ParticipantId] = if up { &[bob] } else { &[] };
        all_see(&mut room, expected);
    }
}

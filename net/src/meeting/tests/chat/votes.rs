//! Votes: who asks, whose ballots count, what those who come late know.

use super::*;

impl Room {
    fn ask(&mut self, id: ParticipantId, secret: bool) -> LineId {
        self.ask_about(id, "when?", secret)
    }

    fn ask_about(&mut self, id: ParticipantId, question: &str, secret: bool) -> LineId {
        let text = |text| Text::new(text).unwrap();
        let options = vec![text("now"), text("later")];
        self.command(id, ChatCommand::StartVote { question: text(question), options, secret });
        self.exchange();
        self.seat(id).find(question).id
    }

    fn vote(&mut self, id: ParticipantId, vote: LineId) -> Vote {
        self.seat(id).lines[&vote].vote.clone().expect("it is a vote")
    }

    /// Lets a member send everything that a changed program can send against a vote.
    fn forge_against(&mut self, id: ParticipantId, vote: LineId) {
        for forged in hostile::against_vote(&self.seat(id).client.meeting, vote, 0) {
            self.forge(id, forged.body);
        }
    }

    fn counts(&mut self, id: ParticipantId, vote: LineId) -> Vec<Option<u32>> {
        self.vote(id, vote).options.iter().map(|option| option.count).collect()
    }
}

#[test]
fn all_count_the_ballots_of_an_open_vote_and_only_who_asks_ends_it() {
    let mut room = Room::of(2);
    let text = Text::new("x").unwrap();
    room.command(EVE, ChatCommand::StartVote { question: text.clone(), options: vec![text; 2], secret: false });
    assert_eq!(room.seat(EVE).notices, [Notice::NotAllowed], "she is a guest");
    let vote = room.ask(ADA, false);
    for (id, choice) in [(BOB, 0), (EVE, 1), (BOB, 1), (ADA, 0)] {
        room.command(id, ChatCommand::Choose { vote, choice });
        room.exchange();
    }
    room.command(EVE, ChatCommand::EndVote(vote));
    room.forge_against(EVE, vote);
    room.command(BOB, ChatCommand::Edit { line: vote, text: Text::new("another question").unwrap() });
    for id in [ADA, BOB, EVE] {
        assert_eq!(room.counts(id, vote), [Some(1), Some(2)]);
        assert_eq!(
            (room.vote(id, vote).options[0].voters.clone(), room.vote(id, vote).ended),
            (vec!["Ada".into()], false)
        );
    }
    room.members[0].client.command(Command::WithdrawRights(BOB, Rights::REACT));
    room.exchange();
    room.command(BOB, ChatCommand::Choose { vote, choice: 0 });
    room.exchange();
    room.command(ADA, ChatCommand::Edit { line: vote, text: Text::new("another question").unwrap() });
    room.command(ADA, ChatCommand::EndVote(vote));
    room.exchange();
    room.command(EVE, ChatCommand::Choose { vote, choice: 0 });
    room.exchange();
    for id in [ADA, BOB, EVE] {
        assert_eq!((room.counts(id, vote), room.vote(id, vote).ended), (vec![Some(1), Some(2)], true));
        assert!(!room.seat(id).find("when?").edited);
    }
}

#[test]
fn only_the_client_that_asks_knows_secret_ballots_and_its_sums_are_shown_at_the_end() {
    let mut room = Room::of(2);
    let vote = room.ask(ADA, true);
    for (id, choice) in [(BOB, 0), (EVE, 1), (BOB, 1), (ADA, 1)] {
        room.command(id, ChatCommand::Choose { vote, choice });
        room.exchange();
    }
    // A ballot that everybody can read, an own end: neither counts.
    let open = hostile::ballot_of(&room.seat(EVE).client.meeting, vote, 0, u64::MAX - 1).unwrap();
    room.forge(EVE, open);
    room.forge_against(EVE, vote);
    let known = |vote: Vote| (vote.ballots, vote.mine, vote.options.iter().all(|option| option.count.is_none()));
    assert_eq!(known(room.vote(ADA, vote)), (3, Some(1), true));
    assert_eq!(known(room.vote(BOB, vote)), (0, Some(1), true));
    assert_eq!(known(room.vote(EVE, vote)), (0, Some(1), true));
    room.command(ADA, ChatCommand::EndVote(vote));
    room.exchange();
    for id in [ADA, BOB, EVE] {
        assert_eq!(room.counts(id, vote), [Some(0), Some(3)]);
        assert!(room.vote(id, vote).options.iter().all(|option| option.voters.is_empty()));
    }
}

#[test]
fn an_earlier_ballot_that_arrives_later_counts_nowhere_and_a_later_one_counts_once() {
    let mut room = Room::of(2);
    let vote = room.ask(ADA, false);
    let ballot = |room: &mut Room, choice, number| {
        hostile::ballot_of(&room.seat(EVE).client.meeting, vote, choice, number).unwrap()
    };
    for (choice, number) in [(0, 5), (1, 7), (0, 6), (0, 7), (1, 8), (1, 8)] {
        let body = ballot(&mut room, choice, number);
        room.forge(EVE, body);
    }
    // Eve's client cannot decrypt what was sealed behind its back.
    for id in [ADA, BOB] {
        assert_eq!((room.counts(id, vote), room.vote(id, vote).ballots), (vec![Some(0), Some(1)], 1), "{id:?}");
    }
}

#[test]
fn those_who_come_late_know_the_open_votes_and_their_ballots_by_the_rule_and_vote() {
    let mut room = Room::of(2);
    let before = room.ask_about(ADA, "before?", false);
    room.set_flag(MeetingFlags::CHAT_HISTORY, true);
    let vote = room.ask(ADA, false);
    for (id, choice) in [(BOB, 0), (EVE, 1)] {
        room.command(id, ChatCommand::Choose { vote, choice });
        room.exchange();
    }
    let late = ParticipantId(4);
    room.join(late);
    assert_eq!(room.counts(late, vote), [Some(1), Some(1)]);
    assert!(!room.seat(late).lines.contains_key(&before), "it was begun without the rule");
    let place = room.seat(BOB).lines[&vote].place;
    assert_eq!(room.seat(late).lines[&vote].place, place);
    room.command(late, ChatCommand::Choose { vote, choice: 1 });
    room.exchange();
    room.command(BOB, ChatCommand::Choose { vote, choice: 1 });
    room.exchange();
    room.command(ADA, ChatCommand::EndVote(vote));
    room.exchange();
    for id in [ADA, BOB, EVE, late] {
        assert_eq!((room.counts(id, vote), room.vote(id, vote).ended), (vec![Some(0), Some(3)], true));
    }
    // A vote that has ended is not passed on.
    room.join(ParticipantId(5));
    assert!(!room.seat(ParticipantId(5)).lines.contains_key(&vote));
}

#[test]
fn those_who_come_late_vote_in_secret_and_get_no_ballot_of_others() {
    let mut room = Room::of(2);
    room.set_flag(MeetingFlags::CHAT_HISTORY, true);
    let vote = room.ask(ADA, true);
    room.command(BOB, ChatCommand::Choose { vote, choice: 0 });
    room.exchange();
    let late = ParticipantId(4);
    room.join(late);
    assert_eq!(room.counts(late, vote), [None, None]);
    room.command(late, ChatCommand::Choose { vote, choice: 1 });
    room.exchange();
    // Ada's key was asked for a moment ago, so it comes after five seconds.
    room.wait(Duration::from_secs(6));
    room.exchange();
    assert_eq!(room.vote(ADA, vote).ballots, 2);
    room.command(ADA, ChatCommand::EndVote(vote));
    room.exchange();
    for id in [ADA, BOB, EVE, late] {
        assert_eq!(room.counts(id, vote), [Some(1), Some(1)]);
    }
}

/// The server leaves out a ballot for one member. It must say so, and the member gets the ballot from who asks.
#[test]
fn a_ballot_that_the_server_withholds_from_a_member_is_made_good_by_who_asks() {
    let mut room = Room::of(2);
    room.set_flag(MeetingFlags::CHAT_HISTORY, true);
    let vote = room.ask(ADA, false);
    room.command(BOB, ChatCommand::Choose { vote, choice: 1 });
    let (ballot, position) = (room.told(BOB).remove(0), room.next);
    for seat in &mut room.members {
        if seat.id == EVE {
            seat.client.receive(Down::Skipped { position: Position(position), count: 1 });
        } else {
            seat.client.log(position, ballot.clone());
        }
        seat.note_events();
    }
    room.next += 1;
    assert_eq!(room.counts(EVE, vote), [Some(0), Some(0)]);
    // Eve has asked when she entered, and asks again after ten seconds. A client that hears nothing for eight seconds connects
    // again.
    room.wait(Duration::from_secs(6));
    room.exchange();
    room.wait(Duration::from_secs(6));
    room.exchange();
    for id in [ADA, BOB, EVE] {
        assert_eq!(room.counts(id, vote), [Some(0), Some(1)], "{id:?}");
    }
}

#[test]
fn who_asks_passes_on_no_ballot_that_nobody_has_signed() {
    let mut room = Room::of(1);
    room.set_flag(MeetingFlags::CHAT_HISTORY, true);
    room.members[0].client.command(Command::SetRole(BOB, proto::Role::Presenter));
    room.exchange();
    let late = ParticipantId(4);
    room.join(late);
    // It has asked just now, so it takes answers. The vote counts as a vote of Bob, the ballot does not.
    for forged in hostile::messages(
        &room.seat(BOB).client.meeting,
        LineId { device: crypto::DeviceKey([9; 32]), counter: 1 },
        "Ada",
        late,
    ) {
        if forged.kind == "ChatMessage::OpenVote" {
            room.forge(BOB, forged.body);
        }
    }
    let votes: Vec<_> = room.seat(late).lines.values().filter_map(|line| line.vote.clone()).collect();
    assert_eq!(votes.iter().map(|vote| vote.ballots).collect::<Vec<_>>(), [0]);
    assert!(room.seat(ADA).lines.values().all(|line| line.vote.is_none()), "she has not asked");
}

/// The names of voters who are not in the meeting are those in their ballots.
#[test]
fn who_asks_passes_on_no_ballot_under_a_name_that_could_deceive() {
    for (name, counts) in [("Dan", 1_u32), ("Dan\u{202e}", 0), ("", 0), (&*"x".repeat(1_000), 0)] {
        let mut room = Room::of(1);
        room.set_flag(MeetingFlags::CHAT_HISTORY, true);
        room.members[0].client.command(Command::SetRole(BOB, proto::Role::Presenter));
        room.exchange();
        let late = ParticipantId(4);
        room.join(late);
        let body = hostile::open_vote_under(name, late, &room.seat(BOB).client.meeting).unwrap();
        room.forge(BOB, body);
        let votes: Vec<_> = room.seat(late).lines.values().filter_map(|line| line.vote.clone()).collect();
        assert_eq!(votes.iter().map(|vote| vote.ballots).collect::<Vec<_>>(), [counts], "{name:?}");
    }
}

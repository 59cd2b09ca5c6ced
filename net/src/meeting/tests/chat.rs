//! The chat: order, repetition, authors, privacy, rights, history, floods. The members are real, the log is the test's.

use super::super::chat::{self, Body, Command as ChatCommand, Event as ChatEvent, Line, LineId, NewLine, Reaction};
use super::super::chat::{Status, Text, Vote, hostile};
use super::*;
use proto::{MeetingFlags, Rights};
use std::collections::BTreeMap;

mod typing;
mod votes;

const BOB: ParticipantId = ParticipantId(2);
const EVE: ParticipantId = ParticipantId(3);

/// Members, the log that a server would keep, and what each member's screen knows.
struct Room {
    members: Vec<Seat>,
    next: u64,
}

struct Seat {
    id: ParticipantId,
    client: Client,
    lines: BTreeMap<LineId, Line>,
    events: Vec<ChatEvent>,
    notices: Vec<Notice>,
}

impl Seat {
    fn new(id: ParticipantId, client: Client) -> Self {
        Self { id, client, lines: BTreeMap::new(), events: Vec::new(), notices: Vec::new() }
    }

    fn note_events(&mut self) {
        for event in self.client.events() {
            if let Event::Chat(ChatEvent::Lines(lines)) = event {
                self.lines.extend(lines.into_iter().map(|line| (line.id, line)));
            } else if let Event::Chat(event) = event {
                self.events.push(event);
            } else if let Event::Notice(notice) = event {
                self.notices.push(notice);
            }
        }
    }

    /// Returns its lines in their order: name, text, or how the line was removed.
    fn list(&self) -> Vec<String> {
        let mut lines: Vec<_> = self.lines.values().collect();
        lines.sort_by_key(|line| line.place.unwrap_or(u64::MAX));
        lines.into_iter().map(shown).collect()
    }

    fn find(&self, text: &str) -> &Line {
        let is = |line: &&Line| matches!(&line.body, Body::Text(found) if found.as_str() == text);
        self.lines.values().find(is).unwrap_or_else(|| panic!("{text} is not in {:?}", self.list()))
    }
}

fn shown(line: &Line) -> String {
    match &line.body {
        Body::Text(text) => format!("{}: {}", line.name, text.as_str()),
        Body::Deleted => format!("{}: deleted", line.name),
        Body::RemovedBy(name) => format!("{}: removed by {name}", line.name),
    }
}

impl Room {
    /// Returns a meeting of the organiser Ada and `others` guests, all of whom are called Bob.
    fn of(others: u64) -> Self {
        let mut room = Self { members: vec![Seat::new(ADA, Client::organiser())], next: 0 };
        (0..others).for_each(|at| room.join(ParticipantId(2 + at)));
        room
    }

    fn join(&mut self, id: ParticipantId) {
        let organiser = &mut self.members[0].client;
        let (mut client, request) = Client::knocking(organiser, id.0);
        organiser.receive(Down::Knocked { participant: id, request });
        let commit = organiser.committed();
        self.log(&commit.entry);
        client.admit(&commit, self.next);
        self.members.push(Seat::new(id, client));
        self.exchange();
    }

    fn seat(&mut self, id: ParticipantId) -> &mut Seat {
        self.members.iter_mut().find(|seat| seat.id == id).expect("it is a member")
    }

    fn command(&mut self, id: ParticipantId, command: ChatCommand) {
        let seat = self.seat(id);
        seat.client.command(Command::Chat(command));
        seat.note_events();
    }

    fn write(&mut self, id: ParticipantId, text: &str) -> LineId {
        self.write_to(id, None, text)
    }

    fn write_to(&mut self, id: ParticipantId, to: Option<ParticipantId>, text: &str) -> LineId {
        let new = NewLine { to, text: Text::new(text).unwrap(), reply: None, mentions: Vec::new() };
        self.command(id, ChatCommand::Send(new));
        self.seat(id).find(text).id
    }

    fn log(&mut self, entry: &LogEntry) {
        for seat in &mut self.members {
            seat.client.log(self.next, entry.clone());
            seat.note_events();
        }
        self.next += 1;
    }

    /// Takes the application messages that a member sends.
    fn told(&mut self, id: ParticipantId) -> Vec<LogEntry> {
        let told = |message| {
            if let Up::Tell { epoch, blob } = message { Some(LogEntry::Told { from: id, epoch, blob }) } else { None }
        };
        self.seat(id).client.sent().into_iter().filter_map(told).collect()
    }

    /// Delivers what all send until they send nothing more. Of several commits for one epoch, the first wins.
    fn exchange(&mut self) {
        loop {
            let mut entries = Vec::new();
            let mut committed = false;
            for seat in &mut self.members {
                for message in seat.client.sent() {
                    if let Some(commit) = as_commit(message.clone(), seat.id) {
                        entries.extend((!std::mem::replace(&mut committed, true)).then_some(commit.entry));
                    } else if let Up::Tell { epoch, blob } = message {
                        entries.push(LogEntry::Told { from: seat.id, epoch, blob });
                    }
                }
            }
            if entries.is_empty() {
                return;
            }
            for entry in &entries {
                self.log(entry);
            }
        }
    }

    fn assert_same(&self, expected: &[&str]) {
        for seat in &self.members {
            assert_eq!(seat.list(), expected, "{:?}", seat.id);
        }
    }

    fn wait(&mut self, time: Duration) {
        for seat in &mut self.members {
            seat.client.receive(Down::Ping);
            seat.client.wait(time);
            seat.note_events();
        }
    }

    /// Lets a member send any message of the chat, as a changed program would.
    fn forge(&mut self, id: ParticipantId, body: Vec<u8>) {
        let sealed = hostile::seal(&mut self.seat(id).client.meeting, body);
        let Some(Up::Tell { epoch, blob }) = sealed else { panic!("it can encrypt") };
        self.log(&LogEntry::Told { from: id, epoch, blob });
    }

    fn set_flag(&mut self, flags: MeetingFlags, set: bool) {
        self.members[0].client.command(Command::SetFlags { flags, set });
        self.exchange();
    }
}

#[test]
fn lines_arrive_in_one_order_and_are_sent_once_the_log_has_them() {
    let mut room = Room::of(2);
    let line = room.write(BOB, "from Bob");
    assert_eq!(room.seat(BOB).lines[&line].status, Status::Sending);
    room.write(ADA, "one");
    room.write(ADA, "two");
    room.exchange();
    room.assert_same(&["Ada: one", "Bob: from Bob", "Ada: two"]);
    let seen = &room.seat(BOB).lines[&line];
    assert!(seen.status == Status::Sent && seen.me && seen.passed_on.is_none());
    assert!(!room.seat(EVE).lines[&line].me);
}

#[test]
fn a_line_of_an_epoch_that_has_ended_is_skipped_by_all_and_sent_again() {
    let mut room = Room::of(2);
    room.write(BOB, "late");
    let late = room.told(BOB);
    room.members[0].client.command(Command::Refresh);
    let commit = room.members[0].client.committed();
    room.log(&commit.entry);
    for entry in &late {
        room.log(entry);
    }
    assert!(room.seat(EVE).lines.is_empty() && room.seat(ADA).lines.is_empty());
    room.exchange();
    room.assert_same(&["Bob: late"]);
}

#[test]
fn a_line_that_was_on_its_way_when_the_connection_broke_counts_once() {
    for arrives in [true, false] {
        let mut room = Room::of(2);
        room.write(BOB, "on its way");
        let told = room.told(BOB);
        let bob = &mut room.seat(BOB).client;
        bob.meeting.handle_disconnected(bob.now);
        // What is written meanwhile waits.
        room.write(BOB, "later");
        let missed: Vec<_> = told.into_iter().filter(|_| arrives).collect();
        let first = room.next;
        for entry in &missed {
            for seat in room.members.iter_mut().filter(|seat| seat.id != BOB) {
                seat.client.log(first, entry.clone());
                seat.note_events();
            }
            room.next += 1;
        }
        let bob = &mut room.seat(BOB).client;
        bob.wait(Duration::from_secs(1));
        assert!(bob.meeting.poll_reconnect());
        bob.meeting.handle_connected(bob.now);
        bob.receive(hello(ParticipantId(77)));
        bob.receive(Down::Resumed);
        bob.sent();
        for entry in missed {
            bob.log(first, entry);
        }
        bob.receive(Down::Ping);
        room.exchange();
        room.assert_same(&["Bob: on its way", "Bob: later"]);
    }
}

#[test]
fn a_private_line_is_read_by_one_member_only() {
    let mut room = Room::of(2);
    room.write_to(BOB, Some(ADA), "psst");
    room.exchange();
    assert_eq!(room.seat(ADA).list(), ["Bob: psst"]);
    assert_eq!(room.seat(BOB).list(), ["Bob: psst"]);
    let peer = |line: &Line| line.private.clone().map(|peer| peer.name);
    assert_eq!(peer(room.seat(ADA).find("psst")).as_deref(), Some("Bob"));
    assert_eq!(peer(room.seat(BOB).find("psst")).as_deref(), Some("Ada"));
    assert!(room.seat(EVE).lines.is_empty());
    // The answer, a reaction and an edit stay between the two.
    room.write_to(ADA, Some(BOB), "what?");
    let line = room.seat(BOB).find("psst").id;
    room.command(ADA, ChatCommand::React { line, reaction: Reaction::Like, on: true });
    room.exchange();
    room.command(BOB, ChatCommand::Edit { line, text: Text::new("pssst").unwrap() });
    room.exchange();
    for id in [ADA, BOB] {
        assert_eq!(room.seat(id).list(), ["Bob: pssst", "Ada: what?"]);
        assert_eq!(room.seat(id).find("pssst").reactions.len(), 1);
    }
    assert!(room.seat(EVE).lines.is_empty());
}

#[test]
fn only_the_author_changes_a_line_and_who_may_remove_it_is_named() {
    let mut room = Room::of(2);
    let line = room.write(BOB, "first");
    room.exchange();
    room.command(BOB, ChatCommand::Edit { line, text: Text::new("second").unwrap() });
    room.exchange();
    room.assert_same(&["Bob: second"]);
    assert!(room.members.iter().all(|seat| seat.find("second").edited));
    // Another member cannot even name the line: what it sends is about a line of its own.
    room.command(EVE, ChatCommand::Edit { line, text: Text::new("forged").unwrap() });
    assert!(matches!(room.seat(EVE).events[..], [ChatEvent::NotDone(_)]));
    for hostile::Forged { what, body, .. } in hostile_messages(&mut room, line) {
        room.forge(EVE, body);
        room.exchange();
        let second = room.seat(ADA).find("second");
        assert!(second.reactions.len() <= 1 && second.edited, "{what}");
    }
    // She may write as herself, and react.
    room.assert_same(&["Bob: second"]);
    room.command(EVE, ChatCommand::Delete(line));
    room.exchange();
    assert!(matches!(room.seat(EVE).events[..], [ChatEvent::NotDone(_), ChatEvent::NotDone(_)]));
    let other = room.write(ADA, "of Ada");
    room.exchange();
    room.command(ADA, ChatCommand::Delete(line));
    room.command(ADA, ChatCommand::Delete(other));
    room.exchange();
    room.assert_same(&["Bob: removed by Ada", "Ada: deleted"]);
    room.command(BOB, ChatCommand::Edit { line, text: Text::new("again").unwrap() });
    room.exchange();
    room.assert_same(&["Bob: removed by Ada", "Ada: deleted"]);
}

#[test]
fn a_co_organiser_does_not_remove_a_line_of_the_organiser_who_is_away() {
    let mut room = Room::of(2);
    room.seat(ADA).client.command(Command::SetRole(BOB, proto::Role::CoOrganiser));
    room.exchange();
    let (of_ada, of_eve) = (room.write(ADA, "agenda"), room.write(EVE, "a question"));
    room.exchange();
    for id in [EVE, ADA] {
        room.log(&LogEntry::Gone { participant: id, by: None });
        room.members.retain(|seat| seat.id != id);
        room.exchange();
    }
    assert_eq!(room.members[0].client.meeting.policy().unwrap().people()[0].participant, ADA);
    room.command(BOB, ChatCommand::Delete(of_ada));
    room.command(BOB, ChatCommand::Delete(of_eve));
    room.exchange();
    assert!(matches!(room.seat(BOB).events[..], [ChatEvent::NotDone(line)] if line == of_ada));
    room.assert_same(&["Ada: agenda", "Bob: removed by Bob"]);
}

/// Returns messages of Eve against the line of another member.
fn hostile_messages(room: &mut Room, line: LineId) -> Vec<hostile::Forged> {
    hostile::messages(&room.seat(EVE).client.meeting, line, "Ada", ADA)
}

#[test]
fn a_withdrawn_right_counts_at_once_for_all() {
    let mut room = Room::of(2);
    room.members[0].client.command(Command::WithdrawRights(BOB, Rights::CHAT));
    // Bob writes before the commit arrives. It is encrypted in an epoch that has ended, then refused.
    let line = room.write(BOB, "refused");
    room.exchange();
    assert!(room.seat(ADA).lines.is_empty() && room.seat(EVE).lines.is_empty());
    assert_eq!(room.seat(BOB).lines[&line].status, Status::Failed);
    let new = NewLine { to: None, text: Text::new("no").unwrap(), reply: None, mentions: Vec::new() };
    room.command(BOB, ChatCommand::Send(new));
    assert_eq!(room.seat(BOB).notices, [Notice::NotAllowed]);
    room.members[0].client.command(Command::GrantRights(BOB, Rights::CHAT));
    room.exchange();
    room.command(BOB, ChatCommand::Retry(line));
    room.exchange();
    room.assert_same(&["Bob: refused"]);
}

#[test]
fn a_line_without_an_answer_is_not_sent_and_can_be_sent_again_or_dropped() {
    let mut room = Room::of(1);
    let (first, second) = (room.write(BOB, "first"), room.write(BOB, "second"));
    room.told(BOB);
    for _ in 0..33 {
        room.wait(Duration::from_secs(2));
        room.told(BOB);
    }
    for line in [first, second] {
        assert_eq!(room.seat(BOB).lines[&line].status, Status::Failed);
    }
    room.command(BOB, ChatCommand::Delete(first));
    assert!(matches!(room.seat(BOB).events[..], [ChatEvent::Dropped(line)] if line == first));
    room.seat(BOB).lines.remove(&first);
    room.command(BOB, ChatCommand::Retry(second));
    room.exchange();
    room.assert_same(&["Bob: second"]);
}

#[test]
fn those_who_come_late_read_what_was_written_under_the_rule() {
    let mut room = Room::of(2);
    room.write(ADA, "before the rule");
    room.exchange();
    room.set_flag(MeetingFlags::CHAT_HISTORY, true);
    let line = room.write(BOB, "one");
    room.write(EVE, "of Eve");
    room.write_to(BOB, Some(ADA), "private");
    room.exchange();
    room.command(BOB, ChatCommand::Edit { line, text: Text::new("two").unwrap() });
    room.members[0].client.command(Command::Remove(EVE));
    room.exchange();
    room.members.retain(|seat| seat.id != EVE);
    room.join(ParticipantId(4));
    let late = room.seat(ParticipantId(4));
    assert_eq!(late.list(), ["Bob: two", "Bob: of Eve"], "Eve is called Bob as well");
    let passed_on = |line: &Line| line.passed_on.clone().map(|how| (how.by, how.proved));
    assert_eq!(passed_on(late.find("two")), Some(("Ada".into(), true)));
    assert_eq!(passed_on(late.find("of Eve")), Some(("Ada".into(), false)), "she is not here any more");
    room.set_flag(MeetingFlags::CHAT_HISTORY, false);
    room.join(ParticipantId(5));
    assert!(room.seat(ParticipantId(5)).lines.is_empty());
}

#[test]
fn lines_that_their_author_has_not_signed_are_not_passed_on() {
    let mut room = Room::of(1);
    room.set_flag(MeetingFlags::CHAT_HISTORY, true);
    room.write(ADA, "true");
    room.exchange();
    let ada = room.seat(ADA).find("true").id.device;
    // Ada's answer is lost. Bob answers instead, with lines of his own making.
    let organiser = &mut room.members[0].client;
    let (mut client, request) = Client::knocking(organiser, EVE.0);
    organiser.receive(Down::Knocked { participant: EVE, request });
    let commit = organiser.committed();
    room.log(&commit.entry);
    client.admit(&commit, room.next);
    room.members.push(Seat::new(EVE, client));
    let question = room.told(EVE);
    for entry in &question {
        room.log(entry);
    }
    room.told(ADA);
    let line = LineId { device: ada, counter: 1 };
    for forged in hostile::messages(&room.seat(BOB).client.meeting, line, "Ada", EVE) {
        room.forge(BOB, forged.body);
    }
    let ada_wrote = room.seat(EVE).lines.keys().any(|id| id.device == ada);
    assert!(!ada_wrote, "{:?}", room.seat(EVE).list());
    assert!(room.seat(ADA).list() == ["Ada: true"], "nobody else asked");
}

/// A guest that answers at once with nothing, so that the member does not get the lines from before.
#[test]
fn a_member_that_answers_first_with_nothing_withholds_no_line() {
    let mut room = Room::of(2);
    room.set_flag(MeetingFlags::CHAT_HISTORY, true);
    room.write(BOB, "true");
    room.exchange();
    let late = ParticipantId(4);
    let organiser = &mut room.members[0].client;
    let (mut client, request) = Client::knocking(organiser, late.0);
    organiser.receive(Down::Knocked { participant: late, request });
    let commit = organiser.committed();
    room.log(&commit.entry);
    client.admit(&commit, room.next);
    room.members.push(Seat::new(late, client));
    for entry in room.told(late) {
        room.log(&entry);
    }
    room.forge(EVE, hostile::empty_history(late).unwrap());
    room.exchange();
    room.assert_same(&["Bob: true"]);
}

#[test]
fn a_flood_of_one_member_is_bounded_and_reported_once() {
    let mut room = Room::of(2);
    let body = chat::samples().swap_remove(1);
    for _ in 0..400 {
        room.forge(EVE, body.clone());
    }
    for id in [ADA, BOB] {
        assert_eq!(room.seat(id).events, [ChatEvent::Flooded { name: "Bob".into() }]);
    }
    room.write(BOB, "still works");
    room.exchange();
    assert_eq!(room.seat(ADA).list(), ["Bob: still works"]);
}

#[test]
fn a_reaction_counts_once_and_is_taken_back() {
    let mut room = Room::of(2);
    let line = room.write(ADA, "hello");
    room.exchange();
    let react = |on| ChatCommand::React { line, reaction: Reaction::Heart, on };
    for (id, on) in [(BOB, true), (BOB, true), (EVE, true), (ADA, true), (ADA, false)] {
        room.command(id, react(on));
        room.exchange();
    }
    for seat in &room.members {
        let reacted: Vec<_> = seat.find("hello").reactions.iter().map(|one| (one.reaction, one.me)).collect();
        assert_eq!(reacted, [(Reaction::Heart, seat.id == BOB), (Reaction::Heart, seat.id == EVE)]);
    }
    room.members[0].client.command(Command::WithdrawRights(BOB, Rights::REACT));
    room.exchange();
    room.command(BOB, react(false));
    room.exchange();
    assert_eq!(room.seat(ADA).find("hello").reactions.len(), 2);
}

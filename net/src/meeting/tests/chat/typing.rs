//! Text that the others see while it is typed.

use super::super::super::chat::{TypedText, Typing};
use super::*;

impl Room {
    /// Lets a member type, and returns the messages that it sends at once.
    fn type_text(&mut self, id: ParticipantId, text: &str) -> Vec<Blob> {
        self.command(id, ChatCommand::Type(TypedText::new(text)));
        self.typed(id)
    }

    /// Takes the messages outside the log that a member sends.
    fn typed(&mut self, id: ParticipantId) -> Vec<Blob> {
        let relay = |message| if let Up::Relay { blob } = message { Some(blob) } else { None };
        self.seat(id).client.sent().into_iter().filter_map(relay).collect()
    }

    /// Delivers a message to the others, as the server does. Returns what `by` sees of it.
    fn relay(&mut self, from: ParticipantId, blob: &Blob, by: ParticipantId) -> Vec<(String, u32)> {
        let seat = self.seat(by);
        seat.events.clear();
        seat.client.receive(Down::Relayed { from, blob: blob.clone() });
        self.seen(by)
    }

    /// Takes what a member sees of the typing of others.
    fn seen(&mut self, by: ParticipantId) -> Vec<(String, u32)> {
        let seat = self.seat(by);
        seat.note_events();
        let typing =
            |event| if let ChatEvent::Typing(Typing { text, start, .. }) = event { Some((text, start)) } else { None };
        let seen = std::mem::take(&mut seat.events).into_iter().filter_map(typing);
        seen.map(|(text, start)| (text.as_str().to_owned(), start)).collect()
    }
}

#[test]
fn a_text_is_seen_while_it_is_typed_and_ends_with_its_line() {
    let mut room = Room::of(2);
    let sent = room.type_text(BOB, "H");
    assert_eq!(sent.len(), 1, "the first character is sent at once");
    for by in [ADA, EVE] {
        assert_eq!(room.relay(BOB, &sent[0], by), [("H".into(), 0)]);
    }
    assert!(room.type_text(BOB, "Hex").is_empty(), "too early");
    room.type_text(BOB, "Hell");
    room.wait(Duration::from_millis(350));
    let sent = room.typed(BOB);
    assert_eq!(sent.len(), 1);
    assert_eq!(room.relay(BOB, &sent[0], ADA), [("Hell".into(), 0)], "what was deleted is gone");
    assert_eq!(room.relay(BOB, &sent[0], ADA), [], "each message counts once");
    room.write(BOB, "Hello");
    room.exchange();
    assert_eq!(room.seen(ADA), [(String::new(), 0)], "the line is there instead");
    room.assert_same(&["Bob: Hello"]);
    room.wait(Duration::from_secs(2));
    assert!(room.typed(BOB).is_empty(), "nothing is left to tell");
}

#[test]
fn a_character_waits_at_most_a_third_of_a_second_and_nobody_sends_more_than_three_messages_a_second() {
    let mut room = Room::of(1);
    let (step, mut text, mut waiting, mut longest, mut messages) = (10, String::new(), None, 0, Vec::new());
    for at in (0..20_000).step_by(step) {
        if at % 70 == 0 {
            text.push('x');
            waiting.get_or_insert(at);
            room.command(BOB, ChatCommand::Type(TypedText::new(&text)));
        }
        let due = room.seat(BOB).client.meeting.poll_timeout().is_some_and(|due| due <= room.seat(BOB).client.now);
        if due {
            room.seat(BOB).client.wait(Duration::ZERO);
        }
        for _ in room.typed(BOB) {
            longest = longest.max(at - waiting.take().unwrap_or(at));
            messages.push(at);
        }
        room.seat(BOB).client.now += Duration::from_millis(step as u64);
    }
    println!("the longest wait was {longest} ms, with {} messages in 20 s", messages.len());
    assert!(longest <= 400, "{longest} ms");
    let most = messages.iter().map(|start| messages.iter().filter(|at| (*start..start + 1_000).contains(*at)).count());
    assert!(most.max().is_some_and(|most| most <= 3));
}

#[test]
fn typing_ends_when_it_is_cleared_after_silence_with_the_right_and_with_the_member() {
    let mut room = Room::of(2);
    let start = |room: &mut Room| {
        room.wait(Duration::from_secs(1));
        room.typed(BOB);
        let text = format!("typed {}", room.next);
        room.type_text(BOB, &text);
        let sent = room.type_text(BOB, &format!("{text}."));
        room.wait(Duration::from_millis(400));
        let sent = [sent, room.typed(BOB)].concat();
        for blob in &sent {
            assert!(!room.relay(BOB, blob, ADA).is_empty());
        }
    };
    start(&mut room);
    room.wait(Duration::from_millis(400));
    let sent = room.type_text(BOB, "");
    assert_eq!(room.relay(BOB, &sent[0], ADA), [(String::new(), 0)]);
    start(&mut room);
    for _ in 0..14 {
        room.wait(Duration::from_secs(2));
        room.typed(BOB);
    }
    assert_eq!(room.seen(ADA), []);
    room.wait(Duration::from_secs(3));
    assert_eq!(room.seen(ADA), [(String::new(), 0)], "30 s of silence");
    start(&mut room);
    room.members[0].client.command(Command::WithdrawRights(BOB, Rights::CHAT));
    room.exchange();
    assert_eq!(room.seen(ADA), [(String::new(), 0)]);
    for blob in room.type_text(BOB, "no") {
        assert_eq!(room.relay(BOB, &blob, ADA), [], "he has no right to write");
    }
    room.members[0].client.command(Command::GrantRights(BOB, Rights::CHAT));
    room.exchange();
    start(&mut room);
    room.members[0].client.command(Command::Remove(BOB));
    room.exchange();
    assert_eq!(room.seen(ADA), [(String::new(), 0)]);
}

#[test]
fn what_a_server_or_a_member_forges_delays_or_floods_shows_nothing() {
    let mut room = Room::of(2);
    let sent = room.type_text(BOB, "true");
    assert_eq!(room.relay(EVE, &sent[0], ADA), [], "the server names another author");
    let mut changed = sent[0].clone();
    changed.0[40] ^= 1;
    assert_eq!(room.relay(BOB, &changed, ADA), []);
    for blob in [Blob(Vec::new()), Blob(vec![0; 15]), Blob(vec![0xa5; 608])] {
        assert_eq!(room.relay(BOB, &blob, ADA), []);
    }
    // A message of the log is none of these, and it is still read afterwards.
    room.write(EVE, "line");
    let told = room.told(EVE);
    let LogEntry::Told { blob, .. } = &told[0] else { panic!("a message of the log") };
    assert_eq!(room.relay(EVE, blob, ADA), []);
    room.log(&told[0]);
    assert_eq!(room.seat(ADA).list(), ["Bob: line"]);
    assert_eq!(room.relay(BOB, &sent[0], ADA), [("true".into(), 0)]);
    // The server keeps a message until the line is there.
    room.type_text(BOB, "true line");
    room.wait(Duration::from_millis(400));
    let late = room.typed(BOB);
    room.write(BOB, "true line.");
    room.exchange();
    room.seen(ADA);
    assert_eq!(room.relay(BOB, &late[0], ADA), []);
    // More than an honest client sends.
    let mut shown = 0;
    for number in 0..200 {
        room.seat(EVE).client.now += Duration::from_millis(350);
        let sent = room.type_text(EVE, &format!("flood {number}"));
        for blob in sent {
            shown += room.relay(EVE, &blob, ADA).len();
        }
    }
    assert_eq!(shown, 24, "all at once");
}

#[test]
fn what_was_typed_before_a_commit_is_read_for_two_seconds_after_it() {
    for (waits, expected) in [(false, 1), (true, 0)] {
        let mut room = Room::of(2);
        room.wait(timing::COMMIT_INTERVAL);
        room.exchange();
        let sent = room.type_text(BOB, "true");
        room.seat(ADA).client.command(Command::Refresh);
        room.exchange();
        if waits {
            room.wait(timing::PAST_EPOCH_TIMEOUT);
        }
        assert_eq!(room.relay(BOB, &sent[0], ADA).len(), expected);
    }
}

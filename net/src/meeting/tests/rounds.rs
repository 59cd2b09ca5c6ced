//! Comparisons of pictures, and spoken challenges.

use super::room::Room;
use super::*;
use crate::meeting::state::Message;
use crate::meeting::verification::{self, EmojiCheck, EmojiFailure, Event as Shown, PhraseCheck, VerificationMessage};

/// Returns what a client has shown of verification.
fn shown(room: &mut Room, number: usize) -> Vec<Shown> {
    let events = room.at(number).events().into_iter();
    events.filter_map(|event| if let Event::Verification(shown) = event { Some(shown) } else { None }).collect()
}

fn emoji(room: &mut Room, number: usize) -> Vec<EmojiCheck> {
    let all = shown(room, number).into_iter();
    all.filter_map(|event| if let Shown::Emoji(state) = event { Some(state) } else { None }).collect()
}

/// Returns a room whose clients have shown everything about their entry.
fn room(guests: u64) -> Room {
    let mut room = Room::new(guests);
    room.forget();
    room
}

const COMPARE: Command = Command::Verify(verification::Command::CompareEmoji);

/// Seals a message as a member with a changed program.
fn forge(client: &mut Client, message: VerificationMessage) -> LogEntry {
    let from = client.meeting.me().unwrap();
    let Phase::Member(joined) = &mut client.meeting.phase else { panic!("it is a member") };
    let Some(Up::Tell { epoch, blob }) = joined.log.seal(&Message::Verification(message)) else { panic!("it seals") };
    LogEntry::Told { from, epoch, blob }
}

#[test]
fn all_get_the_same_pictures_and_others_in_the_next_comparison() {
    let mut room = room(3);
    let mut results = Vec::new();
    for starter in [1, 0] {
        room.command(starter, COMPARE);
        let by = room.id(starter);
        let states: Vec<_> = (0..4).map(|number| emoji(&mut room, number)).collect();
        let Some(EmojiCheck::Done { emoji, participants, .. }) = states[0].last() else { panic!("{:?}", states[0]) };
        assert_eq!(participants.len(), 4);
        let done = EmojiCheck::Done { by, emoji: *emoji, participants: participants.clone() };
        for states in &states {
            assert_eq!(states.last(), Some(&done));
            assert!(states.iter().rev().skip(1).all(|state| matches!(state, EmojiCheck::Running { .. })));
        }
        results.push(*emoji);
    }
    assert_ne!(results[0], results[1]);
}

#[test]
fn nobody_reveals_before_all_have_committed_and_who_is_silent_is_named() {
    let mut room = room(3);
    let (silent, _) = room.clients.pop().unwrap();
    let before = room.told.len();
    room.command(0, COMPARE);
    assert_eq!(room.told.len() - before, 3, "three commitments and no nonce");
    for number in 0..3 {
        let waits = EmojiCheck::Running { by: ADA, waiting: vec![silent] };
        assert_eq!(emoji(&mut room, number).last(), Some(&waits));
    }
    for _ in 0..3 {
        room.wait(Duration::from_secs(5));
    }
    for number in 0..3 {
        assert_eq!(emoji(&mut room, number), [EmojiCheck::Failed(EmojiFailure::Silent(vec![silent]))]);
    }
}

#[test]
fn who_reveals_another_nonce_than_it_has_committed_to_is_named() {
    let mut room = room(2);
    let (liar, mut changed) = room.clients.pop().unwrap();
    room.command(0, COMPARE);
    // The changed program takes part, but chooses its nonce after the others.
    for (position, entry) in (room.next - 2..).zip(&room.told[room.told.len() - 2..]) {
        changed.log(position, entry.clone());
    }
    let told = |message| {
        if let Up::Tell { epoch, blob } = message { Some(LogEntry::Told { from: liar, epoch, blob }) } else { None }
    };
    let mut sent = changed.sent().into_iter().filter_map(told);
    let commitment = sent.next().expect("it commits");
    room.log(&commitment);
    room.exchange();
    let Some(EmojiCheck::Running { waiting, .. }) = emoji(&mut room, 0).pop() else { panic!("it runs") };
    assert_eq!(waiting, [liar], "the others have revealed");
    let Phase::Member(joined) = &room.clients[0].1.meeting.phase else { panic!("it is a member") };
    let round = joined.verification.round_number().expect("a round");
    let lie = forge(&mut changed, VerificationMessage::Reveal { round, nonce: [1; 32] });
    room.log(&lie);
    for number in 0..2 {
        assert_eq!(emoji(&mut room, number).last(), Some(&EmojiCheck::Failed(EmojiFailure::Wrong(liar))));
    }
}

#[test]
fn two_that_begin_at_once_get_one_result() {
    let mut room = room(2);
    room.at(1).command(COMPARE);
    room.at(2).command(COMPARE);
    room.exchange();
    let last: Vec<_> = (0..3).map(|number| emoji(&mut room, number).pop()).collect();
    assert!(matches!(last[0], Some(EmojiCheck::Done { .. })), "{:?}", last[0]);
    assert!(last.iter().all(|state| *state == last[0]));
}

#[test]
fn a_new_epoch_ends_a_comparison_and_makes_old_pictures_outdated() {
    let mut room = room(2);
    room.command(0, COMPARE);
    room.forget();
    room.command(1, Command::Refresh);
    for number in 0..3 {
        assert_eq!(emoji(&mut room, number), [EmojiCheck::Outdated]);
    }
    room.wait(Duration::from_secs(6));
    // The last client does not answer; then the keys change.
    let silent = room.clients.pop();
    room.command(0, COMPARE);
    room.command(0, Command::Refresh);
    for number in 0..2 {
        assert_eq!(emoji(&mut room, number).last(), Some(&EmojiCheck::Failed(EmojiFailure::KeysChanged)));
    }
    drop(silent);
}

#[test]
fn a_comparison_needs_somebody_else_and_some_time_between() {
    let mut alone = Client::organiser();
    alone.command(COMPARE);
    let expected = Shown::Emoji(EmojiCheck::Failed(EmojiFailure::Alone));
    assert!(matches!(&alone.events()[..], [Event::Verification(shown)] if *shown == expected));
    let mut room = room(1);
    room.command(0, COMPARE);
    room.forget();
    room.command(0, COMPARE);
    assert_eq!(emoji(&mut room, 0), [EmojiCheck::Failed(EmojiFailure::TooSoon)]);
    assert!(emoji(&mut room, 1).is_empty());
}

#[test]
fn messages_of_a_changed_program_that_make_no_sense_change_nothing() {
    let mut room = room(2);
    let ids: Vec<_> = (0..3).map(|number| room.id(number)).collect();
    let begin = |participants| VerificationMessage::Begin { round: 5, participants, commitment: [1; 32] };
    let twice = [ids.clone(), ids.clone()].concat();
    let messages = [
        begin(Vec::new()),
        begin(vec![ids[1]]),
        begin(vec![ids[0], ids[2]]),
        begin(vec![ids[0], ids[1], ParticipantId(77)]),
        begin(twice),
        begin(vec![ids[1]; 4_000]),
        VerificationMessage::Commit { round: 5, commitment: [1; 32] },
        VerificationMessage::Reveal { round: 5, nonce: [1; 32] },
        VerificationMessage::Answer { to: ids[0], round: 5, nonce: [1; 32] },
        VerificationMessage::Open { to: ids[0], round: 5, nonce: [1; 32] },
        VerificationMessage::Ask { to: ids[2], round: 5, commitment: [1; 32] },
    ];
    for message in messages {
        let entry = forge(room.at(1), message);
        room.log(&entry);
    }
    assert!(shown(&mut room, 0).is_empty());
    room.command(0, COMPARE);
    assert!(matches!(emoji(&mut room, 0).last(), Some(EmojiCheck::Done { .. })), "an honest one still works");
}

fn ask(room: &mut Room, of: ParticipantId) {
    room.at(0).command(Command::Verify(verification::Command::AskForPhrase(of)));
}

#[test]
fn both_sides_see_the_same_phrase_and_nobody_else_does() {
    let mut room = room(2);
    let asked = room.id(1);
    ask(&mut room, asked);
    room.exchange();
    let [Shown::Phrase(PhraseCheck::Asked(_)), Shown::Phrase(PhraseCheck::Listen { who, phrase })] =
        shown(&mut room, 0)[..]
    else {
        panic!("it asks and listens")
    };
    assert_eq!(who, asked);
    assert_eq!(shown(&mut room, 1), [Shown::Phrase(PhraseCheck::Read { by: ADA, phrase })]);
    assert!(shown(&mut room, 2).is_empty());
    room.wait(Duration::from_secs(6));
    room.forget();
    ask(&mut room, asked);
    room.exchange();
    let Some(Shown::Phrase(PhraseCheck::Listen { phrase: second, .. })) = shown(&mut room, 0).pop() else {
        panic!("it listens")
    };
    assert_ne!(phrase, second);
}

#[test]
fn a_member_that_asks_and_never_opens_keeps_nobody_from_asking() {
    let mut room = room(2);
    let asked = room.id(1);
    let entry = forge(room.at(2), VerificationMessage::Ask { to: asked, round: 9, commitment: [1; 32] });
    room.log(&entry);
    room.exchange();
    ask(&mut room, asked);
    room.exchange();
    let last = shown(&mut room, 0).pop();
    assert!(matches!(last, Some(Shown::Phrase(PhraseCheck::Listen { who, .. })) if who == asked), "{last:?}");
}

#[test]
fn a_program_that_does_not_answer_and_one_that_chooses_its_nonce_afterwards_are_named() {
    let mut room = room(1);
    let (asked, mut other) = room.clients.pop().unwrap();
    ask(&mut room, asked);
    room.exchange();
    room.wait(Duration::from_secs(5));
    room.wait(Duration::from_secs(5));
    assert_eq!(shown(&mut room, 0).pop(), Some(Shown::Phrase(PhraseCheck::Failed(asked))));
    // The asker commits to one nonce and opens another one.
    other.log(room.next - 1, room.told.last().unwrap().clone());
    let organiser = &mut room.clients[0].1;
    let first = VerificationMessage::Ask { to: asked, round: 9, commitment: [1; 32] };
    let lie = VerificationMessage::Open { to: asked, round: 9, nonce: [2; 32] };
    other.now += Duration::from_secs(30);
    other.receive(Down::Ping);
    for (offset, message) in [first, lie].into_iter().enumerate() {
        let entry = forge(organiser, message);
        other.log(room.next + offset as u64, entry);
    }
    let failed = Shown::Phrase(PhraseCheck::Failed(ADA));
    assert!(other.events().iter().any(|event| matches!(event, Event::Verification(shown) if *shown == failed)));
}

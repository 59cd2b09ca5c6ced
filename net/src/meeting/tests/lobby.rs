//! The waiting room: evidence, decisions, chats, members who are sent back, and changes of the link.

use super::super::lobby::Content;
use super::roles::{BOB, Pair, refusals, role};
use super::*;
use proto::{MeetingFlags, Role};

const CARL: ParticipantId = ParticipantId(3);

/// Turns the waiting room on. The log of the organiser, who is alone, has one entry then.
fn with_waiting_room() -> Client {
    let mut organiser = Client::organiser();
    organiser.command(Command::SetFlags { flags: MeetingFlags::WAITING_ROOM, set: true });
    let commit = organiser.committed();
    organiser.log(0, commit.entry);
    organiser.events();
    organiser.sent();
    organiser
}

/// Lets a guest knock whom the organiser does not admit by a rule. Returns the guest.
fn knocking(organiser: &mut Client, id: u64) -> Client {
    let (mut guest, request) = Client::knocking(organiser, id);
    organiser.receive(Down::Knocked { participant: ParticipantId(id), request });
    guest.events();
    guest
}

pub(super) fn asked(client: &mut Client) -> Vec<(ParticipantId, Evidence)> {
    let asks = |event| if let Event::AsksToJoin { id, evidence, .. } = event { Some((id, evidence)) } else { None };
    client.events().into_iter().filter_map(asks).collect()
}

/// Returns true if a manager has admitted nobody by a rule.
pub(super) fn refused_by_rule(client: &mut Client) -> bool {
    let me = client.meeting.me().expect("it is a member");
    client.sent().into_iter().filter_map(|message| as_commit(message, me)).all(|commit| commit.welcomes.is_empty())
}

fn lobby(client: &mut Client) -> Vec<LobbyEvent> {
    let lobby = |event| if let Event::Lobby(event) = event { Some(event) } else { None };
    client.events().into_iter().filter_map(lobby).collect()
}

/// Returns the messages to waiting clients that a manager sent.
fn messages(manager: &mut Client, me: ParticipantId) -> Vec<Down> {
    let sent = manager.sent().into_iter().filter_map(|message| signed(message, me)?.decode().ok());
    let relayed = |command| {
        if let ManagerCommand::Lobby { participant, blob } = command {
            Some(Down::Lobby { participant, from: me, blob })
        } else {
            None
        }
    };
    sent.filter_map(relayed).collect()
}

/// Returns the messages to the managers that a waiting client sent.
fn questions(guest: &mut Client, participant: ParticipantId) -> Vec<Down> {
    let asks = |message| {
        if let Up::Lobby { blob } = message { Some(Down::Lobby { participant, from: participant, blob }) } else { None }
    };
    guest.sent().into_iter().filter_map(asks).collect()
}

fn text(with: Option<ParticipantId>, author: LobbyAuthor, text: &str) -> LobbyEvent {
    LobbyEvent::Text { with, author, text: text.into() }
}

fn write(to: Option<ParticipantId>, text: &str) -> Command {
    Command::WriteLobby { to, text: text.into() }
}

#[test]
fn the_manager_learns_who_asks_and_the_person_that_the_request_has_arrived() {
    let mut organiser = with_waiting_room();
    let mut guest = knocking(&mut organiser, 2);
    let [(id, evidence)] = <[_; 1]>::try_from(asked(&mut organiser)).expect("the organiser is asked");
    let device = guest.meeting.entrant.identity.public();
    let class = IdentityClass::Guest;
    let expected = Evidence { class, device, certificate: None, via_old_link: false, sent_back: false };
    assert_eq!((id, evidence), (BOB, expected));
    let sent = messages(&mut organiser, ADA);
    assert_eq!(sent.len(), 1);
    guest.receive(sent[0].clone());
    guest.receive(sent[0].clone());
    assert_eq!(lobby(&mut guest), [LobbyEvent::Received { organiser: true }], "once");
    organiser.receive(sent[0].clone());
    assert!(organiser.events().is_empty());
    // A member of before is known.
    organiser.command(Command::Admit(BOB));
    let commit = organiser.committed();
    organiser.log(1, commit.entry);
    organiser.events();
    organiser.log(2, LogEntry::Gone { participant: BOB, by: None });
    let removal = organiser.committed();
    organiser.log(3, removal.entry);
    guest.meeting = Meeting::new(again(guest.meeting), wall_clock(guest.now, 0), guest.now);
    let request = guest.knock(&organiser, 4);
    organiser.receive(Down::Knocked { participant: ParticipantId(4), request });
    assert!(asked(&mut organiser).is_empty());
    assert_eq!(organiser.committed().welcomes[0].to, [ParticipantId(4)], "a rule admits known devices at once");
}

#[test]
fn the_person_reads_that_nobody_has_the_request_when_the_last_manager_leaves() {
    let mut pair = Pair::new();
    pair.organiser.command(Command::SetFlags { flags: MeetingFlags::WAITING_ROOM, set: true });
    pair.exchange();
    let mut carl = knocking(&mut pair.organiser, CARL.0);
    for message in messages(&mut pair.organiser, ADA) {
        carl.receive(message);
    }
    assert_eq!(lobby(&mut carl), [LobbyEvent::Received { organiser: true }]);
    // A co-organiser has it, too.
    let key = guest_key(&mut carl);
    let bob = |counter, content: &Content| {
        let sealed = key.seal(BOB, &crypto::LobbyMessage { counter, content: content.encode() }).unwrap();
        Down::Lobby { participant: CARL, from: BOB, blob: Blob(sealed) }
    };
    carl.receive(bob(1, &Content::Received { organiser: false }));
    assert_eq!(lobby(&mut carl), [], "the organiser has it, which matters more");
    pair.organiser.command(Command::Leave);
    let sent = pair.organiser.sent();
    assert_eq!(sent.last(), Some(&Up::Leave), "the server closes the connection after that");
    let withdrawn = sent.into_iter().filter_map(|message| signed(message, ADA)?.decode().ok());
    let withdrawn: Vec<_> = withdrawn
        .filter_map(|command| if let ManagerCommand::Lobby { blob, .. } = command { Some(blob) } else { None })
        .collect();
    assert_eq!(withdrawn.len(), 1);
    carl.receive(Down::Lobby { participant: CARL, from: ADA, blob: withdrawn[0].clone() });
    assert_eq!(lobby(&mut carl), [LobbyEvent::Received { organiser: false }], "only a co-organiser has it now");
    carl.receive(bob(2, &Content::Withdrawn));
    assert_eq!(lobby(&mut carl), [LobbyEvent::NobodyHasRequest]);
}

#[test]
fn a_request_that_cannot_be_read_is_refused_as_such() {
    let mut organiser = with_waiting_room();
    let (_, request) = Client::knocking(&organiser, 2);
    let mut cut = request.clone();
    cut.0.truncate(cut.0.len() / 2);
    let mut changed = request;
    *changed.0.last_mut().unwrap() ^= 1;
    for (id, request) in (2..).map(ParticipantId).zip([Blob(Vec::new()), Blob(vec![7; 2_000]), cut, changed]) {
        organiser.receive(Down::Knocked { participant: id, request });
        let refused = ManagerCommand::Refuse { participant: id, why: Refusal::Unreadable };
        assert_eq!(organiser.commands(), [refused]);
    }
    assert!(organiser.events().is_empty(), "the user is not asked");
}

/// Returns the entry by which the same device knocks again.
pub(super) fn again(meeting: Meeting) -> Entry {
    let Entrant { identity, profile, link, .. } = meeting.entrant;
    Entry::Join { invitation: link.expect("it has a link"), identity, profile }
}

#[test]
fn the_person_and_the_managers_write_to_each_other_and_each_text_arrives_once() {
    let mut organiser = with_waiting_room();
    let mut guest = knocking(&mut organiser, 2);
    organiser.sent();
    organiser.events();
    guest.command(write(None, " May I come in?\u{7} "));
    assert_eq!(lobby(&mut guest), [text(None, LobbyAuthor::Me, "May I come in?")]);
    let question = questions(&mut guest, BOB);
    let Down::Lobby { blob, .. } = &question[0] else { panic!("{question:?}") };
    assert!(!blob.0.windows(4).any(|part| part == b"come"), "it is sealed");
    organiser.receive(question[0].clone());
    organiser.receive(question[0].clone());
    assert_eq!(lobby(&mut organiser), [text(Some(BOB), LobbyAuthor::Waiting, "May I come in?")]);
    organiser.command(write(Some(BOB), "In a minute"));
    let answer = messages(&mut organiser, ADA);
    assert!(organiser.events().is_empty(), "the server has not confirmed it");
    organiser.receive(answer[0].clone());
    assert_eq!(lobby(&mut organiser), [text(Some(BOB), LobbyAuthor::Me, "In a minute")]);
    guest.receive(answer[0].clone());
    assert_eq!(lobby(&mut guest), [text(None, LobbyAuthor::Manager(ADA), "In a minute")]);
    // What nobody has sealed has no effect, whoever is named.
    for from in [ADA, BOB, CARL] {
        let forged = Down::Lobby { participant: BOB, from, blob: blob.clone() };
        let garbage = Down::Lobby { participant: BOB, from, blob: Blob(vec![7; 300]) };
        for message in [forged, garbage] {
            organiser.receive(message.clone());
            guest.receive(message);
        }
    }
    let counted = |event: &Event| matches!(event, Event::Malformed { .. });
    assert!(organiser.events().iter().all(counted) && guest.events().is_empty(), "it is only counted");
}

/// The server ignores a command that the authority before has signed.
#[test]
fn a_text_that_the_server_has_not_confirmed_is_sent_again() {
    let mut pair = Pair::new();
    pair.organiser.command(Command::SetFlags { flags: MeetingFlags::WAITING_ROOM, set: true });
    pair.exchange();
    let mut carl = knocking(&mut pair.organiser, CARL.0);
    pair.organiser.sent();
    pair.organiser.command(write(Some(CARL), "Please wait"));
    assert_eq!(messages(&mut pair.organiser, ADA).len(), 1, "lost");
    pair.organiser.command(write(Some(CARL), "A moment"));
    let second = messages(&mut pair.organiser, ADA);
    carl.receive(second[0].clone());
    pair.organiser.receive(second[0].clone());
    pair.guest.command(Command::Refresh);
    let commit = pair.guest.committed();
    pair.log(&commit.entry);
    let repeated = messages(&mut pair.organiser, ADA);
    assert_eq!(repeated.len(), 2, "the first text, and that the request has arrived");
    for message in repeated {
        carl.receive(message.clone());
        pair.organiser.receive(message);
    }
    let texts = |from| [text(None, from, "A moment"), text(None, from, "Please wait")];
    let events =
        lobby(&mut carl).into_iter().filter(|event| !matches!(event, LobbyEvent::Received { .. })).collect::<Vec<_>>();
    assert_eq!(events, texts(LobbyAuthor::Manager(ADA)));
    pair.organiser.command(Command::Refresh);
    let commit = pair.organiser.committed();
    pair.log(&commit.entry);
    assert!(messages(&mut pair.organiser, ADA).is_empty(), "all are confirmed");
}

#[test]
fn a_manager_who_gets_the_request_later_gets_the_last_texts_too() {
    let mut organiser = with_waiting_room();
    let (mut guest, request) = Client::knocking(&organiser, 2);
    guest.command(write(None, "Anybody there?"));
    assert_eq!(questions(&mut guest, BOB).len(), 1, "nobody has the request");
    organiser.receive(Down::Knocked { participant: BOB, request });
    organiser.events();
    guest.receive(messages(&mut organiser, ADA)[0].clone());
    for message in questions(&mut guest, BOB) {
        organiser.receive(message);
    }
    assert_eq!(lobby(&mut organiser), [text(Some(BOB), LobbyAuthor::Waiting, "Anybody there?")]);
}

#[test]
fn nobody_floods_the_other_side() {
    let mut organiser = with_waiting_room();
    let mut guest = knocking(&mut organiser, 2);
    organiser.sent();
    organiser.events();
    for number in 0..30 {
        guest.command(write(None, &format!("{number}")));
    }
    let events = lobby(&mut guest);
    assert_eq!(events.iter().filter(|event| **event == LobbyEvent::NotSent { with: None }).count(), 20);
    assert_eq!(questions(&mut guest, BOB).len(), 10, "the server would close the connection after twice as many");
    // Messages of a client with another limit are taken at a bounded rate.
    let key = guest_key(&mut guest);
    for counter in 100..300 {
        let content = Content::text("x").unwrap().encode();
        let sealed = key.seal(BOB, &crypto::LobbyMessage { counter, content }).unwrap();
        organiser.receive(Down::Lobby { participant: BOB, from: BOB, blob: Blob(sealed) });
    }
    assert_eq!(lobby(&mut organiser).len(), 60);
    organiser.command(write(Some(ParticipantId(9)), "Nobody waits"));
    assert_eq!(lobby(&mut organiser), [LobbyEvent::NotSent { with: Some(ParticipantId(9)) }]);
}

#[test]
fn the_person_who_waits_and_the_server_cannot_write_in_the_name_of_the_manager_that_reads() {
    let mut organiser = with_waiting_room();
    let mut guest = knocking(&mut organiser, 2);
    organiser.command(write(Some(BOB), "Not yet"));
    organiser.sent();
    organiser.events();
    let key = guest_key(&mut guest);
    for counter in 0..9 {
        let content = Content::text("Come in").unwrap().encode();
        let sealed = key.seal(ADA, &crypto::LobbyMessage { counter, content }).unwrap();
        organiser.receive(Down::Lobby { participant: BOB, from: ADA, blob: Blob(sealed) });
    }
    assert_eq!(lobby(&mut organiser), [text(Some(BOB), LobbyAuthor::Me, "Not yet")]);
}

/// Returns the key of a client that waits.
fn guest_key(guest: &mut Client) -> crypto::LobbyKey {
    let Phase::Joining(joining) = &guest.meeting.phase else { panic!("it waits") };
    joining.joiner().and_then(|joiner| joiner.lobby().cloned()).expect("it has knocked")
}

#[test]
fn a_refusal_has_the_reason_that_the_manager_chose() {
    for (why, reason) in [
        (Refusal::Declined, Reason::Refused),
        (Refusal::NotNow, Reason::NotNow),
        (Refusal::NotInvited, Reason::NotInvited),
        (Refusal::Full, Reason::NoRoom),
        (Refusal::Unreadable, Reason::UnreadableRequest),
    ] {
        let mut organiser = with_waiting_room();
        let mut guest = knocking(&mut organiser, 2);
        organiser.sent();
        organiser.command(Command::Refuse(BOB, why));
        assert_eq!(organiser.commands(), [ManagerCommand::Refuse { participant: BOB, why }]);
        assert!(organiser.events().iter().any(|event| matches!(event, Event::StoppedAsking(BOB))));
        guest.receive(Down::Refused { why });
        assert_eq!(guest.reason(), Some(reason));
    }
}

#[test]
fn all_are_admitted_with_one_command() {
    let mut organiser = with_waiting_room();
    let guests: Vec<_> = (2..6).map(|id| knocking(&mut organiser, id)).collect();
    organiser.sent();
    organiser.command(Command::AdmitAll((2..6).map(ParticipantId).collect()));
    assert_eq!(organiser.committed().welcomes[0].to.len(), guests.len());
}

#[test]
fn a_member_without_the_right_can_do_nothing_with_the_waiting_room() {
    let mut pair = Pair::new();
    for command in [
        Command::Admit(CARL),
        Command::AdmitAll(vec![CARL]),
        Command::Refuse(CARL, Refusal::NotNow),
        Command::SendBack(ADA),
        Command::ChangeLink,
        write(Some(CARL), "x"),
        write(None, "x"),
    ] {
        pair.guest.command(command.clone());
        assert_eq!(refusals(&mut pair.guest), [Notice::NotAllowed], "{command:?}");
    }
    assert!(pair.guest.sent().is_empty());
    // It cannot open a request, so it has no key of its chat.
    let (mut carl, request) = Client::knocking(&pair.organiser, CARL.0);
    pair.guest.receive(Down::Knocked { participant: CARL, request });
    carl.command(write(None, "x"));
    for message in questions(&mut carl, CARL) {
        pair.guest.receive(message);
    }
    assert!(pair.guest.events().is_empty());
    // A manager has no power over somebody who is not below.
    pair.promote();
    pair.guest.events();
    pair.guest.command(Command::SendBack(ADA));
    assert_eq!(refusals(&mut pair.guest), [Notice::PolicyRefused(PolicyRefusal::NotBelow)]);
}

/// Sends a member back. Returns the commit that does so.
pub(super) fn send_back(pair: &mut Pair) -> Commit {
    pair.organiser.command(Command::SendBack(BOB));
    let sent = pair.organiser.sent();
    let is_expel = |message: &Up| {
        signed(message.clone(), ADA).is_some_and(|signed| matches!(signed.decode(), Ok(ManagerCommand::Expel { .. })))
    };
    assert!(!sent.iter().any(is_expel), "the server must not think that it is removed for good");
    assert!(!sent.iter().any(|message| matches!(message, Up::Tell { .. })), "it must not get the next keys");
    let commit = sent.into_iter().find_map(|message| as_commit(message, ADA)).expect("a commit");
    assert_eq!(commit.removed, [BOB]);
    let LogEntry::Managed { signed } = &commit.entry else { panic!("it is signed") };
    pair.guest.receive(Down::Removed { signed: signed.clone() });
    pair.organiser.log(pair.next, commit.entry.clone());
    pair.organiser.log(pair.next + 1, LogEntry::Gone { participant: BOB, by: None });
    pair.next += 2;
    commit
}

/// Lets the guest knock again by itself, as `id`.
fn knock_again(pair: &mut Pair, id: u64) {
    pair.guest.wait(Duration::from_millis(200));
    assert!(pair.guest.meeting.poll_reconnect(), "it comes back by itself");
    pair.guest.meeting.handle_connected(pair.guest.now);
    let request = pair.guest.knock(&pair.organiser, id);
    pair.organiser.events();
    pair.organiser.sent();
    pair.organiser.receive(Down::Knocked { participant: ParticipantId(id), request });
}

#[test]
fn a_member_that_is_sent_back_has_no_keys_and_waits_for_another_decision() {
    let mut pair = Pair::new();
    pair.organiser.events();
    send_back(&mut pair);
    let policy = pair.organiser.meeting.policy().unwrap();
    assert!(policy.flags().contains(MeetingFlags::WAITING_ROOM) && policy.barred().is_empty());
    assert_eq!(policy.chain().rotations(), 0, "the link stays the same");
    let events = pair.organiser.events();
    assert!(events.iter().any(|event| matches!(event, Event::Left { id: BOB, removed: true })));
    let events = pair.guest.events();
    assert!(matches!(events[..], [Event::Lobby(LobbyEvent::SentBack)]), "{} events", events.len());
    assert!(pair.guest.meeting.me().is_none() && pair.guest.meeting.policy().is_none());
    knock_again(&mut pair, 5);
    assert!(pair.guest.events().iter().any(|event| matches!(event, Event::Knocking)));
    let [(again, evidence)] = <[_; 1]>::try_from(asked(&mut pair.organiser)).expect("the organiser is asked");
    assert_eq!((again, evidence.class, evidence.sent_back), (ParticipantId(5), IdentityClass::Known, true));
    let sent = messages(&mut pair.organiser, ADA);
    pair.guest.receive(sent[0].clone());
    pair.guest.command(write(None, "Sorry"));
    assert_eq!(
        lobby(&mut pair.guest),
        [LobbyEvent::Received { organiser: true }, text(None, LobbyAuthor::Me, "Sorry")]
    );
    pair.organiser.command(Command::Admit(again));
    let commit = pair.organiser.committed();
    pair.organiser.log(pair.next, commit.entry.clone());
    pair.guest.admit(&commit, pair.next + 1);
    let events = pair.guest.events();
    assert!(matches!(events[0], Event::Keys { rejoined: false, .. }));
    assert!(events.iter().any(|event| matches!(event, Event::Entered { me } if *me == again)));
    // It is known again, so it comes back by a rule if it is cut off.
    pair.organiser.log(pair.next + 1, LogEntry::Gone { participant: again, by: None });
    let removal = pair.organiser.committed();
    pair.organiser.log(pair.next + 2, removal.entry);
    let entry = again_entry(&mut pair);
    pair.guest.meeting = Meeting::new(entry, wall_clock(pair.guest.now, 0), pair.guest.now);
    let request = pair.guest.knock(&pair.organiser, 6);
    pair.organiser.receive(Down::Knocked { participant: ParticipantId(6), request });
    assert_eq!(pair.organiser.committed().welcomes[0].to, [ParticipantId(6)]);
}

fn again_entry(pair: &mut Pair) -> Entry {
    let now = pair.guest.now;
    let other = Meeting::new(create(), wall_clock(now, 0), now);
    again(std::mem::replace(&mut pair.guest.meeting, other))
}

/// Without a waiting room, the link lets everybody in, but not somebody who was just sent back.
#[test]
fn somebody_who_was_sent_back_is_not_let_in_by_the_link_when_the_waiting_room_is_off_again() {
    let mut pair = Pair::new();
    send_back(&mut pair);
    pair.organiser.sent();
    pair.organiser.command(Command::SetFlags { flags: MeetingFlags::WAITING_ROOM, set: false });
    let commit = pair.organiser.committed();
    pair.organiser.log(pair.next, commit.entry);
    knock_again(&mut pair, 5);
    assert_eq!(asked(&mut pair.organiser).len(), 1);
    let (_, request) = Client::knocking(&pair.organiser, 6);
    pair.organiser.sent();
    pair.organiser.receive(Down::Knocked { participant: ParticipantId(6), request });
    assert_eq!(pair.organiser.committed().welcomes[0].to, [ParticipantId(6)], "others are let in");
}

/// Each manager has its own list of known devices.
#[test]
fn another_manager_does_not_admit_somebody_who_was_sent_back() {
    let mut pair = Pair::new();
    let (mut carl, request) = Client::knocking(&pair.organiser, CARL.0);
    pair.organiser.receive(Down::Knocked { participant: CARL, request });
    let commit = pair.organiser.committed();
    pair.log(&commit.entry);
    carl.admit(&commit, pair.next);
    pair.promote();
    let promoted = pair.next;
    pair.guest.command(Command::SendBack(CARL));
    let commit = pair.guest.sent().into_iter().find_map(|message| as_commit(message, BOB)).expect("a commit");
    pair.log(&commit.entry);
    assert!(pair.next > promoted);
    let entry = again(carl.meeting);
    carl.meeting = Meeting::new(entry, wall_clock(carl.now, 0), carl.now);
    let request = carl.knock(&pair.organiser, 5);
    pair.organiser.events();
    pair.organiser.receive(Down::Knocked { participant: ParticipantId(5), request });
    let [(_, evidence)] = <[_; 1]>::try_from(asked(&mut pair.organiser)).expect("the organiser is asked");
    assert!(evidence.sent_back);
}

/// A manager could come back without a decision.
#[test]
fn a_co_organiser_that_is_sent_back_is_none_any_more_and_the_keys_change() {
    let mut pair = Pair::new();
    pair.promote();
    pair.guest.events();
    send_back(&mut pair);
    assert_eq!(pair.organiser.keys().chain().rotations(), 1);
    let device = pair.guest.meeting.entrant.identity.public();
    assert_eq!(pair.organiser.meeting.policy().unwrap().role_of_device(device), Role::Participant);
    assert!(matches!(pair.guest.events()[..], [Event::Lobby(LobbyEvent::SentBack)]));
    assert!(pair.guest.meeting.manager.is_none());
    knock_again(&mut pair, 5);
    let [(_, evidence)] = <[_; 1]>::try_from(asked(&mut pair.organiser)).expect("the organiser is asked");
    assert!(evidence.sent_back && evidence.via_old_link);
    assert_eq!(role(&pair.organiser, ADA), Role::Organiser);
    // The keys changed because it was sent back: it cannot have a newer link, so the link is not the reason.
    pair.organiser.sent();
    pair.organiser.command(Command::Refuse(ParticipantId(5), Refusal::Declined));
    let refused = ManagerCommand::Refuse { participant: ParticipantId(5), why: Refusal::Declined };
    assert_eq!(pair.organiser.commands(), [refused]);
}

#[test]
fn the_link_changes_without_a_removal_and_the_old_one_leads_to_a_decision() {
    let mut pair = Pair::new();
    let (_, old) = Client::knocking(&pair.organiser, 7);
    pair.organiser.command(Command::ChangeLink);
    let commit = pair.organiser.committed();
    pair.organiser.events();
    pair.log(&commit.entry);
    let events = pair.organiser.events();
    assert!(events.iter().any(|event| matches!(event, Event::LinkChanged)));
    assert_eq!(pair.organiser.keys().chain().rotations(), 1);
    pair.organiser.sent();
    pair.organiser.receive(Down::Knocked { participant: ParticipantId(7), request: old });
    let [(_, evidence)] = <[_; 1]>::try_from(asked(&mut pair.organiser)).expect("the organiser is asked");
    assert!(evidence.via_old_link);
    // The request is fulfilled.
    pair.organiser.sent();
    pair.organiser.wait(Duration::from_secs(6));
    assert!(pair.organiser.sent().into_iter().all(|message| as_commit(message, ADA).is_none()));
}

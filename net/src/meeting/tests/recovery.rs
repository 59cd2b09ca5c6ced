//! The way back: to resume a lost connection, to join again, and the organiser who comes back.

use super::*;

/// Lets the connection end, and waits for the wish to connect again.
pub(super) fn lose(client: &mut Client) {
    client.meeting.handle_disconnected(client.now);
    assert!(matches!(client.events()[..], [Event::Reconnecting]));
    assert!(!client.meeting.poll_reconnect());
    client.wait(timing::FIRST_RETRY);
    assert!(client.meeting.poll_reconnect() && !client.meeting.poll_reconnect());
}

/// Connects again, and continues as the same member.
fn resume(client: &mut Client) {
    client.meeting.handle_connected(client.now);
    assert_eq!(client.sent(), [Up::Hello { version: VERSION }]);
    client.receive(hello(ParticipantId(99)));
    let sent = client.sent();
    let [Up::Resume { participant, token: TOKEN, .. }] = sent[..] else { panic!("it resumes: {sent:?}") };
    assert_eq!(Some(participant), client.meeting.me());
    client.receive(Down::Resumed);
}

#[test]
fn a_member_resumes_a_lost_connection_and_sends_what_waited() {
    let (_, mut guest) = Client::two();
    lose(&mut guest);
    let state = MediaState { microphone: Microphone::On, camera: false, ..MediaState::default() };
    guest.command(Command::Announce(state));
    assert!(guest.sent().is_empty());
    guest.events();
    resume(&mut guest);
    let events = guest.events();
    assert!(matches!(events[..], [Event::Reconnected { me: ParticipantId(2) }, Event::Members(_)]));
    guest.receive(Down::Ping);
    let sent = guest.sent();
    assert!(matches!(sent[..], [Up::Tell { .. }, Up::Pong { position: Position(1) }]), "{sent:?}");
}

#[test]
fn a_silent_server_is_a_lost_connection_and_any_message_restarts_the_timeout() {
    let (_, mut guest) = Client::two();
    guest.wait(Duration::from_millis(7_999));
    guest.receive(Down::Ping);
    guest.wait(Duration::from_millis(7_999));
    assert!(guest.events().is_empty());
    guest.wait(Duration::from_millis(1));
    assert!(matches!(guest.events()[..], [Event::Reconnecting]));
}

#[test]
fn a_member_whose_network_changes_connects_again_at_once() {
    let (_, mut guest) = Client::two();
    guest.meeting.handle_network_change(guest.now);
    assert!(matches!(guest.events()[..], [Event::Reconnecting]));
    guest.wait(Duration::ZERO);
    assert!(guest.meeting.poll_reconnect());
    // The attempt hangs on a network that is gone, and another one appears.
    guest.wait(Duration::from_secs(1));
    assert!(!guest.meeting.poll_reconnect());
    guest.meeting.handle_network_change(guest.now);
    guest.wait(Duration::ZERO);
    assert!(guest.meeting.poll_reconnect());
    resume(&mut guest);
    let events = guest.events();
    assert!(matches!(events[..], [Event::Reconnected { me: ParticipantId(2) }, Event::Members(_)]));
}

#[test]
fn a_member_resumes_also_after_minutes_without_a_server() {
    let (_, mut guest) = Client::two();
    guest.meeting.handle_disconnected(guest.now);
    let start = guest.now;
    while guest.now < start + Duration::from_secs(100) {
        guest.now = guest.meeting.poll_timeout().unwrap();
        guest.meeting.handle_timeout(guest.now);
        if guest.meeting.poll_reconnect() {
            guest.meeting.handle_disconnected(guest.now);
        }
    }
    guest.events();
    guest.wait(timing::MAX_RETRY * 2);
    assert!(guest.meeting.poll_reconnect());
    resume(&mut guest);
}

#[test]
fn messages_of_the_lost_connection_are_ignored() {
    let (_, mut guest) = Client::two();
    lose(&mut guest);
    guest.receive(Down::Ping);
    guest.log(1, LogEntry::Gone { participant: ADA, by: None });
    guest.receive(Down::Problem { problem: Problem::Superseded });
    assert!(guest.events().is_empty() && guest.sent().is_empty());
    resume(&mut guest);
    guest.log(1, LogEntry::Gone { participant: ADA, by: None });
    assert!(guest.events().iter().any(|event| matches!(event, Event::Notice(Notice::Unattended))));
}

#[test]
fn a_commit_that_was_lost_with_the_connection_is_sent_again() {
    let (_, mut guest) = Client::two();
    guest.command(Command::Refresh);
    let first = guest.committed();
    lose(&mut guest);
    resume(&mut guest);
    assert!(guest.sent().is_empty(), "the first commit may be in the log");
    guest.wait(timing::COMMIT_INTERVAL);
    guest.receive(Down::Ping);
    let second = guest.committed();
    assert!(second.epoch == Epoch(1) && second.blob != first.blob);
}

/// If the time for an answer began before the connection was lost, the client would connect again and again, for ever.
#[test]
fn a_commit_that_was_sent_long_before_does_not_end_the_resumed_connection() {
    let (_, mut guest) = Client::two();
    guest.command(Command::Refresh);
    guest.committed();
    for _ in 0..8 {
        guest.wait(Duration::from_secs(2));
        guest.receive(Down::Ping);
        guest.sent();
    }
    lose(&mut guest);
    guest.wait(Duration::from_secs(15));
    resume(&mut guest);
    guest.events();
    guest.wait(Duration::ZERO);
    assert!(guest.events().is_empty(), "it waits for the entries that it missed");
    guest.receive(Down::Ping);
    assert!(guest.committed().epoch == Epoch(1));
}

#[test]
fn a_commit_that_the_server_took_before_the_connection_was_lost_is_merged() {
    let (_, mut guest) = Client::two();
    guest.command(Command::Refresh);
    let commit = guest.committed();
    lose(&mut guest);
    resume(&mut guest);
    guest.events();
    guest.log(1, commit.entry);
    assert!(guest.events().iter().any(|event| matches!(event, Event::Keys { epoch: Epoch(2), .. })));
    guest.receive(Down::Ping);
    assert_eq!(guest.sent(), [Up::Pong { position: Position(2) }]);
}

#[test]
fn a_member_that_cannot_resume_joins_again_and_the_same_commit_removes_its_old_leaf() {
    let (mut organiser, mut guest) = Client::two();
    lose(&mut guest);
    guest.meeting.handle_connected(guest.now);
    guest.receive(hello(ParticipantId(8)));
    guest.sent();
    guest.receive(Down::Problem { problem: Problem::NotResumable });
    guest.meeting.handle_disconnected(guest.now);
    guest.wait(Duration::ZERO);
    assert!(guest.meeting.poll_reconnect());
    guest.meeting.handle_connected(guest.now);
    let request = guest.knock(&organiser, 9);
    assert!(guest.events().is_empty(), "the screens still show the meeting");
    organiser.receive(Down::Presence { participant: ParticipantId(2), connected: false });
    organiser.receive(Down::Knocked { participant: ParticipantId(9), request });
    let commit = organiser.committed();
    assert_eq!((&commit.removed[..], &commit.welcomes[0].to[..]), (&[ParticipantId(2)][..], &[ParticipantId(9)][..]));
    organiser.log(1, commit.entry.clone());
    guest.admit(&commit, 2);
    let events = guest.events();
    let Event::Keys { rejoined: true, leaves, .. } = &events[0] else { panic!("keys first") };
    let mut rights = leaves.clone();
    rights.sort_by_key(|(leaf, _)| *leaf);
    assert!(events.iter().any(|event| matches!(event, Event::Reconnected { me: ParticipantId(9) })));
    let people =
        events.into_iter().rev().find_map(|event| if let Event::Members(people) = event { Some(people) } else { None });
    let people: Vec<_> = people.unwrap().into_iter().map(|person| (person.leaf, person.rights)).collect();
    assert_eq!((people.len(), rights), (2, people), "the rights come with the keys");
}

#[test]
fn a_second_device_of_a_present_member_does_not_remove_the_first() {
    let (mut organiser, guest) = Client::two();
    let Entrant { identity, profile, .. } = guest.meeting.entrant;
    let invitation = organiser.meeting.invitation("meet.example", 443, None).unwrap();
    let mut second = Client::new(Entry::Join { invitation, identity, profile });
    let request = second.knock(&organiser, 3);
    organiser.receive(Down::Knocked { participant: ParticipantId(3), request });
    assert!(organiser.committed().removed.is_empty());
}

#[test]
fn a_member_that_cannot_come_back_gives_up() {
    let (_, mut guest) = Client::two();
    guest.meeting.handle_disconnected(guest.now);
    let start = guest.now;
    while guest.reason().is_none() {
        guest.now = guest.meeting.poll_timeout().unwrap();
        guest.meeting.handle_timeout(guest.now);
        if guest.meeting.poll_reconnect() {
            guest.meeting.handle_disconnected(guest.now);
        }
        assert!(guest.now < start + Duration::from_secs(200));
    }
    assert!(guest.now >= start + timing::RECOVERY_TIMEOUT);
}

#[test]
fn an_organiser_that_left_comes_back_as_organiser() {
    let (mut organiser, mut guest) = Client::two();
    organiser.command(Command::Leave);
    guest.log(1, LogEntry::Gone { participant: ADA, by: None });
    let removal = guest.committed();
    assert_eq!(removal.removed, [ADA]);
    guest.log(2, removal.entry);
    guest.events();
    let mut back = Client::new(organiser.meeting.into_return_entry().unwrap());
    back.receive(hello(ParticipantId(5)));
    back.receive(back.admission_key());
    let sent = back.sent();
    let Some(Up::Return { request, signature, .. }) = sent.last().cloned() else { panic!("it comes back: {sent:?}") };
    let participant = ParticipantId(5);
    let forged = Down::Returned { participant, request: request.clone(), signature: [1; 64] };
    guest.receive(forged);
    assert!(guest.sent().is_empty());
    guest.receive(Down::Returned { participant, request, signature });
    guest.receive(Down::Ping);
    guest.wait(timing::COMMIT_INTERVAL);
    let commit = guest.committed();
    assert_eq!(commit.welcomes[0].to, [participant]);
    guest.log(3, commit.entry.clone());
    back.admit(&commit, 4);
    assert!(back.events().iter().any(|event| matches!(event, Event::Entered { me: ParticipantId(5) })));
    let claim = back.committed();
    for client in [&mut back, &mut guest] {
        client.log(4, claim.entry.clone());
        let lists = client
            .events()
            .into_iter()
            .filter_map(|event| if let Event::Members(people) = event { Some(people) } else { None });
        let people = lists.last().expect("a list of members");
        let organisers: Vec<_> = people.iter().filter(|person| person.is_organiser()).map(|person| person.id).collect();
        assert_eq!((people.len(), &organisers[..]), (2, &[participant][..]));
    }
}

#[test]
fn the_members_update_their_keys_in_turn() {
    let (mut organiser, mut guest) = Client::two();
    let mut updates = Vec::new();
    let start = organiser.now;
    for _ in 0..400 {
        for (who, client) in [("organiser", &mut organiser), ("guest", &mut guest)] {
            client.receive(Down::Ping);
            client.wait(Duration::from_secs(2));
            let me = client.meeting.me().unwrap();
            if client.sent().into_iter().any(|message| as_commit(message, me).is_some()) {
                updates.push((who, (client.now - start).as_secs() / 60));
            }
        }
    }
    assert_eq!(updates, [("organiser", 5), ("guest", 10)], "the server never answers their commits");
}

/// If the message counted as sent, the others would never learn of it.
#[test]
fn an_announcement_that_was_lost_with_the_connection_is_sent_again() {
    let (_, mut guest) = Client::two();
    guest.command(Command::Announce(MediaState { camera: true, ..MediaState::default() }));
    assert!(matches!(guest.sent()[..], [Up::Tell { .. }]));
    guest.events();
    lose(&mut guest);
    resume(&mut guest);
    guest.receive(Down::Ping);
    let sent = guest.sent();
    assert!(matches!(sent[..], [Up::Tell { .. }, Up::Pong { .. }]), "{sent:?}");
    guest.receive(Down::Ping);
    assert!(matches!(guest.sent()[..], [Up::Pong { .. }]), "once");
}

#[test]
fn late_messages_are_read_for_two_seconds_and_their_author_repeats_them() {
    let (mut organiser, mut guest) = Client::two();
    let states = [true, false].map(|camera| MediaState { camera, microphone: Microphone::On, ..MediaState::default() });
    let told = states.map(|state| {
        guest.command(Command::Announce(state));
        let Some(Up::Tell { epoch, blob }) = guest.sent().pop() else { panic!("it sends its state") };
        LogEntry::Told { from: ParticipantId(2), epoch, blob }
    });
    organiser.command(Command::Refresh);
    let commit = organiser.committed();
    for client in [&mut organiser, &mut guest] {
        client.log(1, commit.entry.clone());
        client.events();
    }
    guest.sent();
    let seen = |client: &mut Client| {
        let lists = client
            .events()
            .into_iter()
            .filter_map(|event| if let Event::Members(people) = event { Some(people) } else { None });
        lists.last().map(|people| people[1].state)
    };
    organiser.log(2, told[0].clone());
    assert_eq!(seen(&mut organiser), Some(states[0]));
    organiser.wait(timing::PAST_EPOCH_TIMEOUT);
    organiser.log(3, told[1].clone());
    assert_eq!(seen(&mut organiser), None, "the secrets of its epoch are deleted");
    guest.log(2, told[0].clone());
    let Some(Up::Tell { epoch, blob }) = guest.sent().pop() else { panic!("it repeats its state") };
    organiser.log(4, LogEntry::Told { from: ParticipantId(2), epoch, blob });
    assert_eq!(seen(&mut organiser), Some(states[1]));
}

/// The organiser shows a new link before the server has the new keys. Such a link is not forged.
#[test]
fn a_link_that_is_newer_than_the_servers_keys_is_tried_again() {
    let (mut organiser, _) = Client::two();
    let before = organiser.admission_key();
    organiser.command(Command::Remove(ParticipantId(2)));
    let commit = organiser.committed();
    organiser.log(1, commit.entry);
    let mut guest = Client::new(join(&organiser));
    guest.receive(hello(ParticipantId(3)));
    guest.sent();
    for seconds in 1..timing::MAX_APPROACHES {
        guest.receive(before.clone());
        assert!(guest.sent().is_empty());
        let wait = timing::APPROACH_INTERVAL * seconds;
        assert_eq!(guest.meeting.poll_timeout(), Some(guest.now + wait));
        guest.wait(wait);
        assert!(matches!(guest.sent()[..], [Up::Approach { .. }]));
    }
    let entry = join(&organiser);
    guest.receive(before);
    assert_eq!(guest.reason(), Some(Reason::Forged), "not for ever");
    let mut guest = Client::new(entry);
    guest.receive(hello(ParticipantId(4)));
    guest.receive(organiser.admission_key());
    assert!(matches!(guest.sent().last(), Some(Up::Knock { .. })));
}

/// Otherwise a hostile server could keep a client connecting again and again, without a pause and without an end.
#[test]
fn only_the_answer_to_a_resume_makes_a_member_join_again() {
    for asked in [false, true] {
        let (organiser, mut guest) = Client::two();
        lose(&mut guest);
        guest.meeting.handle_connected(guest.now);
        if asked {
            guest.receive(hello(ParticipantId(8)));
        }
        guest.receive(Down::Problem { problem: Problem::NotResumable });
        guest.wait(Duration::ZERO);
        assert_eq!(guest.meeting.poll_reconnect(), asked);
        if !asked {
            assert!(matches!(guest.reason(), Some(Reason::Server(_))));
            continue;
        }
        guest.meeting.handle_connected(guest.now);
        guest.knock(&organiser, 9);
        guest.receive(Down::Problem { problem: Problem::NotResumable });
        assert!(matches!(guest.reason(), Some(Reason::Server(_))), "it knocked, and did not resume");
    }
}

/// Otherwise one hostile member could end the organiser's meeting, and the others would have no organiser any more.
#[test]
fn an_organiser_that_gets_a_false_welcome_asks_again() {
    let (mut organiser, _) = Client::two();
    lose(&mut organiser);
    organiser.meeting.handle_connected(organiser.now);
    organiser.receive(hello(ParticipantId(8)));
    organiser.receive(Down::Problem { problem: Problem::NotResumable });
    organiser.meeting.handle_disconnected(organiser.now);
    organiser.wait(Duration::ZERO);
    assert!(organiser.meeting.poll_reconnect());
    organiser.meeting.handle_connected(organiser.now);
    organiser.receive(hello(ParticipantId(9)));
    organiser.receive(organiser.admission_key());
    assert!(matches!(organiser.sent().last(), Some(Up::Return { .. })));
    organiser.receive(false_admission());
    assert_eq!(organiser.reason(), None);
    assert_eq!(organiser.sent(), [Up::Leave], "the members learn that this participant is not coming");
    organiser.wait(timing::MAX_RETRY);
    assert!(organiser.meeting.poll_reconnect());
    organiser.meeting.handle_connected(organiser.now);
    organiser.receive(hello(ParticipantId(10)));
    organiser.receive(organiser.admission_key());
    assert!(matches!(organiser.sent().last(), Some(Up::Return { .. })));
}

/// A false Welcome ended the entry of an organiser that had left before.
#[test]
fn an_organiser_that_left_and_gets_a_false_welcome_asks_the_next_member() {
    let (mut organiser, mut guest) = Client::two();
    organiser.command(Command::Leave);
    guest.log(1, LogEntry::Gone { participant: ADA, by: None });
    let removal = guest.committed();
    guest.log(2, removal.entry);
    let mut back = Client::new(organiser.meeting.into_return_entry().unwrap());
    back.receive(hello(ParticipantId(5)));
    back.receive(back.admission_key());
    assert!(matches!(back.sent().last(), Some(Up::Return { .. })));
    let state = MediaState { camera: true, ..MediaState::default() };
    back.command(Command::Announce(state));
    back.receive(false_admission());
    assert_eq!(back.reason(), None);
    assert_eq!(back.sent(), [Up::Leave], "the members learn that this participant is not coming");
    assert!(back.meeting.me().is_none() && back.meeting.policy().is_none());
    back.meeting.handle_disconnected(back.now);
    for command in [Command::Announce(state), Command::Refresh, Command::End] {
        back.command(command);
    }
    let events = back.events();
    assert!(matches!(events[..], [Event::Notice(Notice::NotAllowed), Event::Notice(Notice::NotAllowed)]));
    back.wait(timing::FALSE_WELCOME_RETRY);
    assert!(back.meeting.poll_reconnect());
    back.meeting.handle_connected(back.now);
    back.receive(hello(ParticipantId(6)));
    back.receive(back.admission_key());
    let participant = ParticipantId(6);
    let Some(Up::Return { request, signature, .. }) = back.sent().pop() else { panic!("it comes back") };
    guest.receive(Down::Returned { participant, request, signature });
    guest.receive(Down::Ping);
    guest.wait(timing::COMMIT_INTERVAL);
    let commit = guest.committed();
    guest.log(3, commit.entry.clone());
    back.admit(&commit, 4);
    let events = back.events();
    assert!(events.iter().any(|event| matches!(event, Event::Entered { me: ParticipantId(6) })));
    assert!(back.sent().iter().any(|message| matches!(message, Up::Tell { .. })), "the others learn of the camera");
}

#[test]
fn an_organiser_that_left_gives_up_if_the_server_does_not_answer_after_a_false_welcome() {
    let (mut organiser, _) = Client::two();
    organiser.command(Command::Leave);
    let mut back = Client::new(organiser.meeting.into_return_entry().unwrap());
    back.receive(hello(ParticipantId(5)));
    back.receive(back.admission_key());
    back.receive(false_admission());
    let start = back.now;
    while back.reason().is_none() {
        back.now = back.meeting.poll_timeout().unwrap();
        back.meeting.handle_timeout(back.now);
        if back.meeting.poll_reconnect() {
            back.meeting.handle_disconnected(back.now);
        }
        assert!(back.now < start + Duration::from_secs(200));
    }
    assert!(back.now >= start + timing::RECOVERY_TIMEOUT);
}

/// A hostile member kept the organiser out for 140 s. Then the client ended and blamed the network.
#[test]
fn false_welcomes_do_not_use_up_the_time_to_come_back_and_are_bounded() {
    let (mut organiser, _) = Client::two();
    let chain = organiser.admission_key();
    come_back(&mut organiser, chain.clone());
    let (start, mut answered) = (organiser.now, 0);
    let reason = loop {
        organiser.receive(false_admission());
        answered += 1;
        if let Some(reason) = organiser.reason() {
            break reason;
        }
        if answered == 150 {
            assert!(organiser.now > start + timing::RECOVERY_TIMEOUT);
            // A connection that is lost now is not the last one.
            organiser.wait(timing::MAX_FALSE_WELCOME_RETRY);
            assert!(organiser.meeting.poll_reconnect());
            organiser.meeting.handle_disconnected(organiser.now);
            assert_eq!(organiser.reason(), None);
        }
        organiser.wait(timing::MAX_FALSE_WELCOME_RETRY);
        assert!(organiser.meeting.poll_reconnect());
        organiser.meeting.handle_connected(organiser.now);
        organiser.receive(hello(ParticipantId(100 + u64::from(answered))));
        organiser.receive(chain.clone());
    };
    assert_eq!(
        (answered, reason.fault(), reason),
        (timing::MAX_FALSE_WELCOMES, Some(Fault::Peer), Reason::FalseWelcome)
    );
}

/// An answer to such a request is useless. It once kept a member from answering the next request.
#[test]
fn an_organiser_that_has_left_again_is_not_answered() {
    let (mut organiser, mut guest) = Client::two();
    let chain = organiser.admission_key();
    let request = come_back(&mut organiser, chain);
    guest.log(1, LogEntry::Gone { participant: ADA, by: None });
    let gone = guest.committed();
    guest.log(2, gone.entry);
    guest.receive(request);
    guest.log(3, LogEntry::Gone { participant: ParticipantId(9), by: None });
    guest.wait(timing::COMMIT_INTERVAL);
    assert!(guest.sent().is_empty());
}

/// A hostile member could make each removal come too late, and the answer waited for it.
#[test]
fn one_commit_adds_an_organiser_and_removes_those_who_left() {
    let (mut organiser, mut guest) = Client::two();
    let chain = organiser.admission_key();
    guest.receive(come_back(&mut organiser, chain));
    assert!(guest.sent().is_empty(), "the organiser's old leaf is first in rank");
    guest.log(1, LogEntry::Gone { participant: ADA, by: None });
    let commit = guest.committed();
    assert_eq!((&commit.removed[..], &commit.welcomes[0].to[..]), (&[ADA][..], &[ParticipantId(9)][..]));
    guest.log(2, commit.entry.clone());
    organiser.admit(&commit, 3);
    assert!(organiser.events().iter().any(|event| matches!(event, Event::Reconnected { me: ParticipantId(9) })));
}

/// Lets the organiser come back as participant 9, and returns the request. The server knows `chain`.
pub(super) fn come_back(organiser: &mut Client, chain: Down) -> Down {
    lose(organiser);
    organiser.meeting.handle_connected(organiser.now);
    organiser.sent();
    organiser.receive(hello(ParticipantId(8)));
    organiser.receive(Down::Problem { problem: Problem::NotResumable });
    organiser.meeting.handle_disconnected(organiser.now);
    organiser.wait(Duration::ZERO);
    assert!(organiser.meeting.poll_reconnect());
    organiser.meeting.handle_connected(organiser.now);
    organiser.receive(hello(ParticipantId(9)));
    organiser.receive(chain);
    let Some(Up::Return { request, signature, .. }) = organiser.sent().pop() else { panic!("it comes back") };
    Down::Returned { participant: ParticipantId(9), request, signature }
}

/// The organiser loses the connection while its keys rotate, and does not learn whether the server has accepted the commit.
/// The server's chain shows with which authority it comes back.
#[test]
fn an_organiser_comes_back_although_the_answer_to_its_rotation_was_lost() {
    for accepted in [false, true] {
        let (mut organiser, mut guest) = Client::two();
        let (mut removed, request) = Client::knocking(&organiser, 3);
        organiser.receive(Down::Knocked { participant: ParticipantId(3), request });
        let admission = organiser.committed();
        removed.admit(&admission, 2);
        organiser.log(1, admission.entry.clone());
        guest.log(1, admission.entry);
        organiser.sent();
        organiser.command(Command::Remove(ParticipantId(3)));
        let (removal, old) = (organiser.committed(), organiser.keys().authority());
        let (mut position, mut chain) = (2, organiser.admission_key());
        if accepted {
            guest.log(position, removal.entry.clone());
            position += 1;
            chain = rotated(chain, &removal);
        }
        organiser.events();
        let request = come_back(&mut organiser, chain);
        let Down::Returned { participant, request: package, signature } = &request else { panic!("a request") };
        let meeting = organiser.keys().meeting();
        assert_eq!(old.signed_return(meeting, *participant, &package.0, signature), !accepted);
        guest.log(position, LogEntry::Gone { participant: ADA, by: None });
        let gone = guest.committed();
        guest.log(position + 1, gone.entry);
        guest.receive(request);
        guest.wait(timing::COMMIT_INTERVAL);
        let commit = guest.committed();
        guest.log(position + 2, commit.entry.clone());
        organiser.admit(&commit, position + 3);
        assert_eq!(
            organiser.keys().authority() != old,
            accepted,
            "the keys of the commit are in force if it was accepted"
        );
        let claim = organiser.committed();
        for client in [&mut organiser, &mut guest] {
            client.events();
            client.log(position + 3, claim.entry.clone());
            let is_organiser = |person: &Member| person.id == ParticipantId(9) && person.is_organiser();
            let list = |event| if let Event::Members(people) = event { Some(people) } else { None };
            let lists = client.events().into_iter().filter_map(list);
            assert!(lists.last().is_some_and(|people| people.iter().any(is_organiser)));
        }
    }
}

/// Returns what the server says after it has accepted a commit with a rotation.
fn rotated(before: Down, commit: &Commit) -> Down {
    let (Down::AdmissionKey { chain, .. }, LogEntry::Managed { signed }) = (before, &commit.entry) else {
        panic!("an admission key and a signed commit")
    };
    let Ok(ManagerCommand::Commit { rotation: Some(next), .. }) = signed.decode() else {
        panic!("it rotates the keys")
    };
    let chain = Blob([chain.0, next.rotation.to_vec()].concat());
    Down::AdmissionKey { admission_key: next.admission_key, chain }
}

//! The way back: to resume a lost connection, to join again, and the organiser who comes back.

use super::*;

/// Lets the connection end, and waits for the wish to connect again.
fn lose(client: &mut Client) {
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
    let state = MediaState { microphone: Microphone::On, camera: false, screen: false };
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
fn messages_of_the_lost_connection_are_ignored() {
    let (_, mut guest) = Client::two();
    lose(&mut guest);
    guest.receive(Down::Ping);
    guest.log(1, LogEntry::Gone { participant: ADA });
    guest.receive(Down::Problem { problem: Problem::Superseded });
    assert!(guest.events().is_empty() && guest.sent().is_empty());
    resume(&mut guest);
    guest.log(1, LogEntry::Gone { participant: ADA });
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
    assert!(matches!(events[0], Event::Keys { rejoined: true, .. }));
    assert!(events.iter().any(|event| matches!(event, Event::Reconnected { me: ParticipantId(9) })));
    let people =
        events.into_iter().rev().find_map(|event| if let Event::Members(people) = event { Some(people) } else { None });
    assert_eq!(people.map(|people| people.len()), Some(2));
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
    assert!(guest.now >= start + timing::RESUME_TIMEOUT + timing::REJOIN_TIMEOUT);
}

#[test]
fn an_organiser_that_left_comes_back_as_organiser() {
    let (mut organiser, mut guest) = Client::two();
    organiser.command(Command::Leave);
    guest.log(1, LogEntry::Gone { participant: ADA });
    let removal = guest.committed();
    assert_eq!(removal.removed, [ADA]);
    guest.log(2, removal.entry);
    guest.events();
    let mut back = Client::new(organiser.meeting.into_return().unwrap());
    back.receive(hello(ParticipantId(5)));
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
        let organisers: Vec<_> = people.iter().filter(|person| person.organiser).map(|person| person.id).collect();
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

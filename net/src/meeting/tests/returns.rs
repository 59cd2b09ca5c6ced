//! Managers that come back, and members that misuse their requests.

use super::recovery::come_back;
use super::room::Room;
use super::*;
use crypto::group::hostile::{Forbidden, forge};

/// Lets the server be alive for some time, at which the client sends `Leave`. Returns how long that took.
fn waits_in_vain(client: &mut Client) -> Duration {
    let start = client.now;
    while !client.sent().contains(&Up::Leave) {
        assert!(client.now < start + Duration::from_mins(1), "it waits for ever");
        client.receive(Down::Ping);
        client.wait(Duration::from_secs(1));
    }
    client.now.saturating_duration_since(start)
}

/// Asks again as this participant. Returns the request as the members get it.
fn asks_again(client: &mut Client, id: u64, chain: Down) -> Down {
    client.wait(timing::MAX_FALSE_WELCOME_RETRY);
    assert!(client.meeting.poll_reconnect());
    client.meeting.handle_connected(client.now);
    client.receive(hello(ParticipantId(id)));
    client.receive(chain);
    let Some(Up::Return { request, signature, .. }) = client.sent().pop() else { panic!("it comes back") };
    Down::Returned { participant: ParticipantId(id), request, signature }
}

/// Any member may add the organiser without a Welcome. Then all others take it for a member, and it waited for ever.
#[test]
fn an_organiser_whose_return_was_swallowed_asks_again_and_gets_in() {
    let (mut organiser, mut guest) = Client::two();
    let chain = organiser.admission_key();
    guest.receive(come_back(&mut organiser, chain.clone()));
    guest.log(1, LogEntry::Gone { participant: ADA, by: None });
    let swallowed = guest.committed();
    guest.log(2, swallowed.entry);
    assert_eq!(waits_in_vain(&mut organiser), timing::RETURN_TIMEOUT);
    assert!(matches!(organiser.events()[..], [Event::Notice(Notice::NoAnswerYet)]));
    guest.log(3, LogEntry::Gone { participant: ParticipantId(9), by: None });
    guest.receive(asks_again(&mut organiser, 10, chain));
    guest.wait(timing::COMMIT_INTERVAL);
    let answer = guest.committed();
    assert_eq!((&answer.removed[..], &answer.welcomes[0].to[..]), (&[ParticipantId(9)][..], &[ParticipantId(10)][..]));
    guest.log(4, answer.entry.clone());
    organiser.admit(&answer, 5);
    assert!(organiser.events().iter().any(|event| matches!(event, Event::Reconnected { me: ParticipantId(10) })));
}

/// A member of a low rank, or one that sends a large tree, needs longer than an organiser waits for the first time.
#[test]
fn an_organiser_that_nobody_answers_waits_longer_each_time_and_tells_its_user_once() {
    let (mut organiser, _) = Client::two();
    organiser.command(Command::Leave);
    let mut back = Client::new(organiser.meeting.into_return_entry().unwrap());
    let chain = back.admission_key();
    back.receive(hello(ParticipantId(5)));
    back.receive(chain.clone());
    let mut requests = vec![back.sent().pop().unwrap()];
    let (mut waited, mut notices) = (Vec::new(), 0);
    for id in 6..10 {
        waited.push(waits_in_vain(&mut back).as_secs());
        let events = back.events();
        assert!(!back.meeting.is_over() && back.meeting.me().is_none());
        notices += events.iter().filter(|event| matches!(event, Event::Notice(Notice::NoAnswerYet))).count();
        let Down::Returned { request, signature, .. } = asks_again(&mut back, id, chain.clone()) else { panic!() };
        let request = Up::Return { meeting: back.keys().meeting(), request, signature };
        assert!(!requests.contains(&request), "each request has its own key package");
        requests.push(request);
    }
    assert_eq!(waited, [10, 20, 40, 40]);
    assert_eq!(notices, 1);
}

/// A guest makes a second organiser of the request of the first one, whom nobody could remove.
#[test]
#[expect(clippy::disallowed_methods, reason = "it is an attack")]
fn a_request_to_come_back_that_was_used_is_rejected_by_all() {
    let mut room = Room::new(2);
    room.forget();
    let (_, mut organiser) = room.clients.remove(0);
    let chain = organiser.admission_key();
    let request = come_back(&mut organiser, chain);
    let Down::Returned { participant, request: package, .. } = request.clone() else { panic!("a request") };
    for guest in [0, 1] {
        room.at(guest).receive(request.clone());
    }
    room.log(&LogEntry::Gone { participant: ADA, by: None });
    room.admit(organiser, participant);
    let organisers = |room: &Room| -> Vec<ParticipantId> {
        let members = room.clients[0].1.meeting.phase.joined().unwrap().roster.list();
        members.into_iter().filter(Member::is_organiser).map(|person| person.id).collect()
    };
    assert_eq!(organisers(&room), [participant]);
    // It leaves, and the members remove it.
    room.clients.pop();
    room.log(&LogEntry::Gone { participant, by: None });
    room.exchange();
    room.wait(timing::COMMIT_INTERVAL);
    assert!(organisers(&room).is_empty());
    room.forget();
    let from = room.id(1);
    let Meeting { phase, entrant, .. } = &mut room.at(1).meeting;
    let Phase::Member(joined) = phase else { panic!("a member") };
    let forbidden = Forbidden::Package(package.0);
    let blob = forge(joined.log.group_mut(), &entrant.identity, forbidden, SystemTime::now()).unwrap();
    let epoch = joined.log.epoch();
    room.log(&LogEntry::Commit { from, epoch, blob: Blob(blob) });
    assert!(organisers(&room).is_empty());
    let events = room.at(0).events();
    assert!(events.iter().any(|event| matches!(event, Event::Notice(Notice::CommitRejected(by)) if *by == from)));
}

/// Its leaf stayed for ever: the entry about it came before the commit that added it.
#[test]
fn a_participant_that_left_before_its_admission_is_removed_by_all() {
    let (mut room, late) = (Room::new(2), ParticipantId(7));
    let (_, request) = Client::knocking(&room.clients[0].1, late.0);
    room.forget();
    room.log(&LogEntry::Gone { participant: late, by: None });
    room.at(0).receive(Down::Knocked { participant: late, request });
    room.exchange();
    for (_, client) in &mut room.clients {
        let events = client.events();
        assert!(events.iter().any(|event| matches!(event, Event::Joined(id) if *id == late)));
        assert!(events.iter().any(|event| matches!(event, Event::Left { id, .. } if *id == late)));
        assert!(!events.iter().any(|event| matches!(event, Event::Notice(Notice::CommitRejected(_)))));
    }
}

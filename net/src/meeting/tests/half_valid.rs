//! Commits that some members can read and others cannot, of a guest: participant 2, at leaf 1.
#![expect(clippy::disallowed_methods, reason = "the guest is hostile")]

use super::room::Room;
use super::*;
use crate::meeting::hostile::half_valid;
use proto::Role;

const MALLORY: ParticipantId = ParticipantId(2);

/// Lets the guest send an update that some cannot read.
fn attack(room: &mut Room, victims: &[usize]) {
    let victims: Vec<_> = victims.iter().map(|number| room.id(*number)).collect();
    let author = room.at(1);
    let commit = half_valid(&mut author.meeting, &victims, author.now).expect("each victim has a key of its own");
    let commit = as_commit(commit, MALLORY).unwrap();
    room.log(&commit.entry);
}

/// Returns the commands that a client has signed, and its other messages.
fn split(client: &mut Client) -> (Vec<ManagerCommand>, Vec<Up>) {
    let (mut commands, mut others) = (Vec::new(), Vec::new());
    for message in client.all_sent() {
        match signed(message.clone(), ADA).map(|signed| signed.decode()) {
            Some(Ok(command)) => commands.push(command),
            Some(Err(_)) => panic!("a command"),
            None => others.push(message),
        }
    }
    (commands, others)
}

fn is_commit(message: &Up) -> bool {
    as_commit(message.clone(), ADA).is_some()
}

fn is_void(command: &ManagerCommand) -> bool {
    matches!(command, ManagerCommand::Void { .. })
}

fn device(room: &Room, number: usize) -> crypto::DeviceKey {
    room.clients[number].1.meeting.entrant.identity.public()
}

/// Returns the beacon of a manager about the newest epoch.
fn manager_beacon(room: &mut Room, number: usize) -> Down {
    let from = room.id(number);
    let client = room.at(number);
    client.receive(Down::Ping);
    client.wait(timing::BEACON_INTERVAL);
    let is_beacon = |signed: &SignedCommand| matches!(signed.decode(), Ok(ManagerCommand::Beacon { .. }));
    let mut commands = client.sent().into_iter().rev().filter_map(|message| signed(message, from));
    Down::Beacon { signed: commands.find(is_beacon).expect("it sends a beacon") }
}

/// Returns the beacon of a member about the newest epoch.
fn member_beacon(room: &mut Room, number: usize) -> Down {
    let from = room.id(number);
    let client = room.at(number);
    client.wait(Duration::from_secs(1));
    let of = |message| if let Up::Beacon { beacon } = message { Some(beacon) } else { None };
    let beacon = client.all_sent().into_iter().rev().find_map(of);
    Down::MemberBeacon { from, beacon: beacon.expect("it sends a beacon") }
}

fn is_out(client: &mut Client) -> bool {
    client.events().iter().any(|event| matches!(event, Event::Reconnecting))
}

/// A member that could not read a commit learns from the organiser's beacon that the others have merged it, and knocks as
/// participant `id`. The others remove its old leaf.
fn knocks_again(room: &mut Room, number: usize, id: u64) -> (Client, Blob) {
    let beacon = manager_beacon(room, 0);
    let (old, mut client) = room.clients.remove(number);
    client.receive(beacon);
    assert!(is_out(&mut client));
    assert_eq!(client.sent(), [Up::Leave]);
    client.wait(timing::MAX_BLAMELESS_DELAY);
    assert!(client.meeting.poll_reconnect(), "it comes back soon, however often that has happened");
    client.meeting.handle_connected(client.now);
    room.log(&LogEntry::Gone { participant: old, by: None });
    room.exchange();
    let request = client.knock(&room.clients[0].1, id);
    room.forget();
    (client, request)
}

fn reported(client: &mut Client) -> Vec<Notice> {
    let notices = client.events().into_iter();
    let notices = notices.filter_map(|event| if let Event::Notice(notice) = event { Some(notice) } else { None });
    notices.collect()
}

#[test]
fn a_victim_comes_back_alone_and_its_request_names_the_author_to_the_organiser() {
    let mut room = Room::new(3);
    room.forget();
    attack(&mut room, &[2]);
    let notices = reported(room.at(2));
    assert_eq!(notices, [Notice::KeysUnreadable(MALLORY)]);
    room.at(2).command(Command::Refresh);
    assert!(!room.at(2).sent().iter().any(is_commit), "the others would take its commit for an invalid one");
    for number in [0, 1, 3] {
        let events = room.at(number).events();
        assert!(events.iter().any(|event| matches!(event, Event::Keys { .. })), "{number} goes on");
        assert!(!events.iter().any(|event| matches!(event, Event::Reconnecting | Event::Notice(_))), "{number}");
    }
    let (client, request) = knocks_again(&mut room, 2, 9);
    room.at(0).receive(Down::Knocked { participant: ParticipantId(9), request });
    assert_eq!(reported(room.at(0)), [Notice::KeysReported { author: MALLORY, reader: "Bob".into() }]);
    let (commands, _) = split(room.at(0));
    let admits =
        |command: &ManagerCommand| matches!(command, ManagerCommand::Commit { removed, .. } if removed.is_empty());
    assert!(commands.iter().any(admits) && commands.len() == 1, "it is admitted, and nobody is removed: {commands:?}");
    assert!(client.meeting.me().is_some());
}

#[test]
fn three_complaints_of_one_member_have_nobody_removed_and_three_members_do() {
    let mut room = Room::new(3);
    let mallory = device(&room, 1);
    for (round, id) in (0..3).zip(20..) {
        let victim = if round == 0 { 2 } else { room.clients.len() - 1 };
        attack(&mut room, &[victim]);
        let (client, request) = knocks_again(&mut room, victim, id);
        room.at(0).receive(Down::Knocked { participant: ParticipantId(id), request });
        assert_eq!(reported(room.at(0)).len(), 1, "the organiser's user is told each time");
        room.admit(client, ParticipantId(id));
        room.wait(Duration::from_secs(1));
    }
    assert!(!room.clients[0].1.meeting.policy().unwrap().is_barred(mallory));
    // Two more, with one commit.
    let last = room.join();
    let victims = [2, last];
    attack(&mut room, &victims);
    let beacon = manager_beacon(&mut room, 0);
    let mut expelled = Vec::new();
    for (number, id) in [(last, 31), (2, 32)] {
        let (old, mut client) = room.clients.remove(number);
        client.receive(beacon.clone());
        client.sent();
        client.wait(timing::MAX_BLAMELESS_DELAY);
        assert!(client.meeting.poll_reconnect());
        client.meeting.handle_connected(client.now);
        let request = client.knock(&room.clients[0].1, id);
        room.at(0).receive(Down::Knocked { participant: ParticipantId(id), request });
        room.at(0).receive(Down::Withdrew { participant: ParticipantId(id) });
        let expel = |command: &ManagerCommand| *command == ManagerCommand::Expel { participant: MALLORY };
        let messages = room.at(0).sent();
        for commit in messages.iter().filter_map(|message| as_commit(message.clone(), ADA)) {
            room.log(&commit.entry);
        }
        let mut commands = messages.into_iter().filter_map(|message| signed(message, ADA)?.decode().ok());
        expelled.push(commands.any(|command| expel(&command)));
        room.log(&LogEntry::Gone { participant: old, by: None });
        room.exchange();
    }
    assert_eq!(expelled, [false, true]);
    assert!(room.clients[0].1.meeting.policy().unwrap().is_barred(mallory));
}

#[test]
fn nobody_admits_by_a_rule_whom_somebody_has_complained_about() {
    let mut room = Room::new(3);
    attack(&mut room, &[2]);
    let (_, request) = knocks_again(&mut room, 2, 9);
    room.at(0).receive(Down::Knocked { participant: ParticipantId(9), request });
    room.exchange();
    // The server's limit is for one membership.
    let (_, author) = room.clients.remove(1);
    let Entrant { identity, profile, .. } = author.meeting.entrant;
    room.log(&LogEntry::Gone { participant: MALLORY, by: None });
    room.exchange();
    room.forget();
    let invitation = room.clients[0].1.meeting.invitation("meet.example", 443, None).unwrap();
    let mut again = Client::new(Entry::Join { invitation, identity, profile });
    let request = again.knock(&room.clients[0].1, 10);
    room.at(0).receive(Down::Knocked { participant: ParticipantId(10), request });
    assert!(room.at(0).events().iter().any(|event| matches!(event, Event::AsksToJoin { .. })));
}

/// Otherwise a member could blame another one for a commit that it has not made.
#[test]
fn a_complaint_about_a_commit_of_somebody_else_means_nothing() {
    let mut room = Room::new(3);
    attack(&mut room, &[2]);
    let other = device(&room, 3);
    let (mut client, _) = knocks_again(&mut room, 2, 9);
    let complaint = client.meeting.entrant.complaint.unwrap();
    client.meeting.entrant.complaint = Some(crypto::Complaint { device: other, ..complaint });
    let now = client.now;
    client.meeting.handle_disconnected(now);
    client.wait(timing::MAX_RETRY);
    assert!(client.meeting.poll_reconnect());
    client.meeting.handle_connected(client.now);
    let request = client.knock(&room.clients[0].1, 10);
    room.at(0).receive(Down::Knocked { participant: ParticipantId(10), request });
    assert!(reported(room.at(0)).is_empty());
}

#[test]
fn an_organiser_that_could_not_read_what_others_have_merged_comes_back_alone_and_removes_the_author() {
    let mut room = Room::new(3);
    let mallory = device(&room, 1);
    room.forget();
    room.at(0).sent();
    attack(&mut room, &[0]);
    assert_eq!(reported(room.at(0)), [Notice::KeysUnreadable(MALLORY)]);
    let (commands, _) = split(room.at(0));
    assert_eq!(commands, [ManagerCommand::Expel { participant: MALLORY }], "at once, and the meeting goes on");
    let beacons = [member_beacon(&mut room, 2), member_beacon(&mut room, 3)];
    room.at(0).wait(Duration::from_secs(1));
    let (commands, others) = split(room.at(0));
    assert!(commands.is_empty() && others.is_empty(), "no beacon that cuts the others off: {others:?}");
    let [first, second] = beacons;
    room.at(0).receive(first.clone());
    room.at(0).receive(first);
    assert!(!is_out(room.at(0)), "one of two is not more than half");
    room.at(0).receive(second);
    assert!(is_out(room.at(0)));
    assert_eq!(room.at(0).sent(), [Up::Leave]);
    // Everybody else stays.
    room.clients.remove(1);
    let (_, mut organiser) = room.clients.remove(0);
    for participant in [MALLORY, ADA] {
        room.log(&LogEntry::Gone { participant, by: None });
    }
    room.exchange();
    organiser.wait(timing::MAX_BLAMELESS_DELAY);
    assert!(organiser.meeting.poll_reconnect());
    organiser.meeting.handle_connected(organiser.now);
    organiser.receive(hello(ParticipantId(5)));
    organiser.receive(organiser.admission_key());
    let sent = organiser.sent();
    let Some(Up::Return { request, signature, .. }) = sent.last().cloned() else { panic!("it comes back: {sent:?}") };
    room.at(0).receive(Down::Returned { participant: ParticipantId(5), request, signature });
    room.at(0).receive(Down::Ping);
    room.at(0).wait(timing::COMMIT_INTERVAL);
    let commits: Vec<_> = room.at(0).sent();
    let from = room.id(0);
    let answer = commits.into_iter().find_map(|message| as_commit(message, from)).expect("an answer");
    let answer = Commit { tree: room.at(0).tree.clone(), ..answer };
    room.log(&answer.entry);
    organiser.admit(&answer, room.next);
    room.clients.insert(0, (ParticipantId(5), organiser));
    room.exchange();
    let policy = room.clients[1].1.meeting.policy().unwrap();
    assert!(policy.is_barred(mallory), "without its user's command");
    for (_, client) in &mut room.clients {
        assert!(client.events().iter().all(|event| !matches!(event, Event::Reconnecting)));
    }
}

#[test]
fn an_organiser_voids_what_nobody_has_merged() {
    let mut room = Room::new(3);
    room.forget();
    room.at(0).sent();
    for number in [2, 3] {
        room.at(number).all_sent();
    }
    attack(&mut room, &[0, 2, 3]);
    split(room.at(0));
    for number in [2, 3] {
        room.at(number).wait(Duration::from_secs(1));
        let is_beacon = |message: &Up| matches!(message, Up::Beacon { .. });
        assert!(!room.at(number).all_sent().iter().any(is_beacon), "they do not know yet either");
    }
    room.at(0).wait(Duration::from_secs(1));
    assert!(!split(room.at(0)).0.iter().any(is_void));
    room.at(0).wait(timing::EVIDENCE_TIMEOUT.saturating_sub(Duration::from_secs(1)));
    let messages = room.at(0).sent();
    let commands: Vec<_> = messages.into_iter().filter_map(|message| signed(message, ADA)).collect();
    let void = commands.iter().find(|signed| signed.decode().is_ok_and(|command| is_void(&command))).unwrap();
    room.log(&LogEntry::Managed { signed: void.clone() });
    for number in [0, 2, 3] {
        assert!(!is_out(room.at(number)), "{number}");
    }
    assert!(is_out(room.at(1)), "only its author has merged it");
    room.at(2).command(Command::Refresh);
    assert!(room.at(2).sent().iter().any(is_commit), "the others go on");
}

#[test]
fn an_organiser_whose_only_guest_sends_what_it_cannot_read_does_not_wait() {
    let mut room = Room::new(1);
    room.at(0).sent();
    attack(&mut room, &[0]);
    assert!(split(room.at(0)).0.iter().any(is_void));
}

#[test]
fn a_co_organiser_that_could_not_read_a_commit_comes_back_alone() {
    let mut room = Room::new(3);
    let bob = room.id(2);
    room.command(0, Command::SetRole(bob, Role::CoOrganiser));
    room.wait(Duration::from_secs(1));
    room.forget();
    attack(&mut room, &[2]);
    let commands = room.at(2).sent().into_iter().filter_map(|message| signed(message, bob)?.decode().ok());
    assert_eq!(commands.collect::<Vec<_>>(), [ManagerCommand::Expel { participant: MALLORY }]);
    let beacon = manager_beacon(&mut room, 0);
    room.at(2).receive(beacon);
    assert!(is_out(room.at(2)));
    assert!(!is_out(room.at(0)) && !is_out(room.at(3)));
}

#[test]
fn a_member_that_nobody_cuts_off_commits_again() {
    let mut room = Room::new(3);
    attack(&mut room, &[2]);
    room.at(2).receive(Down::Ping);
    room.at(2).command(Command::Refresh);
    room.at(2).wait(Duration::from_secs(5));
    assert!(!room.at(2).sent().iter().any(is_commit));
    room.at(2).receive(Down::Ping);
    room.at(2).wait(timing::UNREAD_TIMEOUT.saturating_sub(Duration::from_secs(5)));
    assert!(room.at(2).sent().iter().any(is_commit));
}

/// Their authors may have merged the commit that this client could not read.
#[test]
fn commits_after_one_that_could_not_be_read_cost_nobody_the_membership() {
    let mut room = Room::new(3);
    attack(&mut room, &[0]);
    room.at(2).wait(timing::COMMIT_INTERVAL);
    room.at(2).command(Command::Refresh);
    let honest = room.at(2).sent().into_iter().find_map(|message| as_commit(message, ParticipantId(3))).unwrap();
    room.at(0).sent();
    room.log(&honest.entry);
    assert!(split(room.at(0)).0.is_empty());
}

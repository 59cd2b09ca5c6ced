//! What the authority's signature decides: removal, voids, beacons, refusals, old links.

use super::*;
use crate::meeting::hostile::{self, Breach};
use crypto::Group;
use crypto::hostile::{Flaw, flawed_request};

/// Lets a guest knock by `invitation`, and returns the guest and the request.
fn knock_by(invitation: Invitation, organiser: &Client, participant: u64) -> (Client, Blob) {
    let mut guest = Client::new(join_by(invitation));
    let request = guest.knock(organiser, participant);
    (guest, request)
}

fn invitation(client: &Client) -> Invitation {
    client.meeting.invitation("meet.example", 443, None).unwrap()
}

/// Returns the group of a member.
pub(super) fn group(client: &Client) -> &Group {
    let Phase::Member(joined) = &client.meeting.phase else { panic!("it is a member") };
    joined.log.group()
}

/// Returns a beacon of the organiser about this state.
fn beacon(organiser: &mut Client, epoch: u64, mls_epoch: u64, transcript: [u8; 32]) -> Down {
    let command = ManagerCommand::Beacon { epoch: Epoch(epoch), mls_epoch, transcript };
    let manager = organiser.meeting.manager.as_mut().unwrap();
    let signed = signed(manager.command(&command, Vec::new()), ADA).unwrap();
    Down::Beacon { signed }
}

#[test]
fn a_removal_closes_the_connection_at_once_bars_the_device_and_changes_the_link() {
    let (mut organiser, mut guest) = Client::two();
    let before = invitation(&organiser);
    organiser.command(Command::Remove(ParticipantId(2)));
    let sent = organiser.sent();
    let decoded = |message: &Up| signed(message.clone(), ADA).unwrap().decode().unwrap();
    assert_eq!(decoded(&sent[0]), ManagerCommand::Expel { participant: ParticipantId(2) });
    let commit = sent.iter().cloned().find_map(|message| as_commit(message, ADA)).unwrap();
    assert_eq!(commit.removed, [ParticipantId(2)]);
    guest.receive(Down::Removed { signed: signed(sent[0].clone(), ADA).unwrap() });
    assert_eq!(guest.reason(), Some(Reason::Removed));
    // The authority before signs the commit, and the rotation in it.
    let old: Authority = organiser.keys().authority();
    let LogEntry::Managed { signed: removal } = &commit.entry else { panic!("a signed commit") };
    assert!(matches!(removal.decode(), Ok(ManagerCommand::Commit { rotation: Some(_), .. })));
    let meeting = organiser.keys().meeting();
    assert!(old.signed_command(meeting, ADA, removal.counter, &removal.command.0, &removal.signature));
    organiser.log(1, LogEntry::Gone { participant: ParticipantId(2), by: None });
    organiser.log(2, commit.entry);
    assert_ne!(organiser.keys().authority(), old);
    let events = organiser.events();
    assert!(events.iter().any(|event| matches!(event, Event::LinkChanged)));
    let left = events.iter().any(|event| matches!(event, Event::Left { id: ParticipantId(2), removed: true }));
    assert!(left, "it was removed, although the server reported it gone first");
    assert_eq!(invitation(&organiser).meeting, before.meeting);
    assert_ne!(invitation(&organiser).to_text(), before.to_text());
}

#[test]
fn a_removed_device_is_refused_and_an_old_link_waits_for_the_organiser() {
    let (mut organiser, mut guest) = Client::two();
    let old = invitation(&organiser);
    organiser.command(Command::Remove(ParticipantId(2)));
    let commit = organiser.committed();
    organiser.log(1, commit.entry);
    organiser.events();
    organiser.sent();
    // The removed device itself knocks with its old link.
    let Entrant { identity, profile, .. } = guest.meeting.entrant;
    let entry = Entry::Join { invitation: old.clone(), identity, profile };
    guest.meeting = Meeting::new(entry, wall_clock(guest.now, 0), guest.now);
    let request = guest.knock(&organiser, 3);
    organiser.receive(Down::Knocked { participant: ParticipantId(3), request });
    let refused = ManagerCommand::Refuse { participant: ParticipantId(3), why: Refusal::Removed };
    assert_eq!(organiser.commands(), [refused]);
    guest.receive(Down::Refused { why: Refusal::Removed });
    assert_eq!(guest.reason(), Some(Reason::Barred));
    // Another device with the old link: the organiser decides.
    let (_, request) = knock_by(old.clone(), &organiser, 4);
    organiser.receive(Down::Knocked { participant: ParticipantId(4), request });
    assert!(organiser.sent().into_iter().all(|message| as_commit(message, ADA).is_none()), "no rule admits it");
    assert!(matches!(&organiser.events()[..], [Event::AsksToJoin { id: ParticipantId(4), name, .. }] if name == "Bob"));
    organiser.command(Command::Admit(ParticipantId(4)));
    let commit = organiser.committed();
    assert_eq!(commit.welcomes[0].to, [ParticipantId(4)]);
    organiser.log(2, commit.entry);
    let (_, request) = knock_by(old, &organiser, 5);
    organiser.receive(Down::Knocked { participant: ParticipantId(5), request });
    organiser.commands();
    organiser.command(Command::Refuse(ParticipantId(5), Refusal::Declined));
    let refused = ManagerCommand::Refuse { participant: ParticipantId(5), why: Refusal::OldLink };
    assert_eq!(organiser.commands(), [refused]);
    // The new link leads straight in.
    let (_, request) = knock_by(invitation(&organiser), &organiser, 6);
    organiser.receive(Down::Knocked { participant: ParticipantId(6), request });
    assert_eq!(organiser.committed().welcomes[0].to, [ParticipantId(6)]);
}

#[test]
fn the_server_alone_cannot_say_that_the_organiser_removed_somebody() {
    let (mut organiser, _) = Client::two();
    let manager = organiser.meeting.manager.as_mut().unwrap();
    let expel = ManagerCommand::Expel { participant: ParticipantId(2) };
    let good = signed(manager.command(&expel, Vec::new()), ADA).unwrap();
    let forged = SignedCommand { signature: [1; 64], ..good.clone() };
    let stolen = SignedCommand { from: ParticipantId(3), ..good.clone() };
    let replayed = SignedCommand { counter: good.counter + 1, ..good };
    for signed in [forged, stolen, replayed] {
        let (_, mut guest) = Client::two();
        guest.receive(Down::Removed { signed });
        let reason = guest.reason();
        assert!(matches!(reason, Some(Reason::Server(_))), "{reason:?}");
    }
}

/// Returns an organiser, the command with which it removed participant 5 before, and a guest whom the server gives the same id. The
/// organiser does not know that id: another manager had admitted the first one.
fn with_the_id_of_another() -> (Client, SignedCommand, Client) {
    const ID: ParticipantId = ParticipantId(5);
    const OTHER: ParticipantId = ParticipantId(6);
    let mut organiser = Client::organiser();
    let enter = |organiser: &mut Client, participant: ParticipantId, position: u64| {
        let (mut guest, request) = Client::knocking(organiser, participant.0);
        organiser.receive(Down::Knocked { participant, request });
        let commit = organiser.committed();
        organiser.log(position, commit.entry.clone());
        guest.admit(&commit, position + 1);
        guest.events();
        organiser.sent();
        guest
    };
    enter(&mut organiser, OTHER, 0);
    organiser.log(1, LogEntry::Gone { participant: OTHER, by: None });
    let removal = organiser.committed();
    assert_eq!(removal.removed, [OTHER]);
    organiser.log(2, removal.entry.clone());
    organiser.sent();
    let guest = enter(&mut organiser, ID, 3);
    let LogEntry::Managed { signed: removal } = removal.entry else { panic!("a signed commit") };
    let Ok(ManagerCommand::Commit { epoch, blob, rotation, .. }) = removal.decode() else { panic!("a commit") };
    let command = ManagerCommand::Commit { epoch, blob, removed: vec![ID], rotation };
    let manager = organiser.meeting.manager.as_mut().unwrap();
    let removal = signed(manager.command(&command, Vec::new()), ADA).unwrap();
    (organiser, removal, guest)
}

#[test]
fn a_command_about_somebody_who_had_the_same_id_before_removes_nobody() {
    let (_, removal, mut guest) = with_the_id_of_another();
    guest.receive(Down::Removed { signed: removal });
    let reason = guest.reason();
    assert!(matches!(&reason, Some(Reason::Server(why)) if why.contains("somebody")), "{reason:?}");
    // The log has had three commits when the guest enters.
    for (epoch, is_old) in [(2, true), (3, false)] {
        let (mut organiser, _, mut guest) = with_the_id_of_another();
        let void = ManagerCommand::Void { epoch: Epoch(epoch), participant: ParticipantId(5) };
        let manager = organiser.meeting.manager.as_mut().unwrap();
        let signed = signed(manager.command(&void, Vec::new()), ADA).unwrap();
        guest.receive(Down::Removed { signed });
        let events = guest.events();
        let is_server = matches!(&events[..], [Event::Ended(Reason::Server(_))]);
        let rejoins = matches!(events[..], [Event::Reconnecting]);
        assert_eq!((is_server, rejoins), (is_old, !is_old), "{epoch}");
    }
}

#[test]
fn a_joiner_that_is_told_another_epoch_than_the_organiser_has_signed_names_the_server() {
    for wrong in [Epoch(1), Epoch(8)] {
        let mut organiser = Client::organiser();
        let (mut guest, request) = Client::knocking(&organiser, 2);
        organiser.receive(Down::Knocked { participant: ParticipantId(2), request });
        let mut commit = organiser.committed();
        // The admission names the epoch after this one.
        commit.epoch = wrong;
        guest.admit(&commit, 1);
        let reason = guest.reason();
        assert!(matches!(&reason, Some(Reason::Server(why)) if why.contains("number of the epoch")), "{reason:?}");
    }
}

#[test]
fn a_joiner_enters_after_commits_that_the_members_rejected() {
    let mut organiser = Client::organiser();
    for position in 0..2 {
        organiser.log_commit(position, ParticipantId(9), position, Blob(vec![1; 40]));
    }
    organiser.sent();
    let (mut guest, request) = Client::knocking(&organiser, 2);
    organiser.receive(Down::Knocked { participant: ParticipantId(2), request });
    let commit = organiser.committed();
    assert_eq!(commit.epoch, Epoch(2));
    organiser.log(2, commit.entry.clone());
    guest.admit(&commit, 3);
    assert!(guest.events().iter().any(|event| matches!(event, Event::Entered { .. })));
    assert_eq!((group(&guest).epoch(), group(&organiser).epoch()), (Epoch(1), Epoch(1)));
    let (Phase::Member(joined), Phase::Member(other)) = (&guest.meeting.phase, &organiser.meeting.phase) else {
        panic!("both are members")
    };
    assert_eq!((joined.log.epoch(), other.log.epoch()), (Epoch(3), Epoch(3)));
}

#[test]
fn an_invalid_commit_is_voided_by_the_manager_and_ignored_by_a_member() {
    let (mut organiser, mut guest) = Client::two();
    organiser.log_commit(1, ParticipantId(2), 1, Blob(vec![1; 40]));
    let void = ManagerCommand::Void { epoch: Epoch(1), participant: ParticipantId(2) };
    assert_eq!(organiser.commands()[0], void);
    guest.log_commit(1, ParticipantId(3), 1, Blob(vec![1; 40]));
    assert!(guest.sent().is_empty());
    assert!(matches!(guest.events()[..], [Event::Notice(Notice::CommitRejected(ParticipantId(3)))]));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "this test is about a hostile client")]
fn a_key_that_nobody_can_encrypt_to_stops_no_commit() {
    let (mut organiser, mut bob) = Client::two();
    let mallory = (&Identity::generate().unwrap(), Profile::new("Mallory").unwrap(), ParticipantId(3));
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(server_time());
    let request = flawed_request(organiser.keys(), mallory, now, &Flaw::LeafKey(vec![1; 7])).unwrap();
    organiser.receive(Down::Knocked { participant: ParticipantId(3), request: Blob(request) });
    let refused = ManagerCommand::Refuse { participant: ParticipantId(3), why: Refusal::Unreadable };
    assert_eq!(organiser.commands(), [refused]);
    // A member tries the same with a leaf of its own.
    for (at, breach) in (1..).zip([Breach::UnusableKey, Breach::LongLeaf]) {
        let Some(Up::Commit { blob, .. }) = hostile::commit(&mut bob.meeting, breach, now) else { panic!() };
        let (before, epoch) = (group(&organiser).epoch(), Epoch(at));
        organiser.log_commit(at, ParticipantId(2), at, blob);
        assert_eq!(group(&organiser).epoch(), before);
        let is_told = |event: &Event| matches!(event, Event::Notice(Notice::CommitRejected(ParticipantId(2))));
        assert!(organiser.events().iter().any(is_told));
        let void = ManagerCommand::Void { epoch, participant: ParticipantId(2) };
        assert!(organiser.commands().contains(&void));
    }
    organiser.command(Command::Remove(ParticipantId(2)));
    let commit = organiser.committed();
    organiser.log(3, commit.entry);
    let is_out = |event: &Event| matches!(event, Event::Left { id: ParticipantId(2), .. });
    assert!(organiser.events().iter().any(is_out), "the organiser can still remove Bob");
}

#[test]
fn a_member_that_merged_what_the_manager_voids_joins_again() {
    let (mut organiser, mut guest) = Client::two();
    guest.command(Command::Refresh);
    let commit = guest.committed();
    guest.log(1, commit.entry);
    guest.events();
    let void = ManagerCommand::Void { epoch: Epoch(1), participant: ParticipantId(2) };
    let manager = organiser.meeting.manager.as_mut().unwrap();
    let good = signed(manager.command(&void, Vec::new()), ADA).unwrap();
    let forged = SignedCommand { signature: [1; 64], ..good.clone() };
    guest.log(2, LogEntry::Managed { signed: forged });
    assert!(guest.events().is_empty(), "without the authority's word, a void means nothing");
    guest.log(3, LogEntry::Managed { signed: good });
    assert!(matches!(guest.events()[..], [Event::Reconnecting]));
    assert_eq!(guest.sent(), [Up::Leave]);
}

#[test]
fn only_a_managers_word_cuts_a_member_off() {
    let (mut organiser, mut guest) = Client::two();
    // A junk message that claims a later epoch.
    let mut junk = vec![0, 1, 0, 2, 16];
    junk.extend(organiser.keys().meeting().0);
    junk.extend(u64::MAX.to_be_bytes());
    junk.push(1);
    guest.log(1, LogEntry::Told { from: ADA, epoch: Epoch(1), blob: Blob(junk) });
    assert!(guest.events().is_empty());
    let state = (group(&guest).epoch().0, group(&guest).transcript_hash());
    guest.receive(beacon(&mut organiser, 1, state.0, state.1));
    let Down::Beacon { signed } = beacon(&mut organiser, 1, state.0 + 1, [0; 32]) else { panic!("a beacon") };
    guest.receive(Down::Beacon { signed: SignedCommand { signature: [1; 64], ..signed.clone() } });
    assert!(guest.events().is_empty(), "a forged beacon means nothing");
    guest.receive(Down::Beacon { signed });
    let told = crate::meeting::verification::Event::OtherGroup { manager: ADA };
    assert!(matches!(&guest.events()[..], [Event::Verification(shown), Event::Reconnecting] if *shown == told));
}

#[test]
fn a_managers_commit_that_cannot_be_read_cuts_a_member_off() {
    let (mut organiser, mut guest) = Client::two();
    let blob = Blob(vec![1; 40]);
    let command = ManagerCommand::Commit { epoch: Epoch(1), blob: blob.clone(), removed: Vec::new(), rotation: None };
    let manager = organiser.meeting.manager.as_mut().unwrap();
    let good = signed(manager.command(&command, Vec::new()), ADA).unwrap();
    let (_, mut other) = Client::two();
    other.log(1, LogEntry::Managed { signed: good.clone() });
    assert!(matches!(other.events()[..], [Event::Notice(Notice::CommitRejected(ADA))]), "of another meeting");
    guest.log(1, LogEntry::Managed { signed: good });
    assert!(matches!(guest.events()[..], [Event::Reconnecting]));
}

#[test]
fn the_manager_sends_a_beacon_at_each_epoch_and_every_five_seconds() {
    let mut organiser = Client::organiser();
    let (_, request) = Client::knocking(&organiser, 2);
    organiser.receive(Down::Knocked { participant: ParticipantId(2), request });
    let commit = organiser.committed();
    organiser.log(0, commit.entry);
    let is_beacon =
        |command: &ManagerCommand| matches!(command, ManagerCommand::Beacon { epoch: Epoch(1), mls_epoch: 1, .. });
    assert!(organiser.commands().iter().any(is_beacon));
    organiser.receive(Down::Ping);
    let last = organiser.now;
    organiser.wait(timing::PAST_EPOCH_TIMEOUT);
    assert_eq!(organiser.meeting.poll_timeout(), Some(last + timing::BEACON_INTERVAL));
    organiser.wait(timing::BEACON_INTERVAL.saturating_sub(timing::PAST_EPOCH_TIMEOUT));
    assert!(organiser.commands().iter().any(is_beacon));
}

#[test]
fn a_wrong_clock_is_named_to_its_owner() {
    let organiser = Client::organiser();
    let now = Instant::now();
    for (ahead, reason) in [(7_200, Reason::OwnClock { ahead: 7_200 }), (0, Reason::OrganiserClock { ahead: -7_200 })] {
        let mut guest =
            Client { meeting: Meeting::new(join(&organiser), wall_clock(now, ahead), now), now, tree: Vec::new() };
        guest.knock(&organiser, 2);
        let noticed = guest.events().iter().any(|event| matches!(event, Event::Notice(Notice::Clock { .. })));
        assert!(!noticed, "the clock does not matter unless the request is refused");
        guest.receive(Down::Refused { why: Refusal::Clock { ahead: 7_200 } });
        assert_eq!(guest.reason(), Some(reason));
    }
}

#[test]
fn an_organiser_is_told_that_its_clock_and_the_servers_differ() {
    let now = Instant::now();
    let mut organiser = Client { meeting: Meeting::new(create(), wall_clock(now, 7_200), now), now, tree: Vec::new() };
    organiser.receive(hello(ADA));
    assert!(organiser.events().iter().any(|event| matches!(event, Event::Notice(Notice::Clock { ahead: 7_200 }))));
}

#[test]
fn the_organiser_refuses_a_joiner_whose_clock_is_wrong_and_says_by_how_much() {
    let mut organiser = Client::organiser();
    let now = organiser.now;
    for (ahead, refused) in [(3_000, false), (7_200, true)] {
        let mut guest =
            Client { meeting: Meeting::new(join(&organiser), wall_clock(now, ahead), now), now, tree: Vec::new() };
        let participant = ParticipantId(ahead);
        let request = guest.knock(&organiser, ahead);
        organiser.receive(Down::Knocked { participant, request });
        let commands = organiser.commands();
        let expected = matches!(commands[..], [ManagerCommand::Refuse { why: Refusal::Clock { ahead: 7_200 }, .. }]);
        assert_eq!(expected, refused, "{commands:?}");
    }
}

#[test]
fn the_organiser_ends_the_meeting_for_all_and_nobody_else_can() {
    let (mut organiser, mut guest) = Client::two();
    guest.command(Command::End);
    assert!(matches!(guest.events()[..], [Event::Notice(Notice::NotAllowed)]));
    organiser.command(Command::End);
    let end = organiser.sent().into_iter().find_map(|message| signed(message, ADA)).unwrap();
    assert!(organiser.events().is_empty(), "the server has not answered");
    organiser.receive(Down::Ended { signed: end.clone() });
    assert_eq!(organiser.reason(), Some(Reason::Left));
    let (_, mut other) = Client::two();
    other.receive(Down::Ended { signed: end.clone() });
    assert!(matches!(other.reason(), Some(Reason::Server(_))), "the end of another meeting");
    guest.receive(Down::Ended { signed: end });
    assert_eq!(guest.reason(), Some(Reason::Ended));
}

/// A request is opened once, so a second copy of it is not refused as a replay while the first one waits.
#[test]
fn a_repeated_knock_of_a_waiting_participant_changes_nothing() {
    let mut organiser = Client::organiser();
    let knock = |request: &Blob| Down::Knocked { participant: ParticipantId(2), request: request.clone() };
    let (_, request) = Client::knocking(&organiser, 2);
    organiser.receive(knock(&request));
    organiser.receive(knock(&request));
    assert_eq!(organiser.committed().welcomes[0].to, [ParticipantId(2)]);
}

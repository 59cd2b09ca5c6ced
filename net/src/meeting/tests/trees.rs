//! The tree outside the Welcome, and the updates that fill it.

use super::super::timing::{FILL_INTERVAL, FILL_INTERVAL_PER_MEMBER, MIN_FILLED, TREE_PART_TIMEOUT, TREE_TIMEOUT};
use super::*;

/// Returns an organiser, the guest that knocked as number `kept`, and the commit that adds it with others: `guests` in all. The log
/// has one entry, which adds the first guest.
fn crowd(guests: u64, kept: u64) -> (Client, Client, Commit) {
    let (mut organiser, mut keep) = (Client::organiser(), None);
    for id in 2..guests + 2 {
        let (guest, request) = Client::knocking(&organiser, id);
        organiser.receive(Down::Knocked { participant: ParticipantId(id), request });
        if id == kept + 1 {
            keep = Some(guest);
        }
    }
    let first = organiser.committed();
    organiser.log(0, first.entry);
    let commit = organiser.committed();
    (organiser, keep.unwrap(), commit)
}

fn entered(client: &mut Client) -> bool {
    client.events().iter().any(|event| matches!(event, Event::Entered { .. }))
}

fn ends_by_the_server(client: &mut Client, why: &str) {
    let Some(Reason::Server(text)) = client.reason() else { panic!("it goes on") };
    assert!(text.contains(why), "{text}");
}

#[test]
fn a_guest_enters_when_the_last_part_of_a_long_tree_is_there() {
    let (_, mut guest, commit) = crowd(48, 20);
    assert_eq!(commit.welcomes[0].to.len(), 47, "one Welcome for all");
    assert!(commit.tree.len() > 1, "the tree is longer than one message may be");
    guest.receive(commit.admission(2));
    for part in &commit.tree {
        assert!(!entered(&mut guest));
        guest.receive(Down::Ping);
        guest.receive(Down::Tree { part: part.clone() });
    }
    assert!(entered(&mut guest));
    guest.receive(Down::Tree { part: Blob(vec![1]) });
    ends_by_the_server(&mut guest, "order");
}

#[test]
fn a_tree_that_the_server_has_changed_or_exchanged_is_refused() {
    let (_, _, other) = crowd(1 + 2, 2);
    let change = |commit: &mut Commit| commit.tree[0].0[700] ^= 1;
    let exchange = |commit: &mut Commit| commit.tree.clone_from(&other.tree);
    for damage in [&change as &dyn Fn(&mut Commit), &exchange] {
        let (_, mut guest, mut commit) = crowd(3, 2);
        damage(&mut commit);
        guest.admit(&commit, 2);
        ends_by_the_server(&mut guest, "list of members");
    }
}

#[test]
fn a_tree_that_is_longer_than_announced_ends_the_meeting() {
    let (_, mut guest, commit) = crowd(3, 2);
    guest.receive(commit.admission(2));
    let mut part = commit.tree[0].clone();
    part.0.push(0);
    guest.receive(Down::Tree { part });
    ends_by_the_server(&mut guest, "order");
}

#[test]
fn a_guest_says_that_the_server_withholds_the_tree() {
    let (_, mut guest, commit) = crowd(48, 20);
    guest.receive(commit.admission(2));
    guest.events();
    let step = TREE_PART_TIMEOUT / 3;
    for _ in 0..2 {
        guest.wait(step);
        guest.receive(Down::Ping);
    }
    guest.receive(Down::Tree { part: commit.tree[0].clone() });
    for _ in 0..2 {
        guest.wait(step);
        guest.receive(Down::Ping);
        assert!(guest.events().is_empty(), "each part has its own time");
    }
    guest.wait(step + Duration::from_millis(1));
    ends_by_the_server(&mut guest, "whole list of members");
}

#[test]
fn a_guest_waits_for_a_limited_time_also_if_parts_come_all_the_time() {
    let (_, mut guest, commit) = crowd(3, 2);
    let Down::Admitted { welcome, position, epoch, gone, resume, .. } = commit.admission(2) else { unreachable!() };
    let tree = u32::try_from(proto::MAX_TREE).unwrap();
    guest.receive(Down::Admitted { welcome, position, epoch, gone, resume, tree });
    let (start, step) = (guest.now, TREE_PART_TIMEOUT / 3);
    while guest.now + step < start + TREE_TIMEOUT {
        guest.wait(step);
        guest.receive(Down::Tree { part: Blob(vec![7; proto::MAX_TREE_PART]) });
        assert!(!guest.meeting.is_over(), "after {:?}", guest.now - start);
    }
    guest.wait(step);
    ends_by_the_server(&mut guest, "whole list of members");
}

#[test]
fn a_part_that_is_not_full_is_the_last_one() {
    let (_, mut guest, commit) = crowd(48, 20);
    guest.receive(commit.admission(2));
    guest.receive(Down::Tree { part: Blob(commit.tree[0].0[..1].to_vec()) });
    ends_by_the_server(&mut guest, "order");
}

#[test]
fn an_organiser_that_comes_back_and_gets_a_false_tree_asks_again() {
    let (mut organiser, mut guest) = Client::two();
    organiser.command(Command::Leave);
    guest.log(1, LogEntry::Gone { participant: ADA, by: None });
    let removal = guest.committed();
    guest.log(2, removal.entry);
    let mut back = Client::new(organiser.meeting.into_return_entry().unwrap());
    let participant = ParticipantId(9);
    back.receive(hello(participant));
    back.receive(back.admission_key());
    let Some(Up::Return { request, signature, .. }) = back.sent().pop() else { panic!("it comes back") };
    guest.receive(Down::Returned { participant, request, signature });
    guest.receive(Down::Ping);
    guest.wait(timing::COMMIT_INTERVAL);
    let mut commit = guest.committed();
    commit.tree[0].0[700] ^= 1;
    back.events();
    back.admit(&commit, 3);
    assert_eq!(back.sent(), [Up::Leave]);
    assert!(!back.meeting.is_over(), "any member may have sent it");
}

#[test]
fn members_update_their_keys_in_turn_after_a_burst_of_joins() {
    let members = u64::from(MIN_FILLED) + 8;
    let (mut organiser, mut guest, commit) = crowd(members - 1, 16);
    organiser.log(1, commit.entry.clone());
    guest.admit(&commit, 2);
    let interval = FILL_INTERVAL + FILL_INTERVAL_PER_MEMBER * u32::try_from(members).unwrap();
    let (mut position, mut epoch) = (2, 2);
    // The highest nodes without keys are those above leaf 0, then leaf 16, where the guest is.
    for turn in [true, false] {
        organiser.sent();
        guest.sent();
        for client in [&mut organiser, &mut guest] {
            client.wait(interval.saturating_sub(Duration::from_millis(1)));
            assert!(!client.sent().iter().any(is_commit), "the group has just changed");
            client.wait(Duration::from_millis(1));
        }
        let (mut by_organiser, mut by_guest) = (organiser.sent(), guest.sent());
        assert_eq!((by_organiser.iter().any(is_commit), by_guest.iter().any(is_commit)), (turn, !turn));
        by_organiser.append(&mut by_guest);
        let from = if turn { ADA } else { ParticipantId(17) };
        let commit = by_organiser.into_iter().find_map(|message| as_commit(message, from)).unwrap();
        assert_eq!(commit.epoch, Epoch(epoch));
        for client in [&mut organiser, &mut guest] {
            client.log(position, commit.entry.clone());
        }
        (position, epoch) = (position + 1, epoch + 1);
    }
}

#[test]
fn nobody_fills_the_tree_of_a_small_group() {
    let (mut organiser, _, commit) = crowd(4, 2);
    organiser.log(1, commit.entry);
    organiser.sent();
    for _ in 0..5 {
        organiser.receive(Down::Ping);
        organiser.wait(FILL_INTERVAL);
        assert!(!organiser.sent().iter().any(is_commit));
    }
}

fn is_commit(message: &Up) -> bool {
    as_commit(message.clone(), ADA).is_some()
}

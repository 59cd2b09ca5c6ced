//! Attacks of members on a meeting's authority over real sockets, and the way back of members that lost the connection.
//!
//! Each attack succeeded against version 2 of the protocol, whose server obeyed any member: the messages below ended the
//! meeting for the others, kept newcomers out, or let the removed person in again.

use crate::client::{Client, State};
use crate::insider::Insider;
use crate::proxy::Proxy;
use crate::{all_receive, failed, meeting, opened, run, server};
use crypto::{Identity, Invitation, store};
use net::meeting::Command;
use proto::{Blob, ClientMessage, Epoch, ManagerCommand, ParticipantId, Problem, Up};
use std::net::IpAddr;
use std::time::{Duration, Instant};
use tests::attack::floods::{Bar, bar_newcomer};
use tests::attack::guest::{Guest, void};
use tests::attack::wire::{Wire, another_address};

/// Waits until the first two clients have received 25 more pictures of each other. Asserts that neither lost the meeting.
async fn continue_undisturbed(clients: &[Client]) {
    for (one, other) in [(&clients[0], &clients[1]), (&clients[1], &clients[0])] {
        let camera = other.camera();
        let so_far = one.look(|state| opened(state, camera));
        one.until("pictures arrive", |state| opened(state, camera) > so_far + 25).await;
        one.look(|state| assert_eq!((state.reconnecting, &state.over), (0, &None)));
    }
}

/// What a member sends to end the meeting of `all` others, at the current epoch.
type Attack = fn(&[ParticipantId], Epoch) -> Up;

fn commit(epoch: Epoch, removed: &[ParticipantId]) -> Up {
    Up::Commit { epoch, blob: Blob(vec![0]), removed: removed.to_vec(), welcome: None }
}

fn forged(command: &ManagerCommand) -> Up {
    let command = Blob(proto::encode(command));
    Up::Manage { counter: 1, command, signature: [7; 64], welcomes: Vec::new() }
}

const ATTACKS: &[(&str, Attack)] = &[
    ("a commit that removes all", |all, epoch| commit(epoch, all)),
    ("a commit that removes the organiser", |all, epoch| commit(epoch, &all[..1])),
    ("a commit that removes a guest", |all, epoch| commit(epoch, &all[1..])),
    ("Expel of the organiser", |all, _| forged(&ManagerCommand::Expel { participant: all[0] })),
    ("Expel of a guest", |all, _| forged(&ManagerCommand::Expel { participant: all[1] })),
    ("a signed commit that removes all", |all, epoch| {
        forged(&ManagerCommand::Commit { epoch, blob: Blob(vec![0]), removed: all.to_vec(), rotation: None })
    }),
    ("End", |_, _| forged(&ManagerCommand::End)),
];

/// The first attack ended the meeting for everybody in version 2. A commit of another epoch would only be too late, so it is
/// sent for the current one, again if another commit was faster.
#[test]
fn a_member_cannot_end_the_meeting_of_the_others() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        all_receive(&clients, 10).await;
        let all: Vec<_> = clients.iter().map(Client::me).collect();
        for (what, attack) in ATTACKS {
            let mut guest = Guest::join(&clients[0].link(), another_address(), server.address()).await.unwrap();
            for _ in 0..20 {
                guest.catch_up().await.unwrap();
                guest.wire.send(&attack(&all, guest.facts.epoch)).await;
                if guest.listen(Duration::from_millis(500), |guest| guest.seen.is_out()).await {
                    break;
                }
            }
            assert_eq!(guest.seen.problem, Some(Problem::NotAuthorised), "{what}");
            continue_undisturbed(&clients).await;
        }
    });
}

#[test]
fn a_member_cannot_refuse_or_admit_newcomers() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        for attempt in [Bar::Refuse, Bar::Admit] {
            let mut guest = Guest::join(&clients[0].link(), another_address(), server.address()).await.unwrap();
            guest.catch_up().await.unwrap();
            let mut late = Guest::knock(&clients[0].link(), another_address(), server.address()).await.unwrap();
            let target = late.facts.me;
            let (seen, entered) = tokio::join!(bar_newcomer(guest, attempt, target), late.enter());
            entered.unwrap_or_else(|error| panic!("{attempt:?}: the newcomer is admitted: {error}"));
            assert!(late.facts.others.len() >= 2, "it sees the others");
            assert_eq!(seen.problem, Some(Problem::NotAuthorised), "{attempt:?}");
            assert!(seen.knocked.is_empty(), "only managers learn of knocks");
            late.wire.send(&Up::Leave).await;
        }
        continue_undisturbed(&clients).await;
    });
}

#[test]
fn a_message_that_claims_a_later_epoch_ends_no_client() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        let invitation: Invitation = clients[0].link().parse().unwrap();
        let mut insider = Insider::join(&clients[0].link()).await;
        let junk = [&[0, 1, 0, 2, 16][..], &invitation.meeting.0, &u64::MAX.to_be_bytes(), &[1, 0, 0]].concat();
        for epoch in 0..4 {
            let junk = ClientMessage::Meeting(Up::Tell { epoch: Epoch(epoch), blob: Blob(junk.clone()) });
            insider.try_send(&junk).await;
        }
        insider.listen(Duration::from_millis(300)).await;
        continue_undisturbed(&clients).await;
        insider.vanish().await;
    });
}

#[test]
fn a_removed_person_does_not_walk_in_by_the_same_link() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 3).await;
        let old = clients[0].link();
        clients[0].remove(clients[2].me());
        clients[2].until("it is removed", |state| state.removed).await;
        clients[0].until("two are left", |state| state.members.len() == 2).await;
        assert_ne!(clients[0].link(), old);
        let again = Client::join(&old, "the same person with another device");
        clients[0].until("the organiser is asked", |state| state.asking.len() == 1).await;
        let invited = Client::join(&clients[0].link(), "invited");
        invited.until("the new link leads in", |state| state.members.len() == 3).await;
        again.look(|state| assert!(state.entered.is_none()));
        continue_undisturbed(&clients).await;
    });
}

/// Returns the organiser's link with the port of the proxy.
fn link_over(proxy: &Proxy, organiser: &Client) -> String {
    let invitation: Invitation = organiser.link().parse().unwrap();
    invitation.at("127.0.0.1", proxy.port(), invitation.fingerprint).to_text().to_string()
}

/// Waits until both receive 25 more pictures of each other.
async fn receive_again(one: &Client, other: &Client) {
    for (viewer, sender) in [(one, other), (other, one)] {
        let camera = sender.camera();
        let so_far = viewer.look(|state| opened(state, camera));
        viewer.until("pictures arrive again", |state| opened(state, camera) > so_far + 25).await;
        assert_eq!(failed(viewer), 0);
    }
}

#[test]
fn a_member_resumes_a_lost_connection_and_keeps_its_tracks() {
    run(async {
        let server = server().await;
        let organiser = Client::create(&server, "organiser");
        organiser.until("it is a member", |state| state.entered.is_some()).await;
        let mut proxy = Proxy::start(server.address()).await;
        let guest = Client::join(&link_over(&proxy, &organiser), "guest");
        guest.until("both are members", |state| state.members.len() == 2).await;
        receive_again(&guest, &organiser).await;
        let me = guest.me();
        proxy.cut();
        guest.until("it notices", |state| state.reconnecting == 1).await;
        proxy.repair().await;
        let start = Instant::now();
        guest.until("it is back", |state| state.reconnected == 1).await;
        println!("back after {:?}", start.elapsed());
        assert_eq!(guest.me(), me);
        receive_again(&guest, &organiser).await;
        let ended = |state: &State| state.ended.contains(&organiser.camera());
        assert!(!guest.look(ended), "the track did not end for the guest");
    });
}

#[test]
fn a_member_that_was_gone_for_longer_joins_again_by_itself() {
    run(async {
        let server = server().await;
        let organiser = Client::create(&server, "organiser");
        organiser.until("it is a member", |state| state.entered.is_some()).await;
        let mut proxy = Proxy::start(server.address()).await;
        let guest = Client::join(&link_over(&proxy, &organiser), "guest");
        guest.until("both are members", |state| state.members.len() == 2).await;
        organiser.until("it knows the guest", |state| state.members.len() == 2).await;
        let me = guest.me();
        proxy.cut();
        let gone = |state: &State| state.members.len() == 1;
        organiser.until_within(Duration::from_secs(45), "the guest is gone", gone).await;
        proxy.repair().await;
        guest.until("it is back", |state| state.reconnected == 1 && state.members.len() == 2).await;
        assert_ne!(guest.me(), me);
        receive_again(&guest, &organiser).await;
    });
}

#[test]
fn an_organiser_that_left_comes_back_and_admits_again() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        let entry = clients[0].leave_as_organiser().await;
        clients[1].until("one is left", |state| state.members.len() == 1).await;
        let back = Client::come_back(&server, entry);
        back.until("it is back", |state| state.members.len() == 2).await;
        let late = Client::join(&back.link(), "late");
        late.until("the newcomer is admitted", |state| state.members.len() == 3).await;
        receive_again(&back, &clients[1]).await;
    });
}

/// The hostile member answered each request first, for ever. After 140 s the organiser's client ended and blamed the network.
#[test]
fn an_organiser_gets_back_in_although_a_member_answers_each_request_first() {
    run(async {
        let server = server().await;
        let mut proxy = Proxy::start(server.address()).await;
        let organiser = Client::create_over(&server, proxy.port(), "organiser");
        organiser.until("it is a member", |state| state.entered.is_some()).await;
        let invitation: Invitation = organiser.link().parse().unwrap();
        let direct = invitation.at("127.0.0.1", server.address().port(), invitation.fingerprint).to_text().to_string();
        let hostile = Guest::join(&direct, another_address(), server.address()).await.unwrap();
        let mallory = hostile.facts.me;
        let guest = Client::join(&direct, "guest");
        guest.until("all are members", |state| state.members.len() == 3).await;
        let attack = tokio::spawn(hostile.keep_organisers_out());
        let before = organiser.me();
        proxy.cut();
        let gone = |state: &State| !state.members.contains(&before);
        guest.until_within(Duration::from_secs(45), "the organiser is gone", gone).await;
        proxy.repair().await;
        let start = Instant::now();
        organiser.until_within(Duration::from_mins(1), "it is back", |state| state.reconnected == 1).await;
        println!("back after {:?}", start.elapsed());
        // Three invalid commits remove the hostile member, so it may be gone already.
        if organiser.look(|state| state.members.contains(&mallory)) {
            organiser.remove(mallory);
        }
        for client in [&organiser, &guest] {
            client.until("the hostile member is out", |state| !state.members.contains(&mallory)).await;
        }
        let (answers, seen) = attack.await.unwrap();
        assert!(answers > 0 && seen.problem.is_none(), "it has answered {answers} times: {seen:?}");
        receive_again(&organiser, &guest).await;
    });
}

/// If the organiser's client answered each knock at once, the server would disconnect it for sending too much.
#[test]
#[cfg(target_os = "linux")] // Every address of 127.0.0.0/8 is one of this machine there.
fn garbage_knocks_of_many_addresses_do_not_silence_the_organiser() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        let invitation: Invitation = clients[0].link().parse().unwrap();
        let (address, meeting) = (server.address(), invitation.meeting);
        let knocks = (1..=20).map(|number| async move {
            let mut open = Vec::new();
            for _ in 0..36 {
                let mut wire = Wire::greeted(IpAddr::from([127, 0, 7, number]), address).await.unwrap();
                wire.send(&Up::Knock { meeting, request: Blob(vec![number; 1_500]) }).await;
                open.push(wire);
            }
            open
        });
        let open = futures_util::future::join_all(knocks).await;
        let late = Client::join(&clients[0].link(), "late");
        late.until("the newcomer is admitted", |state| state.entered.is_some()).await;
        drop(open);
        continue_undisturbed(&clients).await;
        late.leave();
    });
}

#[test]
fn a_device_that_commits_garbage_is_not_admitted_again() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        let store = store::Memory::new();
        let mut admitted = Vec::new();
        for _ in 0..4 {
            let device = Identity::load_or_create(&store).unwrap();
            let joined = Guest::join_as(&clients[0].link(), another_address(), server.address(), device).await;
            admitted.push(joined.is_ok());
            let Ok(mut guest) = joined else { break };
            guest.catch_up().await.unwrap();
            let epoch = guest.facts.epoch;
            guest.wire.send(&void(epoch)).await;
            assert!(guest.listen(Duration::from_secs(10), |guest| guest.seen.is_out()).await, "it is expelled");
            clients[1].until("it has left", |state| state.members.len() == 2).await;
        }
        assert_eq!(admitted, [true, false]);
        continue_undisturbed(&clients).await;
    });
}

/// A long meeting without joins heals its keys: the schedule uses the same command.
#[test]
fn a_member_updates_its_keys_although_nobody_joins_or_leaves() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        let before = clients[0].look(|state| state.epoch);
        clients[1].session.send(Command::Refresh).unwrap();
        for client in &clients {
            client.until("the keys are new", |state| state.epoch > before).await;
        }
        continue_undisturbed(&clients).await;
    });
}

//! Attacks on clients that wait to be admitted, by members and strangers, over real sockets.

use crate::client::Client;
use crate::{meeting, run, server};
use net::meeting::{Command, LobbyEvent};
use proto::{Blob, Epoch, ManagerCommand, NextAuthority, ParticipantId, Problem, ROTATION_BYTES, Refusal, Up, Welcome};
use std::time::Duration;
use tests::attack::guest::Guest;
use tests::attack::wire::{Wire, another_address, problem};

/// What a member sends about a client that waits.
type Attack = fn(ParticipantId, Epoch) -> Up;

fn forged(command: &ManagerCommand, welcomes: Vec<Welcome>) -> Up {
    Up::Manage { counter: 1, command: Blob(proto::encode(command)), signature: [7; 64], welcomes }
}

fn refuse(participant: ParticipantId, why: Refusal) -> Up {
    forged(&ManagerCommand::Refuse { participant, why }, Vec::new())
}

fn signed_commit(epoch: Epoch, removed: Vec<ParticipantId>, welcomes: Vec<Welcome>) -> Up {
    forged(&ManagerCommand::Commit { epoch, blob: Blob(vec![0xa5; 40]), removed, rotation: None }, welcomes)
}

fn commit(epoch: Epoch, removed: Vec<ParticipantId>, welcome: Option<Welcome>) -> Up {
    Up::Commit { epoch, blob: Blob(vec![0xa5; 40]), removed, welcome }
}

fn welcome(participant: ParticipantId) -> Welcome {
    Welcome { to: vec![participant], blob: Blob(vec![0xa5; 400]) }
}

const ATTACKS: &[(&str, Attack)] = &[
    ("Refuse, declined", |id, _| refuse(id, Refusal::Declined)),
    ("Refuse, unattended", |id, _| refuse(id, Refusal::Unattended)),
    ("Refuse, locked", |id, _| refuse(id, Refusal::Locked)),
    ("Refuse, removed", |id, _| refuse(id, Refusal::Removed)),
    ("Refuse, not invited", |id, _| refuse(id, Refusal::NotInvited)),
    ("Lobby", |participant, _| forged(&ManagerCommand::Lobby { participant, blob: Blob(vec![0xa5; 300]) }, Vec::new())),
    ("Expel", |participant, _| forged(&ManagerCommand::Expel { participant }, Vec::new())),
    ("Void", |participant, epoch| {
        forged(&ManagerCommand::Void { epoch: Epoch(epoch.0.saturating_sub(1)), participant }, Vec::new())
    }),
    ("Lock", |_, _| forged(&ManagerCommand::Lock { locked: true }, Vec::new())),
    ("a signed commit that rotates the keys", |_, epoch| {
        let next = NextAuthority { rotation: [3; ROTATION_BYTES], admission_key: Blob(vec![0xa5; 1_216]) };
        let (blob, removed) = (Blob(vec![0xa5; 40]), Vec::new());
        forged(&ManagerCommand::Commit { epoch, blob, removed, rotation: Some(next) }, Vec::new())
    }),
    ("a signed commit that removes it", |id, epoch| signed_commit(epoch, vec![id], Vec::new())),
    ("a signed commit with a Welcome", |id, epoch| signed_commit(epoch, Vec::new(), vec![welcome(id)])),
    ("a commit that removes it", |id, epoch| commit(epoch, vec![id], None)),
    ("a commit with a Welcome", |id, epoch| commit(epoch, Vec::new(), Some(welcome(id)))),
];

/// A client with a link from before a removal waits until the organiser's user decides. So the attack is never too late.
#[test]
fn a_member_cannot_refuse_expel_or_admit_a_client_that_waits() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 3).await;
        let old = clients[0].link();
        clients[0].remove(clients[2].me());
        clients[0].until("two are left", |state| state.members.len() == 2).await;
        let waiting = Client::join(&old, "waiting");
        clients[0].until("the organiser is asked", |state| state.asking.len() == 1).await;
        let id = clients[0].look(|state| state.asking[0].0);
        for (what, attack) in ATTACKS {
            let mut guest = Guest::join(&clients[0].link(), another_address(), server.address()).await.unwrap();
            for _ in 0..20 {
                // Its commit has no effect if another one has just ended the epoch.
                guest.catch_up().await.unwrap();
                guest.wire.send(&attack(id, guest.facts.epoch)).await;
                if guest.listen(Duration::from_millis(500), |guest| guest.seen.is_out()).await {
                    break;
                }
            }
            assert_eq!(guest.seen.problem, Some(Problem::NotAuthorised), "{what}");
            waiting.look(|state| assert!(state.over.is_none() && state.entered.is_none(), "{what}: {:?}", state.over));
            waiting.look(|state| {
                assert!(state.lobby.iter().all(|event| matches!(event, LobbyEvent::Received { .. })), "{what}");
            });
        }
        clients[0].session.send(Command::Admit(id)).unwrap();
        waiting.until("the organiser admits it", |state| state.entered.is_some()).await;
        let late = Client::join(&clients[0].link(), "late");
        late.until("nobody has locked the meeting", |state| state.entered.is_some()).await;
        let (me, late) = (waiting.me(), late.me());
        for client in &clients[..2] {
            let all = |members: &[ParticipantId]| members.contains(&me) && members.contains(&late);
            client.until("all are members", |state| all(&state.members)).await;
        }
    });
}

/// Each member sees an organiser's request to come back. It is valid for the organiser's connection only.
#[test]
fn a_request_to_come_back_that_somebody_else_repeats_is_refused() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        let mut spy = Guest::join(&clients[0].link(), another_address(), server.address()).await.unwrap();
        let back = Client::come_back(&server, clients[0].leave_as_organiser().await);
        let returned = |guest: &Guest| guest.seen.returned.is_some();
        assert!(spy.listen(Duration::from_secs(20), returned).await, "the members learn of the request");
        let request = spy.seen.returned.clone().unwrap();
        let replayed = async || {
            let mut stranger = Wire::greeted(another_address(), server.address()).await.unwrap();
            stranger.send(&request).await;
            let (answers, closed) = stranger.answers(Duration::from_secs(5)).await;
            assert_eq!((problem(&answers), closed), (Some(Problem::NotAuthorised), true));
        };
        replayed().await;
        back.until("the organiser is back", |state| state.entered.is_some()).await;
        replayed().await;
        let me = back.me();
        clients[1].until("only the organiser came back", |state| state.members.contains(&me)).await;
        clients[1].look(|state| assert!(state.members.len() <= 3, "{:?}", state.members));
    });
}

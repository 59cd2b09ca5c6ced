//! Floor control over real sockets. The test's client never asks whether it may send: it is a changed program that sends all
//! the same.

use crate::client::{Client, State};
use crate::{all_receive, failed, meeting, opened, run, server};
use net::meeting::{Command, FloorOrder, FloorTarget, LobbyEvent};
use proto::{ParticipantId, Rights, TrackId};
use std::time::{Duration, Instant};

fn order(target: FloorTarget, rights: Rights, allow: bool) -> Command {
    Command::Floor(FloorOrder { target, rights, allow })
}

fn not_allowed(state: &State, track: TrackId) -> u64 {
    state.received.get(&track).map_or(0, |received| received.not_allowed)
}

async fn all_know(clients: &[&Client], who: ParticipantId, right: Rights, allowed: bool) {
    for client in clients {
        let knows = |state: &State| state.roles.get(&who).is_some_and(|found| found.1.contains(right) == allowed);
        client.until("the right is known", knows).await;
    }
}

#[test]
fn a_muted_guest_that_sends_all_the_same_is_heard_by_nobody_until_it_may_speak() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 3).await;
        all_receive(&clients, 10).await;
        let [organiser, other, guest] = &clients[..] else { unreachable!() };
        let epoch = organiser.look(|state| state.epoch);
        let (start, id, voice, camera) = (Instant::now(), guest.me(), guest.microphone(), guest.camera());
        organiser.session.send(order(FloorTarget::Person(id), Rights::MICROPHONE, false)).unwrap();
        all_know(&[organiser, other, guest], id, Rights::MICROPHONE, false).await;
        println!("muted for all after {:?}", start.elapsed());
        guest.look(|state| assert_eq!(state.actors, [Some(organiser.me())], "it is told who, once"));
        let heard = |client: &Client| client.look(|state| opened(state, voice));
        // A frame may be on its way to its thread while the right is withdrawn.
        for client in [organiser, other] {
            client.until("its sound is dropped", |state| not_allowed(state, voice) > 0).await;
        }
        let before = [heard(organiser), heard(other)];
        let pictures = organiser.look(|state| opened(state, camera));
        for client in [organiser, other] {
            client.until("it goes on to send", |state| not_allowed(state, voice) > 100).await;
        }
        assert_eq!([heard(organiser), heard(other)], before, "nobody hears it");
        organiser.until("its pictures go on", |state| opened(state, camera) > pictures + 10).await;
        organiser.look(|state| assert_eq!(state.epoch, epoch, "no commit is needed for that"));
        // Somebody who comes later does not hear it either.
        let late = Client::join(&organiser.link(), "late");
        late.until("its sound is dropped", |state| not_allowed(state, voice) > 50).await;
        late.look(|state| assert_eq!(opened(state, voice), 0));
        // It may speak again. It never was unmuted from afar: it sent all the time.
        organiser.session.send(order(FloorTarget::Person(id), Rights::MICROPHONE, true)).unwrap();
        for client in [organiser, other, &late] {
            client.until("it is heard again", |state| opened(state, voice) > 20).await;
            assert_eq!(failed(client), 0);
        }
    });
}

#[test]
fn a_camera_that_was_stopped_is_seen_by_nobody_and_starts_again_with_a_key_frame() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        all_receive(&clients, 10).await;
        let (organiser, guest) = (&clients[0], &clients[1]);
        let (id, camera, voice) = (guest.me(), guest.camera(), guest.microphone());
        organiser.session.send(order(FloorTarget::Person(id), Rights::CAMERA, false)).unwrap();
        organiser.until("its pictures are dropped", |state| not_allowed(state, camera) > 0).await;
        let seen = organiser.look(|state| opened(state, camera));
        let heard = organiser.look(|state| opened(state, voice));
        organiser.until("it goes on to send", |state| not_allowed(state, camera) > 40).await;
        organiser.until("its sound goes on", |state| opened(state, voice) > heard + 40).await;
        organiser.look(|state| assert_eq!(opened(state, camera), seen));
        organiser.session.send(order(FloorTarget::Person(id), Rights::CAMERA, true)).unwrap();
        organiser.until("its pictures are seen again", |state| opened(state, camera) > seen + 20).await;
        assert_eq!(failed(organiser), 0);
    });
}

#[test]
fn all_are_muted_but_managers_and_an_order_counts_within_a_round_trip() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 4).await;
        all_receive(&clients, 5).await;
        let [organiser, guests @ ..] = &clients[..] else { unreachable!() };
        organiser.session.send(order(FloorTarget::Everyone, Rights::MICROPHONE, false)).unwrap();
        for guest in guests {
            all_know(&clients.iter().collect::<Vec<_>>(), guest.me(), Rights::MICROPHONE, false).await;
        }
        all_know(&[organiser], organiser.me(), Rights::MICROPHONE, true).await;
        let count = |of: &Client| guests[0].look(|state| opened(state, of.microphone()));
        let (before, quiet) = (count(organiser), count(&guests[1]));
        guests[0].until("the organiser is heard", |state| opened(state, organiser.microphone()) > before + 50).await;
        assert!(count(&guests[1]) <= quiet + 5, "another guest is not: {quiet}, then {}", count(&guests[1]));
    });
}

#[test]
fn hands_are_in_one_order_everywhere_and_survive_a_new_connection() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 3).await;
        let [organiser, first, second] = &clients[..] else { unreachable!() };
        first.session.send(Command::RaiseHand(true)).unwrap();
        organiser.until("one hand is up", |state| state.hands.len() == 1).await;
        second.session.send(Command::RaiseHand(true)).unwrap();
        let order = [first.me(), second.me()];
        for client in &clients {
            client.until("both hands are up, in order", |state| state.hands == order).await;
        }
        let late = Client::join(&organiser.link(), "late");
        late.until("somebody who comes later sees them", |state| state.hands == order).await;
        organiser.session.send(Command::LowerHand(Some(first.me()))).unwrap();
        for client in clients.iter().chain([&late]) {
            client.until("the first is down", |state| state.hands == order[1..]).await;
        }
    });
}

#[test]
fn the_stop_of_everything_sends_all_others_out_and_nobody_comes_back_without_the_organiser() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 3).await;
        all_receive(&clients, 5).await;
        let (organiser, guests) = (&clients[0], &clients[1..]);
        let (link, epoch) = (organiser.link(), organiser.look(|state| state.epoch));
        organiser.session.send(Command::StopEverything).unwrap();
        for guest in guests {
            guest.until("it is out, and asks again", |state| state.lobby.contains(&LobbyEvent::SentBack)).await;
            assert_eq!((guest.ring.epoch(), guest.ring.held()), (None, 0), "it has no keys");
        }
        organiser.until("the organiser is alone", |state| state.members.len() == 1 && state.links == 1).await;
        assert_ne!(organiser.link(), link);
        organiser.look(|state| assert_eq!(state.epoch, epoch + 1, "one commit"));
        let mut asking_again = Vec::new();
        for link in [link, organiser.link()] {
            let back = Client::join(&link, "back");
            let asking = organiser.look(|state| state.asking.len());
            organiser.until("somebody asks to join", |state| state.asking.len() > asking).await;
            back.look(|state| assert!(state.entered.is_none()));
            // The organiser can only admit somebody who still waits.
            asking_again.push(back);
        }
        let id = organiser.look(|state| state.asking.last().unwrap().0);
        organiser.session.send(Command::Admit(id)).unwrap();
        organiser.until_within(Duration::from_mins(1), "it is admitted", |state| state.members.len() == 2).await;
    });
}

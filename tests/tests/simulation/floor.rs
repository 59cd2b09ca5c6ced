//! Floor control and raised hands while members join, leave, lose their connections and come back.

use super::{secs, state};
use net::meeting::{Command, FloorOrder, FloorTarget, Microphone};
use proto::Rights;
use rand::Rng;
use rand::seq::IndexedRandom;
use std::time::Duration;
use tests::simulation::Simulation;

#[test]
fn all_agree_on_rights_and_hands_in_the_end() {
    for seed in 7_000..7_000 + runs() {
        random_moderation(seed);
    }
}

/// Performs 40 random actions, then waits and asserts that all see the same rights and the same queue of hands.
fn random_moderation(seed: u64) {
    let mut simulation = Simulation::seeded(seed);
    let organiser = simulation.create("Ada");
    simulation.run(secs(3));
    let invitation = simulation.invitation(organiser);
    let mut cut = Vec::new();
    for round in 0..40 {
        let wait = Duration::from_millis(simulation.random().random_range(0..2_000));
        simulation.run(wait);
        let active = simulation.active();
        let Some(client) = active.choose(simulation.random()).copied() else { break };
        match simulation.random().random_range(0..100) {
            0..25 if active.len() < 7 => drop(simulation.join_by(invitation.clone(), &format!("Guest {round}"))),
            0..60 => {
                let people = simulation.client(organiser).people.clone();
                let rights = [Rights::MICROPHONE, Rights::CAMERA, Rights::SHARE];
                let rights = *rights.choose(simulation.random()).expect("there are three");
                let allow = simulation.random().random();
                let target = match people.choose(simulation.random()) {
                    Some(person) if !person.me => FloorTarget::Person(person.id),
                    Some(_) | None => FloorTarget::Everyone,
                };
                simulation.command(organiser, Command::Floor(FloorOrder { target, rights, allow }));
            }
            60..80 => {
                let up = simulation.random().random();
                simulation.command(client, Command::RaiseHand(up));
            }
            80..84 => simulation.command(organiser, Command::LowerHand(None)),
            84..88 => simulation.command(client, Command::Announce(state(Microphone::On, true))),
            88..91 if client != organiser => simulation.kill(client),
            91..95 if client != organiser => {
                simulation.cut(client);
                cut.push(client);
            }
            95..98 => simulation.reset(client),
            98.. if client != organiser => simulation.command(client, Command::Leave),
            _ => {}
        }
    }
    simulation.run(secs(15));
    for client in cut {
        simulation.repair(client);
    }
    simulation.run(secs(200));
    let mut inside = simulation.active();
    inside.retain(|client| simulation.client(*client).entered.is_some());
    simulation.assert_agreement(&inside);
    simulation.assert_same_policy(&inside);
    // Somebody who joined while a hand was down for a moment, because its owner was away, does not know its old place.
    let sorted = |mut hands: Vec<_>| {
        hands.sort_unstable();
        hands
    };
    let hands: Vec<_> = inside.iter().map(|client| sorted(simulation.client(*client).hands.clone())).collect();
    assert!(hands.iter().all(|queue| *queue == hands[0]), "seed {seed}: {hands:?}");
    // What the orders say is part of the policy by now.
    let client = simulation.client(inside[0]);
    let policy = client.meeting.policy().expect("a member");
    for person in &client.people {
        assert_eq!(person.rights, policy.rights_of(person.device, person.id), "seed {seed}: {}", person.name);
    }
}

/// The number of random runs. `CONCLAVE_SEEDS` can raise it.
fn runs() -> u64 {
    std::env::var("CONCLAVE_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(16)
}

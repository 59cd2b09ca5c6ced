//! Organisers that come back to a meeting in which hostile members answer each request with a false Welcome.

use net::meeting::Command;
use proto::{ManagerCommand, ParticipantId, Role};
use rand::Rng;
use std::time::Duration;
use tests::simulation::{ClientId, Simulation};

/// I7: the organiser gets back in while one honest member is online, and removes the hostile ones.
#[test]
fn an_organiser_gets_back_in_although_hostile_members_answer_each_request_first() {
    for (seed, hostile) in (900..908).zip([1, 2, 1, 3].into_iter().cycle()) {
        let (mut simulation, organiser, guest) = with_hostile(seed, hostile);
        let before = simulation.client(organiser).id();
        simulation.cut(organiser);
        simulation.run(CUT);
        simulation.repair(organiser);
        let is_back = |simulation: &Simulation| returned(simulation, organiser, guest, before);
        assert!(simulation.run_until(LIMIT, is_back), "I7: seed {seed}, {hostile} hostile: {:?}", {
            &simulation.client(organiser).ending
        });
        while let Some(id) = hostile_members(&simulation, organiser).first() {
            simulation.command(organiser, Command::Remove(*id));
            simulation.run(Duration::from_secs(1));
            assert!(simulation.elapsed() < Duration::from_mins(10), "seed {seed}: they stay");
        }
        // Without this, they would knock for ever.
        simulation.stop_hostile();
        simulation.run(Duration::from_secs(90));
        simulation.assert_agreement(&[organiser, guest]);
    }
}

/// Co-organisers have the server expel those who are not below them. Each comes back, nobody has another role than before, and a naive
/// model of rights allows each commit.
#[test]
fn nobody_loses_a_role_by_co_organisers_that_have_others_expelled() {
    for seed in 950..956 {
        let mut simulation = Simulation::seeded(seed);
        let organiser = simulation.create("Ada");
        simulation.run(Duration::from_secs(3));
        simulation.watch_rights(organiser);
        let mut members = vec![organiser];
        members.extend(["Blaise", "Chloé", "Denis"].map(|name| simulation.join(organiser, name)));
        simulation.run(Duration::from_secs(20));
        for manager in &members[1..3] {
            let id = simulation.client(*manager).id();
            simulation.command(organiser, Command::SetRole(id, Role::CoOrganiser));
        }
        simulation.run(Duration::from_secs(10));
        let mut expelled = 0;
        for round in 0..6 {
            let (by, target) = (members[1 + round % 2], members[[0, 1, 2, 0, 0, 1][round]]);
            if let Some(participant) = simulation.client(target).meeting.me() {
                expelled += u32::from(simulation.inject_command(by, &ManagerCommand::Expel { participant }));
            }
            let pause = simulation.random().random_range(8_000..15_000);
            simulation.run(Duration::from_millis(pause));
        }
        assert!(expelled > 3, "seed {seed}: {expelled}");
        simulation.run(Duration::from_secs(90));
        simulation.assert_agreement(&members);
        for member in &members {
            let people = &simulation.client(*member).people;
            let role = |of: usize| {
                let id = simulation.client(members[of]).meeting.me();
                people.iter().find(|person| Some(person.id) == id).map(|person| person.role)
            };
            let expected = [Role::Organiser, Role::CoOrganiser, Role::CoOrganiser, Role::Participant];
            assert_eq!([0, 1, 2, 3].map(role), expected.map(Some), "seed {seed}");
        }
    }
}

/// Returns an organiser, hostile members, and a guest that joined after them.
fn with_hostile(seed: u64, hostile: usize) -> (Simulation, ClientId, ClientId) {
    let mut simulation = Simulation::seeded(seed);
    let organiser = simulation.create("Ada");
    simulation.run(Duration::from_secs(3));
    for _ in 0..hostile {
        simulation.add_answering(organiser);
        simulation.run(Duration::from_secs(10));
    }
    let guest = simulation.join(organiser, "Blaise");
    simulation.run(Duration::from_secs(20));
    assert_eq!(simulation.client(guest).people.len(), hostile + 2, "all are members");
    (simulation, organiser, guest)
}

/// Returns whether the organiser is a member with another id, and the guest knows it.
fn returned(simulation: &Simulation, organiser: ClientId, guest: ClientId, before: ParticipantId) -> bool {
    let me = simulation.client(organiser).meeting.me().filter(|me| *me != before);
    me.is_some_and(|me| simulation.client(guest).knows(me))
}

fn hostile_members(simulation: &Simulation, organiser: ClientId) -> Vec<ParticipantId> {
    let people = &simulation.client(organiser).people;
    people.iter().map(|person| person.id).filter(|id| simulation.is_hostile_id(*id)).collect()
}

/// How long the organiser's network is cut: too long to resume.
const CUT: Duration = Duration::from_secs(45);

/// How long an organiser may take to come back: each hostile member costs it a few seconds.
const LIMIT: Duration = Duration::from_mins(2);

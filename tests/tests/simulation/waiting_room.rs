//! Members who are sent back to the waiting room at any moment, while others commit, join and lose their connections.

use net::meeting::Command;
use proto::MeetingFlags;
use rand::Rng;
use rand::seq::IndexedRandom;
use std::time::Duration;
use tests::simulation::{ClientId, Simulation};

#[test]
fn members_that_are_sent_back_have_no_keys_and_enter_again_by_a_decision() {
    for seed in 1_200..1_212 {
        let mut simulation = Simulation::seeded(seed);
        let members = simulation.meeting(&["Ada", "Blaise", "Chloé", "Denis"]);
        let mut sent_back = 0;
        for _ in 0..4 {
            let who = *members[1..].choose(simulation.random()).expect("there are members");
            let Some(id) = simulation.client(who).meeting.me() else { continue };
            for other in &members[1..] {
                if simulation.random().random() {
                    simulation.command(*other, Command::Refresh);
                }
            }
            simulation.command(members[0], Command::SendBack(id));
            let is_out = |simulation: &Simulation| simulation.client(who).entered.is_none();
            assert!(simulation.run_until(secs(30), is_out), "seed {seed}: it is sent back");
            sent_back += 1;
            let waits = |simulation: &Simulation| !simulation.client(members[0]).asking.is_empty();
            assert!(simulation.run_until(secs(30), waits), "seed {seed}: it knocks again by itself");
            simulation.run(secs(5));
            assert!(simulation.client(who).entered.is_none(), "seed {seed}: no rule admits it");
            let policy = simulation.client(members[0]).policy.clone().expect("it is a member");
            assert!(policy.flags.contains(MeetingFlags::WAITING_ROOM));
            admit_all(&mut simulation, members[0]);
            let is_in = |simulation: &Simulation| {
                let me = simulation.client(who).meeting.me().filter(|_| simulation.client(who).entered.is_some());
                me.is_some_and(|me| simulation.client(members[0]).people.iter().any(|person| person.id == me))
            };
            assert!(simulation.run_until(secs(30), is_in), "seed {seed}: it is admitted");
        }
        assert!(sent_back > 0);
        simulation.run(secs(30));
        simulation.assert_agreement(&members);
    }
}

fn admit_all(simulation: &mut Simulation, manager: ClientId) {
    let asking = simulation.client(manager).asking.clone();
    simulation.command(manager, Command::AdmitAll(asking));
}

const fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

//! What the server says about absence, and connections that end, while beacons come: the invariants of each run say that nobody is
//! named.

use net::meeting::Command;
use proto::Down;
use rand::Rng;
use std::time::Duration;
use tests::simulation::Simulation;

#[test]
fn false_reports_of_absence_and_broken_connections_name_nobody_while_beacons_come() {
    for seed in 900..908 {
        let mut simulation = Simulation::seeded(seed);
        let members = simulation.meeting(&["Ada", "Blaise", "Chloé", "Denis", "Émile"]);
        for _ in 0..12 {
            for (at, to) in members.iter().enumerate() {
                let about = members[(at + 1) % members.len()];
                let participant = simulation.client(about).id();
                for connected in [false, true] {
                    simulation.inject_down(*to, proto::encode(&Down::Presence { participant, connected }));
                }
            }
            simulation.run(Duration::from_secs(4));
            let broken = members[simulation.random().random_range(0..members.len())];
            if simulation.random().random() {
                simulation.reset(broken);
            } else {
                // Shorter than the server keeps a place, also if the connection is established late.
                simulation.cut(broken);
                let length = simulation.random().random_range(0..12);
                simulation.run(Duration::from_secs(length));
                simulation.repair(broken);
            }
            if simulation.random().random_range(0..6) == 0 {
                simulation.restart_server();
            }
            simulation.run(Duration::from_secs(12));
            simulation.command(broken, Command::Refresh);
        }
        simulation.run(Duration::from_secs(30));
        simulation.assert_agreement(&members);
    }
}

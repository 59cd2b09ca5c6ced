//! A guest whose commits only some can read.

use super::*;

/// Returns a meeting of Ada, Eve, Blaise and Chloé. Eve is hostile.
fn meeting(seed: u64) -> (Simulation, Vec<ClientId>) {
    let mut simulation = Simulation::seeded(seed);
    let members = simulation.meeting(&["Ada", "Eve", "Blaise", "Chloé"]);
    (simulation, members)
}

#[test]
fn a_guest_throws_out_one_person_for_a_moment_and_nobody_else() {
    let (mut simulation, members) = meeting(91);
    let eve = simulation.client(members[1]).id();
    simulation.send_half_valid(members[1], &members[2..3]);
    simulation.run(secs(8));
    simulation.assert_agreement(&members);
    let lost = members.iter().map(|member| simulation.client(*member).reconnecting).collect::<Vec<_>>();
    assert_eq!(lost, [0, 0, 1, 0], "the victim is back within seconds");
    let reader = "Blaise".to_owned();
    assert!(simulation.client(members[0]).notices.contains(&Notice::KeysReported { author: eve, reader }));
}

#[test]
fn a_guest_whose_keys_the_organiser_cannot_read_is_out_and_the_others_stay() {
    let (mut simulation, mut members) = meeting(92);
    simulation.send_half_valid(members[1], &members[..1]);
    simulation.run(secs(20));
    assert_eq!(simulation.client(members[1]).ending, Some(Ending::Ended(Reason::Removed)));
    members.remove(1);
    simulation.assert_agreement(&members);
    let lost = members.iter().map(|member| simulation.client(*member).reconnecting).collect::<Vec<_>>();
    assert_eq!(lost, [1, 0, 0]);
    assert!(simulation.client(members[0]).is_organiser());
}

#[test]
fn a_guest_whose_keys_three_people_cannot_read_is_out() {
    let (mut simulation, mut members) = meeting(93);
    members.push(simulation.join(members[0], "Denis"));
    simulation.run(secs(10));
    simulation.send_half_valid(members[1], &members[2..]);
    simulation.run(secs(20));
    assert_eq!(simulation.client(members[1]).ending, Some(Ending::Ended(Reason::Removed)));
    members.remove(1);
    simulation.assert_agreement(&members);
}

//! Links whose queue grows: suddenly as their rate falls, or slowly as more is sent than they carry.

use super::*;

/// The number of the first packet behind the queue: ten seconds after the start, on a path without jitter.
const FIRST: u64 = 500;

/// Returns the most that was concealed in any 100 blocks in a row, after the first second.
fn worst_second(simulation: &mut Simulation, seconds: u64) -> u64 {
    simulation.run(1);
    let mut totals = vec![simulation.statistics().concealed_ms];
    for _ in 0..seconds * 100 {
        simulation.run_block();
        totals.push(simulation.statistics().concealed_ms);
    }
    totals.windows(101).map(|second| second[100] - second[0]).max().unwrap_or(0)
}

/// A link of 10 Mbit/s carries only 300 kbit/s from one moment on, while 2 Mbit/s of pictures are sent: its queue of 200 ms is full
/// after 35 ms. The pictures stop 250 ms later, and the queue becomes empty.
fn sudden(number: u64) -> u64 {
    match number.checked_sub(FIRST) {
        None => 0,
        Some(0) => 60_000,
        Some(1) => 160_000,
        Some(since @ 2..14) => 200_000 + since,
        Some(since @ 14..24) => 200_000 - (since - 14) * 19_000,
        Some(_) => 10_000,
    }
}

/// A probe or a key frame sends 1.6 times what the link carries for 200 ms.
fn short(number: u64) -> u64 {
    match number.checked_sub(FIRST) {
        Some(since @ 0..8) => (since + 1) * 12_000,
        Some(since @ 8..18) => 96_000 - (since - 8) * 10_000,
        _ => 0,
    }
}

#[test]
fn a_queue_that_grows_for_a_moment_is_bridged_by_stretching() {
    let mut simulation = Simulation::new(30);
    simulation.queue = short;
    let worst = worst_second(&mut simulation, 20);
    let statistics = simulation.statistics();
    assert_eq!(worst, 0, "{statistics:?}");
    assert!((40..=130).contains(&statistics.inserted_ms), "{statistics:?}");
    assert_eq!(statistics.packets_discarded, 0, "{statistics:?}");
    assert!(statistics.delay < Duration::from_millis(40), "it comes back: {statistics:?}");
    assert!(simulation.longest_delay < Duration::from_millis(140), "{:?}", simulation.longest_delay);
}

#[test]
fn a_link_that_suddenly_is_narrow_conceals_less_than_its_queue_is_long() {
    let mut simulation = Simulation::new(31);
    simulation.queue = sudden;
    let worst = worst_second(&mut simulation, 20);
    assert!(worst <= 170, "{worst}: {:?}", simulation.statistics());
    assert_eq!(simulation.statistics().packets_discarded, 0, "packets that are late but in time are played");
}

#[test]
fn sound_that_cannot_be_stretched_well_is_bridged_too() {
    let mut simulation = Simulation::new(32);
    simulation.codec.noise = Some(Random(9));
    simulation.queue = short;
    assert_eq!(worst_second(&mut simulation, 20), 0, "{:?}", simulation.statistics());
}

#[test]
fn concealed_sound_is_not_stretched() {
    let mut simulation = Simulation::new(33);
    // The sender stops without a packet that says so.
    simulation.script = |number| (number < FIRST).then_some(true);
    simulation.run(9);
    let before = simulation.statistics();
    simulation.run(3);
    let after = simulation.statistics();
    assert!(after.inserted_ms <= before.inserted_ms + 40, "only what was received is stretched: {after:?}");
    assert_eq!(after.concealed_ms, before.concealed_ms + 200, "{after:?}");
}

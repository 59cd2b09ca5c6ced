//! Sound that waits for its pictures.

use super::*;

/// Runs for some seconds while the pictures need this delay of the jitter buffer. Returns its delay at the end.
fn run_with_pictures(simulation: &mut Simulation, seconds: u64, delay: Duration) -> Duration {
    for _ in 0..seconds * 100 {
        simulation.buffer.synchronize(delay);
        simulation.run_block();
    }
    simulation.statistics().delay
}

#[test]
fn sound_waits_for_late_pictures_by_stretching_and_comes_back() {
    let mut simulation = Simulation::new(40);
    simulation.run(6);
    let before = simulation.statistics();
    let delay = run_with_pictures(&mut simulation, 4, Duration::from_millis(150));
    assert!((140..=165).contains(&delay.as_millis()), "{delay:?}");
    let delay = run_with_pictures(&mut simulation, 6, Duration::ZERO);
    let after = simulation.statistics();
    assert!(delay <= before.delay + Duration::from_millis(15), "{delay:?}, before {before:?}");
    assert_eq!((after.concealed_ms, after.packets_discarded), (0, 0), "{after:?}");
    assert!((110..=160).contains(&after.inserted_ms) && after.removed_ms >= 100, "{after:?}");
    assert!(simulation.codec.decoded.is_sorted());
}

#[test]
fn sound_waits_for_pictures_no_longer_than_a_conversation_bears() {
    let absurd = [Duration::from_secs(10), Duration::MAX];
    for (jitter, limit) in [(0, 230), (60_000, 300), (200_000, 320)] {
        for delay in absurd {
            let mut simulation = Simulation::new(41);
            simulation.jitter = jitter;
            simulation.run(6);
            let delay = run_with_pictures(&mut simulation, 10, delay);
            assert!(delay <= Duration::from_millis(limit), "jitter {jitter}: {delay:?}");
        }
    }
}

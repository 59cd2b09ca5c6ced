//! When sound was captured, and what the retransmissions of pauses do to its delay.

use super::*;

/// The time from capture to playing is the network's delay, the length of a packet, and the delay of the buffer. It holds while
/// sound is stretched, concealed and restored.
#[test]
fn it_is_known_when_each_sample_was_captured() {
    for (jitter, loss, script) in
        [(0, 0.0, talk_spurts as fn(u64) -> Option<bool>), (80_000, 0.1, talk_spurts), (120_000, 0.0, |_| Some(true))]
    {
        let mut simulation = Simulation::new(7);
        (simulation.jitter, simulation.loss, simulation.script) = (jitter, loss, script);
        let mut known = 0;
        for _ in 0..60 {
            simulation.run(1);
            let Some(captured) = simulation.captured else { continue };
            known += 1;
            let passed = simulation.now - 5_000_000 - captured.as_micros();
            let expected = 20_000 + simulation.delay + simulation.statistics().delay.as_micros() as u64;
            // The delay is over the fastest of the last packets. It was up to a fifth of the jitter slower than the fastest possible.
            assert!(passed.abs_diff(expected) < 1_000 + jitter / 5, "{passed} after capture, expected {expected}");
        }
        assert!(known > 50, "{known}");
    }
}

/// In a pause there is a packet every 400 ms. If it is lost, the next one shows that, and the retransmission comes after it.
#[test]
fn a_retransmission_that_is_requested_after_a_pause_delays_nothing() {
    let (mut buffer, mut codec, mut now) = (Buffer::new(), FakeCodec::default(), 5_000_000);
    let (mut lost, mut longest) = (None, 0);
    for number in 0..3_000 {
        if let Some(voice) = talk_spurts(number) {
            let arrived = Timestamp::from_micros(now);
            let is_lost = !voice && lost.is_none() && number % 20 == 0;
            if is_lost {
                lost = Some(packet(number * PACKET as u64, voice));
            } else {
                buffer.insert(packet(number * PACKET as u64, voice), arrived, Origin::Frame);
                lost.take().into_iter().for_each(|packet| buffer.insert(packet, arrived, Origin::Frame));
            }
        }
        for _ in 0..2 {
            let captured = buffer.pull(Timestamp::from_micros(now), &mut codec, &mut crate::SILENCE.clone());
            longest = longest.max(captured.map_or(0, |captured| now - 5_000_000 - captured.as_micros()));
            now += 10_000;
        }
    }
    let statistics = buffer.statistics();
    assert!(statistics.target < Duration::from_millis(60), "{statistics:?}");
    // Pictures wait for the sound of the same moment.
    assert!(longest < 100_000, "{longest} µs from capture to playing");
}

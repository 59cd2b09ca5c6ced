//! Tests of layer switching with simulated packets.

use super::*;
use std::time::Duration;

/// Three layers of one camera: each frame has two packets per layer.
struct Camera {
    start: Instant,
    frame: u32,
    sequence: [u64; 3],
}

impl Camera {
    fn new() -> Self {
        Self { start: Instant::now(), frame: 0, sequence: [1_000, 20_000, 300_000] }
    }

    /// Returns the packets of the next frame; `keys` says on which layers it is a key frame.
    fn frame(&mut self, keys: [bool; 3]) -> Vec<PacketInfo> {
        // L1T3: temporal layers 0 2 1 2.
        let temporal = [0, 2, 1, 2][self.frame as usize % 4];
        let arrival = self.start + Duration::from_millis(33) * self.frame;
        let mut packets = Vec::new();
        for (spatial, key) in (0_u8..).zip(keys) {
            for part in 0..2 {
                let sequence = self.sequence[usize::from(spatial)];
                self.sequence[usize::from(spatial)] += 1;
                packets.push(PacketInfo {
                    spatial,
                    temporal: if key { 0 } else { temporal },
                    sequence,
                    timestamp: self.frame * 3_000,
                    start: part == 0,
                    key,
                    newest: true,
                    arrival,
                });
            }
        }
        self.frame += 1;
        packets
    }
}

fn run(switch: &mut Switch, packets: &[PacketInfo]) -> Vec<(u8, RewrittenHeader)> {
    packets.iter().filter_map(|packet| Some((packet.spatial, switch.forward(packet, MAX_TEMPORAL)?))).collect()
}

const TOP: Option<Target> = Some(Target { spatial: 2, temporal: 2 });
const BASE: Option<Target> = Some(Target { spatial: 0, temporal: 2 });

#[test]
fn nothing_passes_before_a_key_frame_or_without_a_target() {
    let (mut camera, mut switch) = (Camera::new(), Switch::new(5, 90_000));
    assert!(run(&mut switch, &camera.frame([true; 3])).is_empty());
    switch.set_target(BASE);
    assert_eq!(switch.awaited_layer(), Some(0));
    assert!(run(&mut switch, &camera.frame([false; 3])).is_empty());
    assert!(run(&mut switch, &camera.frame([false, true, true])).is_empty(), "never a larger layer than the target");
    let passed = run(&mut switch, &camera.frame([true, false, false]));
    assert_eq!(
        passed.iter().map(|(spatial, packet)| (*spatial, packet.sequence)).collect::<Vec<_>>(),
        [(0, 5), (0, 6)]
    );
    assert_eq!(switch.awaited_layer(), None);
    switch.set_target(None);
    assert!(run(&mut switch, &camera.frame([true; 3])).is_empty());
    assert_eq!(switch.current(), None);
}

#[test]
fn a_switch_waits_for_the_key_frame_and_numbers_stay_continuous() {
    let (mut camera, mut switch) = (Camera::new(), Switch::new(5, 90_000));
    switch.set_target(BASE);
    let mut passed = run(&mut switch, &camera.frame([true; 3]));
    switch.set_target(TOP);
    assert_eq!(switch.awaited_layer(), Some(2));
    for _ in 0..3 {
        passed.extend(run(&mut switch, &camera.frame([false; 3])));
    }
    assert!(passed.iter().all(|(spatial, _)| *spatial == 0), "the old layer passes until then");
    passed.extend(run(&mut switch, &camera.frame([false, true, true])));
    passed.extend(run(&mut switch, &camera.frame([false; 3])));
    let layers: Vec<u8> = passed.iter().map(|(spatial, _)| *spatial).collect();
    assert_eq!(layers, [[0; 10].as_slice(), &[2; 4]].concat());
    let numbers: Vec<u64> = passed.iter().map(|(_, packet)| packet.sequence).collect();
    assert_eq!(numbers, (5..19).collect::<Vec<u64>>());
    let times: Vec<u32> = passed.iter().map(|(_, packet)| packet.timestamp).collect();
    let frames = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 5, 5].map(|frame| frame * 3_000);
    assert_eq!(times, frames, "the source's clock");
}

#[test]
fn a_smaller_layer_passes_until_the_target_layer_arrives() {
    let (mut camera, mut switch) = (Camera::new(), Switch::new(0, 90_000));
    switch.set_target(TOP);
    assert_eq!(run(&mut switch, &camera.frame([false, true, false])).len(), 2);
    assert_eq!((switch.current(), switch.awaited_layer()), (Some(1), Some(2)));
    assert!(run(&mut switch, &camera.frame([true, false, false])).iter().all(|(spatial, _)| *spatial == 1));
    assert!(run(&mut switch, &camera.frame([true, true, true])).iter().any(|(spatial, _)| *spatial == 2));
    assert_eq!(switch.current(), Some(2));
}

#[test]
fn temporal_layers_are_dropped_without_gaps_and_return_at_layer_0() {
    let (mut camera, mut switch) = (Camera::new(), Switch::new(0, 90_000));
    switch.set_target(Some(Target { spatial: 0, temporal: 0 }));
    let mut passed = run(&mut switch, &camera.frame([true; 3]));
    for _ in 1..8 {
        passed.extend(run(&mut switch, &camera.frame([false; 3])));
    }
    assert_eq!(passed.len(), 4, "frames 0 and 4");
    switch.set_target(BASE);
    camera.frame = 9;
    assert!(
        run(&mut switch, &camera.frame([false; 3])).is_empty(),
        "a frame of temporal layer 2 depends on frames that were dropped"
    );
    camera.frame = 12;
    for _ in 0..4 {
        passed.extend(run(&mut switch, &camera.frame([false; 3])));
    }
    assert_eq!(passed.len(), 12);
    let numbers: Vec<u64> = passed.iter().map(|(_, packet)| packet.sequence).collect();
    assert_eq!(numbers, (0..12).collect::<Vec<u64>>());
}

#[test]
fn a_lower_target_never_cuts_a_frame() {
    let (mut camera, mut switch) = (Camera::new(), Switch::new(0, 90_000));
    switch.set_target(BASE);
    run(&mut switch, &camera.frame([true; 3]));
    let frame = camera.frame([false; 3]);
    assert!(switch.forward(&frame[0], MAX_TEMPORAL).is_some());
    switch.set_target(Some(Target { spatial: 0, temporal: 0 }));
    assert!(switch.forward(&frame[1], MAX_TEMPORAL).is_some(), "the frame began before the change");
    assert!(run(&mut switch, &camera.frame([false; 3])).is_empty());
}

#[test]
fn no_switch_happens_at_a_key_frame_that_arrives_late() {
    let (mut camera, mut switch) = (Camera::new(), Switch::new(0, 90_000));
    switch.set_target(BASE);
    let mut late = camera.frame([true; 3]);
    late[0].newest = false;
    assert!(run(&mut switch, &late).is_empty());
    assert_eq!(switch.awaited_layer(), Some(0));
}

#[test]
fn timestamps_of_layers_with_different_clocks_are_joined() {
    let (mut camera, mut switch) = (Camera::new(), Switch::new(0, 90_000));
    switch.set_target(BASE);
    run(&mut switch, &camera.frame([true; 3]));
    switch.set_target(TOP);
    let mut foreign = camera.frame([false, false, true]);
    for packet in foreign.iter_mut().filter(|packet| packet.spatial == 2) {
        packet.timestamp = packet.timestamp.wrapping_add(0x8000_0000);
    }
    let timestamp = run(&mut switch, &foreign).last().expect("switched").1.timestamp;
    assert!((2_900..3_100).contains(&timestamp), "{timestamp}");
}

#[test]
fn the_next_source_starts_at_its_own_key_frame() {
    let (mut camera, mut switch) = (Camera::new(), Switch::new(0, 90_000));
    switch.set_target(BASE);
    assert_eq!(run(&mut switch, &camera.frame([true; 3])).len(), 2);
    switch.end_source();
    assert!(run(&mut switch, &camera.frame([false; 3])).is_empty());
    camera.sequence = [7, 7, 7];
    assert_eq!(run(&mut switch, &camera.frame([true; 3]))[0].1.sequence, 2);
}

#[test]
fn a_larger_layer_passes_with_fewer_pictures_or_not_at_all_until_the_smaller_one_arrives() {
    let (mut camera, mut switch) = (Camera::new(), Switch::new(0, 90_000));
    switch.set_target(TOP);
    let mut passed = run(&mut switch, &camera.frame([false, false, true]));
    switch.reduce(Some(0));
    passed.extend(run(&mut switch, &camera.frame([false; 3])));
    assert_eq!(passed.len(), 4, "the target is not reduced");
    switch.set_target(BASE);
    switch.reduce(Some(0));
    for _ in 2..6 {
        passed.extend(run(&mut switch, &camera.frame([false; 3])));
    }
    assert_eq!(passed.len(), 6, "frame 4 of the large layer");
    switch.reduce(None);
    assert_eq!((switch.current(), switch.awaited_layer()), (None, Some(0)));
    assert!(run(&mut switch, &camera.frame([false; 3])).is_empty());
    passed.extend(run(&mut switch, &camera.frame([true, false, false])));
    passed.extend(run(&mut switch, &camera.frame([false; 3])));
    let layers: Vec<u8> = passed.iter().map(|(spatial, _)| *spatial).collect();
    assert_eq!(layers, [[2; 6].as_slice(), &[0; 4]].concat(), "the small layer is not reduced");
    let numbers: Vec<u64> = passed.iter().map(|(_, packet)| packet.sequence).collect();
    assert_eq!(numbers, (0..10).collect::<Vec<u64>>());
}

#[test]
fn a_full_queue_takes_fewer_pictures_of_the_same_layer() {
    let (mut camera, mut switch) = (Camera::new(), Switch::new(0, 90_000));
    switch.set_target(BASE);
    run(&mut switch, &camera.frame([true; 3]));
    let mut passed = 0;
    for _ in 1..5 {
        passed += camera.frame([false; 3]).iter().filter(|packet| switch.forward(packet, 1).is_some()).count();
    }
    assert_eq!(passed, 4, "frames 2 and 4");
}

#[test]
fn after_a_stop_pictures_go_on_with_a_key_frame_and_the_next_number() {
    let (mut camera, mut switch) = (Camera::new(), Switch::new(0, 90_000));
    switch.set_target(BASE);
    assert_eq!(run(&mut switch, &camera.frame([true; 3])).len(), 2);
    switch.stop();
    assert_eq!((switch.current(), switch.awaited_layer()), (None, Some(0)));
    assert!(run(&mut switch, &camera.frame([false; 3])).is_empty());
    let numbers: Vec<u64> =
        run(&mut switch, &camera.frame([true; 3])).iter().map(|(_, packet)| packet.sequence).collect();
    assert_eq!(numbers, [2, 3]);
}

#[test]
fn a_smaller_layer_by_which_the_sender_replaces_the_larger_one_passes_from_its_first_key_frame_on() {
    let (mut camera, mut switch) = (Camera::new(), Switch::new(5, 90_000));
    switch.set_target(TOP);
    run(&mut switch, &camera.frame([false, false, true]));
    assert_eq!(switch.current(), Some(2));
    switch.take_smaller(0);
    let passed = run(&mut switch, &camera.frame([true, false, false]));
    assert_eq!((switch.current(), passed.len()), (Some(0), 2));
    switch.set_target(BASE);
    switch.take_smaller(1);
    assert_eq!(switch.target(), BASE, "never a larger layer");
}

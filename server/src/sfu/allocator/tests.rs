//! Tests of the division of a downlink.

use super::*;
use proto::{ParticipantId, Slot, TrackId};

const RATES: [u64; 3] = [150_000, 500_000, 1_500_000];

#[expect(clippy::unnecessary_wraps, reason = "allocations are compared as options")]
fn target(spatial: u8, temporal: u8) -> Option<Target> {
    Some(Target { spatial, temporal })
}

fn request(ideal: Option<Target>, priority: u8, pixels: u32) -> Request {
    Request { rates: RATES.to_vec(), ideal, priority, pixels, current: None }
}

#[test]
fn every_target_is_allocated_if_the_budget_is_enough() {
    let targets = [target(2, 2), target(0, 0), None, target(1, 1)];
    let requests: Vec<Request> = targets.iter().map(|target| request(*target, 1, 100)).collect();
    assert_eq!(allocate(100_000_000, 40_000, &requests), targets);
}

#[test]
fn audio_comes_first_then_the_smallest_layers_then_the_track_furthest_below_its_target() {
    let requests = [request(target(2, 2), 1, 1_000), request(target(2, 2), 1, 100), request(target(1, 2), 1, 10)];
    assert_eq!(allocate(40_000, 40_000, &requests), [None, None, None]);
    assert_eq!(allocate(490_000, 40_000, &requests), [target(0, 2); 3], "all three smallest layers, exactly");
    // 390 kbit/s more: one step to layer 1 (350 and the margin) for the first of those that are furthest below.
    assert_eq!(allocate(880_000, 40_000, &requests), [target(1, 2), target(0, 2), target(0, 2)]);
    assert_eq!(allocate(1_300_000, 40_000, &requests), [target(1, 2), target(1, 2), target(0, 2)]);
}

#[test]
fn a_higher_priority_is_served_before_a_larger_tile() {
    let requests = [request(target(2, 2), 1, 1_000_000), request(target(2, 2), 9, 10)];
    assert_eq!(allocate(1_900_000, 0, &requests), [target(0, 2), target(2, 2)]);
    assert_eq!(allocate(160_000, 0, &requests), [None, target(0, 2)]);
}

#[test]
fn the_frame_rate_is_reduced_before_a_track_is_dropped() {
    let requests = [request(target(0, 2), 2, 10), request(target(0, 2), 1, 10)];
    assert_eq!(allocate(260_000, 0, &requests), [target(0, 2), target(0, 1)]);
    assert_eq!(allocate(230_000, 0, &requests), [target(0, 2), target(0, 0)]);
    assert_eq!(allocate(220_000, 0, &requests), [target(0, 2), None]);
}

#[test]
fn the_current_layer_needs_no_margin() {
    let mut requests = [request(target(2, 2), 1, 10)];
    assert_eq!(allocate(1_520_000, 0, &requests), [target(1, 2)]);
    requests[0].current = target(2, 2);
    assert_eq!(allocate(1_520_000, 0, &requests), [target(2, 2)]);
    assert_eq!(allocate(1_490_000, 0, &requests), [target(1, 2)]);
}

/// Allocates like `allocate`, in a simpler way: it takes the step that fits and is furthest below its ideal layer, and
/// searches again.
fn allocate_slowly(budget: u64, requests: &[Request]) -> Vec<Option<Target>> {
    let (mut left, mut allocated) = (budget, vec![None; requests.len()]);
    let mut order: Vec<usize> = (0..requests.len()).filter(|index| requests[*index].ideal.is_some()).collect();
    order.sort_by_key(|index| Reverse((requests[*index].priority, requests[*index].pixels)));
    allocate_smallest(&mut left, &order, requests, &mut allocated);
    loop {
        let steps = order.iter().filter_map(|index| {
            let (request, now) = (&requests[*index], allocated[*index]?);
            let next = next_step(now, request.ideal?)?;
            let needed = bitrate(request, next).saturating_sub(bitrate(request, now));
            let current = request.current.is_some_and(|current| current.spatial >= next.spatial);
            let fits = if current { needed <= left } else { needed * MARGIN_PERCENT / 100 <= left };
            let below = request.ideal?.spatial.saturating_sub(next.spatial);
            fits.then_some((Reverse(request.priority), Reverse(below), *index, next, needed))
        });
        let Some((.., index, target, needed)) = steps.min_by_key(|step| (step.0, step.1)) else { return allocated };
        left -= needed;
        allocated[index] = Some(target);
    }
}

#[test]
fn no_allocation_exceeds_the_budget_and_all_match_the_reference() {
    let mut seed = 7_u64;
    let mut random = |below: u32| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        u32::try_from(seed >> 33).expect("31 bits") % below
    };
    let layer = |number: u32| u8::try_from(number).expect("a small one");
    for _ in 0..2_000 {
        let requests: Vec<Request> = (0..random(12))
            .map(|_| {
                let rates: Vec<u64> = (0..=random(3)).map(|_| u64::from(random(3_000_000))).collect();
                let largest = layer(random(3)).min(layer(u32::try_from(rates.len()).expect("few")) - 1);
                Request {
                    rates,
                    ideal: target(largest, layer(random(3))),
                    priority: layer(random(4)),
                    pixels: random(1_000_000),
                    current: target(layer(random(3)), 2),
                }
            })
            .collect();
        let budget = u64::from(random(5_000_000));
        let allocated = allocate(budget, 40_000, &requests);
        let spent: u64 =
            requests.iter().zip(&allocated).filter_map(|(request, target)| Some(bitrate(request, (*target)?))).sum();
        assert!(spent <= budget.saturating_sub(40_000), "{spent} of {budget}");
        assert_eq!(allocated, allocate_slowly(budget.saturating_sub(40_000), &requests));
    }
}

#[test]
fn a_tile_gets_the_smallest_layer_that_fills_it() {
    let sizes = [(320, 180), (640, 360), (1_280, 720)];
    let tile = |width, height, frames_per_second, hidden| TileWish {
        track: TrackId { owner: ParticipantId(1), slot: Slot::Camera },
        width,
        height,
        frames_per_second,
        priority: 0,
        hidden,
    };
    let spatial = |width, height| layers_for_tile(&tile(width, height, 30, false), &sizes).map(|target| target.spatial);
    assert_eq!(spatial(320, 180), Some(0));
    assert_eq!(spatial(350, 197), Some(0), "enlarged by less than a tenth");
    assert_eq!(spatial(400, 225), Some(1));
    assert_eq!(spatial(1_280, 720), Some(2));
    assert_eq!(spatial(3_840, 2_160), Some(2));
    assert_eq!(spatial(1_000, 180), Some(0), "the height is the limit");
    assert_eq!(layers_for_tile(&tile(640, 360, 30, true), &sizes), None);
    assert_eq!(layers_for_tile(&tile(640, 360, 30, false), &[]), None);
    let temporal = |frames| layers_for_tile(&tile(640, 360, frames, false), &sizes).map(|target| target.temporal);
    assert_eq!([5, 15, 30].map(temporal), [Some(0), Some(1), Some(2)]);
}

//! Who gets what of a scarce downlink.

use super::*;
use proto::{ParticipantId, Slot, TrackId};

const RATES: [u64; 3] = [150_000, 500_000, 1_500_000];

#[expect(clippy::unnecessary_wraps, reason = "what is compared with is optional")]
fn target(spatial: u8, temporal: u8) -> Option<Target> {
    Some(Target { spatial, temporal })
}

fn request(wish: Option<Target>, priority: u8, pixels: u32) -> Request {
    Request { rates: RATES.to_vec(), wish, priority, pixels, current: None }
}

#[test]
fn plenty_for_everybody_grants_every_wish() {
    let wishes = [target(2, 2), target(0, 0), None, target(1, 1)];
    let requests: Vec<Request> = wishes.iter().map(|wish| request(*wish, 1, 100)).collect();
    assert_eq!(allocate(100_000_000, 40_000, &requests), wishes);
}

#[test]
fn sound_comes_first_then_every_base_layer_then_the_greatest_need() {
    let requests = [request(target(2, 2), 1, 1_000), request(target(2, 2), 1, 100), request(target(1, 2), 1, 10)];
    assert_eq!(allocate(40_000, 40_000, &requests), [None, None, None]);
    assert_eq!(allocate(490_000, 40_000, &requests), [target(0, 2); 3], "all three base layers, exactly");
    // 390 kbit/s more than the base: one step to layer 1 (350, and a tenth to spare) for whom it lacks most.
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
fn pictures_a_second_go_before_the_picture() {
    let requests = [request(target(0, 2), 2, 10), request(target(0, 2), 1, 10)];
    assert_eq!(allocate(260_000, 0, &requests), [target(0, 2), target(0, 1)]);
    assert_eq!(allocate(230_000, 0, &requests), [target(0, 2), target(0, 0)]);
    assert_eq!(allocate(220_000, 0, &requests), [target(0, 2), None]);
}

#[test]
fn what_is_held_needs_no_margin() {
    let mut requests = [request(target(2, 2), 1, 10)];
    assert_eq!(allocate(1_520_000, 0, &requests), [target(1, 2)]);
    requests[0].current = target(2, 2);
    assert_eq!(allocate(1_520_000, 0, &requests), [target(2, 2)]);
    assert_eq!(allocate(1_490_000, 0, &requests), [target(1, 2)]);
}

/// What `grant_more` does, as one would say it: look at everybody's next step, take the neediest that fits, begin again.
fn grant_plainly(budget: u64, requests: &[Request]) -> Vec<Option<Target>> {
    let (mut left, mut granted) = (budget, vec![None; requests.len()]);
    let mut order: Vec<usize> = (0..requests.len()).filter(|index| requests[*index].wish.is_some()).collect();
    order.sort_by_key(|index| Reverse((requests[*index].priority, requests[*index].pixels)));
    grant_base(&mut left, &order, requests, &mut granted);
    loop {
        let steps = order.iter().filter_map(|index| {
            let (request, now) = (&requests[*index], granted[*index]?);
            let target = next(now, request.wish?)?;
            let needed = extra(request, Some(now), target);
            let held = request.current.is_some_and(|current| current.spatial >= target.spatial);
            let fits = if held { needed <= left } else { needed * MARGIN / 100 <= left };
            let short = request.wish?.spatial.saturating_sub(target.spatial);
            fits.then_some((Reverse(request.priority), Reverse(short), *index, target, needed))
        });
        let Some((.., index, target, needed)) = steps.min_by_key(|step| (step.0, step.1)) else { return granted };
        left -= needed;
        granted[index] = Some(target);
    }
}

#[test]
fn nobody_is_granted_more_than_the_budget_and_the_neediest_comes_first() {
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
                    wish: target(largest, layer(random(3))),
                    priority: layer(random(4)),
                    pixels: random(1_000_000),
                    current: target(layer(random(3)), 2),
                }
            })
            .collect();
        let budget = u64::from(random(5_000_000));
        let granted = allocate(budget, 40_000, &requests);
        let spent: u64 = requests.iter().zip(&granted).filter_map(|(r, g)| Some(cost(r, (*g)?))).sum();
        assert!(spent <= budget.saturating_sub(40_000), "{spent} of {budget}");
        assert_eq!(granted, grant_plainly(budget.saturating_sub(40_000), &requests));
    }
}

#[test]
fn a_tile_wants_the_smallest_layer_that_fills_it() {
    let sizes = [(320, 180), (640, 360), (1_280, 720)];
    let tile = |width, height, frames_per_second, paused| TileWish {
        track: TrackId { owner: ParticipantId(1), slot: Slot::Camera },
        width,
        height,
        frames_per_second,
        priority: 0,
        paused,
    };
    let spatial = |width, height| wish(&tile(width, height, 30, false), &sizes).map(|wish| wish.spatial);
    assert_eq!(spatial(320, 180), Some(0));
    assert_eq!(spatial(350, 197), Some(0), "enlarged by less than a tenth");
    assert_eq!(spatial(400, 225), Some(1));
    assert_eq!(spatial(1_280, 720), Some(2));
    assert_eq!(spatial(3_840, 2_160), Some(2));
    assert_eq!(spatial(1_000, 180), Some(0), "the height is the limit");
    assert_eq!(wish(&tile(640, 360, 30, true), &sizes), None);
    assert_eq!(wish(&tile(640, 360, 30, false), &[]), None);
    let temporal = |frames| wish(&tile(640, 360, frames, false), &sizes).map(|wish| wish.temporal);
    assert_eq!([5, 15, 30].map(temporal), [Some(0), Some(1), Some(2)]);
}

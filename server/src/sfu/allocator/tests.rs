//! Tests of the division of a downlink.

use super::*;
use proto::{ParticipantId, Slot, TrackId};

/// Layers that cannot be reduced.
const RATES: [LayerBitrates; 3] = [fixed(150_000), fixed(500_000), fixed(1_500_000)];

const fn fixed(rate: u64) -> LayerBitrates {
    LayerBitrates { min: rate, max: rate, temporal_percent: [50, 70, 100] }
}

/// Returns the layers without their bitrates.
fn allocate(budget: u64, audio: u64, requests: &[Request]) -> Vec<Option<Target>> {
    Allocator::default().allocate(budget, audio, requests).iter().map(|share| share.map(|share| share.target)).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "allocations are compared as options")]
fn target(spatial: u8, temporal: u8) -> Option<Target> {
    Some(Target { spatial, temporal })
}

fn request(ideal: Option<Target>, priority: u8, pixels: u32) -> Request {
    Request { rates: RATES.into_iter().collect(), ideal, priority, speaker: 0, pixels, current: None }
}

#[test]
fn every_target_is_allocated_if_the_budget_is_enough() {
    let targets = [target(2, 2), target(0, 0), None, target(1, 1)];
    let requests: Vec<Request> = targets.iter().map(|target| request(*target, 1, 100)).collect();
    assert_eq!(allocate(100_000_000, 40_000, &requests), targets);
}

#[test]
fn sound_comes_first_then_the_smallest_layers_then_the_track_furthest_below_its_target() {
    let requests = [request(target(2, 2), 1, 1_000), request(target(2, 2), 1, 100), request(target(1, 2), 1, 10)];
    assert_eq!(allocate(140_000, 140_000, &requests), [None, None, None]);
    assert_eq!(allocate(265_000, 40_000, &requests), [target(0, 0); 3], "a base layer for everybody");
    assert_eq!(allocate(540_000, 40_000, &requests), [target(0, 2); 3], "all three smallest layers");
    // 390 kbit/s more: one step to layer 1 (350 and the margin) for the first of those that are furthest below.
    assert_eq!(allocate(880_000, 40_000, &requests), [target(1, 2), target(0, 2), target(0, 2)]);
    assert_eq!(allocate(1_300_000, 40_000, &requests), [target(1, 2), target(1, 2), target(0, 2)]);
}

#[test]
fn a_higher_priority_is_served_before_a_larger_tile() {
    let requests = [request(target(2, 2), 1, 1_000_000), request(target(2, 2), 9, 10)];
    assert_eq!(allocate(1_900_000, 0, &requests), [target(1, 1), target(2, 2)]);
    assert_eq!(allocate(240_000, 0, &requests), [target(0, 0), target(0, 2)]);
    assert_eq!(allocate(140_000, 0, &requests), [None, target(0, 1)]);
}

#[test]
fn a_narrow_link_carries_sound_and_one_picture_and_a_narrower_one_only_sound() {
    let requests = [request(target(2, 2), 1, 10), request(target(2, 2), 2, 10), request(target(2, 2), 1, 90)];
    assert_eq!(allocate(119_000, 0, &requests), [None, target(0, 1), None]);
    assert_eq!(allocate(80_000, 0, &requests), [None, target(0, 0), None]);
    assert_eq!(allocate(74_000, 0, &requests), [None; 3]);
    let small = Request { rates: [fixed(10_000)].into_iter().collect(), ..request(target(0, 2), 1, 10) };
    assert_eq!(allocate(34_000, 0, &[small]), [None]);
}

#[test]
fn the_frame_rate_is_reduced_before_a_track_is_dropped() {
    let requests = [request(target(0, 2), 2, 10), request(target(0, 2), 1, 10)];
    assert_eq!(allocate(270_000, 0, &requests), [target(0, 2), target(0, 1)]);
    assert_eq!(allocate(235_000, 0, &requests), [target(0, 2), target(0, 0)]);
    assert_eq!(allocate(149_000, 0, &requests), [target(0, 1), None]);
}

#[test]
fn a_larger_layer_that_cannot_be_reduced_is_preferred_with_fewer_pictures() {
    let requests = [request(target(2, 2), 1, 10)];
    assert_eq!(allocate(340_000, 0, &requests), [target(0, 2)], "a quarter of the pictures is too few");
    assert_eq!(allocate(375_000, 0, &requests), [target(1, 1)]);
    let rates = [RATES[0], LayerBitrates { min: 340_000, ..RATES[1] }, RATES[2]].into_iter().collect();
    let elastic = [Request { rates, ..requests[0].clone() }];
    assert_eq!(allocate(375_000, 0, &elastic), [target(1, 2)], "its sender can reduce it");
    assert_eq!(allocate(540_000, 0, &requests), [target(1, 2)]);
}

#[test]
fn the_current_layer_needs_no_margin() {
    let mut requests = [request(target(2, 2), 1, 10)];
    assert_eq!(allocate(1_520_000, 0, &requests), [target(2, 1)]);
    requests[0].current = target(2, 2);
    assert_eq!(allocate(1_520_000, 0, &requests), [target(2, 2)]);
    assert_eq!(allocate(1_490_000, 0, &requests), [target(2, 1)]);
}

#[test]
fn a_layer_that_its_sender_can_reduce_gets_what_is_left() {
    let elastic = |rate: u64| LayerBitrates { min: rate * 2 / 5, max: rate, temporal_percent: [50, 70, 100] };
    let rates: Rates = [elastic(200_000), elastic(550_000), elastic(1_500_000)].into_iter().collect();
    let request = |ideal| Request { rates: rates.clone(), ..request(ideal, 1, 10) };
    let shares = |budget, ideals: &[Option<Target>]| {
        let requests: Vec<Request> = ideals.iter().map(|ideal| request(*ideal)).collect();
        let share = |share: &Option<Allocation>| share.map(|share| (share.target, share.bitrate, share.limit));
        Allocator::default().allocate(budget, 32_000, &requests).iter().map(share).collect::<Vec<_>>()
    };
    let one = |spatial, temporal, bitrate, limit| Some((Target { spatial, temporal }, bitrate, limit));
    assert_eq!(shares(122_000, &[target(2, 2)]), [one(0, 2, 90_000, Some(90_000))]);
    assert_eq!(shares(300_000, &[target(2, 2)]), [one(1, 2, 268_000, Some(268_000))]);
    assert_eq!(shares(900_000, &[target(2, 2)]), [one(2, 2, 868_000, Some(868_000))]);
    assert_eq!(shares(2_000_000, &[target(2, 2)]), [one(2, 2, 1_500_000, None)]);
    assert_eq!(shares(2_000_000, &[target(2, 0)]), [one(2, 0, 750_000, None)]);
    assert_eq!(shares(732_000, &[target(2, 0)]), [one(2, 0, 700_000, Some(1_400_000))]);
    assert_eq!(
        shares(332_000, &[target(0, 2), target(0, 0), target(0, 2)]),
        [one(0, 2, 113_333, Some(113_333)), one(0, 0, 73_333, Some(146_666)), one(0, 2, 113_334, Some(113_334))]
    );
}

/// Returns whether the lowest layer of a request that got nothing fits beside those of the requests that are served first.
fn base_fits(video: u64, request: &Request, requests: &[Request], shares: &[Option<Allocation>]) -> bool {
    let base = |request: &Request| min_bitrate(request, Target { spatial: 0, temporal: 0 });
    let order = |request: &Request| (request.priority, request.pixels);
    let served = requests.iter().zip(shares).filter(|(_, share)| share.is_some()).map(|(other, _)| other);
    let first: u64 = served.filter(|other| order(other) > order(request)).map(base).sum();
    first + base(request) <= video
}

/// Returns whether one more step of a request fits into what the others leave.
fn a_step_fits(
    video: u64,
    request: &Request,
    target: Target,
    requests: &[Request],
    shares: &[Option<Allocation>],
) -> bool {
    let min =
        |(request, share): (&Request, &Option<Allocation>)| share.map_or(0, |share| min_bitrate(request, share.target));
    let left = video - requests.iter().zip(shares).map(min).sum::<u64>();
    let Some(ideal) = request.ideal else { return false };
    next_steps(target, ideal).any(|next| {
        let whole = next.temporal == ideal.temporal || next.spatial == target.spatial || is_fixed(request, next);
        let needed = min_bitrate(request, next).saturating_sub(min_bitrate(request, target));
        whole && fits(request, next, needed, left)
    })
}

#[test]
fn no_allocation_exceeds_the_budget_and_nothing_that_fits_is_left_out() {
    let mut seed = 7_u64;
    let mut random = |below: u32| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        u32::try_from(seed >> 33).expect("31 bits") % below
    };
    let layer = |number: u32| u8::try_from(number).expect("a small one");
    for round in 0..5_000 {
        // An owner may declare any bitrates. Usually each layer takes more than the one below it.
        let ascending = round % 2 == 0;
        let requests: Vec<Request> = (0..random(12))
            .map(|_| {
                let (mut rates, divisor) = (vec![], u64::from(random(4) + 1));
                for spatial in 0..=random(3) {
                    let max = if ascending {
                        u64::from(random(250_000) + 250_000) << (2 * spatial)
                    } else {
                        u64::from(random(3_000_000))
                    };
                    let divisor = if ascending { divisor } else { u64::from(random(4) + 1) };
                    rates.push(LayerBitrates { min: max / divisor, max, temporal_percent: [40, 75, 100] });
                }
                let largest = layer(random(3)).min(layer(u32::try_from(rates.len()).expect("few")) - 1);
                Request {
                    rates: rates.into_iter().collect(),
                    ideal: target(largest, layer(random(3))),
                    speaker: 0,
                    priority: layer(random(4)),
                    pixels: random(1_000_000),
                    current: target(layer(random(3)), 2),
                }
            })
            .collect();
        let budget = u64::from(random(5_000_000));
        let mut allocator = Allocator::default();
        let shares = allocator.allocate(budget, 40_000, &requests);
        let video = budget.saturating_sub(40_000);
        let spent: u64 = shares.iter().flatten().map(|share| share.bitrate).sum();
        assert!(spent <= video, "{spent} of {video}");
        for (request, share) in requests.iter().zip(shares) {
            let Some(share) = share else {
                assert!(budget < ONE_PICTURE || !base_fits(video, request, &requests, shares));
                continue;
            };
            let ideal = request.ideal.expect("all are visible");
            assert!(!ascending || !a_step_fits(video, request, share.target, &requests, shares));
            assert!(share.target.spatial <= ideal.spatial && share.target.temporal <= ideal.temporal);
            let rate = request.rates[usize::from(share.target.spatial)];
            assert!(share.bitrate >= rate.part(rate.min, share.target.temporal));
            assert_eq!(share.limit.is_none(), share.bitrate >= rate.part(rate.max, share.target.temporal));
        }
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
    let spatial = |width, height| {
        layers_for_tile(&tile(width, height, 30, false), sizes.into_iter()).map(|target| target.spatial)
    };
    assert_eq!(spatial(320, 180), Some(0));
    assert_eq!(spatial(350, 197), Some(0), "enlarged by less than a tenth");
    assert_eq!(spatial(400, 225), Some(1));
    assert_eq!(spatial(1_280, 720), Some(2));
    assert_eq!(spatial(3_840, 2_160), Some(2));
    assert_eq!(spatial(1_000, 180), Some(0), "the height is the limit");
    assert_eq!(layers_for_tile(&tile(640, 360, 30, true), sizes.into_iter()), None);
    assert_eq!(layers_for_tile(&tile(640, 360, 30, false), std::iter::empty()), None);
    let temporal =
        |frames| layers_for_tile(&tile(640, 360, frames, false), sizes.into_iter()).map(|target| target.temporal);
    assert_eq!([5, 15, 30].map(temporal), [Some(0), Some(1), Some(2)]);
}

#[test]
fn the_only_picture_of_a_narrow_link_is_that_of_who_speaks() {
    let tile = |speaker, priority| Request { speaker, ..request(target(0, 2), priority, 100) };
    let shown = |budget, requests: &[Request]| {
        let allocated = allocate(budget, 40_000, requests);
        allocated.iter().map(Option::is_some).collect::<Vec<_>>()
    };
    let requests = [tile(0, 1), tile(3, 1), tile(4, 1)];
    assert_eq!(shown(140_000, &requests), [false, false, true]);
    assert_eq!(shown(140_000, &requests[..2]), [false, true], "a viewer does not see itself: the one before");
    assert_eq!(shown(140_000, &[tile(0, 1), tile(0, 1)]), [true, false], "nobody has spoken");
    assert_eq!(shown(140_000, &[tile(0, 2), tile(4, 1)]), [true, false], "a shared screen");
    assert_eq!(shown(40_000, &requests), [false; 3]);
}

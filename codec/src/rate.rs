//! The sender's side of the choice of layers: divides a sender's video budget among the layers of its track. Pure.
//!
//! On the other side, the SFU chooses the layers that each viewer gets (`server/src/sfu/allocator.rs`).

use crate::layer::{Ladder, Rung};
use media::{Bitrate, FrameRate};

/// The state of a layer's encode thread from the next picture on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerTarget {
    /// The layer is not sent. Its pictures are neither scaled nor encoded.
    Paused,
    /// The layer is sent. After a pause it begins with a key frame.
    Running(EncoderTarget),
}

/// The target of a running layer's encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncoderTarget {
    /// The bitrate of all temporal layers together.
    pub bitrate: Bitrate,
    /// The highest temporal layer that is encoded, 0..=2.
    pub max_temporal: u8,
    /// The maximum frame rate, in frames per second.
    pub frame_rate: FrameRate,
}

impl EncoderTarget {
    /// Returns this target without its highest temporal layer, which halves the frame rate. If only one temporal layer
    /// is left, every other picture is skipped instead.
    #[must_use]
    pub fn without_top_temporal(self) -> Self {
        let share = u64::from(TEMPORAL_SHARE[1]);
        Self {
            bitrate: Bitrate::bps(self.bitrate.as_bps() * share / 100),
            max_temporal: self.max_temporal.saturating_sub(1),
            frame_rate: divide(self.frame_rate, 1),
        }
    }
}

/// The request of all viewers together for one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerDemand {
    /// The layer, as [`Rung::spatial`].
    pub spatial: u8,
    /// The maximum number of temporal layers that any viewer takes, 1..=3. Each layer less halves the frame rate.
    pub temporal_layers: u8,
    /// The maximum bitrate that any viewer's downlink has room for. `None` if one of them has room for the full bitrate
    /// of the layer.
    pub max_bitrate: Option<Bitrate>,
}

/// Divides a sender's uplink: the target of each rung of `ladder` under `budget`, smallest first. `frame_rate` is that
/// of the source. A rung without a demand is paused.
///
/// No layer gets more than its rung's `bitrate` or than its demand's `max_bitrate`, and together they never get more than `budget`. Layers are admitted
/// from the smallest wanted one up, each with its minimum bitrate. If a layer does not fit, it and all larger layers
/// are paused, because small layers serve more viewers. The smallest wanted layer is never paused, because a bad
/// picture is better than none. The rest of the budget is divided among the admitted layers, in proportion to their
/// distance from their full bitrates.
#[must_use]
pub fn allocate(budget: Bitrate, frame_rate: FrameRate, ladder: &Ladder, demands: &[LayerDemand]) -> Vec<LayerTarget> {
    let demand = |rung: &Rung| demands.iter().find(|demand| demand.spatial == rung.spatial);
    let wanted: Vec<(Rung, LayerDemand)> =
        ladder.rungs().iter().filter_map(|rung| demand(rung).map(|demand| (*rung, *demand))).collect();
    let ranges: Vec<Range> = wanted.iter().map(|(rung, demand)| Range::new(rung, *demand)).collect();
    let shares = split(budget, &ranges);
    let target = |rung: &Rung| {
        let position = wanted.iter().position(|(wanted, _)| wanted.spatial == rung.spatial);
        let running = position.and_then(|position| Some((wanted.get(position)?.1, *shares.get(position)?)));
        match running {
            Some((demand, bitrate)) => LayerTarget::Running(EncoderTarget {
                bitrate,
                max_temporal: demand.temporal_layers.clamp(1, rung.temporal_layers.max(1)) - 1,
                frame_rate: divide(frame_rate, missing_temporal_layers(demand)),
            }),
            None => LayerTarget::Paused,
        }
    };
    ladder.rungs().iter().map(target).collect()
}

/// Returns the number of temporal layers that no viewer takes.
fn missing_temporal_layers(demand: LayerDemand) -> u8 {
    MAX_TEMPORAL_LAYERS - demand.temporal_layers.clamp(1, MAX_TEMPORAL_LAYERS)
}

/// Halves `frame_rate` `halvings` times, but returns at least one frame per second.
fn divide(frame_rate: FrameRate, halvings: u8) -> FrameRate {
    let denominator = frame_rate.denominator().saturating_mul(1 << halvings);
    FrameRate::new(frame_rate.numerator(), denominator).unwrap_or(frame_rate)
}

/// The minimum and the full bitrate of a layer.
#[derive(Clone, Copy)]
struct Range {
    min_bitrate: Bitrate,
    max_bitrate: Bitrate,
}

impl Range {
    /// Returns the range of `rung` with the temporal layers of `demand`.
    fn new(rung: &Rung, demand: LayerDemand) -> Self {
        let percent = u64::from(TEMPORAL_SHARE[usize::from(missing_temporal_layers(demand))]);
        let part = |rate: Bitrate| Bitrate::bps(rate.as_bps() * percent / 100);
        let limited = |rate: Bitrate| demand.max_bitrate.map_or(rate, |limit| rate.min(limit.max(MIN_LIMIT)));
        Self { min_bitrate: limited(part(rung.min_bitrate)), max_bitrate: limited(part(rung.bitrate)) }
    }

    /// Returns how much more than the minimum the layer can use.
    fn usable_rest(&self) -> Bitrate {
        self.max_bitrate.saturating_sub(self.min_bitrate)
    }
}

/// Returns the rate of each admitted layer of `wanted` (smallest first). Layers after the end of the result are not
/// admitted.
fn split(budget: Bitrate, wanted: &[Range]) -> Vec<Bitrate> {
    let running = &wanted[..admit(budget, wanted)];
    let minimum: Bitrate = running.iter().map(|range| range.min_bitrate).sum();
    let usable_rest: Bitrate = running.iter().map(Range::usable_rest).sum();
    let spare = budget.saturating_sub(minimum).min(usable_rest);
    // The smallest layer may be admitted below its minimum bitrate.
    running
        .iter()
        .map(|range| range.min_bitrate.min(budget) + portion(spare, range.usable_rest(), usable_rest))
        .collect()
}

/// Returns how many layers, from the smallest up, get their minimum bitrate out of `budget`.
fn admit(budget: Bitrate, wanted: &[Range]) -> usize {
    let mut remaining = budget;
    for (index, range) in wanted.iter().enumerate() {
        if index > 0 && range.min_bitrate > remaining {
            return index;
        }
        remaining = remaining.saturating_sub(range.min_bitrate);
    }
    wanted.len()
}

/// Returns `of * part / whole` without overflow, or zero if `whole` is zero.
fn portion(of: Bitrate, part: Bitrate, whole: Bitrate) -> Bitrate {
    let product = u128::from(of.as_bps()) * u128::from(part.as_bps());
    let share = product.checked_div(u128::from(whole.as_bps())).unwrap_or(0);
    Bitrate::bps(u64::try_from(share).unwrap_or(u64::MAX))
}

/// Temporal layers of a demand at full frame rate.
const MAX_TEMPORAL_LAYERS: u8 = 3;

/// The minimum limit that a demand can set. An encoder produces no usable picture below it.
const MIN_LIMIT: Bitrate = Bitrate::kbps(30);

/// Percent of a layer's bitrate without zero, one and two of its three temporal layers. The SFU assumes the same
/// shares.
const TEMPORAL_SHARE: [u8; 3] = [100, 70, 50];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::Content;
    use media::Size;

    fn ladder() -> Ladder {
        Ladder::for_source(Size::new(1280, 720), Content::Camera)
    }

    fn demands(layers: impl IntoIterator<Item = u8>) -> Vec<LayerDemand> {
        layers.into_iter().map(|spatial| LayerDemand { spatial, temporal_layers: 3, max_bitrate: None }).collect()
    }

    fn bitrate(target: LayerTarget) -> Option<Bitrate> {
        match target {
            LayerTarget::Paused => None,
            LayerTarget::Running(target) => Some(target.bitrate),
        }
    }

    fn shares(kilobits: u64, layers: impl IntoIterator<Item = u8>) -> Vec<Option<Bitrate>> {
        let targets = allocate(Bitrate::kbps(kilobits), FrameRate::THIRTY, &ladder(), &demands(layers));
        targets.into_iter().map(bitrate).collect()
    }

    #[test]
    fn a_large_budget_gives_each_layer_its_full_bitrate() {
        let full: Vec<_> = ladder().rungs().iter().map(|rung| Some(rung.bitrate)).collect();
        assert_eq!(shares(10_000, 0..3), full);
    }

    #[test]
    fn a_small_budget_pauses_the_largest_layers_first() {
        let shares = shares(400, 0..3);
        assert!(shares[0].is_some() && shares[1].is_some());
        assert_eq!(shares[2], None);
    }

    #[test]
    fn a_layer_runs_from_its_minimum_bitrate_on() {
        let minimum: Bitrate = ladder().rungs()[..2].iter().map(|rung| rung.min_bitrate).sum();
        let running = |budget| {
            let targets = allocate(budget, FrameRate::THIRTY, &ladder(), &demands(0..3));
            targets.into_iter().filter(|target| *target != LayerTarget::Paused).count()
        };
        assert_eq!(running(minimum), 2);
        assert_eq!(running(minimum.saturating_sub(Bitrate::bps(1))), 1);
    }

    #[test]
    fn the_smallest_wanted_layer_is_never_paused() {
        assert_eq!(shares(10, 0..3), [Some(Bitrate::kbps(10)), None, None]);
        assert_eq!(shares(10, [2]), [None, None, Some(Bitrate::kbps(10))]);
        assert_eq!(shares(10, []), [None, None, None]);
    }

    #[test]
    fn an_unwanted_layer_leaves_its_share_to_the_others() {
        assert_eq!(shares(1_500, [2]), [None, None, Some(Bitrate::kbps(1_500))]);
    }

    #[test]
    fn shares_never_exceed_the_budget_and_grow_with_it() {
        let minimum = ladder().rungs()[0].min_bitrate;
        let mut before = 0;
        for kilobits in 1..3_000 {
            let shares: Vec<Bitrate> = shares(kilobits, 0..3).into_iter().flatten().collect();
            assert!(shares.iter().copied().sum::<Bitrate>() <= Bitrate::kbps(kilobits));
            // The smallest layer gives up some of its spare when another one is admitted, but never below its minimum.
            assert!(shares[0] >= minimum.min(Bitrate::kbps(kilobits)));
            assert!(shares.len() >= before);
            before = shares.len();
        }
    }

    #[test]
    fn fewer_temporal_layers_mean_fewer_pictures_and_fewer_bits() {
        let full = ladder().rungs()[1].bitrate.as_bps();
        for (temporal_layers, max_temporal, per_second, percent) in
            [(3, 2, (30, 1), 100), (2, 1, (30, 2), 70), (1, 0, (30, 4), 50)]
        {
            let demand = LayerDemand { spatial: 1, temporal_layers, max_bitrate: None };
            let targets = allocate(Bitrate::kbps(10_000), FrameRate::THIRTY, &ladder(), &[demand]);
            let target = EncoderTarget {
                bitrate: Bitrate::bps(full * percent / 100),
                max_temporal,
                frame_rate: FrameRate::new(per_second.0, per_second.1).unwrap(),
            };
            assert_eq!(targets, [LayerTarget::Paused, LayerTarget::Running(target), LayerTarget::Paused]);
        }
    }

    #[test]
    fn a_layer_gets_no_more_than_the_downlinks_of_its_viewers_carry() {
        let bitrates = |kilobits: u64, limits: [Option<u64>; 3]| {
            let demand = |(spatial, limit): (u8, Option<u64>)| LayerDemand {
                spatial,
                temporal_layers: 3,
                max_bitrate: limit.map(Bitrate::kbps),
            };
            let demands: Vec<LayerDemand> = (0..).zip(limits).map(demand).collect();
            let targets = allocate(Bitrate::kbps(kilobits), FrameRate::THIRTY, &ladder(), &demands);
            targets.into_iter().map(bitrate).collect::<Vec<_>>()
        };
        let full: Vec<_> = ladder().rungs().iter().map(|rung| Some(rung.bitrate)).collect();
        assert_eq!(bitrates(10_000, [Some(90), None, Some(9_000)]), [Some(Bitrate::kbps(90)), full[1], full[2]]);
        assert_eq!(bitrates(10_000, [Some(1), None, None])[0], Some(MIN_LIMIT));
        assert_eq!(bitrates(10_000, [Some(50), Some(100), None])[1], Some(Bitrate::kbps(100)), "below its minimum");
    }

    #[test]
    fn a_screen_without_temporal_layers_keeps_the_frame_rate_of_the_demand() {
        let ladder = Ladder::for_source(Size::new(1920, 1080), Content::Screen);
        let demand = LayerDemand { spatial: 1, temporal_layers: 2, max_bitrate: None };
        let targets = allocate(Bitrate::kbps(10_000), FrameRate::THIRTY, &ladder, &[demand]);
        let LayerTarget::Running(target) = targets[1] else { panic!("paused") };
        assert_eq!((target.max_temporal, target.frame_rate), (0, FrameRate::new(30, 2).unwrap()));
    }

    #[test]
    fn a_demand_out_of_range_is_clamped() {
        for (asked, taken) in [(0, 1), (9, 3)] {
            let of = |temporal_layers| {
                allocate(
                    Bitrate::kbps(900),
                    FrameRate::THIRTY,
                    &ladder(),
                    &[LayerDemand { spatial: 0, temporal_layers, max_bitrate: None }],
                )
            };
            assert_eq!(of(asked), of(taken));
        }
    }

    #[test]
    fn a_target_without_its_top_layer_has_half_the_pictures() {
        let full = EncoderTarget { bitrate: Bitrate::kbps(100), max_temporal: 1, frame_rate: FrameRate::THIRTY };
        let half = full.without_top_temporal();
        assert_eq!((half.bitrate, half.max_temporal), (Bitrate::kbps(70), 0));
        assert_eq!(half.frame_rate, FrameRate::new(30, 2).unwrap());
        assert_eq!(half.without_top_temporal().frame_rate, FrameRate::new(30, 4).unwrap());
    }
}

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

/// The request of all viewers together for one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerDemand {
    /// The layer, as [`Rung::spatial`].
    pub spatial: u8,
    /// The maximum number of temporal layers that any viewer takes, 1..=3. Each layer less halves the frame rate.
    pub temporal_layers: u8,
    /// The maximum bitrate that any viewer's downlink has room for, with the headers of the packets. `None` if one of them
    /// has room for the full bitrate of the layer.
    pub max_bitrate: Option<Bitrate>,
}

/// Returns the bitrate that pictures may take of an estimated uplink: the rest after sound, less 5 % for retransmissions. `sound`
/// is the bitrate of speech with its headers, but no more than [`MAX_SOUND`] is reserved.
#[must_use]
pub fn video_budget(uplink: Bitrate, sound: Bitrate) -> Bitrate {
    Bitrate::bps(uplink.saturating_sub(sound.min(MAX_SOUND)).as_bps() * PICTURES_PERCENT / 100)
}

/// Returns the target of each rung of `ladder` under `budget`, smallest first. `frame_rate` is that of the source, and
/// `before` are the targets of the last call. A rung without a demand is paused, unless it is sent instead of one that does not
/// fit.
///
/// No layer gets more than its rung's `bitrate`. With the headers of its packets, no layer gets more than its demand's
/// `max_bitrate`, and together they never get more than `budget`. Layers are admitted from the smallest wanted one up, each with
/// its minimum bitrate, and half as much again if it was paused, because its key frame costs as much as several pictures and
/// must not be sent again and again. If a layer does not fit, the next smaller one that fits is sent instead, and all larger
/// layers are paused, because small layers serve more viewers. If not even the smallest layer has its minimum bitrate, it gets
/// the whole budget, because a bad picture is better than none. If that is little, it gets half the frame rate, because headers
/// would take most of it. Below [`MIN_VIDEO`] nothing is sent. The rest of the budget is divided among the admitted layers, in
/// proportion to their distance from their full bitrates.
#[must_use]
pub fn allocate(
    budget: Bitrate,
    frame_rate: FrameRate,
    ladder: &Ladder,
    demands: &[LayerDemand],
    before: &[LayerTarget],
) -> Vec<LayerTarget> {
    let mut admitted = admit(budget, ladder, demands, before);
    if let [smallest] = &mut admitted[..]
        && !ladder.keeps_frame_rate()
        && budget.as_bps() * 100 < smallest.range.cost().as_bps() * SLOW_PERCENT
    {
        smallest.halve_frame_rate();
    }
    let shares = split(budget, &admitted);
    let target = |rung: &Rung| {
        let position = admitted.iter().position(|admitted| admitted.spatial == rung.spatial);
        let running = position.and_then(|position| Some((admitted.get(position)?.demand, *shares.get(position)?)));
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

/// A layer that is sent.
struct Admitted {
    spatial: u8,
    demand: LayerDemand,
    range: BitrateRange,
}

impl Admitted {
    /// Leaves out the highest temporal layer. Fewer pictures have fewer headers, so that more of the bitrate is left for the pictures.
    fn halve_frame_rate(&mut self) {
        self.demand.temporal_layers = self.demand.temporal_layers.clamp(2, MAX_TEMPORAL_LAYERS) - 1;
        let (before, now) = (self.range.headers, headers(self.demand));
        (self.range.headers, self.range.max_bitrate) = (now, self.range.max_bitrate + before.saturating_sub(now));
    }
}

/// Returns the demand for the smallest layer at half the frame rate if its limit is low.
fn slowed(demand: LayerDemand, rung: &Rung) -> LayerDemand {
    let full = BitrateRange::new(rung, LayerDemand { max_bitrate: None, ..demand }).cost();
    let low = |limit: Bitrate| limit.as_bps() * 100 < full.as_bps() * SLOW_PERCENT;
    let halved = rung.spatial == 0 && demand.temporal_layers > 2 && demand.max_bitrate.is_some_and(low);
    LayerDemand { temporal_layers: if halved { 2 } else { demand.temporal_layers }, ..demand }
}

/// Returns the layers that are sent, smallest first.
fn admit(budget: Bitrate, ladder: &Ladder, demands: &[LayerDemand], before: &[LayerTarget]) -> Vec<Admitted> {
    let mut admitted: Vec<Admitted> = Vec::with_capacity(ladder.rungs().len());
    if budget < MIN_VIDEO {
        return admitted;
    }
    let demand = |spatial: u8| demands.iter().find(|demand| demand.spatial == spatial).copied();
    let mut left = budget;
    for rung in ladder.rungs() {
        let Some(demand) = demand(rung.spatial) else { continue };
        // The rungs that can serve this demand, the largest first.
        let lowest = admitted.last().map_or(0, |last| last.spatial + 1);
        let mut rungs = ladder.rungs().iter().rev().filter(|one| (lowest..=rung.spatial).contains(&one.spatial));
        let fits = |one: &&Rung| {
            let paused = before.get(usize::from(one.spatial)).is_none_or(|before| *before == LayerTarget::Paused);
            let needed = BitrateRange::new(one, demand).cost().as_bps();
            needed * (if paused { RESUME_PERCENT } else { 100 }) / 100 <= left.as_bps()
        };
        let chosen = rungs.find(fits).or_else(|| ladder.rungs().first().filter(|_| admitted.is_empty()));
        let Some(chosen) = chosen else { break };
        let demand = slowed(demand, chosen);
        let range = BitrateRange::new(chosen, demand);
        left = left.saturating_sub(range.cost());
        admitted.push(Admitted { spatial: chosen.spatial, demand, range });
        if chosen.spatial != rung.spatial {
            break;
        }
    }
    admitted
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

/// The minimum and the full bitrate of a layer, and the bitrate of its packets' headers.
#[derive(Clone, Copy)]
struct BitrateRange {
    min_bitrate: Bitrate,
    max_bitrate: Bitrate,
    headers: Bitrate,
}

impl BitrateRange {
    /// Returns the range of `rung` with the temporal layers of `demand`.
    fn new(rung: &Rung, demand: LayerDemand) -> Self {
        let percent = u64::from(TEMPORAL_SHARE[usize::from(missing_temporal_layers(demand))]);
        let part = |rate: Bitrate| Bitrate::bps(rate.as_bps() * percent / 100);
        let headers = headers(demand);
        let limit = demand.max_bitrate.map(|limit| limit.saturating_sub(headers).max(MIN_LIMIT));
        let limited = |rate: Bitrate| limit.map_or(rate, |limit| rate.min(limit));
        Self { min_bitrate: limited(part(rung.min_bitrate)), max_bitrate: limited(part(rung.bitrate)), headers }
    }

    /// Returns the bitrate that the layer takes of the uplink if it has its minimum bitrate.
    fn cost(&self) -> Bitrate {
        self.min_bitrate + self.headers
    }

    /// Returns how much more than the minimum the layer can use.
    fn usable_rest(&self) -> Bitrate {
        self.max_bitrate.saturating_sub(self.min_bitrate)
    }
}

/// Returns the bitrate of the headers and authentication tags of the packets of one layer.
fn headers(demand: LayerDemand) -> Bitrate {
    Bitrate::bps(HEADERS.as_bps() >> missing_temporal_layers(demand))
}

/// Returns the rate of each admitted layer.
fn split(budget: Bitrate, admitted: &[Admitted]) -> Vec<Bitrate> {
    let headers: Bitrate = admitted.iter().map(|admitted| admitted.range.headers).sum();
    let budget = budget.saturating_sub(headers);
    let minimum: Bitrate = admitted.iter().map(|admitted| admitted.range.min_bitrate).sum();
    let usable_rest: Bitrate = admitted.iter().map(|admitted| admitted.range.usable_rest()).sum();
    let spare = budget.saturating_sub(minimum).min(usable_rest);
    // The smallest layer may be admitted below its minimum bitrate.
    let rate = |range: &BitrateRange| range.min_bitrate.min(budget) + portion(spare, range.usable_rest(), usable_rest);
    admitted.iter().map(|admitted| rate(&admitted.range)).collect()
}

/// Returns `of * part / whole` without overflow, or zero if `whole` is zero.
fn portion(of: Bitrate, part: Bitrate, whole: Bitrate) -> Bitrate {
    let product = u128::from(of.as_bps()) * u128::from(part.as_bps());
    let share = product.checked_div(u128::from(whole.as_bps())).unwrap_or(0);
    Bitrate::bps(u64::try_from(share).unwrap_or(u64::MAX))
}

/// The budget below which no picture is sent, so that sound gets all of the uplink.
pub const MIN_VIDEO: Bitrate = Bitrate::kbps(15);

/// The maximum bitrate that is reserved for a voice with its headers: speech pauses. The SFU assumes the same
/// (`AUDIO_BITRATE`).
pub const MAX_SOUND: Bitrate = Bitrate::kbps(50);

/// The percentage of the rest after sound that pictures may take. The other 5 % are for retransmissions.
const PICTURES_PERCENT: u64 = 95;

/// The headers, extensions and tags of SFrame, SRTP, RTP, UDP and IP of a layer at 30 pictures a second, with one packet each.
const HEADERS: Bitrate = Bitrate::kbps(24);

/// The percentage of its minimum bitrate that a paused layer needs to be sent again.
const RESUME_PERCENT: u64 = 150;

/// The percentage of its minimum bitrate below which the smallest layer has half the frame rate.
const SLOW_PERCENT: u64 = 60;

/// The number of temporal layers of a demand at full frame rate.
pub(crate) const MAX_TEMPORAL_LAYERS: u8 = 3;

/// The minimum limit that a demand can set. An encoder produces no usable picture below it.
const MIN_LIMIT: Bitrate = Bitrate::kbps(12);

/// The percentage of a layer's bitrate that its temporal layers take if none, one or two of the three are left out. The
/// SFU assumes the same.
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

    /// Returns the bitrates if all layers were paused before.
    fn shares(kilobits: u64, layers: impl IntoIterator<Item = u8>) -> Vec<Option<Bitrate>> {
        let targets = allocate(Bitrate::kbps(kilobits), FrameRate::THIRTY, &ladder(), &demands(layers), &[]);
        targets.into_iter().map(bitrate).collect()
    }

    /// Returns the layers that run under each budget, one after the other.
    fn running(kilobits: &[u64], layers: &[u8]) -> Vec<Vec<u8>> {
        let mut before = Vec::new();
        let step = |kilobits: &u64| {
            let demands = demands(layers.iter().copied());
            before = allocate(Bitrate::kbps(*kilobits), FrameRate::THIRTY, &ladder(), &demands, &before);
            let running = (0..).zip(&before).filter(|(_, target)| **target != LayerTarget::Paused);
            running.map(|(spatial, _)| spatial).collect()
        };
        kilobits.iter().map(step).collect()
    }

    #[test]
    fn a_large_budget_gives_each_layer_its_full_bitrate() {
        let full: Vec<_> = ladder().rungs().iter().map(|rung| Some(rung.bitrate)).collect();
        assert_eq!(shares(10_000, 0..3), full);
    }

    #[test]
    fn a_small_budget_pauses_the_largest_layers_first() {
        let shares = shares(420, 0..3);
        assert!(shares[0].is_some() && shares[1].is_some());
        assert_eq!(shares[2], None);
    }

    #[test]
    fn a_layer_runs_down_to_its_minimum_bitrate_and_resumes_above_it() {
        let costs: Vec<u64> =
            ladder().rungs().iter().map(|rung| (rung.min_bitrate + HEADERS).as_bps().div_ceil(1_000)).collect();
        let (both, resumed) = (costs[0] + costs[1], costs[0] + costs[1] * RESUME_PERCENT / 100 + 1);
        assert_eq!(
            running(&[resumed, both, both - 1, both, resumed - 2, resumed], &[0, 1]),
            [vec![0, 1], vec![0, 1], vec![0], vec![0], vec![0], vec![0, 1]]
        );
    }

    #[test]
    fn the_smallest_layer_gets_what_there_is_until_only_sound_is_left() {
        let headers = |kilobits| Bitrate::kbps(kilobits).saturating_sub(Bitrate::bps(HEADERS.as_bps() / 2));
        assert_eq!(shares(20, 0..3), [Some(headers(20)), None, None]);
        assert_eq!(shares(20, [2]), [Some(headers(20)), None, None]);
        assert_eq!(shares(14, 0..3), [None; 3]);
        assert_eq!(shares(5_000, []), [None; 3]);
    }

    #[test]
    fn a_layer_that_does_not_fit_is_replaced_by_the_next_smaller_one() {
        assert_eq!(
            running(&[5_000, 530, 510, 220, 200, 320, 700, 790], &[2]),
            [[2], [2], [1], [1], [0], [1], [1], [2]],
            "720 lines need 524 kbit/s, and 786 to resume"
        );
        assert_eq!(running(&[5_000, 500, 150], &[0, 2]), [vec![0, 2], vec![0, 1], vec![0]]);
        let shares = shares(400, [2]);
        assert_eq!(shares, [None, Some(Bitrate::kbps(400).saturating_sub(HEADERS)), None]);
    }

    #[test]
    fn a_bitrate_far_below_the_minimum_halves_the_frame_rate() {
        let rate = |kilobits| {
            let targets = allocate(Bitrate::kbps(kilobits), FrameRate::THIRTY, &ladder(), &demands([0]), &[]);
            let LayerTarget::Running(target) = targets[0] else { panic!("paused") };
            (target.max_temporal, target.frame_rate)
        };
        assert_eq!(rate(80), (2, FrameRate::THIRTY));
        assert_eq!(rate(40), (1, FrameRate::new(30, 2).unwrap()));
    }

    #[test]
    fn sound_and_retransmissions_are_reserved_before_pictures() {
        assert_eq!(video_budget(Bitrate::kbps(150), Bitrate::kbps(74)), Bitrate::kbps(95));
        assert_eq!(video_budget(Bitrate::kbps(40), Bitrate::kbps(74)), Bitrate::ZERO);
        assert_eq!(video_budget(Bitrate::kbps(140), Bitrate::kbps(40)), Bitrate::kbps(95), "sound in few frames");
    }

    #[test]
    fn an_unwanted_layer_leaves_its_share_to_the_others() {
        let full = ladder().rungs()[2].bitrate;
        assert_eq!(shares(1_524, [2]), [None, None, Some(full)]);
    }

    #[test]
    fn shares_never_exceed_the_budget_and_grow_with_it() {
        let minimum = ladder().rungs()[0].min_bitrate;
        let mut before = 0;
        for kilobits in 15..3_000 {
            let shares: Vec<Bitrate> = shares(kilobits, 0..3).into_iter().flatten().collect();
            assert!(shares.iter().copied().sum::<Bitrate>() <= Bitrate::kbps(kilobits));
            // The smallest layer gives up some of its spare when another one is admitted, but never below its minimum.
            assert!(shares[0] >= minimum.min(Bitrate::kbps(kilobits).saturating_sub(HEADERS)));
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
            let targets = allocate(Bitrate::kbps(10_000), FrameRate::THIRTY, &ladder(), &[demand], &[]);
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
            let targets = allocate(Bitrate::kbps(kilobits), FrameRate::THIRTY, &ladder(), &demands, &[]);
            targets.into_iter().map(bitrate).collect::<Vec<_>>()
        };
        let full: Vec<_> = ladder().rungs().iter().map(|rung| Some(rung.bitrate)).collect();
        assert_eq!(bitrates(10_000, [Some(90), None, Some(9_000)]), [Some(Bitrate::kbps(66)), full[1], full[2]]);
        assert_eq!(bitrates(10_000, [Some(1), None, None])[0], Some(MIN_LIMIT));
        assert_eq!(bitrates(10_000, [Some(50), Some(100), None])[1], Some(Bitrate::kbps(76)), "below its minimum");
    }

    #[test]
    fn a_low_limit_halves_the_frame_rate_and_includes_the_headers() {
        let target = |limit, temporal_layers| {
            let demand = LayerDemand { spatial: 0, temporal_layers, max_bitrate: Some(Bitrate::kbps(limit)) };
            let targets = allocate(Bitrate::kbps(10_000), FrameRate::THIRTY, &ladder(), &[demand], &[]);
            let LayerTarget::Running(target) = targets[0] else { panic!("paused") };
            (target.bitrate.as_bps() / 1_000, target.max_temporal)
        };
        assert_eq!([target(90, 3), target(60, 3), target(50, 3)], [(66, 2), (36, 2), (38, 1)]);
        assert_eq!([target(50, 2), target(30, 1), target(1, 3)], [(38, 1), (24, 0), (12, 1)]);
    }

    #[test]
    fn a_screen_without_temporal_layers_keeps_the_frame_rate_of_the_demand() {
        let ladder = Ladder::for_source(Size::new(1920, 1080), Content::Screen);
        let demand = LayerDemand { spatial: 1, temporal_layers: 2, max_bitrate: None };
        let targets = allocate(Bitrate::kbps(10_000), FrameRate::THIRTY, &ladder, &[demand], &[]);
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
                    &[],
                )
            };
            assert_eq!(of(asked), of(taken));
        }
    }

    #[test]
    fn a_ladder_with_a_constant_frame_rate_never_leaves_pictures_out() {
        let ladder = ladder().with_constant_frame_rate();
        for kilobits in [16, 30, 48, 100, 1_000] {
            let targets = allocate(Bitrate::kbps(kilobits), FrameRate::THIRTY, &ladder, &demands(0..3), &[]);
            let LayerTarget::Running(target) = targets[0] else { panic!("paused at {kilobits} kbit/s") };
            assert_eq!((target.max_temporal, target.frame_rate), (0, FrameRate::THIRTY), "{kilobits} kbit/s");
        }
    }
}

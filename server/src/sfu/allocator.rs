//! Divides one viewer's downlink among the video tracks that it receives. Pure: bitrates and requests in, layers out.
//!
//! The order is: sound, then the lowest temporal layer of the smallest spatial layer of every track, then more temporal
//! layers, then larger spatial layers. Tracks are served by priority, then by how far they are below their ideal layer,
//! then by the size of their tile. If other viewers need the full bitrate of a larger spatial layer, it is preferred with
//! one temporal layer less to a smaller one. The rest raises the bitrates of the allocated layers. A track that gets no
//! layer is paused.

use super::switch::Target;
use proto::TileWish;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Deref;

/// One video track that the viewer requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The bitrates of each spatial layer, smallest first.
    pub rates: Rates,
    /// The ideal layer: the one that fills the tile, with the temporal layers for its frame rate. `None` if the tile is
    /// hidden.
    pub ideal: Option<Target>,
    /// Requests of higher priority are served first.
    pub priority: u8,
    /// How recently its owner was the dominant speaker: 0 for never. It decides only if there is room for one picture.
    pub speaker: u8,
    /// The tile's size in pixels.
    pub pixels: u32,
    /// The layers that the viewer gets now. Keeping them needs no margin.
    pub current: Option<Target>,
}

/// The bitrates of the spatial layers of a track, smallest first: at most eight.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    layers: [LayerBitrates; MAX_LAYERS],
    count: usize,
}

/// The bits per second of a spatial layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerBitrates {
    /// The bitrate to which its sender can reduce it, with all temporal layers.
    pub min: u64,
    /// Its full bitrate, with all temporal layers. Not less than `min`.
    pub max: u64,
    /// Percent of it that each temporal layer takes together with those below it, ascending. The last is 100.
    pub temporal_percent: [u64; 3],
}

/// The part of the downlink that one track gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// The layers.
    pub target: Target,
    /// The bits per second for which there is room, with the temporal layers of `target`.
    pub bitrate: u64,
    /// The bits per second with all temporal layers to which the sender must reduce the layer. `None` if there is room
    /// for the full bitrate.
    pub limit: Option<u64>,
}

impl LayerBitrates {
    /// Returns the bits per second of the temporal layers up to `temporal`, if all temporal layers together have `all`.
    pub fn part(&self, all: u64, temporal: u8) -> u64 {
        all.saturating_mul(self.temporal_percent[usize::from(temporal.min(2))]) / 100
    }

    /// Returns the bits per second of all temporal layers together, if those up to `temporal` have `part`.
    fn whole(&self, part: u64, temporal: u8) -> u64 {
        part.saturating_mul(100) / self.temporal_percent[usize::from(temporal.min(2))].max(1)
    }
}

impl FromIterator<LayerBitrates> for Rates {
    fn from_iter<I: IntoIterator<Item = LayerBitrates>>(rates: I) -> Self {
        let mut new = Self::default();
        for (layer, rate) in new.layers.iter_mut().zip(rates) {
            *layer = rate;
            new.count += 1;
        }
        new
    }
}

impl Deref for Rates {
    type Target = [LayerBitrates];

    fn deref(&self) -> &[LayerBitrates] {
        &self.layers[..self.count]
    }
}

/// Divides downlinks. Keeps its memory from one division to the next.
#[derive(Debug, Default)]
pub struct Allocator {
    /// The indices of the requests, in the order in which they are served.
    order: Vec<usize>,
    targets: Vec<Option<Target>>,
    steps: BinaryHeap<Step>,
    shares: Vec<Option<Allocation>>,
}

impl Allocator {
    /// Returns which layers the SFU forwards to one viewer: one entry for each request, in the same order. Together their
    /// bitrates fit into `budget` bits per second, of which `audio` are reserved.
    pub fn allocate(&mut self, budget: u64, audio: u64, requests: &[Request]) -> &[Option<Allocation>] {
        let Self { order, targets, steps, shares } = self;
        let mut left = budget.saturating_sub(audio);
        targets.clear();
        targets.resize(requests.len(), None);
        set_order(order, budget, requests);
        allocate_base(&mut left, order, requests, targets);
        allocate_more(&mut left, (order, steps), requests, targets);
        order.retain(|index| targets[*index].is_some());
        divide_rest(left, (order, shares), requests, targets);
        shares
    }

    /// Returns the result of the last division.
    pub fn shares(&self) -> &[Option<Allocation>] {
        &self.shares
    }
}

fn set_order(order: &mut Vec<usize>, budget: u64, requests: &[Request]) {
    order.clear();
    order.extend((0..requests.len()).filter(|index| requests[*index].ideal.is_some()));
    // The index keeps the order of equal requests.
    order.sort_unstable_by_key(|index| (Reverse((requests[*index].priority, requests[*index].pixels)), *index));
    match budget {
        0..SOUND_ONLY => order.clear(),
        SOUND_ONLY..ONE_PICTURE => {
            let speaker = |index: &usize| Reverse((requests[*index].priority, requests[*index].speaker));
            let first = order.iter().copied().min_by_key(speaker);
            order.clear();
            order.extend(first);
        }
        ONE_PICTURE.. => {}
    }
}

/// Returns the bits per second that all ideal layers together need at their full bitrates.
pub fn desired_bitrate(audio: u64, requests: &[Request]) -> u64 {
    let full = |request: &Request| {
        let ideal = request.ideal?;
        let rate = request.rates.get(usize::from(ideal.spatial))?;
        Some(rate.part(rate.max, ideal.temporal))
    };
    audio.saturating_add(requests.iter().filter_map(full).sum())
}

/// Returns the layer that fills a tile: the smallest one that is enlarged by at most a tenth in width or height.
/// Returns `None` for a hidden tile. `sizes` are the widths and heights of the layers, smallest first.
pub fn layers_for_tile(tile: &TileWish, mut sizes: impl ExactSizeIterator<Item = (u16, u16)>) -> Option<Target> {
    if tile.hidden {
        return None;
    }
    let fills = |(width, height): (u16, u16)| {
        let enough = |layer: u16, tile: u16| u32::from(layer) * 11 >= u32::from(tile) * 10;
        enough(width, tile.width) || enough(height, tile.height)
    };
    let largest = sizes.len().checked_sub(1)?;
    let spatial = u8::try_from(sizes.position(fills).unwrap_or(largest)).ok()?;
    Some(Target { spatial, temporal: temporal_layer(tile.frames_per_second) })
}

/// Returns the highest temporal layer that a frame rate needs, for a source with 30 frames per second.
fn temporal_layer(frames_per_second: u8) -> u8 {
    match frames_per_second {
        0..=8 => 0,
        9..=16 => 1,
        17.. => 2,
    }
}

/// Allocates the lowest temporal layer of the smallest layer to all requests, in order.
fn allocate_base(left: &mut u64, order: &[usize], requests: &[Request], allocated: &mut [Option<Target>]) {
    for index in order {
        let base = Target { spatial: 0, temporal: 0 };
        let needed = min_bitrate(&requests[*index], base);
        if needed <= *left {
            *left -= needed;
            allocated[*index] = Some(base);
        }
    }
}

/// Allocates one more step to the request that is furthest below its ideal layer, until no step fits. The budget only
/// shrinks, so a step that does not fit now never fits later. Each step is tried once.
fn allocate_more(
    left: &mut u64,
    (order, steps): (&[usize], &mut BinaryHeap<Step>),
    requests: &[Request],
    allocated: &mut [Option<Target>],
) {
    let step = |order_index: usize, allocated: &[Option<Target>]| {
        let index = *order.get(order_index)?;
        let (request, now) = (requests.get(index)?, (*allocated.get(index)?)?);
        let wanted = request.ideal?;
        if now.spatial >= wanted.spatial && now.temporal >= wanted.temporal {
            return None;
        }
        let layers_below = wanted.spatial - now.spatial;
        // Of equal requests the first in `order` is chosen, which has the higher priority or the larger tile.
        Some((request.priority, layers_below, wanted.temporal - now.temporal, Reverse(order_index)))
    };
    steps.clear();
    steps.extend((0..order.len()).filter_map(|order_index| step(order_index, allocated)));
    while let Some((.., Reverse(order_index))) = steps.pop() {
        let index = order[order_index];
        let request = &requests[index];
        let Some((now, wanted)) = allocated[index].zip(request.ideal) else { continue };
        let allowed =
            |next: &Target| next.temporal == wanted.temporal || next.spatial == now.spatial || is_fixed(request, *next);
        let needed = |next: &Target| min_bitrate(request, *next).saturating_sub(min_bitrate(request, now));
        let Some(next) = next_steps(now, wanted).filter(allowed).find(|next| fits(request, *next, needed(next), *left))
        else {
            continue;
        };
        *left = left.saturating_sub(needed(&next));
        allocated[index] = Some(next);
        steps.extend(step(order_index, allocated));
    }
}

/// Returns whether a step fits. Layers that are larger than the current ones must fit with a margin. Without the margin,
/// small changes of the budget would add and remove them again and again.
fn fits(request: &Request, next: Target, needed: u64, left: u64) -> bool {
    let current =
        request.current.is_some_and(|current| (current.spatial, current.temporal) >= (next.spatial, next.temporal));
    let larger = request.current.is_some_and(|current| current.spatial < next.spatial);
    let margin = if larger { LARGER_MARGIN_PERCENT } else { MARGIN_PERCENT };
    if current { needed <= left } else { needed.saturating_mul(margin) / 100 <= left }
}

/// Returns whether the sender cannot reduce the layer of a target.
fn is_fixed(request: &Request, target: Target) -> bool {
    request.rates.get(usize::from(target.spatial)).is_some_and(|rate| rate.min * 10 >= rate.max * 9)
}

/// Returns the next steps towards `wanted`, the best one first: one more temporal layer, or else the next spatial layer
/// with all temporal layers or with one less.
fn next_steps(now: Target, wanted: Target) -> impl Iterator<Item = Target> {
    let more = (now.temporal < wanted.temporal).then(|| Target { temporal: now.temporal + 1, ..now });
    let larger = (more.is_none() && now.spatial < wanted.spatial).then_some(now.spatial + 1);
    let temporal = wanted.temporal.min(1)..=wanted.temporal;
    let larger = larger
        .into_iter()
        .flat_map(move |spatial| temporal.clone().rev().map(move |temporal| Target { spatial, temporal }));
    more.into_iter().chain(larger)
}

/// Raises the bitrates of the allocated layers. `funded` are the requests that have one.
fn divide_rest(
    mut left: u64,
    (funded, shares): (&[usize], &mut Vec<Option<Allocation>>),
    requests: &[Request],
    allocated: &[Option<Target>],
) {
    shares.clear();
    shares.resize(requests.len(), None);
    for (position, index) in funded.iter().enumerate() {
        let Some(target) = allocated[*index] else { continue };
        let Some(rate) = requests[*index].rates.get(usize::from(target.spatial)) else { continue };
        let (min, max) = (rate.part(rate.min, target.temporal), rate.part(rate.max, target.temporal));
        // Equal parts. What one does not use is left for those after it.
        let part = left / (funded.len() - position) as u64;
        let more = max.saturating_sub(min).min(part);
        left -= more;
        let bitrate = min + more;
        let limit = (bitrate < max).then(|| rate.whole(bitrate, target.temporal));
        shares[*index] = Some(Allocation { target, bitrate, limit });
    }
}

/// Returns the bits per second to which the layers of a target can be reduced.
fn min_bitrate(request: &Request, target: Target) -> u64 {
    request.rates.get(usize::from(target.spatial)).map_or(0, |rate| rate.part(rate.min, target.temporal))
}

/// The next step of a request: its priority, how many spatial and temporal layers are missing, and its place in the order.
type Step = (u8, u8, u8, Reverse<usize>);

/// The spatial layers of a track that are divided, at most.
const MAX_LAYERS: usize = 8;

/// Percent of its bitrate that must be free before a layer larger than the current one is added.
const MARGIN_PERCENT: u64 = 110;

/// The same for a larger spatial layer than the current one, because the change takes a key frame.
const LARGER_MARGIN_PERCENT: u64 = 125;

/// Below this budget there is only sound, in bits per second.
const SOUND_ONLY: u64 = 50_000;

/// Below this budget there is sound and one picture, in bits per second.
const ONE_PICTURE: u64 = 150_000;

#[cfg(test)]
mod tests;

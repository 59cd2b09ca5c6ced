//! Divides one receiver's downlink among the video tracks that it receives. Pure: bitrates and requests in, layers out.
//!
//! The order is: audio, then the smallest layer of every track, then larger layers. The track that is furthest below
//! its ideal layer is served first. If the smallest layers do not all fit, the frame rate is reduced before a track is
//! dropped.

use super::switch::Target;
use proto::TileWish;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One video track that the receiver requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Bits per second of each spatial layer with all its temporal layers, smallest first; 1 to 8 entries.
    pub rates: Vec<u64>,
    /// The ideal layer: the one that fills the tile, with the temporal layers for its frame rate. `None` if the tile is
    /// hidden.
    pub ideal: Option<Target>,
    /// Requests of higher priority are served first.
    pub priority: u8,
    /// The tile's size in pixels.
    pub pixels: u32,
    /// The layers that the receiver gets now. Keeping them needs no margin.
    pub current: Option<Target>,
}

/// Returns which layers the SFU forwards to one receiver: one entry for each request, in the same order. Together they
/// fit into `budget` bits per second, of which `audio` are reserved.
pub fn allocate(budget: u64, audio: u64, requests: &[Request]) -> Vec<Option<Target>> {
    let mut left = budget.saturating_sub(audio);
    let mut allocated: Vec<Option<Target>> = vec![None; requests.len()];
    let mut order: Vec<usize> = (0..requests.len()).filter(|index| requests[*index].ideal.is_some()).collect();
    order.sort_by_key(|index| Reverse((requests[*index].priority, requests[*index].pixels)));
    allocate_smallest(&mut left, &order, requests, &mut allocated);
    allocate_larger(&mut left, &order, requests, &mut allocated);
    allocated
}

/// Returns the bits per second that all ideal layers together need.
pub fn desired_bitrate(audio: u64, requests: &[Request]) -> u64 {
    let video = requests.iter().filter_map(|request| Some(bitrate(request, request.ideal?)));
    audio.saturating_add(video.sum())
}

/// Returns the layer that fills a tile: the smallest one that is enlarged by at most a tenth in width or height.
/// Returns `None` for a hidden tile. `sizes` are the widths and heights of the layers, smallest first.
pub fn layers_for_tile(tile: &TileWish, sizes: &[(u16, u16)]) -> Option<Target> {
    if tile.hidden {
        return None;
    }
    let fills = |(width, height): &(u16, u16)| {
        let enough = |layer: u16, tile: u16| u32::from(layer) * 11 >= u32::from(tile) * 10;
        enough(*width, tile.width) || enough(*height, tile.height)
    };
    let largest = sizes.len().checked_sub(1)?;
    let spatial = u8::try_from(sizes.iter().position(fills).unwrap_or(largest)).ok()?;
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

/// Allocates the smallest layer to all requests, in order. If it does not fit, allocates fewer of its temporal layers.
fn allocate_smallest(left: &mut u64, order: &[usize], requests: &[Request], allocated: &mut [Option<Target>]) {
    for index in order {
        let request = &requests[*index];
        let Some(wanted) = request.ideal else { continue };
        let choices = (0..=wanted.temporal).rev().map(|temporal| Target { spatial: 0, temporal });
        let fitting = choices.into_iter().find(|target| bitrate(request, *target) <= *left);
        if let Some(target) = fitting {
            *left -= bitrate(request, target);
            allocated[*index] = Some(target);
        }
    }
}

/// Allocates one more step to the request that is furthest below its ideal layer, until no step fits. The budget only
/// shrinks, so a step that does not fit now never fits later. Each step is tried once.
fn allocate_larger(left: &mut u64, order: &[usize], requests: &[Request], allocated: &mut [Option<Target>]) {
    let step = |order_index: usize, allocated: &[Option<Target>]| {
        let index = *order.get(order_index)?;
        let (request, now) = (requests.get(index)?, *allocated.get(index)?);
        let wanted = request.ideal?;
        let next = next_step(now?, wanted)?;
        let layers_below = wanted.spatial.saturating_sub(next.spatial);
        // Of equal requests the first in `order` is chosen, which has the higher priority or the larger tile.
        Some((request.priority, layers_below, Reverse(order_index)))
    };
    let mut steps: BinaryHeap<_> = (0..order.len()).filter_map(|order_index| step(order_index, allocated)).collect();
    while let Some((.., Reverse(order_index))) = steps.pop() {
        let index = order[order_index];
        let request = &requests[index];
        let Some((now, next)) = allocated[index].and_then(|now| Some((now, next_step(now, request.ideal?)?))) else {
            continue;
        };
        let needed = bitrate(request, next).saturating_sub(bitrate(request, now));
        if fits(request, next, needed, *left) {
            *left = left.saturating_sub(needed);
            allocated[index] = Some(next);
            steps.extend(step(order_index, allocated));
        }
    }
}

/// Returns whether a step fits. A layer that is larger than the current one must fit with a margin. Without the margin,
/// small changes of the budget would add and remove it again and again.
fn fits(request: &Request, next: Target, needed: u64, left: u64) -> bool {
    let current = request.current.is_some_and(|current| current.spatial >= next.spatial);
    if current { needed <= left } else { needed.saturating_mul(MARGIN_PERCENT) / 100 <= left }
}

/// Returns the next step towards `wanted`: first all temporal layers, then the next spatial layer.
fn next_step(now: Target, wanted: Target) -> Option<Target> {
    if now.temporal < wanted.temporal {
        return Some(Target { temporal: now.temporal + 1, ..now });
    }
    (now.spatial < wanted.spatial).then_some(Target { spatial: now.spatial + 1, ..now })
}

/// Returns the bits per second of a target.
fn bitrate(request: &Request, target: Target) -> u64 {
    let rate = request.rates.get(usize::from(target.spatial)).copied().unwrap_or(0);
    rate * TEMPORAL_PERCENT[usize::from(target.temporal.min(2))] / 100
}

/// Percent of a layer's bitrate that each temporal layer takes together with those below it, as encoders divide it.
const TEMPORAL_PERCENT: [u64; 3] = [50, 70, 100];

/// Percent of its bitrate that must be free before a layer larger than the current one is added.
const MARGIN_PERCENT: u64 = 110;

#[cfg(test)]
mod tests;

//! Divides one receiver's downlink among the tracks that it wants.
//! Pure: rates and wishes in, layers out.
//!
//! Sound first, then the smallest layer of every picture, then larger ones where the need is greatest. Where not even
//! the smallest layers fit, they lose pictures a second before somebody loses the picture.

use super::switch::Target;
use proto::TileWish;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What one receiver wants of one video track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Bits a second of each spatial layer with all its temporal layers, smallest first; 1 to 8 of them.
    pub rates: Vec<u64>,
    /// The layer that fills the tile, and the temporal layers that are of use. None where the tile is hidden.
    pub wish: Option<Target>,
    /// Higher is served first.
    pub priority: u8,
    /// The tile's pixels.
    pub pixels: u32,
    /// What the receiver gets now: it is kept without the margin that something larger needs.
    pub current: Option<Target>,
}

/// What each request gets, in the same order, of `budget` bits a second. `audio` of them are spoken for.
pub fn allocate(budget: u64, audio: u64, requests: &[Request]) -> Vec<Option<Target>> {
    let mut left = budget.saturating_sub(audio);
    let mut granted: Vec<Option<Target>> = vec![None; requests.len()];
    let mut order: Vec<usize> = (0..requests.len()).filter(|index| requests[*index].wish.is_some()).collect();
    order.sort_by_key(|index| Reverse((requests[*index].priority, requests[*index].pixels)));
    grant_base(&mut left, &order, requests, &mut granted);
    grant_more(&mut left, &order, requests, &mut granted);
    granted
}

/// Bits a second that all wishes together ask for.
pub fn desire(audio: u64, requests: &[Request]) -> u64 {
    let wished = requests.iter().filter_map(|request| Some(cost(request, request.wish?)));
    audio.saturating_add(wished.sum())
}

/// The layer that fills a tile: the smallest one that need not be enlarged by more than a tenth in both directions.
/// None for a hidden tile. `sizes` are the widths and heights of the layers, smallest first.
pub fn wish(tile: &TileWish, sizes: &[(u16, u16)]) -> Option<Target> {
    if tile.paused {
        return None;
    }
    let fills = |(width, height): &(u16, u16)| {
        let enough = |layer: u16, tile: u16| u32::from(layer) * 11 >= u32::from(tile) * 10;
        enough(*width, tile.width) || enough(*height, tile.height)
    };
    let largest = sizes.len().checked_sub(1)?;
    let spatial = u8::try_from(sizes.iter().position(fills).unwrap_or(largest)).ok()?;
    Some(Target { spatial, temporal: temporal(tile.frames_per_second) })
}

/// The highest temporal layer of use at so many pictures a second, of a source that has 30.
fn temporal(frames_per_second: u8) -> u8 {
    match frames_per_second {
        0..=8 => 0,
        9..=16 => 1,
        17.. => 2,
    }
}

/// The smallest layer for everybody, in order; where it does not fit, with fewer temporal layers.
fn grant_base(left: &mut u64, order: &[usize], requests: &[Request], granted: &mut [Option<Target>]) {
    for index in order {
        let request = &requests[*index];
        let Some(wish) = request.wish else { continue };
        let choices = (0..=wish.temporal).rev().map(|temporal| Target { spatial: 0, temporal });
        let fitting = choices.into_iter().find(|target| cost(request, *target) <= *left);
        if let Some(target) = fitting {
            *left -= cost(request, target);
            granted[*index] = Some(target);
        }
    }
}

/// Raises whoever is furthest below its wish, one step at a time, until nobody's next step fits. What does not fit now will
/// not later either, for nothing is ever given back: each step is looked at once.
fn grant_more(left: &mut u64, order: &[usize], requests: &[Request], granted: &mut [Option<Target>]) {
    let step = |place: usize, granted: &[Option<Target>]| {
        let index = *order.get(place)?;
        let (request, now) = (requests.get(index)?, *granted.get(index)?);
        let (now, wish) = (now?, request.wish?);
        let target = next(now, wish)?;
        let short = wish.spatial.saturating_sub(target.spatial);
        // The first of equals wins: `order` has the higher priority and the larger tile in front.
        Some((request.priority, short, Reverse(place)))
    };
    let mut steps: BinaryHeap<_> = (0..order.len()).filter_map(|place| step(place, granted)).collect();
    while let Some((.., Reverse(place))) = steps.pop() {
        let index = order[place];
        let request = &requests[index];
        let Some((now, target)) = granted[index].and_then(|now| Some((now, next(now, request.wish?)?))) else {
            continue;
        };
        let held = request.current.is_some_and(|current| current.spatial >= target.spatial);
        let needed = extra(request, Some(now), target);
        // Something larger than now must fit with room to spare, or it would come and go.
        let fits = if held { needed <= *left } else { needed.saturating_mul(MARGIN) / 100 <= *left };
        if fits {
            *left = left.saturating_sub(needed);
            granted[index] = Some(target);
            steps.extend(step(place, granted));
        }
    }
}

/// One step closer to the wish: all its temporal layers first, then the next spatial layer.
fn next(now: Target, wish: Target) -> Option<Target> {
    if now.temporal < wish.temporal {
        return Some(Target { temporal: now.temporal + 1, ..now });
    }
    (now.spatial < wish.spatial).then_some(Target { spatial: now.spatial + 1, ..now })
}

fn extra(request: &Request, now: Option<Target>, target: Target) -> u64 {
    cost(request, target).saturating_sub(now.map_or(0, |now| cost(request, now)))
}

fn cost(request: &Request, target: Target) -> u64 {
    let rate = request.rates.get(usize::from(target.spatial)).copied().unwrap_or(0);
    rate * TEMPORAL_SHARE[usize::from(target.temporal.min(2))] / 100
}

/// Percent of a layer's bits up to each temporal layer, as encoders divide them.
const TEMPORAL_SHARE: [u64; 3] = [50, 70, 100];

/// Percent of its cost that must be free for a layer larger than the current one.
const MARGIN: u64 = 110;

#[cfg(test)]
mod tests;

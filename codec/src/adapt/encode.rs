//! Reduces what is encoded of one track if the processor is too slow, the battery nearly empty or the computer too hot.

use super::backoff::Backoff;
use super::power::{PowerLimit, PowerState};
use super::{ContentHint, EncodeLimitReason, MIN_SIGNING_RATE};
use crate::rate::{LayerDemand, MAX_TEMPORAL_LAYERS};
use media::FrameRate;
use std::time::Instant;

/// What may be encoded of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// The largest spatial layer.
    pub max_spatial: u8,
    /// How often the frame rate of the largest layer is halved, 0..=2.
    pub halvings: u8,
    /// The maximum frame rate of all layers, in frames per second.
    pub max_frame_rate: Option<u32>,
    /// Every layer keeps its frame rate, whatever the viewers want: for sign language.
    pub keeps_frame_rate: bool,
}

/// The work of the encode threads of a track in one second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Load {
    /// The largest part of the second that the thread of one layer was busy, from 0 to 1.
    pub busy: f64,
    /// The largest part of its pictures that one layer left out, because its thread was busy, from 0 to 1.
    pub missed: f64,
    /// The largest layer that was encoded. `None` if none was.
    pub largest: Option<u8>,
}

/// Decides what is encoded of one track.
#[derive(Debug)]
pub struct Adapter {
    /// What may be encoded after each step. The first entry limits nothing.
    steps: Vec<Limits>,
    /// The number of steps taken because of load.
    taken: usize,
    power: Option<PowerLimit>,
    /// The seconds in a row in which the load was too high.
    high_seconds: u32,
    backoff: Backoff,
}

impl Limits {
    /// Returns what may be encoded if nothing limits it.
    #[must_use]
    pub const fn none() -> Self {
        Self { max_spatial: u8::MAX, halvings: 0, max_frame_rate: None, keeps_frame_rate: false }
    }

    /// Returns the demands that may be met: a layer that is too large is replaced by the largest one that may be encoded.
    #[must_use]
    pub fn apply(&self, demands: &[LayerDemand]) -> Vec<LayerDemand> {
        let mut allowed: Vec<LayerDemand> = Vec::with_capacity(demands.len());
        for demand in demands {
            let mut demand = LayerDemand { spatial: demand.spatial.min(self.max_spatial), ..*demand };
            if self.keeps_frame_rate {
                demand.temporal_layers = MAX_TEMPORAL_LAYERS;
            } else if demand.spatial == self.max_spatial {
                let most = MAX_TEMPORAL_LAYERS.saturating_sub(self.halvings).max(1);
                demand.temporal_layers = demand.temporal_layers.min(most);
            }
            match allowed.iter_mut().find(|other| other.spatial == demand.spatial) {
                Some(same) => {
                    same.temporal_layers = same.temporal_layers.max(demand.temporal_layers);
                    same.max_bitrate = same.max_bitrate.zip(demand.max_bitrate).map(|(one, other)| one.max(other));
                }
                None => allowed.push(demand),
            }
        }
        allowed
    }

    /// Returns the frame rate of a source of `rate` that may be encoded.
    #[must_use]
    pub fn frame_rate(&self, rate: FrameRate) -> FrameRate {
        let limit = self.max_frame_rate.and_then(|limit| FrameRate::new(limit, 1));
        limit.filter(|limit| limit.due(1) > rate.due(1)).unwrap_or(rate)
    }

    /// Returns what these limits mean for layers up to `largest`. Limits with equal results have the same effect.
    fn effect(&self, largest: u8) -> (u8, u8, Option<u32>) {
        let halvings = if self.max_spatial <= largest { self.halvings } else { 0 };
        (self.max_spatial.min(largest), halvings, self.max_frame_rate)
    }
}

impl Adapter {
    /// Returns the adapter of a track of `layers` spatial layers.
    #[must_use]
    pub fn new(hint: ContentHint, layers: u8) -> Self {
        let (steps, backoff) = (steps(hint, layers), Backoff::default());
        Self { steps, taken: 0, power: None, high_seconds: 0, backoff }
    }

    /// Records the work of one second that ends at `now`, and the state of the power supply. Returns true if the limits have
    /// changed.
    pub fn update(&mut self, load: Load, power: PowerState, now: Instant) -> bool {
        let before = self.limits();
        self.power = power.limit(self.power);
        if let Some(largest) = load.largest {
            self.judge(load, largest, now);
        } else {
            // A paused track does not show what it would cost.
            self.high_seconds = 0;
            self.backoff.record(false, now);
        }
        self.limits() != before
    }

    /// Returns what may be encoded.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.steps.get(self.position()).copied().unwrap_or(Limits::none())
    }

    /// Returns why less may be encoded. `None` if nothing is limited.
    #[must_use]
    pub fn reason(&self) -> Option<EncodeLimitReason> {
        match self.power {
            Some(power) if power.steps > self.taken => Some(power.reason),
            Some(_) | None => (self.taken > 0).then_some(EncodeLimitReason::EncodeTime),
        }
    }

    fn position(&self) -> usize {
        self.taken.max(self.power.map_or(0, |power| power.steps)).min(self.steps.len() - 1)
    }

    fn judge(&mut self, load: Load, largest: u8, now: Instant) {
        self.high_seconds = if load.busy > HIGH_BUSY || load.missed > HIGH_MISSED { self.high_seconds + 1 } else { 0 };
        if self.high_seconds == HIGH_SECONDS {
            self.step_down(largest, now);
        }
        let low = load.busy < LOW_BUSY && load.missed < LOW_MISSED;
        if self.backoff.record(low, now) && self.taken > 0 {
            self.taken -= 1;
            self.backoff.undone(now);
        }
    }

    /// Takes the next step that changes something for layers up to `largest`.
    fn step_down(&mut self, largest: u8, now: Instant) {
        let before = self.limits().effect(largest);
        let mut later = self.steps.iter().enumerate().skip(self.position() + 1);
        if let Some((position, _)) = later.find(|(_, limits)| limits.effect(largest) != before) {
            self.taken = position;
            self.backoff.stepped_down(now);
        }
        self.high_seconds = 0;
    }
}

/// Returns what may be encoded after each step, from everything to the least.
fn steps(hint: ContentHint, layers: u8) -> Vec<Limits> {
    let top = layers.saturating_sub(1);
    let signing = hint == ContentHint::Signing;
    let all = Limits { max_spatial: top, keeps_frame_rate: signing, ..Limits::none() };
    let mut steps = vec![all];
    let slow = if signing { Limits { max_frame_rate: Some(MIN_SIGNING_RATE), ..all } } else { all };
    if signing {
        steps.push(slow);
    }
    for max_spatial in (0..=top).rev() {
        let halvings = match (hint, max_spatial) {
            (ContentHint::Balanced | ContentHint::Motion, 0) | (ContentHint::Detail, _) => 0..=2,
            (ContentHint::Balanced, _) => 0..=1,
            (ContentHint::Motion | ContentHint::Signing, _) => 0..=0,
        };
        // With a smaller size, a detailed track keeps its low frame rate: the step must not cost more than the one before.
        let first = if hint == ContentHint::Detail && max_spatial < top { 2 } else { *halvings.start() };
        steps.extend((first..=*halvings.end()).map(|halvings| Limits { max_spatial, halvings, ..slow }));
    }
    steps.dedup();
    steps
}

/// The load above which pictures will soon be left out.
const HIGH_BUSY: f64 = 0.85;
const HIGH_MISSED: f64 = 0.25;
/// The number of seconds in a row in which it must be above that.
const HIGH_SECONDS: u32 = 3;

/// The load below which twice as much can be encoded.
const LOW_BUSY: f64 = 0.42;
const LOW_MISSED: f64 = 0.03;

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;

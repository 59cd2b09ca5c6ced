//! Decides when to notify a sender which of its layers its receivers want. Pure: the caller passes the time.
//!
//! A layer starts at once, and stops one second after the last receiver stopped wanting it, so that moving tiles do not
//! restart an encoder. A lower bitrate limit applies at once, and a higher one at most every half second.
//!
//! A new sender sends nothing until its first update. If nothing is wanted, it gets the first update after one second,
//! because it may be a sender that reconnected and still sends.

use proto::DemandedLayer;
use std::time::{Duration, Instant};

/// The layers of one track that its receivers want together, as last sent to the track's sender.
#[derive(Debug)]
pub struct Demand {
    layers: Vec<Layer>,
    /// True after the first update to the sender.
    sender_informed: bool,
    /// True if the last update may not have arrived.
    repeats: bool,
}

#[derive(Clone, Debug)]
struct Layer {
    /// What the last update to the sender said. A stopped layer has no temporal layers.
    reported: LayerDemand,
    /// When that was, if it set a limit.
    limited_at: Option<Instant>,
    /// Since when fewer temporal layers than reported are wanted. Before the first update: since when the demand exists.
    lower_since: Option<Instant>,
}

/// What the receivers of one spatial layer want together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerDemand {
    /// The number of temporal layers, 0 for none.
    pub temporal_layers: u8,
    /// The maximum bits per second, with all of these temporal layers. `None` for the full bitrate.
    pub max_bitrate: Option<u32>,
}

/// An update for the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// All layers that are wanted.
    pub wanted: Vec<DemandedLayer>,
    /// How many layers this update stops.
    pub stopped: u64,
}

impl Demand {
    /// Returns the demand for a track of `layers` spatial layers, whose sender sends none of them yet.
    pub fn new(layers: usize) -> Self {
        let layer = Layer { reported: LayerDemand::default(), limited_at: None, lower_since: None };
        Self { layers: vec![layer; layers], sender_informed: false, repeats: false }
    }

    /// Lets the next call of [`Demand::update`] return an update.
    pub fn repeat(&mut self) {
        self.repeats = self.sender_informed;
    }

    /// Sets what is wanted now of each spatial layer. Returns an update if the sender must be notified.
    pub fn update(&mut self, wanted: &[LayerDemand], now: Instant) -> Option<Update> {
        let mut changed = std::mem::take(&mut self.repeats);
        let mut stopped = 0;
        for (layer, wanted) in self.layers.iter_mut().zip(wanted) {
            let temporal_layers = wanted.temporal_layers.min(MAX_TEMPORAL_LAYERS);
            let since = *layer.lower_since.get_or_insert(now);
            let expired = now.saturating_duration_since(since) >= STOP_DELAY;
            let before = layer.reported.temporal_layers;
            let lower = temporal_layers < before;
            if !lower && self.sender_informed {
                layer.lower_since = None;
            }
            if temporal_layers > before || lower && expired {
                stopped += u64::from(temporal_layers == 0);
                layer.report(LayerDemand { temporal_layers, ..*wanted }, now);
                changed = true;
            } else if temporal_layers > 0 && layer.is_new_limit(wanted.max_bitrate, now) {
                layer.report(LayerDemand { temporal_layers: before, ..*wanted }, now);
                changed = true;
            }
            changed |= !self.sender_informed && expired;
        }
        self.sender_informed |= changed;
        changed.then(|| Update { wanted: self.reported(), stopped })
    }

    /// Returns the limit that the sender of a layer has had for at least a second, in bits per second.
    pub fn settled_limit(&self, spatial: usize, now: Instant) -> Option<u32> {
        let layer = self.layers.get(spatial)?;
        let settled = layer.limited_at.is_some_and(|at| now.saturating_duration_since(at) >= SETTLE_TIME);
        layer.reported.max_bitrate.filter(|_| settled && layer.reported.temporal_layers > 0)
    }

    fn reported(&self) -> Vec<DemandedLayer> {
        let reported = (0_u8..).zip(&self.layers).map(|(spatial, layer)| (spatial, layer.reported));
        let running = reported.filter(|(_, wanted)| wanted.temporal_layers > 0);
        let demanded = |(spatial, LayerDemand { temporal_layers, max_bitrate })| DemandedLayer {
            spatial,
            temporal_layers,
            max_bitrate,
        };
        running.map(demanded).collect()
    }
}

impl Layer {
    fn report(&mut self, wanted: LayerDemand, now: Instant) {
        *self = Self { reported: wanted, limited_at: wanted.max_bitrate.map(|_| now), lower_since: None };
    }

    /// Returns whether to send the sender another limit now. A lower one is sent at once.
    fn is_new_limit(&self, limit: Option<u32>, now: Instant) -> bool {
        let before = self.reported.max_bitrate.map_or(UNLIMITED, u64::from);
        let limit = limit.map_or(UNLIMITED, u64::from);
        let age = self.limited_at.map_or(Duration::MAX, |at| now.saturating_duration_since(at));
        let lower = limit * 100 < before * LOWER_PERCENT;
        let higher = limit * 100 > before * HIGHER_PERCENT;
        lower || higher && age >= RAISE_INTERVAL
    }
}

/// How long a layer is not wanted before it stops. Including the time until the sender receives the update, a layer
/// stops within two seconds.
const STOP_DELAY: Duration = Duration::from_secs(1);

/// More than every limit, in bits per second.
const UNLIMITED: u64 = 1 << 40;

/// A limit is reported if it is below this percentage of the last one.
const LOWER_PERCENT: u64 = 95;

/// A limit is reported if it is above this percentage of the last one.
const HIGHER_PERCENT: u64 = 105;

/// The minimum time from a limit to a higher one.
const RAISE_INTERVAL: Duration = Duration::from_millis(500);

/// The time in which a limit reaches the sender and its encoder obeys.
const SETTLE_TIME: Duration = Duration::from_secs(1);

/// The maximum number of temporal layers of a stream.
const MAX_TEMPORAL_LAYERS: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(update: Option<Update>) -> Option<(Vec<(u8, u8)>, u64)> {
        let update = update?;
        Some((update.wanted.iter().map(|layer| (layer.spatial, layer.temporal_layers)).collect(), update.stopped))
    }

    /// Returns what is wanted, for numbers of temporal layers.
    fn all<const N: usize>(temporal_layers: [u8; N]) -> [LayerDemand; N] {
        temporal_layers.map(|temporal_layers| LayerDemand { temporal_layers, max_bitrate: None })
    }

    /// Returns the demand for a track whose sender sends all layers.
    fn all_reported(layers: usize, now: Instant) -> Demand {
        let mut demand = Demand::new(layers);
        let all = vec![LayerDemand { temporal_layers: MAX_TEMPORAL_LAYERS, max_bitrate: None }; layers];
        assert_eq!(demand.update(&all, now).map(|update| update.wanted.len()), Some(layers));
        demand
    }

    #[test]
    fn a_new_sender_is_notified_at_once_of_wanted_layers_and_after_a_second_if_there_are_none() {
        let (mut demand, start) = (Demand::new(3), Instant::now());
        assert_eq!(pairs(demand.update(&all([3, 0, 0]), start)), Some((vec![(0, 3)], 0)));
        assert_eq!(demand.update(&all([3, 0, 0]), start + 2 * STOP_DELAY), None, "the other two were never sent");
        let mut demand = Demand::new(3);
        assert_eq!(demand.update(&all([0, 0, 0]), start), None);
        assert_eq!(pairs(demand.update(&all([0, 0, 0]), start + STOP_DELAY)), Some((vec![], 0)));
        assert_eq!(demand.update(&all([0, 0, 0]), start + 3 * STOP_DELAY), None);
        assert_eq!(pairs(demand.update(&all([0, 1, 0]), start + 3 * STOP_DELAY)), Some((vec![(1, 1)], 0)));
    }

    #[test]
    fn a_layer_that_is_not_wanted_stops_after_a_second() {
        let start = Instant::now();
        let mut demand = all_reported(3, start);
        assert_eq!(demand.update(&all([3, 0, 0]), start), None);
        assert_eq!(demand.update(&all([3, 0, 0]), start + STOP_DELAY / 2), None);
        assert_eq!(pairs(demand.update(&all([3, 0, 0]), start + STOP_DELAY)), Some((vec![(0, 3)], 2)));
        assert_eq!(demand.update(&all([3, 0, 0]), start + 2 * STOP_DELAY), None);
    }

    #[test]
    fn a_layer_that_is_wanted_starts_at_once() {
        let start = Instant::now();
        let mut demand = all_reported(2, start);
        demand.update(&all([0, 0]), start);
        assert_eq!(pairs(demand.update(&all([0, 0]), start + STOP_DELAY)), Some((vec![], 2)));
        let later = start + 2 * STOP_DELAY;
        assert_eq!(pairs(demand.update(&all([0, 2]), later)), Some((vec![(1, 2)], 0)));
        assert_eq!(pairs(demand.update(&all([0, 3]), later)), Some((vec![(1, 3)], 0)));
    }

    #[test]
    fn a_layer_that_is_wanted_again_within_a_second_does_not_stop() {
        let start = Instant::now();
        let mut demand = all_reported(1, start);
        assert_eq!(demand.update(&all([0]), start), None);
        assert_eq!(demand.update(&all([3]), start + STOP_DELAY / 2), None);
        assert_eq!(demand.update(&all([0]), start + STOP_DELAY), None, "the delay starts again");
        assert_eq!(demand.update(&all([1]), start + STOP_DELAY * 3 / 2), None, "fewer are wanted since the same time");
        assert_eq!(pairs(demand.update(&all([1]), start + STOP_DELAY * 2)), Some((vec![(0, 1)], 0)));
    }

    #[test]
    fn a_lower_limit_is_reported_at_once_and_a_higher_one_after_half_a_second() {
        let start = Instant::now();
        let mut demand = all_reported(1, start);
        let mut limit = |max_bitrate, milliseconds| {
            let wanted = LayerDemand { temporal_layers: 3, max_bitrate };
            let update = demand.update(&[wanted], start + Duration::from_millis(milliseconds))?;
            Some(update.wanted[0].max_bitrate)
        };
        assert_eq!(limit(Some(200_000), 0), Some(Some(200_000)));
        assert_eq!(limit(Some(198_000), 10), None, "a small change");
        assert_eq!(limit(Some(150_000), 20), Some(Some(150_000)));
        assert_eq!(limit(Some(300_000), 30), None);
        assert_eq!(limit(Some(300_000), 520), Some(Some(300_000)));
        assert_eq!(limit(None, 530), None);
        assert_eq!(limit(None, 1_100), Some(None));
        assert_eq!(limit(None, 9_000), None);
    }

    #[test]
    fn a_limit_is_settled_after_a_second() {
        let start = Instant::now();
        let mut demand = all_reported(1, start);
        assert_eq!(demand.settled_limit(0, start + 2 * SETTLE_TIME), None, "there is none");
        demand.update(&[LayerDemand { temporal_layers: 3, max_bitrate: Some(90_000) }], start);
        assert_eq!(demand.settled_limit(0, start + SETTLE_TIME / 2), None);
        assert_eq!(demand.settled_limit(0, start + SETTLE_TIME), Some(90_000));
    }
}

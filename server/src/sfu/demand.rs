//! Decides when to notify a sender which of its layers its receivers want. Pure: the caller passes the time.
//!
//! A layer starts at once, and stops one second after the last receiver stopped wanting it, so that moving tiles do not
//! restart an encoder. A new sender sends nothing until its first update. If nothing is wanted, it gets the first
//! update after one second, because it may be a sender that reconnected and still sends.

use proto::DemandedLayer;
use std::time::{Duration, Instant};

/// The layers of one track that its receivers want together, as last sent to the track's sender.
#[derive(Debug)]
pub struct Demand {
    layers: Vec<Layer>,
    /// True after the first update to the sender.
    sender_informed: bool,
}

#[derive(Clone, Debug)]
struct Layer {
    /// The number of temporal layers in the last update to the sender. A stopped layer has none.
    reported: u8,
    /// Since when fewer than `reported` are wanted. Before the first update: since when the demand exists.
    lower_since: Option<Instant>,
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
        Self { layers: vec![Layer { reported: 0, lower_since: None }; layers], sender_informed: false }
    }

    /// Sets the number of temporal layers of each spatial layer that are wanted now, 0 for none. Returns an update if
    /// the sender must be notified.
    pub fn update(&mut self, wanted: &[u8], now: Instant) -> Option<Update> {
        let mut changed = false;
        let mut stopped = 0;
        for (layer, wanted) in self.layers.iter_mut().zip(wanted) {
            let wanted = (*wanted).min(MAX_TEMPORAL_LAYERS);
            let since = *layer.lower_since.get_or_insert(now);
            let expired = now.saturating_duration_since(since) >= STOP_DELAY;
            let lower = wanted < layer.reported;
            if !lower && self.sender_informed {
                layer.lower_since = None;
            }
            if wanted > layer.reported || lower && expired {
                stopped += u64::from(wanted == 0);
                *layer = Layer { reported: wanted, lower_since: None };
                changed = true;
            }
            changed |= !self.sender_informed && expired;
        }
        self.sender_informed |= changed;
        changed.then(|| Update { wanted: self.reported(), stopped })
    }

    fn reported(&self) -> Vec<DemandedLayer> {
        let reported = (0_u8..).zip(&self.layers).filter(|(_, layer)| layer.reported > 0);
        reported.map(|(spatial, layer)| DemandedLayer { spatial, temporal_layers: layer.reported, max_bitrate: None }).collect()
    }
}

/// How long a layer is not wanted before it stops. Including the time until the sender receives the update, a layer
/// stops within two seconds.
const STOP_DELAY: Duration = Duration::from_secs(1);

/// The maximum number of temporal layers of a stream.
const MAX_TEMPORAL_LAYERS: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(update: Option<Update>) -> Option<(Vec<(u8, u8)>, u64)> {
        let update = update?;
        Some((update.wanted.iter().map(|layer| (layer.spatial, layer.temporal_layers)).collect(), update.stopped))
    }

    /// Returns the demand for a track whose sender sends all layers.
    fn all_reported(layers: usize, now: Instant) -> Demand {
        let mut demand = Demand::new(layers);
        let all = vec![MAX_TEMPORAL_LAYERS; layers];
        assert_eq!(demand.update(&all, now).map(|update| update.wanted.len()), Some(layers));
        demand
    }

    #[test]
    fn a_new_sender_is_notified_at_once_of_wanted_layers_and_after_a_second_if_there_are_none() {
        let (mut demand, start) = (Demand::new(3), Instant::now());
        assert_eq!(pairs(demand.update(&[3, 0, 0], start)), Some((vec![(0, 3)], 0)));
        assert_eq!(demand.update(&[3, 0, 0], start + 2 * STOP_DELAY), None, "the other two were never sent");
        let mut demand = Demand::new(3);
        assert_eq!(demand.update(&[0, 0, 0], start), None);
        assert_eq!(pairs(demand.update(&[0, 0, 0], start + STOP_DELAY)), Some((vec![], 0)));
        assert_eq!(demand.update(&[0, 0, 0], start + 3 * STOP_DELAY), None);
        assert_eq!(pairs(demand.update(&[0, 1, 0], start + 3 * STOP_DELAY)), Some((vec![(1, 1)], 0)));
    }

    #[test]
    fn a_layer_that_is_not_wanted_stops_after_a_second() {
        let start = Instant::now();
        let mut demand = all_reported(3, start);
        assert_eq!(demand.update(&[3, 0, 0], start), None);
        assert_eq!(demand.update(&[3, 0, 0], start + STOP_DELAY / 2), None);
        assert_eq!(pairs(demand.update(&[3, 0, 0], start + STOP_DELAY)), Some((vec![(0, 3)], 2)));
        assert_eq!(demand.update(&[3, 0, 0], start + 2 * STOP_DELAY), None);
    }

    #[test]
    fn a_layer_that_is_wanted_starts_at_once() {
        let start = Instant::now();
        let mut demand = all_reported(2, start);
        demand.update(&[0, 0], start);
        assert_eq!(pairs(demand.update(&[0, 0], start + STOP_DELAY)), Some((vec![], 2)));
        let later = start + 2 * STOP_DELAY;
        assert_eq!(pairs(demand.update(&[0, 2], later)), Some((vec![(1, 2)], 0)));
        assert_eq!(pairs(demand.update(&[0, 3], later)), Some((vec![(1, 3)], 0)));
    }

    #[test]
    fn a_layer_that_is_wanted_again_within_a_second_does_not_stop() {
        let start = Instant::now();
        let mut demand = all_reported(1, start);
        assert_eq!(demand.update(&[0], start), None);
        assert_eq!(demand.update(&[3], start + STOP_DELAY / 2), None);
        assert_eq!(demand.update(&[0], start + STOP_DELAY), None, "the delay starts again");
        assert_eq!(demand.update(&[1], start + STOP_DELAY * 3 / 2), None, "fewer are wanted since the same time");
        assert_eq!(pairs(demand.update(&[1], start + STOP_DELAY * 2)), Some((vec![(0, 1)], 0)));
    }
}

//! What all receivers of a track together want of its layers, and when its sender is to hear of it.
//! Pure: the caller brings the clock.
//!
//! A layer starts as soon as somebody wants it, and stops once nobody has wanted it for a while: tiles that are moved
//! about must not make an encoder stop and start. A new sender sends nothing until it hears what is wanted, which it does
//! within that while even where nothing is: it may go on from an earlier time and believe otherwise.

use proto::WantedLayer;
use std::time::{Duration, Instant};

/// The wants of one track. See the module.
#[derive(Debug)]
pub struct Demand {
    layers: Vec<Layer>,
    /// False until the sender has heard anything.
    heard: bool,
}

#[derive(Clone, Debug)]
struct Layer {
    /// Temporal layers that the sender was told to send; 0 for none.
    told: u8,
    /// Since when fewer than `told` would do.
    lower_since: Option<Instant>,
}

/// What the sender is to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// All layers that are wanted.
    pub wanted: Vec<WantedLayer>,
    /// How many layers nobody wants any more.
    pub stopped: u64,
}

impl Demand {
    /// A track with so many spatial layers. Its sender sends none of them until it hears otherwise.
    pub fn new(layers: usize) -> Self {
        Self { layers: vec![Layer { told: 0, lower_since: None }; layers], heard: false }
    }

    /// Weighs what is wanted of each spatial layer now: temporal layers, 0 for none. Something comes back when the
    /// sender is to be told.
    pub fn update(&mut self, wanted: &[u8], now: Instant) -> Option<News> {
        let mut changed = false;
        let mut stopped = 0;
        for (layer, wanted) in self.layers.iter_mut().zip(wanted) {
            let wanted = (*wanted).min(MAX_TEMPORAL);
            let since = *layer.lower_since.get_or_insert(now);
            let lingered = now.saturating_duration_since(since) >= LINGER;
            let lower = wanted < layer.told;
            if !lower && self.heard {
                layer.lower_since = None;
            }
            if wanted > layer.told || lower && lingered {
                stopped += u64::from(wanted == 0);
                *layer = Layer { told: wanted, lower_since: None };
                changed = true;
            }
            changed |= !self.heard && lingered;
        }
        self.heard |= changed;
        changed.then(|| News { wanted: self.wanted(), stopped })
    }

    fn wanted(&self) -> Vec<WantedLayer> {
        let told = (0_u8..).zip(&self.layers).filter(|(_, layer)| layer.told > 0);
        told.map(|(spatial, layer)| WantedLayer { spatial, temporal_layers: layer.told }).collect()
    }
}

/// How long nobody must want a layer before it stops: with the way to the sender, less than two seconds.
const LINGER: Duration = Duration::from_secs(1);

/// Temporal layers of a stream.
const MAX_TEMPORAL: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(news: Option<News>) -> Option<(Vec<(u8, u8)>, u64)> {
        let news = news?;
        Some((news.wanted.iter().map(|layer| (layer.spatial, layer.temporal_layers)).collect(), news.stopped))
    }

    /// Of a track whose sender sends everything.
    fn busy(layers: usize, now: Instant) -> Demand {
        let mut demand = Demand::new(layers);
        let all = vec![MAX_TEMPORAL; layers];
        assert_eq!(demand.update(&all, now).map(|news| news.wanted.len()), Some(layers));
        demand
    }

    #[test]
    fn a_new_sender_hears_at_once_what_is_wanted_and_soon_that_nothing_is() {
        let (mut demand, start) = (Demand::new(3), Instant::now());
        assert_eq!(pairs(demand.update(&[3, 0, 0], start)), Some((vec![(0, 3)], 0)));
        assert_eq!(demand.update(&[3, 0, 0], start + 2 * LINGER), None, "the other two were never sent");
        let mut demand = Demand::new(3);
        assert_eq!(demand.update(&[0, 0, 0], start), None);
        assert_eq!(pairs(demand.update(&[0, 0, 0], start + LINGER)), Some((vec![], 0)));
        assert_eq!(demand.update(&[0, 0, 0], start + 3 * LINGER), None);
        assert_eq!(pairs(demand.update(&[0, 1, 0], start + 3 * LINGER)), Some((vec![(1, 1)], 0)));
    }

    #[test]
    fn a_layer_that_nobody_wants_stops_after_a_while() {
        let start = Instant::now();
        let mut demand = busy(3, start);
        assert_eq!(demand.update(&[3, 0, 0], start), None);
        assert_eq!(demand.update(&[3, 0, 0], start + LINGER / 2), None);
        assert_eq!(pairs(demand.update(&[3, 0, 0], start + LINGER)), Some((vec![(0, 3)], 2)));
        assert_eq!(demand.update(&[3, 0, 0], start + 2 * LINGER), None);
    }

    #[test]
    fn a_layer_that_somebody_wants_starts_at_once() {
        let start = Instant::now();
        let mut demand = busy(2, start);
        demand.update(&[0, 0], start);
        assert_eq!(pairs(demand.update(&[0, 0], start + LINGER)), Some((vec![], 2)));
        let again = start + 2 * LINGER;
        assert_eq!(pairs(demand.update(&[0, 2], again)), Some((vec![(1, 2)], 0)));
        assert_eq!(pairs(demand.update(&[0, 3], again)), Some((vec![(1, 3)], 0)));
    }

    #[test]
    fn who_comes_back_in_time_changes_nothing() {
        let start = Instant::now();
        let mut demand = busy(1, start);
        assert_eq!(demand.update(&[0], start), None);
        assert_eq!(demand.update(&[3], start + LINGER / 2), None);
        assert_eq!(demand.update(&[0], start + LINGER), None, "counts from here");
        assert_eq!(demand.update(&[1], start + LINGER * 3 / 2), None, "fewer, still since then");
        assert_eq!(pairs(demand.update(&[1], start + LINGER * 2)), Some((vec![(0, 1)], 0)));
    }
}

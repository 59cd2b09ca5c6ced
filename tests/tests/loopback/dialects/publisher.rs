//! The sending part of both fake dialects. It makes one offer at a time, which contains everything that is published.

use net::sfu::{Mids, Plan, TrackSpec, kind_of};
use proto::Slot;
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Publisher {
    pub tracks: BTreeMap<Slot, TrackSpec>,
    /// All slots that were published so far. Each offer contains at least the slots of the offer before.
    opened: Vec<Slot>,
    /// True while an offer waits for its answer.
    offering: bool,
    /// True if the published tracks have changed since the last offer.
    stale: bool,
}

impl Publisher {
    pub fn publish(&mut self, spec: TrackSpec) {
        self.stale = true;
        if !self.opened.contains(&spec.slot) {
            self.opened.push(spec.slot);
        }
        self.tracks.insert(spec.slot, spec);
    }

    pub fn unpublish(&mut self, slot: Slot) {
        self.stale |= self.tracks.remove(&slot).is_some();
    }

    pub fn handle_answer(&mut self) {
        self.offering = false;
    }

    /// Returns the plan of the next offer. Returns `None` if nothing has changed or an offer waits for its answer.
    pub fn next_offer(&mut self) -> Option<Plan> {
        if !self.stale || self.offering {
            return None;
        }
        (self.stale, self.offering) = (false, true);
        Some(Plan { send: self.opened.iter().map(|slot| (*slot, kind_of(*slot))).collect(), ..Plan::default() })
    }

    /// Returns the published tracks of an offer, each with its `mid`.
    pub fn sent<'p>(&'p self, mids: &'p Mids) -> impl Iterator<Item = (&'p TrackSpec, &'p str)> {
        mids.send.iter().filter_map(|(slot, mid)| Some((self.tracks.get(slot)?, mid.as_str())))
    }
}

//! What both fake dialects do to send: one offer at a time, with all that is published.

use net::sfu::{Mids, Plan, TrackSpec, kind_of};
use proto::Slot;
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Publisher {
    pub tracks: BTreeMap<Slot, TrackSpec>,
    /// All slots that were ever published: an offer never holds less than the offer before.
    opened: Vec<Slot>,
    /// True while an offer waits for its answer.
    offering: bool,
    /// True if the last offer does not hold what is published now.
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

    /// The plan of the offer to make now, if one is due.
    pub fn next_offer(&mut self) -> Option<Plan> {
        if !self.stale || self.offering {
            return None;
        }
        (self.stale, self.offering) = (false, true);
        Some(Plan { send: self.opened.iter().map(|slot| (*slot, kind_of(*slot))).collect(), ..Plan::default() })
    }

    /// The published tracks of an offer, each with its `mid`.
    pub fn sent<'p>(&'p self, mids: &'p Mids) -> impl Iterator<Item = (&'p TrackSpec, &'p str)> {
        mids.send.iter().filter_map(|(slot, mid)| Some((self.tracks.get(slot)?, mid.as_str())))
    }
}

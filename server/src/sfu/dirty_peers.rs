//! The peers that have something new to send, first come, first served. Pure.

use super::peer::IdHasher;
use proto::ParticipantId;
use std::collections::{HashSet, VecDeque};
use std::hash::BuildHasherDefault;

/// Peers without repetition. Keeps its memory, so that a packet costs no allocation.
#[derive(Debug, Default)]
pub struct DirtyPeers {
    queue: VecDeque<ParticipantId>,
    queued: HashSet<ParticipantId, BuildHasherDefault<IdHasher>>,
}

impl DirtyPeers {
    /// Adds a peer, unless it is there.
    pub fn insert(&mut self, participant: ParticipantId) {
        if self.queued.insert(participant) {
            self.queue.push_back(participant);
        }
    }

    /// Takes the peer that was added first.
    pub fn pop(&mut self) -> Option<ParticipantId> {
        let participant = self.queue.pop_front()?;
        self.queued.remove(&participant);
        Some(participant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_peer_is_taken_once_in_the_order_in_which_they_were_added() {
        let mut dirty = DirtyPeers::default();
        for participant in [3, 1, 3, 2, 1] {
            dirty.insert(ParticipantId(participant));
        }
        assert_eq!(std::iter::from_fn(|| dirty.pop()).map(|peer| peer.0).collect::<Vec<_>>(), [3, 1, 2]);
        dirty.insert(ParticipantId(3));
        assert_eq!((dirty.pop(), dirty.pop()), (Some(ParticipantId(3)), None), "it may be added again");
    }
}

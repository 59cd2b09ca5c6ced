//! Which request came with which id. An honest server never uses an id twice, and users decide by the id: without this, the server
//! could put another request in the place of the one that the user has seen.

use proto::{Blob, ParticipantId};
use std::collections::{BTreeMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

/// The requests that this client has seen, also those that were withdrawn, refused or admitted.
#[derive(Default)]
pub(super) struct RequestsById {
    /// Keyed, so that nobody can make two requests with the same hash.
    hasher: RandomState,
    hashes: BTreeMap<ParticipantId, u64>,
    /// The oldest is first.
    order: VecDeque<ParticipantId>,
}

impl RequestsById {
    /// Notes a request. Returns false if another one came with the same id before.
    pub(super) fn note(&mut self, id: ParticipantId, request: &Blob) -> bool {
        let hash = self.hasher.hash_one(&request.0);
        if let Some(known) = self.hashes.get(&id) {
            return *known == hash;
        }
        if self.order.len() >= MAX_REQUESTS
            && let Some(oldest) = self.order.pop_front()
        {
            self.hashes.remove(&oldest);
        }
        self.hashes.insert(id, hash);
        self.order.push_back(id);
        true
    }
}

/// A server that wants to have the oldest forgotten must send as many requests between what the user sees and the user's
/// decision. Each takes this client about 0.1 ms.
const MAX_REQUESTS: usize = 32_768;

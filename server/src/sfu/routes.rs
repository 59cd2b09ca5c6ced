//! Finds the participant that a datagram comes from.

use super::address_table::{Claim, ThreadAddresses};
use super::ice_ufrag;
use proto::ParticipantId;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// The addresses and ICE user name fragments of all participants of a thread.
#[derive(Debug, Default)]
pub struct Routes {
    table: ThreadAddresses,
    /// The claim of the participant that sends from an address.
    claims: HashMap<SocketAddr, Arc<Claim>>,
    /// The addresses of each participant, oldest first.
    addresses: HashMap<ParticipantId, VecDeque<SocketAddr>>,
    ufrags: HashMap<String, ParticipantId>,
}

impl Routes {
    /// Creates routes without participants.
    pub fn new(table: ThreadAddresses) -> Self {
        Self { table, ..Self::default() }
    }

    /// Returns the participant that sent a datagram from `source`: by the user name if it is a STUN request, else by
    /// the address.
    pub fn find(&self, source: SocketAddr, datagram: &[u8]) -> Option<ParticipantId> {
        let by_address =
            || self.claims.get(&source).filter(|claim| !claim.has_ended()).map(|claim| claim.participant());
        ice_ufrag::map_ufrag(datagram, |ufrag| self.ufrags.get(ufrag).copied()).unwrap_or_else(by_address)
    }

    /// Sets the ICE user name fragment of a participant.
    pub fn set_ufrag(&mut self, participant: ParticipantId, ufrag: String) {
        self.ufrags.retain(|_, known| *known != participant);
        self.ufrags.insert(ufrag, participant);
    }

    /// Adds an address from which a participant sends. Drops its oldest one if there are too many. Returns false if another
    /// participant has used the address in the last 30 s: the source of a datagram may be forged.
    pub fn add_address(&mut self, participant: ParticipantId, address: SocketAddr, now: Instant) -> bool {
        if let Some(claim) = self.claims.get(&address)
            && claim.participant() == participant
            && self.table.renew(claim, now)
        {
            return true;
        }
        let Some(claim) = self.table.claim(address, participant, now) else { return false };
        self.claims.insert(address, claim);
        let addresses = self.addresses.entry(participant).or_default();
        if !addresses.contains(&address) {
            addresses.push_back(address);
        }
        if addresses.len() > MAX_ADDRESSES
            && let Some(oldest) = addresses.pop_front()
        {
            self.remove_address(participant, oldest);
        }
        true
    }

    /// Returns whether another participant than this one has used the address in the last 30 s.
    pub fn is_used_by_another(&self, participant: ParticipantId, address: SocketAddr, now: Instant) -> bool {
        self.table.is_used_by_another(participant, address, now)
    }

    /// Removes all state of a participant.
    pub fn remove(&mut self, participant: ParticipantId) {
        for address in self.addresses.remove(&participant).unwrap_or_default() {
            self.remove_address(participant, address);
        }
        self.ufrags.retain(|_, known| *known != participant);
    }

    fn remove_address(&mut self, participant: ParticipantId, address: SocketAddr) {
        self.table.release(address, participant);
        if self.claims.get(&address).is_some_and(|claim| claim.participant() == participant) {
            self.claims.remove(&address);
        }
    }
}

/// The number of addresses that are kept for one participant. A client has a few paths to the server.
const MAX_ADDRESSES: usize = 16;

#[cfg(test)]
mod tests {
    use super::super::address_table::ADDRESS_TIMEOUT;
    use super::*;
    use std::time::Duration;

    const ANNA: ParticipantId = ParticipantId(1);
    const BEN: ParticipantId = ParticipantId(2);

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn the_oldest_address_is_dropped_and_a_repeated_one_is_not_counted() {
        let (mut routes, now) = (Routes::default(), Instant::now());
        for port in 0..20 {
            assert!(routes.add_address(ANNA, address(port), now));
            assert!(routes.add_address(ANNA, address(port), now));
        }
        assert_eq!((routes.find(address(3), &[0x80]), routes.find(address(4), &[0x80])), (None, Some(ANNA)));
        assert_eq!(routes.claims.len(), MAX_ADDRESSES);
    }

    #[test]
    fn removal_deletes_all_state_of_a_participant() {
        let (mut routes, now) = (Routes::default(), Instant::now());
        routes.set_ufrag(ANNA, "anna".into());
        routes.set_ufrag(ANNA, "anew".into());
        routes.add_address(ANNA, address(1), now);
        routes.add_address(BEN, address(1), now + ADDRESS_TIMEOUT);
        routes.remove(ANNA);
        assert_eq!(routes.find(address(1), &[0x80]), Some(BEN), "the address has another owner now");
        routes.remove(BEN);
        assert!(routes.claims.is_empty() && routes.addresses.is_empty() && routes.ufrags.is_empty());
    }

    #[test]
    fn an_address_in_use_stays_with_its_participant() {
        let (mut routes, start) = (Routes::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let user = |routes: &Routes| routes.find(address(1), &[0x80]);
        assert!(routes.add_address(ANNA, address(1), start));
        assert!(!routes.add_address(BEN, address(1), at(1)), "forged");
        assert!(
            routes.is_used_by_another(BEN, address(1), at(1)) && !routes.is_used_by_another(ANNA, address(1), at(1))
        );
        assert!(
            !routes.is_used_by_another(BEN, address(2), at(1)) && !routes.is_used_by_another(BEN, address(1), at(30))
        );
        assert!(routes.add_address(ANNA, address(1), at(20)));
        assert!(!routes.add_address(BEN, address(1), at(49)), "used 29 s ago");
        assert_eq!(user(&routes), Some(ANNA));
        assert!(routes.add_address(BEN, address(1), at(50)), "unused for 30 s");
        assert_eq!(user(&routes), Some(BEN));
    }
}

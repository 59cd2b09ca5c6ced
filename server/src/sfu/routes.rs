//! Finds the participant that a datagram comes from.

use proto::ParticipantId;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use str0m::ice::StunMessage;

/// The addresses and ICE user names of all participants.
#[derive(Debug, Default)]
pub struct Routes {
    participants: HashMap<SocketAddr, ParticipantId>,
    /// The addresses of each participant, oldest first.
    addresses: HashMap<ParticipantId, VecDeque<SocketAddr>>,
    users: HashMap<String, ParticipantId>,
}

impl Routes {
    /// Returns the participant that sent a datagram from `source`: by the user name if it is a STUN request, else by
    /// the address.
    pub fn find(&self, source: SocketAddr, datagram: &[u8]) -> Option<ParticipantId> {
        // The first byte of a STUN message is 0 or 1 (RFC 7983, section 7).
        if datagram.first().is_some_and(|first| *first < 2)
            && let Ok(message) = StunMessage::parse(datagram)
            && let Some((user, _)) = message.split_username()
        {
            return self.users.get(user).copied();
        }
        self.participants.get(&source).copied()
    }

    /// Sets the ICE user name of a participant.
    pub fn set_user(&mut self, participant: ParticipantId, user: String) {
        self.users.retain(|_, known| *known != participant);
        self.users.insert(user, participant);
    }

    /// Adds an address from which a participant sends. Drops its oldest one if there are too many.
    pub fn add_address(&mut self, participant: ParticipantId, address: SocketAddr) {
        if self.participants.insert(address, participant) == Some(participant) {
            return;
        }
        let addresses = self.addresses.entry(participant).or_default();
        addresses.push_back(address);
        if addresses.len() > MAX_ADDRESSES
            && let Some(oldest) = addresses.pop_front()
            && self.participants.get(&oldest) == Some(&participant)
        {
            self.participants.remove(&oldest);
        }
    }

    /// Removes all state of a participant.
    pub fn remove(&mut self, participant: ParticipantId) {
        self.addresses.remove(&participant);
        self.participants.retain(|_, known| *known != participant);
        self.users.retain(|_, known| *known != participant);
    }
}

/// The number of addresses that are kept for one participant. A client has a few paths to the server.
const MAX_ADDRESSES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: ParticipantId = ParticipantId(1);
    const BEN: ParticipantId = ParticipantId(2);

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn the_oldest_address_is_dropped_and_a_repeated_one_is_not_counted() {
        let mut routes = Routes::default();
        for port in 0..20 {
            routes.add_address(ANNA, address(port));
            routes.add_address(ANNA, address(port));
        }
        assert_eq!((routes.find(address(3), &[0x80]), routes.find(address(4), &[0x80])), (None, Some(ANNA)));
        assert_eq!(routes.participants.len(), MAX_ADDRESSES);
    }

    #[test]
    fn removal_deletes_all_state_of_a_participant() {
        let mut routes = Routes::default();
        routes.set_user(ANNA, "anna".into());
        routes.set_user(ANNA, "anew".into());
        routes.add_address(ANNA, address(1));
        routes.add_address(BEN, address(1));
        routes.remove(ANNA);
        assert_eq!(routes.find(address(1), &[0x80]), Some(BEN), "the address has another owner now");
        routes.remove(BEN);
        assert!(routes.participants.is_empty() && routes.addresses.is_empty() && routes.users.is_empty());
    }
}

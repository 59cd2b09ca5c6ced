//! Finds the participant that a datagram comes from.

use proto::ParticipantId;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use str0m::ice::StunMessage;

/// The addresses and ICE user names of all participants.
#[derive(Debug, Default)]
pub struct Routes {
    /// Who sends from an address, and when the last datagram came.
    participants: HashMap<SocketAddr, (ParticipantId, Instant)>,
    /// The addresses of each participant, oldest first.
    addresses: HashMap<ParticipantId, VecDeque<SocketAddr>>,
    users: HashMap<String, ParticipantId>,
}

impl Routes {
    /// Returns the participant that sent a datagram from `source`: by the user name if it is a STUN request, else by
    /// the address.
    pub fn find(&self, source: SocketAddr, datagram: &[u8]) -> Option<ParticipantId> {
        let by_address = || self.participants.get(&source).map(|(participant, _)| *participant);
        map_user(datagram, |user| self.users.get(user).copied()).unwrap_or_else(by_address)
    }

    /// Sets the ICE user name of a participant.
    pub fn set_user(&mut self, participant: ParticipantId, user: String) {
        self.users.retain(|_, known| *known != participant);
        self.users.insert(user, participant);
    }

    /// Adds an address from which a participant sends. Drops its oldest one if there are too many. Returns false if another
    /// participant has used the address in the last 30 s: the source of a datagram may be forged.
    pub fn add_address(&mut self, participant: ParticipantId, address: SocketAddr, now: Instant) -> bool {
        match self.participants.get_mut(&address) {
            Some((known, used)) if *known == participant => {
                *used = now;
                return true;
            }
            Some((_, used)) if is_recent(*used, now) => return false,
            Some(_) | None => {}
        }
        self.participants.insert(address, (participant, now));
        let addresses = self.addresses.entry(participant).or_default();
        addresses.push_back(address);
        if addresses.len() > MAX_ADDRESSES
            && let Some(oldest) = addresses.pop_front()
            && self.participants.get(&oldest).is_some_and(|(known, _)| *known == participant)
        {
            self.participants.remove(&oldest);
        }
        true
    }

    /// Returns whether another participant than this one has used the address in the last 30 s.
    pub fn is_used_by_another(&self, participant: ParticipantId, address: SocketAddr, now: Instant) -> bool {
        let known = self.participants.get(&address);
        known.is_some_and(|(known, used)| *known != participant && is_recent(*used, now))
    }

    /// Removes all state of a participant.
    pub fn remove(&mut self, participant: ParticipantId) {
        self.addresses.remove(&participant);
        self.participants.retain(|_, (known, _)| *known != participant);
        self.users.retain(|_, known| *known != participant);
    }
}

/// Passes the server's user name in a STUN request to `map`. Returns `None` for another datagram.
fn map_user<T>(datagram: &[u8], map: impl FnOnce(&str) -> T) -> Option<T> {
    // The first byte of a STUN message is 0 or 1 (RFC 7983, section 7).
    if datagram.first().is_none_or(|first| *first > 1) {
        return None;
    }
    // Everybody can send such a datagram. Unwind safe: the parser changes nothing.
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        let message = StunMessage::parse(datagram).ok()?;
        let (user, _) = message.split_username()?;
        Some(map(user))
    }));
    parsed.unwrap_or(None)
}

fn is_recent(used: Instant, now: Instant) -> bool {
    now.saturating_duration_since(used) < ADDRESS_TIMEOUT
}

/// How long an address stays with the participant that used it last. A client that is connected sends every few seconds, and
/// the consent to send to it ends after this time (RFC 7675, section 5.1).
pub const ADDRESS_TIMEOUT: Duration = Duration::from_secs(30);

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
        let (mut routes, now) = (Routes::default(), Instant::now());
        for port in 0..20 {
            assert!(routes.add_address(ANNA, address(port), now));
            assert!(routes.add_address(ANNA, address(port), now));
        }
        assert_eq!((routes.find(address(3), &[0x80]), routes.find(address(4), &[0x80])), (None, Some(ANNA)));
        assert_eq!(routes.participants.len(), MAX_ADDRESSES);
    }

    #[test]
    fn removal_deletes_all_state_of_a_participant() {
        let (mut routes, now) = (Routes::default(), Instant::now());
        routes.set_user(ANNA, "anna".into());
        routes.set_user(ANNA, "anew".into());
        routes.add_address(ANNA, address(1), now);
        routes.add_address(BEN, address(1), now + ADDRESS_TIMEOUT);
        routes.remove(ANNA);
        assert_eq!(routes.find(address(1), &[0x80]), Some(BEN), "the address has another owner now");
        routes.remove(BEN);
        assert!(routes.participants.is_empty() && routes.addresses.is_empty() && routes.users.is_empty());
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

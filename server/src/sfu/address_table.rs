//! The addresses that participants send from, for all threads of a server.
//!
//! An address belongs to the participant that used it last, and stays with it for 30 s: the source of a datagram may be forged. An
//! address is claimed after a connectivity check, so the table is seldom locked: a thread keeps its claims, and renews them without
//! a lock.

use proto::ParticipantId;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The table of all addresses. Threads share it.
#[derive(Debug)]
pub struct AddressTable {
    claims: Mutex<HashMap<SocketAddr, Arc<Claim>>>,
    /// The times of all claims count from here.
    start: Instant,
}

/// A handle to the table for one thread. Clones belong to the same thread.
#[derive(Clone, Debug)]
pub struct ThreadAddresses {
    table: Arc<AddressTable>,
    thread: u8,
}

/// The claim of a participant to an address.
#[derive(Debug)]
pub struct Claim {
    participant: ParticipantId,
    thread: u8,
    /// When the last datagram came, in microseconds since the start of the table.
    used: AtomicU64,
    /// True if the address was released, or another participant has it.
    ended: AtomicBool,
}

/// The locked table, for the thread that receives.
pub struct AddressTableGuard<'t>(MutexGuard<'t, HashMap<SocketAddr, Arc<Claim>>>);

impl AddressTable {
    /// Returns an empty table.
    pub fn new(now: Instant) -> Self {
        Self { claims: Mutex::default(), start: now }
    }

    /// Locks the table.
    pub fn lock(&self) -> AddressTableGuard<'_> {
        AddressTableGuard(self.claims())
    }

    fn claims(&self) -> MutexGuard<'_, HashMap<SocketAddr, Arc<Claim>>> {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn micros(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.start).as_micros()).unwrap_or(u64::MAX)
    }
}

impl AddressTableGuard<'_> {
    /// Returns the thread of the participant that has an address.
    pub fn thread_of(&self, address: SocketAddr) -> Option<u8> {
        self.0.get(&address).map(|claim| claim.thread)
    }
}

impl ThreadAddresses {
    /// Returns the handle of a thread.
    pub fn new(table: Arc<AddressTable>, thread: u8) -> Self {
        Self { table, thread }
    }

    /// Returns the number of the thread.
    pub fn thread(&self) -> u8 {
        self.thread
    }

    /// Claims an address for a participant of this thread. Returns `None` if another participant has used it in the last 30 s.
    pub fn claim(&self, address: SocketAddr, participant: ParticipantId, now: Instant) -> Option<Arc<Claim>> {
        let (mut claims, used) = (self.table.claims(), self.table.micros(now));
        if let Some(claim) = claims.get(&address) {
            if claim.participant == participant && claim.thread == self.thread {
                claim.used.store(used, Ordering::Relaxed);
                return Some(Arc::clone(claim));
            }
            if claim.participant != participant && claim.is_recent(used) {
                return None;
            }
            claim.ended.store(true, Ordering::Relaxed);
        }
        let (thread, ended) = (self.thread, AtomicBool::new(false));
        let claim = Arc::new(Claim { participant, thread, used: AtomicU64::new(used), ended });
        claims.insert(address, Arc::clone(&claim));
        Some(claim)
    }

    /// Renews a claim. Returns false if it has ended.
    pub fn renew(&self, claim: &Claim, now: Instant) -> bool {
        claim.used.store(self.table.micros(now), Ordering::Relaxed);
        !claim.has_ended()
    }

    /// Releases an address. Does nothing if it does not belong to the participant.
    pub fn release(&self, address: SocketAddr, participant: ParticipantId) {
        let mut claims = self.table.claims();
        if let Some(claim) = claims.get(&address).filter(|claim| claim.participant == participant) {
            claim.ended.store(true, Ordering::Relaxed);
            claims.remove(&address);
        }
    }

    /// Returns whether another participant than this one has used the address in the last 30 s.
    pub fn is_used_by_another(&self, participant: ParticipantId, address: SocketAddr, now: Instant) -> bool {
        let used = self.table.micros(now);
        let claims = self.table.claims();
        claims.get(&address).is_some_and(|claim| claim.participant != participant && claim.is_recent(used))
    }
}

impl Default for ThreadAddresses {
    /// Returns the handle of the only thread of a new table.
    fn default() -> Self {
        Self::new(Arc::new(AddressTable::new(Instant::now())), 0)
    }
}

impl Claim {
    /// Returns the participant that has, or had, the address.
    pub fn participant(&self) -> ParticipantId {
        self.participant
    }

    /// Returns true if the address was released, or another participant has it.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    fn is_recent(&self, now: u64) -> bool {
        let unused = now.saturating_sub(self.used.load(Ordering::Relaxed));
        Duration::from_micros(unused) < ADDRESS_TIMEOUT
    }
}

/// The maximum number of threads that share a table.
pub const MAX_THREADS: u8 = 8;

/// How long an address stays with the participant that used it last. A client that is connected sends every few seconds, and
/// the consent to send to it ends after this time (RFC 7675, section 5.1).
pub const ADDRESS_TIMEOUT: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: ParticipantId = ParticipantId(1);
    const BEN: ParticipantId = ParticipantId(2);

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([198, 51, 100, 7], port))
    }

    /// Returns the handles of two threads.
    fn two_threads(now: Instant) -> [ThreadAddresses; 2] {
        let table = Arc::new(AddressTable::new(now));
        [0, 1].map(|thread| ThreadAddresses::new(Arc::clone(&table), thread))
    }

    #[test]
    fn an_address_in_use_stays_with_its_participant_across_threads() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let [first, second] = two_threads(start);
        let anna = first.claim(address(1), ANNA, start).expect("it is free");
        assert!(second.claim(address(1), BEN, at(29)).is_none() && second.is_used_by_another(BEN, address(1), at(29)));
        assert!(first.renew(&anna, at(20)));
        assert!(second.claim(address(1), BEN, at(49)).is_none(), "used 29 s ago");
        assert_eq!(first.table.lock().thread_of(address(1)), Some(0));
        let ben = second.claim(address(1), BEN, at(50)).expect("unused for 30 s");
        assert_eq!(first.table.lock().thread_of(address(1)), Some(1));
        assert!(!first.renew(&anna, at(51)), "Anna has lost it");
        assert!(first.claim(address(1), ANNA, at(51)).is_none());
        assert!(second.renew(&ben, at(51)));
    }

    #[test]
    fn a_released_address_is_free_at_once_and_only_its_participant_can_release_it() {
        let now = Instant::now();
        let [first, second] = two_threads(now);
        let anna = first.claim(address(1), ANNA, now).expect("it is free");
        second.release(address(1), BEN);
        assert!(first.renew(&anna, now));
        first.release(address(1), ANNA);
        assert!(!first.renew(&anna, now) && anna.has_ended());
        assert_eq!(second.claim(address(1), BEN, now).map(|claim| claim.participant()), Some(BEN));
        first.release(address(1), ANNA);
        assert_eq!(first.table.lock().thread_of(address(1)), Some(1), "Ben's stays");
    }

    #[test]
    fn a_participant_that_claims_an_address_twice_has_one_claim() {
        let now = Instant::now();
        let [first, _] = two_threads(now);
        let claims = [now, now].map(|now| first.claim(address(1), ANNA, now).expect("its own"));
        assert!(Arc::ptr_eq(&claims[0], &claims[1]) && !claims[0].has_ended());
        assert_eq!(first.table.claims().len(), 1);
    }
}

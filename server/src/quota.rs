//! Quotas for each origin: connections, handshakes, bytes of unfinished messages, and signed commands. Pure: the caller passes the time.

use crate::bucket::Bucket;
use crate::{Limits, Origin};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What all origins use.
#[derive(Debug)]
pub struct Quotas {
    origins: HashMap<Origin, OriginUsage>,
    connections: usize,
    max_connections: usize,
    max_of_origin: usize,
    handshake_interval: Duration,
    burst: Duration,
    bytes_per_second: u32,
    byte_burst: u32,
    commands_per_second: u32,
    command_burst: u32,
}

/// What one origin uses.
#[derive(Debug)]
struct OriginUsage {
    connections: usize,
    /// When the next handshake would start if there were no burst.
    next_handshake: Instant,
    shared: OriginQuota,
}

/// The quotas of bytes and commands that all connections from one origin share.
#[derive(Clone, Debug)]
pub struct OriginQuota {
    /// Bytes of unfinished messages.
    pub held_bytes: Arc<AtomicUsize>,
    long_messages: Arc<Mutex<Bucket>>,
    commands: Arc<Mutex<Bucket>>,
}

impl OriginQuota {
    /// Returns whether the origin may send a message of `length` bytes now. Short messages are always allowed: the
    /// limits of their connections are enough.
    pub fn take(&self, length: u32, now: Instant) -> bool {
        length <= MAX_SHORT || self.long_messages.lock().unwrap_or_else(PoisonError::into_inner).take(length, now)
    }

    /// Returns whether a signed command of the origin may be handled now. If not, the caller asks again later. The task that handles
    /// the commands of all meetings verifies a signature for each.
    pub fn take_command(&self, now: Instant) -> bool {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner).take(1, now)
    }
}

/// Counts one connection of an origin until it is dropped.
#[derive(Debug)]
pub struct ConnectionPermit {
    quotas: Arc<Mutex<Quotas>>,
    origin: Origin,
    /// How long to wait before the handshake.
    pub wait: Duration,
    /// What it shares with other connections from the same origin.
    pub shared: OriginQuota,
}

impl Quotas {
    /// Returns quotas without connections.
    pub fn new(limits: &Limits) -> Self {
        let handshake_interval = Duration::from_secs(1) / limits.address_handshakes_per_second.max(1);
        Self {
            origins: HashMap::new(),
            connections: 0,
            max_connections: limits.connections,
            // At least one, so that a small server accepts connections.
            max_of_origin: limits.address_connections.min(limits.connections / ADDRESS_SHARE).max(1),
            handshake_interval,
            burst: handshake_interval * limits.address_handshake_burst,
            bytes_per_second: limits.address_bytes_per_second,
            byte_burst: limits.address_byte_burst,
            commands_per_second: limits.address_commands_per_second,
            command_burst: limits.address_command_burst,
        }
    }

    fn take(&mut self, origin: Origin, now: Instant) -> Option<(Duration, OriginQuota)> {
        if self.origins.len() >= MAX_IDLE_ORIGINS {
            self.origins.retain(|_, usage| usage.connections > 0 || usage.next_handshake > now);
        }
        let usage = self.origins.entry(origin).or_insert_with(|| OriginUsage {
            connections: 0,
            next_handshake: now,
            shared: OriginQuota {
                held_bytes: Arc::default(),
                long_messages: Arc::new(Mutex::new(Bucket::new(self.bytes_per_second, self.byte_burst, now))),
                commands: Arc::new(Mutex::new(Bucket::new(self.commands_per_second, self.command_burst, now))),
            },
        });
        if usage.connections >= self.max_of_origin || self.connections >= self.max_connections {
            return None;
        }
        usage.connections += 1;
        self.connections += 1;
        let wait = usage.next_handshake.saturating_duration_since(now).saturating_sub(self.burst);
        usage.next_handshake = usage.next_handshake.max(now) + self.handshake_interval;
        Some((wait, usage.shared.clone()))
    }

    fn release(&mut self, origin: Origin) {
        if let Some(usage) = self.origins.get_mut(&origin) {
            usage.connections = usage.connections.saturating_sub(1);
            self.connections = self.connections.saturating_sub(1);
        }
    }
}

impl ConnectionPermit {
    /// Counts a connection from `origin`. Returns `None` if the origin or the server has too many.
    pub fn take(quotas: &Arc<Mutex<Quotas>>, origin: Origin, now: Instant) -> Option<Self> {
        let (wait, shared) = quotas.lock().unwrap_or_else(PoisonError::into_inner).take(origin, now)?;
        Some(Self { quotas: quotas.clone(), origin, wait, shared })
    }

    /// Returns the origin.
    pub fn origin(&self) -> Origin {
        self.origin
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.quotas.lock().unwrap_or_else(PoisonError::into_inner).release(self.origin);
    }
}

/// Counts the bytes of a connection's unfinished message, and bounds those of its origin.
#[derive(Debug)]
pub struct Meter {
    unfinished: AtomicUsize,
    max_unfinished: AtomicUsize,
    held_bytes: Arc<AtomicUsize>,
    max_held: usize,
}

impl Meter {
    /// Returns a meter that allows `max_unfinished` bytes of this connection, and `max_held` of all connections that
    /// share `held_bytes`.
    pub fn new(max_unfinished: usize, held_bytes: Arc<AtomicUsize>, max_held: usize) -> Self {
        let unfinished = AtomicUsize::new(0);
        Self { unfinished, max_unfinished: AtomicUsize::new(max_unfinished), held_bytes, max_held }
    }

    /// Counts bytes that arrived. Returns false if there are too many.
    pub fn add(&self, bytes: usize) -> bool {
        let unfinished = self.unfinished.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let held = self.held_bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        unfinished <= self.max_unfinished.load(Ordering::Relaxed) && held <= self.max_held
    }

    /// Handles the end of a message: the next one begins.
    pub fn finish(&self) {
        self.held_bytes.fetch_sub(self.unfinished.swap(0, Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Sets how many bytes an unfinished message may have.
    pub fn allow(&self, max_unfinished: usize) {
        self.max_unfinished.store(max_unfinished, Ordering::Relaxed);
    }

    /// Returns how many bytes an unfinished message may have.
    pub fn allowed(&self) -> usize {
        self.max_unfinished.load(Ordering::Relaxed)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.finish();
    }
}

/// How long after its last part a tree is kept. Its commit follows at once, unless the network stalls.
pub const MAX_TREE_AGE: Duration = Duration::from_secs(30);

/// Counts the parts of a tree that the service keeps for one connection until its commit, among the bytes of unfinished messages of its
/// origin.
#[derive(Debug)]
pub struct HeldTree {
    bytes: usize,
    /// When the last part came.
    since: Option<Instant>,
    held_bytes: Arc<AtomicUsize>,
    max_held: usize,
}

impl HeldTree {
    /// Returns a tree without parts.
    pub fn new(held_bytes: Arc<AtomicUsize>, max_held: usize) -> Self {
        Self { bytes: 0, since: None, held_bytes, max_held }
    }

    /// Counts a part. Returns false if the origin has too many bytes.
    pub fn add(&mut self, first: bool, bytes: usize, now: Instant) -> bool {
        if first {
            self.release();
        }
        self.since = Some(now);
        self.bytes += bytes;
        self.held_bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= self.max_held
    }

    /// Handles that time has passed: the service drops parts that no commit has followed.
    pub fn expire(&mut self, now: Instant) {
        if self.since.is_some_and(|since| since + MAX_TREE_AGE <= now) {
            self.release();
        }
    }

    /// Handles that the service keeps the parts no longer.
    pub fn release(&mut self) {
        self.held_bytes.fetch_sub(std::mem::take(&mut self.bytes), Ordering::Relaxed);
    }
}

impl Drop for HeldTree {
    fn drop(&mut self) {
        self.release();
    }
}

/// One origin may use this fraction of all connections: 1/4.
const ADDRESS_SHARE: usize = 4;

/// Bytes of a message that does not count against the bytes of its origin.
const MAX_SHORT: u32 = 16 << 10;

/// Origins without connections are forgotten if there are more than this.
const MAX_IDLE_ORIGINS: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn origin(last: u8) -> Origin {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)).into()
    }

    fn quotas(limits: &Limits) -> Arc<Mutex<Quotas>> {
        Arc::new(Mutex::new(Quotas::new(limits)))
    }

    #[test]
    fn one_address_never_takes_all_places() {
        let quotas = quotas(&Limits { connections: 20, ..Limits::default() });
        let now = Instant::now();
        let permits: Vec<ConnectionPermit> =
            (0..100).filter_map(|_| ConnectionPermit::take(&quotas, origin(1), now)).collect();
        assert_eq!(permits.len(), 5, "a quarter");
        assert!(ConnectionPermit::take(&quotas, origin(2), now).is_some());
        drop(permits);
        assert!(ConnectionPermit::take(&quotas, origin(1), now).is_some(), "dropped permits are free");
    }

    #[test]
    fn handshakes_beyond_the_burst_wait() {
        let limits = Limits { address_handshakes_per_second: 10, address_handshake_burst: 5, ..Limits::default() };
        let (quotas, now) = (quotas(&limits), Instant::now());
        let permits: Vec<ConnectionPermit> =
            (0..10).filter_map(|_| ConnectionPermit::take(&quotas, origin(1), now)).collect();
        let waits: Vec<u128> = permits.iter().map(|permit| permit.wait.as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 0, 100, 200, 300, 400]);
        assert_eq!(ConnectionPermit::take(&quotas, origin(2), now).map(|permit| permit.wait), Some(Duration::ZERO));
        let later = ConnectionPermit::take(&quotas, origin(1), now + Duration::from_secs(2));
        assert_eq!(later.map(|permit| permit.wait), Some(Duration::ZERO));
    }

    #[test]
    fn long_messages_of_one_address_are_bounded_together() {
        let limits = Limits { address_byte_burst: 100_000, address_bytes_per_second: 10_000, ..Limits::default() };
        let (quotas, now) = (quotas(&limits), Instant::now());
        let permits: Vec<ConnectionPermit> =
            (0..3).filter_map(|_| ConnectionPermit::take(&quotas, origin(1), now)).collect();
        let taken = permits.iter().map(|permit| permit.shared.take(50_000, now)).collect::<Vec<_>>();
        assert_eq!(taken, [true, true, false]);
        assert!(permits[2].shared.take(100, now), "a short message");
        let other = ConnectionPermit::take(&quotas, origin(2), now).expect("a permit");
        assert!(other.shared.take(50_000, now), "another address");
        assert!(permits[2].shared.take(50_000, now + Duration::from_secs(5)));
    }

    /// 64 connections with 50 commands a second each, and 35 commands a second of a manager elsewhere: 20 refusals, 10 messages of
    /// lobby chats and five commits.
    #[test]
    fn signed_commands_of_one_address_wait_together_and_those_of_others_do_not() {
        let (quotas, start) = (quotas(&Limits::default()), Instant::now());
        let permits: Vec<ConnectionPermit> =
            (0..64).filter_map(|_| ConnectionPermit::take(&quotas, origin(1), start)).collect();
        let other = ConnectionPermit::take(&quotas, origin(2), start).expect("a permit");
        let (mut handled, mut delayed) = (0, 0);
        for step in 0..500 {
            let now = start + Duration::from_millis(20 * step);
            handled += permits.iter().filter(|permit| permit.shared.take_command(now)).count();
            let of_other = if step % 10 == 0 { 7 } else { 0 };
            delayed += (0..of_other).filter(|_| !other.shared.take_command(now)).count();
        }
        assert_eq!((permits.len(), handled, delayed), (64, 200 + 998, 0));
    }

    #[test]
    fn unfinished_messages_of_one_address_are_bounded_together() {
        let held: Arc<AtomicUsize> = Arc::default();
        let (one, two) = (Meter::new(100, held.clone(), 150), Meter::new(100, held.clone(), 150));
        assert!(one.add(100) && two.add(50));
        assert!(!two.add(1), "too many of the address");
        one.finish();
        assert!(two.add(49));
        assert!(!two.add(1), "too many of the connection");
        drop(two);
        assert_eq!(held.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn the_trees_of_one_address_count_as_unfinished_messages() {
        let held: Arc<AtomicUsize> = Arc::default();
        let (meter, mut tree) = (Meter::new(100, held.clone(), 150), HeldTree::new(held.clone(), 150));
        let now = Instant::now();
        assert!(tree.add(true, 60, now) && tree.add(false, 40, now) && meter.add(50));
        assert!(!meter.add(1), "a tree and a message are too much together");
        meter.finish();
        assert!(!tree.add(false, 51, now));
        assert!(tree.add(true, 150, now), "the first part replaces the tree before");
        tree.release();
        assert_eq!(held.load(Ordering::Relaxed), 0);
        assert!(tree.add(true, 10, now));
        tree.expire(now + MAX_TREE_AGE.saturating_sub(Duration::from_secs(1)));
        assert_eq!(held.load(Ordering::Relaxed), 10);
        tree.expire(now + MAX_TREE_AGE);
        assert_eq!(held.load(Ordering::Relaxed), 0, "no commit has followed");
        assert!(tree.add(true, 10, now));
        drop(tree);
        assert_eq!(held.load(Ordering::Relaxed), 0);
    }
}

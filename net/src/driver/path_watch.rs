//! Notices that the network path to the server has changed, or that the computer was asleep. The connection is dead then, but TCP
//! notices that only much later.
//!
//! Each check makes a few system calls and sends nothing.

use crate::route::source;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant, SystemTime};

/// Watches the path of one connection.
#[derive(Debug)]
pub struct PathWatch {
    /// The times of the last check. On most systems, the monotonic clock stands still while the computer is asleep.
    last: (Instant, SystemTime),
    /// The local address that the system would use for a new connection, at the last check.
    source: Option<IpAddr>,
    /// The local address whose loss was reported.
    reported: Option<SocketAddr>,
    /// True from a report until [`PathWatch::take`].
    changed: bool,
}

/// The answers of the system at one check.
#[derive(Clone, Copy, Debug)]
struct Observation {
    /// The local address of the open connection, and whether this computer still has it. `None` if none is open.
    local: Option<(SocketAddr, bool)>,
    /// The local address that a new connection would use. `None` if no network leads to the server.
    source: Option<IpAddr>,
    now: Instant,
    wall: SystemTime,
}

impl PathWatch {
    pub fn new() -> Self {
        Self { last: (Instant::now(), SystemTime::now()), source: None, reported: None, changed: false }
    }

    /// Asks the system about the open connection, if there is one, and about the path to `server`. Returns true if the client
    /// must connect again, until [`PathWatch::take`].
    pub fn check(&mut self, local: Option<SocketAddr>, server: SocketAddr, now: Instant) -> bool {
        let local = local.map(|local| (local, is_ours(local)));
        self.observe(Observation { local, source: source(server), now, wall: SystemTime::now() })
    }

    /// Lets the next check return true.
    pub fn request(&mut self) {
        self.changed = true;
    }

    /// Records that the client connects again.
    pub fn take(&mut self) {
        self.changed = false;
    }

    fn observe(&mut self, Observation { local, source, now, wall }: Observation) -> bool {
        let slept = self.has_slept(now, wall);
        let source_before = std::mem::replace(&mut self.source, source);
        let changed = match local {
            Some((_, true)) => false,
            Some((local, false)) => self.reported.replace(local) != Some(local),
            None => source.is_some() && source != source_before,
        };
        self.changed |= changed || slept;
        self.changed
    }

    /// Returns true if the wall clock has advanced more than the monotonic clock. That is also so if the clock was set forward.
    fn has_slept(&mut self, now: Instant, wall: SystemTime) -> bool {
        let (then, wall_then) = std::mem::replace(&mut self.last, (now, wall));
        let passed = now.saturating_duration_since(then);
        wall.duration_since(wall_then).is_ok_and(|by_wall| by_wall > passed + MIN_SLEEP)
    }
}

/// Returns whether this computer has an address.
fn is_ours(mut address: SocketAddr) -> bool {
    address.set_port(0);
    // Another error does not mean that the address is gone.
    UdpSocket::bind(address).err().is_none_or(|error| error.kind() != ErrorKind::AddrNotAvailable)
}

/// The shortest sleep that counts. After a shorter one the connection still works.
const MIN_SLEEP: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(100);

    struct Clock {
        watch: PathWatch,
        now: Instant,
        wall: SystemTime,
    }

    impl Clock {
        fn new() -> Self {
            let watch = PathWatch::new();
            let (now, wall) = watch.last;
            Self { watch, now, wall }
        }

        /// Lets time pass, and returns whether the client must connect again.
        fn passes(&mut self, local: Option<(&str, bool)>, source: Option<&str>) -> bool {
            self.now += TICK;
            self.wall += TICK;
            let local = local.map(|(local, ours)| (SocketAddr::new(ip(local), 50_000), ours));
            let (now, wall) = (self.now, self.wall);
            self.watch.observe(Observation { local, source: source.map(ip), now, wall })
        }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_lost_address_is_reported_once_and_the_next_one_again() {
        let mut clock = Clock::new();
        assert!(!clock.passes(Some(("10.0.0.2", true)), Some("10.0.0.2")));
        assert!(!clock.passes(Some(("10.0.0.2", true)), Some("10.0.9.9")), "a second network does not matter");
        assert!(clock.passes(Some(("10.0.0.2", false)), Some("10.0.9.9")));
        assert!(clock.passes(Some(("10.0.0.2", false)), Some("10.0.9.9")), "until the caller takes it");
        clock.watch.take();
        assert!(!clock.passes(Some(("10.0.0.2", false)), Some("10.0.9.9")), "the caller is about to connect");
        assert!(!clock.passes(None, Some("10.0.9.9")), "it connects by this address");
        assert!(!clock.passes(Some(("10.0.9.9", true)), Some("10.0.9.9")));
        assert!(clock.passes(Some(("10.0.9.9", false)), None));
    }

    #[test]
    fn a_network_that_appears_while_there_is_no_connection_is_reported() {
        let mut clock = Clock::new();
        clock.passes(Some(("10.0.0.2", true)), Some("10.0.0.2"));
        assert!(clock.passes(Some(("10.0.0.2", false)), None));
        clock.watch.take();
        assert!(!clock.passes(None, None));
        assert!(clock.passes(None, Some("192.168.0.2")));
        clock.watch.take();
        assert!(!clock.passes(None, Some("192.168.0.2")));
        assert!(clock.passes(None, Some("192.168.7.7")), "another one");
    }

    #[test]
    fn a_computer_that_slept_connects_again_and_small_corrections_of_the_clock_do_not_matter() {
        let mut clock = Clock::new();
        let local = Some(("10.0.0.2", true));
        clock.wall += Duration::from_secs(4);
        assert!(!clock.passes(local, Some("10.0.0.2")));
        clock.wall -= Duration::from_hours(2);
        assert!(!clock.passes(local, Some("10.0.0.2")), "set back");
        clock.now += Duration::from_mins(1);
        clock.wall += Duration::from_mins(1);
        assert!(!clock.passes(local, Some("10.0.0.2")), "the process was stopped: the silence of the server counts");
        clock.wall += Duration::from_mins(1);
        assert!(clock.passes(local, Some("10.0.0.2")));
    }

    #[test]
    fn the_system_knows_its_own_addresses_and_the_path_to_others() {
        let local = |text: &str| SocketAddr::new(ip(text), 50_000);
        assert!(is_ours(local("127.0.0.1")));
        // TEST-NET-1 (RFC 5737): no computer has such an address.
        assert!(!is_ours(local("192.0.2.1")));
        assert_eq!(source(local("127.0.0.1")), Some(ip("127.0.0.1")));
    }
}

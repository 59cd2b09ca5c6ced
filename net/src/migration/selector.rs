//! Decides when media move to another local address, and which checks are sent before. Pure: the caller passes the time and the
//! address that the system's routes choose.
//!
//! Make before break: a socket on the new address checks the path while the old one carries media, and media move after the first
//! answer. If the old path cannot send any more, they move at once. The server sends to the new address when it gets a check that
//! nominates it, with a higher priority than all paths before.

use super::check::TransactionId;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

/// The number of a path. Each new one is higher. The path of the stack's own socket is 0.
pub type PathId = u16;

/// What the caller must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open a socket on this address.
    Open(PathId, IpAddr),
    /// Send media by this path from now on.
    Move(PathId),
    /// Close the socket of this path.
    Close(PathId),
    /// Send a check by this path, and call [`Selector::handle_check_sent`]. If the flag is true, it nominates the path.
    Check(PathId, bool),
}

/// The paths of one transport.
#[derive(Debug)]
pub struct Selector {
    active: PathId,
    /// The local address of the active path.
    address: IpAddr,
    /// True if the last datagram by the active path could not be sent.
    is_broken: bool,
    /// The path that is checked before media move.
    candidate: Option<Checked>,
    /// The active path, until the server sends to it.
    nominated: Option<Checked>,
    /// The number of the newest path.
    newest: PathId,
    /// Set after the path from an address has failed. It is not checked again before this time.
    pause: Option<(IpAddr, Instant)>,
}

/// A path that is being checked.
#[derive(Debug)]
struct Checked {
    path: PathId,
    address: IpAddr,
    since: Instant,
    next_check: Instant,
    /// The checks whose answer is awaited, oldest first.
    sent: VecDeque<TransactionId>,
}

impl Selector {
    /// Returns the state of a transport whose socket has this address.
    pub fn new(address: IpAddr) -> Self {
        Self { active: 0, address, is_broken: false, candidate: None, nominated: None, newest: 0, pause: None }
    }

    /// Returns the path by which media are sent.
    pub const fn active(&self) -> PathId {
        self.active
    }

    /// Handles the result of sending a datagram by the active path. Returns true if the path has just become unusable.
    pub fn handle_sent(&mut self, works: bool) -> bool {
        let before = std::mem::replace(&mut self.is_broken, !works);
        !works && !before
    }

    /// Handles that a socket could not be opened.
    pub fn handle_open_failure(&mut self, path: PathId, now: Instant) {
        if let Some(failed) = self.candidate.take_if(|candidate| candidate.path == path) {
            self.pause = Some((failed.address, now + OPEN_PAUSE));
        }
        if self.active == path {
            // Media have moved there because the path before cannot send.
            self.pause = Some((self.address, now + OPEN_PAUSE));
            self.address = unspecified(self.address);
            (self.is_broken, self.nominated) = (true, None);
        }
    }

    /// Handles that a check was sent.
    pub fn handle_check_sent(&mut self, path: PathId, id: TransactionId) {
        let checked = [&mut self.candidate, &mut self.nominated].into_iter().flatten();
        if let Some(checked) = checked.into_iter().find(|checked| checked.path == path) {
            if checked.sent.len() >= MAX_CHECKS {
                checked.sent.pop_front();
            }
            checked.sent.push_back(id);
        }
    }

    /// Returns whether this client has sent the check, and not the stack.
    pub fn has_sent(&self, id: TransactionId) -> bool {
        [&self.candidate, &self.nominated].into_iter().flatten().any(|checked| checked.sent.contains(&id))
    }

    /// Handles an authentic answer to a check. Pushes what to do now. If media have moved, [`Selector::handle_route`] is due.
    pub fn handle_answer(&mut self, id: TransactionId, now: Instant, actions: &mut Vec<Action>) {
        if self.nominated.take_if(|nominated| nominated.sent.contains(&id)).is_some() {
            return;
        }
        if self.candidate.as_ref().is_some_and(|candidate| candidate.sent.contains(&id)) {
            self.change(now, actions);
        }
    }

    /// Handles the address from which the system's routes lead to the server, `None` if no route does. Pushes what to do now.
    pub fn handle_route(&mut self, source: Option<IpAddr>, now: Instant, actions: &mut Vec<Action>) {
        if let Some(stale) = self.candidate.take_if(|candidate| source.is_some_and(|it| it != candidate.address)) {
            actions.push(Action::Close(stale.path));
        }
        if let Some(failed) = self.candidate.take_if(|candidate| candidate.is_over(now)) {
            self.pause = Some((failed.address, now + PAUSE));
            actions.push(Action::Close(failed.path));
        }
        self.nominated.take_if(|nominated| nominated.is_over(now));
        if self.candidate.is_none()
            && let Some(address) = source.filter(|address| self.may_move_to(*address, now))
        {
            self.newest = self.newest.saturating_add(1);
            let path = self.newest;
            self.candidate = Some(Checked { path, address, since: now, next_check: now, sent: VecDeque::new() });
            actions.push(Action::Open(path, address));
        }
        if self.is_broken && self.candidate.is_some() {
            // The active path carries nothing, so do not wait for an answer.
            self.change(now, actions);
        }
        let checks = [(&mut self.candidate, false), (&mut self.nominated, true)];
        for (checked, nominates) in checks {
            if let Some(checked) = checked.as_mut().filter(|checked| checked.next_check <= now) {
                checked.next_check = now + CHECK_INTERVAL;
                actions.push(Action::Check(checked.path, nominates));
            }
        }
    }

    /// Returns true while [`Selector::handle_route`] must be called often.
    pub const fn is_busy(&self) -> bool {
        self.is_broken || self.candidate.is_some() || self.nominated.is_some()
    }

    fn may_move_to(&self, address: IpAddr, now: Instant) -> bool {
        let pauses = self.pause.is_some_and(|(failed, until)| failed == address && now < until);
        let is_same_kind = self.address.is_unspecified() || address.is_loopback() == self.address.is_loopback();
        address != self.address && is_same_kind && !pauses
    }

    /// Moves media to the candidate.
    fn change(&mut self, now: Instant, actions: &mut Vec<Action>) {
        let Some(Checked { path, address, .. }) = self.candidate.take() else { return };
        (self.active, self.address, self.is_broken) = (path, address, false);
        actions.push(Action::Move(path));
        self.nominated = Some(Checked { path, address, since: now, next_check: now, sent: VecDeque::new() });
    }
}

impl Checked {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= CHECK_TIMEOUT
    }
}

/// Returns the address of the same family that no socket is bound to.
fn unspecified(address: IpAddr) -> IpAddr {
    if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() }
}

/// Returns the priority of a path, as checks name it. Those of the stack are lower: its candidates are of type host, whose preference
/// is 126 (RFC 8445, section 5.1.2). The server takes the nominated path with the highest priority.
pub const fn priority(path: PathId) -> u32 {
    127 << 24 | (path as u32) << 8 | 255
}

/// The interval between two checks of a path (RFC 8445, section 14.2).
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// How long a path is checked.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);

/// How long the path from an address is not checked after it has failed.
const PAUSE: Duration = Duration::from_secs(5);

/// The same after a socket could not be opened: the system may be about to remove the address.
const OPEN_PAUSE: Duration = Duration::from_millis(250);

/// The maximum number of checks whose answer is awaited: more than are sent before the timeout. If there were more, the oldest would be
/// dropped.
const MAX_CHECKS: usize = 64;

#[cfg(test)]
#[path = "selector_tests.rs"]
mod tests;

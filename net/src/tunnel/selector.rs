//! Chooses the path of media: UDP, or the tunnel. Pure: the caller passes the time.
//!
//! UDP is tried first. If it is silent for [`FIRST_SILENCE`] ([`RELAY_SILENCE`] if a TURN server may be reachable by UDP), or if
//! media took the tunnel before the client reconnected, the tunnel is wanted, and media change to it when it is open. Checks still go
//! by UDP as well. After [`GOOD_CHECKS`] of them are answered, media change back, and a little later the tunnel is closed. Each time
//! UDP fails after that, it is tried again after a longer pause.

use super::stun::{Kind, TransactionId};
use proto::MediaPath;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The paths of one datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Send it by UDP.
    pub udp: bool,
    /// Send it through the tunnel.
    pub tls: bool,
}

/// The chosen path, and what is known of both.
#[derive(Debug)]
pub struct PathSelector {
    path: MediaPath,
    is_tunnel_open: bool,
    /// The checks whose answer is awaited.
    checks: VecDeque<Check>,
    udp: Udp,
    /// True if media took a tunnel that is lost, until UDP works.
    is_tunnel_lost: bool,
    /// When the last datagram came through a TURN server, if media go there.
    relayed: Option<Instant>,
    /// True after the stack has connected. Before that, a datagram of a TURN server means nothing.
    connected: bool,
    /// How long the first check may have no answer.
    first_silence: Duration,
    /// How many checks in a row UDP has answered while media took the tunnel.
    good_checks: u32,
    /// The last change from the tunnel to UDP.
    returned: Option<Instant>,
    backoff: Backoff,
}

/// What was sent by UDP without an answer.
#[derive(Debug, Default)]
struct Udp {
    /// True after a check was answered.
    answered: bool,
    /// When the first check since the last datagram from the server was sent.
    check_since: Option<Instant>,
    /// When the first datagram of DTLS was sent since the last datagram from the server that is no STUN message.
    dtls_since: Option<Instant>,
    /// When the first packet of media was sent since that datagram, and how many packets.
    media_since: Option<(Instant, u32)>,
}

/// When UDP may be tried again.
#[derive(Clone, Copy, Debug)]
enum Backoff {
    /// At any time.
    None,
    /// After this time. The length is that of the pause.
    Until(Instant, Duration),
    /// Never, because UDP carries checks but no handshake.
    Forever,
}

/// A check that was sent.
#[derive(Debug)]
struct Check {
    id: TransactionId,
    /// True if it was answered on one path and may be answered on the other one.
    answered: bool,
}

impl PathSelector {
    /// Returns a selector without a tunnel. `before` is the path of the client's transport before this one, or UDP.
    pub fn new(before: MediaPath) -> Self {
        Self {
            path: MediaPath::Udp,
            is_tunnel_open: false,
            checks: VecDeque::new(),
            udp: Udp::default(),
            is_tunnel_lost: before == MediaPath::Tls,
            relayed: None,
            connected: false,
            first_silence: FIRST_SILENCE,
            good_checks: 0,
            returned: None,
            backoff: Backoff::None,
        }
    }

    /// Returns the path by which media go.
    pub const fn path(&self) -> MediaPath {
        self.path
    }

    /// Returns true if the tunnel should be open.
    pub fn wants_tunnel(&self, now: Instant) -> bool {
        let lingers = self.returned.is_some_and(|at| now.saturating_duration_since(at) < LINGER);
        self.path == MediaPath::Tls || self.is_udp_silent(Duration::ZERO, now) || (self.is_tunnel_open && lingers)
    }

    /// Opens the tunnel later than otherwise, because a TURN server may be reachable by UDP, which is better and needs more time.
    pub const fn wait_for_relay(&mut self) {
        self.first_silence = RELAY_SILENCE;
    }

    /// Handles a datagram that came through a TURN server, to which the stack sends media.
    pub fn handle_relayed(&mut self, now: Instant) {
        self.relayed = Some(now);
    }

    /// Handles that the stack sends media to the server's own address: not to a TURN server.
    pub fn handle_direct(&mut self) {
        self.relayed = None;
    }

    /// Handles that the stack has connected. If it did so through a TURN server, the tunnel is not needed.
    pub fn handle_connected(&mut self, now: Instant) {
        self.connected = true;
        if self.is_relay_new(now) {
            self.path = MediaPath::Udp;
        }
    }

    /// Returns true if a TURN server carries media.
    pub fn is_relayed(&self, now: Instant) -> bool {
        self.path == MediaPath::Udp && self.connected && self.is_relay_new(now)
    }

    fn is_relay_new(&self, now: Instant) -> bool {
        self.relayed.is_some_and(|at| now.saturating_duration_since(at) < SILENCE)
    }

    /// Handles that the tunnel is open.
    pub fn handle_opened(&mut self, now: Instant) {
        self.is_tunnel_open = true;
        self.handle_timeout(now);
    }

    /// Handles that the tunnel is closed. Media go by UDP, even if it does not work: there is no other path.
    pub fn handle_closed(&mut self) {
        self.is_tunnel_open = false;
        self.is_tunnel_lost |= self.path == MediaPath::Tls;
        self.path = MediaPath::Udp;
    }

    /// Returns by which paths a datagram goes that is sent now.
    pub fn handle_sent(&mut self, kind: Kind, now: Instant) -> Route {
        if let Kind::Check(id) = kind {
            if self.checks.len() >= MAX_CHECKS {
                self.checks.pop_front();
            }
            self.checks.push_back(Check { id, answered: false });
        }
        let tls = self.path == MediaPath::Tls;
        let udp = !tls || matches!(kind, Kind::Check(_));
        if udp {
            self.udp.handle_sent(kind, now);
        }
        Route { udp, tls }
    }

    /// Handles a datagram from the server. Returns false if the stack must not get it: the second answer to a check.
    pub fn handle_received(&mut self, path: MediaPath, kind: Kind) -> bool {
        let mut is_first = true;
        let mut is_answer = false;
        if let Kind::CheckAnswer(id) = kind
            && let Some(index) = self.checks.iter().position(|check| check.id == id)
        {
            is_answer = true;
            let check = &mut self.checks[index];
            is_first = !std::mem::replace(&mut check.answered, true);
        }
        if path == MediaPath::Udp {
            self.udp.handle_received(kind, is_answer);
            self.is_tunnel_lost &= !is_answer;
            self.good_checks += u32::from(is_answer && self.path == MediaPath::Tls);
        }
        is_first
    }

    /// Changes the path if UDP has failed while the tunnel is open, or if UDP works again.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.path {
            MediaPath::Udp if self.is_tunnel_open && self.is_udp_silent(GRACE, now) => {
                self.backoff = self.backoff.after_failure(&self.udp, now);
                self.path = MediaPath::Tls;
                self.is_tunnel_lost = false;
                self.good_checks = 0;
                self.returned = None;
                self.udp = Udp { answered: self.udp.answered, ..Udp::default() };
            }
            MediaPath::Tls if !self.is_check_lost(Duration::ZERO, now) => {
                if self.good_checks >= GOOD_CHECKS && self.backoff.is_over(now) {
                    self.path = MediaPath::Udp;
                    self.returned = Some(now);
                    self.udp = Udp { answered: true, ..Udp::default() };
                }
            }
            MediaPath::Tls => {
                // Count the next answers from zero.
                self.good_checks = 0;
                self.udp.check_since = None;
            }
            MediaPath::Udp => {}
        }
    }

    /// `grace` is added to the time for the first answer.
    fn is_check_lost(&self, grace: Duration, now: Instant) -> bool {
        let limit = if self.udp.answered { SILENCE } else { self.first_silence + grace };
        self.udp.check_since.is_some_and(|since| now.saturating_duration_since(since) >= limit)
    }

    fn is_udp_silent(&self, grace: Duration, now: Instant) -> bool {
        let is_lost = self.is_tunnel_lost
            || self.is_check_lost(grace, now)
            || self.udp.is_dtls_lost(now)
            || self.udp.is_media_lost(now);
        self.path == MediaPath::Udp && is_lost && !self.is_relayed(now)
    }
}

impl Udp {
    fn handle_sent(&mut self, kind: Kind, now: Instant) {
        match kind {
            Kind::Check(_) => _ = self.check_since.get_or_insert(now),
            Kind::Dtls => _ = self.dtls_since.get_or_insert(now),
            Kind::Media => self.media_since.get_or_insert((now, 0)).1 += 1,
            Kind::CheckAnswer(_) | Kind::OtherStun | Kind::Relayed => {}
        }
    }

    fn handle_received(&mut self, kind: Kind, is_answer: bool) {
        match kind {
            Kind::Dtls | Kind::Media => {
                self.check_since = None;
                self.dtls_since = None;
                self.media_since = None;
            }
            Kind::CheckAnswer(_) if is_answer => {
                self.answered = true;
                self.check_since = None;
            }
            // Somebody else may have sent it.
            Kind::Check(_) | Kind::CheckAnswer(_) | Kind::OtherStun | Kind::Relayed => {}
        }
    }

    fn is_dtls_lost(&self, now: Instant) -> bool {
        self.dtls_since.is_some_and(|since| now.saturating_duration_since(since) >= HANDSHAKE_SILENCE)
    }

    /// The server answers media with feedback. Without media, it may send nothing.
    fn is_media_lost(&self, now: Instant) -> bool {
        self.media_since
            .is_some_and(|(since, packets)| packets >= MIN_PACKETS && now.saturating_duration_since(since) >= SILENCE)
    }
}

impl Backoff {
    /// Returns the backoff after `udp` has failed. If UDP has never worked, there is none: it may work soon.
    fn after_failure(self, udp: &Udp, now: Instant) -> Self {
        if udp.is_dtls_lost(now) && udp.answered {
            return Self::Forever;
        }
        match self {
            Self::None if !udp.answered => Self::None,
            Self::None => Self::Until(now + FIRST_BACKOFF, FIRST_BACKOFF),
            Self::Until(_, length) => {
                let length = (2 * length).min(MAX_BACKOFF);
                Self::Until(now + length, length)
            }
            Self::Forever => Self::Forever,
        }
    }

    fn is_over(self, now: Instant) -> bool {
        match self {
            Self::None => true,
            Self::Until(end, _) => end <= now,
            Self::Forever => false,
        }
    }
}

/// How long the first check may have no answer by UDP before the tunnel is opened beside it (RFC 8305, section 8: "Connection
/// Attempt Delay"). Opening takes three round trips, and media change only if UDP has not answered until then: the answer of a path
/// around the world comes before.
pub const FIRST_SILENCE: Duration = Duration::from_millis(250);

/// How much longer UDP may take if the tunnel is open already: on a short path, both ends may have been busy.
pub const GRACE: Duration = Duration::from_millis(250);

/// The same if there are TURN servers: an allocation, a permission and a check through it take four round trips.
pub const RELAY_SILENCE: Duration = Duration::from_millis(900);

/// How long UDP that has worked may be silent. The stack sends a check every half second.
pub const SILENCE: Duration = Duration::from_millis(2_500);

/// How long the DTLS handshake may have no answer by UDP. The client repeats a lost message several times.
pub const HANDSHAKE_SILENCE: Duration = Duration::from_millis(2_200);

/// Packets of media that have no answer if UDP is silent.
const MIN_PACKETS: u32 = 50;

/// Checks in a row that UDP answers before media change back to it.
pub const GOOD_CHECKS: u32 = 3;

/// How long the tunnel stays open after media have changed back to UDP.
pub const LINGER: Duration = Duration::from_secs(10);

/// The first and the longest pause after UDP has failed.
pub const FIRST_BACKOFF: Duration = Duration::from_secs(10);
const MAX_BACKOFF: Duration = Duration::from_secs(160);

/// Checks whose answer is awaited. The stack sends at most 50 a second to each address.
const MAX_CHECKS: usize = 160;

#[cfg(test)]
#[path = "selector_tests.rs"]
mod tests;

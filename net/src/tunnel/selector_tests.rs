use super::*;

/// A selector on virtual time, with a server that may answer on each path.
struct Simulation {
    selector: PathSelector,
    now: Instant,
    next: u8,
    /// UDP carries checks; UDP carries everything else.
    udp: (bool, bool),
    /// Whether the tunnel can be opened.
    tls: bool,
    open: bool,
}

impl Simulation {
    fn new(udp: (bool, bool), tls: bool) -> Self {
        Self::after(MediaPath::Udp, udp, tls)
    }

    fn after(before: MediaPath, udp: (bool, bool), tls: bool) -> Self {
        Self { selector: PathSelector::new(before), now: Instant::now(), next: 0, udp, tls, open: false }
    }

    /// Sends a datagram, and delivers the answers of the server. Returns how many of them the stack gets.
    fn send(&mut self, kind: Kind, answer: Kind, udp_works: bool) -> u32 {
        let route = self.selector.handle_sent(kind, self.now);
        assert!(!route.tls || self.open, "sent into a tunnel that is not open");
        let mut delivered = 0;
        if route.udp && udp_works {
            delivered += u32::from(self.selector.handle_received(MediaPath::Udp, answer));
        }
        if route.tls && self.open {
            delivered += u32::from(self.selector.handle_received(MediaPath::Tls, answer));
        }
        delivered
    }

    fn check(&mut self) -> u32 {
        self.next = self.next.wrapping_add(1);
        let id = [self.next; 12];
        self.send(Kind::Check(id), Kind::CheckAnswer(id), self.udp.0)
    }

    /// Runs for `time`: a check every 100 ms, `media` packets each with feedback, and the tunnel as it is wanted.
    fn run(&mut self, time: Duration, media: u32) {
        let end = self.now + time;
        while self.now < end {
            self.now += STEP;
            assert!(self.check() <= 1, "an answer was delivered twice");
            (0..media).for_each(|_| _ = self.send(Kind::Media, Kind::Media, self.udp.1));
            self.selector.handle_timeout(self.now);
            let wanted = self.selector.wants_tunnel(self.now) && self.tls;
            if wanted && !self.open {
                self.open = true;
                self.selector.handle_opened(self.now);
            } else if !wanted && self.open {
                self.open = false;
                self.selector.handle_closed();
            }
        }
    }

    fn path(&self) -> (MediaPath, bool) {
        (self.selector.path(), self.open)
    }
}

const STEP: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);
const GOOD: (bool, bool) = (true, true);
const BLOCKED: (bool, bool) = (false, false);

#[test]
fn udp_that_works_needs_no_tunnel() {
    let mut simulation = Simulation::new(GOOD, true);
    simulation.run(60 * SECOND, 5);
    assert_eq!(simulation.path(), (MediaPath::Udp, false));
}

#[test]
fn the_tunnel_opens_when_the_first_checks_have_no_answer() {
    let mut simulation = Simulation::new(BLOCKED, true);
    simulation.run(FIRST_SILENCE, 0);
    assert_eq!(simulation.path(), (MediaPath::Udp, false));
    simulation.run(2 * STEP, 0);
    assert_eq!(simulation.path(), (MediaPath::Udp, true), "opened beside UDP");
    simulation.run(GRACE, 0);
    assert_eq!(simulation.path(), (MediaPath::Tls, true));
    assert_eq!(simulation.check(), 1, "the answer comes through the tunnel");
    simulation.run(60 * SECOND, 5);
    assert_eq!(simulation.path(), (MediaPath::Tls, true));
}

#[test]
fn udp_that_answers_while_the_tunnel_opens_is_used() {
    let mut simulation = Simulation::new(BLOCKED, true);
    simulation.run(FIRST_SILENCE + STEP, 0);
    assert_eq!(simulation.path(), (MediaPath::Udp, true));
    simulation.udp = GOOD;
    simulation.run(2 * STEP, 5);
    assert_eq!(simulation.path(), (MediaPath::Udp, false), "the tunnel was not needed");
}

#[test]
fn udp_is_preferred_when_it_comes_and_then_the_tunnel_closes() {
    let mut simulation = Simulation::new(BLOCKED, true);
    simulation.run(3 * SECOND, 5);
    simulation.udp = GOOD;
    simulation.run(SECOND, 5);
    assert_eq!(simulation.path(), (MediaPath::Udp, true), "make before break");
    simulation.run(LINGER, 5);
    assert_eq!(simulation.path(), (MediaPath::Udp, false));
}

#[test]
fn udp_that_dies_during_a_meeting_is_replaced_and_then_tried_more_and_more_rarely() {
    let mut simulation = Simulation::new(GOOD, true);
    simulation.run(5 * SECOND, 5);
    let mut waits = Vec::new();
    for _ in 0..3 {
        simulation.udp = BLOCKED;
        simulation.run(SILENCE + 3 * STEP, 5);
        assert_eq!(simulation.path(), (MediaPath::Tls, true));
        simulation.udp = GOOD;
        let mut dead = Duration::ZERO;
        while simulation.selector.path() == MediaPath::Tls {
            simulation.run(STEP, 5);
            dead += STEP;
        }
        waits.push((dead + SECOND / 2).as_secs());
    }
    assert_eq!(waits, [10, 20, 40]);
}

#[test]
fn udp_that_carries_checks_but_no_media_is_not_used() {
    let mut simulation = Simulation::new((true, false), true);
    simulation.run(SECOND, 0);
    assert_eq!(simulation.path(), (MediaPath::Udp, false));
    simulation.send(Kind::Dtls, Kind::Dtls, false);
    simulation.run(HANDSHAKE_SILENCE + STEP, 0);
    assert_eq!(simulation.path(), (MediaPath::Tls, true));
    simulation.run(600 * SECOND, 5);
    assert_eq!(simulation.path(), (MediaPath::Tls, true), "its checks do not count");
}

#[test]
fn media_without_feedback_are_a_dead_path_although_checks_are_answered() {
    let mut simulation = Simulation::new(GOOD, true);
    simulation.run(5 * SECOND, 5);
    simulation.udp = (true, false);
    simulation.run(SILENCE + 3 * STEP, 5);
    assert_eq!(simulation.path(), (MediaPath::Tls, true));
}

#[test]
fn a_participant_who_sends_no_media_stays_on_udp() {
    let mut simulation = Simulation::new((true, false), true);
    simulation.run(60 * SECOND, 0);
    assert_eq!(simulation.path(), (MediaPath::Udp, false));
}

#[test]
fn a_lost_tunnel_is_wanted_again_and_nothing_is_sent_into_it_meanwhile() {
    let mut simulation = Simulation::new(BLOCKED, true);
    simulation.run(3 * SECOND, 5);
    (simulation.open, simulation.tls) = (false, false);
    simulation.selector.handle_closed();
    assert!(simulation.selector.wants_tunnel(simulation.now), "at once");
    simulation.run(5 * SECOND, 5);
    assert_eq!(simulation.path(), (MediaPath::Udp, false));
    assert!(simulation.selector.wants_tunnel(simulation.now));
    simulation.tls = true;
    simulation.run(2 * STEP, 5);
    assert_eq!(simulation.path(), (MediaPath::Tls, true));
}

#[test]
fn a_client_whose_media_took_the_tunnel_wants_it_at_once_after_a_reconnection_unless_udp_works() {
    let mut simulation = Simulation::after(MediaPath::Tls, BLOCKED, true);
    simulation.run(2 * STEP, 5);
    assert_eq!(simulation.path(), (MediaPath::Tls, true));
    let mut simulation = Simulation::after(MediaPath::Tls, GOOD, true);
    simulation.run(60 * SECOND, 5);
    assert_eq!(simulation.path(), (MediaPath::Udp, false));
}

#[test]
fn a_turn_server_that_carries_media_needs_no_tunnel_until_it_is_silent() {
    let mut simulation = Simulation::new(BLOCKED, true);
    simulation.selector.handle_connected(simulation.now);
    for _ in 0..100 {
        simulation.selector.handle_relayed(simulation.now);
        simulation.run(STEP, 5);
    }
    assert_eq!((simulation.path(), simulation.selector.is_relayed(simulation.now)), ((MediaPath::Udp, false), true));
    simulation.run(SILENCE + 2 * STEP, 5);
    assert_eq!((simulation.path(), simulation.selector.is_relayed(simulation.now)), ((MediaPath::Tls, true), false));
}

#[test]
fn datagrams_of_a_turn_server_do_not_keep_the_tunnel_away_before_the_stack_has_connected() {
    let mut simulation = Simulation::new(BLOCKED, true);
    for _ in 0..20 {
        simulation.selector.handle_relayed(simulation.now);
        simulation.run(STEP, 0);
    }
    assert_eq!(simulation.path(), (MediaPath::Tls, true));
    simulation.selector.handle_relayed(simulation.now);
    simulation.selector.handle_connected(simulation.now);
    assert!(simulation.selector.is_relayed(simulation.now), "it has connected through the TURN server");
    simulation.run(2 * STEP, 0);
    assert_eq!(simulation.path(), (MediaPath::Udp, false));
}

#[test]
fn answers_that_nobody_asked_for_do_not_keep_media_on_udp() {
    let mut simulation = Simulation::new(BLOCKED, true);
    for _ in 0..40 {
        simulation.selector.handle_received(MediaPath::Udp, Kind::CheckAnswer([255; 12]));
        simulation.selector.handle_received(MediaPath::Udp, Kind::OtherStun);
        simulation.run(STEP, 0);
    }
    assert_eq!(simulation.path(), (MediaPath::Tls, true));
}

#[test]
fn a_long_handshake_keeps_a_bounded_number_of_checks() {
    let mut simulation = Simulation::new(BLOCKED, false);
    simulation.run(600 * SECOND, 0);
    assert!(simulation.selector.checks.len() <= MAX_CHECKS);
}

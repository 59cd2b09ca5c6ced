use super::*;

const WIFI: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));
const CABLE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));

struct World {
    selector: Selector,
    now: Instant,
}

impl World {
    fn new() -> Self {
        Self { selector: Selector::new(WIFI), now: Instant::now() }
    }

    /// Lets time pass, and returns what to do.
    fn after(&mut self, millis: u64, source: Option<IpAddr>) -> Vec<Action> {
        self.now += Duration::from_millis(millis);
        let mut actions = Vec::new();
        self.selector.handle_route(source, self.now, &mut actions);
        actions
    }

    fn answered(&mut self, id: u8) -> Vec<Action> {
        let mut actions = Vec::new();
        self.selector.handle_answer([id; 12], self.now, &mut actions);
        actions
    }
}

#[test]
fn media_move_to_a_better_network_after_its_path_was_checked() {
    let mut world = World::new();
    assert_eq!(world.after(100, Some(WIFI)), []);
    assert_eq!(world.after(100, Some(CABLE)), [Action::Open(1, CABLE), Action::Check(1, false)]);
    world.selector.handle_check_sent(1, [1; 12]);
    assert_eq!((world.selector.active(), world.selector.is_busy()), (0, true), "the old path carries media");
    assert_eq!(world.after(20, Some(CABLE)), []);
    assert_eq!(world.after(30, Some(CABLE)), [Action::Check(1, false)]);
    assert!(world.selector.has_sent([1; 12]) && !world.selector.has_sent([2; 12]));
    assert_eq!(world.answered(2), [], "no check of ours");
    assert_eq!(world.answered(1), [Action::Move(1)]);
    assert_eq!(world.selector.active(), 1);
    assert_eq!(world.after(0, Some(CABLE)), [Action::Check(1, true)]);
    world.selector.handle_check_sent(1, [3; 12]);
    assert_eq!(world.after(50, Some(CABLE)), [Action::Check(1, true)], "until the server has got it");
    assert_eq!(world.answered(3), []);
    assert_eq!(world.after(500, Some(CABLE)), []);
    assert!(!world.selector.is_busy());
}

#[test]
fn media_move_at_once_if_the_old_path_cannot_send() {
    let mut world = World::new();
    assert!(world.selector.handle_sent(false) && !world.selector.handle_sent(false), "reported once");
    assert_eq!(world.after(20, None), []);
    assert!(world.selector.is_busy());
    let moved = [Action::Open(1, CABLE), Action::Move(1), Action::Check(1, true)];
    assert_eq!(world.after(20, Some(CABLE)), moved);
    assert_eq!(world.selector.active(), 1);
    assert_eq!(world.after(50, Some(CABLE)), [Action::Check(1, true)]);
}

#[test]
fn a_path_that_does_not_answer_is_given_up_and_tried_again_later() {
    let mut world = World::new();
    world.after(0, Some(CABLE));
    let closed = world.after(3_000, Some(CABLE));
    assert_eq!(closed, [Action::Close(1)]);
    assert_eq!(world.after(4_900, Some(CABLE)), []);
    assert_eq!(world.after(200, Some(CABLE)), [Action::Open(2, CABLE), Action::Check(2, false)]);
    assert_eq!(world.selector.active(), 0);
    assert!(priority(2) > priority(1) && priority(1) > 126 << 24 | 0xff_ffff);
}

#[test]
fn a_route_that_returns_closes_the_candidate() {
    let mut world = World::new();
    world.after(0, Some(CABLE));
    assert_eq!(world.after(100, Some(WIFI)), [Action::Close(1)]);
    assert!(!world.selector.is_busy());
}

#[test]
fn a_socket_that_cannot_be_opened_is_tried_again_later() {
    let mut world = World::new();
    world.after(0, Some(CABLE));
    world.selector.handle_open_failure(1, world.now);
    assert_eq!(world.after(100, Some(CABLE)), []);
    assert_eq!(world.after(150, Some(CABLE)).first(), Some(&Action::Open(2, CABLE)));
    world.selector.handle_sent(false);
    world.after(0, Some(CABLE));
    assert_eq!(world.selector.active(), 2);
    world.selector.handle_open_failure(2, world.now);
    assert!(world.selector.is_busy(), "media have moved to a path that does not exist");
    assert_eq!(world.after(100, Some(CABLE)), []);
    assert_eq!(world.after(150, Some(CABLE)).first(), Some(&Action::Open(3, CABLE)));
}

#[test]
fn this_computer_is_no_other_network() {
    let mut world = World::new();
    assert_eq!(world.after(0, Some("127.0.0.1".parse().unwrap())), []);
}

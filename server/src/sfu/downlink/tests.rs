//! Tests of the budget with reports of a simulated link.

use super::*;

/// A downlink with a clock that advances by one report interval with each report.
struct Viewer {
    downlink: Downlink,
    now: Instant,
}

impl Viewer {
    fn new(estimate: u64) -> Self {
        Self { downlink: Downlink::new(estimate), now: Instant::now() }
    }

    /// Reports once. Returns the budget.
    fn report(&mut self, estimate: u64, sent: u64, lost: f32, round_trip: u64) -> u64 {
        self.now += Duration::from_millis(200);
        let round_trip = Some(Duration::from_millis(round_trip));
        self.downlink.handle_report(Report { estimate, sent, lost, round_trip }, self.now);
        self.downlink.budget()
    }
}

#[test]
fn a_lower_estimate_applies_at_once_and_a_higher_one_in_steps() {
    let mut viewer = Viewer::new(1_000_000);
    assert_eq!(viewer.report(400_000, 0, 0.0, 20), 400_000);
    let budgets: Vec<u64> = (0..6).map(|_| viewer.report(2_000_000, 0, 0.0, 20) / 1_000).collect();
    assert_eq!(budgets, [540, 729, 984, 1_328, 1_793, 2_000]);
    assert_eq!(viewer.report(0, 0, 0.0, 20), MIN_BUDGET, "sound always has a share");
}

#[test]
fn a_low_estimate_does_not_count_for_less_than_what_arrives_without_delay() {
    let mut viewer = Viewer::new(600_000);
    viewer.report(600_000, 500_000, 0.0, 20);
    assert_eq!(viewer.report(100_000, 450_000, 0.01, 70), 500_000);
    assert_eq!(viewer.report(100_000, 450_000, 0.01, 100), 100_000, "the delay says that the estimate is right");
}

/// Returns a viewer whose link of 300 kbit/s was full and is not any more.
fn after_a_full_link() -> Viewer {
    let mut viewer = Viewer::new(300_000);
    (0..5).for_each(|_| _ = viewer.report(900_000, 1_000_000, 0.0, 20));
    assert_eq!(viewer.downlink.budget(), 900_000);
    (0..5).for_each(|_| _ = viewer.report(900_000, 1_200_000, 0.75, 220));
    assert!((254_000..=255_000).contains(&viewer.downlink.budget()), "85 % of a quarter of what was sent");
    viewer
}

#[test]
fn a_full_link_gets_a_little_less_than_it_carried_until_a_test() {
    let mut viewer = after_a_full_link();
    assert_eq!(viewer.downlink.padding(), 0);
    let budgets: Vec<u64> = (0..15).map(|_| viewer.report(900_000, 255_000, 0.0, 20) / 1_000).collect();
    assert_eq!(budgets, [[285; 14].as_slice(), &[302]].concat());
    assert_eq!(viewer.downlink.padding() / 1_000, 302, "the test is filled with padding");
    assert_eq!(viewer.report(900_000, 302_000, 0.0, 90) / 1_000, 285, "a longer round trip ends it");
    let waited = (0..99).take_while(|_| viewer.report(900_000, 255_000, 0.0, 20) <= 285_000).count();
    assert_eq!(waited, 29, "the next one is later");
    let steps = (0..99).take_while(|_| viewer.downlink.padding() > 0 && viewer.report(900_000, 300_000, 0.0, 20) > 0);
    assert!((7..=9).contains(&steps.count()), "until the link has carried half as much again");
    let before = viewer.downlink.budget();
    assert_eq!(viewer.report(900_000, 300_000, 0.0, 20), before * 6 / 5);
}

#[test]
fn a_much_higher_estimate_ends_the_memory_of_a_full_link() {
    let mut viewer = after_a_full_link();
    let budgets: Vec<u64> = (0..4).map(|_| viewer.report(2_100_000, 255_000, 0.0, 20) / 1_000).collect();
    assert!(budgets[0] >= 305 && budgets[3] >= 527, "{budgets:?}");
}

#[test]
fn a_low_estimate_does_not_count_for_less_than_what_a_full_link_carried() {
    let mut viewer = after_a_full_link();
    assert_eq!(viewer.report(100_000, 100_000, 0.0, 20) / 1_000, 285);
}

#[test]
fn loss_without_delay_is_not_congestion() {
    let mut viewer = Viewer::new(1_000_000);
    (0..9).for_each(|_| _ = viewer.report(1_000_000, 900_000, 0.3, 20));
    assert_eq!(viewer.downlink.budget(), 1_000_000);
}

#[test]
fn a_path_that_becomes_longer_is_not_full_for_ever() {
    let mut viewer = Viewer::new(1_000_000);
    viewer.report(1_000_000, 100_000, 0.0, 20);
    (0..20).for_each(|_| _ = viewer.report(1_000_000, 100_000, 0.0, 300));
    assert!(viewer.downlink.budget() < 100_000);
    (0..600).for_each(|_| _ = viewer.report(1_000_000, 100_000, 0.0, 300));
    assert_eq!(viewer.downlink.budget(), 1_000_000);
}

#[test]
fn an_unfunded_wish_is_probed_for_soon_and_then_less_often() {
    let mut viewer = Viewer::new(300_000);
    let start = viewer.now;
    let probes = |viewer: &mut Viewer, from: u64| {
        let at = |tenth: u64| start + Duration::from_secs(from) + Duration::from_millis(100 * tenth);
        (0..100).filter(|tenth| viewer.downlink.poll_probe(2_000_000, at(*tenth))).collect::<Vec<u64>>()
    };
    assert_eq!(probes(&mut viewer, 0), [10, 30, 55, 80]);
    viewer.report(600_000, 0, 0.0, 20);
    assert_eq!(probes(&mut viewer, 10), [5, 15, 35, 60, 85], "again, after one of them raised the estimate");
}

#[test]
fn nothing_is_probed_for_while_the_estimate_is_enough_or_packets_are_delayed() {
    let mut viewer = Viewer::new(300_000);
    let start = viewer.now;
    let later = |seconds| start + Duration::from_secs(seconds);
    assert!((0..100).all(|second| !viewer.downlink.poll_probe(200_000, later(second))));
    viewer.report(300_000, 0, 0.0, 20);
    viewer.report(300_000, 0, 0.0, 400);
    assert!((0..100).all(|second| !viewer.downlink.poll_probe(2_000_000, later(second))));
    viewer.report(300_000, 0, 0.0, 30);
    assert_eq!((0..9).filter(|second| viewer.downlink.poll_probe(2_000_000, later(*second))).count(), 3);
}

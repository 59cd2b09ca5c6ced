//! Tests of the budget with reports of a simulated link.

use super::*;

/// A downlink with a clock that advances by one report interval with each report.
struct Viewer {
    downlink: Downlink,
    now: Instant,
    /// What the last report returned.
    change: Option<Change>,
}

impl Viewer {
    /// Returns a viewer that wants more than every link carries.
    fn new(estimate: u64) -> Self {
        let (mut downlink, now) = (Downlink::new(estimate), Instant::now());
        downlink.set_desired(10_000_000, now);
        Self { downlink, now, change: None }
    }

    /// Reports once. Returns the budget.
    fn report(&mut self, estimate: u64, sent: u64, lost: f32, round_trip: u64) -> u64 {
        self.report_after_pause(estimate, sent, lost, (round_trip, 0))
    }

    fn report_after_pause(&mut self, estimate: u64, sent: u64, lost: f32, (round_trip, pause): (u64, u64)) -> u64 {
        self.now += REPORT_INTERVAL;
        let round_trip = Some(Duration::from_millis(round_trip));
        let report = Report { estimate, sent, lost, round_trip, pause: Duration::from_millis(pause) };
        self.change = self.downlink.handle_report(report, self.now);
        self.downlink.budget
    }

    fn held(&self) -> bool {
        self.downlink.held_until(self.now).is_some()
    }
}

/// Returns a viewer after the reports that may be about the first probes.
fn after_first_probes(estimate: u64) -> Viewer {
    let mut viewer = Viewer::new(estimate);
    (0..PROBE_REPORTS).for_each(|_| _ = viewer.report(estimate, 0, 0.0, 20));
    viewer
}

#[test]
fn first_probes_that_no_burst_can_carry_show_a_wide_link_at_once() {
    let mut viewer = Viewer::new(300_000);
    assert_eq!(viewer.report(2_400_000, 1_200_000, 0.0, 20), 375_000, "the burst may have carried the first one");
    assert_eq!(viewer.report(3_600_000, 300_000, 0.0, 20), 3_600_000);
    assert_eq!((viewer.change, viewer.downlink.budget()), (Some(Change::Wide), 3_600_000), "pictures get it, too");
    let mut viewer = after_first_probes(300_000);
    assert_eq!(viewer.report(3_600_000, 300_000, 0.0, 20), 375_000, "a later probe is no proof");
}

#[test]
fn a_link_that_the_first_probes_fill_carries_what_the_second_one_measures() {
    let mut viewer = Viewer::new(300_000);
    viewer.report(950_000, 1_200_000, 0.0, 20);
    viewer.report(950_000, 360_000, 0.0, 100);
    assert_eq!(viewer.change, Some(Change::Full));
    let rate = |viewer: &Viewer| viewer.downlink.capacity.as_ref().map(|capacity| capacity.rate);
    assert_eq!(rate(&viewer), Some(375_000), "they were sent faster than the budget");
    viewer.report(250_000, 80_000, 0.0, 200);
    assert_eq!((rate(&viewer), viewer.downlink.budget), (Some(250_000), 212_500));
}

#[test]
fn packets_that_a_failed_test_has_delayed_are_no_sudden_drop() {
    let mut viewer = after_first_probes(500_000);
    (0..10).for_each(|_| _ = viewer.report(900_000, 500_000, 0.0, 20));
    viewer.report(900_000, 1_200_000, 0.0, 90);
    while viewer.downlink.padding() == 0 || viewer.downlink.capacity.is_none() {
        viewer.report(900_000, viewer.downlink.budget, 0.0, 20);
    }
    let budget = viewer.downlink.budget;
    viewer.report(900_000, budget, 0.0, 20);
    viewer.report(900_000, budget, 0.0, 65);
    assert!(viewer.downlink.capacity.as_ref().is_some_and(|capacity| capacity.test.is_none()), "the test has failed");
    viewer.report(900_000, budget, 0.0, 90);
    assert!(viewer.downlink.budget > budget / 2, "{} of {budget}", viewer.downlink.budget);
}

#[test]
fn a_lower_estimate_applies_at_once_and_a_higher_one_in_steps() {
    let mut viewer = after_first_probes(1_000_000);
    assert_eq!(viewer.report(400_000, 0, 0.0, 20), 400_000);
    let budgets: Vec<u64> = (0..9).map(|_| viewer.report(2_000_000, 0, 0.0, 20) / 1_000).collect();
    assert_eq!(budgets, [500, 625, 781, 976, 1_220, 1_525, 1_907, 2_000, 2_000]);
    assert_eq!(viewer.report(0, 0, 0.0, 20), MIN_BUDGET, "sound always has a share");
}

#[test]
fn a_step_to_a_higher_estimate_is_filled_with_padding_until_packets_are_delayed() {
    let mut viewer = Viewer::new(300_000);
    assert_eq!(viewer.report(2_000_000, 0, 0.0, 20), 375_000);
    assert_eq!(viewer.downlink.padding(), 375_000);
    viewer.report(2_000_000, 375_000, 0.0, 70);
    assert_eq!((viewer.downlink.budget, viewer.downlink.padding()), (375_000, 0));
    let mut viewer = Viewer::new(300_000);
    viewer.downlink.set_desired(200_000, viewer.now);
    viewer.report(2_000_000, 0, 0.0, 20);
    assert_eq!(viewer.downlink.padding(), 0, "the viewer does not want more");
}

#[test]
fn pictures_get_a_higher_budget_when_feedback_is_about_it_and_a_lower_one_at_once() {
    let mut viewer = after_first_probes(400_000);
    let mut budget = |estimate| {
        viewer.report(estimate, 0, 0.0, 20);
        viewer.downlink.budget() / 1_000
    };
    assert_eq!([(); 6].map(|()| budget(2_000_000)), [400, 400, 400, 400, 500, 625]);
    assert_eq!(budget(100_000), 100);
    assert_eq!([(); 5].map(|()| budget(2_000_000)), [100, 100, 100, 100, 125]);
}

#[test]
fn a_low_estimate_does_not_count_for_less_than_what_arrives_without_delay() {
    let mut viewer = Viewer::new(600_000);
    (0..5).for_each(|_| _ = viewer.report(600_000, 500_000, 0.0, 20));
    assert_eq!(viewer.report(100_000, 450_000, 0.01, 50), 500_000);
    assert_eq!(viewer.report(100_000, 450_000, 0.01, 70), 100_000, "the delay says that the estimate is right");
}

#[test]
fn a_pause_before_the_feedback_is_no_delay() {
    let mut viewer = Viewer::new(600_000);
    viewer.report(600_000, 100_000, 0.0, 20);
    viewer.report_after_pause(600_000, 100_000, 0.2, (120, 70));
    assert!(viewer.change.is_none() && !viewer.held());
    viewer.report_after_pause(600_000, 100_000, 0.2, (120, 10));
    assert!(viewer.change.is_some() && viewer.held());
}

/// Returns a viewer whose link of 300 kbit/s was full and is not any more.
fn after_a_full_link() -> Viewer {
    let mut viewer = Viewer::new(300_000);
    (0..3).for_each(|_| _ = viewer.report(600_000, 300_000, 0.0, 20));
    // The queue grows by a third of the time.
    for delay in [53, 87] {
        viewer.report(600_000, 400_000, 0.0, delay);
    }
    assert_eq!(viewer.change, Some(Change::Full));
    let budget = viewer.downlink.budget;
    assert!((250_000..=260_000).contains(&budget), "{budget}: 85 % of what left the queue");
    (0..4).for_each(|_| _ = viewer.report(600_000, 80_000, 0.0, 120));
    assert_eq!(viewer.downlink.budget, budget, "what is sent while pictures are held back is no measure");
    viewer.report(600_000, 80_000, 0.0, 20);
    viewer
}

#[test]
fn a_full_link_gets_a_little_less_than_it_carried_until_a_test_with_padding() {
    let mut viewer = after_a_full_link();
    (0..2).for_each(|_| _ = viewer.report(600_000, 250_000, 0.0, 20));
    let usable = viewer.downlink.budget;
    assert!((280_000..=290_000).contains(&usable), "{usable}");
    assert_eq!((viewer.downlink.padding(), viewer.downlink.pace() * 95 / 100), (0, usable));
    let waited = (0..99).take_while(|_| viewer.downlink.padding() == 0 && viewer.report(600_000, usable, 0.0, 20) > 0);
    assert_eq!(waited.count(), 13);
    let test = viewer.downlink.padding();
    assert!(test > usable);
    viewer.report(600_000, test / 2, 0.0, 20);
    assert_eq!(viewer.downlink.padding(), test, "a test counts only if there was enough to send");
    viewer.report(600_000, test, 0.0, 70);
    assert_eq!(viewer.downlink.padding(), 0, "packets are delayed");
    let waited = (0..99).take_while(|_| viewer.downlink.padding() == 0 && viewer.report(600_000, usable, 0.0, 20) > 0);
    assert_eq!(waited.count(), 40, "the next test follows after four seconds");
    let mut budgets = Vec::new();
    while budgets.len() < 99 && viewer.downlink.padding() > 0 && viewer.downlink.capacity.is_some() {
        let test = viewer.downlink.padding();
        budgets.push(viewer.report(600_000, test, 0.0, 20));
    }
    assert!((11..=13).contains(&budgets.len()), "{budgets:?}");
    assert!(budgets[..budgets.len() - 1].iter().all(|budget| *budget < 300_000), "pictures wait for the result");
    assert!(*budgets.last().expect("a test") > 430_000);
}

#[test]
fn a_late_report_of_a_delay_after_a_hold_does_not_halve_the_capacity() {
    let mut viewer = after_a_full_link();
    // Little was sent during the hold, and the newest packets still waited in the queue.
    viewer.report(250_000, 60_000, 0.0, 300);
    viewer.report(250_000, 60_000, 0.0, 20);
    viewer.report(250_000, 200_000, 0.0, 20);
    assert!(viewer.downlink.budget >= 250_000, "{}", viewer.downlink.budget);
}

#[test]
fn a_viewer_that_wants_no_more_causes_no_test() {
    let mut viewer = after_a_full_link();
    viewer.downlink.set_desired(200_000, viewer.now);
    let tested = (0..100).any(|_| viewer.report(600_000, 200_000, 0.0, 20) > 0 && viewer.downlink.padding() > 0);
    assert!(!tested);
}

#[test]
fn a_test_that_fails_late_shows_that_the_link_carries_a_little_more() {
    let mut viewer = after_a_full_link();
    let mut sent = 285_000;
    while viewer.downlink.padding() < 420_000 {
        sent = viewer.downlink.padding().max(285_000);
        viewer.report(600_000, sent, 0.0, 20);
    }
    (0..3).for_each(|_| _ = viewer.report(600_000, sent, 0.0, 20));
    viewer.report(600_000, sent, 0.0, 65);
    (0..3).for_each(|_| _ = viewer.report(600_000, 285_000, 0.0, 20));
    let budget = viewer.downlink.budget;
    assert!((300_000..360_000).contains(&budget), "{budget}");
}

#[test]
fn a_test_that_delays_packets_suddenly_is_no_sudden_drop() {
    let mut viewer = Viewer::new(500_000);
    (0..10).for_each(|_| _ = viewer.report(900_000, 500_000, 0.0, 20));
    viewer.report(900_000, 1_200_000, 0.0, 90);
    assert_eq!(viewer.change, Some(Change::Full));
    while viewer.downlink.padding() == 0 || viewer.downlink.capacity.is_none() {
        viewer.report(500_000, viewer.downlink.budget, 0.0, 20);
    }
    let budget = viewer.downlink.budget;
    assert!(budget > MIN_SUDDEN, "{budget}");
    viewer.report(500_000, budget, 0.0, 90);
    assert_eq!(viewer.change, None);
    assert!(viewer.downlink.budget > budget * 8 / 10, "{}", viewer.downlink.budget);
}

/// Returns after how many reports each of the next tests of a full link begins, if all of them delay packets.
fn waits_between_failed_tests(rate: u64, count: usize) -> Vec<usize> {
    let mut viewer = Viewer::new(rate);
    (0..3).for_each(|_| _ = viewer.report(rate, rate, 0.0, 20));
    viewer.report(rate, rate, 0.0, 90);
    assert_eq!(viewer.change, Some(Change::Full));
    let wait = |_| {
        let wait = (0..200).take_while(|_| {
            viewer.report(rate, viewer.downlink.budget, 0.0, 20);
            viewer.downlink.padding() == 0
        });
        let wait = wait.count();
        viewer.report(rate, viewer.downlink.padding(), 0.0, 70);
        wait
    };
    (0..count).map(wait).collect()
}

#[test]
fn a_narrow_link_is_tested_less_often_after_each_failure_than_a_wide_one() {
    assert_eq!(waits_between_failed_tests(1_000_000, 4), [19, 39, 79, 79]);
    assert_eq!(waits_between_failed_tests(150_000, 4), [19, 39, 79, 149]);
}

/// Otherwise the viewer would wait for the large picture after a dip.
#[test]
fn a_link_that_carried_much_more_a_moment_ago_is_tested_often_for_a_minute() {
    let mut viewer = Viewer::new(3_000_000);
    (0..10).for_each(|_| _ = viewer.report(3_000_000, 2_000_000, 0.0, 20));
    viewer.report(3_000_000, 2_000_000, 0.08, 120);
    assert_eq!(viewer.change, Some(Change::SuddenlyNarrow));
    let mut tests = Vec::new();
    for tenth in 0..1_000_u32 {
        let (test, budget) = (viewer.downlink.padding(), viewer.downlink.budget);
        viewer.report(500_000, test.max(budget), 0.0, if test > 0 { 90 } else { 20 });
        tests.extend((test > 0).then_some(tenth));
    }
    let waits: Vec<u32> = tests.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits.iter().take(20).all(|wait| *wait < 30), "{waits:?}");
    assert!(waits.last().is_some_and(|wait| *wait > 70), "{waits:?}: the link will not recover soon");
}

/// Otherwise it would go on with the padding of later probes, and delay packets again.
#[test]
fn a_test_ends_when_the_stack_has_seen_the_queue_grow() {
    for (estimate, delay, ends) in [(480_000, 45, true), (2_000_000, 45, false), (480_000, 25, false)] {
        let mut viewer = after_first_probes(1_000_000);
        (0..10).for_each(|_| _ = viewer.report(1_000_000, 1_000_000, 0.0, 20));
        viewer.report(1_000_000, 2_200_000, 0.0, 90);
        assert_eq!(viewer.change, Some(Change::Full));
        while viewer.downlink.padding() == 0 {
            viewer.report(2_000_000, viewer.downlink.budget, 0.0, 20);
        }
        viewer.report(2_000_000, viewer.downlink.padding(), 0.0, 20);
        viewer.report(estimate, viewer.downlink.padding(), 0.0, delay);
        let tested = viewer.downlink.capacity.as_ref().is_some_and(|capacity| capacity.test.is_some());
        assert_eq!(tested, !ends, "an estimate of {estimate} after {delay} ms");
    }
}

#[test]
fn a_narrow_link_is_probed_only_for_a_test_that_needs_it_and_rarely() {
    let mut viewer = Viewer::new(300_000);
    (0..3).for_each(|_| _ = viewer.report(200_000, 150_000, 0.0, 20));
    viewer.report(200_000, 200_000, 0.0, 53);
    viewer.report(200_000, 200_000, 0.0, 87);
    assert_eq!(viewer.change, Some(Change::Full));
    let mut probes = Vec::new();
    for tenth in 0..200 {
        viewer.report(100_000, 100_000, 0.0, 20);
        if viewer.downlink.set_desired(2_000_000, viewer.now) {
            assert!(viewer.downlink.padding() > 100_000, "without a test");
            probes.push(tenth);
        }
    }
    assert!((1..=2).contains(&probes.len()), "{probes:?}");
}

#[test]
fn a_much_higher_estimate_makes_a_test_due() {
    let mut viewer = after_a_full_link();
    viewer.report(2_100_000, 255_000, 0.0, 20);
    let reports = (0..99).take_while(|_| {
        let sent = viewer.downlink.padding().max(255_000);
        viewer.report(2_100_000, sent, 0.0, 20) < 1_500_000
    });
    let reports = reports.count();
    assert!(reports <= 20, "{reports} reports until there is room for the largest layer");
}

#[test]
fn a_low_estimate_does_not_count_for_less_than_what_a_full_link_carried() {
    let mut viewer = after_a_full_link();
    (0..3).for_each(|_| _ = viewer.report(100_000, 100_000, 0.0, 20));
    assert!(viewer.downlink.budget >= 280_000);
}

#[test]
fn a_link_that_suddenly_is_narrow_gets_a_fifth_until_it_is_measured() {
    let mut viewer = Viewer::new(1_700_000);
    (0..20).for_each(|_| _ = viewer.report(1_700_000, 1_600_000, 0.0, 20));
    viewer.report(1_700_000, 2_000_000, 0.0, 20);
    viewer.report(1_700_000, 2_000_000, 0.08, 120);
    assert!(viewer.change == Some(Change::SuddenlyNarrow) && viewer.held());
    assert!(viewer.downlink.budget <= 300_000, "{}", viewer.downlink.budget);
    // A key frame fills the queue for a moment, but nothing is lost.
    let mut viewer = Viewer::new(1_700_000);
    (0..20).for_each(|_| _ = viewer.report(1_700_000, 1_600_000, 0.0, 20));
    viewer.report(1_700_000, 4_000_000, 0.0, 55);
    viewer.report(1_700_000, 2_200_000, 0.0, 120);
    assert!(viewer.change == Some(Change::Full) && viewer.downlink.budget > 1_000_000, "{}", viewer.downlink.budget);
}

#[test]
fn pictures_are_held_back_while_packets_are_delayed_and_not_for_long() {
    let mut viewer = Viewer::new(300_000);
    viewer.report(300_000, 300_000, 0.0, 20);
    assert!(!viewer.held());
    let delayed = |viewer: &mut Viewer| viewer.report(300_000, 300_000, 0.0, 85);
    let held = (0..20).take_while(|_| delayed(&mut viewer) > 0 && viewer.held()).count();
    assert_eq!(held, 10, "the path may have become longer");
    (0..5).for_each(|_| _ = delayed(&mut viewer));
    assert!(!viewer.held());
    viewer.report(300_000, 300_000, 0.0, 30);
    viewer.report(300_000, 300_000, 0.0, 90);
    assert!(viewer.held());
    viewer.report(300_000, 300_000, 0.0, 60);
    assert!(!viewer.held());
}

#[test]
fn loss_without_delay_is_not_congestion() {
    let mut viewer = Viewer::new(1_000_000);
    (0..9).for_each(|_| _ = viewer.report(1_000_000, 900_000, 0.3, 20));
    assert_eq!(viewer.downlink.budget, 1_000_000);
}

#[test]
fn a_path_that_loses_a_third_without_delay_keeps_a_budget_for_a_picture() {
    let mut viewer = Viewer::new(300_000);
    let budgets: Vec<u64> = (0..6).map(|_| viewer.report(40_000, 300_000, 0.33, 20)).collect();
    assert_eq!(budgets[..3], [375_000, 468_750, 585_937], "the estimate of the stack is far too low");
    assert_eq!(budgets[3..], [RANDOM_LOSS_BUDGET; 3]);
    assert_eq!(viewer.report(40_000, 700_000, 0.45, 20), RANDOM_LOSS_BUDGET, "a single second");
    (0..60).for_each(|_| _ = viewer.report(40_000, 700_000, 0.5, 20));
    assert_eq!(viewer.report(40_000, 700_000, 0.5, 20), 40_000, "that much is congestion");
}

#[test]
fn a_path_that_loses_a_third_gets_no_more_than_it_carried_when_it_was_full() {
    let mut viewer = after_a_full_link();
    let highest = (0..9).map(|_| viewer.report(40_000, 250_000, 0.33, 20)).max();
    assert!(highest.is_some_and(|highest| (280_000..=290_000).contains(&highest)), "{highest:?}");
}

#[test]
fn congestion_may_explain_losses_until_a_second_after_the_last_delay() {
    let mut viewer = Viewer::new(300_000);
    viewer.report(300_000, 100_000, 0.2, 20);
    assert!(!viewer.downlink.was_delayed());
    viewer.report(300_000, 100_000, 0.2, 70);
    (0..9).for_each(|_| _ = viewer.report(300_000, 100_000, 0.2, 20));
    assert!(viewer.downlink.was_delayed());
    viewer.report(300_000, 100_000, 0.2, 20);
    assert!(!viewer.downlink.was_delayed());
}

#[test]
fn a_path_that_becomes_longer_is_not_full_for_ever() {
    let mut viewer = Viewer::new(1_000_000);
    viewer.report(1_000_000, 100_000, 0.0, 20);
    (0..20).for_each(|_| _ = viewer.report(1_000_000, 100_000, 0.0, 300));
    assert!(viewer.downlink.budget < 200_000);
    (0..1_500).for_each(|_| {
        let sent = viewer.downlink.padding().max(100_000);
        viewer.report(1_000_000, sent, 0.0, 300);
    });
    assert_eq!(viewer.downlink.budget, 1_000_000);
}

#[test]
fn an_unfunded_wish_is_probed_for_soon_and_then_less_often() {
    let mut viewer = Viewer::new(300_000);
    let start = viewer.now;
    let probes = |viewer: &mut Viewer, from: u64| {
        let at = |tenth: u64| start + Duration::from_secs(from) + Duration::from_millis(100 * tenth);
        (0..100).filter(|tenth| viewer.downlink.set_desired(2_000_000, at(*tenth))).collect::<Vec<u64>>()
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
    assert!((0..100).all(|second| !viewer.downlink.set_desired(200_000, later(second))));
    viewer.report(300_000, 0, 0.0, 20);
    viewer.report(300_000, 0, 0.0, 75);
    assert!((0..100).all(|second| !viewer.downlink.set_desired(2_000_000, later(second))));
    viewer.report(300_000, 0, 0.0, 30);
    assert!((0..9).any(|second| viewer.downlink.set_desired(2_000_000, later(second))));
}

#[test]
fn a_test_that_fails_does_not_lower_the_capacity() {
    let mut viewer = after_a_full_link();
    (0..2).for_each(|_| _ = viewer.report(600_000, 250_000, 0.0, 20));
    let usable = viewer.downlink.budget;
    while viewer.downlink.padding() == 0 {
        viewer.report(600_000, usable, 0.0, 20);
    }
    // The queue grows within one report, and is not empty at once.
    viewer.report(600_000, viewer.downlink.padding(), 0.0, 100);
    assert_eq!((viewer.change, viewer.downlink.padding(), viewer.held()), (None, 0, true));
    (0..3).for_each(|_| _ = viewer.report(150_000, 60_000, 0.0, 85));
    assert_eq!(viewer.change, None);
    viewer.report(150_000, 60_000, 0.0, 20);
    assert!(viewer.downlink.budget >= usable && !viewer.held(), "{}", viewer.downlink.budget);
    // Packets that are delayed later show that the link carries less.
    (0..6).for_each(|_| _ = viewer.report(150_000, 60_000, 0.0, 20));
    viewer.report(150_000, 60_000, 0.0, 100);
    assert!(viewer.change.is_some() && viewer.downlink.budget < usable, "{}", viewer.downlink.budget);
}

#[test]
fn probes_of_a_narrow_link_are_no_larger_than_the_link() {
    let mut viewer = Viewer::new(300_000);
    assert_eq!(viewer.downlink.max_probe(), u64::MAX);
    viewer.report(150_000, 150_000, 0.0, 20);
    viewer.report(150_000, 150_000, 0.0, 100);
    assert!((60_000..160_000).contains(&viewer.downlink.max_probe()), "{}", viewer.downlink.max_probe());
}

#[test]
fn beside_others_that_keep_the_queue_full_pictures_are_sent_until_they_have_gone() {
    let mut viewer = Viewer::new(2_000_000);
    (0..20).for_each(|_| _ = viewer.report(1_700_000, 1_600_000, 0.0, 20));
    viewer.report(1_700_000, 1_600_000, 0.01, 120);
    assert!(viewer.held());
    (0..20).for_each(|_| _ = viewer.report(200_000, 80_000, 0.0, 200));
    assert!(!viewer.held() && viewer.downlink.budget() >= 700_000, "{}", viewer.downlink.budget());
    // A minute later, the time in their queue is not usual.
    (0..580).for_each(|_| _ = viewer.report(100_000, 800_000, 0.002, 200));
    let beside = viewer.downlink.budget();
    assert!(!viewer.held() && viewer.downlink.is_delayed() && beside > 200_000, "{beside}");
    (0..10).for_each(|_| _ = viewer.report(100_000, beside, 0.0, 20));
    assert!(viewer.downlink.budget() >= beside * 9 / 10, "{} of {beside}", viewer.downlink.budget());
}

#[test]
fn a_viewer_begins_with_what_its_network_carried_before_but_never_with_more() {
    let begins = |rate| {
        let mut viewer = Viewer::new(300_000);
        viewer.downlink.set_last_rate(rate);
        viewer.downlink.budget()
    };
    assert_eq!([begins(150_000), begins(5_000_000), begins(0)], [120_000, 300_000, MIN_BUDGET]);
    let mut viewer = Viewer::new(300_000);
    viewer.downlink.set_last_rate(150_000);
    assert_eq!(viewer.report(2_400_000, 0, 0.0, 20), 150_000, "it rises in steps");
    assert_eq!(viewer.report(3_600_000, 300_000, 0.0, 20), 3_600_000, "the first probes have shown a wide link");
    viewer.downlink.set_last_rate(150_000);
    assert_eq!(viewer.downlink.budget, 3_600_000, "too late");
}

#[test]
fn nothing_exceeds_the_limit_that_a_viewer_sets() {
    let mut viewer = Viewer::new(300_000);
    viewer.downlink.set_limit(Some(1_000_000));
    for _ in 0..30 {
        viewer.report(9_000_000, 800_000, 0.0, 20);
        let downlink = &viewer.downlink;
        assert!(downlink.budget() <= 880_000 && downlink.padding() <= 880_000 && downlink.pace() <= 960_000);
        assert!(downlink.max_probe() <= 400_000);
    }
    assert_eq!(viewer.downlink.budget(), 880_000, "all that the limit allows");
    viewer.downlink.set_limit(Some(200_000));
    assert_eq!(viewer.downlink.budget(), 176_000, "at once");
    viewer.downlink.set_limit(None);
    assert!(viewer.report(9_000_000, 200_000, 0.0, 20) < 300_000, "it rises in steps");
}

/// The estimate of a stack that may not probe is 0.
#[test]
fn without_padding_a_full_link_is_tried_with_pictures() {
    let mut viewer = Viewer::new(300_000);
    viewer.downlink.set_limit(Some(100_000));
    (0..20).for_each(|_| _ = viewer.report(0, 80_000, 0.0, 20));
    assert_eq!((viewer.downlink.may_probe(), viewer.downlink.budget()), (false, 88_000), "the limit");
    viewer.report(0, 80_000, 0.0, 100);
    assert!(viewer.change.is_some(), "the link is full");
    (0..70).for_each(|_| _ = viewer.report(0, 45_000, 0.0, 20));
    assert!(viewer.downlink.budget() < 88_000, "{}", viewer.downlink.budget());
    (0..60).for_each(|_| _ = viewer.report(0, 45_000, 0.0, 20));
    assert_eq!(viewer.downlink.budget(), 88_000);
}

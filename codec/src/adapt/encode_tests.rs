use super::super::power::Heat;
use super::*;
use media::Bitrate;
use std::time::Duration;

const NO_LIMIT: PowerState = PowerState { discharging: None, heat: Heat::Normal };

/// An adapter on virtual time.
struct Track {
    adapter: Adapter,
    now: Instant,
    power: PowerState,
}

impl Track {
    fn new(hint: ContentHint) -> Self {
        Self { adapter: Adapter::new(hint, 3), now: Instant::now(), power: NO_LIMIT }
    }

    /// Lets seconds with this load pass. Returns after how many seconds the limits changed, and to what.
    fn pass(&mut self, seconds: u32, load: Load) -> Vec<(u32, u8, u8)> {
        let changes = (1..=seconds).filter_map(|second| {
            self.now += Duration::from_secs(1);
            let changed = self.adapter.update(load, self.power, self.now);
            let Limits { max_spatial, halvings, .. } = self.adapter.limits();
            changed.then_some((second, max_spatial, halvings))
        });
        changes.collect()
    }
}

const fn busy(busy: f64) -> Load {
    Load { busy, missed: 0.0, largest: Some(2) }
}

#[test]
fn three_busy_seconds_halve_the_frame_rate_and_three_more_drop_the_top_layer() {
    let mut track = Track::new(ContentHint::Balanced);
    assert_eq!(track.adapter.reason(), None);
    assert_eq!(track.pass(2, busy(0.95)), []);
    assert_eq!(track.pass(1, busy(0.5)), [], "a short load is ignored");
    assert_eq!(track.pass(7, busy(0.95)), [(3, 2, 1), (6, 1, 0)]);
    assert_eq!(track.adapter.reason(), Some(EncodeLimitReason::EncodeTime));
    let smaller = Load { largest: Some(1), ..busy(0.95) };
    assert_eq!(track.pass(20, smaller), [(2, 1, 1), (5, 0, 0), (8, 0, 1), (11, 0, 2)]);
    assert_eq!(track.pass(20, smaller), [], "nothing is left to reduce");
}

#[test]
fn pictures_that_are_left_out_are_an_overload_too() {
    let mut track = Track::new(ContentHint::Balanced);
    let missing = Load { busy: 0.5, missed: 0.3, largest: Some(2) };
    assert_eq!(track.pass(3, missing), [(3, 2, 1)]);
}

#[test]
fn steps_that_change_nothing_for_what_is_sent_are_passed_over() {
    let mut track = Track::new(ContentHint::Balanced);
    let small = Load { largest: Some(0), ..busy(0.95) };
    assert_eq!(track.pass(3, small), [(3, 0, 1)], "only the smallest layer has a viewer");
}

#[test]
fn ten_seconds_of_low_load_undo_one_step_and_a_failed_attempt_doubles_the_wait() {
    let mut track = Track::new(ContentHint::Balanced);
    track.pass(6, busy(0.95));
    assert_eq!(track.pass(30, busy(0.5)), [], "neither high nor low");
    assert_eq!(track.pass(12, busy(0.2)), [(11, 2, 1)]);
    // The largest layer is too much again.
    assert_eq!(track.pass(4, busy(0.95)), [(3, 1, 0)]);
    assert_eq!(track.pass(22, busy(0.2)), [(21, 2, 1)]);
    assert_eq!(track.pass(3, busy(0.95)), [(3, 1, 0)]);
    assert_eq!(track.pass(39, busy(0.2)), []);
}

#[test]
fn a_paused_track_undoes_nothing() {
    let mut track = Track::new(ContentHint::Balanced);
    track.pass(3, busy(0.95));
    assert_eq!(track.pass(60, Load::default()), []);
}

#[test]
fn motion_keeps_its_frame_rate_and_detail_its_size() {
    let limits = |hint| -> Vec<(u8, u8)> {
        Adapter::new(hint, 3).steps.iter().map(|limits| (limits.max_spatial, limits.halvings)).collect()
    };
    assert_eq!(limits(ContentHint::Motion), [(2, 0), (1, 0), (0, 0), (0, 1), (0, 2)]);
    assert_eq!(limits(ContentHint::Detail), [(2, 0), (2, 1), (2, 2), (1, 2), (0, 2)]);
    assert_eq!(limits(ContentHint::Balanced), [(2, 0), (2, 1), (1, 0), (1, 1), (0, 0), (0, 1), (0, 2)]);
}

#[test]
fn a_signer_has_at_least_twenty_frames_per_second_whatever_happens() {
    let mut track = Track::new(ContentHint::Signing);
    let slowest = |track: &Track| track.adapter.limits().frame_rate(FrameRate::THIRTY).as_f32();
    let narrow = LayerDemand { spatial: 2, temporal_layers: 1, max_bitrate: None };
    track.power = PowerState { discharging: Some(1), heat: Heat::Critical };
    for _ in 0..60 {
        track.pass(1, busy(1.0));
        assert!(slowest(&track) >= 20.0);
        assert!(track.adapter.limits().apply(&[narrow]).iter().all(|demand| demand.temporal_layers == 3));
    }
    assert_eq!(track.adapter.limits().max_spatial, 0, "only its size is reduced");
    let slow_camera = FrameRate::new(15, 1).unwrap();
    assert_eq!(track.adapter.limits().frame_rate(slow_camera), slow_camera);
}

#[test]
fn a_battery_that_gets_empty_takes_steps_without_load() {
    let mut track = Track::new(ContentHint::Balanced);
    track.power.discharging = Some(15);
    assert_eq!(track.pass(20, busy(0.3)), [(1, 2, 1)]);
    assert_eq!(track.adapter.reason(), Some(EncodeLimitReason::Battery));
    track.power.discharging = None;
    assert_eq!(track.pass(1, busy(0.3)), [(1, 2, 0)], "it is charged now");
    assert_eq!(track.adapter.reason(), None);
}

#[test]
fn a_layer_that_is_too_large_is_replaced_by_the_largest_that_may_be_encoded() {
    let demand = |spatial, temporal_layers, kilobits: Option<u64>| LayerDemand {
        spatial,
        temporal_layers,
        max_bitrate: kilobits.map(Bitrate::kbps),
    };
    let limits = Limits { max_spatial: 1, halvings: 1, ..Limits::none() };
    let wanted = [demand(0, 3, None), demand(1, 1, Some(200)), demand(2, 3, Some(900))];
    assert_eq!(limits.apply(&wanted), [demand(0, 3, None), demand(1, 2, Some(900))]);
    assert_eq!(Limits::none().apply(&wanted), wanted);
}

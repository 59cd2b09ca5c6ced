//! Tests of the timeline.

use super::*;
use crate::stats::known::Sender;
use codec::adapt::{EncodeLimitReason, decode};
use media::{Bitrate, Layer, Size};
use net::meeting::SendLimit;
use proto::{DownlinkReport, LimitCause, LimitedTrack, SpatialLayer, TileWish};

const SECOND: Duration = Duration::from_secs(1);
const CAMERA: TrackId = TrackId { owner: ParticipantId(7), slot: Slot::Camera };

fn sample(shown: u64) -> Sample {
    let counters = Counters { received: shown, decoded: shown, shown, ..Counters::default() };
    let voice = TrackId { slot: Slot::Microphone, ..CAMERA };
    Sample {
        tracks: BTreeMap::from([(CAMERA, counters), (voice, counters)]),
        sound: BTreeMap::new(),
        sent: BTreeMap::from([(
            (Slot::Camera, 1),
            SendStats { frames: shown, bytes: 10 * shown, ..SendStats::default() },
        )]),
        names: BTreeMap::from([(CAMERA.owner, "Anne".to_owned())]),
        me: Some(ParticipantId(1)),
    }
}

#[test]
fn a_second_has_what_changed_since_the_last_one() {
    let mut timeline = Timeline::default();
    let tile = TileWish { track: CAMERA, width: 640, height: 360, frames_per_second: 30, priority: 1, hidden: false };
    timeline.known().set_wishes(&[tile]);
    timeline.known().uplink = Some(Bitrate::kbps(800));
    timeline.end_second(SECOND, sample(20));
    timeline.end_second(2 * SECOND, sample(50));
    let [first, second] = timeline.seconds().try_into().expect("two seconds");
    assert_eq!((first.at_ms, second.at_ms, second.link.uplink_kbps), (1_000, 2_000, Some(800)));
    let shown = |second: &Second| (second.video[0].shown, second.sent[0].frames, second.sent[0].bytes);
    assert_eq!((shown(&first), shown(&second)), ((20, 20, 200), (30, 30, 300)));
    assert_eq!((second.video[0].from.as_str(), second.video[0].wished), ("Anne", Some((640, 360))));
}

#[test]
fn a_second_in_which_nothing_has_changed_is_not_reported() {
    let mut timeline = Timeline::default();
    let mut changes = Vec::new();
    for (millis, shown) in [(1_000, 20), (2_010, 20), (2_998, 20), (4_000, 21), (5_000, 21)] {
        let second = timeline.end_second(Duration::from_millis(millis), sample(shown));
        changes.push(timeline.is_changed(&second));
    }
    assert_eq!(changes, [true, true, false, true, true], "pictures began, ended, began and ended");
}

#[test]
fn a_track_that_has_ended_is_in_no_later_second() {
    let mut timeline = Timeline::default();
    for (number, shown) in (1..).zip([20, 20]) {
        timeline.end_second(number * SECOND, sample(shown));
    }
    let tile = TileWish { track: CAMERA, width: 640, height: 360, frames_per_second: 30, priority: 1, hidden: false };
    timeline.known().set_wishes(&[tile]);
    timeline.end_second(3 * SECOND, sample(20));
    let entries: Vec<_> = timeline.seconds().iter().map(|second| (second.video.len(), second.audio.len())).collect();
    assert_eq!(entries, [(1, 1), (0, 0), (1, 0)], "a wished track that delivers nothing is a stall");
}

#[test]
fn the_oldest_seconds_are_forgotten() {
    let mut timeline = Timeline::default();
    for number in 1..=700 {
        timeline.end_second(number * SECOND, sample(u64::from(number)));
    }
    let seconds = timeline.seconds();
    assert_eq!((seconds.len(), seconds[0].at_ms), (MAX_SECONDS, 101_000));
}

#[test]
fn seconds_end_at_whole_seconds_and_a_stall_is_one_second() {
    let entered = Timestamp::from_micros(500_000);
    let after = |ms: u64| Timestamp::from_micros(500_000 + 1_000 * ms);
    let mut timeline = Timeline::default();
    assert!(!timeline.is_due(entered, after(999)) && timeline.is_due(entered, after(1_000)));
    timeline.end_second(Duration::from_millis(1_050), sample(1));
    assert!(!timeline.is_due(entered, after(1_999)) && timeline.is_due(entered, after(2_000)));
    timeline.end_second(Duration::from_millis(5_200), sample(1));
    assert!(!timeline.is_due(entered, after(5_999)) && timeline.is_due(entered, after(6_000)));
}

/// A tile of 1280 x 720 for the camera, which has three layers and shows pictures of the smallest one.
fn reduced() -> (Timeline, impl FnMut(&mut Timeline) -> Arc<Second>) {
    let mut timeline = Timeline::default();
    let tile = TileWish { track: CAMERA, width: 1280, height: 720, frames_per_second: 60, priority: 1, hidden: false };
    let known = timeline.known();
    known.set_wishes(&[tile]);
    let layer = |(spatial, height): (u8, u16)| SpatialLayer { spatial, width: height / 9 * 16, height, bitrate: 0 };
    known.layers.insert(CAMERA, [(0, 180), (1, 360), (2, 720)].map(layer).to_vec());
    known.senders.insert(CAMERA.owner, Sender { connected: true, camera_limit: None, screen_limit: None });
    let mut number = 0;
    let next = move |timeline: &mut Timeline| {
        number += 1;
        let mut sample = sample(30 * u64::from(number));
        for counters in sample.tracks.values_mut() {
            counters.layer = (Layer::default(), Size::new(320, 180));
        }
        timeline.end_second(number * SECOND, sample)
    };
    (timeline, next)
}

fn report(cause: LimitCause) -> DownlinkReport {
    let limited = vec![LimitedTrack { track: CAMERA, cause }];
    DownlinkReport { bitrate: 300_000, lost_down: 0, lost_up: 1, round_trip: Some(40), limited }
}

#[test]
fn a_reduced_track_has_its_reason_at_once_and_its_tile_shows_it_after_three_seconds() {
    let (mut timeline, mut next) = reduced();
    timeline.known().downlink = Some(report(LimitCause::Downlink));
    let seconds: Vec<_> = (0..5).map(|_| next(&mut timeline)).collect();
    let narrow = Some(Limitation::DownlinkNarrow);
    assert!(seconds.iter().all(|second| second.video[0].limited_by == narrow));
    let shown: Vec<_> = seconds.iter().map(|second| second.video[0].tile_limit).collect();
    assert_eq!(shown, [None, None, None, narrow, narrow]);
    let path = seconds[4].link;
    assert_eq!((path.downlink_kbps, path.round_trip_ms, path.lost_up_percent), (Some(300), Some(40), Some(1)));
    let quality = |id: u64| seconds[4].quality.get(&ParticipantId(id)).copied();
    assert_eq!((quality(1), quality(7)), (Some(Quality::Fair), Some(Quality::Good)), "our path, not theirs");
    let json = serde_json::to_value(&*seconds[4]).unwrap();
    assert_eq!((&json["video"][0]["limited_by"], &json["downlink_kbps"]), (&"downlink_narrow".into(), &300.into()));
}

#[test]
fn what_the_sender_announces_is_the_reason_if_our_path_is_free() {
    let (mut timeline, mut next) = reduced();
    timeline.known().downlink = Some(report(LimitCause::Sender));
    assert_eq!(next(&mut timeline).video[0].limited_by, Some(Limitation::Sender));
    let sender = Sender { connected: true, camera_limit: Some(SendLimit::Uplink), screen_limit: None };
    timeline.known().senders.insert(CAMERA.owner, sender);
    let second = next(&mut timeline);
    assert_eq!(second.video[0].limited_by, Some(Limitation::SenderUplink));
    assert_eq!(second.quality[&CAMERA.owner], Quality::Fair);
    timeline.known().reconnecting = true;
    assert_eq!(next(&mut timeline).video[0].limited_by, Some(Limitation::Reconnecting));
}

#[test]
fn a_hidden_track_is_returned_but_not_kept() {
    let (mut timeline, _) = reduced();
    timeline.known().set_wishes(&[]);
    timeline.end_second(SECOND, sample(30));
    let second = timeline.end_second(2 * SECOND, sample(30));
    assert_eq!(second.video_of(CAMERA).and_then(|video| video.limited_by), Some(Limitation::NotVisible));
    assert!(timeline.seconds()[1].video.is_empty());
}

#[test]
fn a_track_that_this_computer_pauses_is_not_a_hidden_one() {
    let (mut timeline, _) = reduced();
    timeline.end_second(SECOND, sample(30));
    timeline.known().computer_limits.received.insert(CAMERA, decode::Limit::Paused);
    let second = timeline.end_second(2 * SECOND, sample(30));
    let video = second.video_of(CAMERA).expect("the track");
    assert_eq!((video.limited_by, video.wished), (Some(Limitation::OwnComputer), Some((1280, 720))));
}

#[test]
fn a_slow_encoder_is_our_own_limit_while_its_slot_is_sent() {
    let mut timeline = Timeline::default();
    timeline.known().computer_limits.sent.insert(Slot::Camera, EncodeLimitReason::EncodeTime);
    let limits: Vec<_> = (1..=3).map(|number| timeline.end_second(number * SECOND, sample(0)).camera_limit).collect();
    assert_eq!(limits, [None; 3], "nothing is sent");
    let mut next = |number: u32| timeline.end_second(number * SECOND, sample(u64::from(number))).camera_limit;
    assert_eq!((4..=6).map(&mut next).collect::<Vec<_>>(), [None, None, Some(Limitation::OwnComputer)]);
}

#[test]
fn lost_packets_are_counted_by_the_second_and_a_new_transport_starts_again() {
    let (mut timeline, mut next) = reduced();
    let stats = |expected, arrived| net::InboundRtpStats { expected, arrived, jitter: Duration::from_millis(3) };
    let mut packets = |expected, arrived| {
        timeline.known().inbound_stats.insert(CAMERA, stats(expected, arrived));
        let packets = next(&mut timeline).video[0].packets;
        (packets.packets, packets.packets_lost, packets.jitter_ms)
    };
    assert_eq!(packets(100, 90), (100, 10, 3));
    assert_eq!(packets(300, 280), (200, 10, 3));
    assert_eq!(packets(50, 50), (50, 0, 3));
}

#[test]
fn our_own_limit_must_last_before_it_is_announced() {
    let (mut timeline, mut next) = reduced();
    timeline.known().uplink_limits.insert(Slot::Camera);
    let limits: Vec<_> = (0..4).map(|_| next(&mut timeline).camera_limit).collect();
    assert_eq!(limits, [None, None, Some(Limitation::OwnUplink), Some(Limitation::OwnUplink)]);
    timeline.known().uplink_limits.clear();
    let limits: Vec<_> = (0..11).map(|_| next(&mut timeline).own_limit(Slot::Camera)).collect();
    assert!(limits[..10].iter().all(Option::is_some) && limits[10].is_none(), "{limits:?}");
}
